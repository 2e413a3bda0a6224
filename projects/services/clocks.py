"""The clocks of a milestone that several services set: dormancy, and what a stop moves on."""

import datetime as dt
from typing import Any

from django.db.models import F

from marketplace.core import audit, clock
from projects.models import ChangeOrder, Milestone
from projects.models.contracts import Side
from projects.services import news

DAY = dt.timedelta(days=1)


def first_dormancy_notice(
    milestone: Milestone, *, quiet_since: dt.datetime | None = None
) -> dt.datetime:
    """When both are told first that nobody does anything about its money (rule M11)."""
    policy = milestone.contract.policy
    ahead = policy.dormant_days - policy.dormant_first_notice_days
    return quiet_from(milestone, quiet_since or clock.now()) + ahead * DAY


def quiet_from(milestone: Milestone, since: dt.datetime) -> dt.datetime:
    """Silence counts from the last sign of life, and from the due date at the earliest."""
    if milestone.due_on is None:
        return since
    next_day = milestone.due_on + DAY
    return max(since, dt.datetime.combine(next_day, dt.time.min, tzinfo=dt.UTC))


def go_on(milestone: Milestone, *, taken_back_by: Side | None = None) -> dict[str, Any]:
    """What changes when a milestone goes on that a dispute or a questioned payment stopped.

    Its deadlines move on by as long as that took, whole days for dates; the custody stop does not.
    A freelancer who stopped it by a dispute and takes that back gains no day by it: what they owe
    stays due when it was. The review window is remembered where it was stopped. The caller saves
    the changes.
    """
    now, since = clock.now(), milestone.stopped_at
    changes: dict[str, Any] = {"stopped_at": None, "dormant": ""}
    if since is None:
        return changes
    lost = now - since
    for waiting in (milestone.proposals, milestone.cancellations):
        waiting.filter(status="open").update(answer_due_at=F("answer_due_at") + lost)
    orders = milestone.change_orders.filter(status__in=ChangeOrder.OPEN)
    orders.update(due_at=F("due_at") + lost)
    if milestone.due_on and milestone.late_at and taken_back_by is not Side.FREELANCER:
        days = -(-lost // DAY)
        milestone.due_on += days * DAY
        changes["due_on"] = milestone.due_on
        if milestone.late_due_at:
            changes["late_due_at"] = milestone.late_due_at + days * DAY
        audit.record(None, "milestone.moved_on", milestone, rule="2.3", days=days)
        news.note(
            milestone.contract,
            "milestone.moved_on",
            milestone=milestone,
            due_on=milestone.due_on.isoformat(),
        )
    changes["dormant_due_at"] = first_dormancy_notice(milestone)
    return changes
