"""Transfers from our balance to connected accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import stripe
from stripe.params import TransferCreateParams

from marketplace.core.money import Money
from payments.gateway import connection
from payments.gateway.answers import id_of, metadata_of
from payments.stripe_units import from_stripe, to_stripe


@dataclass(frozen=True)
class Transfer:
    """Money moved from our balance to a connected account."""

    id: str
    amount: int
    currency: str
    destination: str
    source_charge: str | None
    balance_transaction: str | None
    transfer_group: str | None = None
    reversed_minor: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)


def transfer(
    *,
    key: str,
    amount: Money,
    destination: str,
    source_charge: str = "",
    transfer_group: str,
    metadata: Mapping[str, str],
) -> Transfer:
    """Move part of a charge to a connected account, also while the charge still settles.

    Without a charge the money comes from our available balance, which must cover it.

    Put the command's id into `metadata["command"]`, so that `find_transfer` can find it.
    """
    minor, currency = to_stripe(amount)
    with connection.our_errors():
        asked: TransferCreateParams = {
            "amount": minor,
            "currency": currency,
            "destination": destination,
            "transfer_group": transfer_group,
            "metadata": dict(metadata),
        }
        if source_charge:
            asked["source_transaction"] = source_charge
        made = connection.client().v1.transfers.create(asked, {"idempotency_key": key})
    return _transfer(made)


def find_transfer(*, transfer_group: str, command_id: str) -> Transfer | None:
    """The transfer a command made, if it did: the question to ask after Unavailable."""
    with connection.our_errors():
        page = connection.client().v1.transfers.list(
            {"transfer_group": transfer_group, "limit": connection.PAGE}
        )
        for made in page.auto_paging_iter():
            if metadata_of(made.metadata).get("command") == command_id:
                return _transfer(made)
    return None


def _transfer(made: stripe.Transfer) -> Transfer:
    amount = from_stripe(made.amount, made.currency)
    return Transfer(
        id=made.id,
        amount=amount.minor,
        currency=amount.currency,
        destination=id_of(made.destination) or "",
        source_charge=id_of(made.source_transaction),
        balance_transaction=id_of(made.balance_transaction),
        transfer_group=made.transfer_group,
        reversed_minor=from_stripe(made.amount_reversed, made.currency).minor,
        metadata=metadata_of(made.metadata),
    )
