"""What every template may use without asking."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEMES = ("light", "dark")
# Counts that apps above the user's own add when they are ready: name → count for a user.
COUNTS: dict[str, Callable[[Any], int]] = {}


def site(request: HttpRequest) -> dict[str, Any]:
    """Who runs this, whether money is real, the reader's theme and what they have not read."""
    theme = request.COOKIES.get("theme", "")
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "contact_email": settings.CONTACT_EMAIL,
        "custody_sentence": settings.CUSTODY_SENTENCE,
        "test_money": settings.TEST_MONEY,
        "theme": theme if theme in THEMES else "",
        "live_origin": settings.LIVE_ORIGIN,
        # Shown in the header and in the bar at the bottom, counted once.
        "unread_notices": cache(lambda: unread(request, "unread_notices")),
        "unread_messages": cache(lambda: unread(request, "unread_messages")),
    }


def unread(request: HttpRequest, name: str) -> int:
    """What an app counts, or the user object itself, or zero. Called only when shown."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return 0
    if name in COUNTS:
        return COUNTS[name](user)
    count = getattr(user, name, 0)
    return int(count() if callable(count) else count)
