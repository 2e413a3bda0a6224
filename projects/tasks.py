"""Celery doors of work: what is due, done."""

import logging
from collections.abc import Callable

from celery import shared_task

from projects.services import (
    approvals,
    bonuses,
    custody,
    deliveries,
    disputes,
    dormancy,
    ending,
    lateness,
    posting,
    proposals,
    reviews,
)
from projects.services.change_orders import offers

log = logging.getLogger(__name__)

# Each works through what is due and says how much that was.
SWEEPS: tuple[Callable[[], object], ...] = (
    posting.expire_due,
    deliveries.remind_due,
    approvals.approve_due,
    ending.remind_due,
    ending.lapse_due,
    ending.forget_consents,
    proposals.lapse_due,
    offers.end_due,
    lateness.notice_due,
    dormancy.run_due,
    custody.run_due,
    bonuses.release_due,
    disputes.notice_due,
    reviews.publish_due,
)


@shared_task
def run_due() -> None:
    """Do everything whose time has come. Safe to run twice and side by side.

    One sweep that fails does not keep the others from running.
    """
    for sweep in SWEEPS:
        try:
            sweep()
        except Exception:
            log.exception("%s.%s failed", sweep.__module__, sweep.__name__)
