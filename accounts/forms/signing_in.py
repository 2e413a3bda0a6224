"""Joining, signing in, and proving who you are: allauth's forms in our words."""

from typing import Any
from zoneinfo import available_timezones

from allauth.account import forms as allauth_forms
from allauth.account.internal import flows
from allauth.account.models import EmailAddress
from allauth.account.utils import setup_user_email
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.adapter import LONGEST_PASSWORD
from accounts.models import User
from accounts.names import LONGEST, clean_name
from accounts.services import people
from marketplace.core.errors import DomainError


class OurWords:
    """Takes allauth's placeholders away and says what to enter.

    `words` maps a field to its label, hint and what to say when it is empty.
    """

    words: dict[str, tuple[Any, Any, Any]] = {}
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if isinstance(field.widget, forms.PasswordInput):
                field.widget.attrs["maxlength"] = str(LONGEST_PASSWORD)
            if isinstance(field, forms.EmailField):
                field.error_messages["invalid"] = _(
                    "Enter a whole e-mail address, like name@example.org"
                )
            if name in self.words:
                field.label, field.help_text, field.error_messages["required"] = self.words[name]


EMAIL = (_("E-mail address"), "", _("Enter your e-mail address"))
NEW_PASSWORD = (
    _("New password"),
    _("At least 8 characters. A sentence of several words is good and easy to remember."),
    _("Enter a new password"),
)
AGAIN = (_("The same password again"), "", _("Enter the password again"))


class JoinForm(OurWords, allauth_forms.SignupForm):  # type: ignore[misc]
    """Name and address; everything else is asked when it is needed."""

    words = {"email": (EMAIL[0], _("The answers go there. Nobody else sees it."), EMAIL[2])}
    field_order = ["name", "email", "side", "time_zone"]
    name = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name")},
    )
    side = forms.ChoiceField(choices=User.Side, required=False, widget=forms.HiddenInput)
    # Filled in by the browser, so that times are right from the first mail on.
    time_zone = forms.CharField(
        required=False, max_length=60, widget=forms.HiddenInput(attrs={"data-time-zone": ""})
    )

    def clean_name(self) -> str:
        try:
            return clean_name(self.cleaned_data["name"])
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_time_zone(self) -> str:
        zone = self.cleaned_data["time_zone"]
        return zone if zone in available_timezones() else "UTC"

    def try_save(self, request: HttpRequest) -> Any:
        """(user, None) for a new person; (None, answer) that looks the same for a known one."""
        try:
            return super().try_save(request)
        except DomainError:
            # Somebody else joined with this address between our look and our write.
            email = self.cleaned_data["email"]
            return None, flows.signup.prevent_enumeration(request, email=email)

    def save(self, request: HttpRequest) -> User:
        """The new person, who proves the address with a code or link before anything else."""
        said = self.cleaned_data
        language = get_language()
        user = people.join(
            said["email"],
            name=said["name"],
            side=said["side"] or User.Side.WORK,
            language=language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE,
            time_zone=said["time_zone"],
            email_verified=False,
        )
        setup_user_email(request, user, [EmailAddress(email=said["email"])])
        return user


class SignInForm(OurWords, allauth_forms.LoginForm):  # type: ignore[misc]
    """The address; a code and a link go there."""

    words = {"login": EMAIL}

    def clean(self) -> dict[str, Any]:
        """Staff made on the command line get their address noted, so that one code is enough."""
        cleaned: dict[str, Any] = super().clean()
        if self.user:
            flows.manage_email.sync_user_email_address(self.user)
        return cleaned


class PasswordSignInForm(OurWords, allauth_forms.LoginForm):  # type: ignore[misc]
    """Address and password, for people who set one."""

    words = {"login": EMAIL, "password": (_("Password"), "", _("Enter your password"))}

    def _setup_password_field(self) -> None:
        """allauth drops the field where joining needs no password; here it is the point."""

    def user_credentials(self) -> dict[str, Any]:
        """An over-long password is not worth hashing; it is simply wrong."""
        credentials: dict[str, Any] = super().user_credentials()
        credentials["password"] = credentials["password"][: LONGEST_PASSWORD + 1]
        return credentials


class OneCode(OurWords):
    """Six digits from a mail; says how many tries are left."""

    words = {
        "code": (
            _("Code from the mail"),
            _("Six digits. You can paste them."),
            _("Enter the code from the mail"),
        )
    }

    def __init__(self, *args: Any, tries_left: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tries_left = tries_left
        self.fields["code"].widget.attrs |= {
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "class": "input--w6",
            "maxlength": "12",
            "autofocus": "",
        }

    def clean_code(self) -> str:
        try:
            return str(super().clean_code())  # type: ignore[misc]
        except forms.ValidationError as error:
            raise forms.ValidationError(
                ngettext(
                    "That code is not right. You have %(n)d try left",
                    "That code is not right. You have %(n)d tries left",
                    self.tries_left,
                )
                % {"n": self.tries_left}
            ) from error


class CodeForm(OneCode, allauth_forms.ConfirmLoginCodeForm):  # type: ignore[misc]
    """The code of a sign-in."""


class EmailCodeForm(OneCode, allauth_forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """The code that proves a new address."""


class NewEmailForm(OurWords, allauth_forms.AddEmailForm):  # type: ignore[misc]
    """The address that replaces the present one."""

    words = {
        "email": (
            _("New e-mail address"),
            _("We send a code there. The present address stays until you have entered it."),
            _("Enter the new e-mail address"),
        )
    }


class ForgottenPasswordForm(OurWords, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Where the link for a new password goes."""

    words = {"email": EMAIL}


class ResetPasswordForm(OurWords, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, after the link in the mail."""

    words = {"password1": NEW_PASSWORD, "password2": AGAIN}


class FirstPasswordForm(OurWords, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """A password for somebody who signs in by mail so far."""

    words = {"password1": (_("Password"), *NEW_PASSWORD[1:]), "password2": AGAIN}


class ChangePasswordForm(OurWords, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """Another password."""

    words = {
        "oldpassword": (_("Present password"), "", _("Enter your present password")),
        "password1": NEW_PASSWORD,
        "password2": AGAIN,
    }


class ConfirmPasswordForm(OurWords, allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    """The password once more, before something sensitive."""

    words = {"password": (_("Password"), "", _("Enter your password"))}
