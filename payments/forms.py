"""Input of the money pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import countries
from marketplace.core.forms import Cards, DayField, Form, MoneyField, TextField
from marketplace.core.money import InvalidAmount, Money, exponent
from payments.models import PayoutAccount, SellerDetails
from payments.models.sellers import Details
from payments.selectors import tax_reports


class PayoutCountryForm(Form):
    """Where the payee's bank account is."""

    country = forms.ChoiceField(
        label=_("Country of your bank account"), help_text=_("It cannot be changed later.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", "–"), *countries.choices()]  # type: ignore[attr-defined]


class PayoutScheduleForm(Form):
    """When the payee wants to be paid out."""

    interval = forms.ChoiceField(
        label=_("How often"),
        choices=PayoutAccount.Interval.choices,
        widget=Cards(
            hints={
                "daily": _("What has become available goes to your bank the same day"),
                "manual": _("Nothing leaves until you say so"),
            }
        ),
    )
    weekday = forms.ChoiceField(
        label=_("Day of the week"),
        help_text=_("For payouts every week."),
        choices=[("", "–"), *PayoutAccount.Weekday.choices],
        required=False,
    )
    month_day = forms.IntegerField(
        label=_("Day of the month"),
        help_text=_("For payouts every month. In shorter months the last day counts."),
        min_value=1,
        max_value=31,
        required=False,
        widget=forms.NumberInput(attrs={"class": "input--w6"}),
        error_messages=dict.fromkeys(
            ("min_value", "max_value", "invalid"), _("Choose a day from 1 to 31")
        ),
    )
    threshold = MoneyField(
        label=_("Pay out by itself from"),
        help_text=_("For payouts when you ask for them. Leave it empty to do all yourself."),
        required=False,
    )

    def __init__(self, data: Any, *, account: PayoutAccount, currency: str) -> None:
        initial = {
            "interval": account.interval,
            "weekday": account.weekday,
            "month_day": account.month_day,
            "threshold": account.threshold,
        }
        super().__init__(data, initial=initial)
        field = self.fields["threshold"]
        assert isinstance(field, MoneyField)  # noqa: S101 - for the type checker
        field.currency = currency


class PayOutForm(Form):
    """An amount to send to the bank now, as the page offered it, and the name of that offer."""

    amount = forms.IntegerField(min_value=1)
    currency = forms.CharField(max_length=3)
    key = forms.CharField(max_length=80)

    def clean_currency(self) -> str:
        """One there is."""
        currency: str = self.cleaned_data["currency"]
        if currency_or("", currency) != currency:
            raise forms.ValidationError(_("This is no currency"))
        return currency


class PayOutAtOnceForm(PayOutForm):
    """The same within minutes, for the fee the page showed."""

    fee = forms.IntegerField(min_value=0)


class QuoteForm(Form):
    """An amount to look at."""

    amount = MoneyField(label=_("Amount"), least=None)

    def __init__(self, data: Any, *, currency: str) -> None:
        super().__init__(data)
        field = self.fields["amount"]
        assert isinstance(field, MoneyField)  # noqa: S101 - for the type checker
        field.currency = currency
        field.least = Money(1, currency)


class SubmitEvidenceForm(Form):
    """The confirmation before evidence goes to a bank."""

    read = forms.BooleanField(
        label=_("I have read the evidence. It can be sent only once."),
        error_messages={"required": _("Read the evidence and tick the box")},
    )


