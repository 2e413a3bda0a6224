"""What freelancers fill in about themselves."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.forms.naming import AsksWhatIsMeant
from accounts.models import PortfolioItem, Profile, ProfileSkill
from marketplace.core.forms import AffixInput, Cards, Form, MoneyField, TextField
from marketplace.core.money import Money

MOST_SKILLS = 60


def date_input() -> forms.DateInput:
    """The browser's own calendar; it speaks ISO whatever the language."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "input--w10"})


class ProfileForm(Form):
    """Headline, text, rate, availability."""

    headline = forms.CharField(
        label=_("Headline"),
        required=False,
        max_length=120,
        help_text=_("What you do and for whom, in one line. People without one are not listed."),
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    bio = TextField(
        label=_("About you"),
        required=False,
        max_length=4000,
        rows=8,
        help_text=_("What you have done, how you work, what you like to work on."),
    )
    rate_min = MoneyField(
        label=_("Hourly rate from"), required=False, help_text=_("Before fees and tax.")
    )
    rate_max = MoneyField(label=_("Hourly rate to"), required=False)
    availability = forms.ChoiceField(
        label=_("Availability"), choices=Profile.Availability, widget=Cards
    )
    available_from = forms.DateField(
        label=_("Free from"),
        required=False,
        widget=date_input(),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": _("Enter a date, like 2027-03-01")},
        help_text=_("Only when you chose “Free from a date”."),
    )
    hours_per_week = forms.IntegerField(
        label=_("Hours a week"),
        required=False,
        min_value=1,
        max_value=80,
        widget=AffixInput({"inputmode": "numeric", "class": "input--w6"}, suffix=_("hours")),
        error_messages={
            "invalid": _("Enter a whole number of hours, like 30"),
            "min_value": _("Hours a week must be between 1 and 80"),
            "max_value": _("Hours a week must be between 1 and 80"),
        },
    )
    languages = forms.CharField(
        label=_("Languages you work in"),
        required=False,
        max_length=120,
        help_text=_("Such as “German, English, some Polish”."),
    )
    is_visible = forms.BooleanField(
        label=_("Show my profile"),
        required=False,
        help_text=_("Off: nobody finds it and you are not suggested. Your contracts go on."),
    )

    def __init__(self, *args: Any, profile: Profile, **kwargs: Any) -> None:
        super().__init__(*args, initial=self._values(profile), **kwargs)
        for name in ("rate_min", "rate_max"):
            field = self.fields[name]
            if isinstance(field, MoneyField):
                field.currency = profile.currency

    @staticmethod
    def _values(profile: Profile) -> dict[str, Any]:
        def money(minor: int | None) -> Money | None:
            return None if minor is None else Money(minor, profile.currency)

        return {
            "headline": profile.headline,
            "bio": profile.bio,
            "rate_min": money(profile.rate_min_minor),
            "rate_max": money(profile.rate_max_minor),
            "availability": profile.availability,
            "available_from": profile.available_from,
            "hours_per_week": profile.hours_per_week,
            "languages": profile.languages,
            "is_visible": profile.is_visible,
        }


class SkillsForm(AsksWhatIsMeant):
    """Rows of skill and level, one more to add, and perhaps one to take away.

    Reads the repeated fields `skill` and `level`, `remove` (the pk of a row) and `new` with
    `new_level`; every button of the page sends the whole form.
    """

    new = forms.CharField(
        label=_("Add a skill"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"list": "skill-options", "autocomplete": "off"}),
    )
    new_level = forms.TypedChoiceField(
        label=_("How well"),
        choices=ProfileSkill.Level,
        coerce=int,
        initial=ProfileSkill.Level.GOOD,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """`skills`: a list of (name, level)."""
        cleaned: dict[str, Any] = super().clean() or {}
        data = self.data if isinstance(self.data, QueryDict) else QueryDict()
        names, levels = data.getlist("skill"), data.getlist("level")
        if len(names) != len(levels) or not set(levels) <= {"1", "2", "3"}:
            raise forms.ValidationError(_("The list did not arrive whole. Try again"))
        if len(names) > MOST_SKILLS:
            raise forms.ValidationError(_("A profile has room for %s skills") % MOST_SKILLS)
        removed = data.get("remove")
        cleaned["skills"] = [
            (name, int(level)) for name, level in zip(names, levels, strict=True) if name != removed
        ]
        if cleaned.get("new"):
            level = cleaned.get("new_level") or ProfileSkill.Level.GOOD
            cleaned["skills"].append((cleaned["new"], int(level)))
        return cleaned


class SampleForm(Form):
    """A piece of work to show."""

    title = forms.CharField(
        label=_("Title"),
        max_length=120,
        error_messages={"required": _("Enter a title for this sample")},
    )
    description = TextField(label=_("What you did"), required=False, max_length=2000, rows=5)
    url = forms.CharField(
        label=_("Link"),
        required=False,
        max_length=200,
        widget=forms.URLInput(attrs={"inputmode": "url", "autocomplete": "url"}),
        help_text=_("Where the work can be seen, starting with https://"),
    )
    image = forms.FileField(
        label=_("Picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, up to 25 MB. We make it smaller."),
    )
    image_alt = forms.CharField(
        label=_("What the picture shows"),
        required=False,
        max_length=200,
        help_text=_("In a few words, for people who cannot see it."),
    )
    remove_image = forms.BooleanField(label=_("Remove the present picture"), required=False)

    def __init__(self, *args: Any, item: PortfolioItem | None = None, **kwargs: Any) -> None:
        values = {}
        if item:
            values = {
                name: getattr(item, name) for name in ("title", "description", "url", "image_alt")
            }
        super().__init__(*args, initial=values, **kwargs)
        if item is None or item.image_id is None:
            del self.fields["remove_image"]
