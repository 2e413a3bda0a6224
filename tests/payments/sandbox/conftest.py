"""Short ways to what most tests of the sandbox start from."""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from marketplace.core.money import Money
from payments import gateway

keys = (f"test-key:{number}" for number in itertools.count())
SUCCESS_URL = "http://127.0.0.1:8000/paid/?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "http://127.0.0.1:8000/fund/"


@pytest.fixture
def checkout(stripe_sandbox) -> Callable[..., gateway.CheckoutSession]:
    """Make a payment page: `checkout(Money(100_00, "EUR"), transfer_group="hold-1")`."""

    def make(*amounts: Money, key: str | None = None, **changes: Any) -> gateway.CheckoutSession:
        lines = [
            gateway.CheckoutLine(f"Line {number}", amount)
            for number, amount in enumerate(amounts or [Money(100_00, "EUR")], start=1)
        ]
        asked = {
            "lines": lines,
            "description": "Milestone 1",
            "reference": "hold-1",
            "metadata": {"hold": "hold-1"},
            "transfer_group": "hold-1",
            "success_url": SUCCESS_URL,
            "cancel_url": CANCEL_URL,
            "expires_at": dt.datetime.now(dt.UTC) + dt.timedelta(hours=2),
            "customer_email": "client@example.org",
        }
        return gateway.create_checkout(key=key or next(keys), **(asked | changes))

    return make


@pytest.fixture
def paid_charge(stripe_sandbox, checkout) -> Callable[..., gateway.Charge]:
    """A paid charge: `paid_charge(Money(100_00, "EUR"), card="…")`."""

    def make(*amounts: Money, card: str | None = None, **changes: Any) -> gateway.Charge:
        session = checkout(*amounts, **changes)
        stripe_sandbox.pay(session.id, **({"card": card} if card else {}))
        charge = gateway.retrieve_checkout(session.id).charge
        assert charge is not None
        return gateway.retrieve_charge(charge)

    return make


@pytest.fixture
def payee(stripe_sandbox) -> str:
    """The id of a connected account that can receive transfers."""
    account = gateway.create_account(
        key=next(keys), email="payee@example.org", country="DE", reference="party-1"
    )
    stripe_sandbox.complete_onboarding(account.id)
    stripe_sandbox.drain()
    return account.id


@pytest.fixture
def transfer(payee) -> Callable[..., gateway.Transfer]:
    """Send part of a charge to the payee: `transfer(charge, Money(90_00, "EUR"))`."""

    def make(charge: gateway.Charge, amount: Money, **changes: Any) -> gateway.Transfer:
        asked = {
            "key": next(keys),
            "amount": amount,
            "destination": payee,
            "source_charge": charge.id,
            "transfer_group": "hold-1",
            "metadata": {"command": "command-1"},
        }
        return gateway.transfer(**(asked | changes))

    return make


@pytest.fixture
def refund() -> Callable[..., gateway.Refund]:
    """Send part of a charge back: `refund(charge, Money(10_00, "EUR"))`."""

    def make(charge: gateway.Charge, amount: Money, **changes: Any) -> gateway.Refund:
        asked = {
            "key": next(keys),
            "charge": charge.id,
            "amount": amount,
            "metadata": {"command": "command-1"},
        }
        return gateway.refund(**(asked | changes))

    return make
