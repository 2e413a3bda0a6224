"""News from payments: the money of a milestone came, went, or never arrived."""

import datetime as dt
from typing import Any

from django.dispatch import receiver

from payments.models import Hold
from payments.signals import funding_ended, funds_received, payee_paid, payer_refunded
from projects.services import funding


@receiver(funds_received, sender=Hold)
def fund(hold: Hold, at: dt.datetime, **_rest: Any) -> None:
    """Its milestone is funded, in the transaction that books the money."""
    funding.record_funds(hold, at=at)


@receiver(funding_ended, sender=Hold)
def wait_again(hold: Hold, **_rest: Any) -> None:
    """Its milestone waits for another try to pay."""
    funding.record_no_funds(hold)


@receiver(payee_paid, sender=Hold)
def note_payout(hold: Hold, **_rest: Any) -> None:
    """The freelancer's share has left us."""
    funding.record_payout(hold)


@receiver(payer_refunded, sender=Hold)
def note_refund(hold: Hold, **_rest: Any) -> None:
    """The client's share has left us."""
    funding.record_refund(hold)
