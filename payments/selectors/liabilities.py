"""Whose is every cent: what we have, what we owe to whom, and what is ours, out of the ledger."""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection

from marketplace.core.money import Money
from payments.models import Account
from payments.selectors.concerns import Owner, owners

Role = Account.Role

WE_HAVE = "we_have"
WE_OWE = "we_owe"
OURS = "ours"
SIDES = {
    WE_HAVE: {Role.STRIPE_BALANCE, Role.BANK, Role.FREELANCER_RECEIVABLE},
    OURS: {
        Role.FEE_REVENUE,
        Role.STRIPE_FEES,
        Role.DISPUTE_FEES,
        Role.CHARGEBACK_LOSS,
        Role.ROUNDING,
        Role.FX_CLEARING,
    },
}

# What each account holds at one moment: the kept balance, or the roll-up and what came after it.
# One statement sees one moment, so the whole sums to zero whatever happens beside it.
POSTED = """
    SELECT account.id, account.role, account.owner_key, account.currency,
           CASE account.mode WHEN 'i' THEN balance.posted ELSE rollup.posted + coalesce(
               (SELECT sum(entry.amount) FROM payments_entry AS entry
                WHERE entry.account_id = account.id AND entry.xid >= rollup.upto), 0)
           END::bigint AS posted
    FROM payments_account AS account
    LEFT JOIN payments_balance AS balance ON balance.account_id = account.id
    LEFT JOIN payments_rollup AS rollup ON rollup.account_id = account.id
"""


@dataclass(frozen=True)
class Line:
    """All accounts of one role in one currency."""

    role: str
    name: str
    side: str
    # As people count: what we have and what we owe are both positive.
    amount: Money
    accounts: int


@dataclass(frozen=True)
class Books:
    """One currency. What we have is what we owe and what is ours, to the last minor unit."""

    currency: str
    lines: list[Line]

    def total(self, side: str) -> Money:
        """The sum of one side."""
        return sum(
            (line.amount for line in self.lines if line.side == side), Money.zero(self.currency)
        )

    @property
    def we_have(self) -> Money:
        return self.total(WE_HAVE)

    @property
    def we_owe(self) -> Money:
        return self.total(WE_OWE)

    @property
    def ours(self) -> Money:
        return self.total(OURS)

    @property
    def unexplained(self) -> Money:
        """Zero, or the ledger is broken."""
        return self.we_have - self.we_owe - self.ours


@dataclass(frozen=True)
class Owed:
    """One account with money on it, and whose that is."""

    account: int
    key: str
    amount: Money
    owner: Owner


@dataclass(frozen=True)
class OwedPage:
    """Accounts of one role and currency; `after` is the cursor of the next page, or empty."""

    rows: list[Owed]
    after: str


def side_of(role: str) -> str:
    """Which side of the books a role is on; whatever is not ours and no asset is owed."""
    return next((side for side, roles in SIDES.items() if role in roles), WE_OWE)


def books() -> list[Books]:
    """Every currency with the totals of every role; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT currency, role, sum(posted)::bigint, count(*) FILTER (WHERE posted <> 0)
            FROM ({POSTED}) AS accounts GROUP BY currency, role
            """  # noqa: S608 - our own text
        )
        found = cursor.fetchall()
    lines: dict[str, list[Line]] = defaultdict(list)
    order = list(Role.values)
    for currency, role, posted, count in sorted(found, key=lambda row: order.index(row[1])):
        lines[currency].append(
            Line(
                role,
                str(Role(role).label),
                side_of(role),
                as_people_count(role, posted, currency),
                count,
            )
        )
    return [Books(currency, lines[currency]) for currency in sorted(lines)]


def owed(role: str, currency: str, *, after: str = "", limit: int = 50) -> OwedPage:
    """Whose the money of one role is, account by account; five queries, however many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT owner_key, posted, id FROM ({POSTED}) AS accounts
            WHERE role = %s AND currency = %s AND posted <> 0 AND owner_key > %s
            ORDER BY owner_key LIMIT %s
            """,  # noqa: S608 - our own text
            [role, currency, after, limit + 1],
        )
        found = cursor.fetchall()
    shown = found[:limit]
    known = owners([(role, key) for key, _posted, _id in shown])
    rows = [
        Owed(pk, key, as_people_count(role, posted, currency), known[role, key])
        for key, posted, pk in shown
    ]
    return OwedPage(rows, shown[-1][0] if len(found) > limit else "")


def as_people_count(role: str, posted: int, currency: str) -> Money:
    """Credits are positive in the ledger; what we have is a debit."""
    return Money(-posted if side_of(role) == WE_HAVE else posted, currency)
