"""Money a payee gives back after its release (rule C3): all of it or part, once it is wanted.

What is still with us goes back at once, out of the security hold or of what is owed. What was paid
out is taken back from the payee's account first, whole or not at all: it never falls below zero.
Our fees of both sides go back with it in proportion (rule C4), so that all give-backs of a hold
together cost nobody a cent more than giving all of it back at once.

Locks like the news from Stripe: payment, transfers, hold. Rows of the market are not locked: their
part in this money has ended.
"""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.core import audit, clock, outbox
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import ledger, signals
from payments.models import Funding, GiveBack, Hold, Invoice, Transfer, TransferReversal
from payments.models.holds import Shares
from payments.services import commands, credit_notes, refunds

if TYPE_CHECKING:
    from accounts.models import User

RULE = "C3"
Status = GiveBack.Status
# Where money of a transfer stands that has not left us.
WITH_US = {Transfer.Status.WAITING, Transfer.Status.BLOCKED, Transfer.Status.FAILED}
LEFT_US = {Transfer.Status.SENDING, Transfer.Status.SENT}


def can_give_back(hold: Hold) -> bool:
    """Whether something of it was earned and its release is not too long ago."""
    until = hold.returnable_until(hold.policy)
    return until is not None and clock.now() <= until


def what_moves(hold: Hold, amount: Money) -> Shares:
    """Who gives and gets what when so much of what was earned is given back.

    The differences of two shares, so that several give-backs add up to the last minor unit.
    """
    before, after = hold.shares(hold.kept), hold.shares(hold.kept - amount)
    return Shares(
        to_payee=before.to_payee - after.to_payee,
        freelancer_fee=before.freelancer_fee - after.freelancer_fee,
        client_fee=before.client_fee - after.client_fee,
        to_payer=after.to_payer - before.to_payer,
    )


@transaction.atomic
def give_back(hold: Hold, *, by: "User", amount: Money, seen: Money | None = None) -> GiveBack:
    """Return so much of what the payee earned to the payer, with both fees of it.

    `seen` is what was left when the payee decided: InvalidTransition when it is not any more, so
    that a double click gives once. Raises InvalidInput for more than is left, ChargedBack while the
    payer's bank claims the payment, DomainError with a reason when the money is out of reach.
    """
    if hold.ended_at is None:
        raise InvalidTransition
    funding, transfer, hold = _lock(hold)
    if not can_give_back(hold):
        raise InvalidTransition
    if hold.give_backs.filter(status=Status.COLLECTING).exists():
        raise InvalidTransition(_("Money of this milestone is on its way back already."))
    if seen is not None and seen != hold.kept:
        raise InvalidTransition
    if amount.currency != hold.currency or not 0 < amount.minor <= hold.kept.minor:
        raise InvalidInput(
            _("Enter an amount between zero and %(all)s") % {"all": money_text(hold.kept)},
            field="amount",
        )
    refunds.refuse_charged_back(funding)
    parts = what_moves(hold, amount)
    _require_reach(transfer, parts.to_payee)
    returned = GiveBack.objects.create(
        hold=hold,
        amount_minor=amount.minor,
        from_payee_minor=parts.to_payee.minor,
        fees_minor=parts.fees.minor,
        to_payer_minor=parts.to_payer.minor,
        currency=hold.currency,
        given_by=by,
        given_at=clock.now(),
    )
    audit.record(by, "hold.giving_back", hold, give_back=returned.pk, amount=amount.minor)
    if transfer.status in LEFT_US and returned.from_payee:
        _collect(returned, transfer)
    else:
        finish(returned, source=_keep_here(transfer, returned.from_payee))
    return returned


def hurry(returned: GiveBack) -> GiveBack:
    """Ask Stripe now, so that the person reads what came of it; call it outside transactions.

    Without an answer the command is repeated, and both are told later.
    """
    if returned.status == Status.COLLECTING:
        message = OutboxMessage.objects.filter(key=returned.reversal.command_id).first()
        if message:
            outbox.deliver(message.pk)
        returned.refresh_from_db()
    return returned


def finish(returned: GiveBack, *, source: ledger.Name) -> None:
    """The payee's part is with us, in `source`: it goes to the payer with our fees.

    The caller holds the lock of the payment.
    """
    hold = returned.hold
    hold.refresh_from_db(from_queryset=Hold.objects.select_for_update(no_key=True))
    hold.given_back_minor += returned.amount_minor
    # What is set aside goes with the money too; older holds have nothing there.
    before = Money(hold.reserved_minor, hold.currency)
    freed = before - min(before, hold.to_reserve(hold.kept))
    hold.reserved_minor -= freed.minor
    hold.save(update_fields=["given_back_minor", "reserved_minor"])
    funding = Funding.objects.get(parts__hold=hold, parts__taken=True)
    refund = refunds.draw_up(hold, funding, returned.to_payer, give_back=returned)
    # What our fees gave to the tax office comes back from there.
    vat = _credit(returned)
    ledger.post(
        f"give_back:{returned.ref}",
        "given_back",
        [
            (source, -returned.from_payee),
            (ledger.FEE_REVENUE, vat - returned.fees),
            (ledger.VAT_PAYABLE, -vat),
            (ledger.RESERVE_COST, freed),
            (ledger.CHARGEBACK_RESERVE, -freed),
            (ledger.refund_clearing(refund), returned.to_payer),
        ],
        by=returned.given_by,
        ref=hold.ref,
    )
    refunds.request(refund)
    _close(returned, Status.DONE)


