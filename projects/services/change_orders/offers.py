"""Asking for an extra round, pricing it, offering extra work; and the answers of the other side.

Nothing that is offered holds before both agreed, and nothing that was agreed before it is paid: an
agreed order is a milestone that waits for its money.
"""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import User
from marketplace.core import audit, clock, text
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.money import Money
from projects.models import ChangeOrder, Contract, Milestone
from projects.models.contracts import Side
from projects.services import deliveries, locks
from projects.services.change_orders import closing, rounds, terms
from projects.services.contracts import LONGEST_TITLE, end_if_over
from projects.services.sides import over_money, require_client

log = logging.getLogger(__name__)
Kind, Status = ChangeOrder.Kind, ChangeOrder.Status
LONGEST_BODY = 4000
# A contract that has grown to so many milestones is better begun anew.
MOST_MILESTONES = 60


@transaction.atomic
def want_round(milestone: Milestone, *, by: User, points: str) -> ChangeOrder:
    """The client asks for changes beyond the included rounds; the freelancer names the price.

    Until that is answered, silence does not release the money. Raises DomainError while rounds are
    left, after one wish for this delivery, and while another order is open.
    """
    milestone = locks.milestone(milestone.pk)
    contract = milestone.contract
    require_client(by, contract, "hire")
    if milestone.status != Milestone.Status.SUBMITTED or rounds.is_extra_round(milestone):
        raise InvalidTransition
    if deliveries.rounds_left(milestone):
        raise DomainError(
            _("Rounds of changes are left: ask for changes, that costs nothing."),
            code="rounds_left",
        )
    _refuse_stalling(milestone)
    refuse_second(contract)
    order = ChangeOrder(
        status=Status.WANTED,
        kind=Kind.ROUND,
        contract=contract,
        about=milestone,
        side=Side.CLIENT,
        title=_("Extra round: %(title)s") % {"title": milestone.title},
        body=_words(points, field="points"),
        asked_by=by,
    )
    order.title = order.title[:LONGEST_TITLE]
    _ask(order, "wanted", by=by)
    return order


@transaction.atomic
def price_round(order: ChangeOrder, *, by: User, amount: Money, days: int) -> None:
    """The freelancer says what the extra round costs, and how many days it takes once paid.

    Raises InvalidInput for an amount or a time that cannot be funded, InvalidTransition when the
    wish is not open any more.
    """
    order = _open(order, Status.WANTED)
    _require_other_side(order, by=by)
    contract = order.contract
    _check_amount(contract, amount)
    longest = contract.policy.milestone_longest_days
    if not 1 <= days <= longest:
        raise InvalidInput(
            _("Enter a number of days between 1 and %(most)s") % {"most": longest}, field="days"
        )
    _offer(order, by=by, amount_minor=amount.minor, days=days)


@transaction.atomic
def turn_into_work(
    order: ChangeOrder, *, by: User, title: str, body: str, amount: Money, due_on: dt.date
) -> None:
    """The freelancer answers a wish for a round that adds scope by an offer of extra work."""
    order = _open(order, Status.WANTED)
    _require_other_side(order, by=by)
    _check_work(order.contract, title, amount, due_on)
    order.title, order.body = title.strip(), _words(body, field="body")
    ChangeOrder.objects.filter(pk=order.pk).update(
        kind=Kind.SCOPE, title=order.title, body=order.body
    )
    order.kind = Kind.SCOPE
    _offer(order, by=by, amount_minor=amount.minor, due_on=due_on)


@transaction.atomic
def grant_round(order: ChangeOrder, *, by: User) -> None:
    """The freelancer does the extra round without extra pay: the work goes back to them at once."""
    order = _open(order, Status.WANTED)
    _require_other_side(order, by=by)
    about = _about(order)
    if about is None or about.status != Milestone.Status.SUBMITTED:
        raise InvalidTransition
    closing.close(order, Status.GRANTED, by=by)
    deliveries.send_back(about, by=order.asked_by, points=order.body)
    closing.note(order, "granted", by=by, side=Side.FREELANCER)
    closing.tell(order, "granted", [Side.CLIENT])


@transaction.atomic
def offer_work(
    contract: Contract, *, by: User, title: str, body: str, amount: Money, due_on: dt.date
) -> ChangeOrder:
    """Either side offers extra work: what is added, for how much, until when.

    Raises InvalidInput for what cannot become a milestone, DomainError while another order is open,
    InvalidTransition when the contract is over.
    """
    contract = locks.contract(contract.pk)
    side = over_money(by, contract)
    if contract.status != Contract.Status.ACTIVE:
        raise InvalidTransition
    refuse_second(contract)
    _check_work(contract, title, amount, due_on)
    order = ChangeOrder(
        kind=Kind.SCOPE,
        contract=contract,
        side=side,
        title=title.strip(),
        body=_words(body, field="body"),
        amount_minor=amount.minor,
        due_on=due_on,
        asked_by=by,
        offered_by=by,
        offered_at=clock.now(),
    )
    _ask(order, "offered", by=by)
    return order


