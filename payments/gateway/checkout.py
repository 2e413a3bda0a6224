"""Checkout Sessions: the pages people pay on."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import stripe
from django.conf import settings

from marketplace.core.money import Money
from payments.gateway import connection
from payments.gateway.answers import id_of, metadata_of, moment
from payments.stripe_units import from_stripe, to_stripe


@dataclass(frozen=True)
class CheckoutLine:
    """One line the payer sees: what for, and how much."""

    label: str
    amount: Money


@dataclass(frozen=True)
class CheckoutSession:
    """A payment page and what came of it; `charge` is set once it is paid."""

    id: str
    url: str | None
    status: str  # open, complete, expired
    payment_status: str  # unpaid, paid, no_payment_required
    amount_total: int
    currency: str
    payment_intent: str | None
    charge: str | None
    expires_at: dt.datetime
    metadata: Mapping[str, str]
    # The currency the payer was shown, when Stripe converted it; we ask it not to.
    presented_in: str = ""


def create_checkout(
    *,
    key: str,
    lines: Sequence[CheckoutLine],
    description: str,
    reference: str,
    metadata: Mapping[str, str],
    transfer_group: str,
    success_url: str,
    cancel_url: str,
    expires_at: dt.datetime,
    customer_email: str,
) -> CheckoutSession:
    """A payment page with these lines, on the platform's own account.

    `success_url` may contain `{CHECKOUT_SESSION_ID}`. Stripe wants `expires_at` 30 minutes to
    24 hours ahead.
    """
    items: list[Any] = []
    for line in lines:
        amount, currency = to_stripe(line.amount)
        price = {
            "currency": currency,
            "unit_amount": amount,
            "product_data": {"name": line.label},
        }
        items.append({"quantity": 1, "price_data": price})
    with connection.our_errors():
        session = connection.client().v1.checkout.sessions.create(
            {
                "mode": "payment",
                "submit_type": "pay",
                "allowed_payment_method_types": _methods(lines[0].amount.currency),
                # The default is a switch in the dashboard; payers must see the agreed currency.
                "adaptive_pricing": {"enabled": False},
                "line_items": items,
                "client_reference_id": reference,
                "customer_email": customer_email,
                "metadata": dict(metadata),
                "payment_intent_data": {
                    "description": description,
                    "metadata": dict(metadata),
                    "transfer_group": transfer_group,
                },
                "success_url": success_url,
                "cancel_url": cancel_url,
                "expires_at": int(expires_at.timestamp()),
            },
            {"idempotency_key": key},
        )
    return _checkout(session)


def _methods(currency: str) -> list[Any]:
    """How people may pay: by card, and in euros by what the operator has switched on besides."""
    euros = currency == "EUR"
    return [method for method in settings.STRIPE_PAYMENT_METHODS if euros or method != "sepa_debit"]


def retrieve_checkout(session_id: str) -> CheckoutSession:
    """The payment page as it is now, with the charge when it is paid."""
    with connection.our_errors():
        session = connection.client().v1.checkout.sessions.retrieve(
            session_id, {"expand": ["payment_intent.latest_charge"]}
        )
    return _checkout(session)


def expire_checkout(session_id: str, *, key: str) -> CheckoutSession:
    """Close an open payment page; raises Refused when it is paid or closed already."""
    with connection.our_errors():
        session = connection.client().v1.checkout.sessions.expire(
            session_id, {}, {"idempotency_key": key}
        )
    return _checkout(session)


def _checkout(session: stripe.checkout.Session) -> CheckoutSession:
    intent = session.payment_intent
    charge = intent.latest_charge if isinstance(intent, stripe.PaymentIntent) else None
    # The latest charge of an intent may be a declined one.
    paid = charge if isinstance(charge, stripe.Charge) and charge.paid else None
    total = from_stripe(session.amount_total or 0, session.currency or "")
    shown = session.presentment_details
    return CheckoutSession(
        id=session.id,
        url=session.url,
        status=session.status or "",
        payment_status=session.payment_status,
        amount_total=total.minor,
        currency=total.currency,
        payment_intent=id_of(intent),
        charge=paid.id if paid else None,
        expires_at=moment(session.expires_at),
        metadata=metadata_of(session.metadata),
        presented_in=shown.presentment_currency.upper() if shown else "",
    )
