"""Celery doors of money: each is safe to run twice and beside itself."""

import datetime as dt
import logging

from celery import shared_task

from marketplace.core import clock
from payments import gateway, ledger
from payments.services import due, inbox, reconciliation

log = logging.getLogger(__name__)

# How far back the hourly comparison looks; the whole past is for the command.
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
def reconcile() -> None:
    """Catch up with what Stripe shows of the last days; what stays different is said aloud."""
    try:
        report = reconciliation.reconcile(since=clock.now() - RECONCILED)
    except gateway.Unavailable as error:
        log.warning("not reconciled: %s", error)
        return
    for line in report.differences:
        log.error("reconcile: %s", line)


@shared_task
def roll_up() -> None:
    """Bring the sums of shared ledger accounts up to date."""
    ledger.roll_up()
