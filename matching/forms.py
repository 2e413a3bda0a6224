"""What people choose and ask about suggestions, and input of the console of matching."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import Form, TextField
from matching.models import MatchAppeal, MatchWishes
from payments.forms import ReasonForm


class WeightsForm(ReasonForm):
    """New weights, as the file a fit writes."""

    file = TextField(
        label=_("File of weights"),
        help_text=_(
            "JSON with “weights”, “fitted” and “figures”, as bench/matching_fit.py writes it. The "
            "model card shows all of it to everybody once they are in use."
        ),
        max_length=50_000,
        rows=14,
    )


class WishesForm(Form):
    """Whether there are suggestions, what they may read, and what counts in one's own list."""

    is_on = forms.BooleanField(
        label=_("Personal suggestions"),
        help_text=_(
            "Without them, projects are listed newest first, and we suggest you to no client. "
            "Everybody finds you by searching as before."
        ),
        required=False,
    )
    uses_record = forms.BooleanField(
        label=_("Use my finished work here"),
        help_text=_(
            "Without it, only your profile and your samples are compared, in your list and in "
            "lists of people for a project."
        ),
        required=False,
    )
    skills = forms.ChoiceField(
        label=_("Skills in your list"),
        choices=MatchWishes.Level,
        help_text=_("How much it counts that you have what a project asks for."),
    )
    works = forms.ChoiceField(
        label=_("Past work in your list"),
        choices=MatchWishes.Level,
        help_text=_("How much it counts that you have done something like it."),
    )
    profile = forms.ChoiceField(
        label=_("Profile text in your list"),
        choices=MatchWishes.Level,
        help_text=_("How much words count that both your profile and the project use."),
    )

    def __init__(self, *args: Any, wishes: MatchWishes, **kwargs: Any) -> None:
        values = {name: getattr(wishes, name) for name in self.base_fields}
        super().__init__(*args, initial=values, **kwargs)


class AppealForm(Form):
    """What somebody thinks is wrong."""

    said = TextField(
        label=_("What is wrong?"),
        max_length=2000,
        rows=6,
        error_messages={"required": _("Say what is wrong, in a sentence or two")},
    )


class AnswerForm(Form):
    """What a person of ours found."""

    outcome = forms.ChoiceField(
        label=_("What becomes of it"),
        choices=[
            (value, label)
            for value, label in MatchAppeal.Status.choices
            if value != MatchAppeal.Status.WAITING
        ],
        widget=forms.RadioSelect,
    )
    remedy = forms.ChoiceField(
        label=_("What was put right, if it was wrong"),
        choices=[("", _("Nothing, it stays as it was")), *MatchAppeal.Remedy.choices],
        required=False,
    )
    reason = forms.CharField(
        label=_("Why, for the person who asked"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"}),
    )
