"""The Stripe sandbox for tests: a real HTTP server, and a person's hands on its pages.

Import the two fixtures into the conftest of the tests that need them:

    from tests.stripe_sandbox import running_sandbox, stripe_sandbox  # noqa: F401

Then `stripe_sandbox` is a sandbox without a past, the gateway talks to it, and every request the
gateway makes is checked against the types of the `stripe` package. At the end of the test it
fails the test if any answer was not one Stripe could have given.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import LazySettings

from marketplace.core.money import Money
from payments.sandbox.server import Sandbox
from payments.stripe_units import to_stripe

SECRET_KEY = "sk_test_of_the_tests"
WEBHOOK_SECRET = "whsec_of_the_tests"
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"
# Direct debits, answered after days: the money comes, or the bank says no.
SLOW_ACCOUNT, EMPTY_ACCOUNT = "AT611904300234573201", "AT861904300235473202"
# Whoever uses this number uses the same card; other numbers stand for a card per person.
ONE_CARD = "5555555555554444"
# Refunded with a delay; refunded, but the bank sends the money back a moment later.
# The cardholder proves who they are.
AUTHENTICATED_CARD = "4000000000003220"
SLOW_REFUND_CARD, FAILING_REFUND_CARD = "4000000000007726", "4000000000005126"

# Bank accounts of payees: the second works as well, the third does not exist.
GOOD_BANK, OTHER_BANK = "DE89370400440532013000", "DE75512108001245126199"
MISSING_BANK = "DE62370400440532013001"


@dataclass(frozen=True)
class Webhook:
    """One webhook as it would arrive: the raw body, its signature, and the event in it."""

    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return self.event["type"]


class StripeSandbox:
    """A running sandbox, seen from outside: everything goes over HTTP."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = requests.Session()

    # --- What people do on the pages ---------------------------------------------------------

    def pay(self, session_id: str, card: str = GOOD_CARD) -> str:
        """Pay on the checkout page; the address the browser is sent to afterwards."""
        answer = self.submit(f"/c/pay/{session_id}", card=card)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def decline(self, session_id: str) -> None:
        """Try a card the bank declines."""
        answer = self.submit(f"/c/pay/{session_id}", card=DECLINED_CARD)
        assert answer.status_code == 402, answer.text

    def present_in(self, session_id: str, currency: str) -> None:
        """Adaptive Pricing: the payer is shown and charged another currency."""
        self.ask("present", session=session_id, currency=currency)

    def complete_onboarding(self, account_id: str) -> None:
        """Answer all of Stripe's questions: transfers and payouts become active."""
        self.ask("account", id=account_id, change="complete")

    def restrict(self, account_id: str) -> None:
        """Stripe stops transfers to the account until it sees a document."""
        self.ask("account", id=account_id, change="restrict")

    def reject(self, account_id: str) -> None:
        """Stripe closes the account for good."""
        self.ask("account", id=account_id, change="reject")

    def ask_for_document(self, account_id: str, *, seconds: int) -> None:
        """Stripe wants a document within that time and pays out until then."""
        self.ask("account", id=account_id, change="ask", seconds=seconds)

    def cut_off(self, account_id: str) -> None:
        """The payee takes their account away from the platform."""
        self.ask("account", id=account_id, change="cut-off")

    def connect_again(self, account_id: str) -> None:
        """The account is the platform's to see again."""
        self.ask("account", id=account_id, change="connect-again")

    def change_bank(self, account_id: str, number: str = OTHER_BANK) -> None:
        """Give a bank account that takes the place of the old one."""
        self.ask("account", id=account_id, change="bank", number=number)

    # --- What the payee's bank does ----------------------------------------------------------

    def pay_out(self, account_id: str) -> list[str]:
        """Let the account's schedule pay out what is available; the payouts' ids."""
        return self.ask("payout", change="make", account=account_id)["ids"]

    def send_payout(self, payout_id: str) -> None:
        """Hand it to the bank."""
        self.ask("payout", change="send", id=payout_id)

    def arrive_payout(self, payout_id: str) -> None:
        """Stripe believes it has arrived."""
        self.ask("payout", change="arrive", id=payout_id)

    def fail_payout(self, payout_id: str, code: str = "account_closed") -> None:
        """The bank sends the money back, also after it had arrived."""
        self.ask("payout", change="fail", id=payout_id, code=code)

    def cancel_payout(self, payout_id: str) -> None:
        """Call it off before it leaves."""
        self.ask("payout", change="cancel", id=payout_id)

    # --- What the cardholder's bank does -----------------------------------------------------

    def charge_back(
        self, charge_id: str, *, amount: Money | None = None, inquiry: bool = False
    ) -> str:
        """Dispute a charge; the dispute's id. An inquiry only asks, and takes no money yet."""
        change = "inquire" if inquiry else "open"
        minor = amount.minor if amount else None
        return self.ask("dispute", change=change, charge=charge_id, amount=minor)["id"]

    def end_dispute(self, dispute_id: str, *, won: bool) -> None:
        """Decide a dispute."""
        self.ask("dispute", change="win" if won else "lose", id=dispute_id)

    def escalate(self, dispute_id: str) -> None:
        """Turn an inquiry into a dispute that takes the money."""
        self.ask("dispute", change="escalate", id=dispute_id)

    def appeal(self, dispute_id: str) -> None:
        """Open a decided dispute again."""
        self.ask("dispute", change="appeal", id=dispute_id)

    def warn_of_fraud(self, charge_id: str) -> str:
        """Suspect fraud before anybody disputes anything."""
        return self.ask("fraud-warning", charge=charge_id)["id"]

    def pay_out_of(self, account_id: str, amount: Money) -> None:
        """A payee's account sends money to its bank."""
        minor, currency = to_stripe(amount)
        self.ask("take-from", account=account_id, amount=minor, currency=currency)

    def submit(self, path: str, **form: str) -> requests.Response:
        """Send a form of the sandbox's pages, without following where it leads."""
        return self.http.post(self.base_url + path, data=form, allow_redirects=False)

    def open(self, path_or_url: str) -> requests.Response:
        """Open a page, without following where it leads."""
        url = path_or_url if "://" in path_or_url else self.base_url + path_or_url
        return self.http.get(url, allow_redirects=False)

    # --- What can go wrong -------------------------------------------------------------------

    def switch(self, **switches: Any) -> None:
        """Set faults: `duplicate=1`, `reorder=True`, `lose=2`, `delay=0.5`, `hold=0.3`;
        `automatic_payouts=True` lets accounts pay out by their schedules."""
        self.ask("switches", **switches)

    def fail_next(self, mode: str, on: str = "POST ", times: int = 1) -> None:
        """Let the next requests fail whose "METHOD path" starts with `on`.

        Modes: error_before, error_after (500, the work not done or done), drop_before,
        drop_after (no answer), rate_limit, lock_timeout. The gateway repeats a request once by
        itself, so `drop_…` and `lock_timeout` need `times=2` to be seen.
        """
        self.ask("switches", faults=[{"mode": mode, "on": on, "times": times}])

    def move_clock(self, seconds: int) -> None:
        """Let time pass for the sandbox: sessions run out, money settles, slow refunds arrive."""
        self.ask("clock", seconds=seconds)

    def add_money(self, amount: Money, kind: str = "adjustment") -> None:
        """Put money on the platform's balance, or with a negative amount take it away.

        A "topup" is the operator's own, from their bank.
        """
        minor, currency = to_stripe(amount)
        self.ask("adjust-balance", amount=minor, currency=currency, kind=kind)

    # --- What happened -----------------------------------------------------------------------

    def drain(self) -> list[Webhook]:
        """The webhooks that wait, signed now; each is handed out once."""
        waiting = self.ask("drain")
        return [Webhook(item["body"].encode(), item["signature"]) for item in waiting]

    def deliver(self, client: Any, path: str) -> list[int]:
        """Post the waiting webhooks to the product through Django's test client."""
        return [
            client.post(
                path,
                data=webhook.body,
                content_type="application/json",
                headers={"Stripe-Signature": webhook.signature},
            ).status_code
            for webhook in self.drain()
        ]

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every API request so far: method, path, params, key, status."""
        return self.ask("state")["requests"]

    @property
    def deliveries(self) -> dict[str, int]:
        """How many webhooks wait, were delivered or got lost."""
        return self.ask("state")["deliveries"]

    @property
    def misfits(self) -> list[str]:
        """Where an answer differed from the types of the `stripe` package."""
        return self.ask("state")["misfits"]

    def reset(self) -> None:
        """Forget everything."""
        self.ask("reset")

    def ask(self, action: str, **asked: Any) -> Any:
        answer = self.http.post(f"{self.base_url}/_test/{action}", json=asked)
        assert answer.ok, f"{action}: {answer.status_code} {answer.text}"
        return answer.json()

    def close(self) -> None:
        self.http.close()


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    """One server for the whole run; use `stripe_sandbox` instead."""
    data: Path = tmp_path_factory.mktemp("stripe-sandbox")
    server = Sandbox(
        data=data,
        port=0,
        webhook_secret=WEBHOOK_SECRET,
        secret_key=SECRET_KEY,
        test_switches=True,
    )
    server.start()
    sandbox = StripeSandbox(server.base_url)
    yield sandbox
    sandbox.close()
    server.stop()


@pytest.fixture
def stripe_sandbox(
    running_sandbox: StripeSandbox, settings: LazySettings
) -> Iterator[StripeSandbox]:
    """A sandbox without a past, with the gateway talking to it."""
    running_sandbox.reset()
    for name, value in settings_for(running_sandbox).items():
        setattr(settings, name, value)
    yield running_sandbox
    assert running_sandbox.misfits == []


def settings_for(sandbox: StripeSandbox) -> dict[str, Any]:
    """Settings that let the gateway talk to the sandbox, every request checked."""
    return {
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_API_BASE": sandbox.base_url,
        "STRIPE_WEBHOOK_SECRETS": [WEBHOOK_SECRET],
        "STRIPE_LIVE": False,
        "STRIPE_CHECK_REQUESTS": True,
    }
