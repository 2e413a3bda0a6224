"""Why a place in a ranking, in words for both sides.

`reasons()` is fed the very summands of the score, so an explanation cannot disagree with
the rank. What it returns is JSON and is stored with the match; `words()` turns it into the
reader's language later. Plain Python: web code imports this module.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from matching.engine.documents import HistoryItem, Need, PersonDoc, Reason
from matching.engine.placing import Flag, Place
from matching.engine.text import is_latin, skill_key, terms

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
# A text of fewer different words says too little to be sure of, with at most one skill beside it.
WORDS_TELLING = 8
SKILLS_LITTLE = 1


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
    profile_near: bool = False,
    given: Place | None = None,
    chosen: Mapping[str, str] | None = None,
) -> tuple[Reason, ...]:
    """The summands of a score as reasons, strongest first, then what is missing.

    Their contributions add up to the sum of `parts`. `profile_near` says that profile and
    project mean much the same, `given` what place it is, `chosen` what the reader of the list
    wants to count more, less or not at all. What moved it to its place in spite of the score adds
    nothing to the score, and is said all the same.
    """
    counted = {skill_key(name): works_shown for name, works_shown in person.skills}
    asked = {skill_key(name): name for name in need.skills}
    found = [{"name": name, "works": counted[key]} for key, name in asked.items() if key in counted]
    missing = [name for key, name in asked.items() if key not in counted]
    here = any(not work.is_sample for work in person.history)
    text = {
        "words": list(shared_words[:WORDS_NAMED]),
        "new": not here and not person.unused_works,
        "fits": profile_near or len(shared_words) >= WORDS_ALIKE,
    }
    active = {"busy": bool(features.get("active")), "here": here}
    told = [
        Reason("skills", _sum(parts, SKILL_PARTS), {"found": found, "needed": len(asked)}),
        Reason("works", _sum(parts, WORK_PARTS), _works(works)),
        Reason("profile", _sum(parts, PROFILE_PARTS), text),
        Reason("active", _sum(parts, ACTIVE_PARTS), active),
    ]
    told = [reason for reason in told if reason.contribution > 0]
    told.sort(key=lambda reason: -reason.contribution)
    if given:
        told += _placed(given)
    if missing:
        told.append(Reason("missing", 0.0, {"names": missing}))
    if little := _little(person, need):
        told.append(Reason("unsure", 0.0, {"why": little}))
    if chosen:
        told.append(Reason("chosen", 0.0, {"parts": dict(chosen)}))
    return tuple(told)


def _placed(given: Place) -> list[Reason]:
    """What moved somebody to their place, if anything but the score did."""
    if given.flag is Flag.NEWCOMER:
        return [Reason("newcomer")]
    if given.flag is Flag.EXPLORATION:
        return [Reason("exploration", facts={"chance": round(given.propensity, 6)})]
    if given.flag is Flag.EXPOSURE:
        return [Reason("rotation", facts={"lift": round(given.lift, 6)})]
    return []


def says_little(title: str, description: str, skills: Collection[str]) -> bool:
    """Whether a project says too little to be compared with anybody for sure."""
    return len(skills) <= SKILLS_LITTLE and _is_short(title, description)


def _little(person: PersonDoc, need: Need) -> list[str]:
    """What makes a comparison unsure: `need` or `person` say little, `script` is not Latin."""
    found = []
    if says_little(need.title, need.description, need.skills):
        found.append("need")
    if not person.history and not person.skills and _is_short(person.title, person.bio):
        found.append("person")
    if not is_latin(f"{need.title} {need.description}"):
        found.append("script")
    return found


def _is_short(*texts: str) -> bool:
    return len(set(terms(" ".join(texts)))) < WORDS_TELLING


def strength(told: Sequence[Reason]) -> int:
    """3 for a strong match, 2 for a good one, 1 for a partial or unsure one.

    Facts, not a share of the best score.
    """
    facts = {reason.kind: reason.facts for reason in told}
    if "unsure" in facts:
        return 1
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


def words(told: Sequence[Reason], audience: Audience, *, titles: bool = True) -> list[Words]:
    """Reasons in the language of the reader; a client reads about the freelancer.

    Without `titles` no past work is named: a title can tell whose it is.

    The middle that people without finished work get for it is stored and not said; neither
    are kinds of reasons that earlier versions stored.
    """
    said = [
        (reason.kind, _SAID[reason.kind](reason.facts, audience))
        for reason in told
        if reason.kind in _SAID and reason.facts.get("here", True)
    ]
    return [
        replace(line, detail="") if kind == "works" and not titles else line for kind, line in said
    ]


def _sum(parts: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(parts.get(name, 0.0) for name in names)


def _works(works: Sequence[Vote]) -> dict[str, Any]:
    """The similar works with the public ones that gave most named, and samples apart."""
    ordered = sorted(works, key=lambda vote: (-vote.share, vote.work.title))
    similar = [vote for vote in ordered if vote.near or vote.words >= WORDS_ALIKE]
    alike = [vote for vote in similar if not vote.work.is_sample]
    named = [vote for vote in alike if vote.work.public][:WORKS_NAMED]
    samples = [vote.work.shown_as or vote.work.title for vote in similar if vote.work.is_sample]
    total = sum(vote.share for vote in works)
    return {
        "alike": len(alike),
        "samples": samples,
        "named": [
            {
                "title": vote.work.shown_as or vote.work.title,
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
        "%(skill)s (shown in work for %(count)d client)",
        "%(skill)s (shown in work for %(count)d clients)",
        skill["works"],
    ) % {"skill": skill["name"], "count": skill["works"]}


def _say_works(facts: Mapping[str, Any], audience: Audience) -> Words:
    count, samples = facts["alike"], facts.get("samples", [])
    if not count and samples:
        return Words("part", _in_portfolio(len(samples), audience), _listed(map(_quoted, samples)))
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
    named = [_title(work) for work in facts["named"]]
    if samples:
        named.append(_in_portfolio(len(samples), audience))
    return Words("yes", head % {"count": count}, _listed(named))


def _in_portfolio(count: int, audience: Audience) -> str:
    if audience == "client":
        said = ngettext(
            "%(count)d sample in the portfolio", "%(count)d samples in the portfolio", count
        )
    else:
        said = ngettext(
            "%(count)d sample in your portfolio", "%(count)d samples in your portfolio", count
        )
    return said % {"count": count}


def _quoted(title: str) -> str:
    return _("“%(title)s”") % {"title": title}


def _title(work: Mapping[str, Any]) -> str:
    if not work["on"]:
        return _quoted(work["title"])
    month = date_format(date.fromisoformat(work["on"]), "YEAR_MONTH_FORMAT")
    return _("“%(title)s” (%(month)s)") % {"title": work["title"], "month": month}


def _say_profile(facts: Mapping[str, Any], audience: Audience) -> Words:
    shared = _listed(facts["words"])
    if not facts.get("fits", True):
        if audience == "client":
            return Words("part", _("The profile is a little like this project"), shared)
        return Words("part", _("Your profile is a little like this project"), shared)
    if facts["new"] and audience == "client":
        return Words("yes", _("No finished project here yet, and the profile fits"), shared)
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
    if audience == "client":
        head = _("Few projects here so far")
    else:
        head = _("You have few projects here so far")
    return Words("part", head, _("Three of the first ten places are kept for people who fit."))


def _say_rotation(facts: Mapping[str, Any], audience: Audience) -> Words:
    if facts["lift"] < 0 and audience == "client":
        return Words(
            "part",
            _("Shown for rotation: a little further down than by score"),
            _("Suggested very often lately. Others who fit nearly as well take turns."),
        )
    if facts["lift"] < 0:
        return Words(
            "part",
            _("Shown for rotation: a little further down than by score"),
            _("You were suggested very often lately. Others who fit nearly as well take turns."),
        )
    if audience == "client":
        detail = _("Seen less lately than people who fit as well. Nobody paid for it.")
    else:
        detail = _("You were seen less lately than people who fit as well.")
    return Words("part", _("Shown for rotation: a little further up than by score"), detail)


def _say_exploration(facts: Mapping[str, Any], audience: Audience) -> Words:
    if audience == "client":
        detail = _(
            "Every second list draws one place among people who fit and would stand too low to be "
            "seen. Nobody paid for it."
        )
    else:
        detail = _(
            "Every second list draws one place among people who fit and would stand too low to be "
            "seen."
        )
    return Words("part", _("Shown for rotation: this place was drawn by lot"), detail)


def _say_missing(facts: Mapping[str, Any], audience: Audience) -> Words:
    names = _listed(facts["names"])
    if audience == "client":
        return Words("no", _("Not on the profile: %(skills)s") % {"skills": names})
    return Words(
        "no",
        _("Not on your profile: %(skills)s") % {"skills": names},
        _("Add it if you have done it before."),
    )


def _say_unsure(facts: Mapping[str, Any], audience: Audience) -> Words:
    why = [str(_UNSURE[audience, code]) for code in facts["why"]]
    return Words("part", _("We cannot be sure of this one"), " ".join(why))


def _say_chosen(facts: Mapping[str, Any], audience: Audience) -> Words:
    chosen = facts["parts"]
    said = [
        str(_CHOSEN[chosen[part]]) % {"part": name}
        for part, name in _PARTS.items()
        if part in chosen
    ]
    return Words("part", _("What you chose: %(choices)s") % {"choices": _listed(said)})


def _listed(names: Iterable[str]) -> str:
    return _(", ").join(names)


_PARTS: Mapping[str, Promise] = {
    "skills": gettext_lazy("skills"),
    "works": gettext_lazy("past work"),
    "profile": gettext_lazy("profile text"),
}
_CHOSEN: Mapping[str, Promise] = {
    "off": gettext_lazy("%(part)s left out"),
    "less": gettext_lazy("%(part)s half as much"),
    "more": gettext_lazy("%(part)s twice as much"),
}
_UNSURE: Mapping[tuple[Audience, str], Promise] = {
    ("client", "need"): gettext_lazy("Your project says little. Name skills or write more."),
    ("freelancer", "need"): gettext_lazy("The project says little about what is wanted."),
    ("client", "person"): gettext_lazy("The profile says little."),
    ("freelancer", "person"): gettext_lazy("Your profile says little. Skills or a sample help."),
    ("client", "script"): gettext_lazy(
        "Texts in this script are compared by their words, not by their meaning."
    ),
    ("freelancer", "script"): gettext_lazy(
        "Texts in this script are compared by their words, not by their meaning."
    ),
}
_SAID: Mapping[str, Callable[[Mapping[str, Any], Audience], Words]] = {
    "skills": _say_skills,
    "works": _say_works,
    "profile": _say_profile,
    "active": _say_active,
    "newcomer": _say_newcomer,
    "rotation": _say_rotation,
    "exploration": _say_exploration,
    "missing": _say_missing,
    "unsure": _say_unsure,
    "chosen": _say_chosen,
}
