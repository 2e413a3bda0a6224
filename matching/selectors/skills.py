"""What is known about the skills of texts: readings of the worker, the list to look in."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Max, Prefetch, Window
from django.db.models.functions import RowNumber

from accounts.models import Party, Skill, SkillAlias
from marketplace.core import clock
from matching.engine import redact
from matching.engine.labels import Label
from matching.engine.text import words_without_person
from matching.models import SkillReading, TagLesson
from projects.models import Project
from projects.selectors.projects import skills_in

# As much of a text as is read: the longest description and its title.
LONGEST_TEXT = 8200
MOST_SHOWN = 8
# A page waits for a reading that was asked for within this.
JUST_NOW = dt.timedelta(seconds=10)


@dataclass(frozen=True)
class Suggestion:
    """A skill to offer a person, and the words of their text that speak for it, if any do."""

    skill: Skill
    said: str


@dataclass(frozen=True)
class Suggestions:
    """What to offer. `is_read` is false while only exact names could be looked for."""

    found: Sequence[Suggestion]
    is_read: bool


def text_to_read(*parts: str) -> str:
    """One text of several, in the form that is read and compared."""
    return "\n".join(filter(None, (part.strip() for part in parts)))[:LONGEST_TEXT]


def digest_of(text: str) -> str:
    """What a reading of this text is found under."""
    return hashlib.sha256(text.encode()).hexdigest()


def reading_of(text: str) -> SkillReading | None:
    """The finished reading of exactly this text."""
    return SkillReading.objects.filter(digest=digest_of(text), read_at__isnull=False).first()


def is_being_read(text: str) -> bool:
    """Whether somebody asked for a reading of exactly this text just now, and it is not done."""
    waiting = SkillReading.objects.filter(digest=digest_of(text), read_at__isnull=True)
    return waiting.filter(asked_at__gt=clock.now() - JUST_NOW).exists()


def suggestions(text: str, *, without: Sequence[str] = ()) -> Suggestions:
    """Skills for a text, from the worker's reading, else from exact names; `without` are names."""
    leave_out = {name.casefold() for name in without}
    reading = reading_of(text)
    if reading:
        skills = Skill.objects.in_bulk([each["skill"] for each in reading.results])
        found = [
            Suggestion(skills[each["skill"]], _quoted(text, each["said"]))
            for each in reading.results
            if each["skill"] in skills
        ]
    else:
        found = [Suggestion(skill, "") for skill in skills_in(text)]
    wanted = [each for each in found if each.skill.name.casefold() not in leave_out]
    return Suggestions(wanted[:MOST_SHOWN], is_read=reading is not None)


def _quoted(text: str, said: Sequence[int] | None) -> str:
    if not said:
        return ""
    return " ".join(text[said[0] : said[1]].split())


# --- What the worker reads with ------------------------------------------------------------


def skill_labels() -> list[Label]:
    """The skills of the list with all their spellings, in two queries."""
    spellings = Prefetch("aliases", queryset=SkillAlias.objects.order_by("pk"))
    listed = Skill.objects.filter(state=Skill.State.CURATED).order_by("pk")
    return [
        Label(
            str(skill.pk),
            tuple(dict.fromkeys([skill.name, *(alias.folded for alias in skill.aliases.all())])),
        )
        for skill in listed.prefetch_related(spellings)
    ]


def skills_stamp() -> tuple[int, int]:
    """Differs as soon as `skill_labels()` would."""
    listed = SkillAlias.objects.filter(skill__state=Skill.State.CURATED)
    found = listed.aggregate(n=Count("pk"), last=Max("pk"))
    return found["n"], found["last"] or 0


def used_lesson() -> TagLesson | None:
    """The newest lesson that is good enough, without its weights."""
    return TagLesson.objects.filter(is_used=True).defer("weights").order_by("-pk").first()


def postings_to_learn_from(most: int, *, per_client: int) -> list[tuple[str, list[str]]]:
    """(redacted text, ids of the skills its client chose) of the newest published projects.

    At most so many of one client, and without the client's name.
    """
    of_client = Window(
        RowNumber(), partition_by=F("client"), order_by=(F("published_at").desc(), F("pk").desc())
    )
    published = Project.objects.filter(published_at__isnull=False).annotate(of_client=of_client)
    rows = published.filter(of_client__lte=per_client).order_by("-published_at", "-pk")
    found = [
        (
            _nameless(text_to_read(row.title, row.description), row.client),
            [str(skill.pk) for skill in row.skills.all()],
        )
        for row in rows.select_related("client").prefetch_related("skills")[:most]
    ]
    return [(text, skills) for text, skills in found if skills]


def _nameless(text: str, client: Party) -> str:
    """The redacted text: without the words of a person's name, or a company's as a whole."""
    names = client.name.split() if client.kind == Party.Kind.PERSON else [client.name]
    return words_without_person(redact.without_names(text, names))
