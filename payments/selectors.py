"""Named reads of money."""

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.core.money import Money
from payments.models import Funding, Hold, Refund, Transfer


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
    """For each hold where its money is now; three queries, however many holds."""
    holds = list(holds)
    ids = [hold.pk for hold in holds]
    running = set(
        Funding.objects.filter(
            parts__hold__in=ids, status__in=[Funding.Status.OPEN, Funding.Status.PROCESSING]
        ).values_list("parts__hold", flat=True)
    )
    unsent = set(
        Transfer.objects.filter(hold__in=ids)
        .exclude(status=Transfer.Status.SENT)
        .values_list("hold", flat=True)
    )
    unrefunded = set(
        Refund.objects.filter(hold__in=ids)
        .exclude(status=Refund.Status.SUCCEEDED)
        .values_list("hold", flat=True)
    )
    return {
        hold.pk: _money_of(
            hold,
            running=hold.pk in running,
            paid_out=hold.pk not in unsent,
            refunded=hold.pk not in unrefunded,
        )
        for hold in holds
    }


def _money_of(hold: Hold, *, running: bool, paid_out: bool, refunded: bool) -> HoldMoney:
    ended = hold.ended_at is not None
    return HoldMoney(
        amount=hold.amount,
        state=_state(hold, running=running, paid_out=paid_out),
        awarded=hold.awarded,
        returned=hold.amount - hold.awarded if ended else Money.zero(hold.currency),
        paid_out=ended and bool(hold.awarded) and paid_out,
        refunded=ended and hold.awarded < hold.amount and refunded,
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
