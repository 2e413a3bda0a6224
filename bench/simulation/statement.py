"""Who should have how much in the end, worked out from what people did, not from the books."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from accounts.models import Party
from marketplace.core.money import Money
from payments import gateway, ledger
from payments.models import Funding, Payout, PayoutAccount, PlatformPolicy
from tests.stripe_sandbox import FAILING_REFUND_CARD, StripeSandbox

# A party and a currency.
Key = tuple[int, str]


LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def _has_left(status: str) -> bool:
    """Whether a payout's money is on its way to a bank or there, not in the account again."""
    return status not in {"failed", "canceled"}


def _half_up(exact: Fraction) -> int:
    return (exact + Fraction(1, 2)).__floor__()


@dataclass(frozen=True)
class Deal:
    """A paid amount: whose, under which fees, with which card."""

    payer: Party
    payee: Party
    amount: Money
    card: str
    # None for a bonus, which is free of fees.
    policy: PlatformPolicy | None = None

    def _fee(self, bps: int, awarded: int) -> int:
        whole = _half_up(Fraction(self.amount.minor * bps, 10_000))
        return _half_up(Fraction(whole * awarded, self.amount.minor))

    def client_pays(self, awarded: int) -> int:
        return awarded + (self._fee(self.policy.client_fee_bps, awarded) if self.policy else 0)

    def payee_gets(self, awarded: int) -> int:
        return awarded - (self._fee(self.policy.freelancer_fee_bps, awarded) if self.policy else 0)


@dataclass
class Statement:
    """What each person is due by the deals that ended."""

    # In the payee's account at Stripe, on the payer's card, and owed to the payer by us.
    payees: Counter[Key] = field(default_factory=Counter)
    cards: Counter[Key] = field(default_factory=Counter)
    credits: Counter[Key] = field(default_factory=Counter)
    # Payouts payees pressed for, by our ref.
    asked_for: dict[str, Money] = field(default_factory=dict)

    def ended(self, deal: Deal, *, awarded: int) -> None:
        """So much of it counted as earned; the rest went back, or could not."""
        currency = deal.amount.currency
        kept, back = deal.client_pays(awarded), 0
        if deal.card == FAILING_REFUND_CARD:
            back = deal.client_pays(deal.amount.minor) - kept
        self.payees[deal.payee.pk, currency] += deal.payee_gets(awarded)
        self.cards[deal.payer.pk, currency] += kept + back
        self.credits[deal.payer.pk, currency] += back

    def taken_back(self, deal: Deal, *, protected: bool) -> None:
        """After it was earned the bank gave the payer all of it.

        The payee bears their part, unless the work is protected: then the platform pays.
        """
        currency, all_of_it = deal.amount.currency, deal.amount.minor
        self.cards[deal.payer.pk, currency] -= deal.client_pays(all_of_it)
        if not protected:
            self.payees[deal.payee.pk, currency] -= deal.payee_gets(all_of_it)

    # --- Against the world ------------------------------------------------------------------

    def unlike_payouts(self, people: Iterable[Party]) -> list[str]:
        """A sentence for every payout that our pages show otherwise than Stripe does.

        And for every press that became none or two, or another amount.
        """
        found, pressed = [], []
        for account in PayoutAccount.objects.filter(party__in=list(people)).exclude(stripe_id=""):
            made = gateway.list_payouts(account=account.stripe_id, since=LONG_AGO)
            there = {(payout.id, payout.status, payout.amount, payout.currency) for payout in made}
            pressed += [
                (payout.metadata.get("payout", ""), Money(payout.amount, payout.currency))
                for payout in made
                if not payout.automatic
            ]
            sent = account.payouts.exclude(stripe_id="")
            here = set(sent.values_list("stripe_id", "status", "amount_minor", "currency"))
            found += [f"{account}: only one side knows {one}" for one in sorted(there ^ here)]
        refused = Payout.objects.filter(status=Payout.Status.REFUSED).values_list("ref", flat=True)
        wanted = Counter(
            (ref, amount) for ref, amount in self.asked_for.items() if ref not in set(refused)
        )
        had = Counter(pressed)
        found += [f"asked for once, never sent: {one}" for one in wanted - had]
        found += [f"sent without being asked for: {one}" for one in had - wanted]
        return found

    def unmet(
        self, stripe: StripeSandbox, people: Iterable[Party], disputes: Iterable[str]
    ) -> list[str]:
        """A sentence for everybody whose money at Stripe is not what they are due."""
        people = list(people)
        found = []
        for what, due, have in (
            ("has at Stripe", self.payees, self._in_accounts(stripe, people)),
            ("has paid", self.cards, self._on_cards(disputes)),
            ("is owed by us", self.credits, self._owed(people)),
        ):
            found += [
                f"party {party} {what} {have[party, currency]} {currency}, "
                f"it should be {due[party, currency]}"
                for party, currency in sorted(due.keys() | have.keys())
                if due[party, currency] != have[party, currency]
            ]
        return found

    def _in_accounts(self, stripe: StripeSandbox, people: list[Party]) -> Counter[Key]:
        have: Counter[Key] = Counter()
        for account in PayoutAccount.objects.filter(party__in=people).select_related("party"):
            for currency, parts in stripe.ask("state", account=account.stripe_id)[
                "balances"
            ].items():
                have[account.party_id, currency.upper()] += sum(parts)
            for payout in gateway.list_payouts(account=account.stripe_id, since=LONG_AGO):
                have[account.party_id, payout.currency] += payout.amount * _has_left(payout.status)
        for party in people:
            for currency in {currency for _party, currency in have | self.payees}:
                # What they could not be made to give back yet.
                owes = -ledger.balance(ledger.freelancer_receivable(party), currency).minor
                have[party.pk, currency] -= owes
        return have

    def _on_cards(self, disputes: Iterable[str]) -> Counter[Key]:
        have: Counter[Key] = Counter()
        payer_of: dict[str, int] = {}
        for funding in Funding.objects.exclude(charge_id=""):
            charge = gateway.retrieve_charge(funding.charge_id)
            have[funding.payer_id, charge.currency] += charge.amount - charge.refunded_minor
            payer_of[charge.id] = funding.payer_id
        for name in disputes:
            dispute = gateway.retrieve_dispute(name)
            moved = sum(movement.amount for movement in dispute.movements)
            have[payer_of[dispute.charge], dispute.currency] += moved
        return have

    def _owed(self, people: list[Party]) -> Counter[Key]:
        return Counter(
            {
                (party.pk, currency): ledger.balance(ledger.client_credit(party), currency).minor
                for party in people
                for currency in {currency for _party, currency in self.cards}
            }
        )
