"""Early fraud warnings: held money waits until a person has looked at the payment (case C7).

Our own suspicions (`suspicion`, case S1) are lifted here too.
"""

import logging

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Party, User
from marketplace.core import audit, clock, text
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from payments import gateway
from payments.models import FraudWarning, Funding
from payments.services import freezing
from payments.services import funding as fundings

log = logging.getLogger(__name__)
PERMISSION = "payments.act_on_chargeback"
RULE = "C7"
SHORTEST_REASON, LONGEST_REASON = 20, 2000


def record(warning: gateway.FraudWarning) -> None:
    """Keep a warning and freeze what is still held of the payment. Repeating changes nothing.

    Talks to Stripe, so call it outside transactions. Raises gateway errors, and LookupError while
    the payment itself has not been recorded.
    """
    charge = gateway.retrieve_charge(warning.charge)
    funding = Funding.objects.filter(ref=charge.metadata.get("funding", "")).first()
    if funding is None:
        log.error("%s warns of %s, which is not ours", warning.id, warning.charge)
        return
    if not funding.charge_id:
        fundings.confirm(funding)
    if funding.charge_id != warning.charge:
        raise LookupError(f"{warning.id} is about {warning.charge}, {funding} is not")
    _record(funding.pk, warning)


@transaction.atomic
def _record(funding_pk: int, told: gateway.FraudWarning) -> None:
    funding = Funding.objects.select_for_update(no_key=True).get(pk=funding_pk)
    if FraudWarning.objects.filter(stripe_id=told.id).exists():
        return
    # A dispute that is here already says more than the warning before it.
    overtaken = funding.chargebacks.exists()
    warning = FraudWarning.objects.create(
        funding=funding,
        stripe_id=told.id,
        fraud_type=told.fraud_type[:60],
        warned_at=told.created,
        status=FraudWarning.Status.OVERTAKEN if overtaken else FraudWarning.Status.OPEN,
    )
    audit.record(None, "fraud_warning.kept", warning, rule=RULE, fraud_type=warning.fraud_type)
    log.warning("%s on %s: %s", warning, funding, warning.fraud_type)
    if not overtaken:
        freezing.freeze(funding)


@transaction.atomic
def lift(warning: FraudWarning, *, by: User, reason: str) -> None:
    """A person of ours has looked: the money is held as before and every clock runs on.

    Raises NotAllowed without the right and for money of one's own, InvalidInput without a reason,
    InvalidTransition when it is not open any more.
    """
    if not (by.is_active and by.is_staff and by.has_perm(PERMISSION)):
        raise NotAllowed(_("You do not have the right to lift warnings."))
    funded = {"holds_received__funding_parts__funding": warning.funding_id}
    sides = Party.objects.filter(Q(fundings=warning.funding_id) | Q(**funded))
    if sides.filter(memberships__user=by).exists():
        raise NotAllowed(_("This is about money of your own. Somebody else has to do it."))
    reason = text.short_block(reason, limit=LONGEST_REASON, field="reason")
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput(
            _("Say in %(least)s characters or more what you looked at and why it is fine")
            % {"least": SHORTEST_REASON},
            field="reason",
        )
    funding = Funding.objects.select_for_update(no_key=True).get(pk=warning.funding_id)
    locked = FraudWarning.objects.select_for_update().get(pk=warning.pk)
    if locked.status != FraudWarning.Status.OPEN:
        raise InvalidTransition
    locked.move_to(
        FraudWarning.Status.LIFTED,
        lifted_by=by,
        lifted_at=clock.now(),
        lifted_because=reason,
    )
    audit.record(by, "fraud_warning.lifted", locked)
    freezing.thaw(funding)
