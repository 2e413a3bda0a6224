"""Held money: opened, paid in, paused, and given to the one or the other, once."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Party
from marketplace.core import audit, clock
from marketplace.core.display import money_text
from marketplace.core.errors import InvalidInput, InvalidTransition
from marketplace.core.money import Money
from payments import ledger
from payments.models import Funding, Hold, PlatformPolicy, Refund, Transfer
from payments.services import funding as fundings
from payments.services import invoices, refunds, transfers
from payments.services.freezing import PaymentQuestioned
from payments.services.quotes import quote

if TYPE_CHECKING:
    from accounts.models import User

Status = Hold.Status


@transaction.atomic
def open_hold(
    *,
    payer: Party,
    payee: Party,
    amount: Money,
    policy: PlatformPolicy,
    label: str,
    by: "User",
    work: str = "",
    fee_free: bool = False,
) -> Hold:
    """A hold that waits for its money. Fees are those of the policy both agreed to, or none.

    Holds of one contract share their `work`.
    Raises InvalidInput when the amount is too small to be worth a payment.
    """
    least = Money.parse(str(policy.smallest_amount), amount.currency)
    if amount < least:
        raise InvalidInput(
            _("The amount must be %(least)s or more") % {"least": money_text(least)},
            field="amount",
        )
    nothing = Money.zero(amount.currency)
    fees = quote(amount, policy)
    hold = Hold.objects.create(
        payer=payer,
        payee=payee,
        amount_minor=amount.minor,
        client_fee_minor=(nothing if fee_free else fees.client_fee).minor,
        freelancer_fee_minor=(nothing if fee_free else fees.freelancer_fee).minor,
        fee_free=fee_free,
        work=work,
        currency=amount.currency,
        policy=policy,
        label=label,
    )
    audit.record(by, "hold.opened", hold, amount=amount.minor, currency=amount.currency)
    return hold


@transaction.atomic
def cancel_hold(hold: Hold, *, by: "User | None") -> None:
    """Give up on a hold nobody has paid. An open Checkout page is closed; if the payer is faster,
    their money goes back. Raises InvalidTransition when it is paid already.
    """
    _lock(hold, Status.PENDING)
    hold.move_to(Status.CANCELLED)
    fundings.stop(hold)
    audit.record(by, "hold.cancelled", hold)


@transaction.atomic
def release(hold: Hold, *, by: "User | None", basis: str, basis_detail: str = "") -> None:
    """Give all of it to the payee, less the fee they agreed to; our fees are earned now.

    Raises InvalidTransition when somebody was first: a hold ends once, and paused money only by
    `split`.
    """
    _lock(hold, Status.HELD)
    _end(hold, Status.RELEASED, hold.amount, by=by, basis=basis, basis_detail=basis_detail)


@transaction.atomic
def refund(hold: Hold, *, by: "User | None", basis: str, basis_detail: str = "") -> None:
    """Give all of it back to the payer, and their fee with it.

    Raises InvalidTransition when somebody was first: a hold ends once, and paused money only by
    `split`.
    """
    _lock(hold, Status.HELD)
    nothing = Money.zero(hold.currency)
    _end(hold, Status.REFUNDED, nothing, by=by, basis=basis, basis_detail=basis_detail)


@transaction.atomic
def split(
    hold: Hold, *, to_payee: Money, by: "User | None", basis: str, basis_detail: str = ""
) -> None:
    """Give part of paused money to the payee and the rest back; both fees follow the money. This
    is how a dispute ends, by a decision or a settlement.

    All or nothing for one side ends as a release or a refund. Raises InvalidInput for more than is
    there, InvalidTransition when somebody was first.
    """
    _lock(hold, Status.PAUSED)
    _divide(hold, to_payee, by=by, basis=basis, basis_detail=basis_detail)


@transaction.atomic
def settle(hold: Hold, *, to_payee: Money, by: "User", basis_detail: str) -> None:
    """Divide held money as both sides agreed without a dispute; both fees follow the money.

    Raises InvalidInput for more than is there, InvalidTransition when somebody was first.
    """
    _lock(hold, Status.HELD)
    settled = Hold.Basis.SETTLEMENT
    _divide(hold, to_payee, by=by, basis=settled, basis_detail=basis_detail)


def _divide(
    hold: Hold, to_payee: Money, *, by: "User | None", basis: str, basis_detail: str
) -> None:
    if not Money.zero(hold.currency) <= to_payee <= hold.amount:
        raise InvalidInput(
            _("The freelancer's part must be between zero and %(all)s")
            % {"all": money_text(hold.amount)},
            field="to_payee",
        )
    if to_payee == hold.amount:
        status = Status.RELEASED
    else:
        status = Status.SPLIT if to_payee else Status.REFUNDED
    _end(hold, status, to_payee, by=by, basis=basis, basis_detail=basis_detail)


@transaction.atomic
def pause(hold: Hold, *, by: "User | None") -> None:
    """Stop the money: neither side can move it until it is resumed or decided.

    It changes accounts, so a release that comes at the same moment finds nothing to take.
    """
    _lock(hold, Status.HELD)
    hold.move_to(Status.PAUSED, pauses=hold.pauses + 1)
    ledger.post(
        f"pause:{hold.ref}:{hold.pauses}",
        "paused",
        [(ledger.held(hold), -hold.amount), (ledger.dispute_hold(hold), hold.amount)],
        by=by,
        ref=hold.ref,
    )
    audit.record(by, "hold.paused", hold)


@transaction.atomic
def resume(hold: Hold, *, by: "User | None") -> None:
    """Take back a pause: the money is held as before."""
    _lock(hold, Status.PAUSED)
    hold.move_to(Status.HELD)
    ledger.post(
        f"resume:{hold.ref}:{hold.pauses}",
        "resumed",
        [(ledger.dispute_hold(hold), -hold.amount), (ledger.held(hold), hold.amount)],
        by=by,
        ref=hold.ref,
    )
    audit.record(by, "hold.resumed", hold)


def _end(
    hold: Hold, status: str, awarded: Money, *, by: "User | None", basis: str, basis_detail: str
) -> None:
    """The one way out of a hold: status, ledger, transfer, refund, invoices and audit together."""
    source = ledger.dispute_hold(hold) if hold.status == Status.PAUSED else ledger.held(hold)
    hold.move_to(
        status,
        basis=basis,
        basis_detail=basis_detail,
        ended_at=clock.now(),
        awarded_minor=awarded.minor,
        reserved_minor=hold.to_reserve(awarded).minor,
    )
    reserved = Money(hold.reserved_minor, hold.currency)
    parts = hold.shares(awarded)
    funding = _paid_funding(hold)
    returned = refunds.draw_up(hold, funding, parts.to_payer) if parts.to_payer else None
    papers = invoices.draw_up(hold) if awarded else []
    # Our fees contain their VAT, which was never ours.
    vat = invoices.vat_of_fees(papers, hold.currency)
    ledger.post(
        f"end:{hold.ref}",
        status,
        [
            (source, -hold.amount),
            (ledger.client_fee_held(hold), -hold.client_fee),
            (ledger.pending(hold.payee), parts.to_payee),
            (ledger.FEE_REVENUE, parts.fees - vat),
            (ledger.VAT_PAYABLE, vat),
            # Out of our fees, for card disputes about protected work (rule C7).
            (ledger.RESERVE_COST, -reserved),
            (ledger.CHARGEBACK_RESERVE, reserved),
            *_leg_of(returned),
        ],
        by=by,
        ref=hold.ref,
    )
    if parts.to_payee:
        transfers.draw_up(hold, funding, parts.to_payee)
    if returned:
        refunds.request(returned)
    invoices.issue(hold, papers)
    audit.record(
        by, f"hold.{status}", hold, awarded=awarded.minor, basis=basis, detail=basis_detail
    )


def available_at(hold: Hold) -> dt.datetime | None:
    """When the payee's part leaves the security hold; None when none runs or a person decides."""
    waiting = hold.transfers.filter(wait__gt="").exclude(wait=Transfer.Wait.REVIEW).first()
    return waiting.due_at if waiting else None


def _leg_of(returned: Refund | None) -> list[ledger.Leg]:
    return [(ledger.refund_clearing(returned), returned.amount)] if returned else []


def _paid_funding(hold: Hold) -> Funding:
    """The charge the money came with; money leaves by the charge it came by."""
    return Funding.objects.get(parts__hold=hold, parts__taken=True)


def _lock(hold: Hold, expected: str) -> None:
    """Wait for our turn and look again: what the caller holds may be a moment old.

    Raises InvalidTransition when the hold is not, or no longer, as expected, and PaymentQuestioned
    while the payer's bank has a say.
    """
    hold.refresh_from_db(from_queryset=Hold.objects.select_for_update())
    if hold.status == Status.FROZEN:
        raise PaymentQuestioned
    if hold.status != expected:
        raise InvalidTransition
