"""What is left of a payment is held for other work of the same two, instead of going back (M2).

No money moves at Stripe: the charge stays the one it came by. The hold it leaves is about the
smaller amount from now on, the one it comes to is a hold like any other, with the fees of the same
policy. Whatever ends the one does not touch the other, and the money's time with us counts from
the charge.
"""

from typing import TYPE_CHECKING

from django.db import transaction

from marketplace.core import audit
from marketplace.core.errors import InvalidTransition
from marketplace.core.money import Money
from payments import ledger
from payments.models import Funding, FundingPart, Hold
from payments.services.freezing import PaymentQuestioned
from payments.services.quotes import quote

if TYPE_CHECKING:
    from accounts.models import User

RULE = "M2"


@transaction.atomic
def carry(hold: Hold, *, by: "User", amount: Money, label: str) -> Hold:
    """Hold so much of it for other work; the rest stays where it is. Returns the other hold.

    Raises InvalidTransition unless it is held and something stays, PaymentQuestioned while the
    payer's bank has a say.
    """
    hold.refresh_from_db(from_queryset=Hold.objects.select_for_update())
    if hold.status == Hold.Status.FROZEN:
        raise PaymentQuestioned
    if hold.status != Hold.Status.HELD or hold.fee_free or not 0 < amount.minor < hold.amount_minor:
        raise InvalidTransition
    funding = Funding.objects.get(parts__hold=hold, parts__taken=True)
    left = hold.amount - amount
    before, after, moved = (quote(one, hold.policy) for one in (hold.amount, left, amount))
    # By subtraction, because the payer paid one fee for both: it may differ from the policy's by a
    # minor unit, and stays so.
    fee = min(before.client_fee - after.client_fee, hold.client_fee)
    other = Hold.objects.create(
        status=Hold.Status.HELD,
        payer=hold.payer,
        payee=hold.payee,
        amount_minor=amount.minor,
        client_fee_minor=fee.minor,
        freelancer_fee_minor=moved.freelancer_fee.minor,
        currency=hold.currency,
        policy=hold.policy,
        label=label,
        work=hold.work,
        held_at=hold.held_at,
        carried_from=hold,
    )
    FundingPart.objects.create(
        funding=funding,
        hold=other,
        attempt=1,
        amount_minor=amount.minor,
        client_fee_minor=fee.minor,
        taken=True,
        carried=True,
    )
    ledger.post(
        f"carry:{other.ref}",
        "carried",
        [
            (ledger.held(hold), -amount),
            (ledger.client_fee_held(hold), -fee),
            (ledger.held(other), amount),
            (ledger.client_fee_held(other), fee),
        ],
        by=by,
        ref=hold.ref,
    )
    hold.amount_minor = left.minor
    hold.client_fee_minor -= fee.minor
    hold.freelancer_fee_minor = after.freelancer_fee.minor
    hold.carried_minor += amount.minor
    hold.carried_fee_minor += fee.minor
    hold.save(
        update_fields=[
            "amount_minor",
            "client_fee_minor",
            "freelancer_fee_minor",
            "carried_minor",
            "carried_fee_minor",
        ]
    )
    audit.record(by, "hold.carried", hold, rule=RULE, amount=amount.minor, to=other.pk)
    return other
