"""Authenticator apps, passkeys and recovery codes: allauth's forms in our words."""

from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.utils.translation import gettext_lazy as _

from accounts.forms.signing_in import OurWords

CODE = (
    _("Code from your app"),
    _("Six digits. A recovery code works too."),
    _("Enter the code from your app"),
)


class DigitCode(OurWords):
    """One code, typed on a number pad."""

    words = {"code": CODE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "class": "input--w10",
            "maxlength": "20",
        }


class AuthenticateForm(DigitCode, base.AuthenticateForm):  # type: ignore[misc]
    """The second proof at sign-in."""


class ReauthenticateForm(DigitCode, base.ReauthenticateForm):  # type: ignore[misc]
    """The second proof before something sensitive."""


class TurnOnAppForm(DigitCode, totp.ActivateTOTPForm):  # type: ignore[misc]
    """The first code, which shows that the app is set up."""

    words = {"code": (CODE[0], _("Six digits."), CODE[2])}


class AddKeyForm(OurWords, webauthn.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey or security key."""

    words = {"name": (_("Name of the key"), _("For you only, such as “Phone”."), "")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        passwordless = self.fields["passwordless"]
        passwordless.label = _("Sign in with this key alone")
        passwordless.help_text = _("The key then asks for your finger, face or PIN.")
        passwordless.initial = True


class RenameKeyForm(OurWords, webauthn.EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a key."""

    words = {"name": (_("Name of the key"), "", _("Enter a name for the key"))}
