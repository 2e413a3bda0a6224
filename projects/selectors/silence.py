"""What keeps silence from releasing delivered work: the client has said something about it."""

import datetime as dt

from django.db.models import Q, QuerySet

from marketplace.core import clock
from projects.models import ChangeOrder, Contract

# When an order is off the table the client has at least so long to say something about the work.
BREATH = dt.timedelta(hours=24)


def orders_that_stop_it() -> QuerySet[ChangeOrder]:
    """Orders about delivered work that wait, of contracts whose terms say that they stop silence.

    What both agreed to does so until the time to pay is up, and the breath after it; not for as
    long as a payment is on its way that may never come.
    """
    unpaid_since = clock.now() - BREATH
    waits = Q(status__in=ChangeOrder.ASKING) | Q(
        status=ChangeOrder.Status.AGREED, due_at__gt=unpaid_since
    )
    return ChangeOrder.objects.filter(
        waits, about__isnull=False, contract__terms_version__gte=Contract.WITH_EXTRA_ROUNDS
    )
