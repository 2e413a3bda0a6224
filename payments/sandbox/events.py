"""Events: what happened, for the list and for webhooks."""

import hashlib
import hmac
import json
import time

from django.conf import settings

from payments.sandbox.state import PLATFORM, Body, public
from payments.sandbox.world import World


def emit(world: World, kind: str, subject: Body, *, account: str = PLATFORM) -> None:
    """Record an event with a snapshot of its object, and queue its webhook."""
    state = world.state
    event = state.create(
        "event",
        account=account,
        type=kind,
        api_version=settings.STRIPE_API_VERSION,
        data={"object": public(subject)},
        pending_webhooks=1,
        request={"id": None, "idempotency_key": None},
    )
    if account != PLATFORM:
        event["account"] = account
        state.save(event)
    world.check(public(subject), kind)
    world.check(public(event), kind)
    lost = world.next_is_lost()
    for _ in range(1 + world.switches.duplicate):
        state.add_delivery(event["id"], delay=world.switches.delay, lost=lost)


def payload(world: World, event_id: str) -> bytes:
    """The body of the webhook."""
    event = world.state.find(event_id)
    assert event is not None, "deliveries name stored events"  # noqa: S101
    return json.dumps(public(event), indent=2).encode()


def signature(body: bytes, secret: str) -> str:
    """The Stripe-Signature header for a body sent now."""
    sent_at = int(time.time())
    digest = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={sent_at},v1={digest}"
