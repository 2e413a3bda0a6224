"""Proving once more who one is, by a code in a mail."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form


class MailedCodeForm(Form):
    """The code of the mail."""

    code = forms.CharField(
        label=_("Code from the mail"),
        help_text=_("Six digits."),
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "class": "input--w10",
            }
        ),
        error_messages={"required": _("Enter the code from the mail")},
    )

    def clean_code(self) -> str:
        """Only its digits: people copy blanks with it."""
        return "".join(self.cleaned_data["code"].split())
