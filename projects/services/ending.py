"""Calling a milestone off, getting held money back, and ending a contract early."""

import datetime as dt
import logging

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition
from marketplace.core.money import Money
from payments.models import GiveBack, Hold
from payments.services import holds, returns
from projects.models import Cancellation, Contract, Milestone, Proposal
from projects.models.contracts import Side
from projects.services import locks, news, proposals
from projects.services.change_orders import closing
from projects.services.contracts import CUSTODY_RULE, end_if_over
from projects.services.rights import require
from projects.services.sides import over_money, require_client

log = logging.getLogger(__name__)
SILENCE_RULE, END_RULE, RETURN_RULE, LATE_RULE = "C1", "C2", "C3", "M13"
LONGEST_REASON = 2000
# Answers that are a yes, given or by silence.
GRANTED = {Cancellation.Status.ACCEPTED, Cancellation.Status.LAPSED}
# The freelancer is reminded so long before the answer is due.
REMIND_BEFORE = dt.timedelta(hours=24)
# When a wish is off the table the client has at least so long to say something about the work.
BREATH = dt.timedelta(hours=24)
# Statuses of a milestone whose money needs an end of its own before the contract can end.
MONEY_OUT = {"funding", "funded", "submitted", "changes_requested", "disputed", "frozen"}


def is_very_late(milestone: Milestone) -> bool:
    """Rule M13: nothing was delivered, and the policy's hours after the due date have passed."""
    since = milestone.very_late_at
    return milestone.status == Milestone.Status.FUNDED and since is not None and clock.now() > since


@transaction.atomic
def call_off(milestone: Milestone, *, by: User, reason: str = "") -> Cancellation | None:
    """End a milestone whose money is held; the client gets everything back, fee included.

    The freelancer may do it alone before the first delivery (rule C3; after it see `return_money`),
    the client when it is very late (rule M13). Otherwise the client asks, the freelancer has the
    policy's hours to answer, and the open question is returned: silence is a yes only while nothing
    was delivered (rule C1).
    """
    milestone = locks.milestone(milestone.pk)
    side = over_money(by, milestone.contract)
    if milestone.status not in Milestone.HELD:
        raise InvalidTransition
    if side is Side.FREELANCER and milestone.status != Milestone.Status.FUNDED:
        raise InvalidTransition
    if side is Side.FREELANCER:
        return_money(milestone, by=by)
        return None
    if is_very_late(milestone):
        call_off_very_late(milestone, by=by)
        return None
    hours = milestone.contract.policy.cancel_answer_hours
    return _ask(milestone, by=by, reason=reason, time=dt.timedelta(hours=hours))


@transaction.atomic
def ask_to_end(contract: Contract, *, by: User, reason: str) -> list[Cancellation]:
    """The client asks to end the contract and to get all held money back (rule C2).

    The freelancer answers for each milestone. When the last money has gone, what was never funded
    is dropped and the contract ends. Raises DomainError while a payment is on its way, disputed or
    questioned, InvalidTransition when no money is held.
    """
    contract = locks.contract(contract.pk)
    require_client(by, contract, "pay")
    steps = locks.milestones(contract)
    if any(step.status in MONEY_OUT - set(Milestone.HELD) for step in steps):
        raise DomainError(
            _("A payment is on its way, disputed or questioned. Wait for its end, then ask."),
            code="money_held",
        )
    held = [s for s in steps if s.status in Milestone.HELD and open_question(s) is None]
    if contract.status != Contract.Status.ACTIVE or not held:
        raise InvalidTransition
    time = dt.timedelta(days=contract.policy.end_answer_days)
    audit.record(by, "contract.end_asked", contract, milestones=len(held))
    return [_ask(step, by=by, reason=reason, time=time, ends_contract=True) for step in held]


@transaction.atomic
def call_off_very_late(milestone: Milestone, *, by: User) -> None:
    """The client alone ends a milestone that is very late (rule M13): all of it comes back.

    Raises InvalidTransition when a delivery arrived first or the due date was moved.
    """
    milestone = locks.milestone(milestone.pk)
    require_client(by, milestone.contract, "pay")
    if not is_very_late(milestone):
        raise InvalidTransition
    _close_question(milestone, Cancellation.Status.OVERTAKEN, by=by)
    _give_back(milestone, by=by, basis=Hold.Basis.RULE, detail=LATE_RULE)


