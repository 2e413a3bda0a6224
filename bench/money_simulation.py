"""Half a year of a market under faults, at the end of which every cent must be explained.

    .venv/bin/python bench/money_simulation.py [--quick] [--contracts N] [--seed S]

Clients hire, pay, forget to pay, approve, fall silent, agree on less, call off, quarrel and give
bonuses; freelancers deliver, have their money paid out, and lose their accounts for a while; banks
decline, warn, send payouts back and take payments back, before and after release. Meanwhile
Stripe's webhooks come twice, late, in the wrong order or not at all, its API answers with errors
before or after it has done the work, or not at all, and our workers die between its answer and our
commit. Time is simulated; the services, PostgreSQL and the sandbox are real.

At the end the books must be whole, agree with Stripe to the cent, and every person must have been
paid or refunded what the lives themselves say, not the books. Prints one JSON line per figure and
ends with 1 if anything is unexplained. 200 contracts of it are part of the tests.
"""

import argparse
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.database import migrated_database  # noqa: E402
from marketplace.devstack.postgres import APP  # noqa: E402

if TYPE_CHECKING:
    from tests.stripe_sandbox import StripeSandbox


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="40 contracts")
    parser.add_argument("--contracts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    contracts = 40 if options.quick else options.contracts
    with tempfile.TemporaryDirectory(prefix="bidwell-bench-") as name:
        folder = Path(name)
        with migrated_database(folder) as postgres, _sandbox(folder, postgres.url(APP)) as stripe:
            # Its modules need Django.
            from bench.simulation import Market

            logging.disable(logging.CRITICAL)
            began = time.monotonic()
            market = Market(stripe, contracts=contracts, seed=options.seed)
            market.run()
            wrong = market.unexplained()
            took = time.monotonic() - began
            _say("money_simulation_unexplained", len(wrong), "sentences", contracts)
            _say("money_simulation_journals", _journals(), "journals", contracts)
            _say("money_simulation_seconds", took, "s", contracts)
            for what, count in sorted(market.seen.items()):
                print(f"  {count:6} {what}", file=sys.stderr)
            for line in wrong:
                print(f"seed {options.seed}: {line}", file=sys.stderr)
    return 1 if wrong else 0


@contextlib.contextmanager
def _sandbox(folder: Path, database_url: str) -> Iterator["StripeSandbox"]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings.test",
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
    }
    import django

    django.setup()

    from django.test import override_settings

    from payments.sandbox.server import Sandbox
    from tests.stripe_sandbox import SECRET_KEY, WEBHOOK_SECRET, StripeSandbox, settings_for

    server = Sandbox(
        data=folder, port=0, webhook_secret=WEBHOOK_SECRET, secret_key=SECRET_KEY,
        test_switches=True,
    )  # fmt: skip
    server.start()
    stripe = StripeSandbox(server.base_url)
    with override_settings(**settings_for(stripe)):
        yield stripe
    stripe.close()
    server.stop()


def _journals() -> int:
    from payments.models import Journal

    return Journal.objects.count()


def _say(figure: str, value: float, unit: str, n: int) -> None:
    line = {"figure": figure, "value": round(value, 1), "unit": unit}
    print(json.dumps(line | {"yardstick": None, "ratio": None, "n": n}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
