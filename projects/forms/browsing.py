"""Filters as they stand in an address. What cannot be read is left out, with a note."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form, MoneyField
from projects.models.projects import AiPolicy
from projects.selectors.browsing import SORTS

ANY = ""


class BrowseForm(Form):
    """Everything but the skills, which are looked up by name."""

    q = forms.CharField(label=_("Search projects"), max_length=200, required=False)
    min = MoneyField(label=_("From"), required=False)
    max = MoneyField(label=_("To"), required=False)
    ai = forms.ChoiceField(
        label=_("AI tools"),
        choices=[(ANY, _("Any policy")), *AiPolicy.choices],
        widget=forms.RadioSelect,
        required=False,
    )
    sort = forms.ChoiceField(
        label=_("Sort by"), choices=[(sort, sort) for sort in SORTS], required=False
    )

    def __init__(self, query: QueryDict, *, currency: str) -> None:
        super().__init__({name: query.get(name, "") for name in self.base_fields}, auto_id="%s")
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.currency = currency

    def read(self) -> tuple[dict[str, Any], list[str]]:
        """The values that make sense, and a sentence for each that does not."""
        self.full_clean()
        notes = [
            _t("We could not read “%(text)s” in “%(field)s”, so it is left out.")
            % {"text": str(self.data[name])[:40], "field": self.fields[name].label or name}
            for name in self.errors
        ]
        return {name: value for name, value in self.cleaned_data.items() if value}, notes
