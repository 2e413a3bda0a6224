"""Setting a milestone's money aside, before the work on it starts."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock
from marketplace.core.errors import DomainError, InvalidTransition
from payments.models import Funding, Hold
from payments.services import funding as payments_funding
from payments.services import holds
from projects.models import Contract, Milestone
from projects.models.contracts import Side
from projects.services import clocks, locks, news
from projects.services.change_orders import starting
from projects.services.sides import require_client, require_freelancer


@transaction.atomic
def fund_milestone(milestone: Milestone, *, by: User) -> Funding:
    """Start the client's Checkout for a milestone, or return the one that runs.

    Raises InvalidTransition when the money is set aside already.
    """
    milestone = locks.milestone(milestone.pk)
    require_client(by, milestone.contract, "pay")
    if milestone.status not in {Milestone.Status.PLANNED, Milestone.Status.FUNDING}:
        raise InvalidTransition
    hold = milestone.hold or _open_hold(milestone, by=by)
    address = settings.SITE_URL
    started = payments_funding.start_checkout(
        hold,
        by=by,
        success_url=address + news.page("fund-return", milestone),
        cancel_url=address + news.page("fund", milestone) + "?cancelled=1",
    )
    if milestone.status == Milestone.Status.PLANNED:
        milestone.move_to(Milestone.Status.FUNDING)
        audit.record(by, "milestone.funding", milestone, hold=hold.pk)
    return started


@transaction.atomic
def fund_together(contract: Contract, *, by: User) -> Funding:
    """Start one Checkout for every milestone that can be funded now, or return the one that runs.

    Each keeps a hold of its own: it is released, called off and refunded by itself. What is due
    later than a milestone may take is left for later, because its money could not wait so long.
    Raises InvalidTransition when nothing waits for money.
    """
    contract = locks.contract(contract.pk)
    require_client(by, contract, "pay")
    steps = fundable(contract, locks.milestones(contract))
    if not steps:
        raise InvalidTransition
    address = settings.SITE_URL
    page = reverse("projects:fund-together", args=[contract.ref])
    started = payments_funding.start_joint_checkout(
        [step.hold or _open_hold(step, by=by) for step in steps],
        by=by,
        success_url=address + news.page("fund-return", steps[0]),
        cancel_url=f"{address}{page}?cancelled=1",
    )
    for step in steps:
        if step.status == Milestone.Status.PLANNED:
            step.move_to(Milestone.Status.FUNDING)
            audit.record(by, "milestone.funding", step, hold=step.hold_id, together=len(steps))
    return started


def fundable(contract: Contract, steps: Iterable[Milestone]) -> list[Milestone]:
    """Those of the milestones that wait for money and are due before it would have to go again."""
    longest = dt.timedelta(days=contract.policy.milestone_longest_days)
    last = clock.now().date() + longest
    waiting = {Milestone.Status.PLANNED, Milestone.Status.FUNDING}
    return [
        step
        for step in steps
        if step.status in waiting and (step.due_on is None or step.due_on <= last)
    ]


def start_payment_together(contract: Contract, *, by: User) -> str | None:
    """Where the client pays for all of them; None while Stripe does not answer."""
    return payments_funding.checkout_url(fund_together(contract, by=by))


def start_payment(milestone: Milestone, *, by: User) -> str | None:
    """Where the client pays now; None while Stripe does not answer or a payment is on its way.

    The Checkout is remembered first and opened outside the transaction, so nothing is lost when
    Stripe is away.
    """
    return payments_funding.checkout_url(fund_milestone(milestone, by=by))


def look_again(milestone: Milestone) -> None:
    """Ask Stripe what came of the newest try to pay; an unpaid one changes nothing."""
    tried = Funding.objects.filter(parts__hold=milestone.hold_id).order_by("-pk").first()
    if tried:
        payments_funding.confirm(tried)


def _open_hold(milestone: Milestone, *, by: User) -> Hold:
    contract = milestone.contract
    hold = holds.open_hold(
        payer=contract.client,
        payee=contract.freelancer,
        amount=milestone.amount,
        policy=contract.policy,
        label=f"{contract.title}: {milestone.title}"[:200],
        by=by,
        work=contract.ref,
    )
    Milestone.objects.filter(pk=milestone.pk).update(hold=hold)
    milestone.hold = hold
    return hold


@transaction.atomic
def ask_to_fund(milestone: Milestone, *, by: User) -> None:
    """The freelancer asks for the money behind a milestone, at most once a day."""
    milestone = locks.milestone(milestone.pk)
    contract = milestone.contract
    require_freelancer(by, contract)
    if milestone.status != Milestone.Status.PLANNED:
        raise InvalidTransition
    today = clock.now().date()
    news.tell(
        contract,
        Side.CLIENT,
        "funding_asked",
        key=f"funding-asked:{milestone.ref}:{today.isoformat()}",
        group=news.MONEY,
        milestone=milestone,
        url=news.page("fund", milestone),
        amount=milestone.amount,
    )


@transaction.atomic
def record_funds(hold: Hold, *, at: dt.datetime) -> None:
    """The payment arrived: the milestone is funded and work may start.

    Runs inside the payment's own transaction, which locks the hold after this.
    """
    milestone = _milestone_of(hold)
    if milestone is None:
        return
    contract = milestone.contract
    milestone.funded_at = at
    starting.start(milestone, at=at)
    first_warning = dt.timedelta(days=contract.policy.custody_first_warning_days)
    milestone.move_to(
        Milestone.Status.FUNDED,
        funded_at=at,
        due_on=milestone.due_on,
        custody_due_at=at + first_warning,
        late_due_at=milestone.late_at,
        dormant_due_at=clocks.first_dormancy_notice(milestone),
    )
    audit.record(None, "milestone.funded", milestone, hold=hold.pk, rule="payment_received")
    news.note(contract, "milestone.funded", milestone=milestone, amount=milestone.amount)
    news.tell_both(
        contract,
        "milestone_funded",
        key=f"funded:{milestone.ref}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
    )


@transaction.atomic
def record_no_funds(hold: Hold) -> None:
    """The Checkout ended without money: the milestone waits for another try."""
    milestone = _milestone_of(hold)
    if milestone is None or milestone.status != Milestone.Status.FUNDING:
        return
    milestone.move_to(Milestone.Status.PLANNED)
    ended = audit.record(
        None, "milestone.funding_ended", milestone, hold=hold.pk, rule="no_payment"
    )
    news.tell(
        milestone.contract,
        Side.CLIENT,
        "funding_ended",
        key=f"funding-ended:{ended.pk}",
        group=news.MONEY,
        milestone=milestone,
        url=news.page("fund", milestone),
        amount=milestone.amount,
    )


@transaction.atomic
def record_payout(hold: Hold) -> None:
    """Everything released to the freelancer has reached their Stripe account."""
    _money_arrived(hold, kind="money.paid_out", side=Side.FREELANCER, notice="money_paid_out")


@transaction.atomic
def record_refund(hold: Hold) -> None:
    """Everything that went back to the client has been refunded by Stripe."""
    _money_arrived(hold, kind="money.refunded", side=Side.CLIENT, notice="money_refunded")


def _money_arrived(hold: Hold, *, kind: str, side: Side, notice: str) -> None:
    milestone = _milestone_of(hold)
    if milestone is None:
        return
    news.note(milestone.contract, kind, milestone=milestone)
    news.tell(
        milestone.contract,
        side,
        notice,
        key=f"{notice}:{milestone.ref}",
        group=news.MONEY,
        milestone=milestone,
    )


def _milestone_of(hold: Hold) -> Milestone | None:
    """Its milestone, locked; payments may hold money for other things, which are not our news."""
    pk = Milestone.objects.filter(hold=hold).values_list("pk", flat=True).first()
    return None if pk is None else locks.milestone(pk)


def refuse_unfunded(milestone: Milestone) -> None:
    """Raise DomainError while no money is behind the milestone."""
    if milestone.status in {Milestone.Status.PLANNED, Milestone.Status.FUNDING}:
        raise DomainError(
            _("This milestone is not funded yet. If you start now, there is no money behind it."),
            code="not_funded",
        )
