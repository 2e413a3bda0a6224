"""What one side proposes about a milestone, and a bonus."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form, MoneyField, TextField
from projects.services.bonuses import LONGEST_NOTE
from projects.services.proposals import LONGEST_REASON


def _reason() -> TextField:
    return TextField(
        label=_("Why?"),
        help_text=_("The other side reads this."),
        max_length=LONGEST_REASON,
        rows=4,
        error_messages={"required": _("Say why, in a sentence or two")},
    )


class ExtensionForm(Form):
    """A new due date."""

    due_on = forms.DateField(
        label=_("New due date"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": _("Enter a date, like 2027-01-15"),
            "invalid": _("Enter a date, like 2027-01-15"),
        },
    )
    reason = _reason()


class PartForm(Form):
    """A lower amount than agreed."""

    amount = MoneyField(label=_("Amount for the freelancer"), help_text=_("Before our fee."))
    carry = forms.BooleanField(
        label=_("Hold the rest for the next milestone instead of giving it back"), required=False
    )
    reason = _reason()

    def __init__(self, *args: Any, currency: str, may_carry: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_currency(self, currency)
        if not may_carry:
            del self.fields["carry"]


class BonusForm(Form):
    """Money on top."""

    amount = MoneyField(label=_("Bonus"))
    note = TextField(
        label=_("A few words"),
        help_text=_("The freelancer reads this."),
        max_length=LONGEST_NOTE,
        rows=3,
        required=False,
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_currency(self, currency)


def in_currency(form: Form, currency: str) -> None:
    """Have the form's amount read in that currency."""
    field = form.fields["amount"]
    if isinstance(field, MoneyField):
        field.currency = currency
