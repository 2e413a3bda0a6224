"""Reading what Stripe tells us: stored first, then a reason to look, never taken as the truth."""

import datetime as dt
import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from marketplace.core import clock, outbox, retention
from payments import gateway, tasks
from payments.models import EventPoll, Payout, PayoutAccount, StripeEvent
from payments.services import bank_payouts, chargebacks, payouts, refunds, warnings
from payments.services import funding as fundings

log = logging.getLogger(__name__)
State = StripeEvent.State

# Longer than any reading takes, so that a living reader is not overtaken.
LEASE = dt.timedelta(seconds=90)
GIVE_UP_AFTER = 15
# Stripe shows events for 30 days; ours may arrive out of order, so we look back a little.
EVENTS_LIVE = dt.timedelta(days=29)
OVERLAP = dt.timedelta(hours=2)

Reader = Callable[[StripeEvent], None]


# --- In -------------------------------------------------------------------------------------


@transaction.atomic
def receive(event: gateway.Event) -> StripeEvent:
    """Keep the event; hearing it again changes nothing. A task reads it after commit."""
    now = clock.now()
    stored, created = StripeEvent.objects.get_or_create(
        event_id=event.id,
        defaults={
            "type": event.type[:80],
            "object_id": event.object_id,
            "account_id": event.account or "",
            "api_version": event.payload.get("api_version") or "",
            "happened_at": event.created,
            "received_at": now,
            "due_at": now,
            "state": State.PENDING if event.type in READERS else State.IGNORED,
        },
    )
    if created and stored.state == State.PENDING:
        outbox.nudge(tasks.read_event, stored.pk)
    return stored


def poll(*, limit: int = 1000) -> int:
    """Fetch events whose delivery failed; returns how many were new to us.

    Goes on where the last poll ended, however many webhooks have come since.
    """
    now, last = clock.now(), EventPoll.objects.first()
    since = max(now - EVENTS_LIVE, last.up_to - OVERLAP) if last else now - EVENTS_LIVE
    up_to, new = now, 0
    for event in gateway.list_events(since=since):
        if new == limit:
            up_to = event.created
            break
        if not StripeEvent.objects.filter(event_id=event.id).exists():
            receive(event)
            new += 1
    EventPoll.objects.update_or_create(pk=1, defaults={"up_to": up_to})
    return new


@retention.forgets("stripe_events")
def read_events() -> QuerySet[StripeEvent]:
    """Events that are read or of no interest; what waits or was parked stays, however old."""
    oldest = clock.now() - dt.timedelta(days=settings.STRIPE_EVENT_DAYS)
    settled = StripeEvent.objects.filter(state__in=[State.DONE, State.IGNORED])
    return settled.filter(received_at__lt=oldest)


# --- Reading --------------------------------------------------------------------------------


def read_due(*, limit: int = 100) -> int:
    """Read what waits, one event after the other; returns how many were tried."""
    tried = 0
    while tried < limit and (event := _lease()):
        _read(event)
        tried += 1
    return tried


def read(pk: int) -> None:
    """Read one event now, unless it is read or somebody is at it."""
    if event := _lease(pk):
        _read(event)


@transaction.atomic
def _lease(pk: int | None = None) -> StripeEvent | None:
    due = StripeEvent.objects.filter(state=State.PENDING, due_at__lte=clock.now())
    if pk:
        due = due.filter(pk=pk)
    event = due.select_for_update(skip_locked=True).order_by("due_at", "id").first()
    if event:
        event.attempts += 1
        event.due_at = clock.now() + LEASE
        event.save(update_fields=["attempts", "due_at"])
    return event


def _read(event: StripeEvent) -> None:
    try:
        READERS[event.type](event)
    except gateway.Unavailable as error:
        _again(event, str(error))
    except Exception as error:
        log.exception("%s could not be read", event)
        if event.attempts >= GIVE_UP_AFTER:
            log.critical("%s is parked", event)
            _pending(event).update(state=State.PARKED, last_error=repr(error)[:2000])
        else:
            _again(event, repr(error))
    else:
        _pending(event).update(state=State.DONE, done_at=clock.now(), last_error="")


def wake(events: QuerySet[StripeEvent]) -> int:
    """Read parked events again; returns how many were."""
    return events.filter(state=State.PARKED).update(
        state=State.PENDING, attempts=0, due_at=clock.now()
    )


def _again(event: StripeEvent, reason: str) -> None:
    wait = dt.timedelta(seconds=min(2**event.attempts, 600))
    _pending(event).update(due_at=clock.now() + wait, last_error=reason[:2000])


def _pending(event: StripeEvent) -> QuerySet[StripeEvent]:
    return StripeEvent.objects.filter(pk=event.pk, state=State.PENDING)


# --- What each type makes us look at ----------------------------------------------------------


def _checkout(event: StripeEvent) -> None:
    fundings.record(
        gateway.retrieve_checkout(event.object_id),
        failed=event.type == "checkout.session.async_payment_failed",
    )


def _charge(event: StripeEvent) -> None:
    fundings.record_fee(gateway.retrieve_charge(event.object_id))


def _refund(event: StripeEvent) -> None:
    refunds.record(gateway.retrieve_refund(event.object_id))


def _dispute(event: StripeEvent) -> None:
    chargebacks.record(gateway.retrieve_dispute(event.object_id))


def _fraud_warning(event: StripeEvent) -> None:
    warnings.record(gateway.retrieve_fraud_warning(event.object_id))


def _account(event: StripeEvent) -> None:
    account = PayoutAccount.objects.filter(stripe_id=event.account_id or event.object_id).first()
    if account:
        payouts.refresh(account)


def _payout(event: StripeEvent) -> None:
    # Payouts of our own account have no account on them and are ours to see in the dashboard.
    account = PayoutAccount.objects.filter(stripe_id=event.account_id).first()
    if event.account_id and account and not account.is_lost:
        told = gateway.retrieve_payout(event.object_id, account=event.account_id)
        bank_payouts.record(account, told)
        if told.status == Payout.Status.FAILED:
            payouts.refresh(account)
        bank_payouts.learn_available(account)


def _available(event: StripeEvent) -> None:
    account = PayoutAccount.objects.filter(stripe_id=event.account_id).first()
    if event.account_id and account:
        bank_payouts.learn_available(account)


READERS: dict[str, Reader] = {
    "checkout.session.completed": _checkout,
    "checkout.session.expired": _checkout,
    "checkout.session.async_payment_succeeded": _checkout,
    "checkout.session.async_payment_failed": _checkout,
    # The fee of a charge may become known after the charge.
    "charge.updated": _charge,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "radar.early_fraud_warning.created": _fraud_warning,
    "account.updated": _account,
    "account.external_account.created": _account,
    "account.external_account.updated": _account,
    "account.external_account.deleted": _account,
    "balance.available": _available,
    "account.application.deauthorized": _account,
    "capability.updated": _account,
    "payout.created": _payout,
    "payout.updated": _payout,
    "payout.paid": _payout,
    "payout.failed": _payout,
    "payout.canceled": _payout,
}
