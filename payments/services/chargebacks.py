"""Card disputes: what the payer's bank takes, gives back and decides, and who bears it.

Who bears what a bank takes (rule C6):

- held money (not released yet): the money itself. It is frozen at once, out of `held` or
  `dispute_hold` and `client_fee_held`; won, it comes back and every clock runs on; lost, the hold
  ends and nobody is refunded a second time.
- released, *protected* work: the reserve (`chargeback_reserve`), which a share of each release
  fills. Protected is work that was paid for with a cardholder who proved who they are (3-D Secure),
  handed over in the product, and accepted by the client or by their silence. The freelancer hears
  of it and owes nothing, up to the policy's limit per freelancer and year (rule C7).
- released, unprotected work, and what is over that limit: the freelancer owes what they got of it
  (`freelancer_receivable`); our own fees of it are our loss. Stripe takes back what their account
  still has; the rest is set off against later earnings. Their balance never falls below zero.
- whatever went back to the payer before, or was never for anybody: the platform, or `suspense`.

Fees of disputes are always the platform's (`dispute_fees`); a fee the bank returns is posted back.

Every effect is keyed by the movement of our Stripe balance that caused it, and the object is read
from Stripe each time, so news may come twice, late and in any order.
"""

import datetime as dt
import logging

from django.db import transaction
from django.urls import reverse

from accounts.models import Party
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import audit, clock
from marketplace.core.money import Money
from payments import gateway, ledger
from payments.models import (
    Chargeback,
    ChargebackMovement,
    ChargebackPart,
    FraudWarning,
    Funding,
    FundingPart,
    Hold,
    Transfer,
)
from payments.services import evidence, freezing, recovery, reserve, stops
from payments.services import funding as fundings

log = logging.getLogger(__name__)
Status = Chargeback.Status
Bearer = ChargebackPart.Bearer
# Who bears how much, for which hold.
Share = tuple[Hold | None, ChargebackPart.Bearer, Money]

ACCEPTED = {Hold.Basis.APPROVAL, Hold.Basis.RULE}
OUT_OF_HOLD = [Bearer.HELD, Bearer.DISPUTE_HOLD, Bearer.CLIENT_FEE_HELD]


def record(dispute: gateway.Dispute) -> None:
    """Take down what a dispute has come to. Repeating changes nothing, nor does the order of news.

    Talks to Stripe, so call it outside transactions. Raises gateway errors, and LookupError while
    the payment itself has not been recorded.
    """
    charge = gateway.retrieve_charge(dispute.charge)
    funding = Funding.objects.filter(ref=charge.metadata.get("funding", "")).first()
    if funding is None:
        log.error("%s disputes %s, which is not ours", dispute.id, dispute.charge)
        return
    if not funding.charge_id:
        # The dispute's news was faster than the payment's.
        fundings.confirm(funding)
    if funding.charge_id != dispute.charge:
        raise LookupError(f"{dispute.id} is about {dispute.charge}, {funding} is not")
    _record(funding.pk, dispute, charge)


@transaction.atomic
def _record(funding_pk: int, dispute: gateway.Dispute, charge: gateway.Charge) -> None:
    # Stripe's side first, then the market's rows, then the hold: see `funding`. Not against keys:
    # a release, which holds the hold already, must be able to point at the funding.
    funding = Funding.objects.select_for_update(no_key=True).get(pk=funding_pk)
    list(Transfer.objects.select_for_update(no_key=True).filter(funding=funding).order_by("id"))
    chargeback = _known(funding, dispute)
    known = set(chargeback.movements.values_list("stripe_id", flat=True))
    if known - {moved.id for moved in dispute.movements}:
        # Somebody has recorded a newer state while we were holding this one.
        return
    _note(chargeback, dispute)
    new = [moved for moved in dispute.movements if moved.id not in known]
    if chargeback.is_open or any(moved.amount < 0 for moved in new):
        freezing.freeze(funding)
    for moved in sorted(new, key=lambda moved: moved.created):
        _post(chargeback, moved, charge)
    if chargeback.status == Status.LOST and _outstanding(chargeback).minor > 0:
        freezing.end_taken_back(chargeback)
    elif chargeback.status in Chargeback.CLEARED:
        freezing.thaw(funding)
    stops.weigh(chargeback)


