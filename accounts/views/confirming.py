"""Proving once more who one is, for people without password, app and key: by a code in a mail."""

import datetime as dt
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac
from django.utils.translation import gettext as _

from accounts import freshness
from accounts.forms.confirming import MailedCodeForm
from accounts.models import User
from accounts.services import people
from accounts.views.profile import GET_OR_POST
from accounts.views.signing_in import where_mail_goes
from marketplace.core import clock, limits
from marketplace.core.errors import TooMany
from marketplace.core.http import UserRequest, go_to

SESSION_KEY = "mailed_code"
SALT = "accounts.confirm-by-mail"


@GET_OR_POST
@login_required
def confirm_by_mail(request: UserRequest) -> HttpResponse:
    """Send a code to the person's own address, and believe who enters it here in time."""
    asked = request.GET.get(REDIRECT_FIELD_NAME, "")
    onward = asked if get_adapter().is_safe_url(asked) else reverse("home")
    if get_adapter().get_reauthentication_methods(request.user):
        # A mailbox is no way around a password or a second factor.
        return go_to(request, freshness.confirm_url(request.user, onward=onward))
    if request.method == "POST" and "send" in request.POST:
        try:
            limits.spend("mailed_code", request)
        except TooMany as error:
            messages.error(request, str(error))
        else:
            _send(request)
        return go_to(request, request.get_full_path())
    form = MailedCodeForm(request.POST if _waits(request) and request.method == "POST" else None)
    if form.is_valid():
        try:
            if _is_right(request, form.cleaned_data["code"]):
                freshness.remember(request)
                people.confirm(request.user)
                return go_to(request, onward)
            form.add_error("code", _("That code is not right"))
        except TooMany as error:
            form.add_error("code", str(error))
    context: dict[str, Any] = {
        "form": form,
        "waits": _waits(request),
        "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60,
        "mail_folder": where_mail_goes(),
    }
    status = 422 if form.errors else 200
    return render(request, "account/confirm_by_mail.html", context, status=status)


def _send(request: UserRequest) -> None:
    code = get_random_string(6, "0123456789")
    people.mail_confirmation_code(request.user, code=code)
    request.session[SESSION_KEY] = {
        "digest": _digest(request.user, code),
        "at": clock.now().isoformat(),
        "tries": 0,
    }


def _waits(request: HttpRequest) -> bool:
    """Whether a code is on its way that may still be entered."""
    sent = request.session.get(SESSION_KEY)
    if not sent:
        return False
    age = clock.now() - dt.datetime.fromisoformat(sent["at"])
    young = age < dt.timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)
    return young and sent["tries"] < settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS


def _is_right(request: UserRequest, code: str) -> bool:
    # Tries in the session alone could be made side by side; this count is one for all of them.
    limits.spend("code_try", request)
    sent = request.session[SESSION_KEY]
    if constant_time_compare(sent["digest"], _digest(request.user, code)):
        del request.session[SESSION_KEY]
        return True
    request.session[SESSION_KEY] = sent | {"tries": sent["tries"] + 1}
    return False


def _digest(user: User, code: str) -> str:
    """A new address makes codes to the old one worthless."""
    return salted_hmac(SALT, f"{user.pk}|{user.email}|{code}", algorithm="sha256").hexdigest()
