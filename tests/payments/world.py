"""Short ways to money in every state, through the services and the sandbox, as in life."""

from dataclasses import dataclass
from typing import Any

from marketplace.core import outbox
from marketplace.core.money import Money
from payments.models import Hold, PayoutAccount
from payments.services import funding, holds, payouts, policies
from tests.factories import UserFactory


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


@dataclass
class World:
    """A client, a freelancer, and a Stripe between them."""

    stripe: Any
    client: Any
    freelancer: Any

    @classmethod
    def build(cls, stripe_sandbox: Any) -> "World":
        return cls(
            stripe_sandbox,
            UserFactory(side="hire", name="Kim Weber"),
            UserFactory(name="Ines Carvalho"),
        )

    def open(self, amount: str | Money = "100.00", **changes: Any) -> Hold:
        """A hold that waits for its money."""
        asked = {
            "payer": self.client.party,
            "payee": self.freelancer.party,
            "amount": amount if isinstance(amount, Money) else eur(amount),
            "policy": policies.current(),
            "label": "Wireframes",
            "by": self.client,
        }
        return holds.open_hold(**(asked | changes))

    def start(self, hold: Hold) -> Any:
        """A Checkout page of the hold, open at Stripe."""
        started = funding.start_checkout(
            hold,
            by=self.client,
            success_url="http://127.0.0.1:8000/back/",
            cancel_url="http://127.0.0.1:8000/fund/",
        )
        assert funding.checkout_url(started)
        return started

    def fund(self, hold: Hold) -> Any:
        """Pay for the hold and come back."""
        started = self.start(hold)
        self.stripe.pay(started.session_id)
        funding.confirm(started)
        hold.refresh_from_db()
        return started

    def held(self, amount: str = "100.00", **changes: Any) -> Hold:
        """A hold whose money has come."""
        hold = self.open(amount, **changes)
        self.fund(hold)
        assert hold.status == Hold.Status.HELD
        return hold

    def connect(self) -> PayoutAccount:
        """Let the freelancer answer Stripe's questions."""
        payouts.onboarding_url(
            self.freelancer.party,
            by=self.freelancer,
            country="DE",
            refresh_url="http://127.0.0.1:8000/payouts/setup/refresh/",
            return_url="http://127.0.0.1:8000/payouts/setup/return/",
        )
        account = PayoutAccount.objects.get(party=self.freelancer.party)
        self.stripe.complete_onboarding(account.stripe_id)
        payouts.refresh(account)
        return account

    def refill(self, amount: str = "1000.00") -> None:
        """Put the operator's own money on the balance: Stripe keeps its fee of what is refunded."""
        self.stripe.add_money(eur(amount))

    def hear(self, client: Any) -> list[int]:
        """Let Stripe's webhooks arrive."""
        return self.stripe.deliver(client, "/stripe/webhook/")

    def work(self) -> None:
        """Let the workers carry out what waits."""
        while outbox.deliver_due():
            pass
