"""Getting money back from payees' accounts: what a chargeback took, or what they return themselves;
and giving back what was collected too much.
"""

import logging

from django.db import transaction

from marketplace.core import audit, clock, outbox
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import gateway, ledger
from payments.models import Chargeback, Funding, Hold, Transfer, TransferReversal
from payments.services import commands, givebacks, receivables, transfers
from payments.services.commands import command

log = logging.getLogger(__name__)
Status = TransferReversal.Status

# The payee's account does not have that much (any more).
NOT_THERE = {"balance_insufficient", "insufficient_funds"}


def take_back(hold: Hold, chargeback: Chargeback, owed: Money) -> None:
    """Have Stripe take back what the payee now owes, as far as it was sent for this hold.

    What was not sent yet is set off when it starts. The caller holds the locks of the transfers.
    """
    receivables.lock(hold.payee)
    left = min(owed, receivables.to_collect(hold.payee, hold.currency))
    reach = {Transfer.Status.SENT, Transfer.Status.SENDING}
    for transfer in hold.transfers.filter(status__in=reach).order_by("id"):
        amount = min(left, transfer.unreversed)
        if amount.minor <= 0:
            continue
        left -= amount
        reversal = TransferReversal.objects.create(
            transfer=transfer,
            chargeback=chargeback,
            amount_minor=amount.minor,
            currency=amount.currency,
            attempt=1,
        )
        commands.give("reverse", reversal.command_id, reversal.pk)


@command("reverse")
def send(message: OutboxMessage) -> None:
    """Have Stripe take money of a transfer back. Safe to run twice: the key is the attempt's."""
    reversal = TransferReversal.objects.select_related("transfer").get(pk=message.payload["id"])
    transfer = reversal.transfer
    if reversal.status != Status.REQUESTED or reversal.command_id != message.key:
        outbox.done(message)
        return
    if transfer.status == Transfer.Status.SENDING:
        raise outbox.Later("the transfer is still on its way")
    if transfer.status != Transfer.Status.SENT:
        # It never left; it will be set off when it starts again.
        _refused(reversal.pk, message, code="not_sent", there=0)
        return
    try:
        made = commands.ask(
            message,
            lambda key: gateway.reverse_transfer(
                key=key,
                transfer=transfer.stripe_id,
                amount=reversal.amount,
                metadata={"command": message.key, "reversal": reversal.ref},
            ),
            find=lambda: gateway.find_reversal(transfer=transfer.stripe_id, command_id=message.key),
        )
    except gateway.Refused as error:
        code, there = error.code or "refused", 0
        if code in NOT_THERE:
            there = gateway.balance(account=transfer.destination).get(reversal.currency, 0)
        _refused(reversal.pk, message, code=code, there=there)
    else:
        _done(reversal.pk, made, message)


@transaction.atomic
def _done(pk: int, made: gateway.Reversal, message: OutboxMessage) -> None:
    funding, reversal = _lock(pk)
    if reversal.status == Status.REQUESTED:
        reversal.move_to(Status.DONE, stripe_id=made.id, ended_at=clock.now())
        give_back, chargeback = reversal.give_back, reversal.chargeback or standing_against(funding)
        payee = reversal.transfer.payee
        # What the payee returns themselves is the payer's, unless their bank was faster.
        returned = give_back is not None and chargeback is None
        to = ledger.payable(payee) if returned else ledger.freelancer_receivable(payee)
        ledger.post(
            f"reversal:{made.id}",
            "transfer_reversed",
            [(ledger.STRIPE_BALANCE, -reversal.amount), (to, reversal.amount)],
            ref=made.id,
        )
        rule = "C3" if returned else "C6"
        audit.record(None, "transfer.reversed", reversal, rule=rule, amount=reversal.amount_minor)
        if give_back and chargeback is None:
            givebacks.finish(give_back, source=to)
        elif give_back:
            givebacks.overtake(give_back)
        if chargeback:
            # The bank may have decided for us meanwhile: then this was too much.
            return_surplus(reversal.transfer.hold, chargeback)
    outbox.done(message)


def standing_against(funding: Funding) -> Chargeback | None:
    """The bank's claim to the payment that is open or lost."""
    claims = Chargeback.objects.filter(funding=funding).exclude(status__in=Chargeback.CLEARED)
    return claims.order_by("-pk").first()


@transaction.atomic
def _refused(pk: int, message: OutboxMessage, *, code: str, there: int) -> None:
    """Take what is there under a new key; the rest stays owed and is set off later.

    What the payee wanted to give back is taken whole or not at all.
    """
    _funding, reversal = _lock(pk)
    if reversal.status == Status.REQUESTED:
        if reversal.give_back:
            reversal.move_to(Status.REFUSED, failure=code, ended_at=clock.now())
            givebacks.refuse(reversal.give_back, reason=code)
        elif 0 < there < reversal.amount_minor:
            reversal.attempt += 1
            reversal.amount_minor = there
            reversal.failure = code
            reversal.save(update_fields=["attempt", "amount_minor", "failure"])
            commands.give("reverse", reversal.command_id, reversal.pk)
        else:
            reversal.move_to(Status.REFUSED, failure=code, ended_at=clock.now())
            log.warning("%s refused: %s; it stays owed", reversal, code)
        audit.record(None, "reversal.refused", reversal, rule="stripe", code=code, there=there)
    outbox.done(message)


def return_surplus(hold: Hold, chargeback: Chargeback) -> None:
    """Owe the payee what was collected and, the dispute being won, is theirs after all.

    It is a payout of its own, from our available balance, because the charge has been used up.
    """
    receivables.lock(hold.payee)
    receivables.recover(hold.payee, hold.currency)
    surplus = -receivables.owed_by(hold.payee, hold.currency)
    if surplus.minor <= 0:
        return
    transfer = Transfer.objects.create(
        hold=hold,
        funding=_funding_of(hold),
        payee=hold.payee,
        amount_minor=surplus.minor,
        currency=surplus.currency,
        due_at=clock.now(),
        returns=chargeback,
        status=Transfer.Status.BLOCKED,
    )
    ledger.post(
        f"surplus:{transfer.ref}",
        "surplus_returned",
        [
            (ledger.freelancer_receivable(hold.payee), -surplus),
            (ledger.payable(hold.payee), surplus),
        ],
        ref=transfer.ref,
    )
    transfers.start(transfer)


def _funding_of(hold: Hold) -> Funding:
    return Funding.objects.get(parts__hold=hold, parts__taken=True)


def _lock(pk: int) -> tuple[Funding, TransferReversal]:
    """The reversal behind its payment, because a dispute of that one may be recorded just now."""
    rows = Funding.objects.select_for_update(of=("self",), no_key=True)
    funding = rows.get(transfers__reversals=pk)
    reversal = (
        TransferReversal.objects.select_for_update(of=("self",))
        .select_related("transfer__payee", "transfer__hold__payee", "chargeback", "give_back")
        .get(pk=pk)
    )
    return funding, reversal
