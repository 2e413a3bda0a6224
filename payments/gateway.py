"""Stripe, as the rest of the product sees it.

The only place that talks to the `stripe` package. Answers are small frozen records of our own;
amounts are whole minor units with an upper-case currency. Every write takes the idempotency key
of its command: the same key never does the work twice.

Which Stripe answers, the real one or the sandbox, is a matter of `STRIPE_API_BASE` alone.
"""

import datetime as dt
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import time
from typing import Any

import stripe
from django.conf import settings
from django.utils.module_loading import import_string

from marketplace.core.money import Money
from payments.stripe_units import from_stripe, to_stripe

# The SDK would otherwise write an id file into the home folder and report timings.
stripe.enable_telemetry = False

CONNECT_TIMEOUT, READ_TIMEOUT = 3.05, 15
# Repeats of a request carry its key, so one repeat is safe; longer waits belong to the outbox.
NETWORK_RETRIES = 1
PAGE = 100
# Nobody did anything: our key is refused, the object is busy, or we ask too much at once.
TRY_LATER = {401, 409, 429}
OLDEST_SIGNATURE, NEWEST_SIGNATURE = 300, 60


class GatewayError(Exception):
    """Stripe did not do what it was asked."""


class Unavailable(GatewayError):
    """No final answer: the network, Stripe or a lock. What was asked may have happened.

    `answered` when Stripe itself failed (a 500): under the same key it will only say that again.
    """

    def __init__(self, message: str, *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered


class Refused(GatewayError):
    """Stripe's final no; `code` is Stripe's word for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class KeyReused(GatewayError):
    """This idempotency key was used with other parameters before: a bug of ours."""


class BadSignature(GatewayError):
    """This webhook is not from Stripe, or not from now."""


class WrongMode(BadSignature):
    """Stripe did send it, but about live money to a test system or the other way round."""


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


@dataclass(frozen=True)
class BalanceTransaction:
    """One movement of a Stripe balance; `source` is the id of the object that caused it."""

    id: str
    type: str
    amount: int
    fee: int
    net: int
    currency: str
    source: str | None
    created: dt.datetime


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
    metadata: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True)
class Account:
    """A payee's connected account; `requirements` names what Stripe still wants to know."""

    id: str
    transfers_active: bool
    payouts_enabled: bool
    details_submitted: bool
    requirements: list[str]
    country: str
    disabled_reason: str | None = None


@dataclass(frozen=True)
class Event:
    """Something happened at Stripe. A trigger only: read the object itself before acting."""

    id: str
    type: str
    created: dt.datetime
    livemode: bool
    object_id: str
    object_type: str
    account: str | None
    payload: dict[str, Any]


def client() -> stripe.StripeClient:
    """The client for the present settings, one per process."""
    return _client(
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_CHECK_REQUESTS
    )


@functools.cache
def _client(secret_key: str, api_base: str | None, check_requests: bool) -> stripe.StripeClient:
    sender: stripe.HTTPClient = stripe.RequestsClient(timeout=(CONNECT_TIMEOUT, READ_TIMEOUT))
    if check_requests:
        # By name, because the product does not know the sandbox; only tests ask for this.
        sender = import_string("payments.sandbox.contract.ContractHTTPClient")(sender)
    return stripe.StripeClient(
        secret_key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": api_base} if api_base else None,
        max_network_retries=NETWORK_RETRIES,
        http_client=sender,
    )


@contextmanager
def _our_errors() -> Iterator[None]:
    """Turn the SDK's errors into ours, by what they mean for the command."""
    try:
        yield
    except stripe.IdempotencyError as error:
        raise KeyReused(str(error)) from error
    except stripe.StripeError as error:
        status = error.http_status or 0
        if 400 <= status < 500 and status not in TRY_LATER:
            raise Refused(error.code or "", error.user_message or str(error)) from error
        raise Unavailable(str(error), answered=status >= 500) from error


# --- Checkout --------------------------------------------------------------------------------


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
    with _our_errors():
        session = client().v1.checkout.sessions.create(
            {
                "mode": "payment",
                "submit_type": "pay",
                "allowed_payment_method_types": ["card"],
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


def retrieve_checkout(session_id: str) -> CheckoutSession:
    """The payment page as it is now, with the charge when it is paid."""
    with _our_errors():
        session = client().v1.checkout.sessions.retrieve(
            session_id, {"expand": ["payment_intent.latest_charge"]}
        )
    return _checkout(session)


def expire_checkout(session_id: str, *, key: str) -> CheckoutSession:
    """Close an open payment page; raises Refused when it is paid or closed already."""
    with _our_errors():
        session = client().v1.checkout.sessions.expire(session_id, {}, {"idempotency_key": key})
    return _checkout(session)


def _checkout(session: stripe.checkout.Session) -> CheckoutSession:
    intent = session.payment_intent
    charge = intent.latest_charge if isinstance(intent, stripe.PaymentIntent) else None
    # The latest charge of an intent may be a declined one.
    paid = charge if isinstance(charge, stripe.Charge) and charge.paid else None
    total = from_stripe(session.amount_total or 0, session.currency or "")
    return CheckoutSession(
        id=session.id,
        url=session.url,
        status=session.status or "",
        payment_status=session.payment_status,
        amount_total=total.minor,
        currency=total.currency,
        payment_intent=_id(intent),
        charge=paid.id if paid else None,
        expires_at=_moment(session.expires_at),
        metadata=_metadata(session.metadata),
    )


# --- Charges, transfers, refunds -------------------------------------------------------------


def retrieve_charge(charge_id: str) -> Charge:
    """A charge with its balance transaction, where Stripe's fee stands."""
    with _our_errors():
        charge = client().v1.charges.retrieve(charge_id, {"expand": ["balance_transaction"]})
    moved = charge.balance_transaction
    amount = from_stripe(charge.amount, charge.currency)
    return Charge(
        id=charge.id,
        amount=amount.minor,
        currency=amount.currency,
        paid=charge.paid,
        refunded_minor=from_stripe(charge.amount_refunded, charge.currency).minor,
        disputed=charge.disputed,
        balance_transaction=_moved(moved) if isinstance(moved, stripe.BalanceTransaction) else None,
        transfer_group=charge.transfer_group,
        payment_intent=_id(charge.payment_intent),
        metadata=_metadata(charge.metadata),
    )


def transfer(
    *,
    key: str,
    amount: Money,
    destination: str,
    source_charge: str,
    transfer_group: str,
    metadata: Mapping[str, str],
) -> Transfer:
    """Move part of a charge to a connected account, also while the charge still settles.

    Put the command's id into `metadata["command"]`, so that `find_transfer` can find it.
    """
    minor, currency = to_stripe(amount)
    with _our_errors():
        made = client().v1.transfers.create(
            {
                "amount": minor,
                "currency": currency,
                "destination": destination,
                "source_transaction": source_charge,
                "transfer_group": transfer_group,
                "metadata": dict(metadata),
            },
            {"idempotency_key": key},
        )
    return _transfer(made)


def find_transfer(*, transfer_group: str, command_id: str) -> Transfer | None:
    """The transfer a command made, if it did: the question to ask after Unavailable."""
    with _our_errors():
        page = client().v1.transfers.list({"transfer_group": transfer_group, "limit": PAGE})
        for made in page.auto_paging_iter():
            if _metadata(made.metadata).get("command") == command_id:
                return _transfer(made)
    return None


def _transfer(made: stripe.Transfer) -> Transfer:
    amount = from_stripe(made.amount, made.currency)
    return Transfer(
        id=made.id,
        amount=amount.minor,
        currency=amount.currency,
        destination=_id(made.destination) or "",
        source_charge=_id(made.source_transaction),
        balance_transaction=_id(made.balance_transaction),
        transfer_group=made.transfer_group,
        reversed_minor=from_stripe(made.amount_reversed, made.currency).minor,
        metadata=_metadata(made.metadata),
    )


def refund(*, key: str, charge: str, amount: Money, metadata: Mapping[str, str]) -> Refund:
    """Send part of a charge back to the card. The result may be pending, and may fail later.

    Put the command's id into `metadata["command"]`, so that `find_refund` can find it.
    """
    minor, _ = to_stripe(amount)
    with _our_errors():
        made = client().v1.refunds.create(
            {"charge": charge, "amount": minor, "metadata": dict(metadata)},
            {"idempotency_key": key},
        )
    return _refund(made)


def retrieve_refund(refund_id: str) -> Refund:
    """The refund as it is now."""
    with _our_errors():
        return _refund(client().v1.refunds.retrieve(refund_id))


def find_refund(*, charge: str, command_id: str) -> Refund | None:
    """The refund a command made, if it did: the question to ask after Unavailable."""
    with _our_errors():
        page = client().v1.refunds.list({"charge": charge, "limit": PAGE})
        for made in page.auto_paging_iter():
            if _metadata(made.metadata).get("command") == command_id:
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
        balance_transaction=_id(made.balance_transaction),
        charge=_id(made.charge),
        failure_balance_transaction=_id(made.failure_balance_transaction),
        metadata=_metadata(made.metadata),
    )


# --- Connected accounts ----------------------------------------------------------------------


def create_account(*, key: str, email: str, country: str, reference: str) -> Account:
    """A connected account for a payee: Stripe asks the questions, we carry fees and losses."""
    with _our_errors():
        account = client().v1.accounts.create(
            {
                "email": email,
                "country": country,
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "requirement_collection": "stripe",
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {"reference": reference},
            },
            {"idempotency_key": key},
        )
    return _account(account)


def retrieve_account(account_id: str) -> Account:
    """The account as it is now."""
    with _our_errors():
        return _account(client().v1.accounts.retrieve(account_id))


def account_link(account_id: str, *, refresh_url: str, return_url: str) -> str:
    """An address where the payee answers Stripe's questions. It works once, for minutes.

    Coming back to `return_url` does not mean that all is answered; an old link leads to
    `refresh_url`, which should make a new one.
    """
    with _our_errors():
        link = client().v1.account_links.create(
            {
                "account": account_id,
                "type": "account_onboarding",
                "refresh_url": refresh_url,
                "return_url": return_url,
            }
        )
    return link.url


def _account(account: stripe.Account) -> Account:
    wanted = account.requirements
    due = {*(wanted.currently_due or ()), *(wanted.past_due or ())} if wanted else set()
    capabilities = account.capabilities
    return Account(
        id=account.id,
        transfers_active=bool(capabilities and capabilities.transfers == "active"),
        payouts_enabled=bool(account.payouts_enabled),
        details_submitted=bool(account.details_submitted),
        requirements=sorted(due),
        country=account.country or "",
        disabled_reason=wanted.disabled_reason if wanted else None,
    )


# --- Events and balances ---------------------------------------------------------------------


def read_event(body: bytes, header: str) -> Event:
    """The event in a webhook, once its signature and its age are proved.

    Raises BadSignature for anything Stripe did not send to us just now, and WrongMode for a
    live event in test mode or the reverse.
    """
    try:
        text = body.decode()
        # The SDK cannot compare other signatures; it would end in a TypeError.
        header.encode("ascii")
    except UnicodeError as error:
        raise BadSignature("The body or its signature is not text") from error
    if not any(_signed(text, header, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        raise BadSignature("No signature fits")
    try:
        payload = json.loads(text)
        event = _event(payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadSignature("The body is not an event") from error
    if event.livemode != settings.STRIPE_LIVE:
        raise WrongMode(f"{event.id} has livemode {event.livemode}")
    return event


def _signed(text: str, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(text, header, secret, OLDEST_SIGNATURE)
    except stripe.SignatureVerificationError:
        return False
    # The SDK accepts any time in the future, which would make a stolen body replayable for ever.
    sent_at = next(part[2:] for part in header.split(",") if part.startswith("t="))
    return int(sent_at) <= time() + NEWEST_SIGNATURE


def list_events(*, since: dt.datetime) -> list[Event]:
    """Events of the platform since then, oldest first; Stripe keeps them for 30 days.

    Events of connected accounts are not among them: read those accounts instead.
    """
    with _our_errors():
        page = client().v1.events.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
        events = [_event(event.to_dict(for_json=True)) for event in page.auto_paging_iter()]
    return events[::-1]


def _event(payload: dict[str, Any]) -> Event:
    subject = payload["data"]["object"]
    return Event(
        id=payload["id"],
        type=payload["type"],
        created=_moment(payload["created"]),
        livemode=bool(payload["livemode"]),
        # A balance has no id.
        object_id=subject.get("id") or "",
        object_type=subject["object"],
        account=payload.get("account"),
        payload=payload,
    )


def list_balance_transactions(*, since: dt.datetime) -> Iterator[BalanceTransaction]:
    """Movements of our own balance since then, newest first, page by page."""
    with _our_errors():
        page = client().v1.balance_transactions.list(
            {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        )
        for moved in page.auto_paging_iter():
            yield _moved(moved)


def balance() -> dict[str, int]:
    """Our balance by currency, available and pending money together."""
    with _our_errors():
        ours = client().v1.balance.retrieve()
    sums: dict[str, int] = {}
    parts = [(part.amount, part.currency) for part in ours.available]
    parts += [(part.amount, part.currency) for part in ours.pending]
    for minor, currency in parts:
        amount = from_stripe(minor, currency)
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return sums


def _moved(moved: stripe.BalanceTransaction) -> BalanceTransaction:
    amount, fee, net = (
        from_stripe(minor, moved.currency) for minor in (moved.amount, moved.fee, moved.net)
    )
    return BalanceTransaction(
        id=moved.id,
        type=moved.type,
        amount=amount.minor,
        fee=fee.minor,
        net=net.minor,
        currency=amount.currency,
        source=_id(moved.source),
        created=_moment(moved.created),
    )


def _id(value: Any) -> str | None:
    """The id of something Stripe gave as an id or as the whole object."""
    return value if isinstance(value, str) else getattr(value, "id", None)


def _metadata(value: Any) -> dict[str, str]:
    return dict(value.to_dict()) if value else {}


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
