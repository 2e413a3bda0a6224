"""Telling both sides that a due date has passed, and what follows from it (rule M13)."""

import logging

from django.db import transaction

from marketplace.core import audit, clock
from projects.models import Milestone
from projects.services import locks, news

log = logging.getLogger(__name__)


def notice_due() -> int:
    """Tell both sides about milestones that became late or very late; returns how many.

    Two sweeps at once tell once.
    """
    due = Milestone.objects.filter(status=Milestone.Status.FUNDED, late_due_at__lte=clock.now())
    told = 0
    for pk in due.order_by("late_due_at").values_list("pk", flat=True)[:100]:
        try:
            told += _notice(pk)
        except Exception:
            log.exception("milestone %s: nobody was told that it is late", pk)
    return told


@transaction.atomic
def _notice(pk: int) -> bool:
    milestone, now = locks.milestone_unless_busy(pk), clock.now()
    if milestone is None or milestone.status != Milestone.Status.FUNDED:
        return False
    due, very_late = milestone.late_due_at, milestone.very_late_at
    if due is None or very_late is None or due > now or milestone.due_on is None:
        return False
    over = now >= very_late
    Milestone.objects.filter(pk=pk).update(late_due_at=None if over else very_late)
    kind = "very_late" if over else "late"
    audit.record(None, f"milestone.{kind}", milestone, rule="M13")
    news.note(milestone.contract, f"milestone.{kind}", milestone=milestone)
    news.tell_both(
        milestone.contract,
        f"milestone_{kind}",
        key=f"{kind}:{milestone.ref}:{milestone.due_on.isoformat()}",
        group=news.MONEY,
        milestone=milestone,
        amount=milestone.amount,
        was_due=milestone.due_on,
        alone=very_late,
    )
    return True
