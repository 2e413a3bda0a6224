"""Rows of milestones in one form, so that one error summary covers them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import AffixInput, Form, MoneyField

TITLE = re.compile(r"m([0-9]{1,2})_title")
MOST = 20


@dataclass(frozen=True)
class Row:
    """The three inputs of a milestone."""

    number: int
    title: BoundField
    amount: BoundField
    third: BoundField

    @property
    def fields(self) -> Sequence[BoundField]:
        return self.title, self.amount, self.third


class MilestoneRows(Form):
    """A form with rows of title, amount and, in `third`, when it is due. Empty rows do not count.

    `plan` (rows of values) fills a fresh form; `spare` says how many empty rows follow.
    """

    third: ClassVar[str]

    def __init__(
        self,
        data: Any = None,
        *args: Any,
        currency: str,
        plan: Sequence[Mapping[str, Any]] = (),
        spare: int = 0,
        **kwargs: Any,
    ) -> None:
        initial = {
            **{
                f"m{number}_{name}": value
                for number, row in enumerate(plan, start=1)
                for name, value in row.items()
            },
            **(kwargs.pop("initial", None) or {}),
        }
        super().__init__(data, *args, initial=initial, **kwargs)
        numbers = [int(match[1]) for key in data or initial if (match := TITLE.fullmatch(key))]
        self.count = min(MOST, max([number for number in numbers if number <= MOST], default=0))
        self.count = min(MOST, self.count + spare)
        for number in range(1, self.count + 1):
            self.fields |= self._row(number, currency)
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.currency = currency

    def _row(self, number: int, currency: str) -> dict[str, forms.Field]:
        words = {"number": number}
        return {
            f"m{number}_title": forms.CharField(
                label=_("Title of milestone %(number)s") % words, max_length=120, required=False
            ),
            f"m{number}_amount": MoneyField(
                label=_("Amount of milestone %(number)s") % words,
                currency=currency,
                required=False,
            ),
            f"m{number}_{self.third}": self.third_field(number),
        }

    def third_field(self, number: int) -> forms.Field:
        """The input for when milestone `number` is due."""
        raise NotImplementedError

    @property
    def rows(self) -> list[Row]:
        """The rows as the page shows them."""
        return [
            Row(n, self[f"m{n}_title"], self[f"m{n}_amount"], self[f"m{n}_{self.third}"])
            for n in range(1, self.count + 1)
        ]

    @property
    def has_milestones(self) -> bool:
        """Whether any row says something."""
        return any(field.value() for row in self.rows for field in row.fields)

    def clean(self) -> dict[str, Any]:
        """A row that is begun must be whole; `milestones` has the whole ones in order."""
        cleaned = super().clean() or {}
        cleaned["milestones"] = []
        for row in self.rows:
            title, amount, third = (cleaned.get(field.name) for field in row.fields)
            begun = title or amount is not None or third
            if begun and not title and row.title.name not in self.errors:
                self.add_error(row.title.name, _("Give this milestone a title"))
            if begun and amount is None and row.amount.name not in self.errors:
                self.add_error(row.amount.name, _("Enter an amount, like 1,200 or 1,200.50"))
            if begun:
                cleaned["milestones"].append((title, amount, third))
        return cleaned


def days_field(label: Any, *, required: bool, **kwargs: Any) -> forms.IntegerField:
    """A number of working days."""
    return forms.IntegerField(
        label=label,
        required=required,
        min_value=1,
        widget=AffixInput({"inputmode": "numeric", "autocomplete": "off"}, suffix=_("days")),
        error_messages={
            "required": _("Enter a number of days, like 20"),
            "invalid": _("Enter a number of days, like 20"),
            "min_value": _("Enter a number of days between 1 and 365"),
        },
        **kwargs,
    )
