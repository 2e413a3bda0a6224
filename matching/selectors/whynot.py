"""The answer to “why not me?” in the reader's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from matching.models import WhyNot

FIRST = 10

PARTS: Mapping[str, Promise] = {
    "skills": gettext_lazy("Skills"),
    "works": gettext_lazy("Past work"),
    "profile": gettext_lazy("Profile text"),
    "active": gettext_lazy("Work finished lately"),
}
BLOCKED: Mapping[str, Promise] = {
    "off": gettext_lazy("You have switched personal suggestions off."),
    "hidden": gettext_lazy("Your profile is hidden."),
    "headline": gettext_lazy("Your profile has no headline yet."),
    "busy": gettext_lazy("Your profile says that you take no work at the moment."),
    "bid": gettext_lazy(
        "You have bid already. The list only has people who have not, and your bid is with the "
        "client whatever your place."
    ),
    "own": gettext_lazy("You share a company with the client."),
}


@dataclass(frozen=True)
class Step:
    """One thing to do, and the place it led to when it was tried."""

    text: str
    place: int


@dataclass(frozen=True)
class Part:
    """A part of the score: one's own points, and the mean of the first ten others if told."""

    label: str
    own: int
    first: int | None


@dataclass(frozen=True)
class Told:
    """What the page says."""

    place: int | None
    is_first: bool
    is_whole: bool
    is_alone: bool
    blocked: list[str]
    parts: list[Part]
    has_means: bool
    steps: list[Step]
    tried: int


def told(asked: WhyNot) -> Told:
    """An answer in the active language."""
    answer: dict[str, Any] = asked.answer
    place, first = answer["place"], answer["first"]
    return Told(
        place=place,
        is_first=place is not None and place <= FIRST,
        is_whole=answer["is_whole"],
        is_alone=answer["found"] <= (1 if place else 0),
        blocked=[str(BLOCKED[code]) for code in answer["blocked"]],
        parts=[
            Part(str(label), answer["own"][name], first.get(name))
            for name, label in PARTS.items()
            if answer["own"][name] or first.get(name)
        ],
        has_means=bool(first),
        steps=[
            Step(_step(each["kind"], each["facts"]), each["place"]) for each in answer["changes"]
        ],
        tried=answer["tried"],
    )


def _step(kind: str, facts: Mapping[str, Any]) -> str:
    skills = facts.get("skills", [])
    said = {"skills": _(", ").join(skills)}
    count = len(skills)
    if kind == "record":
        return _("Let your finished work here be used, under “Your suggestions”.")
    if kind == "sample":
        return (
            _("Show a sample of such work, if you have one. Say what you did with %(skills)s.")
            % said
        )
    if kind == "skill":
        return (
            ngettext(
                "Add this skill, which your texts or works already speak of: %(skills)s.",
                "Add these skills, which your texts or works already speak of: %(skills)s.",
                count,
            )
            % said
        )
    if kind == "claim":
        return (
            ngettext(
                "Add this skill, if you have it: %(skills)s.",
                "Add these skills, if you have them: %(skills)s.",
                count,
            )
            % said
        )
    return (
        ngettext(
            "Add this skill, if you have it, and a sample of such work: %(skills)s.",
            "Add these skills, if you have them, and a sample of such work: %(skills)s.",
            count,
        )
        % said
    )
