"""What is set aside for card disputes about protected work, and how much of it is for whom (C7)."""

import datetime as dt

from django.db.models import Q, Sum

from marketplace.core import clock
from marketplace.core.money import Money
from payments.models import ChargebackPart, Hold
from payments.services import receivables


def left_for(hold: Hold) -> Money:
    """How much more the reserve carries this year for the hold's payee, by the hold's policy.

    Waits for whoever settles another dispute of the payee just now, so that both together keep
    within the limit. A policy without a limit carries all of it.
    """
    if hold.policy.protected_loss_limit is None:
        return hold.client_pays + hold.returned_to_payer
    receivables.lock(hold.payee)
    limit = Money.parse(str(hold.policy.protected_loss_limit), hold.currency)
    new_year = dt.datetime(clock.now().year, 1, 1, tzinfo=dt.UTC)
    sums = ChargebackPart.objects.filter(
        hold__payee=hold.payee,
        hold__currency=hold.currency,
        bearer=ChargebackPart.Bearer.RESERVE,
        movement__moved_at__gte=new_year,
    ).aggregate(
        out=Sum("amount_minor", filter=Q(movement__amount_minor__lt=0), default=0),
        back=Sum("amount_minor", filter=Q(movement__amount_minor__gt=0), default=0),
    )
    # What is won back of a year before does not make this year's limit larger.
    used = Money(max(0, sums["out"] - sums["back"]), hold.currency)
    return max(limit - used, Money.zero(hold.currency))
