"""Extra rounds beside the milestones they are for: one piece of work, two amounts."""

from marketplace.core import clock
from projects.models import ChangeOrder, Milestone
from projects.selectors.silence import BREATH, orders_that_stop_it
from projects.services import locks

Kind, Status = ChangeOrder.Kind, ChangeOrder.Status


def is_extra_round(milestone: Milestone) -> bool:
    """Whether the milestone is itself a round that is paid for: it has no rounds of its own."""
    return ChangeOrder.objects.filter(milestone=milestone, kind=Kind.ROUND).exists()


def is_asked_about(milestone: Milestone) -> bool:
    """Whether the client has said something about it that waits for an answer or its payment."""
    return orders_that_stop_it().filter(about=milestone).exists()


def together_with(milestone: Milestone) -> list[Milestone]:
    """What is handed over with a milestone, locked: its paid rounds, or what it is a round of."""
    paid = ChangeOrder.objects.filter(kind=Kind.ROUND, status=Status.IN_FORCE)
    of_it = paid.filter(about=milestone).values_list("milestone", flat=True)
    it_is_of = paid.filter(milestone=milestone).values_list("about", flat=True)
    return [locks.milestone(pk) for pk in sorted({*of_it, *it_is_of})]


def leave_time_to_review(order: ChangeOrder) -> None:
    """Silence released nothing while it was open; at least a day of the review is left now."""
    if order.about_id is None or not order.contract.orders_stop_silence:
        return
    about = locks.milestone(order.about_id)
    if about.status == Milestone.Status.SUBMITTED and about.review_due_at is not None:
        due = max(about.review_due_at, clock.now() + BREATH)
        Milestone.objects.filter(pk=about.pk).update(review_due_at=due)
