"""Payouts: money from a connected account's balance to its owner's bank."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import stripe
from stripe.params import PayoutCreateParams

from marketplace.core.money import Money
from payments.gateway import connection
from payments.gateway.answers import id_of, metadata_of, moment
from payments.stripe_units import from_stripe, to_stripe


@dataclass(frozen=True)
class Payout:
    """A payout as it stands. `status` may still turn from paid to failed days later."""

    id: str
    status: str
    amount: int
    currency: str
    automatic: bool
    created: dt.datetime
    arrives_on: dt.date
    bank: str
    failure_code: str
    at_once: bool = False
    fee: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)


def pay_out(
    *,
    key: str,
    account: str,
    amount: Money,
    metadata: Mapping[str, str],
    at_once: bool = False,
) -> Payout:
    """Send available money of a connected account to its bank; Stripe refuses more than that.

    `at_once` asks for minutes instead of days: Stripe takes its fee beside the amount, or refuses
    when the bank cannot. Put the command's id into `metadata["command"]`, so that `find_payout` can
    find it.
    """
    minor, currency = to_stripe(amount)
    asked: PayoutCreateParams = {
        "amount": minor,
        "currency": currency,
        "metadata": dict(metadata),
    }
    if at_once:
        # The normal way is not named: a command asked again says what it said before.
        asked["method"] = "instant"
    with connection.our_errors():
        made = connection.client().v1.payouts.create(
            asked, {"stripe_account": account, "idempotency_key": key}
        )
    return _payout(made)


def cancel_payout(payout_id: str, *, account: str, key: str) -> Payout:
    """Call a payout off; its money is back at once.

    Stripe refuses what has left already, and what it pays out by itself.
    """
    with connection.our_errors():
        return _payout(
            connection.client().v1.payouts.cancel(
                payout_id, {}, {"stripe_account": account, "idempotency_key": key}
            )
        )


def find_payout(*, account: str, since: dt.datetime, command_id: str) -> Payout | None:
    """The payout a command made, if it did: the question to ask after Unavailable."""
    made = list_payouts(account=account, since=since)
    return next((one for one in made if one.metadata.get("command") == command_id), None)


def retrieve_payout(payout_id: str, *, account: str) -> Payout:
    """The payout as it is now."""
    with connection.our_errors():
        return _payout(
            connection.client().v1.payouts.retrieve(payout_id, {}, {"stripe_account": account})
        )


def list_payouts(*, account: str, since: dt.datetime) -> list[Payout]:
    """Payouts of a connected account made since then, oldest first."""
    with connection.our_errors():
        page = connection.client().v1.payouts.list(
            {"created": {"gte": int(since.timestamp())}, "limit": connection.PAGE},
            {"stripe_account": account},
        )
        return [_payout(found) for found in page.auto_paging_iter()][::-1]


def _payout(found: stripe.Payout) -> Payout:
    amount = from_stripe(found.amount, found.currency)
    return Payout(
        id=found.id,
        status=found.status,
        amount=amount.minor,
        currency=amount.currency,
        automatic=found.automatic,
        created=moment(found.created),
        # Stripe gives midnight UTC of the day.
        arrives_on=moment(found.arrival_date).date(),
        bank=id_of(found.destination) or "",
        failure_code=found.failure_code or "",
        at_once=found.method == "instant",
        fee=from_stripe(found.application_fee_amount or 0, found.currency).minor,
        metadata=metadata_of(found.metadata),
    )
