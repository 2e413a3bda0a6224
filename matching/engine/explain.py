"""Why a place in a ranking, in words for both sides.

`reasons()` is fed the very summands of the score, so an explanation cannot disagree with
the rank. What it returns is JSON and is stored with the match; `words()` turns it into the
reader's language later. Plain Python: web code imports this module.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.engine.documents import UNKNOWN_FIT, HistoryItem, Need, PersonDoc, Reason
from matching.engine.text import skill_key

# Which summands of a score each reason stands for.
SKILL_PARTS = ("skills", "proof")
WORK_PARTS = ("vote", "title", "best", "meaning", "meaning_best")
PROFILE_PARTS = ("words", "fresh", "profile")
ACTIVE_PARTS = ("active", "recent")

Audience = Literal["client", "freelancer"]
Mark = Literal["yes", "part", "no"]

WORKS_NAMED = 3
WORDS_NAMED = 4
# Fewer shared words than this happen by chance; such a work counts but is not called similar.
WORDS_ALIKE = 3


@dataclass(frozen=True, slots=True)
class Vote:
    """A past work, what it gave to the score, and how it is like the project.

    `words` counts the words both share; `near` says that both mean much the same.
    """

    work: HistoryItem
    share: float
    words: int
    near: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A reason as a page shows it: whether it fits, a few bold words, one line below."""

    kind: Mark
    text: str
    detail: str = ""


def reasons(
    parts: Mapping[str, float],
    features: Mapping[str, float],
    *,
    person: PersonDoc,
    need: Need,
    works: Sequence[Vote],
    shared_words: Sequence[str],
    kept: bool = False,
) -> tuple[Reason, ...]:
    """The summands of a score as reasons, strongest first, then what is missing.

    Their contributions add up to the sum of `parts`.
    """
    counted = {skill_key(name): works_shown for name, works_shown in person.skills}
    asked = {skill_key(name): name for name in need.skills}
    found = [{"name": name, "works": counted[key]} for key, name in asked.items() if key in counted]
    missing = [name for key, name in asked.items() if key not in counted]
    text = {"words": list(shared_words[:WORDS_NAMED]), "new": not person.history}
    told = [
        Reason("skills", _sum(parts, SKILL_PARTS), {"found": found, "needed": len(asked)}),
        Reason("works", _sum(parts, WORK_PARTS), _works(works)),
        Reason("profile", _sum(parts, PROFILE_PARTS), text),
        Reason("active", _sum(parts, ACTIVE_PARTS), {"busy": bool(features.get("active"))}),
    ]
    told = [reason for reason in told if reason.contribution > 0]
    if "language" in parts:
        told.append(Reason("language", parts["language"], {"fit": features["language"]}))
    told.sort(key=lambda reason: -reason.contribution)
    if kept:
        told.append(Reason("newcomer"))
    if missing:
        told.append(Reason("missing", 0.0, {"names": missing}))
    return tuple(told)


def strength(told: Sequence[Reason]) -> int:
    """3 for a strong match, 2 for a good one, 1 for a partial one: facts, not a relative score."""
    facts = {reason.kind: reason.facts for reason in told}
    skills = facts.get("skills", {"found": [], "needed": 0})
    covered = len(skills["found"]) / skills["needed"] if skills["needed"] else None
    if "missing" in facts and covered is None:
        covered = 0.0
    alike = facts.get("works", {"alike": 0})["alike"]
    if alike >= 2 and (covered is None or covered >= 0.75):
        return 3
    if (covered is not None and covered >= 0.5) or alike:
        return 2
    return 1


def words(told: Sequence[Reason], audience: Audience) -> list[Words]:
    """Reasons in the language of the reader; a client reads about the freelancer.

    A language that nobody named adds the same to everybody, so it is stored but not said.
    """
    return [
        _SAID[reason.kind](reason.facts, audience)
        for reason in told
        if reason.facts.get("fit") != UNKNOWN_FIT
    ]


