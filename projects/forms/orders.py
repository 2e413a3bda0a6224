"""The client's purchase order number."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form
from payments.services.orders import LONGEST


class OrderForm(Form):
    """A number, or nothing."""

    number = forms.CharField(
        label=_("Purchase order number"),
        required=False,
        max_length=LONGEST,
        help_text=_("It stands on documents issued from now on. Leave it empty for none."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "input--w10"}),
    )
