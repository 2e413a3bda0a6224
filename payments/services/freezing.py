"""Held money whose card payment is questioned: frozen, thawed, or taken back by the bank.

News of it climbs to the market first, because the market's rows are locked before the hold.
"""

import datetime as dt

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from marketplace.core import audit, clock
from marketplace.core.errors import DomainError
from marketplace.core.money import Money
from payments import ledger, signals
from payments.models import Chargeback, ChargebackPart, FraudWarning, Funding, Hold
from payments.services import refunds

Status = Hold.Status
Bearer = ChargebackPart.Bearer
RULE = "C6"


class PaymentQuestioned(DomainError):
    """The card payment behind this money is questioned; nobody can move it."""

    code = "payment_questioned"
    default_message = _(
        "The bank of the client questions this card payment. Its money cannot move until that is "
        "settled."
    )


def freeze(funding: Funding) -> None:
    """Freeze what is still held of a payment. Repeating changes nothing.

    While this waits for the market's locks, what is left of one hold may become another one (rule
    M2). So it looks again until there is none it has not seen; from the first on, the market is
    locked.
    """
    now = clock.now()
    seen: set[int] = set()
    while unseen := [hold for hold in _holds_of(funding) if hold.pk not in seen]:
        for hold in unseen:
            seen.add(hold.pk)
            _freeze(hold, at=now)


def _freeze(hold: Hold, *, at: dt.datetime) -> None:
    if hold.status not in {Status.HELD, Status.PAUSED, Status.FROZEN}:
        return
    signals.payment_questioned.send(sender=Hold, hold=hold, at=at)
    _lock(hold)
    if hold.status in {Status.HELD, Status.PAUSED}:
        hold.move_to(Status.FROZEN, frozen_from=hold.status)
        audit.record(None, "hold.frozen", hold, rule=RULE, was=hold.frozen_from)


def thaw(funding: Funding) -> None:
    """The payment stands: its money is held, or paused, as before. Repeating changes nothing.

    Does nothing while another dispute or warning questions the same payment, or while the bank has
    not given the money back yet.
    """
    if is_questioned(funding):
        return
    now = clock.now()
    for hold in _holds_of(funding):
        if hold.status != Status.FROZEN or taken_from(hold):
            continue
        signals.payment_cleared.send(sender=Hold, hold=hold, at=now)
        _lock(hold)
        if hold.status == Status.FROZEN:
            hold.move_to(hold.frozen_from)
            audit.record(None, "hold.thawed", hold, rule=RULE)


def end_taken_back(chargeback: Chargeback) -> None:
    """The bank has decided for the payer: what was frozen ends, without a second refund (rule C6).

    When the bank took less than was paid, the rest goes back to the payer by the card as well: a
    milestone cannot be half funded.
    """
    now = clock.now()
    for hold in _holds_of(chargeback.funding):
        if hold.status != Status.FROZEN:
            continue
        signals.payment_taken_back.send(sender=Hold, hold=hold, at=now)
        _lock(hold)
        if hold.status == Status.FROZEN:
            _end(hold, chargeback)


def _end(hold: Hold, chargeback: Chargeback) -> None:
    hold.move_to(
        Status.REFUNDED,
        basis=Hold.Basis.RULE,
        basis_detail=f"{RULE}:{chargeback.stripe_id}",
        ended_at=clock.now(),
        awarded_minor=0,
    )
    source, fee = source_of(hold), ledger.client_fee_held(hold)
    left = ledger.balance(source, hold.currency)
    fee_left = ledger.balance(fee, hold.currency)
    if left or fee_left:
        rest = refunds.draw_up(hold, chargeback.funding, left + fee_left, undisputed=True)
        ledger.post(
            f"end:{hold.ref}",
            "taken_back",
            [(source, -left), (fee, -fee_left), (ledger.refund_clearing(rest), rest.amount)],
            ref=hold.ref,
        )
        refunds.request(rest)
    audit.record(
        None, "hold.taken_back", hold, rule=RULE, chargeback=chargeback.pk, rest=left.minor
    )


def source_of(hold: Hold) -> ledger.Name:
    """The account the money of a frozen hold stood in."""
    paused = hold.frozen_from == Status.PAUSED
    return ledger.dispute_hold(hold) if paused else ledger.held(hold)


def taken_from(hold: Hold) -> Money:
    """What banks have taken of the held money and not given back."""
    return taken(hold, [Bearer.HELD, Bearer.DISPUTE_HOLD, Bearer.CLIENT_FEE_HELD])


def taken(hold: Hold, bearers: list[ChargebackPart.Bearer]) -> Money:
    """What these have borne of the hold's disputes and not got back."""
    parts = ChargebackPart.objects.filter(hold=hold, bearer__in=bearers)
    sums = parts.aggregate(
        out=Sum("amount_minor", filter=Q(movement__amount_minor__lt=0), default=0),
        back=Sum("amount_minor", filter=Q(movement__amount_minor__gt=0), default=0),
    )
    return Money(sums["out"] - sums["back"], hold.currency)


def is_questioned(funding: Funding) -> bool:
    """Whether a bank, or a warning nobody has lifted, questions the payment now."""
    disputes = Chargeback.objects.filter(funding=funding).exclude(status__in=Chargeback.CLEARED)
    warnings = FraudWarning.objects.filter(
        funding=funding, status=FraudWarning.Status.OPEN, ours=False
    )
    return disputes.exists() or warnings.exists()


def _holds_of(funding: Funding) -> list[Hold]:
    """The holds a payment filled, in the order in which everybody locks them."""
    parts = funding.parts.filter(taken=True).select_related("hold__payer", "hold__payee")
    return [part.hold for part in parts.order_by("hold_id")]


def _lock(hold: Hold) -> None:
    hold.refresh_from_db(from_queryset=Hold.objects.select_for_update())
