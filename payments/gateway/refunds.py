"""Refunds: money back to the card it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import stripe

from marketplace.core.money import Money
from payments.gateway import connection
from payments.gateway.answers import id_of, metadata_of
from payments.stripe_units import from_stripe, to_stripe


@dataclass(frozen=True)
class Refund:
    """Money on its way back to a card."""

    id: str
    status: str  # pending, requires_action, succeeded, failed, canceled
    amount: int
    currency: str
    failure_reason: str | None
    balance_transaction: str | None
    charge: str | None = None
    failure_balance_transaction: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def refund(*, key: str, charge: str, amount: Money, metadata: Mapping[str, str]) -> Refund:
    """Send part of a charge back to the card. The result may be pending, and may fail later.

    Put the command's id into `metadata["command"]`, so that `find_refund` can find it.
    """
    minor, _ = to_stripe(amount)
    with connection.our_errors():
        made = connection.client().v1.refunds.create(
            {"charge": charge, "amount": minor, "metadata": dict(metadata)},
            {"idempotency_key": key},
        )
    return _refund(made)


def retrieve_refund(refund_id: str) -> Refund:
    """The refund as it is now."""
    with connection.our_errors():
        return _refund(connection.client().v1.refunds.retrieve(refund_id))


def find_refund(*, charge: str, command_id: str) -> Refund | None:
    """The refund a command made, if it did: the question to ask after Unavailable."""
    with connection.our_errors():
        page = connection.client().v1.refunds.list({"charge": charge, "limit": connection.PAGE})
        for made in page.auto_paging_iter():
            if metadata_of(made.metadata).get("command") == command_id:
                return _refund(made)
    return None


def _refund(made: stripe.Refund) -> Refund:
    amount = from_stripe(made.amount, made.currency)
    return Refund(
        id=made.id,
        status=made.status or "",
        amount=amount.minor,
        currency=amount.currency,
        failure_reason=made.failure_reason,
        balance_transaction=id_of(made.balance_transaction),
        charge=id_of(made.charge),
        failure_balance_transaction=id_of(made.failure_balance_transaction),
        metadata=metadata_of(made.metadata),
    )
