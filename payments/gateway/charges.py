"""Charges: card payments that happened, with the fee Stripe took."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import stripe

from payments.gateway import connection
from payments.gateway.answers import id_of, metadata_of
from payments.gateway.balances import BalanceTransaction, read_movement
from payments.stripe_units import from_stripe


@dataclass(frozen=True)
class Charge:
    """A card payment, with the movement that shows Stripe's fee."""

    id: str
    amount: int
    currency: str
    paid: bool
    refunded_minor: int
    disputed: bool
    balance_transaction: BalanceTransaction | None
    transfer_group: str | None
    payment_intent: str | None = None
    # The cardholder proved who they are (3-D Secure): the bank answers for "it was not me".
    authenticated: bool = False
    # The same for the same card, whoever uses it; empty when no card paid.
    card_fingerprint: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


def retrieve_charge(charge_id: str) -> Charge:
    """A charge with its balance transaction, where Stripe's fee stands."""
    with connection.our_errors():
        charge = connection.client().v1.charges.retrieve(
            charge_id, {"expand": ["balance_transaction"]}
        )
    moved = charge.balance_transaction
    amount = from_stripe(charge.amount, charge.currency)
    return Charge(
        id=charge.id,
        amount=amount.minor,
        currency=amount.currency,
        paid=charge.paid,
        refunded_minor=from_stripe(charge.amount_refunded, charge.currency).minor,
        disputed=charge.disputed,
        balance_transaction=read_movement(moved)
        if isinstance(moved, stripe.BalanceTransaction)
        else None,
        transfer_group=charge.transfer_group,
        payment_intent=id_of(charge.payment_intent),
        authenticated=_is_authenticated(charge),
        card_fingerprint=_fingerprint(charge),
        metadata=metadata_of(charge.metadata),
    )


def _fingerprint(charge: stripe.Charge) -> str:
    method = charge.payment_method_details
    card = method.card if method and method.type == "card" else None
    return (card.fingerprint if card else None) or ""


def _is_authenticated(charge: stripe.Charge) -> bool:
    method = charge.payment_method_details
    card = method.card if method and method.type == "card" else None
    proof = card.three_d_secure if card else None
    return bool(proof and proof.result in {"authenticated", "attempt_acknowledged"})
