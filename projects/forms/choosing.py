"""The shape of the client's choices."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form
from projects.forms.milestones import MilestoneRows
from projects.models.bids import NotChosenReason
from projects.services.choosing import LONGEST_REASON
from projects.services.contracts import MilestonePlan

OWN_WORDS = "own"
# The other reasons are the platform's, for whoever was not asked.
REASONS = (NotChosenReason.PRICE, NotChosenReason.SKILLS, NotChosenReason.TIMING)


class DeclineForm(Form):
    """Why not this one."""

    reason = forms.ChoiceField(
        label=_("Why not?"),
        choices=[
            *((reason.value, reason.label) for reason in REASONS),
            (OWN_WORDS, _("In my own words")),
        ],
        widget=forms.RadioSelect,
        help_text=_("The freelancer reads this."),
        error_messages={"required": _("Choose a reason")},
    )
    words = forms.CharField(label=_("Your words"), max_length=LONGEST_REASON, required=False)

    def clean(self) -> dict[str, Any]:
        """Own words are the reason when they were chosen."""
        cleaned = super().clean() or {}
        if cleaned.get("reason") == OWN_WORDS:
            cleaned["reason"] = cleaned.get("words")
            if not cleaned["reason"] and "words" not in self.errors:
                self.add_error("words", _("Write a short reason"))
        return cleaned


class HireForm(MilestoneRows):
    """The milestones both agree to, and the version of the bid the client looked at."""

    third = "due_on"

    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    def third_field(self, number: int) -> forms.Field:
        """Milestones of a contract are due on a day."""
        return forms.DateField(
            label=_("Due date of milestone %(number)s") % {"number": number},
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": _("Enter a date, like 2027-01-15")},
        )

    def names(self) -> dict[str, str]:
        """What this form calls the fields a service may name."""
        return {f"milestones.{n}.due_on": f"m{n}_due_on" for n in range(1, self.count + 1)}

    def plan(self) -> list[MilestonePlan]:
        """The rows as the service takes them."""
        return [MilestonePlan(*row) for row in self.cleaned_data["milestones"]]
