"""Celery doors of money: each is safe to run twice and beside itself."""

import datetime as dt
import logging

from celery import shared_task

from marketplace.core import clock
from payments import gateway, ledger
from payments.services import due, inbox, reconciliation, tax_requests, verification

log = logging.getLogger(__name__)

# How far back the hourly comparison looks; the whole past is for the nightly one.
RECONCILED = dt.timedelta(days=3)


@shared_task
def read_event(event_id: int) -> None:
    """Read one event of Stripe's."""
    inbox.read(event_id)


@shared_task
def read_inbox() -> None:
    """Read the events no nudge reached."""
    inbox.read_due()


@shared_task
def poll_events() -> None:
    """Fetch events whose delivery failed."""
    try:
        inbox.poll()
    except gateway.Unavailable as error:
        log.warning("no events today: %s", error)


@shared_task
def run_due() -> None:
    """Do what is due: security holds that end, payouts that may go, answers that never came."""
    due.run()


@shared_task
def ask_for_tax_details() -> None:
    """Find out who has answered, and ask whoever earned something and has not told us; daily."""
    tax_requests.look_for_answers()
    tax_requests.ask_all()
    tax_requests.call_for_reviews()


@shared_task
def reconcile() -> None:
    """Catch up with what Stripe shows of the last days; what stays different becomes a row."""
    _reconcile(clock.now() - RECONCILED)


@shared_task
def reconcile_everything() -> None:
    """The same for the whole past and for the balance itself, then prove the ledger; nightly."""
    _reconcile(None)
    for finding in verification.verify():
        for line in finding.broken:
            log.error("the ledger is broken: %s", line)


def _reconcile(since: dt.datetime | None) -> None:
    try:
        reconciliation.reconcile(since=since)
    except gateway.Unavailable as error:
        log.warning("not reconciled: %s", error)


@shared_task
def roll_up() -> None:
    """Bring the sums of shared ledger accounts up to date."""
    ledger.roll_up()
