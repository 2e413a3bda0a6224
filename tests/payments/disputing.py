"""Short ways through card disputes, and the proof that no cent is unexplained afterwards."""

from marketplace.core.money import Money
from marketplace.pages import proofs
from payments import gateway, ledger
from payments.models import Chargeback
from payments.services import chargebacks, reconciliation
from payments.services.verification import verify


def charge_back(stripe, hold, **how) -> str:
    """The bank disputes the payment behind the hold, and we hear of it; the dispute's id."""
    dispute = stripe.charge_back(hold.funding_parts.get(taken=True).funding.charge_id, **how)
    read(dispute)
    return dispute


def decide(stripe, dispute: str, *, won: bool) -> None:
    """The bank decides, and we hear of it."""
    stripe.end_dispute(dispute, won=won)
    read(dispute)


def win_too_late(stripe, hold) -> None:
    """Lost, and won on appeal when the milestone is over: the money waits for a person."""
    dispute = charge_back(stripe, hold)
    decide(stripe, dispute, won=False)
    stripe.appeal(dispute)
    decide(stripe, dispute, won=True)
    assert Chargeback.objects.get(stripe_id=dispute).status == "won"


def read(dispute: str) -> None:
    """Read the dispute from Stripe."""
    chargebacks.record(gateway.retrieve_dispute(dispute))


def balance(name: ledger.Name) -> Money:
    return ledger.balance(name, "EUR")


def top_up(stripe, amount: Money) -> None:
    """Put the operator's own money on the balance at Stripe, and into the books."""
    stripe.add_money(amount)
    moved = next(iter(gateway.list_balance_transactions(since=reconciliation.BEGINNING)))
    assert moved.type == "adjustment"
    legs = [(ledger.STRIPE_BALANCE, -amount), (ledger.BANK, amount)]
    ledger.post("top-up", "top_up", legs, ref=moved.id)


def assert_books_are_clean() -> None:
    """L5: the ledger is whole, the market tells the same story, and Stripe agrees to the cent."""
    assert [line for finding in verify() for line in finding.broken] == []
    assert proofs.broken_laws()[1] == []
    report = reconciliation.reconcile()
    assert report.differences == []
    assert all(there == here for there, here in report.balances.values())