# --- What the bank says -----------------------------------------------------------------------


def _known(funding: Funding, dispute: gateway.Dispute) -> Chargeback:
    found = Chargeback.objects.select_for_update(of=("self",)).filter(stripe_id=dispute.id).first()
    if found:
        found.funding = funding
        return found
    ended = dispute.status in Chargeback.ENDS
    opened = Chargeback.objects.create(
        funding=funding,
        stripe_id=dispute.id,
        status=dispute.status,
        amount_minor=dispute.amount,
        currency=dispute.currency,
        reason=dispute.reason[:40],
        network_reason=dispute.network_reason[:20],
        due_by=dispute.due_by,
        opened_at=dispute.created,
        ended_at=clock.now() if ended else None,
    )
    for warning in FraudWarning.objects.filter(
        funding=funding, status=FraudWarning.Status.OPEN, ours=False
    ).select_for_update():
        warning.move_to(FraudWarning.Status.OVERTAKEN)
    audit.record(
        None,
        "chargeback.opened",
        opened,
        rule=freezing.RULE,
        amount=opened.amount_minor,
        status=opened.status,
    )
    _tell_sides(opened, "chargeback_opened")
    if ended:
        _tell_sides(opened, f"chargeback_{_outcome(opened)}")
    else:
        evidence.stage(opened)
    return opened


def _note(chargeback: Chargeback, dispute: gateway.Dispute) -> None:
    """Follow the bank's status as far as arrows are drawn; anything else is for a person."""
    Chargeback.objects.filter(pk=chargeback.pk).exclude(due_by=dispute.due_by).update(
        due_by=dispute.due_by
    )
    chargeback.due_by = dispute.due_by
    if dispute.status == chargeback.status:
        return
    if dispute.status not in Chargeback.MOVES.get(chargeback.status, set()):
        log.error("%s is %s, Stripe says %s", chargeback, chargeback.status, dispute.status)
        return
    was_open = chargeback.is_open
    ended = dispute.status in Chargeback.ENDS
    chargeback.move_to(dispute.status, ended_at=clock.now() if ended else None)
    audit.record(None, "chargeback.moved", chargeback, rule=freezing.RULE, status=chargeback.status)
    if ended:
        _tell_sides(chargeback, f"chargeback_{_outcome(chargeback)}")
    elif not was_open:
        _tell_sides(chargeback, "chargeback_opened")
    if chargeback.status in Chargeback.TO_ANSWER:
        evidence.stage(chargeback)


def _outcome(chargeback: Chargeback) -> str:
    return "lost" if chargeback.status == Status.LOST else "won"


# --- What it moves ----------------------------------------------------------------------------


def _post(
    chargeback: Chargeback, moved: gateway.BalanceTransaction, charge: gateway.Charge
) -> None:
    """One movement of our balance, in one journal."""
    amount, fee = Money(moved.amount, moved.currency), Money(moved.fee, moved.currency)
    if not amount and not fee:
        return
    undoes = None
    shares: list[Share] = []
    if amount.minor < 0:
        shares = _who_bears(chargeback, -amount, charge)
    elif amount:
        undoes = _taken_before(chargeback, amount)
        shares = _who_gets(undoes, amount)
    movement = ChargebackMovement.objects.create(
        chargeback=chargeback,
        stripe_id=moved.id,
        amount_minor=amount.minor,
        fee_minor=fee.minor,
        undoes=undoes,
        moved_at=moved.created,
    )
    ChargebackPart.objects.bulk_create(
        ChargebackPart(movement=movement, hold=hold, bearer=bearer, amount_minor=share.minor)
        for hold, bearer, share in shares
    )
    sign = -1 if amount.minor < 0 else 1
    ledger.post(
        f"dispute:{moved.id}",
        "charged_back" if amount.minor < 0 else "dispute_won" if amount else "dispute_fee",
        [
            (ledger.STRIPE_BALANCE, fee - amount),
            (ledger.DISPUTE_FEES, -fee),
            *(
                (_account(hold, bearer), share if sign > 0 else -share)
                for hold, bearer, share in shares
            ),
        ],
        ref=chargeback.stripe_id,
    )
    audit.record(
        None,
        "chargeback.money",
        chargeback,
        rule=freezing.RULE,
        amount=amount.minor,
        fee=fee.minor,
    )
    for hold, bearer, share in shares:
        if hold is not None and bearer == Bearer.PAYEE:
            _settle_with_payee(chargeback, hold, share, taken=amount.minor < 0)


