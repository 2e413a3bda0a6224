"""How much of released money goes back."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form, MoneyField
from marketplace.core.money import Money


class GiveBackForm(Form):
    """An amount of what was agreed; both fees follow it."""

    amount = MoneyField(label=_("Amount"), help_text=_("Of the agreed amount, before our fee."))

    def __init__(self, *args: Any, left: Money, **kwargs: Any) -> None:
        super().__init__(*args, **({"initial": {"amount": left.decimal_text}} | kwargs))
        field = self.fields["amount"]
        if isinstance(field, MoneyField):
            field.currency = left.currency


class ConfirmGiveBackForm(GiveBackForm):
    """The same amount once more, and what was left when it was read."""

    seen = forms.IntegerField(min_value=0)
