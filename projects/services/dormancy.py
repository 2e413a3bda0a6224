"""Held money nobody does anything about (rule M11): both are told, then each side is asked in turn.

Nothing is taken from anybody who was not told in time: each step waits its whole days from the
moment the one before was really taken, however long our clocks stood still.
"""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Max, Q

from accounts.models import User
from marketplace.core import audit, clock
from marketplace.core.errors import InvalidTransition, NotAllowed
from payments.models import Hold
from payments.services import holds
from projects.models import ContractEvent, Message, Milestone
from projects.models.contracts import Side
from projects.services import clocks, ending, locks, news, proposals
from projects.services.change_orders import closing
from projects.services.contracts import end_if_over
from projects.services.sides import over_money, require_client

log = logging.getLogger(__name__)
RULE = "M11"
Stage = Milestone.Dormancy
# Delivered work has a review clock, disputed and frozen money waits for somebody else.
CAN_SLEEP = (Milestone.Status.FUNDED, Milestone.Status.CHANGES_REQUESTED)
A_LITTLE_LATE = dt.timedelta(hours=1)
# Stages in which somebody is asked.
WAITS = (Stage.CLIENT, Stage.FREELANCER, Stage.ASKED)
# Happenings without a person that count as a sign of life.
ALIVE = ("milestone.funded", "payment.cleared")


def run_due() -> int:
    """Take every step that is due; returns how many milestones. Two sweeps at once act once."""
    due = Milestone.objects.filter(status__in=CAN_SLEEP, dormant_due_at__lte=clock.now())
    acted = 0
    for pk in due.order_by("dormant_due_at").values_list("pk", flat=True)[:100]:
        try:
            acted += _act(pk)
        except Exception:
            log.exception("the dormancy of milestone %s did not act", pk)
    return acted


@transaction.atomic
def _act(pk: int) -> bool:
    milestone, now = locks.milestone_unless_busy(pk), clock.now()
    if milestone is None or milestone.status not in CAN_SLEEP:
        return False
    due = milestone.dormant_due_at
    if due is None or due > now:
        return False
    match milestone.dormant:
        case Stage.AWAKE | Stage.FIRST | Stage.LAST:
            _fall_asleep(milestone, due, now)
        case Stage.CLIENT:
            days = milestone.contract.policy.dormant_freelancer_days
            _move(milestone, Stage.FREELANCER, _in_days(days, due, now))
            _tell(milestone, "dormant_freelancer")
        case Stage.FREELANCER if milestone.deliveries.exists():
            # What was submitted never goes back to the client without a decision.
            _leave_open(milestone, by=None)
        case Stage.FREELANCER:
            ending.return_by_dormancy(milestone, RULE)
        case Stage.ASKED:
            _release(milestone, by=None)
    return True


def _in_days(days: int, due: dt.datetime, now: dt.datetime) -> dt.datetime:
    """So many days later. A sweep that is a little late does not move the dates of all that follow,
    one that is very late takes nobody's days away.
    """
    return (due if now - due < A_LITTLE_LATE else now) + days * clocks.DAY


def _fall_asleep(milestone: Milestone, due: dt.datetime, now: dt.datetime) -> None:
    """Tell both for the first or the second time, then ask the client; or wake up."""
    policy = milestone.contract.policy
    first = clocks.first_dormancy_notice(milestone, quiet_since=_last_sign_of_life(milestone))
    if first > now:
        _move(milestone, Stage.AWAKE, first)
        return
    last = policy.dormant_last_notice_days
    if milestone.dormant == Stage.AWAKE:
        gap = policy.dormant_first_notice_days - last
        _move(milestone, Stage.FIRST, _in_days(gap, due, now))
        _tell(milestone, "dormant_warning")
    elif milestone.dormant == Stage.FIRST:
        _move(milestone, Stage.LAST, _in_days(last, due, now))
        _tell(milestone, "dormant_warning")
    else:
        _move(milestone, Stage.CLIENT, _in_days(policy.dormant_client_days, due, now))
        _tell(milestone, "dormant_client")


def _last_sign_of_life(milestone: Milestone) -> dt.datetime:
    """The newest thing a person did about the milestone, or wrote in its contract."""
    happened = ContractEvent.objects.filter(
        Q(actor__isnull=False) | Q(kind__in=ALIVE), milestone=milestone
    )
    said = Message.objects.filter(contract=milestone.contract)
    times: list[dt.datetime | None] = [
        milestone.funded_at,
        happened.aggregate(at=Max("at"))["at"],
        said.aggregate(at=Max("sent_at"))["at"],
    ]
    return max(at for at in times if at)


def asleep_at(milestone: Milestone) -> dt.datetime | None:
    """When the client will be asked, once both have been told; None before and after that."""
    due = milestone.dormant_due_at
    if due is None or milestone.dormant not in {Stage.FIRST, Stage.LAST}:
        return None
    last = milestone.contract.policy.dormant_last_notice_days * clocks.DAY
    return due + last if milestone.dormant == Stage.FIRST else due


# --- Answers --------------------------------------------------------------------------------


