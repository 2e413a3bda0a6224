"""The shape of a bid."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Cards, Form, MoneyField, TextField
from projects.forms.milestones import MilestoneRows, days_field
from projects.models import Bid
from projects.services.bidding import LONGEST_MESSAGE, Step

SPARE_ROWS = 3
AI_HINTS = {"assist": _("I review everything")}
AI_POLICY = {
    "fine": _("This client says AI tools are fine. Your answer becomes part of the contract."),
    "ask": _("This client says “ask first”. Your answer becomes part of the contract."),
    "no": _("This client wants human work only. Your answer becomes part of the contract."),
}


class BidForm(MilestoneRows):
    """Price, days, message and the AI answer; milestones if the freelancer wants."""

    third = "days"

    amount = MoneyField(label=_("Your price"), help_text=_("For the whole project, before fees."))
    days = days_field(
        _("Delivery time"),
        required=True,
        help_text=_("Working days from the first funded milestone."),
    )
    message = TextField(
        label=_("Why you"),
        max_length=LONGEST_MESSAGE,
        rows=6,
        help_text=_(
            "Say how you would start and show one similar piece of work. Clients read the first "
            "two lines in the list."
        ),
        error_messages={"required": _("Say why you are right for this project")},
    )
    ai_use = forms.ChoiceField(
        label=_("Will you use AI tools?"),
        choices=Bid.AiUse.choices,
        widget=Cards(hints=AI_HINTS),
        error_messages={"required": _("Say whether you will use AI tools")},
    )

    def __init__(self, *args: Any, ai_policy: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ai_use"].help_text = AI_POLICY[ai_policy]

    def third_field(self, number: int) -> forms.Field:
        """Milestones of a bid are due so many days after the start."""
        label = _("Days until milestone %(number)s") % {"number": number}
        return days_field(label, required=False)

    def offer(self) -> dict[str, Any]:
        """The answers as the services take them; a milestone without days is due at the end."""
        values = self.cleaned_data
        return {
            "price": values["amount"],
            "days": values["days"],
            "message": values["message"],
            "ai_use": values["ai_use"],
            "milestones": [
                Step(title, amount, days or values["days"])
                for title, amount, days in values["milestones"]
            ],
        }


def answers_of(bid: Bid) -> Mapping[str, Any]:
    """What fills a form that edits this bid."""
    return {
        "amount": bid.price,
        "days": bid.days,
        "message": bid.message,
        "ai_use": bid.ai_use,
    }


class IntroductionForm(Form):
    """The one last thing before a first bid: what the profile says in one line, and a skill."""

    headline = forms.CharField(
        label=_("What you do, in one line"),
        max_length=120,
        help_text=_("Like “Front-end developer for accessible shops”."),
    )
    skills = forms.CharField(
        label=_("Your main skills"),
        max_length=300,
        help_text=_("Separate them with commas. You can add more later."),
        error_messages={"required": _("Name at least one skill")},
    )

    def said(self) -> dict[str, Any]:
        """The answers as the service takes them."""
        return {
            "headline": self.cleaned_data["headline"],
            "names": [name for name in self.cleaned_data["skills"].split(",") if name.strip()],
        }
