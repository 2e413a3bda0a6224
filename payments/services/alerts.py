"""Calling staff about a payee's payouts: one open row per trouble, closed when it is over."""

import logging

from django.urls import reverse

from accounts.models import Party, User
from accounts.selectors import staff_who_may
from accounts.services.notices import notify
from marketplace.core import audit, clock
from marketplace.core.errors import InvalidTransition, NotAllowed
from payments.models import PayoutAccount, PayoutAlert, Transfer

log = logging.getLogger(__name__)
Kind = PayoutAlert.Kind

PERMISSION = "payments.act_on_payout"
# Owed, and not on its way.
OWED = (Transfer.Status.BLOCKED, Transfer.Status.FAILED)


def watch(payee: Party) -> None:
    """Call staff while we owe money to an account that stopped; close it when that is over.

    What is owed stays owed, whatever becomes of the account.
    """
    account = PayoutAccount.objects.filter(party=payee).first()
    if account is None:
        return
    owed = Transfer.objects.filter(payee=payee, status__in=OWED).exists()
    if account.stopped_at and owed:
        call(account, Kind.STOPPED)
    elif not account.stopped_at:
        over(account, Kind.STOPPED)


def call(account: PayoutAccount, kind: str) -> None:
    """Open the row, unless it is open, and tell everybody who may act on it."""
    alert, opened = PayoutAlert.objects.get_or_create(account=account, kind=kind, closed_at=None)
    if not opened:
        return
    # Whose account it is stands on the page of the alert: no names in logs.
    log.error("payout alert %s: %s of %s", alert.pk, kind, account)
    audit.record(None, "payout_alert.opened", alert, rule="payouts", kind=kind, account=account.pk)
    notify(
        staff_who_may(PERMISSION),
        f"payout_alert_{kind}",
        key=f"payout_alert:{alert.pk}",
        url=reverse("admin:payments_payoutalert_changelist"),
        group="work",
        facts={"name": account.party.name},
    )


def over(account: PayoutAccount, kind: str, *, by: User | None = None) -> None:
    """Close the row of this trouble, if one is open."""
    for alert in account.alerts.filter(kind=kind, closed_at=None):
        alert.closed_at = clock.now()
        alert.save(update_fields=["closed_at"])
        rule = {} if by else {"rule": "payouts"}
        audit.record(by, "payout_alert.closed", alert, kind=kind, **rule)


def take(alert: PayoutAlert, *, by: User) -> None:
    """Make it theirs, whoever had it. Raises NotAllowed, InvalidTransition when it is closed."""
    if not by.has_perm(PERMISSION):
        raise NotAllowed
    if not PayoutAlert.objects.filter(pk=alert.pk, closed_at=None).update(owner=by):
        raise InvalidTransition
    audit.record(by, "payout_alert.taken", alert)
