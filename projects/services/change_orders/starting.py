"""A change order is paid: it is in force, and the work on it starts."""

import datetime as dt

from marketplace.core import audit
from projects.models import ChangeOrder, Milestone
from projects.models.contracts import Side
from projects.services import deliveries, locks
from projects.services.change_orders import closing, rounds

Status = ChangeOrder.Status


def order_of(milestone: Milestone) -> ChangeOrder | None:
    """The order the milestone came from, if it did."""
    found = ChangeOrder.objects.select_related("asked_by").filter(milestone=milestone).first()
    if found:
        found.contract, found.milestone = milestone.contract, milestone
    return found


def start(milestone: Milestone, *, at: dt.datetime) -> None:
    """Put the order of a milestone that is just being paid in force; nothing for the others.

    A paid round sends the delivered work back at once. Runs in the payment's own transaction, under
    the locks of the milestone, which the caller saves.
    """
    order = order_of(milestone)
    if order is None or order.status != Status.AGREED:
        return
    milestone.due_on = order.due_if_paid(at)
    order.move_to(Status.IN_FORCE, ended_at=at)
    audit.record(
        None,
        "change_order.in_force",
        order,
        rule="payment_received",
        milestone=milestone.pk,
        contract=order.contract_id,
    )
    closing.note(order, "in_force", by=None, side=Side.CLIENT)
    if order.is_round and order.about_id is not None:
        about = locks.milestone(order.about_id)
        if about.status == Milestone.Status.SUBMITTED:
            deliveries.send_back(about, by=order.asked_by, points=order.body)
    else:
        rounds.leave_time_to_review(order)
