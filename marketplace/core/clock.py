"""The one source of business time, so that tests and drills can move it."""

import datetime as dt

from django.utils import timezone


def now() -> dt.datetime:
    """The current instant in UTC. SQL receives it as a parameter, never `now()`."""
    return timezone.now()


def days_from_now(days: int) -> dt.datetime:
    """The instant `days` times 24 hours from now."""
    return now() + dt.timedelta(days=days)
