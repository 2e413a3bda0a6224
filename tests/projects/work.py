"""Short ways to a contract in every state, through the services and the sandbox, as in life."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from marketplace.core import clock, outbox
from marketplace.core.money import Money
from payments import ledger
from payments.models import Hold, PayoutAccount
from payments.services import funding as payments_funding
from payments.services import inbox, payouts
from projects.models import Contract, Dispute, Milestone
from projects.services import approvals, bidding, choosing, deliveries, disputes, funding, posting
from projects.services.contracts import MilestonePlan
from projects.services.wanted import Wanted
from tests.factories import StaffFactory, UserFactory
from tests.stripe_sandbox import GOOD_CARD

REASON = (
    "The terms ask for six pages; four were delivered and they work. The two that are missing are "
    "about a third of the work, so a third of the amount goes back."
)


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


def upload(name: str = "notes.pdf", body: bytes = b"%PDF-1.4 what was handed over") -> Any:
    return SimpleUploadedFile(name, body)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def download(client: Client, file: Any) -> int:
    """Fetch a file to its last byte; the status."""
    answer = client.get(f"/files/{file.ref}/")
    if answer.streaming:
        assert answer["Content-Disposition"].startswith("attachment")
        assert b"".join(answer.streaming_content)
    return answer.status_code


@dataclass
class Work:
    """A contract, the people around it, and a Stripe between them."""

    stripe: Any
    client: Any
    freelancer: Any
    contract: Contract

    @classmethod
    def build(
        cls, stripe: Any, *amounts: str, client: Any = None, freelancer: Any = None
    ) -> "Work":
        amounts = amounts or ("600.00", "1100.00", "700.00")
        client = client or UserFactory(side="hire", name="Kim Weber")
        freelancer = freelancer or UserFactory(name="Ines Carvalho")
        return cls(stripe, client, freelancer, agree(client, freelancer, *amounts))

    # --- Ways -------------------------------------------------------------------------------

    def step(self, n: int = 1) -> Milestone:
        """Milestone number `n` as it is now."""
        return self.contract.milestones.select_related("hold", "contract").get(position=n)

    def funded(self, n: int = 1, card: str = GOOD_CARD) -> Milestone:
        """Pay for it at Stripe and come back."""
        started = funding.fund_milestone(self.step(n), by=self.client)
        assert payments_funding.checkout_url(started)
        self.stripe.pay(started.session_id, card=card)
        payments_funding.confirm(started)
        step = self.step(n)
        assert step.status == Milestone.Status.FUNDED
        return step

    def delivered(self, n: int = 1, note: str = "All pages are on staging.") -> Milestone:
        step = self.step(n)
        if step.status == Milestone.Status.PLANNED:
            step = self.funded(n)
        deliveries.deliver(step, by=self.freelancer, note=note)
        return self.step(n)

    def approved(self, n: int = 1) -> Milestone:
        approvals.approve(self.delivered(n), by=self.client)
        return self.step(n)

    def disputed(self, n: int = 1, to_freelancer: str = "0.00") -> Dispute:
        return disputes.open_dispute(
            self.delivered(n),
            by=self.client,
            reason="not_as_agreed",
            body="Two of six pages are missing.",
            to_freelancer=eur(to_freelancer),
        )

    def answered(self, dispute: Dispute, to_freelancer: str = "1100.00") -> None:
        disputes.add_statement(
            dispute,
            by=self.freelancer,
            body="The terms name four pages.",
            to_freelancer=eur(to_freelancer),
        )

    def connect(self) -> None:
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

    def work_off(self) -> None:
        """Let the workers carry out what waits."""
        while outbox.deliver_due():
            pass

    def hear(self) -> None:
        """Let Stripe's webhooks arrive and be read."""
        assert set(self.stripe.deliver(Client(), "/stripe/webhook/")) <= {200}
        while inbox.read_due():
            pass

    # --- Views ------------------------------------------------------------------------------

    def held(self, hold: Hold) -> Money:
        return ledger.balance(ledger.held(hold), hold.currency)

    def paused(self, hold: Hold) -> Money:
        return ledger.balance(ledger.dispute_hold(hold), hold.currency)

    @property
    def as_client(self) -> Client:
        return signed_in(self.client)

    @property
    def as_freelancer(self) -> Client:
        return signed_in(self.freelancer)


def agree(client: Any, freelancer: Any, *amounts: str) -> Contract:
    """Post, bid and hire, with one milestone per amount."""
    price = Money(sum(eur(amount).minor for amount in amounts), "EUR")
    project = posting.save_draft(
        client.party,
        by=client,
        wanted=Wanted(
            title="Booking site for a bike workshop",
            description="Customers book a repair online and pick their mechanic. " * 3,
            currency="EUR",
            skills=("Django", "Accessibility"),
        ),
    )
    project = posting.publish(project, by=client)
    bid = bidding.send_bid(
        project,
        by=freelancer,
        price=price,
        days=30,
        message="I have built three booking sites for workshops and can start now.",
        ai_use="assist",
    )
    plan = [
        MilestonePlan(f"Step {n}", eur(amount), clock.now().date() + dt.timedelta(days=10 * n))
        for n, amount in enumerate(amounts, 1)
    ]
    return choosing.hire(bid, by=client, milestones=plan, seen_version=bid.version)


def moderator(**changes: Any) -> Any:
    """A member of staff who may decide disputes."""
    return StaffFactory(**({"name": "Ayşe Demir"} | changes))
