"""Saying yes to delivered work: the money of the milestone goes to the freelancer."""

import logging

from django.db import transaction

from accounts.models import User
from marketplace.core import audit, clock
from marketplace.core.errors import InvalidTransition
from payments.models import Hold
from payments.services import holds
from projects.models import Milestone
from projects.models.contracts import Side
from projects.services import locks, news
from projects.services.contracts import end_if_over
from projects.services.sides import require_client

log = logging.getLogger(__name__)
SILENCE_RULE = "M5"


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
        _release(milestone, by=None)
        return True


def approve_due() -> int:
    """Release what nobody answered in time; returns how much was. Two sweeps release once."""
    silent = Milestone.objects.filter(
        status=Milestone.Status.SUBMITTED, review_due_at__lte=clock.now()
    ).order_by("review_due_at")
    released = 0
    for milestone in silent[:100]:
        try:
            released += approve_by_silence(milestone)
        except Exception:
            # One broken milestone must not keep the money of the others.
            log.exception("milestone %s could not be released by silence", milestone.pk)
    return released


def _release(milestone: Milestone, *, by: User | None) -> None:
    contract, hold = milestone.contract, milestone.hold
    if hold is None:
        raise InvalidTransition
    silence = by is None
    milestone.move_to(
        Milestone.Status.APPROVED, approved_at=clock.now(), review_due_at=None, remind_at=None
    )
    holds.release(
        hold,
        by=by,
        basis=Hold.Basis.RULE if silence else Hold.Basis.APPROVAL,
        basis_detail=SILENCE_RULE if silence else "",
    )
    facts = {"rule": SILENCE_RULE} if silence else {}
    audit.record(by, "milestone.approved", milestone, hold=hold.pk, **facts)
    kind = "milestone.approved_by_silence" if silence else "milestone.approved"
    news.note(contract, kind, by=by, milestone=milestone, amount=milestone.amount)
    news.tell(
        contract,
        Side.FREELANCER,
        "approved_by_silence" if silence else "milestone_approved",
        key=f"approved:{milestone.ref}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
    )
    if silence:
        news.tell(
            contract,
            Side.CLIENT,
            "approved_by_silence",
            key=f"approved:{milestone.ref}",
            group=news.MONEY,
            milestone=milestone,
            amount=milestone.amount,
        )
    end_if_over(contract, by=by)
