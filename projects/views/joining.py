"""Asking late: a visitor does the thing first and joins then."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from marketplace.core.http import go_to


def join_first(request: HttpRequest, *, come_back_to: str) -> HttpResponse:
    """To the page that asks for name and address; what was typed waits in a draft."""
    return go_to(request, f"{reverse('account_signup')}?{urlencode({'next': come_back_to})}")
