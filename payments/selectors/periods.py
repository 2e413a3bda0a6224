"""What happened to a party's money in a month or a year, straight from the ledger.

Nothing of it is stored: entries never change and belong to the period they were written in, so a
period that is over reads the same each time. Months and years are those of UTC, like the dates on
invoices.
"""

import datetime as dt
import re
from collections import defaultdict
from dataclasses import dataclass

from django.http import Http404

from accounts.models import Party
from marketplace.core import clock
from marketplace.core.display import month_text
from marketplace.core.money import Money
from payments.models import Hold
from payments.models.holds import Shares
from payments.selectors import statements


@dataclass(frozen=True)
class Period:
    """A month or a year."""

    first: dt.date
    months: int

    @classmethod
    def named(cls, slug: str) -> "Period":
        """`2026` or `2026-11`; anything else, and what has not begun, is a 404."""
        found = re.fullmatch(r"(20\d\d)(?:-(0[1-9]|1[0-2]))?", slug, re.ASCII)
        if found is None:
            raise Http404
        year, month = found.groups()
        period = cls(dt.date(int(year), int(month or 1), 1), 1 if month else 12)
        if period.starts_at > clock.now():
            raise Http404
        return period

    @property
    def slug(self) -> str:
        return f"{self.first:%Y-%m}" if self.months == 1 else f"{self.first:%Y}"

    @property
    def text(self) -> str:
        """`Nov 2026` or `2026`."""
        return month_text(self.first) if self.months == 1 else str(self.first.year)

    @property
    def starts_at(self) -> dt.datetime:
        return dt.datetime.combine(self.first, dt.time.min, tzinfo=dt.UTC)

    @property
    def ends_at(self) -> dt.datetime:
        """The first moment after it."""
        months = self.first.month - 1 + self.months
        first = dt.date(self.first.year + months // 12, months % 12 + 1, 1)
        return dt.datetime.combine(first, dt.time.min, tzinfo=dt.UTC)

    @property
    def is_over(self) -> bool:
        return self.ends_at <= clock.now()


@dataclass(frozen=True)
class Move:
    """What happenings of one kind changed together."""

    kind_text: str
    amount: Money


@dataclass(frozen=True)
class Sums:
    """One currency: what was with us before, what changed it, and what was with us after."""

    opening: Money
    moves: list[Move]
    closing: Money

    @property
    def currency(self) -> str:
        return self.closing.currency


@dataclass(frozen=True)
class Work:
    """One payment that was earned or paid in, with its fee."""

    on: dt.date
    about: str
    other_side: str
    amount: Money
    fee: Money
    total: Money


@dataclass(frozen=True)
class Section:
    """Payments of one currency with their totals."""

    works: list[Work]
    amount: Money
    fee: Money
    total: Money


@dataclass(frozen=True)
class Statement:
    """All of a period; lists are empty where nothing happened."""

    party: Party
    period: Period
    sums: list[Sums]
    # As a payee: what ended with something earned, our fee taken off.
    earned: list[Section]
    # As a payer: what was paid in, our fee on top.
    paid_in: list[Section]


def periods_of(party: Party) -> list[Period]:
    """Months and years in which something happened, newest first, a year before its months."""
    found = statements.months_with_entries(party)
    years = {month.year for month in found}
    periods = [Period(month, 1) for month in found]
    periods += [Period(dt.date(year, 1, 1), 12) for year in years]
    return sorted(periods, key=lambda period: (period.first.year, period.months, period.first))[
        ::-1
    ]


def statement(party: Party, period: Period) -> Statement:
    """What happened to the party's money in the period; three queries, however much it was."""
    return Statement(
        party=party,
        period=period,
        sums=_sums(party, period),
        earned=_earned(party, period),
        paid_in=_paid_in(party, period),
    )


def _sums(party: Party, period: Period) -> list[Sums]:
    opening: dict[str, int] = defaultdict(int)
    moves: dict[str, list[Move]] = defaultdict(list)
    for currency, kind, before, within in statements.changes(
        party, period.starts_at, period.ends_at
    ):
        opening[currency] += before
        # What only went from one pot to another changed nothing.
        if within:
            moves[currency].append(Move(statements.kind_text(kind), Money(within, currency)))
    sums = []
    for currency in sorted(opening):
        first = Money(opening[currency], currency)
        changed = sorted(moves[currency], key=lambda move: (-move.amount.minor, move.kind_text))
        last = Money(first.minor + sum(move.amount.minor for move in changed), currency)
        if first or changed:
            sums.append(Sums(first, changed, last))
    return sums


def _earned(party: Party, period: Period) -> list[Section]:
    holds = Hold.objects.filter(
        payee=party,
        ended_at__gte=period.starts_at,
        ended_at__lt=period.ends_at,
        awarded_minor__gt=0,
    ).select_related("payer")
    works = []
    for hold in holds.order_by("ended_at", "pk"):
        assert hold.ended_at  # noqa: S101 - the query says so
        shares: Shares = hold.shares(hold.awarded)
        works.append(
            Work(
                on=hold.ended_at.date(),
                about=hold.label,
                other_side=hold.payer.name,
                amount=hold.awarded,
                fee=shares.freelancer_fee,
                total=shares.to_payee,
            )
        )
    return _sections(works)


def _paid_in(party: Party, period: Period) -> list[Section]:
    holds = Hold.objects.filter(
        payer=party,
        held_at__gte=period.starts_at,
        held_at__lt=period.ends_at,
        # What was carried to other work was paid in where it came from.
        carried_from=None,
    ).select_related("payee")
    works = []
    for hold in holds.order_by("held_at", "pk"):
        assert hold.held_at  # noqa: S101 - the query says so
        works.append(
            Work(
                on=hold.held_at.date(),
                about=hold.label,
                other_side=hold.payee.name,
                amount=hold.amount + hold.returned + hold.carried,
                fee=hold.paid_in - hold.amount - hold.returned - hold.carried,
                total=hold.paid_in,
            )
        )
    return _sections(works)


def _sections(works: list[Work]) -> list[Section]:
    """One per currency, each in the order of its days."""
    by_currency: dict[str, list[Work]] = defaultdict(list)
    for work in works:
        by_currency[work.amount.currency].append(work)
    return [
        Section(
            works=found,
            amount=Money(sum(work.amount.minor for work in found), currency),
            fee=Money(sum(work.fee.minor for work in found), currency),
            total=Money(sum(work.total.minor for work in found), currency),
        )
        for currency, found in sorted(by_currency.items())
    ]
