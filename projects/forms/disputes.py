"""The four steps of a dispute, a statement, a decision."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.display import money_text
from marketplace.core.forms import Cards, FilesField, Form, MoneyField, TextField, TickCards
from marketplace.core.money import Money
from projects.models import Dispute
from projects.services.disputes.statements import LONGEST

ALL, NOTHING, SPLIT = "all", "nothing", "split"


class HappenedForm(Form):
    """Step 1: what happened."""

    reason = forms.ChoiceField(
        label=_("What happened?"),
        choices=Dispute.Reason.choices,
        widget=Cards(),
        error_messages={"required": _("Choose what happened")},
    )
    body = TextField(
        label=_("Tell us in your own words"),
        help_text=_("What was agreed, what happened, what you have tried. Facts and dates help."),
        max_length=LONGEST,
        rows=8,
        error_messages={"required": _("Say what happened in your own words")},
    )


class EvidenceForm(Form):
    """Step 2: what shows it. Picks from the contract's files, and uploads."""

    picked = forms.MultipleChoiceField(
        label=_("From this contract"), required=False, widget=TickCards()
    )
    # Django keeps uploads under this name too, on the instance.
    files = FilesField(  # type: ignore[assignment]
        label=_("Other files"),
        required=False,
        help_text=_("Up to 25 MB each. The other side and the moderator see them."),
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["picked"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = choices
        if not choices:
            del self.fields["picked"]


class FairForm(Form):
    """Step 3: what would be fair."""

    fair = forms.ChoiceField(
        label=_("What would be fair?"),
        widget=Cards(),
        error_messages={"required": _("Choose what would be fair")},
    )
    amount = MoneyField(label=_("For the freelancer"), required=False)

    def __init__(
        self, *args: Any, paused: Money, client: str, freelancer: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.paused = paused
        names = {"all": money_text(paused), "client": client, "freelancer": freelancer}
        choice = self.fields["fair"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 - declared above
        self.splits = [
            (ALL, _("All %(all)s to %(freelancer)s") % names),
            (NOTHING, _("All %(all)s back to %(client)s") % names),
            (SPLIT, _("A part to each")),
        ]
        choice.choices = self.splits
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)  # noqa: S101 - declared above
        amount.label = _("For %(freelancer)s") % names
        amount.help_text = _(
            "Only if you choose a part to each. The rest goes back to %(client)s."
        ) % (names)
        amount.currency = paused.currency
        amount.most = paused

    def clean(self) -> dict[str, Any]:
        """An amount belongs to a split, and only to a split."""
        cleaned = super().clean() or self.cleaned_data
        missing = cleaned.get("amount") is None and "amount" not in self.errors
        if cleaned.get("fair") == SPLIT and missing:
            self.add_error("amount", _("Enter an amount, like 1,200 or 1,200.50"))
        return cleaned

    def to_freelancer(self) -> Money | None:
        """The proposed part of the freelancer, as far as the answers say."""
        fair = self.cleaned_data.get("fair")
        if fair == ALL:
            return self.paused
        if fair == NOTHING:
            return Money.zero(self.paused.currency)
        amount: Money | None = self.cleaned_data.get("amount")
        return amount


class StatementForm(FairForm):
    """A statement on the dispute's page: words and files, with or without a new proposal."""

    body = TextField(
        label=_("Your side of it"),
        max_length=LONGEST,
        rows=5,
        error_messages={"required": _("Say what happened in your own words")},
    )
    # Django keeps uploads under this name too, on the instance.
    files = FilesField(label=_("Files"), required=False)  # type: ignore[assignment]
    field_order = ("body", "files", "fair", "amount")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fair = self.fields["fair"]
        assert isinstance(fair, forms.ChoiceField)  # noqa: S101 - declared above
        fair.required = False
        fair.label = _("Propose a split")
        fair.choices = [("", _("No new proposal")), *self.splits]
        fair.initial = ""


class SplitForm(Form):
    """The freelancer's part of what is paused; the client's is the rest."""

    to_freelancer = MoneyField(label=_("To the freelancer"))

    def __init__(self, *args: Any, paused: Money, freelancer: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        amount = self.fields["to_freelancer"]
        assert isinstance(amount, MoneyField)  # noqa: S101 - declared above
        amount.currency = paused.currency
        amount.most = paused
        if freelancer:
            amount.label = _("To %(freelancer)s") % {"freelancer": freelancer}


class DecisionForm(SplitForm):
    """A moderator's decision and its reason."""

    reason = TextField(
        label=_("Reason, shown to both"),
        help_text=_("What was agreed, what the evidence shows, why this split."),
        max_length=LONGEST,
        rows=8,
    )
