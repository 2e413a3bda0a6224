"""The one source of business time, so that tests, drills and the demo can move it."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

_moved_to: ContextVar[dt.datetime | None] = ContextVar("moved_to", default=None)


def now() -> dt.datetime:
    """The current instant in UTC. SQL receives it as a parameter, never `now()`."""
    return _moved_to.get() or timezone.now()


def days_from_now(days: int) -> dt.datetime:
    """The instant `days` times 24 hours from now."""
    return now() + dt.timedelta(days=days)


@contextmanager
def moved_to(moment: dt.datetime) -> Iterator[None]:
    """Let business time stand at `moment` inside the block, for this thread only."""
    token = _moved_to.set(moment)
    try:
        yield
    finally:
        _moved_to.reset(token)
