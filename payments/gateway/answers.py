"""Reading what the SDK gives back: ids that may be whole objects, times, metadata."""

import datetime as dt
from typing import Any


def id_of(value: Any) -> str | None:
    """The id of something Stripe gave as an id or as the whole object."""
    return value if isinstance(value, str) else getattr(value, "id", None)


def metadata_of(value: Any) -> dict[str, str]:
    """The metadata of an object as a plain dict."""
    return dict(value.to_dict()) if value else {}


def moment(seconds: int) -> dt.datetime:
    """A time of Stripe's in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
