"""Everything the sandbox remembers, in one SQLite file.

What was answered is on disk: an answer leaves only after COMMIT, so `kill -9` loses nothing,
undelivered webhooks included. Objects are JSON documents in Stripe's own shape; keys that start
with an underscore are the sandbox's private notes and never leave.
"""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payments.sandbox.contract import blank
from payments.sandbox.errors import missing

Body = dict[str, Any]
PLATFORM = "platform"
PREFIXES = {
    "account": "acct",
    "balance_transaction": "txn",
    "bank_account": "ba",
    "charge": "ch",
    "checkout.session": "cs_test",
    "dispute": "du",
    "event": "evt",
    "payment_intent": "pi",
    "payout": "po",
    "radar.early_fraud_warning": "issfr",
    "refund": "re",
    "transfer": "tr",
    "transfer_reversal": "trr",
}
SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    created INTEGER NOT NULL,
    due_at INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS object_list ON object (kind, account, seq);
CREATE INDEX IF NOT EXISTS object_due ON object (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_group ON object (kind, json_extract(body, '$.transfer_group'));
CREATE INDEX IF NOT EXISTS object_source
    ON object (kind, json_extract(body, '$.source_transaction'));
CREATE INDEX IF NOT EXISTS object_charge ON object (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS object_transfer ON object (kind, json_extract(body, '$.transfer'));
CREATE TABLE IF NOT EXISTS balance (
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    available INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, currency)
);
CREATE TABLE IF NOT EXISTS answer (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'lost')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due_at) WHERE status = 'waiting';
"""
TABLES = ("object", "balance", "answer", "delivery")
# Fields a list may be narrowed by. Written out, because an index matches the exact expression.
FILTERS = {
    name: f"json_extract(body, '$.{name}') = ?"
    for name in (
        "charge",
        "currency",
        "destination",
        "payment_intent",
        "source",
        "source_transaction",
        "status",
        "transfer",
        "transfer_group",
        "type",
    )
}
COMPARISONS = {
    "gt": "created > ?",
    "gte": "created >= ?",
    "lt": "created < ?",
    "lte": "created <= ?",
}


class DataInUse(Exception):
    """Another sandbox already works with this data folder."""


@dataclass(frozen=True)
class Answer:
    """What was answered to an idempotency key, and to which parameters."""

    fingerprint: str
    status: int
    body: Body


@dataclass(frozen=True)
class Delivery:
    """One webhook to bring: which event, and how often it was tried."""

    id: int
    event: str
    attempts: int


class State:
    """The objects, balances, answers and deliveries of one sandbox.

    One connection and one lock: requests change the world one after another. Every method but
    `transaction` expects to be called inside one.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=1)
        self.clock_offset = 0
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            # Enough for a killed process; only a power cut could lose the last moments.
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise DataInUse(str(error)) from error

    def close(self) -> None:
        """Give the file free."""
        with self._lock:
            self._db.close()

    def now(self) -> int:
        """Seconds since 1970, moved by the offset tests may set."""
        return int(time.time()) + self.clock_offset

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else meanwhile."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo the inner work on an error, keep the transaction around it."""
        self._db.execute("SAVEPOINT work")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO work")
            raise
        finally:
            self._db.execute("RELEASE work")

    def reset(self) -> None:
        """Forget everything."""
        for table in TABLES:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names

    # --- objects ---------------------------------------------------------------------------

    def create(self, kind: str, *, account: str = PLATFORM, **fields: Any) -> Body:
        """A new object with an id of its own, stored."""
        body = {
            "id": f"{PREFIXES[kind]}_{secrets.token_hex(12)}",
            "object": kind,
            "created": self.now(),
            "_account": account,
            **fields,
        }
        self._db.execute(
            "INSERT INTO object (id, kind, account, created, due_at, body) VALUES (?,?,?,?,?,?)",
            (body["id"], kind, account, body["created"], body.get("_due_at"), json.dumps(body)),
        )
        return body

    def save(self, body: Body) -> None:
        """Store what changed on an object."""
        self._db.execute(
            "UPDATE object SET body = ?, due_at = ? WHERE id = ?",
            (json.dumps(body), body.get("_due_at"), body["id"]),
        )

    def find(self, object_id: str) -> Body | None:
        """The object with this id, of whatever kind."""
        row = self._db.execute("SELECT body FROM object WHERE id = ?", (object_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def get(self, kind: str, object_id: str, *, account: str = PLATFORM, param: str = "id") -> Body:
        """The object of this kind with this id; raises Stripe's 404 for any other."""
        body = self.find(object_id)
        if body is None or body["object"] != kind or body["_account"] != account:
            raise missing(kind, object_id, param)
        return body

    def select(
        self,
        kind: str,
        where: Mapping[str, Any],
        *,
        account: str = PLATFORM,
        created: Mapping[str, int] | None = None,
        older_than: int | None = None,
        newer_than: int | None = None,
        limit: int = -1,
    ) -> list[Body]:
        """Objects newest first; `newer_than` gives those next to that place."""
        conditions = ["kind = ?", "account = ?", *(FILTERS[name] for name in where)]
        values: list[Any] = [kind, account, *where.values()]
        for comparison, moment in (created or {}).items():
            conditions.append(COMPARISONS[comparison])
            values.append(moment)
        order = "DESC"
        if older_than is not None:
            conditions.append("seq < ?")
            values.append(older_than)
        if newer_than is not None:
            conditions.append("seq > ?")
            values.append(newer_than)
            order = "ASC"
        rows = self._db.execute(
            f"SELECT body FROM object WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants
            f" ORDER BY seq {order} LIMIT ?",
            (*values, limit),
        ).fetchall()
        bodies = [json.loads(row[0]) for row in rows]
        return bodies if order == "DESC" else bodies[::-1]

    def place(self, object_id: str) -> int | None:
        """Where an object stands in its list, for cursors."""
        row = self._db.execute("SELECT seq FROM object WHERE id = ?", (object_id,)).fetchone()
        return row[0] if row else None

    def due(self) -> list[Body]:
        """Objects whose time has come, the longest due first."""
        rows = self._db.execute(
            "SELECT body FROM object WHERE due_at <= ? ORDER BY due_at, seq", (self.now(),)
        )
        return [json.loads(row[0]) for row in rows]

    # --- balances --------------------------------------------------------------------------

    def balances(self, account: str) -> dict[str, tuple[int, int]]:
        """Available and pending money by currency."""
        rows = self._db.execute(
            "SELECT currency, available, pending FROM balance WHERE account = ?", (account,)
        )
        return {currency: (available, pending) for currency, available, pending in rows}

    def add_to_balance(self, account: str, currency: str, *, available: int, pending: int) -> None:
        """Move the two parts of a balance by these amounts."""
        self._db.execute(
            "INSERT INTO balance (account, currency, available, pending) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account, currency) DO UPDATE SET"
            " available = available + excluded.available, pending = pending + excluded.pending",
            (account, currency, available, pending),
        )

    # --- idempotency -----------------------------------------------------------------------

    def answer_to(self, account: str, key: str) -> Answer | None:
        """What this key was answered before."""
        row = self._db.execute(
            "SELECT fingerprint, status, body FROM answer WHERE account = ? AND key = ?",
            (account, key),
        ).fetchone()
        return Answer(row[0], row[1], json.loads(row[2])) if row else None

    def remember_answer(self, account: str, key: str, answer: Answer) -> None:
        """Keep the first answer to a key."""
        self._db.execute(
            "INSERT INTO answer (account, key, fingerprint, status, body) VALUES (?, ?, ?, ?, ?)",
            (account, key, answer.fingerprint, answer.status, json.dumps(answer.body)),
        )

    # --- webhooks --------------------------------------------------------------------------

    def add_delivery(self, event: str, *, delay: float, lost: bool) -> None:
        """Queue one webhook; a lost one is only remembered."""
        status = "lost" if lost else "waiting"
        self._db.execute(
            "INSERT INTO delivery (event, status, due_at) VALUES (?, ?, ?)",
            (event, status, time.time() + delay),
        )

    def lease_delivery(self, *, seconds: float, newest_first: bool) -> Delivery | None:
        """The next webhook to bring, kept from others for a while."""
        order = "DESC" if newest_first else "ASC"
        row = self._db.execute(
            "SELECT id, event, attempts FROM delivery"  # noqa: S608 - constants
            f" WHERE status = 'waiting' AND due_at <= ? ORDER BY id {order} LIMIT 1",
            (time.time(),),
        ).fetchone()
        if row is None:
            return None
        self.postpone_delivery(row[0], seconds=seconds, attempts=row[2] + 1)
        return Delivery(row[0], row[1], row[2] + 1)

    def postpone_delivery(self, delivery_id: int, *, seconds: float, attempts: int) -> None:
        """Try again later."""
        self._db.execute(
            "UPDATE delivery SET due_at = ?, attempts = ? WHERE id = ?",
            (time.time() + seconds, attempts, delivery_id),
        )

    def finish_delivery(self, delivery_id: int) -> None:
        """The product accepted it."""
        self._db.execute("UPDATE delivery SET status = 'delivered' WHERE id = ?", (delivery_id,))

    def take_deliveries(self) -> list[str]:
        """Ids of the events still waiting, in order; they count as delivered from now on."""
        rows = self._db.execute(
            "SELECT event FROM delivery WHERE status = 'waiting' AND due_at <= ? ORDER BY id",
            (time.time(),),
        ).fetchall()
        self._db.execute(
            "UPDATE delivery SET status = 'delivered' WHERE status = 'waiting' AND due_at <= ?",
            (time.time(),),
        )
        return [row[0] for row in rows]

    def count_deliveries(self) -> dict[str, int]:
        """How many webhooks wait, arrived or were lost."""
        rows = self._db.execute("SELECT status, count(*) FROM delivery GROUP BY status")
        return dict(rows.fetchall())


def public(body: Body) -> Body:
    """The object as Stripe would send it: every field of its kind, no private notes."""
    shown = {name: value for name, value in body.items() if not name.startswith("_")}
    return {**blank(body["object"]), **shown}
