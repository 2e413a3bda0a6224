"""Paying out: what was released goes to the payee's account at Stripe.

A transfer waits out the security hold (`pending`), is owed (`payable`), goes on its way
(`transfer_clearing`) and is gone. Each step is a journal, so the books say where it is.
"""

import datetime as dt
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import InvalidTransition
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import gateway, ledger, signals
from payments.models import FraudWarning, Funding, Hold, PayoutAccount, Transfer
from payments.services import alerts, commands, receivables, trust
from payments.services.commands import command

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
Status = Transfer.Status

# The payee has something to do before these can succeed; everything else is for staff.
PAYEE_IS_NOT_READY = {
    "insufficient_capabilities_for_transfer",
    "account_invalid",
    "transfers_not_allowed",
}


def draw_up(hold: Hold, funding: Funding, amount: Money) -> Transfer:
    """The payee's part of a charge; the money is in `pending`. Goes at once when no hold runs."""
    days, why = trust.security_hold(hold)
    waits = bool(days) or why == Transfer.Wait.REVIEW
    transfer = Transfer.objects.create(
        hold=hold,
        funding=funding,
        payee=hold.payee,
        amount_minor=amount.minor,
        currency=amount.currency,
        due_at=clock.now() + dt.timedelta(days=days),
        wait=why if waits else Transfer.Wait.NONE,
    )
    if not waits:
        end_security_hold(transfer)
    return transfer


def end_security_hold(transfer: Transfer) -> None:
    """The money is owed now; send it if the payee can receive."""
    ledger.post(
        f"owed:{transfer.ref}",
        "security_hold_over",
        [
            (ledger.pending(transfer.payee), -transfer.to_send),
            (ledger.payable(transfer.payee), transfer.to_send),
        ],
        ref=transfer.ref,
    )
    if not start(transfer):
        transfer.move_to(Status.BLOCKED)
        _tell_to_connect(transfer)
        alerts.watch(transfer.payee)


def start(transfer: Transfer, *, by: "User | None" = None) -> bool:
    """Put owed money on its way; False when the payee's account cannot receive it yet."""
    account = PayoutAccount.objects.filter(party=transfer.payee, can_receive=True).first()
    if account is None:
        return False
    # What the payee owes us comes first.
    kept = receivables.set_off(transfer)
    changes = {
        "attempt": transfer.attempt + 1,
        "set_off_minor": transfer.set_off_minor + kept.minor,
        "failure": "",
    }
    if kept == transfer.to_send:
        transfer.move_to(Status.SET_OFF, **changes)
        return True
    transfer.move_to(Status.SENDING, destination=account.stripe_id, **changes)
    ledger.post(
        transfer.command_id,
        "transfer_started",
        [
            (ledger.payable(transfer.payee), -transfer.to_send),
            (ledger.transfer_clearing(transfer), transfer.to_send),
        ],
        by=by,
        ref=transfer.ref,
    )
    commands.give("transfer", transfer.command_id, transfer.pk)
    return True


@command("transfer")
def send(message: OutboxMessage) -> None:
    """Have Stripe move the money. Safe to run twice: the key belongs to the attempt."""
    transfer = Transfer.objects.select_related("funding").get(pk=message.payload["id"])
    if transfer.status != Status.SENDING or transfer.command_id != message.key:
        outbox.done(message)
        return
    try:
        sent = commands.ask(
            message,
            lambda key: gateway.transfer(
                key=key,
                amount=transfer.to_send,
                destination=transfer.destination,
                # Stripe then moves it as soon as the charge has settled, not before. What we got
                # back from a bank is not in the charge any more.
                source_charge="" if transfer.returns_id else transfer.funding.charge_id,
                transfer_group=transfer.funding.transfer_group,
                metadata={"command": message.key, "transfer": transfer.ref},
            ),
            find=lambda: gateway.find_transfer(
                transfer_group=transfer.funding.transfer_group, command_id=message.key
            ),
        )
    except gateway.Refused as error:
        _refused(transfer.pk, error, message)
    else:
        _sent(transfer.pk, sent, message)


