"""What payees owe us after a chargeback, and how later earnings pay it off.

A payee's own balance never falls below zero (rule C6): what their account no longer has stays here
as a receivable and is set off against what we would send them next. What we stopped to believe in
is written off: our loss in the books, still owed by them, and income again as far as it comes.
"""

from django.db.models import F, QuerySet
from django.urls import reverse

from accounts.models import Party
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import audit
from marketplace.core.money import Money
from payments import ledger
from payments.models import Transfer, TransferReversal, WriteOff


def lock(payee: Party) -> None:
    """Let nobody else collect from this payee until the transaction ends."""
    Party.objects.select_for_update(no_key=True).get(pk=payee.pk)


def owed_by(payee: Party, currency: str) -> Money:
    """What the payee owes us; negative when we collected too much."""
    return -ledger.balance(ledger.freelancer_receivable(payee), currency)


def to_collect(payee: Party, currency: str) -> Money:
    """What is still to be collected: owed, and not just being taken back at Stripe."""
    running = TransferReversal.objects.filter(
        transfer__payee=payee,
        currency=currency,
        status=TransferReversal.Status.REQUESTED,
        chargeback__isnull=False,
    )
    coming = sum(running.values_list("amount_minor", flat=True))
    return owed_by(payee, currency) + written_off(payee, currency) - Money(coming, currency)


def written_off(payee: Party, currency: str) -> Money:
    """What we wrote off and they still owe."""
    rows = _outstanding(payee, currency).values_list("amount_minor", "recovered_minor")
    return Money(sum(lost - back for lost, back in rows), currency)


def recover(payee: Party, currency: str) -> None:
    """What came in over what the books say is owed pays for what was written off, oldest first.

    The caller holds `lock` of the payee.
    """
    came = -owed_by(payee, currency)
    for row in _outstanding(payee, currency).order_by("pk"):
        part = min(came, row.outstanding)
        if part.minor <= 0:
            return
        came -= part
        row.recovered_minor += part.minor
        row.save(update_fields=["recovered_minor"])
        ledger.post(
            f"recovered:{row.ref}:{row.recovered_minor}",
            "recovered",
            [(ledger.freelancer_receivable(payee), -part), (ledger.BAD_DEBT, part)],
            ref=row.ref,
        )
        audit.record(None, "writeoff.recovered", row, rule="C6", amount=part.minor)


def _outstanding(payee: Party, currency: str) -> QuerySet[WriteOff]:
    return WriteOff.objects.filter(
        payee=payee,
        currency=currency,
        status=WriteOff.Status.POSTED,
        recovered_minor__lt=F("amount_minor"),
    )


def set_off(transfer: Transfer) -> Money:
    """Keep of a transfer about to start what its payee owes; returns how much was kept.

    The money is in `payable`. The caller holds the transfer's lock and saves `set_off_minor`.
    """
    lock(transfer.payee)
    wanted = to_collect(transfer.payee, transfer.currency)
    kept = min(wanted, transfer.to_send)
    if kept.minor <= 0:
        return Money.zero(transfer.currency)
    ledger.post(
        f"set_off:{transfer.ref}:{transfer.attempt + 1}",
        "set_off",
        [
            (ledger.payable(transfer.payee), -kept),
            (ledger.freelancer_receivable(transfer.payee), kept),
        ],
        ref=transfer.ref,
    )
    recover(transfer.payee, transfer.currency)
    audit.record(None, "transfer.set_off", transfer, rule="C6", amount=kept.minor)
    notify(
        people_of(transfer.payee, "manage"),
        "earnings_set_off",
        key=f"earnings_set_off:{transfer.ref}:{transfer.attempt + 1}",
        url=reverse("payments:earnings"),
        group="money",
        facts={"amount": kept, "label": transfer.hold.label, "rest": wanted - kept},
    )
    return kept
