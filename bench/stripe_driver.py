"""Our whole life at Stripe, against the sandbox or, with a test key, against Stripe itself.

    .venv/bin/python bench/stripe_driver.py
    STRIPE_SECRET_KEY=sk_test_… .venv/bin/python bench/stripe_driver.py [--account acct_…]

The same steps through the same gateway, so that a difference between the two is a fault of the
sandbox. At Stripe itself a person pays on the page whose address is printed, with card 4242…, and
`--account` names a connected account that may receive transfers; without one those steps are left
out. Prints one JSON line per step and ends with 1 if any was not as it must be.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.test")

import django  # noqa: E402
from django.apps import apps  # noqa: E402

if not apps.ready:
    django.setup()

from django.conf import settings  # noqa: E402
from django.test import override_settings  # noqa: E402

from marketplace.core.money import Money  # noqa: E402
from payments import gateway  # noqa: E402
from payments.sandbox.server import Sandbox  # noqa: E402
from tests.stripe_sandbox import (  # noqa: E402
    SECRET_KEY,
    WEBHOOK_SECRET,
    StripeSandbox,
    settings_for,
)

PRICE, PART = Money(50_00, "EUR"), Money(10_00, "EUR")
PATIENCE = 15 * 60
# What the settings of the tests put where no key is given.
TEST_SETTINGS_KEY = "sk_test_bidwell"
# What makes the page of a session paid.
Pay = Callable[[gateway.CheckoutSession], None]


class Driver:
    """Runs the steps in order, under keys of its own, and keeps what came of each."""

    def __init__(self, pay: Pay, account: str = "") -> None:
        self.pay, self.account = pay, account
        self.run = f"driver-{uuid.uuid4().hex[:12]}"
        # One for all, because a repeated key must come with the same content.
        self.expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(hours=3)
        self.wrong: list[str] = []

    def drive(self) -> list[str]:
        """All steps; the names of those that were not as they must be."""
        charge = self._checkout()
        self._refund(charge)
        if self.account:
            self._transfer(charge)
        self._accounts()
        self._lists(charge)
        return self.wrong

    # --- Steps ------------------------------------------------------------------------------

    def _checkout(self) -> gateway.Charge:
        page = self._page("pay")
        self._must("an open page is unpaid", (page.status, page.payment_status), ("open", "unpaid"))
        self._must("the same key gives the same page", self._page("pay").id, page.id)
        self._refuses(
            "a key with other content", gateway.KeyReused, lambda: self._page("pay", PART)
        )
        closed = gateway.expire_checkout(self._page("close").id, key=f"{self.run}:expire")
        self._must("a closed page is expired", closed.status, "expired")
        self._refuses(
            "closing twice",
            gateway.Refused,
            lambda: gateway.expire_checkout(closed.id, key=f"{self.run}:expire-again"),
        )
        self.pay(page)
        paid = gateway.retrieve_checkout(page.id)
        self._must("a paid page says so", (paid.status, paid.payment_status), ("complete", "paid"))
        self._must("of what we asked", Money(paid.amount_total, paid.currency), PRICE)
        charge = gateway.retrieve_charge(paid.charge or "")
        moved = charge.balance_transaction
        self._must("the charge is ours", charge.metadata.get("run"), self.run)
        self._must(
            "and in our balance", bool(moved and moved.net == moved.amount - moved.fee), True
        )
        return charge

    def _refund(self, charge: gateway.Charge) -> None:
        def refund(name: str, amount: Money) -> gateway.Refund:
            command = f"{self.run}:{name}"
            return gateway.refund(
                key=command, charge=charge.id, amount=amount, metadata={"command": command}
            )

        first = refund("refund", PART)
        self._must("a part is refunded", (first.amount, first.currency), (PART.minor, "EUR"))
        self._must("once", refund("refund", PART).id, first.id)
        found = gateway.find_refund(charge=charge.id, command_id=f"{self.run}:refund")
        self._must("and found by its command", found and found.id, first.id)
        self._refuses(
            "more than was paid", gateway.Refused, lambda: refund("too much", PRICE + PRICE)
        )

    def _transfer(self, charge: gateway.Charge) -> None:
        command = f"{self.run}:transfer"

        def transfer(amount: Money = PART) -> gateway.Transfer:
            return gateway.transfer(
                key=command,
                amount=amount,
                destination=self.account,
                source_charge=charge.id,
                transfer_group=self.run,
                metadata={"command": command},
            )

        sent = transfer()
        self._must("a transfer comes from its charge", sent.source_charge, charge.id)
        self._must("once", transfer().id, sent.id)
        found = gateway.find_transfer(transfer_group=self.run, command_id=command)
        self._must("and is found by its command", found and found.id, sent.id)
        back = gateway.reverse_transfer(
            key=f"{self.run}:reverse",
            transfer=sent.id,
            amount=PART,
            metadata={"command": f"{self.run}:reverse"},
        )
        self._must("and comes back", (back.transfer, back.amount), (sent.id, PART.minor))
        again = gateway.find_reversal(transfer=sent.id, command_id=f"{self.run}:reverse")
        self._must("found by its command too", again and again.id, back.id)

    def _accounts(self) -> None:
        made = gateway.create_account(
            key=f"{self.run}:account",
            email="driver@example.org",
            country="DE",
            reference=self.run,
        )
        self._must("a new account cannot receive", made.transfers_active, False)
        self._must("and says what is missing", bool(made.requirements), True)
        link = gateway.account_link(
            made.id, refresh_url="https://example.org/again", return_url="https://example.org/back"
        )
        self._must("its questions have an address", link.startswith("http"), True)
        self._refuses(
            "a transfer to it",
            gateway.Refused,
            lambda: gateway.transfer(
                key=f"{self.run}:too-early",
                amount=PART,
                destination=made.id,
                transfer_group=self.run,
                metadata={"command": "too-early"},
            ),
        )

    def _lists(self, charge: gateway.Charge) -> None:
        since = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        sources = {moved.source for moved in gateway.list_balance_transactions(since=since)}
        self._must("the movements show the charge", charge.id in sources, True)
        about = {event.object_id for event in gateway.list_events(since=since)}
        self._must("and the events", charge.id in about, True)
        self._must("the balance is in euros too", "EUR" in gateway.balance(), True)

    # --- Asking -----------------------------------------------------------------------------

    def _page(self, name: str, amount: Money = PRICE) -> gateway.CheckoutSession:
        return gateway.create_checkout(
            key=f"{self.run}:{name}",
            lines=[gateway.CheckoutLine("Driver", amount)],
            description="Driver",
            reference=self.run,
            metadata={"run": self.run},
            transfer_group=self.run,
            success_url="https://example.org/paid",
            cancel_url="https://example.org/back",
            expires_at=self.expires_at,
            customer_email="driver@example.org",
        )

    def _must(self, step: str, came: Any, wanted: Any) -> None:
        good = came == wanted
        print(json.dumps({"step": step, "good": good, "came": str(came)}), flush=True)
        if not good:
            self.wrong.append(step)

    def _refuses(
        self, step: str, error: type[gateway.GatewayError], act: Callable[[], Any]
    ) -> None:
        try:
            act()
        except error as refusal:
            self._must(f"refused: {step}", type(refusal).__name__, error.__name__)
        else:
            self._must(f"refused: {step}", "it was done", error.__name__)


# --- Who answers ----------------------------------------------------------------------------


def pay_in_sandbox(sandbox: StripeSandbox) -> Pay:
    """Press the button on the sandbox's page."""
    return lambda page: sandbox.pay(page.id) and None