@transaction.atomic
def return_money(milestone: Milestone, *, by: User) -> None:
    """The freelancer alone gives all held money of a milestone back (rule C3), delivered or not.

    Raises InvalidTransition when the money is not held any more, or is disputed.
    """
    milestone = locks.milestone(milestone.pk)
    contract = milestone.contract
    require(by, contract.freelancer, "manage")
    if milestone.status not in Milestone.HELD:
        raise InvalidTransition
    detail = f"{RETURN_RULE} by user {by.ref}"
    if milestone.status == Milestone.Status.FUNDED:
        _close_question(milestone, Cancellation.Status.ACCEPTED, by=by)
        _give_back(milestone, by=by, basis=Hold.Basis.SETTLEMENT, detail=detail)
        return
    _close_question(milestone, Cancellation.Status.ACCEPTED, by=by)
    _give_back(
        milestone,
        by=by,
        basis=Hold.Basis.SETTLEMENT,
        detail=detail,
        to=Milestone.Status.SETTLED,
        told=("milestone.money_returned", "money_returned"),
    )


def what_returns(milestone: Milestone, amount: Money) -> dict[str, Money]:
    """What the client gets back, our fee of it, and what stays held when part goes back.

    Raises InvalidInput like `return_part`.
    """
    if milestone.hold is None:
        raise InvalidTransition
    back = returns.what_goes_back(milestone.hold, amount)
    return {"amount": amount, "back": back, "fee": back - amount, "left": milestone.amount - amount}


@transaction.atomic
def return_part(
    milestone: Milestone, *, by: User, amount: Money, seen: Money | None = None
) -> GiveBack:
    """The freelancer alone gives part of the held money back (rule C3); the rest stays held.

    The milestone is about the smaller amount from now on. `seen` is what was held when the
    freelancer decided: InvalidTransition when it is not any more, so that a double click gives
    once. Raises InvalidInput unless something is given and something is left.
    """
    milestone = locks.milestone(milestone.pk)
    contract, hold = milestone.contract, milestone.hold
    require(by, contract.freelancer, "manage")
    if hold is None or milestone.status not in Milestone.HELD:
        raise InvalidTransition
    if seen is not None and seen != milestone.amount:
        raise InvalidTransition
    given = returns.return_part(hold, by=by, amount=amount)
    # Whoever proposed a lower amount read another one.
    proposals.overtake(milestone, by=by, kinds=(Proposal.Kind.PART,))
    milestone.amount_minor -= amount.minor
    milestone.returned_minor += amount.minor
    milestone.save(update_fields=["amount_minor", "returned_minor"])
    audit.record(by, "milestone.part_returned", milestone, hold=hold.pk, amount=amount.minor)
    news.note(
        contract, "milestone.part_returned", by=by, milestone=milestone, amount=given.to_payer
    )
    news.tell_both(
        contract,
        "part_returned",
        key=f"part-returned:{given.ref}",
        group=news.MONEY,
        milestone=milestone,
        amount=given.to_payer,
        fee=given.fees,
        left=milestone.amount,
    )
    return given


def return_by_custody(milestone: Milestone) -> None:
    """Give back money nobody delivered for in all the time it may be held (rule 2.1).

    The caller holds the milestone's locks.
    """
    overtake_question(milestone, by=None)
    _give_back(
        milestone,
        by=None,
        basis=Hold.Basis.RULE,
        detail=CUSTODY_RULE,
        told=("milestone.returned_by_custody", "custody_returned"),
    )


def return_by_dormancy(milestone: Milestone, rule: str) -> None:
    """Give back money nobody delivered for and nobody asked for (rule M11).

    The caller holds the milestone's locks.
    """
    overtake_question(milestone, by=None)
    _give_back(
        milestone,
        by=None,
        basis=Hold.Basis.RULE,
        detail=rule,
        told=("milestone.returned_by_dormancy", "dormant_returned"),
    )


