"""What people set for themselves, and which half of the product they see."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import selectors
from accounts.forms import refuse
from accounts.forms.settings import MailForm, SettingsForm
from accounts.models import User
from accounts.services import notices, people
from accounts.views.profile import GET_OR_POST
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to


@GET_OR_POST
@login_required
def settings(request: UserRequest) -> HttpResponse:
    """Name, language, time zone, look, and the ways to sign in."""
    form = SettingsForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            people.update_settings(request.user, **form.cleaned_data)
        except DomainError as error:
            refuse(form, error)
        else:
            translation.activate(request.user.language)
            messages.success(request, _("Your settings are saved."))
            return go_to(request, reverse("accounts:settings"))
    return _page(request, "settings", {"form": form})


@GET_OR_POST
@login_required
def mail(request: UserRequest) -> HttpResponse:
    """Which notices also go by mail."""
    form = MailForm(request.POST or None, wishes=selectors.mail_wishes(request.user))
    if form.is_valid():
        notices.set_mail_wishes(request.user, form.cleaned_data)
        messages.success(request, _("Your wishes are saved."))
        return go_to(request, reverse("accounts:mail"))
    return _page(request, "mail", {"form": form})


@require_POST
@login_required
def switch_side(request: UserRequest) -> HttpResponse:
    """From freelancing to hiring, or back."""
    other = User.Side.HIRE if request.user.side == User.Side.WORK else User.Side.WORK
    wish = request.POST.get("side")
    people.switch_side(request.user, side=wish if wish in User.Side.values else other)
    return go_to(request, reverse("home"))


@csrf_exempt
@GET_OR_POST
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One click in a mail program posts here; a person gets a page with the button, and undo.

    No sign-in and no CSRF token: the signed link is the proof, and it can only stop mail.
    """
    try:
        _user, group = notices.read_sign_off(token)
        if request.method == "GET":
            return render(request, "accounts/unsubscribe.html", {"group": group})
        undo = request.POST.get("action") == "undo"
        notices.set_by_link(token, by_mail=undo)
    except DomainError as error:
        refused = {"problem": str(error)}
        return render(request, "accounts/unsubscribe.html", refused, status=error.status)
    context = {"group": group, "stopped": not undo, "undone": undo}
    return render(request, "accounts/unsubscribe.html", context)


def tabs(current: str) -> list[dict[str, Any]]:
    """The parts of the settings; suggestions are a page of matching."""
    parts = {
        "settings": (_("Account"), "accounts:settings"),
        "mail": (_("Mail"), "accounts:mail"),
        "suggestions": (_("Suggestions"), "matching:settings"),
        "security": (_("Security"), "mfa_index"),
    }
    return [
        {"label": label, "url": reverse(name), "current": part == current}
        for part, (label, name) in parts.items()
    ]


def _page(request: UserRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    status = 422 if context["form"].errors else 200
    return render(request, f"accounts/{name}.html", {**context, "tabs": tabs(name)}, status=status)
