"""Celery doors of the core."""

from celery import shared_task

from marketplace.core import audit, outbox, retention


@shared_task
def deliver_message(message_id: int) -> None:
    """Carry out one outbox message. Safe to run twice."""
    outbox.deliver(message_id)


@shared_task
def deliver_outbox() -> None:
    """Carry out what no nudge reached. Safe beside itself: rows are leased."""
    outbox.deliver_due()


@shared_task
def seal_audit() -> None:
    """Chain the audit rows committed since the last link."""
    audit.seal()


@shared_task
def forget_old() -> None:
    """Remove drafts, answers and mail rows past their time. Safe to run twice."""
    retention.forget_old()
