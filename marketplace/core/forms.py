"""Form parts of the design system: the renderer, and the fields browsers do not have.

Fields here know the shape of input (an amount, a list of files), never a rule of the marketplace.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.boundfield import BoundField as DjangoBoundField
from django.forms.renderers import TemplatesSetting
from django.forms.utils import pretty_name
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from marketplace.core.display import currency_symbol, money_round_text, money_text
from marketplace.core.money import InvalidAmount, Money, exponent

Words = str | Promise
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2099, 12, 31)


class BoundField(DjangoBoundField):
    """A field that knows its CSS class, and the hint, error and counter that describe it."""

    def build_widget_attrs(
        self, attrs: dict[str, Any], widget: forms.Widget | None = None
    ) -> dict[str, Any]:
        """Add our class; radios say nothing about validity, because ARIA forbids it there."""
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        if _is_box(widget):
            attrs["class"] = " ".join(filter(None, ["input", widget.attrs.get("class", "")]))
        if self.use_fieldset:
            attrs.pop("aria-invalid", None)
        return attrs

    @property
    def aria_describedby(self) -> str | None:
        """The ids of hint, error and counter, in reading order."""
        parts = [super().aria_describedby, f"{self.auto_id}_count" if self.counts else ""]
        return " ".join(filter(None, parts)) or None

    @property
    def counts(self) -> bool:
        """Whether a counter of the characters left belongs under it."""
        return "data-max" in self.field.widget.attrs

    @property
    def is_marked_optional(self) -> bool:
        """Whether to say that it may stay empty: only beside questions that may not."""
        return not self.field.required and any(f.required for f in self.form.fields.values())

    @property
    def is_checkbox(self) -> bool:
        """One box whose label stands beside it."""
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def is_file(self) -> bool:
        """An upload, shown as a drop area."""
        return isinstance(self.field.widget, forms.FileInput)

    @property
    def focus_id(self) -> str:
        """Where a link of the error summary leads: the input, or the first one of a group."""
        return f"{self.auto_id}_0" if self.use_fieldset else self.id_for_label or self.auto_id


class Renderer(TemplatesSetting):
    """Renders `{{ form }}` and `{{ form.name.as_field_group }}` with templates/django/forms."""

    form_template_name = "django/forms/form.html"
    field_template_name = "django/forms/field.html"
    bound_field_class = BoundField


def _is_box(widget: forms.Widget) -> bool:
    """Inputs people type into or choose from, as opposed to ticks, uploads and hidden values."""
    if isinstance(widget, forms.CheckboxInput | forms.FileInput | forms.HiddenInput):
        return False
    return isinstance(widget, forms.widgets.Input | forms.Textarea | forms.Select)


class Form(forms.Form):
    """A form whose missing answers are asked for by name, never by “This field is required”."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            label = {"label": field.label or pretty_name(name)}
            _reword(field, "required", forms.Field, _asking(field) % label)
            _reword(field, "invalid", forms.IntegerField, _("Enter a whole number, like 14"))
            _reword(field, "invalid", forms.DateField, _("Enter a date, like 2026-12-31"))


def _asking(field: forms.Field) -> Words:
    if isinstance(field, forms.BooleanField):
        return _("Tick “%(label)s” to go on")
    if isinstance(field, forms.ChoiceField):
        return _("Choose an answer for “%(label)s”")
    return _("Fill in “%(label)s”")


def _reword(field: forms.Field, code: str, kind: type[forms.Field], words: Any) -> None:
    """Replace Django's own sentence, but never one that the form has chosen itself."""
    stock = kind.default_error_messages.get(code)
    if isinstance(field, kind) and field.error_messages.get(code) == stock:
        field.error_messages[code] = words


class DayField(forms.DateField):
    """A day of this century: one that can be counted on from without leaving the calendar."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}), **kwargs)
        self.validators += [
            MinValueValidator(FIRST_DAY, _("Choose a day from 2000 on")),
            MaxValueValidator(LAST_DAY, _("Choose a day before 2100")),
        ]


# --- Text -----------------------------------------------------------------------------------


class TextField(forms.CharField):
    """Several lines, with a counter. Too long is an error with a number, not a silent cut."""

    def __init__(self, *, max_length: int, rows: int = 5, **kwargs: Any) -> None:
        self.longest = max_length
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        super().__init__(**kwargs)
        self.widget.attrs["data-max"] = str(max_length)

    def to_python(self, value: object) -> str:
        """Browsers send CRLF; one line break is one character."""
        return str(super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")

    def validate(self, value: str) -> None:
        """Raise ValidationError when it is missing or too long."""
        super().validate(value)
        over = len(value) - self.longest
        if over > 0:
            raise ValidationError(
                ngettext(
                    "%(label)s is %(over)s character too long. The limit is %(limit)s",
                    "%(label)s is %(over)s characters too long. The limit is %(limit)s",
                    over,
                )
                % {
                    "label": self.label or _("This text"),
                    "over": over,
                    "limit": f"{self.longest:,}",
                }
            )


def _name(label: Words | None) -> Words:
    """The label as the subject of a sentence; a question cannot be one."""
    return label if label and not str(label).endswith("?") else _("This text")


# --- Amounts --------------------------------------------------------------------------------


class AffixInput(forms.TextInput):
    """A text input with a fixed part before or after it, such as `€` or `days`."""

    template_name = "django/forms/widgets/affix.html"

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        *,
        prefix: Words = "",
        suffix: Words = "",
    ) -> None:
        super().__init__(attrs)
        self.prefix = prefix
        self.suffix = suffix

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add both parts to what the template sees."""
        context = super().get_context(name, value, attrs)
        context["widget"] |= {"prefix": self.prefix, "suffix": self.suffix}
        return context


