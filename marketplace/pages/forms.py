"""Shapes of what people type on public pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form, MoneyField, TextField
from marketplace.core.money import Money


class FeeForm(Form):
    """The fee calculator; a GET form, so results can be shared."""

    amount = MoneyField(label=_("Price of the work"))

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["amount"]
        assert isinstance(field, MoneyField)  # noqa: S101 - for the type checker
        field.currency = currency
        field.least = Money(1, currency)
        field.initial = Money(1_000_00, currency)


class ContactForm(Form):
    """A message to the people who run this instance."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name")},
    )
    email = forms.EmailField(
        label=_("Your e-mail address"),
        help_text=_("We answer to this address and use it for nothing else."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Enter your e-mail address"),
            "invalid": _("Enter an e-mail address like name@example.com"),
        },
    )
    message = TextField(
        label=_("What happened, or what do you need?"),
        help_text=_("If it is about a contract or a payment, copy its number or address in here."),
        max_length=4000,
        rows=6,
        error_messages={"required": _("Write what you need")},
    )
