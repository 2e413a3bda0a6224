"""Part of held money the payee gives back before its release (rule C3); the rest stays held.

The agreement becomes smaller by it: the hold is one of the smaller amount from now on, with the
fees the same policy asks for that. The payer gets the difference, their fee of it included.
"""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.core import audit, clock
from marketplace.core.display import money_text
from marketplace.core.errors import InvalidInput, InvalidTransition
from marketplace.core.money import Money
from payments import ledger
from payments.models import Funding, GiveBack, Hold
from payments.services import refunds
from payments.services.freezing import PaymentQuestioned
from payments.services.quotes import quote

if TYPE_CHECKING:
    from accounts.models import User

RULE = "C3"


def what_goes_back(hold: Hold, amount: Money) -> Money:
    """What the payer gets when so much of what is held goes back, their fee of it included.

    Raises InvalidInput unless what is given and what is left are both worth a payment.
    """
    least = Money.parse(str(hold.policy.smallest_amount), hold.currency)
    most = hold.amount - least
    if amount.currency != hold.currency or most < least:
        raise InvalidInput(_("This payment is too small to give a part of it back"), field="amount")
    if not least <= amount <= most:
        raise InvalidInput(
            _("Enter an amount between %(least)s and %(most)s, or call it off to give all of it")
            % {"least": money_text(least), "most": money_text(most)},
            field="amount",
        )
    return hold.client_pays - _payer_pays(hold, hold.amount - amount)


@transaction.atomic
def return_part(hold: Hold, *, by: "User", amount: Money) -> GiveBack:
    """Give part of held money back to the payer; the rest stays held.

    Raises InvalidInput unless something is given and something is left, InvalidTransition when it
    is not held any more, PaymentQuestioned while the payer's bank has a say.
    """
    hold.refresh_from_db(from_queryset=Hold.objects.select_for_update())
    if hold.status == Hold.Status.FROZEN:
        raise PaymentQuestioned
    if hold.status != Hold.Status.HELD:
        raise InvalidTransition
    to_payer = what_goes_back(hold, amount)
    left = hold.amount - amount
    fee = to_payer - amount
    funding = Funding.objects.get(parts__hold=hold, parts__taken=True)
    returned = GiveBack.objects.create(
        hold=hold,
        status=GiveBack.Status.DONE,
        amount_minor=amount.minor,
        from_payee_minor=amount.minor,
        fees_minor=fee.minor,
        to_payer_minor=to_payer.minor,
        currency=hold.currency,
        while_held=True,
        given_by=by,
        ended_at=clock.now(),
    )
    refund = refunds.draw_up(hold, funding, to_payer, give_back=returned)
    ledger.post(
        f"return:{returned.ref}",
        "returned_in_part",
        [
            (ledger.held(hold), -amount),
            (ledger.client_fee_held(hold), -fee),
            (ledger.refund_clearing(refund), to_payer),
        ],
        by=by,
        ref=hold.ref,
    )
    fees = quote(left, hold.policy)
    nothing = Money.zero(hold.currency)
    hold.amount_minor = left.minor
    hold.client_fee_minor -= fee.minor
    hold.freelancer_fee_minor = (nothing if hold.fee_free else fees.freelancer_fee).minor
    hold.returned_minor += amount.minor
    hold.returned_fee_minor += fee.minor
    hold.save(
        update_fields=[
            "amount_minor",
            "client_fee_minor",
            "freelancer_fee_minor",
            "returned_minor",
            "returned_fee_minor",
        ]
    )
    refunds.request(refund)
    audit.record(by, "hold.returned_in_part", hold, rule=RULE, amount=amount.minor)
    return returned


def _payer_pays(hold: Hold, amount: Money) -> Money:
    return amount if hold.fee_free else quote(amount, hold.policy).client_pays