class MoneyInput(AffixInput):
    """The currency sign stands before the amount; phones show number keys."""

    def __init__(self, attrs: dict[str, Any] | None = None, *, currency: str = "EUR") -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})
        self.currency = currency

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The sign is looked up late, in the reader's language."""
        self.prefix = currency_symbol(self.currency)
        return super().get_context(name, value, attrs)


class MoneyField(forms.Field):
    """Cleans to Money. Reads amounts as people of the active language write them.

    `currency` may be set again on the field of a form instance; `least` and `most` are Money bounds
    of that input, with the words of ux.md.
    """

    widget = MoneyInput
    default_error_messages = {"required": _("Enter an amount, like 1,200 or 1,200.50")}

    def __init__(
        self,
        *,
        currency: str = "EUR",
        least: Money | None = None,
        most: Money | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.currency = currency
        self.least = least
        self.most = most

    @property
    def currency(self) -> str:
        """ISO code of what is typed."""
        return self._currency

    @currency.setter
    def currency(self, currency: str) -> None:
        self._currency = currency
        self.widget.currency = currency

    def prepare_value(self, value: Any) -> Any:
        """Money is shown without its sign, which already stands beside the input."""
        if not isinstance(value, Money):
            return value
        text = money_text(value).replace(currency_symbol(value.currency), "")
        return text.replace(value.currency, "").strip("\u00a0\u202f ")

    def to_python(self, value: Any) -> Money | None:
        """Raise ValidationError when it is no amount."""
        if isinstance(value, Money):
            return value
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return Money.parse_local(text, self.currency, get_language() or "en")
        except InvalidAmount as error:
            raise ValidationError(str(error)) from error

    def validate(self, value: Money | None) -> None:
        """Raise ValidationError when it is missing or out of bounds."""
        super().validate(value)
        words = {"label": self.label or _("The amount")}
        if value is None:
            return
        if self.least and value < self.least:
            bound = {"bound": _bound_text(self.least)}
            raise ValidationError(_("%(label)s must be %(bound)s or more") % (words | bound))
        if self.most and self.most < value:
            bound = {"bound": _bound_text(self.most)}
            raise ValidationError(_("%(label)s must be %(bound)s or less") % (words | bound))


def _bound_text(bound: Money) -> str:
    whole = bound.minor % 10 ** exponent(bound.currency) == 0
    return money_round_text(bound) if whole else money_text(bound)


# --- Choices --------------------------------------------------------------------------------


class _Hints:
    """Lets a choice widget carry a second line per choice."""

    hints: Mapping[str, Words]

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the hint of this value."""
        make = cast(Any, super()).create_option
        return {**make(name, value, *args, **kwargs), "hint": self.hints.get(str(value), "")}


class Cards(_Hints, forms.RadioSelect):
    """Three to five exclusive choices as cards, each with an optional second line."""

    template_name = "django/forms/widgets/cards.html"

    def __init__(
        self, attrs: dict[str, Any] | None = None, *, hints: Mapping[str, Words] | None = None
    ) -> None:
        super().__init__(attrs)
        self.hints = hints or {}


class TickCards(_Hints, forms.CheckboxSelectMultiple):
    """Choices as cards, several of which can be picked."""

    template_name = "django/forms/widgets/cards.html"

    def __init__(
        self, attrs: dict[str, Any] | None = None, *, hints: Mapping[str, Words] | None = None
    ) -> None:
        super().__init__(attrs)
        self.hints = hints or {}


class StarRadios(forms.RadioSelect):
    """One to five stars; radios, so that arrow keys and screen readers work."""

    template_name = "django/forms/widgets/stars.html"


class StarsField(forms.TypedChoiceField):
    """Cleans to an int from 1 to 5."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [(n, _("%(n)s of 5") % {"n": n}) for n in range(1, 6)]
        super().__init__(choices=choices, coerce=int, widget=StarRadios, **kwargs)


# --- Files ----------------------------------------------------------------------------------


class FilesInput(forms.FileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.Field):
    """Cleans to a list of uploads. What may be uploaded is the business of core.files.store."""

    widget = FilesInput
    default_error_messages = {"required": _("Add at least one file")}

    def clean(self, value: Any) -> Sequence[UploadedFile[bytes]]:
        """Raise ValidationError when a file is required and none came."""
        files = list(value) if isinstance(value, list | tuple) else [value] if value else []
        if self.required and not files:
            raise ValidationError(self.error_messages["required"])
        return files