def account_in_sandbox(sandbox: StripeSandbox) -> str:
    """A connected account whose questions are answered."""
    made = gateway.create_account(
        key=f"driver-{uuid.uuid4().hex}", email="p@example.org", country="DE", reference="payee"
    )
    sandbox.complete_onboarding(made.id)
    return made.id


def wait_for_a_person(page: gateway.CheckoutSession) -> None:
    """Somebody pays on the page; raises TimeoutError when nobody does."""
    print(f"Pay this page with card 4242 4242 4242 4242: {page.url}", file=sys.stderr)
    deadline = time.monotonic() + PATIENCE
    while gateway.retrieve_checkout(page.id).payment_status != "paid":
        if time.monotonic() > deadline:
            raise TimeoutError("nobody has paid")
        time.sleep(3)


@contextlib.contextmanager
def own_sandbox() -> Iterator[StripeSandbox]:
    """A sandbox without a past, which the gateway talks to."""
    with tempfile.TemporaryDirectory(prefix="bidwell-driver-") as folder:
        server = Sandbox(
            data=Path(folder),
            port=0,
            webhook_secret=WEBHOOK_SECRET,
            secret_key=SECRET_KEY,
            test_switches=True,
        )
        server.start()
        sandbox = StripeSandbox(server.base_url)
        with override_settings(**settings_for(sandbox)):
            yield sandbox
        sandbox.close()
        server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--account", default="", help="a connected account that may receive")
    options = parser.parse_args()
    if settings.STRIPE_LIVE:
        sys.exit("This makes payments: use a test key.")
    if settings.STRIPE_SECRET_KEY == TEST_SETTINGS_KEY:
        with own_sandbox() as sandbox:
            driver = Driver(pay_in_sandbox(sandbox), account_in_sandbox(sandbox))
            return 1 if driver.drive() else 0
    return 1 if Driver(wait_for_a_person, options.account).drive() else 0


if __name__ == "__main__":
    sys.exit(main())
