"""What people mean by the skills they type: known, surely meant, perhaps meant, or new.

Nothing is changed behind anybody's back: what is read differently from how it was typed is told,
and where it is not sure, the person is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from django.db.models import Count, Max
from django.utils.translation import gettext as _

from accounts.models import Skill, SkillAlias
from accounts.nearness import Spellings
from accounts.spelling import fold_skill

# Measured on our own list (docs/skills.md): from SURE on at most one reading in twenty is wrong;
# below ASK the nearest skill is rarely the one that was meant.
SURE = 0.82
ASK = 0.55
# Two or three letters are near to everything.
SHORTEST = 4
MOST_CANDIDATES = 3


@dataclass(frozen=True)
class Question:
    """A name nobody knows, and the skills it may stand for, nearest first."""

    typed: str
    candidates: tuple[Skill, ...]


@dataclass
class Reading:
    """`names` are what to save, in order; `corrected` those read differently than typed.

    `kept` are those a person wants as they are, though nobody knows them.
    """

    names: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    corrected: list[tuple[str, Skill]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """A sentence for each name that was read differently than typed."""
        return [
            _("“%(typed)s” was read as %(name)s.") % {"typed": typed, "name": skill.name}
            for typed, skill in self.corrected
        ]


@dataclass(frozen=True)
class Meaning:
    """What one name stands for: the skill when that is known or sure, else who comes near."""

    typed: str
    skill: Skill | None
    exact: bool
    candidates: tuple[Skill, ...]


def read_names(names: Iterable[str], *, answers: Mapping[str, str] | None = None) -> Reading:
    """The names as they will be saved, and what must be said or asked about them.

    `answers` holds what a person said to questions: typed name → the name they chose, which may
    be the typed one. A name with an answer is not asked about again.
    """
    answers = answers or {}
    asked = [name for name in names if name.strip()]
    reading = Reading()
    for meaning in meanings([name for name in asked if name not in answers]):
        if meaning.skill and not meaning.exact:
            reading.corrected.append((meaning.typed, meaning.skill))
        elif meaning.candidates:
            reading.questions.append(Question(meaning.typed, meaning.candidates))
    read = {typed: skill.name for typed, skill in reading.corrected}
    reading.names = [answers.get(name) or read.get(name, name) for name in asked]
    reading.kept = [name for name in asked if answers.get(name) == name]
    return reading


def meanings(names: Iterable[str]) -> list[Meaning]:
    """What each of these names stands for, in order."""
    typed = {name: fold_skill(name) for name in names}
    spelled = SkillAlias.objects.filter(folded__in=typed.values()).select_related("skill")
    known = {alias.folded: alias.skill for alias in spelled}
    return [
        Meaning(name, known[folded], exact=True, candidates=())
        if folded in known
        else _guess(name, folded)
        for name, folded in typed.items()
    ]


def _guess(name: str, folded: str) -> Meaning:
    near: list[tuple[int, float]] = []
    if len(folded) >= SHORTEST:
        near = [
            (pk, nearness)
            for pk, nearness in _index(*_stamp()).nearest(folded, limit=MOST_CANDIDATES)
            if nearness >= ASK
        ]
    skills = Skill.objects.in_bulk([pk for pk, _nearness in near])
    # One that was merged away a moment ago is no longer a candidate.
    found = [(skills[pk], nearness) for pk, nearness in near if pk in skills]
    if found and found[0][1] >= SURE:
        return Meaning(name, found[0][0], exact=False, candidates=())
    return Meaning(name, None, exact=False, candidates=tuple(skill for skill, _n in found))


def _stamp() -> tuple[int, int]:
    """Differs when the list of skills does. What users propose does not count: no typos in it."""
    listed = SkillAlias.objects.filter(skill__state=Skill.State.CURATED)
    found = listed.aggregate(n=Count("pk"), last=Max("pk"))
    return found["n"], found["last"] or 0


@lru_cache(maxsize=1)
def _index(_count: int, _last: int) -> Spellings:
    listed = SkillAlias.objects.filter(skill__state=Skill.State.CURATED)
    return Spellings(listed.order_by("pk").values_list("folded", "skill_id"))
