"""The money pages of the two sides: sums, months and a list."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from accounts.models import Membership, User
from marketplace.core import clock
from marketplace.core.display import month_text
from marketplace.core.money import Money
from payments.models import GiveBack, Hold, Invoice, Transfer, TransferReversal
from payments.models.holds import Shares
from payments.selectors.holds import HoldMoney, Segment, segments, where_money_is

MONTHS = 12
Status = Hold.Status


@dataclass(frozen=True)
class Row:
    """One hold in a list, with where its money is and its paper."""

    hold: Hold
    money: HoldMoney
    invoices: list[Invoice]

    @property
    def shares(self) -> Shares:
        """What each side gets: as it ended, or as it will be if all is approved."""
        hold = self.hold
        return hold.shares(hold.kept if hold.ended_at else hold.amount)

    @property
    def came_back(self) -> Money:
        """What the payer has got back of it, before and after its end."""
        return self.shares.to_payer + self.hold.returned_to_payer


@dataclass(frozen=True)
class Page:
    """One page of a list; `after` is the cursor of the next one, empty at the end."""

    rows: list[Row]
    after: str


def money_parties(user: User) -> QuerySet[Any, Any]:
    """Ids of the parties whose money the user may see: who pays or manages, not who only posts."""
    rights = Q(can_pay=True) | Q(can_manage=True)
    return Membership.objects.filter(rights, user=user).values("party")


# --- Freelancer -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Month:
    """One column of the chart."""

    label: str
    first: Money


@dataclass(frozen=True)
class Earnings:
    """What a freelancer has coming and got, in one currency, after our fee."""

    held: Money
    on_its_way: Money
    blocked: Money
    paid_this_year: Money
    months: list[Month]

    @property
    def has_months(self) -> bool:
        """Whether the chart has anything to show."""
        return any(month.first for month in self.months)


def earnings(user: User) -> list[Earnings]:
    """Sums per currency, the one with the most first; nothing before the first payment."""
    parties = money_parties(user)
    held = dict(
        Hold.objects.filter(payee__in=parties, status__in=[Status.HELD, Status.PAUSED])
        .values_list("currency")
        .annotate(sum=Sum(F("amount_minor") - F("freelancer_fee_minor")))
    )
    sums: dict[str, _Sums] = defaultdict(_Sums)
    paid = (
        Transfer.objects.filter(payee__in=parties)
        .values_list("currency", "status", TruncMonth("sent_at"))
        .annotate(sum=Sum(F("amount_minor") - F("set_off_minor") - F("given_back_minor")))
    )
    for currency, status, month, minor in paid:
        sums[currency].add(status, month, minor)
    for currency, month, minor in _given_back(parties):
        sums[currency].add(Transfer.Status.SENT, month, -minor)
    currencies = sorted(set(held) | set(sums), key=lambda code: -sums[code].total)
    return [sums[code].summary(code, held.get(code, 0)) for code in currencies]


def _given_back(parties: QuerySet[Any, Any]) -> QuerySet[TransferReversal, Any]:
    """What was returned after it had been paid out, by the month it was paid out in."""
    returned = TransferReversal.objects.filter(
        transfer__payee__in=parties, give_back__status=GiveBack.Status.DONE
    )
    return returned.values_list("currency", TruncMonth("transfer__sent_at")).annotate(
        sum=Sum("amount_minor")
    )


class _Sums:
    """Transfers of one currency, added up by month and by what they wait for."""

    def __init__(self) -> None:
        self.months: dict[tuple[int, int], int] = defaultdict(int)
        self.coming = self.blocked = 0

    @property
    def total(self) -> int:
        return sum(self.months.values()) + self.coming + self.blocked

    def add(self, status: str, month: dt.datetime | None, minor: int) -> None:
        if month is not None:
            self.months[month.year, month.month] += minor
            return
        if status == Transfer.Status.BLOCKED:
            self.blocked += minor
        else:
            self.coming += minor

    def summary(self, currency: str, held: int) -> Earnings:
        today = timezone.localtime(clock.now()).date()
        year = sum(minor for (year, _month), minor in self.months.items() if year == today.year)
        return Earnings(
            held=Money(held, currency),
            on_its_way=Money(self.coming, currency),
            blocked=Money(self.blocked, currency),
            paid_this_year=Money(year, currency),
            months=[
                Month(month_text(first), Money(self.months[first.year, first.month], currency))
                for first in _last_months(today)
            ],
        )


def _last_months(today: dt.date) -> list[dt.date]:
    """First days of the last twelve months, oldest first, this one included."""
    numbers = [today.year * 12 + today.month - 1 - back for back in range(MONTHS)]
    return [dt.date(number // 12, number % 12 + 1, 1) for number in reversed(numbers)]


def earnings_page(user: User, *, after: str = "", limit: int = 20) -> Page:
    """What was ever funded for the user's parties, newest first."""
    holds = Hold.objects.filter(payee__in=money_parties(user), held_at__isnull=False)
    return _page(user, holds.select_related("payer"), after=after, limit=limit)


# --- Client ---------------------------------------------------------------------------------


def spending(user: User) -> list[list[Segment]]:
    """Where all money the user's parties ever paid in is now: one money bar per currency."""
    sums = (
        Hold.objects.filter(payer__in=money_parties(user), held_at__isnull=False)
        .values_list("currency", "status")
        .annotate(
            total=Sum("amount_minor"),
            before=Sum("returned_minor"),
            earned=Sum(F("awarded_minor") - F("given_back_minor"), default=0),
        )
    )
    bars: dict[str, list[Segment]] = defaultdict(list)
    for currency, status, total, before, kept in sums:
        whole, earned = Money(total, currency), Money(kept, currency)
        ended = status in {Status.RELEASED, Status.REFUNDED, Status.SPLIT}
        bars[currency] += segments(
            HoldMoney(
                amount=whole,
                state="split" if ended else status,
                awarded=earned,
                returned=whole - earned,
                paid_out=ended,
                refunded=ended,
            )
        )
        if before:
            bars[currency].append(Segment("refunded", Money(before, currency)))
    return [bars[currency] for currency in sorted(bars)]


def payments_page(user: User, *, after: str = "", limit: int = 20) -> Page:
    """What the user's parties paid in, newest first."""
    holds = Hold.objects.filter(payer__in=money_parties(user), held_at__isnull=False)
    return _page(user, holds.select_related("payee"), after=after, limit=limit)


# --- Both -----------------------------------------------------------------------------------


def _page(user: User, holds: QuerySet[Hold], *, after: str, limit: int) -> Page:
    if after:
        holds = holds.filter(pk__lt=Subquery(Hold.objects.filter(ref=after).values("pk")))
    mine = money_parties(user)
    papers = Invoice.objects.filter(Q(seller__in=mine) | Q(buyer__in=mine)).order_by("kind")
    found = list(
        holds.prefetch_related(Prefetch("invoices", papers, to_attr="papers")).order_by("-pk")[
            : limit + 1
        ]
    )
    shown = found[:limit]
    money = where_money_is(shown)
    return Page(
        rows=[Row(hold, money[hold.pk], hold.papers) for hold in shown],
        after=shown[-1].ref if len(found) > limit else "",
    )
