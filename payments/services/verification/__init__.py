"""Proof that the ledger is whole: every sum computed again, every row of money held against it.

The guards make a wrong ledger impossible while they stand. This is for the day they did not: each
check names the row that does not fit.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marketplace.core import clock
from payments import ledger
from payments.services.verification import books, holds, moves, papers

# Money must not stay between two accounts for longer than this.
TRANSFER_TAKES = dt.timedelta(days=1)
REFUND_TAKES = dt.timedelta(days=30)


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    title: str
    counted: int
    broken: list[str]


# Every query may use these: what each inline account holds (a missing one holds nothing), and what
# banks have taken of each hold and not given back.
HELD_NOW = """
    WITH held_now AS (
        SELECT account.role, account.owner_key, account.currency, balance.posted
        FROM payments_account AS account JOIN payments_balance AS balance
             ON balance.account_id = account.id
    ),
    taken AS (
        SELECT part.hold_id, part.bearer,
               sum(CASE WHEN movement.amount_minor < 0 THEN part.amount_minor
                        ELSE -part.amount_minor END) AS amount
        FROM payments_chargebackpart AS part JOIN payments_chargebackmovement AS movement
             ON movement.id = part.movement_id
        GROUP BY 1, 2
    )
"""
CHECKS = [*books.CHECKS, *holds.CHECKS, *moves.CHECKS, *papers.CHECKS]


def verify() -> Iterator[Finding]:
    """Run every check over one and the same moment, so that traffic is no false alarm.

    Call it outside transactions.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield from findings(cursor)


def findings(cursor: CursorWrapper) -> Iterator[Finding]:
    """What every check finds in the cursor's transaction."""
    now = clock.now()
    facts: dict[str, Any] = {
        "deferred": sorted(role.value for role in ledger.OVERDRAWABLE),
        "no_floor": sorted(role.value for role in ledger.WITHOUT_FLOOR),
        "transfer_since": now - TRANSFER_TAKES,
        "refund_since": now - REFUND_TAKES,
    }
    for check in CHECKS:
        cursor.execute(f"SELECT count(*) FROM {check.table}")  # noqa: S608 - our own names
        counted = int(cursor.fetchone()[0])
        # Without facts Python's placeholders are not looked for, and %s is PostgreSQL's own.
        query, used = HELD_NOW + check.broken, None
        if "%(" in query:
            query, used = query.replace("%s", "%%s"), facts
        cursor.execute(query, used)
        yield Finding(check.title, counted, [row[0] for row in cursor.fetchall()])
