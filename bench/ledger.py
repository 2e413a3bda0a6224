"""How many postings a second the ledger takes, beside pgbench's own TPC-B on the same server.

    .venv/bin/python bench/ledger.py [--quick]

Starts a durable PostgreSQL of its own (fsync and synchronous_commit on) with default settings and
prints one JSON line per figure. A posting is a release: a hold pays a freelancer, and our fee goes
to the one account all postings share. Its two forms:

    sql_postings_per_s_N   N clients of pgbench call the posting function
    postings_per_s_N       N processes call `payments.ledger.post`, as the product does

Yardstick: TPC-B (scale 50, simple protocol) with as many clients, in turns with them in every
round; figures are medians over the rounds, `n` is how many entries the ledger held before.
`guard_cost_NAME` is the share of SQL postings (8 clients) that a guard costs, against the same
ledger with that trigger switched off.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
import psycopg2  # noqa: E402

from bench.database import migrated_database  # noqa: E402
from marketplace.devstack.postgres import APP, SUPERUSER, Postgres  # noqa: E402
from marketplace.devstack.pytest_plugin import with_database  # noqa: E402

CLIENTS = (1, 8, 32)
HOLDS, PAYEES = 10_000, 5_000
YARDSTICK_SCALE = 50
RELEASE = f"""
\\set hold random(1, {HOLDS})
\\set payee random(1, {PAYEES})
SELECT id FROM payments_post(
    gen_random_uuid()::text, encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 'released',
    '', NULL, NULL, now(), ARRAY['held', 'payable', 'fee_revenue'],
    ARRAY['h' || :hold, 'p' || :payee, ''], ARRAY['EUR', 'EUR', 'EUR'],
    ARRAY[-10000, 9200, 800]::bigint[]);
