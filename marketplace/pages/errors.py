"""Error pages: what went wrong, whether anything changed, and the way on."""

import logging
import secrets
import sys
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

log = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: nobody types such a request, so there is little to explain."""
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: who may see this, and how to become somebody else."""
    return render(request, "403.html", {"reason": str(exception or "")}, status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long."""
    return render(request, "403.html", {"form_expired": True}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the same for things that do not exist and for things of other people."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """500 with an id to quote; it stands in the log beside the traceback. Touches no database."""
    error_id = secrets.token_hex(3).upper()
    log.error("error %s: %r on %s", error_id, sys.exc_info()[1], request.path)
    context = {"error_id": error_id, "site_name": settings.SITE_NAME}
    return HttpResponse(render_to_string("500.html", context), status=500)
