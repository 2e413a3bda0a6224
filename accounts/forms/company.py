"""Billing details, companies and their members."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import countries
from accounts.models import Party
from accounts.names import LONGEST
from marketplace.core.forms import Form, TextField

RIGHTS = [
    ("post", _("Post projects")),
    ("hire", _("Choose bids and sign")),
    ("pay", _("Pay and approve")),
    ("manage", _("Manage details and members")),
]


def country_choices() -> list[tuple[str, Any]]:
    """Looked up per form, because names follow the reader's language."""
    return [("", _("Choose a country")), *countries.choices()]


class DetailsForm(Form):
    """What stands on invoices, and for a company what others see."""

    name = forms.CharField(
        label=_("Company name"),
        max_length=LONGEST,
        help_text=_("What others see."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": _("Enter the name of the company")},
    )
    legal_name = forms.CharField(
        label=_("Legal name"),
        required=False,
        max_length=160,
        help_text=_("As it should stand on invoices, if it differs."),
    )
    address = TextField(
        label=_("Address"),
        required=False,
        max_length=400,
        rows=3,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    country = forms.ChoiceField(
        label=_("Country"),
        choices=country_choices,
        required=False,
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={"invalid_choice": _("Choose a country from the list")},
    )
    vat_id = forms.CharField(
        label=_("VAT id"),
        required=False,
        max_length=30,
        help_text=_("With the country letters, like DE123456789."),
    )
    website = forms.CharField(
        label=_("Website"),
        required=False,
        max_length=200,
        widget=forms.URLInput(attrs={"inputmode": "url", "autocomplete": "url"}),
    )
    about = TextField(
        label=_("About the company"),
        required=False,
        max_length=2000,
        rows=4,
        help_text=_("Freelancers read it before they bid."),
    )

    def __init__(self, *args: Any, party: Party | None = None, **kwargs: Any) -> None:
        values = {}
        if party:
            values = {name: getattr(party, name) for name in self.base_fields}
        super().__init__(*args, initial=values, **kwargs)
        if party and party.kind == Party.Kind.PERSON:
            # A person is called like the person, and has a profile for the rest.
            for name in ("name", "website", "about"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Every detail, also those this kind of party is not asked for."""
        cleaned: dict[str, Any] = super().clean() or {}
        return {"website": "", "about": "", **cleaned}


class FoundForm(Form):
    """The least we need to know about a company; the rest is asked before the first invoice."""

    name = DetailsForm.base_fields["name"]
    country = forms.ChoiceField(
        label=_("Country"),
        choices=country_choices,
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={"required": _("Choose a country")},
    )
    vat_id = DetailsForm.base_fields["vat_id"]


class RightsForm(Form):
    """What a member may do."""

    rights = forms.MultipleChoiceField(
        label=_("May"),
        choices=RIGHTS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one right")},
    )


class InviteForm(RightsForm):
    """Whom to invite."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Enter the address of the person"),
            "invalid": _("Enter a whole e-mail address, like name@example.org"),
        },
    )
    field_order = ("email", "rights")