def _settle_with_payee(chargeback: Chargeback, hold: Hold, share: Money, *, taken: bool) -> None:
    if taken:
        _tell(chargeback, hold.payee, "chargeback_owed", hold=hold, side="manage", amount=share)
        recovery.take_back(hold, chargeback, share)
    else:
        recovery.return_surplus(hold, chargeback)


def _who_bears(chargeback: Chargeback, amount: Money, charge: gateway.Charge) -> list[Share]:
    """Whose money the bank takes; the shares sum to the amount. See the top of this module."""
    funding = chargeback.funding
    parts = list(funding.parts.filter(taken=True).select_related("hold__payee").order_by("hold_id"))
    if not parts:
        nobody = funding.status == Funding.Status.QUARANTINED
        return [(None, Bearer.SUSPENSE if nobody else Bearer.PLATFORM, amount)]
    left = [_not_returned(part) for part in parts]
    fits = amount.minor <= sum(left)
    weights = left if fits else [part.stays_minor for part in parts]
    shares: list[Share] = []
    for part, piece in zip(parts, amount.split(weights), strict=True):
        # What the payer had got back before, and the bank takes all the same, is ours to lose.
        twice = max(Money.zero(piece.currency), piece - Money(_not_returned(part), piece.currency))
        shares += _of_hold(part.hold, piece - twice, charge, before=shares)
        shares.append((part.hold, Bearer.PLATFORM, twice))
    return [share for share in shares if share[2]]


def _not_returned(part: FundingPart) -> int:
    """What of a part's money has not been refunded to the payer, minor units."""
    refunds = part.hold.refunds.filter(funding=part.funding_id).exclude(status="failed")
    returned = sum(refunds.values_list("amount_minor", flat=True))
    return max(0, part.stays_minor - returned)


def _of_hold(
    hold: Hold, piece: Money, charge: gateway.Charge, *, before: list[Share]
) -> list[Share]:
    """Who bears a piece of which nothing had been refunded."""
    found: list[Share] = []
    if hold.status == Hold.Status.FROZEN:
        paused = hold.frozen_from == Hold.Status.PAUSED
        sources = [
            (Bearer.DISPUTE_HOLD if paused else Bearer.HELD, freezing.source_of(hold)),
            (Bearer.CLIENT_FEE_HELD, ledger.client_fee_held(hold)),
        ]
        for bearer, account in sources:
            share = min(piece, ledger.balance(account, hold.currency))
            found.append((hold, bearer, share))
            piece -= share
    elif hold.kept:
        if is_protected(hold, charge):
            carried = min(piece, reserve.left_for(hold) - _carried(before, hold))
            found.append((hold, Bearer.RESERVE, carried))
            piece -= carried
        got = hold.shares(hold.kept).to_payee - freezing.taken(hold, [Bearer.PAYEE])
        share = min(piece, got)
        found.append((hold, Bearer.PAYEE, share))
        piece -= share
    return [*found, (hold, Bearer.PLATFORM, piece)]


def _carried(shares: list[Share], hold: Hold) -> Money:
    """What the reserve carries already of the same movement for this payee."""
    found = [
        share
        for other, bearer, share in shares
        if bearer == Bearer.RESERVE and other and other.payee_id == hold.payee_id
    ]
    return sum(found, Money.zero(hold.currency))


