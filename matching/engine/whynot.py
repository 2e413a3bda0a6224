"""Why somebody is not among the first for a project, and what in their power would change that.

Nothing is estimated from weights: every change is tried by ranking everybody again with it, and
only what then stands among the first ten is told. Of the others come means over at least five
people, nothing of any one of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any

from matching.engine import index
from matching.engine.documents import HistoryItem, Need, PersonDoc, Ranked
from matching.engine.meaning import Reader
from matching.engine.placing import Turn
from matching.engine.rank import build_index
from matching.engine.text import skill_key, terms

FIRST = 10
# A place further down is not told: "beyond the first 200" says as much.
FOLLOWED = 200
# So many others at least, or a mean would tell what one of them has.
MEAN_OF = 5
TOLD = 3
# Every try ranks everybody once more.
TRIES = 12
PARTS = ("skills", "works", "profile", "active")
SAMPLE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """Something the person can do; `place` is where they stand once it is done."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    place: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Where somebody stands, with what, and what would bring them among the first.

    `place` is None beyond the places that are followed. `own` and `first` are points out of 100
    by part of the score, `first` the mean of the first ten others, empty when they are few.
    """

    place: int | None
    found: int
    own: Mapping[str, int]
    first: Mapping[str, int]
    changes: tuple[Change, ...] = ()
    tried: int = 0


Tried = tuple[Change, PersonDoc]


def why_not(
    others: Sequence[PersonDoc],
    need: Need,
    person: PersonDoc,
    *,
    at: date,
    read: Reader | None = None,
    weights: Mapping[str, float] | None = None,
    turn: Turn | None = None,
    with_record: PersonDoc | None = None,
    exclude: Sequence[str] = (),
) -> Answer:
    """Rank the person among the others as they are, and with every change worth a try.

    `turn` says how the places of the list are given. `with_record` is the same person with
    finished works they do not want used now.
    """
    field_of_others = [other for other in others if other.id != person.id]

    def ranking(doc: PersonDoc, k: int) -> list[Ranked]:
        matcher = build_index([*field_of_others, doc], [], at=at, read=read, weights=weights)
        places = turn or Turn(need.id)
        return matcher.ranking_of_people(need, k, exclude=frozenset(exclude), turn=places).found

    found = ranking(person, FOLLOWED)
    place = place_of(person.id, found)
    answer = Answer(
        place=place,
        found=len(found),
        own=_points([each for each in found if each.id == person.id]),
        first=_mean_of_first(found, person.id),
    )
    if place and place <= FIRST:
        return answer
    told, tried = _try(
        changes(person, need, with_record=with_record),
        lambda doc: place_of(person.id, ranking(doc, FIRST)),
    )
    return replace(answer, changes=told, tried=tried)


def place_of(name: str, found: Sequence[Ranked]) -> int | None:
    """The place of somebody in a ranking, from 1."""
    return next((at for at, each in enumerate(found, start=1) if each.id == name), None)


def _try(
    candidates: Iterator[Tried], place: Callable[[PersonDoc], int | None]
) -> tuple[tuple[Change, ...], int]:
    """The first changes that lead among the first ten, and how many were tried."""
    told: list[Change] = []
    tried = 0
    for change, doc in islice(candidates, TRIES):
        if change.kind == "both" and told:
            break
        tried += 1
        reached = place(doc)
        if reached:
            told.append(replace(change, place=reached))
            if len(told) == TOLD:
                break
    return tuple(told), tried


def changes(
    person: PersonDoc, need: Need, *, with_record: PersonDoc | None = None
) -> Iterator[Tried]:
    """What the person can do, the smallest first, with how the matcher would then see them.

    A skill is one step where their own texts or works speak of it; where nothing does, only they
    know whether they have it, so it comes after and is told with "if". Two steps come last.
    """
    missing = _missing(person, need)
    shown = [name for name in missing if _speaks_of(person, name)]
    claims = [name for name in missing if name not in shown]
    for name in shown:
        yield Change("skill", {"skills": [name]}), _with_skills(person, [name])
    if len(shown) > 1:
        yield Change("skill", {"skills": shown}), _with_skills(person, shown)
    if with_record:
        yield Change("record"), with_record
    if need.skills:
        yield Change("sample", {"skills": list(need.skills)}), _with_sample(person, need)
    for name in claims:
        yield Change("claim", {"skills": [name]}), _with_skills(person, [name])
    if len(claims) > 1:
        yield Change("claim", {"skills": claims}), _with_skills(person, claims)
    if missing:
        both = _with_sample(_with_skills(person, missing), need)
        yield Change("both", {"skills": missing}), both


def _missing(person: PersonDoc, need: Need) -> list[str]:
    have = {skill_key(name) for name, _ in index.with_proof(person).skills}
    asked = {skill_key(name): name for name in need.skills}
    return [name for key, name in asked.items() if key not in have]


def _speaks_of(person: PersonDoc, skill: str) -> bool:
    """Whether all words of a skill stand in one text of the person."""
    asked = set(terms(skill))
    texts = [f"{person.title}\n{person.bio}", *map(index.work_text, person.history)]
    return bool(asked) and any(asked <= set(terms(text)) for text in texts)


def _with_skills(person: PersonDoc, names: Sequence[str]) -> PersonDoc:
    return replace(person, skills=(*person.skills, *((name, 0) for name in names)))


def _with_sample(person: PersonDoc, need: Need) -> PersonDoc:
    """With one sample as somebody tells it who has done such work: what it was, and with what."""
    told = HistoryItem(need.title, " ".join(need.skills), weight=SAMPLE_WEIGHT)
    return replace(person, history=(*person.history, told))


def _points(places: Sequence[Ranked]) -> dict[str, int]:
    """The mean of the parts of these scores, in whole points out of 100."""
    points = dict.fromkeys(PARTS, 0.0)
    for each in places:
        for reason in each.reasons:
            if reason.kind in points:
                points[reason.kind] += 100 * reason.contribution
    return {part: round(total / max(len(places), 1)) for part, total in points.items()}


def _mean_of_first(found: Sequence[Ranked], name: str) -> dict[str, int]:
    others = [each for each in found[:FIRST] if each.id != name]
    return _points(others) if len(others) >= MEAN_OF else {}