def _credit(returned: GiveBack) -> Money:
    """Issue the credit notes to the papers of this hold; the VAT on those to our own invoices."""
    kind = Invoice.Kind
    parts = {
        kind.WORK: returned.amount,
        kind.CLIENT_FEE: returned.to_payer - returned.amount,
        kind.FREELANCER_FEE: returned.amount - returned.from_payee,
    }
    vat = Money.zero(returned.currency)
    # In the order in which they were issued, so that their series are locked in that of everybody.
    for paper in returned.hold.invoices.filter(kind__in=parts).order_by("pk"):
        amount = parts[kind(paper.kind)]
        if not amount:
            continue
        # Paper is written in the operator's language, whoever pressed the button.
        with translation.override(settings.LANGUAGE_CODE):
            reason = _("Given back by the freelancer")
        note = credit_notes.issue(paper, amount=amount, reason=reason, at=returned.given_at)
        if paper.seller_id is None:
            vat += note.tax
    return vat


def refuse(returned: GiveBack, *, reason: str) -> None:
    """The payee's account does not have it any more: nothing has moved."""
    _close(returned, Status.REFUSED, failure=reason[:80])


def overtake(returned: GiveBack) -> None:
    """The payer's bank took the payment back meanwhile; what came counts towards that."""
    _close(returned, Status.OVERTAKEN)


def _close(returned: GiveBack, how: GiveBack.Status, *, failure: str = "") -> None:
    returned.move_to(how, ended_at=clock.now(), failure=failure)
    hold = returned.hold
    audit.record(
        returned.given_by, f"give_back.{how}", hold, rule=RULE, amount=returned.amount_minor
    )
    signals.money_given_back.send(sender=Hold, hold=hold, give_back=returned)


def _lock(hold: Hold) -> tuple[Funding, Transfer, Hold]:
    """Payment, transfer, hold: the order of the news from Stripe."""
    rows = Funding.objects.select_for_update(no_key=True)
    funding = rows.get(pk=_funding_of(hold))
    transfer = (
        Transfer.objects.select_for_update(of=("self",), no_key=True)
        .select_related("payee")
        .filter(hold=hold, returns__isnull=True)
        .first()
    )
    if transfer is None:
        # Nothing of it ever was the payee's.
        raise InvalidTransition
    locked = Hold.objects.select_for_update(of=("self",), no_key=True).select_related(
        "policy", "payee", "payer"
    )
    return funding, transfer, locked.get(pk=hold.pk)


def _funding_of(hold: Hold) -> int:
    parts = Funding.objects.filter(parts__hold=hold, parts__taken=True)
    return parts.values_list("pk", flat=True).get()


def _require_reach(transfer: Transfer, wanted: Money) -> None:
    """Raise DomainError when less than that of the transfer is with us or with the payee."""
    reach = Money.zero(transfer.currency)
    if transfer.status in WITH_US:
        reach = transfer.to_send
    elif transfer.status in LEFT_US:
        reach = transfer.unreversed
    if reach < wanted:
        raise DomainError(
            _(
                "Only %(reach)s of this payment reached you: the rest was kept against what you "
                "owe us, or taken back before. Choose a lower amount."
            )
            % {"reach": money_text(reach)},
            code="out_of_reach",
        )


def _keep_here(transfer: Transfer, amount: Money) -> ledger.Name:
    """Take that much out of a transfer that has not left; where its money stands in the books."""
    waits = transfer.status == Transfer.Status.WAITING
    transfer.given_back_minor += amount.minor
    if transfer.to_send:
        transfer.save(update_fields=["given_back_minor"])
    else:
        transfer.move_to(
            Transfer.Status.GIVEN_BACK, given_back_minor=transfer.given_back_minor, failure=""
        )
    return ledger.pending(transfer.payee) if waits else ledger.payable(transfer.payee)


def _collect(returned: GiveBack, transfer: Transfer) -> None:
    """Have Stripe take the payee's part back; the rest follows when it is here."""
    reversal = TransferReversal.objects.create(
        transfer=transfer,
        give_back=returned,
        amount_minor=returned.from_payee_minor,
        currency=returned.currency,
        attempt=1,
    )
    commands.give("reverse", reversal.command_id, reversal.pk)