def is_protected(hold: Hold, charge: gateway.Charge) -> bool:
    """Whether the reserve carries the loss (rule C6): paid with proof, delivered, accepted."""
    if hold.status != Hold.Status.RELEASED or hold.basis not in ACCEPTED:
        return False
    work = evidence.work_record(hold)
    return charge.authenticated and work is not None and work.is_delivered


def _taken_before(chargeback: Chargeback, amount: Money) -> ChargebackMovement | None:
    """The taking that this amount gives back: the newest one of as much."""
    return (
        chargeback.movements.filter(amount_minor=-amount.minor, undone_by__isnull=True)
        .order_by("-id")
        .first()
    )


def _who_gets(undoes: ChargebackMovement | None, amount: Money) -> list[Share]:
    """Where given-back money goes: to whom it was taken from.

    What cannot go back there (the hold has ended since, or nothing of that amount was taken) waits
    in `suspense` for a person.
    """
    if undoes is None:
        log.error("%s came back from a dispute, and nothing of that amount was taken", amount)
        return [(None, Bearer.SUSPENSE, amount)]
    shares: dict[tuple[Hold | None, ChargebackPart.Bearer], Money] = {}
    for part in undoes.parts.select_related("hold__payee").order_by("id"):
        to: tuple[Hold | None, ChargebackPart.Bearer] = (part.hold, Bearer(part.bearer))
        hold = part.hold
        if hold and part.bearer in OUT_OF_HOLD and hold.status != Hold.Status.FROZEN:
            log.error("%s has ended; what came back for it waits for a person", hold)
            to = (hold, Bearer.SUSPENSE)
        shares[to] = shares.get(to, Money.zero(amount.currency)) + Money(
            part.amount_minor, amount.currency
        )
    return [(hold, bearer, share) for (hold, bearer), share in shares.items()]


def _account(hold: Hold | None, bearer: ChargebackPart.Bearer) -> ledger.Name:
    if hold is None or bearer in {Bearer.PLATFORM, Bearer.SUSPENSE}:
        return ledger.SUSPENSE if bearer == Bearer.SUSPENSE else ledger.CHARGEBACK_LOSS
    if bearer == Bearer.RESERVE:
        return ledger.CHARGEBACK_RESERVE
    if bearer == Bearer.PAYEE:
        return ledger.freelancer_receivable(hold.payee)
    if bearer == Bearer.CLIENT_FEE_HELD:
        return ledger.client_fee_held(hold)
    return freezing.source_of(hold)


def _outstanding(chargeback: Chargeback) -> Money:
    """What the bank has taken and not given back."""
    moved = chargeback.movements.values_list("amount_minor", flat=True)
    return Money(-sum(moved), chargeback.currency)


# --- Telling ----------------------------------------------------------------------------------


def _tell_sides(chargeback: Chargeback, kind: str) -> None:
    """Both sides hear what the bank does with a payment. Of held money the market tells them."""
    for part in chargeback.funding.parts.filter(taken=True).select_related(
        "hold__payer", "hold__payee"
    ):
        hold = part.hold
        if hold.ended_at is None:
            continue
        _tell(chargeback, hold.payer, kind, hold=hold, side="pay", amount=chargeback.amount)
        _tell(chargeback, hold.payee, kind, hold=hold, side="manage", amount=chargeback.amount)


def _tell(
    chargeback: Chargeback, party: Party, kind: str, *, hold: Hold, side: str, amount: Money
) -> None:
    when: dt.datetime = chargeback.ended_at or chargeback.opened_at
    page = "payments:payments" if side == "pay" else "payments:earnings"
    notify(
        people_of(party, side),
        kind,
        key=f"{kind}:{chargeback.ref}:{hold.ref}:{side}:{when:%Y%m%d%H%M%S}",
        url=reverse(page),
        group="money",
        facts={"amount": amount, "label": hold.label, "side": side},
    )
