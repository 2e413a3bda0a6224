"""The connection to Stripe: which one, with what patience, and what its errors mean."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import stripe
from django.conf import settings
from django.utils.module_loading import import_string

from payments.gateway.errors import KeyReused, Refused, Unavailable

# The SDK would otherwise write an id file into the home folder and report timings.
stripe.enable_telemetry = False

CONNECT_TIMEOUT, READ_TIMEOUT = 3.05, 15
# Repeats of a request carry its key, so one repeat is safe; longer waits belong to the outbox.
NETWORK_RETRIES = 1
PAGE = 100
# Nobody did anything: our key is refused, the object is busy, or we ask too much at once.
TRY_LATER = {401, 409, 429}


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
def our_errors() -> Iterator[None]:
    """Turn the SDK's errors into ours, by what they mean for the command."""
    try:
        yield
    except stripe.IdempotencyError as error:
        raise KeyReused(str(error)) from error
    except stripe.StripeError as error:
        status = error.http_status or 0
        if 400 <= status < 500 and status not in TRY_LATER:
            raise Refused(_code(error), error.user_message or str(error)) from error
        raise Unavailable(str(error), answered=status >= 500) from error


def _code(error: stripe.StripeError) -> str:
    """Stripe's word for the reason; the SDK's error for 403 has it only inside."""
    inner = error.error
    return error.code or (inner.code if inner else "") or ""
