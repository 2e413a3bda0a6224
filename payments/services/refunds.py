"""Giving back: money returns by the charge it came by."""

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import DomainError
from marketplace.core.models import OutboxMessage
from marketplace.core.money import Money
from payments import gateway, ledger, signals
from payments.models import Chargeback, Funding, GiveBack, Hold, Placement, Refund
from payments.services import commands
from payments.services.commands import command

if TYPE_CHECKING:
    from datetime import timedelta

log = logging.getLogger(__name__)
Status = Refund.Status

FAILED = {"failed", "canceled"}


class ChargedBack(DomainError):
    """The payer's bank has the payment already, or is about to decide who gets it."""

    code = "charged_back"
    default_message = _(
        "The bank of the client disputes this card payment and returns the money itself. "
        "A refund on top would pay it back twice."
    )


def refuse_charged_back(funding: Funding) -> None:
    """Raise ChargedBack when a bank has disputed the payment and did not lose."""
    disputes = Chargeback.objects.filter(funding=funding).exclude(status__in=Chargeback.CLEARED)
    if disputes.exists():
        raise ChargedBack


def draw_up(
    hold: Hold,
    funding: Funding,
    amount: Money,
    *,
    undisputed: bool = False,
    give_back: GiveBack | None = None,
    placement: Placement | None = None,
) -> Refund:
    """The payer's part of a charge. The caller posts it to `refund_clearing` and requests it.

    Raises ChargedBack for a payment a bank has disputed, unless it is for the `undisputed` rest.
    """
    if not undisputed:
        refuse_charged_back(funding)
    return Refund.objects.create(
        hold=hold,
        funding=funding,
        payer=funding.payer,
        give_back=give_back,
        placement=placement,
        amount_minor=amount.minor,
        currency=amount.currency,
        attempt=1,
    )


def request(refund: Refund) -> None:
    """Have Stripe give it back after this transaction."""
    commands.give("refund", refund.command_id, refund.pk)


@command("refund")
def send(message: OutboxMessage) -> None:
    """Have Stripe give the money back. Safe to run twice: the key belongs to the refund."""
    refund = Refund.objects.select_related("funding").get(pk=message.payload["id"])
    if refund.status != Status.REQUESTED:
        outbox.done(message)
        return
    charge = refund.funding.charge_id
    try:
        made = commands.ask(
            message,
            lambda key: gateway.refund(
                key=key,
                charge=charge,
                amount=refund.amount,
                metadata={"command": message.key, "refund": refund.ref},
            ),
            find=lambda: gateway.find_refund(charge=charge, command_id=message.key),
        )
    except gateway.Refused as error:
        _refused(refund.pk, error, message)
    else:
        record(made, message)


@transaction.atomic
def record(made: gateway.Refund, message: OutboxMessage | None = None) -> None:
    """Take down what a refund has come to. Repeating changes nothing, nor does the order of news.

    Refunds that are not ours (made by hand at Stripe) are left to the reconciliation.
    """
    refund = (
        Refund.objects.select_for_update(of=("self",))
        .select_related("hold", "payer", "funding", "give_back")
        .filter(ref=made.metadata.get("refund", ""))
        .first()
    )
    if refund is not None:
        if made.status in FAILED:
            _failed(refund, made)
        elif made.status == "succeeded":
            _succeeded(refund, made)
        elif refund.status == Status.REQUESTED:
            refund.move_to(Status.PENDING, stripe_id=made.id)
    if message:
        outbox.done(message)


def _succeeded(refund: Refund, made: gateway.Refund) -> None:
    if refund.status not in {Status.REQUESTED, Status.PENDING}:
        return
    refund.move_to(Status.SUCCEEDED, stripe_id=made.id, ended_at=clock.now())
    if refund.give_back is not None:
        _tell(refund, "returned_sent" if refund.give_back.while_held else "given_back_sent")
    elif refund.placement_id is not None:
        _tell(refund, "placed_with_payer")
    elif refund.funding.parts.filter(hold=refund.hold, taken=True).exists():
        signals.payer_refunded.send(sender=Hold, hold=refund.hold, at=refund.ended_at)
    else:
        _tell(refund, "payment_returned")
    ledger.post(
        f"refund:{made.id}",
        "refund_sent",
        [
            (ledger.refund_clearing(refund), -refund.amount),
            (ledger.STRIPE_BALANCE, refund.amount),
        ],
        ref=made.id,
    )
    audit.record(None, "refund.succeeded", refund, rule="stripe", amount=refund.amount_minor)


def _failed(refund: Refund, made: gateway.Refund) -> None:
    """The bank did not take it. We owe it to the payer now, and a person must find another way."""
    if refund.status == Status.FAILED:
        return
    if refund.status == Status.SUCCEEDED:
        # It had left; Stripe has put it back on our balance.
        source, ref = ledger.STRIPE_BALANCE, made.id
    else:
        source, ref = ledger.refund_clearing(refund), refund.ref
    _owe(refund, source, reason=made.failure_reason or made.status, stripe_id=made.id, ref=ref)


@transaction.atomic
def _refused(pk: int, error: gateway.Refused, message: OutboxMessage) -> None:
    refund = Refund.objects.select_for_update().get(pk=pk)
    if refund.status == Status.REQUESTED:
        source = ledger.refund_clearing(refund)
        _owe(refund, source, reason=error.code or "refused", stripe_id="", ref=refund.ref)
    outbox.done(message)


def _owe(refund: Refund, source: ledger.Name, *, reason: str, stripe_id: str, ref: str) -> None:
    log.error("%s failed: %s", refund, reason)
    refund.move_to(Status.FAILED, stripe_id=stripe_id, failure=reason[:80], ended_at=clock.now())
    ledger.post(
        f"{refund.command_id}:failed",
        "refund_failed",
        [(source, -refund.amount), (ledger.client_credit(refund.payer), refund.amount)],
        ref=ref,
    )
    _tell(refund, "refund_failed")
    audit.record(None, "refund.failed", refund, rule="stripe", code=reason)


def look_again(*, older_than: "timedelta", limit: int = 50) -> int:
    """Ask Stripe about refunds that have been at the bank for a while."""
    waiting = Refund.objects.filter(
        status=Status.PENDING, created_at__lt=clock.now() - older_than
    ).exclude(stripe_id="")
    looked = list(waiting.order_by("created_at")[:limit])
    for refund in looked:
        record(gateway.retrieve_refund(refund.stripe_id))
    return len(looked)


def _tell(refund: Refund, kind: str) -> None:
    notify(
        people_of(refund.payer, "pay"),
        kind,
        key=f"{kind}:{refund.ref}",
        url=reverse("payments:payments"),
        group="money",
        facts={"amount": refund.amount, "label": refund.hold.label},
    )