class LiftForm(Form):
    """Why a fraud warning is no reason to keep the money back."""

    reason = forms.CharField(
        label=_("What did you look at, and why is it fine?"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        error_messages={"required": _("Say what you looked at and why it is fine")},
    )


class ReasonForm(Form):
    """Why a member of staff does what cannot be undone."""

    reason = TextField(label=_("Reason"), max_length=1000, rows=4)


class TaxPauseForm(ReasonForm):
    """Whether payouts go on waiting for tax details, and why."""

    decision = forms.ChoiceField(
        label=_("What becomes of the pause"),
        choices=[("keep", _("It stays")), ("lift", _("Lift it, and ask no more this year"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what becomes of the pause")},
    )
    field_order = ("decision", "reason")


class AppealForm(Form):
    """What somebody has to say against a rule that stopped them."""

    said = TextField(label=_("Your side of it"), max_length=2000, rows=5)


class WriteOffForm(ReasonForm):
    """How much of a debt we do not expect any more, and why."""

    amount = MoneyField(label=_("Write off"))

    def __init__(self, data: Any, *, most: Money) -> None:
        super().__init__(data, initial={"amount": most})
        field = self.fields["amount"]
        assert isinstance(field, MoneyField)  # noqa: S101 - for the type checker
        field.currency = most.currency


class PlacementForm(ReasonForm):
    """Who gets how much of what a bank gave back, and why."""

    to_payee = MoneyField(label=_("To the freelancer"), required=False)
    to_payer = MoneyField(
        label=_("Back to the client"),
        required=False,
        help_text=_("What you give to neither makes up for our losses."),
    )

    def __init__(self, data: Any, *, currency: str) -> None:
        super().__init__(data)
        self._currency = currency
        for name in ("to_payee", "to_payer"):
            field = self.fields[name]
            assert isinstance(field, MoneyField)  # noqa: S101 - for the type checker
            field.currency = currency

    def clean(self) -> dict[str, Any]:
        """An empty field is nothing."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("to_payee", "to_payer"):
            if name not in self.errors:
                cleaned[name] = cleaned.get(name) or Money.zero(self._currency)
        return cleaned


class LedgerFilterForm(Form):
    """Which part of a ledger to show."""

    kind = forms.ChoiceField(label=_("What happened"), required=False)
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)

    def __init__(self, data: Any, *, kinds: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["kind"].choices = [("", _("Everything")), *kinds]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The first day is not after the last."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("This day is before the first one"))
        return cleaned


def currency_or(default: str, asked: str) -> str:
    """The asked currency if there is one of that name, else the default."""
    try:
        exponent(asked)
    except InvalidAmount:
        return default
    return asked


class SpendingForm(Form):
    """Which payments to add up, and by what."""

    by = forms.ChoiceField(
        label=_("Add up by"),
        choices=[
            ("order", _("Purchase order")),
            ("contract", _("Contract")),
            ("month", _("Month")),
        ],
        required=False,
    )
    order = forms.CharField(label=_("Purchase order"), max_length=60, required=False)
    contract = forms.CharField(label=_("Contract number"), max_length=10, required=False)
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)

    def clean_by(self) -> str:
        """By purchase order, unless something else was chosen."""
        return self.cleaned_data["by"] or "order"

    def clean(self) -> dict[str, Any]:
        """The first day is not after the last."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("This day is before the first one"))
        return cleaned


class SellerDetailsForm(Form):
    """What the tax office wants to know about a payee."""

    legal_name = forms.CharField(
        label=_("Legal name"), help_text=_("As on your identity document."), max_length=160
    )
    address = TextField(
        label=_("Address"),
        max_length=400,
        rows=3,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    country = forms.ChoiceField(label=_("Country you live in"))
    tax_country = forms.ChoiceField(label=_("Country that gave your tax number"))
    tax_number = forms.CharField(
        label=_("Tax number"),
        help_text=_("Your TIN, SSN, Steuer-ID, NIF or what it is called where you live."),
        max_length=40,
        required=False,
    )
    birth_date = forms.DateField(
        label=_("Date of birth"),
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}),
    )
    birth_place = forms.CharField(
        label=_("Place of birth"),
        help_text=_("Only if your country gives no tax numbers."),
        max_length=120,
        required=False,
    )

    def __init__(self, *args: Any, saved: SellerDetails | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("country", "tax_country"):
            self.fields[name].choices = [("", "–"), *countries.choices()]  # type: ignore[attr-defined]
        if saved and (end := saved.details.end_of_number):
            self.fields["tax_number"].help_text = _(
                "We have one that ends in %(end)s. Leave this empty to keep it."
            ) % {"end": end}

    def facts(self) -> dict[str, Any]:
        """What was told, as the service takes it."""
        told = self.cleaned_data
        plain = {name: told[name] for name in ("legal_name", "address", "country", "tax_country")}
        details = Details(
            tax_number=told["tax_number"],
            birth_date=told["birth_date"].isoformat(),
            birth_place=told["birth_place"],
        )
        return plain | {"details": details}


class TaxReportForm(Form):
    """Which yearly report."""

    kind = forms.ChoiceField(
        label=_("Report"),
        choices=[
            (tax_reports.DAC7, _("European Union (DAC7), by quarter")),
            (tax_reports.US_1099, _("United States (1099), by month")),
        ],
    )
    year = forms.IntegerField(label=_("Year"), min_value=2020, max_value=2100)
