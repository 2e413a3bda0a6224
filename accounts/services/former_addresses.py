"""Addresses people gave up not long ago, for warnings a thief must not be the only one to get."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import FormerAddress, User
from marketplace.core import clock, retention


def keep(user: User, address: str) -> None:
    """The person has just changed to another address."""
    FormerAddress.objects.create(user=user, address=address.lower())


def of(users: Iterable[User]) -> set[str]:
    """The proven addresses they had within the last days."""
    kept = FormerAddress.objects.filter(user__in=list(users), left_at__gte=_oldest())
    return set(kept.values_list("address", flat=True))


@retention.forgets("former_addresses")
def old() -> QuerySet[FormerAddress]:
    """Those nobody is warned at any more."""
    return FormerAddress.objects.filter(left_at__lt=_oldest())


def _oldest() -> dt.datetime:
    return clock.now() - dt.timedelta(days=settings.FORMER_ADDRESS_DAYS)