@transaction.atomic
def go_on(milestone: Milestone, *, by: User) -> None:
    """One side says that the work goes on: the clock starts anew.

    Not while the freelancer waits for an answer about the money: then the client pays or declines.
    """
    milestone, side = _asleep(milestone, by=by)
    if milestone.dormant == Stage.ASKED and side is Side.CLIENT:
        raise NotAllowed
    news.note(milestone.contract, "dormancy.ended", by=by, milestone=milestone, side=side.value)
    _move(milestone, Stage.AWAKE, clocks.first_dormancy_notice(milestone), by=by)
    news.tell(
        milestone.contract,
        side.other,
        "dormant_goes_on",
        key=f"dormant-goes-on:{milestone.ref}:{clock.now():%Y%m%d%H%M%S}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
    )


@transaction.atomic
def ask_for_release(milestone: Milestone, *, by: User) -> None:
    """The freelancer asks for the money when the client did not decide; the client has to answer.

    Raises InvalidTransition outside the freelancer's days.
    """
    milestone, side = _asleep(milestone, by=by)
    if side is Side.CLIENT:
        raise NotAllowed
    if milestone.dormant != Stage.FREELANCER:
        raise InvalidTransition
    days = milestone.contract.policy.dormant_answer_days
    _move(milestone, Stage.ASKED, clock.now() + days * clocks.DAY, by=by)
    _note(milestone, "dormancy.asked", by=by)
    _tell(milestone, "dormant_asked")


@transaction.atomic
def pay(milestone: Milestone, *, by: User) -> None:
    """The client has the money released, delivered or not."""
    milestone, _side = _asleep(milestone, by=by)
    require_client(by, milestone.contract, "pay")
    _release(milestone, by=by)


@transaction.atomic
def decline(milestone: Milestone, *, by: User) -> None:
    """The client does not release it: nothing moves by silence any more.

    The two settle, one of them opens a dispute, or the custody stop comes.
    """
    milestone, side = _asleep(milestone, by=by)
    if side is Side.FREELANCER:
        raise NotAllowed
    if milestone.dormant != Stage.ASKED:
        raise InvalidTransition
    _leave_open(milestone, by=by)


def _asleep(milestone: Milestone, *, by: User) -> tuple[Milestone, Side]:
    milestone = locks.milestone(milestone.pk)
    side = over_money(by, milestone.contract)
    if milestone.status not in CAN_SLEEP or milestone.dormant not in WAITS:
        raise InvalidTransition
    return milestone, side


# --- What follows ---------------------------------------------------------------------------


def _leave_open(milestone: Milestone, *, by: User | None) -> None:
    _move(milestone, Stage.OPEN, None, by=by)
    _note(milestone, "dormancy.open", by=by)
    _tell(milestone, "dormant_open")


def _release(milestone: Milestone, *, by: User | None) -> None:
    contract, hold = milestone.contract, milestone.hold
    if hold is None:
        raise InvalidTransition
    proposals.overtake(milestone, by=by)
    closing.overtake(milestone, by=by)
    ending.overtake_question(milestone, by=by)
    milestone.move_to(Milestone.Status.SETTLED, dormant="", dormant_due_at=None)
    holds.release(
        hold,
        by=by,
        basis=Hold.Basis.APPROVAL if by else Hold.Basis.RULE,
        basis_detail=RULE,
    )
    _note(milestone, "dormancy.released", by=by)
    facts = {} if by else {"rule": RULE}
    audit.record(by, "milestone.dormant_released", milestone, hold=hold.pk, **facts)
    news.tell_both(
        contract,
        "dormant_released",
        key=f"dormant-released:{milestone.ref}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
        silence=by is None,
    )
    end_if_over(contract, by=by)


def _move(
    milestone: Milestone,
    stage: Milestone.Dormancy,
    due: dt.datetime | None,
    *,
    by: User | None = None,
) -> None:
    """The next stage. The milestone is locked, so nobody else is at it."""
    Milestone.objects.filter(pk=milestone.pk).update(dormant=stage, dormant_due_at=due)
    milestone.dormant, milestone.dormant_due_at = stage, due
    if stage == Stage.AWAKE and by is None:
        return
    facts = {} if by else {"rule": RULE}
    audit.record(
        by,
        "milestone.dormant",
        milestone,
        stage=stage,
        due=due.isoformat() if due else "",
        **facts,
    )


def _note(milestone: Milestone, kind: str, *, by: User | None) -> None:
    side = over_money(by, milestone.contract).value if by else ""
    news.note(
        milestone.contract, kind, by=by, milestone=milestone, amount=milestone.amount, side=side
    )


def _tell(milestone: Milestone, kind: str) -> None:
    """Both, with what happens next and when."""
    asleep = asleep_at(milestone)
    news.tell_both(
        milestone.contract,
        kind,
        key=f"{kind}:{milestone.ref}:{milestone.dormant}:{clock.now():%Y%m%d%H%M%S}",
        group=news.MONEY,
        milestone=milestone,
        url=news.page("dormant", milestone),
        amount=milestone.amount,
        due=asleep or milestone.dormant_due_at or milestone.custody_ends_at,
        delivered=milestone.deliveries.exists(),
    )