@transaction.atomic
def answer(order: ChangeOrder, *, by: User, accept: bool) -> ChangeOrder:
    """The other side agrees, and a milestone waits for its money; or declines, and nothing changes.

    A wish without a price can only be declined here. Raises InvalidTransition when it is not open
    any more, NotAllowed for the side that spoke last, DomainError when its date has passed.
    """
    order = _open(order, *ChangeOrder.ASKING)
    side = _require_other_side(order, by=by)
    if not accept:
        closing.close(order, Status.DECLINED, by=by)
        closing.note(order, "declined", by=by, side=side)
        closing.tell(order, "declined", [side.other])
        rounds.leave_time_to_review(order)
        return order
    if order.status != Status.OFFERED:
        raise InvalidTransition
    if order.due_on and order.due_on < clock.now().date():
        raise DomainError(
            _("The date of this offer has passed. Decline it, and ask for a new one."),
            code="too_late",
        )
    order.milestone = _add_milestone(order)
    amendment = terms.amend(order, by=by, side=side)
    order.move_to(
        Status.AGREED,
        milestone=order.milestone,
        due_at=clock.days_from_now(order.contract.policy.change_order_pay_days),
    )
    audit.record(
        by,
        "change_order.agreed",
        order,
        contract=order.contract_id,
        milestone=order.milestone.pk,
        amount=order.amount_minor,
        version=amendment.version,
        text_sha256=amendment.text_sha256,
    )
    closing.note(order, "agreed", by=by, side=side)
    closing.tell(order, "agreed", [side.other])
    return order


@transaction.atomic
def take_back(order: ChangeOrder, *, by: User) -> None:
    """The side that spoke last no longer wants or offers it."""
    order = _open(order, *ChangeOrder.ASKING)
    side = over_money(by, order.contract)
    if side != order.side:
        raise NotAllowed(_("Only the side that proposed this can take it back."))
    closing.close(order, Status.WITHDRAWN, by=by)
    closing.note(order, "withdrawn", by=by, side=side)
    closing.tell(order, "withdrawn", [side.other])
    rounds.leave_time_to_review(order)


# --- Clocks ---------------------------------------------------------------------------------


def end_due(*, limit: int = 100) -> int:
    """Close what nobody answered or paid in time; returns how many. Two sweeps close once.

    What waits for a bank, or for a payment on its way, is not looked at: it must not keep the
    others from their turn.
    """
    due = (
        ChangeOrder.objects.filter(status__in=ChangeOrder.OPEN, due_at__lte=clock.now())
        .exclude(about__status=Milestone.Status.FROZEN)
        .exclude(milestone__status=Milestone.Status.FUNDING)
    )
    ended = 0
    for order in due.order_by("due_at")[:limit]:
        try:
            ended += _end(order)
        except Exception:
            # One broken order must not keep the others open.
            log.exception("change order %s could not end", order.pk)
    return ended


@transaction.atomic
def _end(order: ChangeOrder) -> bool:
    contract = locks.contract_unless_busy(order.contract_id)
    if contract is None:
        return False
    order = ChangeOrder.objects.select_related("milestone__hold").get(pk=order.pk)
    order.contract = contract
    if not order.is_open or order.due_at > clock.now():
        return False
    about = _about(order)
    if about is not None and about.status == Milestone.Status.FROZEN:
        # Its clocks stand still until the bank has decided.
        return False
    if order.status != Status.AGREED:
        closing.close(order, Status.LAPSED, by=None)
        what = "lapsed"
    else:
        if order.milestone is None or not closing.drop(order.milestone, by=None):
            # A payment is on its way: what comes of it decides.
            return False
        closing.close(order, Status.UNPAID, by=None)
        what = "unpaid"
    closing.note(order, what, by=None)
    closing.tell(order, what, Side)
    rounds.leave_time_to_review(order)
    if what == "unpaid":
        end_if_over(contract, by=None)
    return True


# --- Parts ----------------------------------------------------------------------------------


def refuse_second(contract: Contract) -> None:
    """Raise DomainError while an order of this contract is open."""
    if contract.change_orders.filter(status__in=ChangeOrder.OPEN).exists():
        raise DomainError(
            _("An offer for extra work is open already. It has to be answered and paid first."),
            code="order_open",
        )


