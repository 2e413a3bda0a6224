"""Short ways to money in every state, through the services and the sandbox, as in life."""

from dataclasses import dataclass
from typing import Any

from marketplace.core import outbox
from marketplace.core.money import Money
from payments.models import BankDetails, Hold, PayoutAccount
from payments.services import bank_details, funding, holds, payouts, policies
from tests.factories import StaffFactory, UserFactory


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

    def earn(self, amount: str = "100.00") -> PayoutAccount:
        """Let the freelancer be paid, and the money settle, so that it can go to their bank."""
        account = self.connect()
        holds.release(self.held(amount), by=self.client, basis="approval")
        self.stripe.move_clock(2 * 24 * 3600)
        # Stripe's clock and ours are one again, or new payment pages would be too old.
        self.stripe.move_clock(-2 * 24 * 3600)
        self.stripe.drain()
        return account

    def trust_bank(self, client: Any) -> None:
        """Hear of new bank details, and let a person of ours say that they are good."""
        self.hear(client)
        for bank in BankDetails.objects.filter(status="cooling"):
            bank_details.lift(bank, by=StaffFactory(), reason="They called us and it was them.")

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
