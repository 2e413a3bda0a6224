"""How allauth works here: our words, our mail, our audit log, and only local redirects."""

import unicodedata
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.utils import get_next_redirect_url
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import links
from accounts.models import User
from accounts.services import people
from marketplace.core import audit, drafts, mail, text
from marketplace.core.ids import new_ref
from marketplace.core.sealing import seal, unseal

LONGEST_PASSWORD = 128
# What was changed about an account; one mail tells each of these to its person.
SECURITY_NEWS = {
    "account/email/password_changed": _("Your password was changed"),
    "account/email/password_reset": _("Your password was changed"),
    "account/email/password_set": _("A password was set for your account"),
    "account/email/email_changed": _("Your e-mail address was changed"),
    "account/email/email_deleted": _("An e-mail address was removed from your account"),
    "mfa/email/totp_activated": _("An authenticator app was set up for your account"),
    "mfa/email/totp_deactivated": _("The authenticator app of your account was turned off"),
    "mfa/email/recovery_codes_generated": _("New recovery codes were made for your account"),
    "mfa/email/webauthn_added": _("A key was added to your account"),
    "mfa/email/webauthn_removed": _("A key was removed from your account"),
}
# Mails that come with a link doing the same as their code.
WITH_LINK = {
    "account/email/login_code",
    "account/email/email_confirmation_signup",
    "account/email/account_already_exists",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in of our people."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is closed."),
        "email_password_mismatch": _(
            "E-mail address and password do not match. Check both, or ask for a code by mail"
        ),
        "email_taken": _("This address belongs to another account"),
        "enter_current_password": _("This is not your current password"),
        "incorrect_password": _("That password is not right. Try again"),
        "incorrect_code": _("That code is not right"),
        "invalid_password_reset": _("This link has expired or was used. Ask for a new one"),
        "too_many_login_attempts": _(
            "That was too often. Wait a few minutes, or ask for a code by mail"
        ),
        "rate_limited": _("That was a lot at once. Wait a few minutes, then try again"),
        "same_as_current": _("This is your address already. Enter the new one"),
    }

    # --- Where to ---------------------------------------------------------------------------

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths of this site: whatever `next` says, nobody is sent elsewhere."""
        if not url or not url.startswith("/") or any(ord(c) < 33 for c in url):
            return False
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:settings")

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("accounts:settings")

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", args=["UID", "KEY"])
        return f"{settings.SITE_URL}{path.replace('UID-KEY', key)}"

    # --- In and out -------------------------------------------------------------------------

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in; what was typed before now belongs to the person."""
        people.settle(user)
        methods = [record["method"] for record in get_authentication_records(request, user)]
        super().login(request, user)
        drafts.claim(request)
        audit.record(user, "user.signed_in", user, methods=methods)

    def logout(self, request: HttpRequest) -> None:
        user = request.user
        if isinstance(user, User):
            audit.record(user, "user.signed_out", user)
        super().logout(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Passwords compare composed: é is one letter however a keyboard sends it."""
        if "password" in credentials:
            credentials["password"] = _composed(credentials["password"])
        return super().authenticate(request, **credentials)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failed tries count per address and sender, so that strangers lock nobody out."""
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{self.get_client_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            self._warn(request, credentials.get("email", ""))
            raise

    def _warn(self, request: HttpRequest, email: str) -> None:
        """Tell the owner, once an hour, that somebody keeps trying; and keep a trace."""
        user = User.objects.filter(email=email.lower(), is_active=True).first()
        if user is None:
            return
        with transaction.atomic():
            row = audit.record(None, "user.sign_in_refused", user, rule="too many wrong passwords")
            mail.put(
                f"sign-in-refused:{user.pk}:{row.at:%Y-%m-%dT%H}",
                to=user.email,
                template="account/email/sign_in_refused",
                context={"url": settings.SITE_URL + reverse("mfa_index")},
                language=user.language,
                time_zone=user.time_zone,
            )

    # --- Passwords and addresses ------------------------------------------------------------

    def clean_password(self, password: str, user: Any = None) -> str:
        password = _composed(password)
        if len(password) > LONGEST_PASSWORD:
            raise ValidationError(
                _("The password is too long. The limit is %(limit)d characters")
                % {"limit": LONGEST_PASSWORD}
            )
        if text.fold(password).replace(" ", "").strip("0123456789!?.") == text.fold(
            settings.SITE_NAME
        ):
            raise ValidationError(_("Our own name is the first thing that would be tried"))
        return str(super().clean_password(password, user))

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, _composed(password))
        audit.record(user, "user.password_changed", user)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        confirmed = super().confirm_email(request, email_address)
        if confirmed:
            user = email_address.user
            audit.record(user, "user.email_confirmed", user)
        return bool(confirmed)

    # --- Mail -------------------------------------------------------------------------------

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Through the outbox, in the reader's language, as text and HTML.

        So the answer to a request never depends on the mail server: neither whether it works,
        nor by how long it takes, which would tell who has an account.
        """
        request = allauth_context.request
        user = context.get("user") or User.objects.filter(email=email.lower()).first()
        onward = get_next_redirect_url(request) or ""
        words: dict[str, Any] = {
            key: value for key, value in context.items() if isinstance(value, str | int)
        }
        words |= {
            "email": email,
            "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60,
            "join_url": settings.SITE_URL + reverse("account_signup"),
            "security_url": settings.SITE_URL + reverse("mfa_index"),
            "at": context.get("timestamp"),
            "name": user.name if user else "",
            "happened": SECURITY_NEWS.get(template_prefix, ""),
        }
        if user and template_prefix in WITH_LINK:
            words["link"] = links.sign_in_link(user, onward=onward)
        mail.put(
            f"account:{new_ref()}",
            to=email,
            template="account/email/security_news" if words["happened"] else template_prefix,
            context=words,
            language=user.language if user else get_language() or "en",
            time_zone=user.time_zone if user else "UTC",
        )


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Authenticator apps, passkeys and recovery codes of our people."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("That code is not right. Codes change every 30 seconds"),
        "unverified_email": _("Confirm your e-mail address first"),
    }

    def _get_site_name(self) -> str:
        return str(settings.SITE_NAME)

    def encrypt(self, text: str) -> str:
        """Secrets rest encrypted, so that a copy of the database opens no account."""
        return seal(text, purpose="second-factor")

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, purpose="second-factor")


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)