def _refuse_stalling(milestone: Milestone) -> None:
    """A wish keeps silence from releasing the money, so there is one for each delivery."""
    delivered = milestone.submitted_at
    if delivered and milestone.change_orders.filter(asked_at__gte=delivered).exists():
        raise DomainError(
            _("You have asked about this delivery. Approve it, or open a dispute."),
            code="asked_already",
        )
    if milestone.cancellations.filter(status="open").exists():
        raise DomainError(
            _("You have asked for the money back. Take that back first, then ask for changes."),
            code="calling_off",
        )


def _ask(order: ChangeOrder, what: str, *, by: User) -> None:
    order.asked_at = clock.now()
    order.due_at = clock.days_from_now(order.contract.policy.proposal_answer_days)
    order.save(force_insert=True)
    audit.record(
        by,
        f"change_order.{what}",
        order,
        contract=order.contract_id,
        kind=order.kind,
        amount=order.amount_minor,
    )
    side = Side(order.side)
    closing.note(order, what, by=by, side=side)
    closing.tell(order, what, [side.other])


def _offer(
    order: ChangeOrder,
    *,
    by: User,
    amount_minor: int,
    days: int | None = None,
    due_on: dt.date | None = None,
) -> None:
    order.move_to(
        Status.OFFERED,
        side=Side.FREELANCER,
        amount_minor=amount_minor,
        days=days,
        due_on=due_on,
        offered_by=by,
        offered_at=clock.now(),
        due_at=clock.days_from_now(order.contract.policy.proposal_answer_days),
    )
    audit.record(
        by,
        "change_order.offered",
        order,
        contract=order.contract_id,
        kind=order.kind,
        amount=amount_minor,
    )
    closing.note(order, "offered", by=by, side=Side.FREELANCER)
    closing.tell(order, "offered", [Side.CLIENT])


def _open(order: ChangeOrder, *expected: str) -> ChangeOrder:
    """The order as it is now, under the locks of its contract; InvalidTransition if it moved on."""
    contract = locks.contract(order.contract_id)
    fresh = ChangeOrder.objects.select_related("about", "asked_by").get(pk=order.pk)
    fresh.contract = contract
    if fresh.status not in expected:
        raise InvalidTransition
    return fresh


def _about(order: ChangeOrder) -> Milestone | None:
    """The milestone it began with, locked."""
    return None if order.about_id is None else locks.milestone(order.about_id)


def _require_other_side(order: ChangeOrder, *, by: User) -> Side:
    side = over_money(by, order.contract)
    if side == order.side:
        raise NotAllowed(_("The other side has to answer this."))
    return side


def _add_milestone(order: ChangeOrder) -> Milestone:
    """The contract grows by the order's amount: a milestone that waits for its money."""
    contract, amount = order.contract, order.amount
    about = _about(order)
    if contract.status != Contract.Status.ACTIVE or amount is None:
        raise InvalidTransition
    if order.is_round and (about is None or about.status != Milestone.Status.SUBMITTED):
        raise InvalidTransition
    last = contract.milestones.aggregate(last=Max("position"))["last"]
    contract.price_minor += amount.minor
    contract.save(update_fields=["price_minor"])
    return Milestone.objects.create(
        contract=contract,
        position=last + 1,
        title=order.title,
        amount_minor=amount.minor,
        due_on=order.due_on,
    )


def _check_work(contract: Contract, title: str, amount: Money, due_on: dt.date) -> None:
    if not 0 < len(title.strip()) <= LONGEST_TITLE:
        raise InvalidInput(
            _("Give the extra work a title of %(most)s characters or fewer")
            % {"most": LONGEST_TITLE},
            field="title",
        )
    _check_amount(contract, amount)
    today, longest = clock.now().date(), contract.policy.milestone_longest_days
    if not today < due_on <= today + dt.timedelta(days=longest):
        raise InvalidInput(
            _("Choose a day after today, within %(days)s days: longer we may not hold the money")
            % {"days": longest},
            field="due_on",
        )


def _check_amount(contract: Contract, amount: Money) -> None:
    least = Money.parse(str(contract.policy.smallest_amount), contract.currency)
    if amount.currency != contract.currency or amount < least:
        raise InvalidInput(
            _("The amount must be %(least)s or more") % {"least": money_text(least)},
            field="amount",
        )
    if contract.milestones.count() >= MOST_MILESTONES:
        raise DomainError(
            _("This contract has %(most)s milestones. Start a new project for more work.")
            % {"most": MOST_MILESTONES}
        )


def _words(typed: str, *, field: str) -> str:
    words = text.short_block(typed, limit=LONGEST_BODY, field=field)
    if not words:
        raise InvalidInput(_("Say what should be done, point by point"), field=field)
    return words
