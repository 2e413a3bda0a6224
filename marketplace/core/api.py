"""What every API endpoint shares: errors as problem+json, strict JSON, safe repeats."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions, parsers, throttling
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.core import clock, limits
from marketplace.core.errors import DomainError, TooMany
from marketplace.core.models import IdempotentCall

MAX_BODY = 256 * 1024
# A call that never answered (the process died) may be taken over after this.
STALE = timedelta(seconds=60)


class SessionAuthentication(authentication.SessionAuthentication):
    """The web session; visitors get 401 instead of DRF's 403."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class StrictJSONParser(parsers.JSONParser):
    """JSON that has one reading: no duplicate keys, no NaN, bounded size and depth."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise exceptions.ParseError(_("The request is too large."))
        try:
            return json.loads(
                body.decode("utf-8"),
                object_pairs_hook=_no_twins,
                parse_constant=_no_constant,
            )
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(_("This is not JSON we can read.")) from error


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("duplicate key")
    return read


def _no_constant(name: str) -> Any:
    raise ValueError(name)


class Throttle(throttling.BaseThrottle):
    """Requests of one signed-in person, or of one address; the same count as that of pages."""

    def allow_request(self, request: Request, view: Any) -> bool:
        limits.spend("api" if request.user.is_authenticated else "api_visitor", request)
        return True


def costs(name: str, *methods: str) -> type[throttling.BaseThrottle]:
    """A throttle of endpoints that cost as much as the pages under this limit do."""

    class Costs(throttling.BaseThrottle):
        def allow_request(self, request: Request, view: Any) -> bool:
            if request.method in (methods or ("GET", "HEAD", "POST")):
                limits.spend(name, request)
            return True

    return Costs


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error as RFC 9457 problem+json; field errors under `errors`."""
    if isinstance(error, DomainError):
        body: dict[str, Any] = {"title": str(error), "status": error.status, "code": error.code}
        if error.field:
            body["errors"] = {error.field: [str(error)]}
        response = Response(body, status=error.status)
        if isinstance(error, TooMany):
            response["Retry-After"] = str(error.retry_after)
    else:
        # REST framework names this module in its settings while it is itself being imported.
        from rest_framework.views import exception_handler  # noqa: PLC0415

        answered = exception_handler(error, context)
        if answered is None:
            return None
        response = answered
        if isinstance(error, exceptions.ValidationError):
            body = {"title": _("Some values need attention."), "errors": response.data}
        else:
            body = {"title": str(getattr(error, "detail", "")) or _("This went wrong.")}
        response.data = {**body, "status": response.status_code}
    response.content_type = "application/problem+json"
    return response


Endpoint = Callable[..., Response]


def idempotent(endpoint: Endpoint) -> Endpoint:
    """Require an Idempotency-Key; a repeat with it gets the first answer and changes nothing.

    Another body under the same key is 422; while the first call runs a repeat is 409. Keys
    belong to the person who sent them.
    """

    @wraps(endpoint)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not 1 <= len(key) <= 255 or not key.isascii():
            return _say(400, _("Send an Idempotency-Key header of 1 to 255 ASCII characters."))
        fingerprint = hashlib.sha256(
            json.dumps([request.method, request.path, request.data], sort_keys=True).encode()
        ).hexdigest()
        call, mine = _begin(request, key, fingerprint)
        if not mine:
            return _repeat(call, fingerprint)
        try:
            response = endpoint(view, request, *args, **kwargs)
        except (DomainError, exceptions.APIException) as error:
            answered = problem(error, {"view": view, "request": request})
            if answered is None:
                raise
            response = answered
        except BaseException:
            # We do not know the answer, so we do not remember one.
            call.delete()
            raise
        call.status, call.body = response.status_code, response.data
        call.save(update_fields=["status", "body"])
        return response

    return once


def _begin(request: Request, key: str, fingerprint: str) -> tuple[IdempotentCall, bool]:
    now = clock.now()
    mine = IdempotentCall.objects.filter(user_id=cast(int, request.user.pk), key=key)
    mine.filter(status=None, created_at__lt=now - STALE).delete()
    try:
        with transaction.atomic():
            return (
                IdempotentCall.objects.create(
                    user_id=request.user.pk, key=key, fingerprint=fingerprint, created_at=now
                ),
                True,
            )
    except IntegrityError:
        return mine.get(), False


def _repeat(call: IdempotentCall, fingerprint: str) -> Response:
    if call.fingerprint != fingerprint:
        return _say(422, _("This Idempotency-Key was used for another request."))
    if call.status is None:
        return _say(409, _("The first call with this key is still running."))
    content = "application/problem+json" if call.status >= 400 else None
    return Response(
        call.body, status=call.status, content_type=content, headers={"Idempotent-Replayed": "true"}
    )


def _say(status: int, title: str) -> Response:
    return Response(
        {"title": title, "status": status}, status=status, content_type="application/problem+json"
    )