def _sum(parts: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(parts.get(name, 0.0) for name in names)


def _works(works: Sequence[Vote]) -> dict[str, Any]:
    """The similar works with the public ones that gave most named."""
    ordered = sorted(works, key=lambda vote: (-vote.share, vote.work.title))
    alike = [vote for vote in ordered if vote.near or vote.words >= WORDS_ALIKE]
    named = [vote for vote in alike if vote.work.public][:WORKS_NAMED]
    total = sum(vote.share for vote in works)
    return {
        "alike": len(alike),
        "named": [
            {
                "title": vote.work.title,
                "on": vote.work.date.isoformat() if vote.work.date else None,
                "share": round(vote.share / total, 4),
            }
            for vote in named
        ],
    }


def _say_skills(facts: Mapping[str, Any], audience: Audience) -> Words:
    found, needed = facts["found"], facts["needed"]
    head = ngettext("%(found)d of %(needed)d skill", "%(found)d of %(needed)d skills", needed) % {
        "found": len(found),
        "needed": needed,
    }
    mark: Mark = "yes" if 2 * len(found) >= needed else "part"
    return Words(mark, head, _listed([_proof(skill) for skill in found]))


def _proof(skill: Mapping[str, Any]) -> str:
    if not skill["works"]:
        return str(skill["name"])
    return ngettext(
        "%(skill)s (shown in %(count)d past project)",
        "%(skill)s (shown in %(count)d past projects)",
        skill["works"],
    ) % {"skill": skill["name"], "count": skill["works"]}


def _say_works(facts: Mapping[str, Any], audience: Audience) -> Words:
    count = facts["alike"]
    if not count:
        return Words("part", _("Past work is a little like this project"))
    if audience == "client":
        head = ngettext("%(count)d similar past project", "%(count)d similar past projects", count)
    else:
        head = ngettext(
            "%(count)d of your past projects is similar",
            "%(count)d of your past projects are similar",
            count,
        )
    return Words("yes", head % {"count": count}, _listed([_title(w) for w in facts["named"]]))


def _title(work: Mapping[str, Any]) -> str:
    if not work["on"]:
        return _("“%(title)s”") % {"title": work["title"]}
    month = date_format(date.fromisoformat(work["on"]), "YEAR_MONTH_FORMAT")
    return _("“%(title)s” (%(month)s)") % {"title": work["title"], "month": month}


def _say_profile(facts: Mapping[str, Any], audience: Audience) -> Words:
    shared = _listed(facts["words"])
    if facts["new"] and audience == "client":
        return Words("yes", _("New here, and the profile fits"), shared)
    head = _("The profile fits") if audience == "client" else _("Your profile fits")
    return Words("yes", head, shared)


def _say_active(facts: Mapping[str, Any], audience: Audience) -> Words:
    if audience == "client":
        if facts["busy"]:
            return Words("yes", _("Finished work here in the last 90 days"))
        return Words("part", _("Finished work here before"))
    if facts["busy"]:
        return Words("yes", _("You finished work here in the last 90 days"))
    return Words("part", _("You finished work here before"))


def _say_newcomer(facts: Mapping[str, Any], audience: Audience) -> Words:
    head = _("New here") if audience == "client" else _("You are new here")
    return Words("part", head, _("Two of the first ten places are kept for new people who fit."))


def _say_language(facts: Mapping[str, Any], audience: Audience) -> Words:
    if audience == "client":
        if facts["fit"]:
            return Words("yes", _("Works in the language of your project"))
        return Words("no", _("The language of your project is not on the profile"))
    if facts["fit"]:
        return Words("yes", _("You work in the language of the project"))
    return Words("no", _("The language of the project is not on your profile"))


def _say_missing(facts: Mapping[str, Any], audience: Audience) -> Words:
    names = _listed(facts["names"])
    if audience == "client":
        return Words("no", _("Not on the profile: %(skills)s") % {"skills": names})
    return Words(
        "no",
        _("Not on your profile: %(skills)s") % {"skills": names},
        _("Add it if you have done it before."),
    )


def _listed(names: Sequence[str]) -> str:
    return _(", ").join(names)


_SAID: Mapping[str, Callable[[Mapping[str, Any], Audience], Words]] = {
    "skills": _say_skills,
    "works": _say_works,
    "profile": _say_profile,
    "active": _say_active,
    "language": _say_language,
    "newcomer": _say_newcomer,
    "missing": _say_missing,
}
