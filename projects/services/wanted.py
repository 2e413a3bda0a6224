"""What a client asks for, and what keeps it from being published."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.core import clock, text
from marketplace.core.display import money_text
from marketplace.core.errors import InvalidInput
from marketplace.core.money import InvalidAmount, Money, exponent
from payments.services import policies
from projects.models.projects import AiPolicy

SHORTEST_TITLE = 10
LONGEST_TITLE = 120
SHORTEST_DESCRIPTION = 80
LONGEST_DESCRIPTION = 8000
MOST_SKILLS = 12


@dataclass(frozen=True)
class Wanted:
    """What a client asks for. Skills are names as people type them.

    No budget at all is an answer: freelancers name their price.
    """

    title: str
    description: str
    currency: str
    budget_min: Money | None = None
    budget_max: Money | None = None
    deliver_by: dt.date | None = None
    ai_policy: str = AiPolicy.ASK
    skills: Sequence[str] = ()
    content_language: str = "en"

    def __post_init__(self) -> None:
        """Whoever asks, the words arrive tidy: composed, nothing hidden, each skill once."""
        skills = {text.fold(name): text.line(name) for name in reversed(self.skills)}
        object.__setattr__(self, "title", text.line(self.title))
        object.__setattr__(self, "description", text.block(self.description))
        object.__setattr__(self, "skills", [name for name in reversed(skills.values()) if name])


def problems(wanted: Wanted) -> dict[str, str]:
    """What keeps it from being published: field name → sentence. Empty means ready."""
    return missing(wanted) | wrong(wanted)


def missing(wanted: Wanted) -> dict[str, str]:
    """What a draft may still lack."""
    found = {}
    title, description = wanted.title, wanted.description
    if not title:
        found["title"] = _("Enter a title for your project")
    elif len(title) < SHORTEST_TITLE:
        found["title"] = _("Title must be %(least)s characters or more") % {"least": SHORTEST_TITLE}
    if not description:
        found["description"] = _("Describe what you need")
    elif (lack := SHORTEST_DESCRIPTION - len(description)) > 0:
        found["description"] = ngettext(
            "Describe it a little more: %(lack)s character is missing",
            "Describe it a little more: %(lack)s characters are missing",
            lack,
        ) % {"lack": lack}
    if not wanted.skills:
        found["skills"] = _("Name at least one skill")
    return found


def wrong(wanted: Wanted) -> dict[str, str]:
    """What not even a draft may say."""
    checks: dict[str, Callable[[Wanted], str]] = {
        "currency": _currency,
        "title": _title,
        "description": _description,
        "budget_min": _budget_min,
        "budget_max": _budget_max,
        "deliver_by": _deliver_by,
        "skills": _skills,
        "ai_policy": _ai_policy,
    }
    found = {}
    for name, check in checks.items():
        sentence = check(wanted)
        if sentence:
            found[name] = sentence
        if sentence and name == "currency":
            break  # amounts cannot be compared without it
    return found


def refuse_unready(wanted: Wanted) -> None:
    """Raise InvalidInput for the first thing that keeps it from being published."""
    for name, sentence in problems(wanted).items():
        raise InvalidInput(sentence, field=name)


def refuse_unfit(wanted: Wanted) -> None:
    """Raise InvalidInput for the first thing that is wrong; a draft may lack things."""
    for name, sentence in wrong(wanted).items():
        raise InvalidInput(sentence, field=name)


def smallest_amount(currency: str) -> Money:
    """What a budget, a bid or a milestone must at least be."""
    return Money(policies.current().smallest_amount * 10 ** exponent(currency), currency)


def _currency(wanted: Wanted) -> str:
    try:
        exponent(wanted.currency)
    except InvalidAmount as error:
        return str(error)
    return ""


def _title(wanted: Wanted) -> str:
    if len(wanted.title) <= LONGEST_TITLE:
        return ""
    return _("Title must be %(most)s characters or fewer") % {"most": LONGEST_TITLE}


def _description(wanted: Wanted) -> str:
    if len(wanted.description) <= LONGEST_DESCRIPTION:
        return ""
    most = f"{LONGEST_DESCRIPTION:,}"
    return _("Description must be %(most)s characters or fewer") % {"most": most}


def _budget_min(wanted: Wanted) -> str:
    low = wanted.budget_min
    if low is None:
        return _("Enter the lower end of the budget") if wanted.budget_max else ""
    if low.currency != wanted.currency:
        return _("The budget must be in the project's currency")
    least = smallest_amount(wanted.currency)
    if low < least:
        return _("Budget must be %(least)s or more") % {"least": money_text(least)}
    return ""


def _budget_max(wanted: Wanted) -> str:
    low, high = wanted.budget_min, wanted.budget_max
    if high is None:
        return _("Enter the upper end of the budget") if low else ""
    if high.currency != wanted.currency:
        return _("The budget must be in the project's currency")
    if low and low.currency == high.currency and high < low:
        return _("The upper end must be %(low)s or more") % {"low": money_text(low)}
    return ""


def _deliver_by(wanted: Wanted) -> str:
    today = timezone.localtime(clock.now()).date()
    if wanted.deliver_by and wanted.deliver_by <= today:
        return _("Delivery date must be tomorrow or later")
    return ""


def _skills(wanted: Wanted) -> str:
    if len(wanted.skills) <= MOST_SKILLS:
        return ""
    return _("Name %(most)s skills or fewer") % {"most": MOST_SKILLS}


def _ai_policy(wanted: Wanted) -> str:
    return "" if wanted.ai_policy in AiPolicy.values else _("Say what you think about AI tools")
