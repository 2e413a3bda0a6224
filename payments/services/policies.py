"""Which rules hold when."""

import datetime as dt

from marketplace.core import clock
from payments.models import PlatformPolicy


def current(at: dt.datetime | None = None) -> PlatformPolicy:
    """The policy in force at that moment, or now."""
    in_force = PlatformPolicy.objects.filter(starts_at__lte=at or clock.now())
    return in_force.latest("starts_at")