"""
GUARDS = {
    "zero_sum": "payments_entry",
    "same_transaction": "payments_entry",
    "move_balances": "payments_entry",
    "has_entries": "payments_journal",
    "own_transaction": "payments_journal",
}


class Server:
    """The product's schema, and a database for the yardstick beside it."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self.postgres = postgres
        self.script = folder / "release.sql"
        self.script.write_text(RELEASE)
        self.execute("CREATE DATABASE tpcb", database="postgres")
        self._pgbench("tpcb", SUPERUSER, "-i", "-q", "-s", str(YARDSTICK_SCALE))

    def execute(self, statement: str, *, database: str = "bidwell") -> list[tuple[Any, ...]]:
        """Run SQL as the superuser; the rows, if any."""
        url = with_database(self.postgres.url(SUPERUSER), database)
        with contextlib.closing(psycopg2.connect(url)) as link:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def tpcb(self, clients: int, seconds: int) -> float:
        """Transactions a second of the yardstick."""
        return self._rate("tpcb", SUPERUSER, clients, seconds)

    def sql_postings(self, clients: int, seconds: int) -> float:
        """Postings a second through the function in the database, as the serving role."""
        return self._rate("bidwell", APP, clients, seconds, "-n", "-f", str(self.script))

    def _rate(self, database: str, role: str, clients: int, seconds: int, *options: str) -> float:
        out = self._pgbench(
            database, role, "-M", "simple", "-c", str(clients), "-j", str(min(clients, 2)),
            "-T", str(seconds), *options,
        )  # fmt: skip
        return float(re.search(r"tps = ([\d.]+)", out)[1])  # type: ignore[index]

    def _pgbench(self, database: str, role: str, *options: str) -> str:
        url = urlsplit(self.postgres.url(role, database))
        done = subprocess.run(
            [
                str(self.postgres.server / "bin" / "pgbench"),
                *("-h", str(url.hostname), "-p", str(url.port), "-U", role, *options, database),
            ],
            env={"PATH": "/usr/bin:/bin", "PGPASSWORD": str(url.password)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"pgbench failed: {done.stderr}")
        return done.stdout


# --- The Python door ------------------------------------------------------------------------


def postings(clients: int, seconds: int) -> float:
    """Postings a second of that many processes that call `ledger.post` as fast as they can."""
    context = multiprocessing.get_context("fork")
    start, done = context.Barrier(clients), context.Queue()
    workers = [
        context.Process(target=_post_for, args=(number, seconds, start, done))
        for number in range(clients)
    ]
    for worker in workers:
        worker.start()
    rates = [done.get() for _worker in workers]
    for worker in workers:
        worker.join()
    return float(sum(rates))


def _post_for(number: int, seconds: int, start: Any, done: Any) -> None:
    import random
    import uuid

    from django.db import connection

    from marketplace.core.money import Money
    from payments import ledger
    from payments.models import Account

    dice = random.Random(number)
    price, net, fee = (Money(minor, "EUR") for minor in (10000, 9200, 800))
    connection.ensure_connection()
    start.wait()
    count, began = 0, time.monotonic()
    while (taken := time.monotonic() - began) < seconds:
        ledger.post(
            str(uuid.uuid4()),
            "released",
            [
                (ledger.Name(Account.Role.HELD, f"h{dice.randint(1, HOLDS)}"), -price),
                (ledger.Name(Account.Role.PAYABLE, f"p{dice.randint(1, PAYEES)}"), net),
                (ledger.FEE_REVENUE, fee),
            ],
        )
        count += 1
    connection.close()
    done.put(count / taken)


# --- Ledgers of every size ------------------------------------------------------------------

OPEN = f"""
    INSERT INTO payments_account (role, owner_key, currency, mode, floor)
        SELECT 'held', 'h' || n, 'EUR', 'i', 0 FROM generate_series(1, {HOLDS}) n
        UNION ALL SELECT 'payable', 'p' || n, 'EUR', 'i', 0 FROM generate_series(1, {PAYEES}) n
        UNION ALL SELECT 'fee_revenue', '', 'EUR', 'd', NULL
        UNION ALL SELECT 'stripe_balance', '', 'EUR', 'd', NULL;
    DO $$ BEGIN FOR n IN 1..{HOLDS} LOOP
        PERFORM payments_post('fund-' || n, 'x', 'funded', '', NULL, NULL, now(),
            ARRAY['stripe_balance', 'held'], ARRAY['', 'h' || n], ARRAY['EUR', 'EUR'],
            ARRAY[-1000000000000, 1000000000000]::bigint[]);
    END LOOP; END $$;
"""
# Without triggers: what is measured is a ledger of that size, not how it came to be.
GROW = """
    SET session_replication_role = replica;
    WITH fresh AS (
        INSERT INTO payments_journal (idempotency_key, fingerprint, kind, ref, created_at)
        SELECT gen_random_uuid()::text, repeat('x', 64), 'released', '', now()
        FROM generate_series(1, {journals}) RETURNING id
    )
    INSERT INTO payments_entry (journal_id, account_id, currency, amount)
    SELECT fresh.id, account.id, 'EUR', leg.amount
    FROM fresh, LATERAL (VALUES
        ('held', 'h' || 1 + fresh.id % {holds}, -10000),
        ('payable', 'p' || 1 + fresh.id % {payees}, 9200),
        ('fee_revenue', '', 800)) AS leg (role, owner_key, amount)
    JOIN payments_account account USING (role, owner_key);
    UPDATE payments_balance balance SET posted = sums.posted FROM (
        SELECT account_id, sum(amount) AS posted FROM payments_entry GROUP BY account_id
    ) AS sums WHERE sums.account_id = balance.account_id;
    RESET session_replication_role;
"""


def grow(server: Server, entries: int) -> int:
    """Fill the ledger to at least so many entries; how many there are."""
    ((there,),) = server.execute("SELECT count(*) FROM payments_entry")
    if there < entries:
        journals = (entries - there) // 3 + 1
        server.execute(GROW.format(journals=journals, holds=HOLDS, payees=PAYEES))
    server.execute("VACUUM ANALYZE payments_journal, payments_entry, payments_balance")
    ((there,),) = server.execute("SELECT count(*) FROM payments_entry")
    return int(there)


# --- Figures --------------------------------------------------------------------------------


def measure(server: Server, *, n: int, rounds: int, seconds: int) -> dict[str, float]:
    """Print the figures of a ledger of `n` entries; their ratios by name."""
    forms: dict[str, Callable[[int, int], float]] = {
        "tpcb": server.tpcb,
        "sql_postings_per_s": server.sql_postings,
        "postings_per_s": postings,
    }
    ratios = {}
    for clients in CLIENTS:
        rates: dict[str, list[float]] = {name: [] for name in forms}
        for _round in range(rounds):
            for name, rate in forms.items():
                rates[name].append(rate(clients, seconds))
        yardstick = statistics.median(rates.pop("tpcb"))
        for name, found in rates.items():
            value = statistics.median(found)
            ratios[f"{name}_{clients}"] = value / yardstick
            say(f"{name}_{clients}", value, "1/s", yardstick, value / yardstick, n)
    return ratios


def measure_guards(server: Server, *, n: int, rounds: int, seconds: int) -> None:
    """Print what each guard costs: with and without it, in turns."""
    for guard, table in GUARDS.items():
        ((trigger,),) = server.execute(
            f"SELECT tgname FROM pg_trigger WHERE starts_with(tgname, 'pgtrigger_{guard}_')"
            f" AND tgrelid = '{table}'::regclass"
        )
        with_it, without = [], []
        for _round in range(rounds):
            with_it.append(server.sql_postings(8, seconds))
            server.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
            without.append(server.sql_postings(8, seconds))
            server.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        guarded, bare = statistics.median(with_it), statistics.median(without)
        say(f"guard_cost_{guard}", 1 - guarded / bare, "share", bare, guarded / bare, n)


def say(figure: str, value: float, unit: str, yardstick: float, ratio: float, n: int) -> None:
    line = {
        "figure": figure,
        "value": round(value, 3),
        "unit": unit,
        "yardstick": round(yardstick, 3),
        "ratio": round(ratio, 3),
        "n": n,
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one size, one short round")
    quick = parser.parse_args().quick
    sizes = (10_000,) if quick else (10_000, 10_000_000)
    rounds, seconds = (1, 2) if quick else (3, 10)
    with (
        tempfile.TemporaryDirectory(prefix="bidwell-bench-") as folder,
        migrated_database(Path(folder)) as postgres,
    ):
        server = Server(postgres, Path(folder))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings.test",
            "DATABASE_URL": server.postgres.url(APP),
        }
        django.setup()
        server.execute(OPEN)
        found = []
        for size in sizes:
            n = grow(server, size)
            found.append(measure(server, n=n, rounds=rounds, seconds=seconds))
        measure_guards(server, n=n, rounds=rounds, seconds=1 if quick else seconds)
        for name, small in found[0].items():
            if len(found) > 1:
                large = found[1][name]
                say(f"flat_{name}", large / small, "ratio", small, large / small, n)


if __name__ == "__main__":
    main()
