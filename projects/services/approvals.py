"""Saying yes to delivered work: the money of the milestone goes to the freelancer."""

import logging

from django.db import transaction

from accounts.models import User
from marketplace.core import audit, clock
from marketplace.core.errors import InvalidTransition
from payments.models import Hold
from payments.services import holds
from projects.models import Cancellation, Milestone
from projects.models.contracts import Side
from projects.selectors import silence
from projects.services import ending, locks, news, proposals
from projects.services.change_orders import closing, rounds
from projects.services.contracts import CUSTODY_RULE, end_if_over
from projects.services.sides import require_client

log = logging.getLogger(__name__)
SILENCE_RULE = "M5"
# By which rule money is released when nobody said yes: the history line and the notice.
WITHOUT_A_YES = {
    SILENCE_RULE: ("milestone.approved_by_silence", "approved_by_silence"),
    CUSTODY_RULE: ("milestone.released_by_custody", "custody_released"),
}


@transaction.atomic
def approve(milestone: Milestone, *, by: User, seen_round: int | None = None) -> None:
    """Accept the delivered work and release its money to the freelancer.

    Raises InvalidTransition unless the work is in review, so a double click cannot pay twice, and
    when a newer delivery than `seen_round` is there.
    """
    milestone = locks.milestone(milestone.pk)
    require_client(by, milestone.contract, "pay")
    if milestone.status != Milestone.Status.SUBMITTED:
        raise InvalidTransition
    if seen_round is not None and milestone.deliveries.count() != seen_round:
        raise InvalidTransition
    _release(milestone, by=by)


def approve_by_silence(milestone: Milestone) -> bool:
    """Release the money because the client said nothing in the whole review window (rule M5).

    Does nothing, and says so, when somebody acted in time or another sweep was first.
    """
    with transaction.atomic():
        milestone = locks.milestone(milestone.pk)
        due = milestone.review_due_at
        if milestone.status != Milestone.Status.SUBMITTED or due is None or due > clock.now():
            return False
        if ending.open_question(milestone) or rounds.is_asked_about(milestone):
            # The client has said something: they want it called off, or another round. The answer
            # comes first.
            return False
        release_by_rule(milestone, SILENCE_RULE)
        return True


def approve_due() -> int:
    """Release what nobody answered in time; returns how much was. Two sweeps release once."""
    silent = (
        Milestone.objects.filter(status=Milestone.Status.SUBMITTED, review_due_at__lte=clock.now())
        .exclude(cancellations__status=Cancellation.Status.OPEN)
        .exclude(pk__in=silence.orders_that_stop_it().values("about"))
        .order_by("review_due_at")
    )
    released = 0
    for milestone in silent[:100]:
        try:
            released += approve_by_silence(milestone)
        except Exception:
            # One broken milestone must not keep the money of the others.
            log.exception("milestone %s could not be released by silence", milestone.pk)
    return released


def release_by_rule(milestone: Milestone, rule: str) -> None:
    """Release delivered work because a rule says so. The caller holds the milestone's locks."""
    _release(milestone, by=None, rule=rule)


def _release(milestone: Milestone, *, by: User | None, rule: str = "") -> None:
    contract, hold = milestone.contract, milestone.hold
    if hold is None:
        raise InvalidTransition
    proposals.overtake(milestone, by=by)
    closing.overtake(milestone, by=by)
    ending.overtake_question(milestone, by=by)
    milestone.move_to(
        Milestone.Status.APPROVED, approved_at=clock.now(), review_due_at=None, remind_at=None
    )
    holds.release(
        hold,
        by=by,
        basis=Hold.Basis.RULE if rule else Hold.Basis.APPROVAL,
        basis_detail=rule,
    )
    facts = {"rule": rule} if rule else {}
    audit.record(by, "milestone.approved", milestone, hold=hold.pk, **facts)
    line, notice = WITHOUT_A_YES.get(rule, ("milestone.approved", "milestone_approved"))
    news.note(contract, line, by=by, milestone=milestone, amount=milestone.amount)
    for side in Side if rule else (Side.FREELANCER,):
        news.tell(
            contract,
            side,
            notice,
            key=f"approved:{milestone.ref}",
            group=news.MONEY,
            milestone=milestone,
            amount=milestone.amount,
            available=holds.available_at(hold),
        )
    end_if_over(contract, by=by)
