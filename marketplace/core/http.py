"""Answers every view gives the same way."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]


class UserRequest(HttpRequest):
    """A request behind `login_required`: its user is one of ours."""

    user: "User"
    htmx: Any


class SeeOther(HttpResponseRedirect):
    """303: whatever was posted, the next request is a GET, so reloading is harmless."""

    status_code = 303


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser on: an `HX-Redirect` for htmx, a 303 otherwise."""
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": url})
    return SeeOther(url)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; what proxies say counts only for our own, the last of them."""
    if settings.TRUSTED_PROXY:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if told:
            return told
    return str(request.META.get("REMOTE_ADDR", ""))


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page (and not for Back to a whole page)."""
    htmx = getattr(request, "htmx", None)
    if not htmx:
        return False
    return not htmx.history_restore_request and not htmx.boosted


def show(
    request: HttpRequest,
    page: str,
    context: dict[str, Any],
    *,
    part: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the page, or only its part when htmx asks for that."""
    template = part if part and wants_part(request) else page
    return render(request, template, context, status=status)


class HtmxVaryMiddleware:
    """Keep pages and parts apart in every cache, and private pages out of all of them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Without Vary the browser answers Back with a bare part from its own cache.
        patch_vary_headers(response, ["HX-Request"])
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        return response


class ReaderMiddleware:
    """Speak the signed-in person's language and show times in their zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(ZoneInfo(user.time_zone)):
            return self.get_response(request)


class DatabaseDownMiddleware:
    """Say 503 with Retry-After while PostgreSQL is away, instead of a broken 500."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        log.error("database away: %s", error)
        if request.path.startswith("/api/"):
            return HttpResponse(
                '{"title": "The database is away for a moment.", "status": 503}',
                status=503,
                content_type="application/problem+json",
                headers={"Retry-After": "5"},
            )
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})
