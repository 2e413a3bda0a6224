"""Events: read from a webhook once it is proved genuine, or listed."""

import datetime as dt
import json
from dataclasses import dataclass
from time import time
from typing import Any

import stripe
from django.conf import settings

from payments.gateway import connection
from payments.gateway.answers import moment
from payments.gateway.errors import BadSignature, WrongMode

# Seconds between signing and now; a little into the future, because clocks differ.
OLDEST_SIGNATURE, NEWEST_SIGNATURE = 300, 60


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
    with connection.our_errors():
        page = connection.client().v1.events.list(
            {"created": {"gte": int(since.timestamp())}, "limit": connection.PAGE}
        )
        events = [_event(event.to_dict(for_json=True)) for event in page.auto_paging_iter()]
    return events[::-1]


def _event(payload: dict[str, Any]) -> Event:
    subject = payload["data"]["object"]
    return Event(
        id=payload["id"],
        type=payload["type"],
        created=moment(payload["created"]),
        livemode=bool(payload["livemode"]),
        # A balance has no id.
        object_id=subject.get("id") or "",
        object_type=subject["object"],
        account=payload.get("account"),
        payload=payload,
    )