def overtake_question(milestone: Milestone, *, by: User | None) -> None:
    """The milestone ends without an answer to the client's wish to call it off."""
    _close_question(milestone, Cancellation.Status.OVERTAKEN, by=by)


def _ask(
    milestone: Milestone,
    *,
    by: User,
    reason: str,
    time: dt.timedelta,
    ends_contract: bool = False,
) -> Cancellation:
    reason = text.short_block(reason, limit=LONGEST_REASON, field="reason")
    if not reason:
        raise InvalidInput(_("Say why, in a sentence or two"), field="reason")
    if open_question(milestone):
        raise DomainError(_("You have asked already. The answer is still open."))
    _refuse_stalling(milestone)
    _answer_no(milestone, by=by)
    now = clock.now()
    question = Cancellation.objects.create(
        milestone=milestone,
        reason=reason,
        asked_by=by,
        asked_at=now,
        answer_due_at=now + time,
        remind_at=now + time - REMIND_BEFORE,
        ends_contract=ends_contract,
    )
    audit.record(by, "cancellation.asked", milestone, cancellation=question.pk)
    news.note(milestone.contract, "cancellation.asked", by=by, milestone=milestone)
    news.tell(
        milestone.contract,
        Side.FREELANCER,
        "cancellation_asked",
        key=f"cancellation-asked:{question.pk}",
        group=news.MONEY,
        milestone=milestone,
        url=news.page("call-off", milestone),
        amount=milestone.amount,
        due=question.answer_due_at,
        delivered=milestone.status != Milestone.Status.FUNDED,
        ends=ends_contract,
    )
    return question


def _refuse_stalling(milestone: Milestone) -> None:
    """A wish stops the review clock, so there is one for each delivery."""
    delivered = milestone.submitted_at if milestone.status == Milestone.Status.SUBMITTED else None
    if delivered and milestone.cancellations.filter(asked_at__gte=delivered).exists():
        raise DomainError(
            _("You have asked about this delivery. Approve it, ask for changes or open a dispute.")
        )


def _answer_no(milestone: Milestone, *, by: User) -> None:
    """Who is asked for the money and wants it back has answered: silence releases it no more."""
    if milestone.dormant == Milestone.Dormancy.ASKED:
        stage = Milestone.Dormancy.OPEN
        Milestone.objects.filter(pk=milestone.pk).update(dormant=stage, dormant_due_at=None)
        milestone.dormant, milestone.dormant_due_at = stage, None
        audit.record(by, "milestone.dormant", milestone, stage=stage, due="")
        news.note(
            milestone.contract,
            "dormancy.open",
            by=by,
            milestone=milestone,
            amount=milestone.amount,
            side=Side.CLIENT.value,
        )


def remind_due() -> int:
    """Remind freelancers of questions that wait for them; returns how many. Once per question."""
    due = Cancellation.objects.filter(
        status=Cancellation.Status.OPEN, remind_at__lte=clock.now()
    ).select_related("milestone__contract__client", "milestone__contract__freelancer")
    return sum(_remind(question) for question in due.order_by("remind_at")[:100])


@transaction.atomic
def _remind(question: Cancellation) -> bool:
    # Whoever clears the date reminds; the other sweep finds nothing to clear.
    mine = Cancellation.objects.filter(
        pk=question.pk, status=Cancellation.Status.OPEN, remind_at=question.remind_at
    ).update(remind_at=None)
    if mine:
        milestone = question.milestone
        news.tell(
            milestone.contract,
            Side.FREELANCER,
            "cancellation_reminder",
            key=f"cancellation-reminder:{question.pk}",
            group=news.MONEY,
            milestone=milestone,
            url=news.page("call-off", milestone),
            amount=milestone.amount,
            due=question.answer_due_at,
            delivered=milestone.status != Milestone.Status.FUNDED,
        )
    return bool(mine)


