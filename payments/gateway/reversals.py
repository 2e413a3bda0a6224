"""Reversals: money of a transfer back from a connected account."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import stripe

from marketplace.core.money import Money
from payments.gateway import connection
from payments.gateway.answers import id_of, metadata_of
from payments.stripe_units import from_stripe, to_stripe


@dataclass(frozen=True)
class Reversal:
    """Money that came back from a connected account."""

    id: str
    transfer: str
    amount: int
    currency: str
    balance_transaction: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)


def reverse_transfer(
    *, key: str, transfer: str, amount: Money, metadata: Mapping[str, str]
) -> Reversal:
    """Take part of a transfer back. Stripe refuses what the account does not have any more.

    Put the command's id into `metadata["command"]`, so that `find_reversal` can find it.
    """
    minor, _currency = to_stripe(amount)
    with connection.our_errors():
        made = connection.client().v1.transfers.reversals.create(
            transfer, {"amount": minor, "metadata": dict(metadata)}, {"idempotency_key": key}
        )
    return _reversal(made)


def find_reversal(*, transfer: str, command_id: str) -> Reversal | None:
    """The reversal a command made, if it did: the question to ask after Unavailable."""
    with connection.our_errors():
        page = connection.client().v1.transfers.reversals.list(transfer, {"limit": connection.PAGE})
        for made in page.auto_paging_iter():
            if metadata_of(made.metadata).get("command") == command_id:
                return _reversal(made)
    return None


def _reversal(made: stripe.TransferReversal) -> Reversal:
    amount = from_stripe(made.amount, made.currency)
    return Reversal(
        id=made.id,
        transfer=id_of(made.transfer) or "",
        amount=amount.minor,
        currency=amount.currency,
        balance_transaction=id_of(made.balance_transaction),
        metadata=metadata_of(made.metadata),
    )
