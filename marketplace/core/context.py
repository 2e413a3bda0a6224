"""What every template may use without asking."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEMES = ("light", "dark")


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
        "unread_notices": lambda: unread(request, "unread_notices"),
        "unread_messages": lambda: unread(request, "unread_messages"),
    }


def unread(request: HttpRequest, name: str) -> int:
    """Ask the user object for a count, zero when it has none. Called only when shown."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return 0
    count = getattr(user, name, 0)
    return int(count() if callable(count) else count)
