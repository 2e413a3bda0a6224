"""Disputes of card payments, as the cardholder's bank raises them, and warnings before them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import stripe
from stripe.params import DisputeUpdateParamsEvidence

from payments.gateway import connection
from payments.gateway.answers import id_of, moment
from payments.gateway.balances import BalanceTransaction, read_movement
from payments.stripe_units import from_stripe


@dataclass(frozen=True)
class Dispute:
    """What a bank wants back of a charge, how far it is, and every movement it caused."""

    id: str
    status: str
    amount: int
    currency: str
    charge: str
    reason: str
    network_reason: str
    due_by: dt.datetime | None
    has_evidence: bool
    submissions: int
    created: dt.datetime
    movements: tuple[BalanceTransaction, ...]


@dataclass(frozen=True)
class FraudWarning:
    """A bank's suspicion that a payment was not the cardholder's."""

    id: str
    charge: str
    fraud_type: str
    actionable: bool
    created: dt.datetime


def retrieve_dispute(dispute_id: str) -> Dispute:
    """The dispute as it is now, with the movements of our balance it caused."""
    with connection.our_errors():
        return _dispute(connection.client().v1.disputes.retrieve(dispute_id))


def submit_evidence(
    dispute_id: str, *, key: str, evidence: Mapping[str, str], submit: bool
) -> Dispute:
    """Put evidence down with Stripe; with `submit` it goes to the bank, which happens once."""
    fields = cast(DisputeUpdateParamsEvidence, dict(evidence))
    with connection.our_errors():
        changed = connection.client().v1.disputes.update(
            dispute_id, {"evidence": fields, "submit": submit}, {"idempotency_key": key}
        )
    return _dispute(changed)


def retrieve_fraud_warning(warning_id: str) -> FraudWarning:
    """The warning as it is now."""
    with connection.our_errors():
        told = connection.client().v1.radar.early_fraud_warnings.retrieve(warning_id)
    return FraudWarning(
        id=told.id,
        charge=id_of(told.charge) or "",
        fraud_type=told.fraud_type,
        actionable=told.actionable,
        created=moment(told.created),
    )


def _dispute(told: stripe.Dispute) -> Dispute:
    amount = from_stripe(told.amount, told.currency)
    details = told.evidence_details
    return Dispute(
        id=told.id,
        status=told.status,
        amount=amount.minor,
        currency=amount.currency,
        charge=id_of(told.charge) or "",
        reason=told.reason,
        network_reason=told.network_reason_code or "",
        due_by=moment(details.due_by) if details.due_by else None,
        has_evidence=details.has_evidence,
        submissions=details.submission_count,
        created=moment(told.created),
        movements=tuple(read_movement(moved) for moved in told.balance_transactions),
    )
