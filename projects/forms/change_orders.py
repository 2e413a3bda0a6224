"""More than was agreed: an extra round of changes, or extra work."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form, MoneyField, TextField
from projects.forms.milestones import days_field
from projects.forms.proposals import in_currency
from projects.services.change_orders.offers import LONGEST_BODY
from projects.services.contracts import LONGEST_TITLE


class WantRoundForm(Form):
    """What should change beyond the included rounds."""

    points = TextField(
        label=_("What should change?"),
        help_text=_("One point per line. The freelancer prices what you write here."),
        max_length=LONGEST_BODY,
        rows=6,
        error_messages={"required": _("Say what should be done, point by point")},
    )


class PriceRoundForm(Form):
    """What an extra round costs."""

    amount = MoneyField(label=_("Price of the round"), help_text=_("Before our fee."))
    days = days_field(
        _("Time you need"), required=True, help_text=_("Counted from the day it is paid.")
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_currency(self, currency)


class WorkForm(Form):
    """Extra work."""

    title = forms.CharField(
        label=_("Title"),
        max_length=LONGEST_TITLE,
        error_messages={"required": _("Give the extra work a title")},
    )
    body = TextField(
        label=_("What is added?"),
        help_text=_("This becomes part of the terms. Say what is in, and what is not."),
        max_length=LONGEST_BODY,
        rows=6,
        error_messages={"required": _("Say what should be done, point by point")},
    )
    amount = MoneyField(label=_("Amount for the freelancer"), help_text=_("Before our fee."))
    due_on = forms.DateField(
        label=_("Due"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": _("Enter a date, like 2027-01-15"),
            "invalid": _("Enter a date, like 2027-01-15"),
        },
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_currency(self, currency)
