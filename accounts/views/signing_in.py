"""Joining, signing in and out: allauth's steps, with a link beside each code."""

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from allauth.account import views as allauth_views
from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_not_required
from allauth.account.internal.flows.email_verification import verify_email_indirectly
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import passthrough_next_redirect_url, perform_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import links
from accounts.forms.signing_in import PasswordSignInForm
from accounts.models import User
from marketplace.core.http import SeeOther

# Long enough to hide whether an account was made, found or missing.
ANSWER_AFTER_SECONDS = 0.35
PENDING_CODE = "account_email_verification_code"
View = Callable[..., HttpResponseBase]


def in_even_time(view: View) -> View:
    """Answer a POST not before a set time, so that the clock does not tell who has an account."""

    @wraps(view)
    def even(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        start = time.monotonic()
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            time.sleep(max(0.0, ANSWER_AFTER_SECONDS - (time.monotonic() - start)))
        return response

    return even


def where_mail_goes() -> str:
    """On an instance that writes mail to files, for newcomers: the folder. Otherwise nothing."""
    if not settings.TEST_MONEY or "filebased" not in settings.EMAIL_BACKEND:
        return ""
    folder = Path(settings.EMAIL_FILE_PATH)
    if folder.is_relative_to(settings.BASE_DIR):
        return str(folder.relative_to(settings.BASE_DIR))
    return str(folder)


class CodePage:
    """What both code pages share: tries left, another address, where mail is."""

    request: HttpRequest
    _process: Any
    _action: str
    start_urlname = "account_login"

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]
        if self._action == "verify":
            failed = self._process.state["failed_attempts"] + 1
            kwargs["tries_left"] = max(0, self._process.max_attempts - failed)
        return kwargs

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return context | {
            "mail_folder": where_mail_goes(),
            "minutes": self._process.timeout // 60,
            "start_url": passthrough_next_redirect_url(
                self.request, reverse(self.start_urlname), "next"
            ),
        }

    def form_invalid(self, form: Any) -> HttpResponse:
        if self._process.record_invalid_attempt():
            answer: HttpResponse = self.render_to_response(  # type: ignore[attr-defined]
                self.get_context_data(form=form), status=422
            )
            return answer
        messages.error(self.request, _("Five wrong codes. Ask for a new one."))
        return SeeOther(
            passthrough_next_redirect_url(self.request, reverse(self.start_urlname), "next")
        )


class ConfirmSignIn(CodePage, allauth_views.ConfirmLoginCodeView):  # type: ignore[misc]
    """The code of a sign-in."""


class ConfirmAddress(CodePage, allauth_views.ConfirmEmailVerificationCodeView):  # type: ignore[misc]
    """The code that proves an address: of a new person, or a changed one."""

    start_urlname = "account_signup"

    def form_invalid(self, form: Any) -> HttpResponse:
        if self.request.user.is_authenticated:
            self.start_urlname = "account_email"
        return super().form_invalid(form)


class StartAnew:
    """Whoever comes back from a code page to start again, may; allauth would send them back."""

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: Any) -> None:
        if request.method == "POST":
            clear_login(request)
            request.session.pop(PENDING_CODE, None)


class Join(StartAnew, allauth_views.SignupView):  # type: ignore[misc]
    """Name and address, and the side one comes for."""

    def get_initial(self) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_initial()
        side = self.request.GET.get("side", "")
        return initial | ({"side": side} if side in User.Side.values else {})


class SignIn(StartAnew, allauth_views.LoginView):  # type: ignore[misc]
    """The address; a code and a link go there."""


class PasswordSignIn(StartAnew, allauth_views.LoginView):  # type: ignore[misc]
    """Address and password."""

    template_name = "account/login_password.html"

    def get_form_class(self) -> type[PasswordSignInForm]:
        return PasswordSignInForm


class SignOut(allauth_views.LogoutView):  # type: ignore[misc]
    """Ends the session here and now; what the browser kept of it goes too."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@never_cache
@require_http_methods(["GET", "POST"])
@login_not_required  # type: ignore[untyped-decorator]
def sign_in_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """The link of a mail. Mail programs look ahead, so opening it does nothing; its button does."""
    found = links.read_link(token)
    if found is None:
        return render(request, "account/link_expired.html", status=410)
    user, onward = found
    if request.method == "GET":
        return render(request, "account/link.html", {"person": user})
    request.session.pop(PENDING_CODE, None)
    record_authentication(request, user, method="link", email=user.email)
    verify_email_indirectly(request, user, user.email)
    safe = get_adapter(request).is_safe_url(onward)
    response: HttpResponseBase = perform_login(
        request, user, email=user.email, redirect_url=onward if safe else None
    )
    return response


join = in_even_time(Join.as_view())
sign_in = in_even_time(SignIn.as_view())
sign_in_with_password = in_even_time(PasswordSignIn.as_view())
forgot_password = in_even_time(allauth_views.password_reset)
confirm_sign_in = ConfirmSignIn.as_view()
confirm_address = method_decorator(login_not_required, name="dispatch")(ConfirmAddress).as_view()
sign_out = SignOut.as_view()
