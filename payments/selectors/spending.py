"""What a client has spent, added up the way their own books need it."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from accounts.models import User
from marketplace.core.money import Money
from payments.models import Hold, PurchaseOrder
from payments.selectors.overviews import money_parties

ORDER, CONTRACT, MONTH = "order", "contract", "month"


@dataclass(frozen=True)
class Asked:
    """Which payments, and by what they are added up; days are those of UTC, as on paper."""

    by: str = ORDER
    since: dt.date | None = None
    until: dt.date | None = None
    order: str = ""
    contract: str = ""


@dataclass
class Total:
    """All payments of one purchase order, contract or month, in one currency."""

    # The order's number, the contract's, or the month; empty for payments without one.
    key: str
    currency: str
    payments: int = 0
    paid_minor: int = 0
    fees_minor: int = 0
    back_minor: int = 0
    # With whom, for a contract.
    names: set[str] = field(default_factory=set)

    @property
    def paid(self) -> Money:
        """What was paid in, our fee included."""
        return Money(self.paid_minor, self.currency)

    @property
    def fees(self) -> Money:
        """What of it is our fee, after what came back."""
        return Money(self.fees_minor, self.currency)

    @property
    def back(self) -> Money:
        """What has come back."""
        return Money(self.back_minor, self.currency)

    @property
    def spent(self) -> Money:
        """What it cost, or will when all that is held is approved."""
        return self.paid - self.back

    @property
    def with_whom(self) -> str:
        return ", ".join(sorted(self.names))


def spending_by(user: User, asked: Asked) -> list[Total]:
    """The totals, months newest first, the others by their number; two queries."""
    holds = Hold.objects.filter(payer__in=money_parties(user), held_at__isnull=False)
    orders = dict(
        PurchaseOrder.objects.filter(payer__in=money_parties(user)).values_list("work", "number")
    )
    if asked.since:
        holds = holds.filter(held_at__gte=_midnight(asked.since))
    if asked.until:
        holds = holds.filter(held_at__lt=_midnight(asked.until + dt.timedelta(days=1)))
    if asked.contract:
        holds = holds.filter(work=asked.contract)
    if asked.order:
        holds = holds.filter(work__in=[work for work, no in orders.items() if no == asked.order])
    totals: dict[tuple[str, str], Total] = {}
    for hold in holds.select_related("payee").order_by("pk"):
        key = _key(hold, asked.by, orders)
        total = totals.setdefault((key, hold.currency), Total(key, hold.currency))
        shares = hold.shares(hold.kept if hold.ended_at else hold.amount)
        total.payments += 1
        total.paid_minor += hold.paid_in.minor
        total.fees_minor += shares.client_fee.minor
        total.back_minor += (shares.to_payer + hold.returned_to_payer).minor
        if asked.by == CONTRACT:
            total.names.add(hold.payee.name)
    return [totals[key] for key in sorted(totals, reverse=asked.by == MONTH)]


def sums(totals: list[Total]) -> list[Total]:
    """All of them together, per currency."""
    together: dict[str, Total] = defaultdict(lambda: Total("", ""))
    for one in totals:
        whole = together[one.currency]
        whole.currency = one.currency
        whole.payments += one.payments
        whole.paid_minor += one.paid_minor
        whole.fees_minor += one.fees_minor
        whole.back_minor += one.back_minor
    return [together[currency] for currency in sorted(together)]


def _key(hold: Hold, by: str, orders: dict[str, str]) -> str:
    if by == ORDER:
        return orders.get(hold.work, "")
    if by == CONTRACT:
        return hold.work
    assert hold.held_at  # noqa: S101 - only those that were paid are read
    return f"{hold.held_at.astimezone(dt.UTC):%Y-%m}"


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)
