"""The four steps of posting, and the page that edits what was posted."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.naming import AsksWhatIsMeant
from marketplace.core.forms import Cards, FilesField, Form, MoneyField, TextField
from marketplace.core.money import Money
from projects.models import Project
from projects.models.projects import AiPolicy
from projects.services.wanted import LONGEST_DESCRIPTION, LONGEST_TITLE, Wanted, problems

# Under which kind core.drafts keeps the answers of a person or a session.
DRAFT = "project"
# Set in the draft by the person who pressed Publish before joining.
PUBLISH_WHEN_JOINED = "publish"
# Names of skills in the draft that its writer wants as they are.
KEPT_NAMES = "kept_names"
RANGE, OPEN = "range", "open"
LONGEST_SKILLS = 600
# Longest text a draft keeps of one answer.
LONGEST_ANSWER = LONGEST_DESCRIPTION + 2000


class StepForm(Form):
    """Answers in the client's currency."""

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.currency = currency


class WhatForm(StepForm):
    """Step 1: what it is about."""

    title = forms.CharField(
        label=_("Title"),
        max_length=LONGEST_TITLE,
        help_text=_(
            "What should exist at the end, like “Accessible ticket checkout for a museum”."
        ),
        error_messages={"required": _("Enter a title for your project")},
    )
    description = TextField(
        label=_("Description"),
        max_length=LONGEST_DESCRIPTION,
        rows=12,
        help_text=_(
            "What do you need? What is already there? How will you know that it is done? "
            "Plain words are fine."
        ),
        error_messages={"required": _("Describe what you need")},
    )


class BudgetForm(StepForm):
    """Step 2: what it may cost, and by when."""

    budget = forms.ChoiceField(
        label=_("Budget"),
        choices=[(RANGE, _("I have a budget")), (OPEN, _("I do not know yet"))],
        initial=RANGE,
        widget=Cards(
            hints={
                RANGE: _("Bids come closer to what you can pay"),
                OPEN: _("Freelancers name their price"),
            }
        ),
    )
    budget_min = MoneyField(label=_("From"), required=False)
    budget_max = MoneyField(
        label=_("To"), required=False, help_text=_("Leave it empty for one fixed amount.")
    )
    deliver_by = forms.DateField(
        label=_("Deliver by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "input--w10"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a date, like 2027-01-15")},
    )

    def clean(self) -> dict[str, Any]:
        """One amount alone is both ends; without a budget there is none."""
        cleaned = super().clean() or {}
        low, high = cleaned.get("budget_min"), cleaned.get("budget_max")
        if cleaned.get("budget") == OPEN:
            low = high = None
        elif not low and not high and not {"budget_min", "budget_max"} & self.errors.keys():
            self.add_error("budget_min", _("Enter an amount, or choose “I do not know yet”"))
        cleaned["budget_min"], cleaned["budget_max"] = low or high, high or low
        return cleaned


class SkillsForm(AsksWhatIsMeant, StepForm):
    """Step 3: what the freelancer must be able to do, and the word on AI tools."""

    skills = forms.CharField(
        label=_("Skills"),
        max_length=LONGEST_SKILLS,
        help_text=_("Separate them with commas, like: Django, WCAG 2.2, usability tests."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Name at least one skill")},
    )
    ai_policy = forms.ChoiceField(
        label=_("May the freelancer use AI tools?"),
        choices=AiPolicy.choices,
        initial=AiPolicy.ASK,
        widget=Cards(
            hints={
                AiPolicy.FINE: _("Whatever gives a good result"),
                AiPolicy.ASK: _("Each bid says what it would use"),
                AiPolicy.NO: _("Human work only"),
            }
        ),
        error_messages={"required": _("Say what you think about AI tools")},
    )

    def clean_skills(self) -> list[str]:
        """The names one by one."""
        return [name.strip() for name in self.cleaned_data["skills"].split(",") if name.strip()]


class FilesForm(Form):
    """Attachments: what bidders should look at."""

    files = FilesField(  # type: ignore[assignment]
        label=_("Files"),
        help_text=_("Up to 10 files, 25 MB each. Everybody who sees the project can read them."),
    )


class EditForm(WhatForm, BudgetForm, SkillsForm):
    """Everything on one page."""

    field_order = (
        "title",
        "description",
        "budget",
        "budget_min",
        "budget_max",
        "deliver_by",
        "skills",
        "ai_policy",
    )


STEPS = (WhatForm, BudgetForm, SkillsForm)
ANSWERS = tuple(name for form in STEPS for name in form.base_fields)


def wanted_of(cleaned: Mapping[str, Any], currency: str, **more: Any) -> Wanted:
    """Cleaned answers as the services take them; what was not asked yet is empty."""
    low, high = cleaned.get("budget_min"), cleaned.get("budget_max")
    return Wanted(
        title=cleaned.get("title") or "",
        description=cleaned.get("description") or "",
        currency=currency,
        budget_min=low,
        budget_max=high,
        deliver_by=cleaned.get("deliver_by"),
        ai_policy=cleaned.get("ai_policy") or AiPolicy.ASK,
        skills=cleaned.get("skills") or (),
        **more,
    )


def read_answers(values: Mapping[str, Any], currency: str) -> tuple[Wanted, list[tuple[int, str]]]:
    """What kept answers ask for, and what is wrong with them: (step, sentence)."""
    cleaned: dict[str, Any] = {}
    wrong: dict[str, tuple[int, str]] = {}
    where = {name: n for n, form in enumerate(STEPS, start=1) for name in form.base_fields}
    for number, form_class in enumerate(STEPS, start=1):
        form = form_class(values, currency=currency)
        form.full_clean()
        cleaned |= form.cleaned_data
        wrong |= {name: (number, str(errors[0])) for name, errors in form.errors.items()}
    wanted = wanted_of(cleaned, currency)
    for name, sentence in problems(wanted).items():
        wrong.setdefault(name, (where.get(name, 1), sentence))
    return wanted, sorted(wrong.values())


def answers_of(project: Project) -> dict[str, Any]:
    """What fills a form that edits this project."""
    return {
        "title": project.title,
        "description": project.description,
        "budget": OPEN if project.budget_max is None else RANGE,
        "budget_min": project.budget_min,
        "budget_max": _other_end(project.budget_min, project.budget_max),
        "deliver_by": project.deliver_by,
        "skills": ", ".join(skill.name for skill in project.skills.all()),
        "ai_policy": project.ai_policy,
    }


def _other_end(low: Money | None, high: Money | None) -> Money | None:
    return None if low == high else high