@transaction.atomic
def _sent(pk: int, sent: gateway.Transfer, message: OutboxMessage) -> None:
    transfer = _lock(pk)
    if transfer.status == Status.SENDING:
        transfer.move_to(Status.SENT, stripe_id=sent.id, sent_at=clock.now())
        waits = transfer.hold.transfers.exclude(status__in=Transfer.DONE).exists()
        # What was placed by a person is no longer about the work.
        if not waits and transfer.placement_id is None:
            signals.payee_paid.send(sender=Hold, hold=transfer.hold, at=transfer.sent_at)
        ledger.post(
            f"transfer:{sent.id}",
            "transfer_sent",
            [
                (ledger.transfer_clearing(transfer), -transfer.to_send),
                (ledger.STRIPE_BALANCE, transfer.to_send),
            ],
            ref=sent.id,
        )
        audit.record(None, "transfer.sent", transfer, rule="release", amount=transfer.to_send.minor)
    outbox.done(message)


@transaction.atomic
def _refused(pk: int, error: gateway.Refused, message: OutboxMessage) -> None:
    """Stripe said no: it is owed again. The payee or a person of ours has something to do."""
    transfer = _lock(pk)
    if transfer.status == Status.SENDING:
        not_ready = error.code in PAYEE_IS_NOT_READY
        transfer.move_to(
            Status.BLOCKED if not_ready else Status.FAILED, failure=error.code or "refused"
        )
        ledger.post(
            f"{transfer.command_id}:refused",
            "transfer_refused",
            [
                (ledger.transfer_clearing(transfer), -transfer.to_send),
                (ledger.payable(transfer.payee), transfer.to_send),
            ],
            ref=transfer.ref,
        )
        if not_ready:
            # What we believed about the account is wrong; the next look at Stripe puts it right.
            stopped = PayoutAccount.objects.filter(party=transfer.payee, can_receive=True)
            stopped.update(can_receive=False, stopped_at=clock.now())
            _tell_to_connect(transfer)
            alerts.watch(transfer.payee)
        log.error("%s refused: %s (%s)", transfer, error, error.code)
        audit.record(None, "transfer.refused", transfer, rule="stripe", code=error.code)
    outbox.done(message)


@transaction.atomic
def retry(transfer: Transfer, *, by: "User") -> None:
    """Send a failed transfer once more, under a new key: what staff press.

    Raises InvalidTransition when it is not waiting for that.
    """
    locked = _lock(transfer.pk)
    if locked.status not in {Status.FAILED, Status.BLOCKED}:
        raise InvalidTransition
    if not _looked_at().filter(pk=locked.pk).exists():
        raise InvalidTransition(_("A warning about this payment has to be lifted first."))
    if not start(locked, by=by) and locked.status == Status.FAILED:
        locked.move_to(Status.BLOCKED)
    audit.record(by, "transfer.retried", locked, attempt=locked.attempt)


def run_due(*, limit: int = 100) -> int:
    """End the security holds whose time has come and send what a payee can receive now.

    What a person of ours has to look at waits for them. Beat calls it; two at once take different
    rows.
    """
    waiting = _looked_at().filter(status=Status.WAITING, due_at__lte=clock.now())
    ready = _looked_at().filter(status=Status.BLOCKED, payee__payout_account__can_receive=True)
    moved = 0
    while moved < limit and (
        _next(waiting.order_by("due_at"), end_security_hold) or _next(ready.order_by("id"), start)
    ):
        moved += 1
    return moved


def _looked_at() -> "QuerySet[Transfer]":
    """Those no suspicion of ours keeps back."""
    reviews = FraudWarning.objects.filter(
        funding=OuterRef("funding"), ours=True, status=FraudWarning.Status.OPEN
    )
    return Transfer.objects.filter(~Exists(reviews))


def resume(payee: Party) -> None:
    """Send what waited for the payee's account. What is decided meanwhile the sweep finds."""
    blocked = _looked_at().filter(payee=payee, status=Status.BLOCKED)
    for transfer in blocked.select_for_update(skip_locked=True).order_by("id"):
        start(transfer)


@transaction.atomic
def _next(due: QuerySet[Transfer], act: Callable[[Transfer], object]) -> bool:
    transfer = due.select_for_update(skip_locked=True, of=("self",)).first()
    if transfer is None:
        return False
    act(transfer)
    return True


def _lock(pk: int) -> Transfer:
    return (
        Transfer.objects.select_for_update(of=("self",))
        .select_related("hold", "payee", "funding")
        .get(pk=pk)
    )


def _tell_to_connect(transfer: Transfer) -> None:
    notify(
        people_of(transfer.payee, "manage"),
        "payout_blocked",
        key=f"payout_blocked:{transfer.ref}",
        url=reverse("payments:payout-setup"),
        group="money",
        facts={"amount": transfer.amount, "label": transfer.hold.label},
    )
