"""Deciding who gets money a bank gave back too late: with a reason, above a limit by two people.

A dispute that was lost has ended its milestone; when an appeal wins afterwards, the money comes
back to a place that is not there any more and waits in `suspense`. Who gets it, a person says.

Locks like the news from Stripe: payment, transfers, then the rest.
"""

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import audit, clock
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed
from marketplace.core.money import Money
from payments import ledger
from payments.models import Chargeback, ChargebackPart, Funding, Placement, Transfer
from payments.services import refunds, transfers, two_people
from payments.services.freezing import PaymentQuestioned
from payments.services.reasons import check_reason

if TYPE_CHECKING:
    from accounts.models import User

Status = Placement.Status
PERMISSION = "payments.act_on_placement"


@transaction.atomic
def ask(
    part: ChargebackPart, *, to_payee: Money, to_payer: Money, by: "User", reason: str
) -> Placement:
    """Say who gets what came back; the rest makes up for our losses.

    Raises NotAllowed (also for one's own money), InvalidInput for more than there is and for a
    reason nobody could follow, PaymentQuestioned while the bank has a say again, DomainError when
    somebody was first.
    """
    _check_person(part, by)
    amount = part.amount
    nothing = Money.zero(amount.currency)
    if to_payee < nothing or to_payer < nothing or to_payee + to_payer > amount:
        raise InvalidInput(
            _("Together the two can get %(all)s at most") % {"all": money_text(amount)},
            field="to_payee",
        )
    if part.hold_id is None and (to_payee or to_payer):
        raise InvalidInput(_("No payment belongs to this money: it is ours"), field="to_payee")
    try:
        with transaction.atomic():
            row = Placement.objects.create(
                part=part,
                reason=check_reason(reason),
                amount_minor=amount.minor,
                currency=amount.currency,
                to_payee_minor=to_payee.minor,
                to_payer_minor=to_payer.minor,
                needs_second=amount > two_people.limit(amount.currency),
                asked_by=by,
            )
    except IntegrityError as error:
        raise DomainError(_("Somebody has decided on this money already.")) from error
    audit.record(
        by, "placement.asked", row, amount=amount.minor, to_payee=to_payee.minor,
        to_payer=to_payer.minor,
    )  # fmt: skip
    if row.needs_second:
        two_people.call_second(row, permission=PERMISSION)
    else:
        _post(row, by=by)
    return row


@transaction.atomic
def approve(row: Placement, *, by: "User", reason: str) -> None:
    """Agree as the second person, and say what was looked at; the money goes now.

    Raises NotAllowed for whoever asked and whose money it is, InvalidTransition when it is decided,
    PaymentQuestioned while the bank has a say again.
    """
    two_people.lock(row, check=lambda: _check_second(row, by))
    _post(row, by=by, decided_by=by, answer=check_reason(reason))


@transaction.atomic
def refuse(row: Placement, *, by: "User", reason: str) -> None:
    """Let the money wait for another decision, and say why. Raises like `approve`."""
    two_people.lock(row, check=lambda: _check_second(row, by))
    two_people.refuse(row, by=by, reason=reason)


def why_not_by(row: Placement, by: "User") -> str:
    """Why this person cannot decide on it; nothing when they can."""
    try:
        _check_second(row, by)
    except NotAllowed as error:
        return str(error)
    return ""


def _post(row: Placement, *, by: "User", **decision: Any) -> None:
    chargeback = row.part.movement.chargeback
    funding = Funding.objects.select_for_update(no_key=True).get(pk=chargeback.funding_id)
    list(Transfer.objects.select_for_update(no_key=True).filter(funding=funding).order_by("id"))
    claims = Chargeback.objects.filter(funding=funding).exclude(status__in=Chargeback.CLEARED)
    if row.ours != row.amount and claims.exists():
        raise PaymentQuestioned
    legs: list[ledger.Leg] = [
        (ledger.SUSPENSE, -row.amount),
        (ledger.CHARGEBACK_LOSS, row.ours),
    ]
    hold = row.part.hold
    refund = transfer = None
    if hold and row.to_payer:
        refund = refunds.draw_up(hold, funding, row.to_payer, placement=row)
        legs.append((ledger.refund_clearing(refund), row.to_payer))
    if hold and row.to_payee:
        transfer = Transfer.objects.create(
            hold=hold,
            funding=funding,
            payee=hold.payee,
            amount_minor=row.to_payee.minor,
            currency=row.currency,
            due_at=clock.now(),
            returns=chargeback,
            placement=row,
            status=Transfer.Status.BLOCKED,
        )
        legs.append((ledger.payable(hold.payee), row.to_payee))
    posted = ledger.post(f"placed:{row.ref}", "placed", legs, by=by, ref=chargeback.stripe_id)
    row.move_to(Status.POSTED, posted=posted, decided_at=clock.now(), **decision)
    audit.record(by, "placement.posted", row, amount=row.amount_minor, journal=posted.pk)
    if refund:
        refunds.request(refund)
    if transfer:
        _tell_payee(row, transfer)
        transfers.start(transfer)


def _tell_payee(row: Placement, transfer: Transfer) -> None:
    notify(
        people_of(transfer.payee, "manage"),
        "placed_with_payee",
        key=f"placed_with_payee:{row.ref}",
        url=reverse("payments:earnings"),
        group="money",
        facts={"amount": row.to_payee, "label": transfer.hold.label},
    )


def _check_second(row: Placement, by: "User") -> None:
    _check_person(row.part, by)
    two_people.check_second(row, by)


def _check_person(part: ChargebackPart, by: "User") -> None:
    hold = part.hold
    sides = [hold.payer_id, hold.payee_id] if hold else [part.movement.chargeback.funding.payer_id]
    two_people.check_person(
        by,
        permission=PERMISSION,
        parties=Party.objects.filter(pk__in=sides),
        doing=f"place chargeback part {part.pk}",
    )
