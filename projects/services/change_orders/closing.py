"""How a change order ends, and what ends with it. Anything that ends a milestone may call this."""

from collections.abc import Iterable

from accounts.models import User
from marketplace.core import audit, clock
from payments.services import holds
from projects.models import ChangeOrder, Contract, Milestone
from projects.models.contracts import Side
from projects.services import news

Status = ChangeOrder.Status
RULE = "M7"


def overtake(milestone: Milestone, *, by: User | None) -> None:
    """The milestone went on or ended: what was open about it is off the table.

    What it had become, and nobody has begun to pay, is dropped with it. The caller holds the locks
    of the milestone.
    """
    for order in milestone.change_orders.filter(status__in=ChangeOrder.OPEN):
        order.contract = milestone.contract
        if order.milestone is None or drop(order.milestone, by=by):
            close(order, Status.OVERTAKEN, by=by)
    for order in ChangeOrder.objects.filter(milestone=milestone, status=Status.AGREED):
        order.contract = milestone.contract
        close(order, Status.OVERTAKEN, by=by)


def overtake_all(contract: Contract, *, by: User | None) -> None:
    """The contract is over: nothing is added to it any more. The caller holds its lock."""
    for order in contract.change_orders.filter(status__in=ChangeOrder.ASKING):
        order.contract = contract
        close(order, Status.OVERTAKEN, by=by)


def drop(milestone: Milestone, *, by: User | None) -> bool:
    """Cancel the milestone an order had become; False when a payment for it is on its way."""
    if milestone.status != Milestone.Status.PLANNED:
        return False
    milestone.move_to(Milestone.Status.CANCELLED)
    if milestone.hold is not None:
        holds.cancel_hold(milestone.hold, by=by)
    return True


def close(order: ChangeOrder, how: ChangeOrder.Status, *, by: User | None) -> None:
    """Write down how it ended."""
    order.move_to(how, ended_at=clock.now())
    rule = {} if by else {"rule": RULE}
    audit.record(by, f"change_order.{how}", order, contract=order.contract_id, **rule)


def note(order: ChangeOrder, what: str, *, by: User | None, side: Side | None = None) -> None:
    """A line in the history both sides see."""
    news.note(
        order.contract,
        f"order.{what}",
        by=by,
        milestone=order.milestone or order.about,
        amount=order.amount,
        side=side.value if side else "",
        title=order.title,
        round=order.is_round,
    )


def tell(order: ChangeOrder, what: str, sides: Iterable[Side], *, key: str = "") -> None:
    """A notice to each of the sides; it leads to the order."""
    for side in sides:
        news.tell(
            order.contract,
            side,
            f"change_order_{what}",
            key=f"change-order-{what}:{order.ref}{key}",
            group=news.MONEY,
            url=order.get_absolute_url(),
            amount=order.amount,
            title=order.title,
            round=order.is_round,
            by_freelancer=order.side == Side.FREELANCER,
            due=order.due_at,
            runs_on=not order.contract.orders_stop_silence,
        )
