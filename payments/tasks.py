"""Celery doors of money: each is safe to run twice and beside itself."""

import logging

from celery import shared_task

from payments import gateway, ledger
from payments.services import due, inbox

log = logging.getLogger(__name__)


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
def roll_up() -> None:
    """Bring the sums of shared ledger accounts up to date."""
    ledger.roll_up()