@transaction.atomic
def answer(milestone: Milestone, *, by: User, accept: bool) -> None:
    """The freelancer agrees to call it off, and the money goes back; or declines, and it stays."""
    milestone = locks.milestone(milestone.pk)
    contract = milestone.contract
    require(by, contract.freelancer, "manage")
    question = open_question(milestone)
    if question is None or milestone.status not in Milestone.HELD:
        raise InvalidTransition
    if accept:
        _close_question(milestone, Cancellation.Status.ACCEPTED, by=by)
        never_delivered = milestone.status == Milestone.Status.FUNDED
        _give_back(
            milestone,
            by=by,
            basis=Hold.Basis.SETTLEMENT,
            detail=f"cancellation:{question.pk}",
            to=Milestone.Status.CANCELLED if never_delivered else Milestone.Status.SETTLED,
        )
        return
    _close_question(milestone, Cancellation.Status.DECLINED, by=by)
    _leave_time_to_review(milestone)
    audit.record(by, "cancellation.declined", milestone, cancellation=question.pk)
    news.note(contract, "cancellation.declined", by=by, milestone=milestone)
    news.tell(
        contract,
        Side.CLIENT,
        "cancellation_declined",
        key=f"cancellation-declined:{question.pk}",
        group=news.MONEY,
        milestone=milestone,
    )


@transaction.atomic
def take_back(milestone: Milestone, *, by: User) -> None:
    """The client no longer wants to call it off."""
    milestone = locks.milestone(milestone.pk)
    require_client(by, milestone.contract, "pay")
    question = _close_question(milestone, Cancellation.Status.WITHDRAWN, by=by)
    if question is None:
        raise InvalidTransition
    _leave_time_to_review(milestone)
    audit.record(by, "cancellation.withdrawn", milestone, cancellation=question.pk)
    news.note(milestone.contract, "cancellation.withdrawn", by=by, milestone=milestone)
    news.tell(
        milestone.contract,
        Side.FREELANCER,
        "cancellation_withdrawn",
        key=f"cancellation-withdrawn:{question.pk}",
        milestone=milestone,
    )


def lapse_due() -> int:
    """Close what the freelancer left unanswered; returns how many. Two sweeps close once.

    Silence is a yes while nothing was delivered (rules C1 and C2). Otherwise nothing moves, and
    both are told how to go on.
    """
    due = Cancellation.objects.filter(
        status=Cancellation.Status.OPEN, answer_due_at__lte=clock.now()
    ).order_by("answer_due_at")
    granted = 0
    for question in due.select_related("milestone")[:100]:
        try:
            granted += _lapse(question)
        except Exception:
            log.exception("cancellation %s could not be granted", question.pk)
    return granted


@transaction.atomic
def _lapse(question: Cancellation) -> bool:
    milestone = locks.milestone(question.milestone_id)
    open_now = open_question(milestone)
    if open_now != question or milestone.status not in Milestone.HELD:
        return False
    rule = END_RULE if question.ends_contract else SILENCE_RULE
    if milestone.status == Milestone.Status.FUNDED:
        _close_question(milestone, Cancellation.Status.LAPSED, by=None)
        _give_back(milestone, by=None, basis=Hold.Basis.RULE, detail=rule)
        return True
    _close_question(milestone, Cancellation.Status.UNANSWERED, by=None)
    _leave_time_to_review(milestone)
    audit.record(None, "cancellation.unanswered", milestone, cancellation=question.pk, rule=rule)
    news.note(milestone.contract, "cancellation.unanswered", milestone=milestone)
    news.tell_both(
        milestone.contract,
        "cancellation_unanswered",
        key=f"cancellation-unanswered:{question.pk}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
        due=milestone.review_due_at,
    )
    return True


def _leave_time_to_review(milestone: Milestone) -> None:
    """The review clock stood still for the answer; at least a day of it is left now."""
    due = milestone.review_due_at
    if milestone.status == Milestone.Status.SUBMITTED and due is not None:
        milestone.review_due_at = max(due, clock.now() + BREATH)
        Milestone.objects.filter(pk=milestone.pk).update(review_due_at=milestone.review_due_at)


def open_question(milestone: Milestone) -> Cancellation | None:
    """The client's wish to call the milestone off that still waits for an answer."""
    return milestone.cancellations.filter(status=Cancellation.Status.OPEN).first()


