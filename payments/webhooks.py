"""Where Stripe tells us that something happened. Answer at once; a task does the reading."""

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments import gateway
from payments.services import inbox

log = logging.getLogger(__name__)

# Stripe's events are a few kilobytes.
LARGEST_BODY = 256 * 1024


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 once the event is stored, whether or not we knew it; 400 for what Stripe did not send."""
    if request.content_type != "application/json":
        return HttpResponse(status=400)
    body = _body(request)
    if body is None:
        return HttpResponse(status=400)
    try:
        event = gateway.read_event(body, request.headers.get("Stripe-Signature", ""))
    except gateway.WrongMode as error:
        log.error("webhook of the wrong mode: %s", error)  # noqa: TRY400 - not a crash
        return HttpResponse(status=400)
    except gateway.BadSignature as error:
        log.warning("webhook refused: %s", error)
        return HttpResponse(status=400)
    inbox.receive(event)
    return HttpResponse(status=200)


def _body(request: HttpRequest) -> bytes | None:
    """The raw body, unless it is longer than any event: memory stays bounded."""
    length = request.META.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return None
    return request.body
