"""Named reads of money."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from marketplace.core.money import Money
from payments.models import Funding, FundingPart, Hold, Refund, Transfer


@dataclass(frozen=True)
class HoldMoney:
    """Where the money of one hold is.

    `state` is one of not_funded, on_its_way, held, paused, released_on_its_way, paid_out, refunded,
    split. `awarded` and `returned` are the two parts of the amount once it ended.
    """

    amount: Money
    state: str
    awarded: Money
    returned: Money
    paid_out: bool
    refunded: bool


def where_money_is(holds: Iterable[Hold]) -> dict[int, HoldMoney]:
    """For each hold where its money is now; one query, however many holds."""
    holds = list(holds)
    of_hold = {"hold": OuterRef("pk")}
    running = [Funding.Status.OPEN, Funding.Status.PROCESSING]
    moving = Hold.objects.filter(pk__in=[hold.pk for hold in holds]).values_list(
        "pk",
        Exists(FundingPart.objects.filter(**of_hold, funding__status__in=running)),
        Exists(Transfer.objects.filter(**of_hold).exclude(status=Transfer.Status.SENT)),
        Exists(Refund.objects.filter(**of_hold).exclude(status=Refund.Status.SUCCEEDED)),
    )
    known = {pk: rest for pk, *rest in moving}
    return {hold.pk: _money_of(hold, *known[hold.pk]) for hold in holds}


def _money_of(hold: Hold, running: bool, unsent: bool, unrefunded: bool) -> HoldMoney:
    ended = hold.ended_at is not None
    return HoldMoney(
        amount=hold.amount,
        state=_state(hold, running=running, paid_out=not unsent),
        awarded=hold.awarded,
        returned=hold.amount - hold.awarded if ended else Money.zero(hold.currency),
        paid_out=ended and bool(hold.awarded) and not unsent,
        refunded=ended and hold.awarded < hold.amount and not unrefunded,
    )


def _state(hold: Hold, *, running: bool, paid_out: bool) -> str:
    status = Hold.Status
    if hold.status in {status.PENDING, status.CANCELLED}:
        return "on_its_way" if running and hold.status == status.PENDING else "not_funded"
    if hold.status == status.RELEASED:
        return "paid_out" if paid_out else "released_on_its_way"
    return {
        status.HELD: "held",
        status.PAUSED: "paused",
        status.REFUNDED: "refunded",
        status.SPLIT: "split",
    }[status(hold.status)]