def _close_question(
    milestone: Milestone, how: Cancellation.Status, *, by: User | None
) -> Cancellation | None:
    question = open_question(milestone)
    if question:
        until = None
        if question.ends_contract and how in GRANTED:
            until = clock.days_from_now(milestone.contract.policy.end_consent_days)
        question.move_to(how, answered_at=clock.now(), answered_by=by, consent_until=until)
    return question


def _give_back(
    milestone: Milestone,
    *,
    by: User | None,
    basis: Hold.Basis,
    detail: str,
    to: Milestone.Status = Milestone.Status.CANCELLED,
    told: tuple[str, str] = ("milestone.cancelled", "milestone_cancelled"),
) -> None:
    contract, hold = milestone.contract, milestone.hold
    if hold is None:
        raise InvalidTransition
    proposals.overtake(milestone, by=by)
    closing.overtake(milestone, by=by)
    milestone.move_to(to, review_due_at=None, remind_at=None)
    holds.refund(hold, by=by, basis=basis, basis_detail=detail)
    line, notice = told
    audit.record(by, line, milestone, hold=hold.pk, basis=basis, detail=detail)
    news.note(
        contract,
        line,
        by=by,
        milestone=milestone,
        amount=hold.client_pays,
        rule=detail,
    )
    news.tell_both(
        contract,
        notice,
        key=f"cancelled:{milestone.ref}",
        group=news.MONEY,
        milestone=milestone,
        amount=hold.client_pays,
        rule=detail,
    )
    _drop_rest_if_wanted(contract, by=by)
    end_if_over(contract, by=by)


def _drop_rest_if_wanted(contract: Contract, *, by: User | None) -> None:
    """The client asked to end the contract, and the last money has gone: drop what waits for more.

    The caller holds the contract's lock.
    """
    agreed = Cancellation.objects.filter(
        milestone__contract=contract, consent_until__gt=clock.now()
    )
    steps = locks.milestones(contract)
    if agreed.exists() and not any(step.status in MONEY_OUT for step in steps):
        _drop(steps, by=by)


def forget_consents() -> int:
    """Let a yes to end a contract lapse that money still out has outlived; returns how many.

    Once per contract, told to both. What was agreed for the milestones themselves stays.
    """
    due = Cancellation.objects.filter(consent_until__lte=clock.now()).order_by("consent_until")
    contracts = dict.fromkeys(due.values_list("milestone__contract", flat=True)[:100])
    return sum(_forget_consent(pk) for pk in contracts)


@transaction.atomic
def _forget_consent(contract_pk: int) -> bool:
    contract = locks.contract(contract_pk)
    old = Cancellation.objects.filter(milestone__contract=contract, consent_until__lte=clock.now())
    newest = old.order_by("-consent_until").first()
    if newest is None:
        return False
    old.update(consent_until=None)
    if contract.status != Contract.Status.ACTIVE:
        return False
    days = contract.policy.end_consent_days
    audit.record(None, "contract.end_consent_lapsed", contract, rule=END_RULE, days=days)
    news.note(contract, "contract.end_consent_lapsed")
    news.tell_both(contract, "end_consent_lapsed", key=f"end-consent:{newest.pk}", days=days)
    return True


def _drop(steps: list[Milestone], *, by: User | None) -> None:
    """Cancel those of the milestones that were never funded."""
    for step in steps:
        if step.status == Milestone.Status.PLANNED:
            proposals.overtake(step, by=by)
            closing.overtake(step, by=by)
            step.move_to(Milestone.Status.CANCELLED)
            if step.hold is not None:
                holds.cancel_hold(step.hold, by=by)


@transaction.atomic
def end_early(contract: Contract, *, by: User) -> None:
    """Drop every milestone that is not funded, which ends the contract.

    Raises DomainError while money is held or on its way: that money needs its own end first.
    """
    contract = locks.contract(contract.pk)
    side = over_money(by, contract)
    if contract.status != Contract.Status.ACTIVE:
        raise InvalidTransition
    steps = locks.milestones(contract)
    if any(step.status in MONEY_OUT for step in steps):
        raise DomainError(
            _("Money is still held or on its way. Settle that milestone first, then end."),
            code="money_held",
        )
    _drop(steps, by=by)
    audit.record(by, "contract.ended_by_side", contract, side=side.value)
    end_if_over(contract, by=by)
