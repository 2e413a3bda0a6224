"""A market plays its searches: who was found, who was seen, who got the work, and what came of it.

What happens feeds back: whoever is hired has a work more the next day, whoever is shown gathers
exposure, people leave and others join. So a ranker is judged on what it does to a market, not
on one list.
"""

import datetime as dt
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from matching.audit.crowd import NEWCOMERS, QUALIFIED, Crowd, Marks, Person, Project
from matching.engine import placing
from matching.engine.candidates import comparable
from matching.engine.columns import Floats, Ints
from matching.engine.documents import Need, PersonDoc, Ranked
from matching.engine.index import NEW_UP_TO, Flags
from matching.engine.rank import build_index

SEEN = 10
DAY = dt.date(2026, 9, 1)
# One search in four ends with a hire, after the first few places that do have been looked at.
HIRED = 0.25
SHORTLISTED = 3


class Ranker(Protocol):
    """Whatever scores people for a project: the product's matcher, or one of the twins."""

    @property
    def weights(self) -> Mapping[str, float]:
        """What it scores with."""

    def scores_for(self, need: Need) -> tuple[Sequence[str], Floats, Mapping[str, Floats]]:
        """Ids, scores and features of everybody."""

    def people_for(self, need: Need, k: int) -> list[Ranked]:
        """The first k with the reasons they are shown with."""


Make = Callable[[Sequence[PersonDoc], Sequence[Marks], dt.date], Ranker]
# The order people are shown in, given what everybody scores and has been shown so far.
Order = Callable[[Sequence[placing.Candidate], str], Sequence["Shown"]]


class Shown(NamedTuple):
    """Who has a place, the attention it brings, and what attention their score earned."""

    id: str
    seen: float = 0.0
    earned: float = 0.0


@dataclass(frozen=True, slots=True)
class Size:
    """How big a market is and how long it is watched."""

    people: int = 400
    searches: int = 3000
    per_day: int = 150
    seed: int = 7
    turn: int = 0


@dataclass(frozen=True)
class Season:
    """What happened: a row per search, a column per person who was ever there.

    `truth` is nan where somebody was not there; `place` and `by_score` count from 1, 0 is
    beyond the list.
    """

    people: Sequence[Person]
    projects: Sequence[Project]
    truth: Floats
    score: Floats
    place: Ints
    by_score: Ints
    new: Flags
    shortlisted: Flags
    features: Floats
    per_day: int

    @property
    def there(self) -> Flags:
        """Who was there at which search."""
        return ~np.isnan(self.truth)

    @property
    def qualified(self) -> Flags:
        """Who could truly do what was asked for."""
        return np.nan_to_num(self.truth) >= QUALIFIED

    def group(self, mark: str) -> npt.NDArray[np.str_]:
        """What a mark says of each person."""
        return np.asarray([getattr(person.marks, mark) for person in self.people])


def the_product(people: Sequence[PersonDoc], marks: Sequence[Marks], at: dt.date) -> Ranker:
    """The matcher as it is shipped, by words alone. It is not given the marks."""
    return build_index(people, (), at=at)


def weighing(weights: Mapping[str, float]) -> Make:
    """The same matcher with other weights, like those that rank on this site."""

    def make(people: Sequence[PersonDoc], marks: Sequence[Marks], at: dt.date) -> Ranker:
        return build_index(people, (), at=at, weights=weights)

    return make


def placed_by(policy: placing.Policy) -> Order:
    """The order of the product under a policy: by score, attention and the kept places."""

    def order(candidates: Sequence[placing.Candidate], seed: str) -> list[Shown]:
        found = placing.place(candidates, seed=seed, policy=policy)
        return [Shown(each.id, each.seen, each.earned) for each in found]

    return order


def by_score(candidates: Sequence[placing.Candidate], seed: str) -> list[Shown]:
    """The order of the scores alone, equals by lot: nothing is kept, moved or drawn."""

    def key(each: placing.Candidate) -> tuple[float, int]:
        return -round(each.score, 12), zlib.crc32(f"{seed} {each.id}".encode())

    return [Shown(each.id) for each in sorted(candidates, key=key)]


def play(
    make: Make = the_product, order: Order | None = None, *, size: Size | None = None
) -> Season:
    """A whole season of a market under one ranker."""
    return _Market(make, order or placed_by(placing.Policy()), size or Size()).season()


class _Market:
    def __init__(self, make: Make, order: Order, size: Size) -> None:
        self._make, self._order, self._size = make, order, size
        self._crowd = Crowd(size.seed, today=DAY, turn=size.turn)
        self._people = self._crowd.people(size.people)
        self._everybody = list(self._people)
        self._columns = {person.id: at for at, person in enumerate(self._people)}
        # Chance of its own, so that two rankers meet the same projects and the same moods.
        self._chance = np.random.default_rng([size.seed, 1])
        # What everybody was shown and what their scores earned them, as the product counts it.
        self._seen: dict[str, float] = defaultdict(float)
        self._earned: dict[str, float] = defaultdict(float)
        self._rows: list[_Row] = []

    def season(self) -> Season:
        searches, per_day = self._size.searches, self._size.per_day
        for day in range(-(-searches // per_day)):
            self._open(day, min(per_day, searches - day * per_day))
            self._change_hands(day + 1)
        return self._told()

    def _open(self, day: int, searches: int) -> None:
        """One day: everybody is indexed once, and works of the day count from the next."""
        today = DAY + dt.timedelta(days=day)
        documents = [person.document() for person in self._people]
        ranker = self._make(documents, [person.marks for person in self._people], today)
        here = {person.id: person for person in self._people}
        new = {name for name, one in here.items() if is_new(one)}
        done: list[tuple[Person, Project]] = []
        for _ in range(searches):
            row = self._search(ranker, here, new)
            self._rows.append(row)
            hired = self._choose(row, here)
            if hired:
                done.append((hired, row.project))
        for person, project in done:
            person.works.append(self._crowd.work(project, on=today))

    def _search(self, ranker: Ranker, here: Mapping[str, Person], new: Collection[str]) -> "_Row":
        project = self._crowd.project()
        ids, scores, features = ranker.scores_for(project.need)
        candidates = candidates_of(
            ids,
            scores,
            comparable(features, ranker.weights),
            new=new,
            seen=self._seen,
            earned=self._earned,
        )
        seed = project.need.id
        placed = self._order(candidates, seed)
        for each in placed:
            self._seen[each.id] += each.seen
            self._earned[each.id] += each.earned
        truth = {name: person.fit(project) for name, person in here.items()}
        alone = [each.id for each in by_score(candidates, seed)]
        shown = [each.id for each in placed]
        return _Row(project, ids, scores, features, shown, alone, truth, new, [])

    def _choose(self, row: "_Row", here: Mapping[str, Person]) -> Person | None:
        """Whom a client shortlists, reading from the top until tired, and perhaps hires."""
        looks = exposure_at(np.arange(1, SEEN + 1))
        moods = self._chance.random(SEEN + 1)
        for look, mood, name in zip(looks, moods, row.shown, strict=False):
            if mood < look and row.truth[name] >= QUALIFIED and len(row.chosen) < SHORTLISTED:
                row.chosen.append(name)
        if not row.chosen or moods[SEEN] > HIRED:
            return None
        return here[max(row.chosen, key=lambda name: row.truth[name])]

    def _change_hands(self, day: int) -> None:
        """Settled people leave, and as many join, until newcomers are a fifth again."""
        wanted = round(NEWCOMERS * len(self._people))
        settled = [at for at, person in enumerate(self._people) if not is_new(person)]
        missing = wanted - (len(self._people) - len(settled))
        for at in self._chance.permutation(settled)[: max(missing, 0)]:
            name = f"p{len(self._everybody)}"
            self._people[at] = self._crowd.successor(self._people[at], name, day=day)
            self._columns[name] = len(self._everybody)
            self._everybody.append(self._people[at])

    def _told(self) -> Season:
        shape = len(self._rows), len(self._everybody)
        truth, score = np.full(shape, np.nan), np.zeros(shape)
        place, alone = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        new, chosen = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        features = np.zeros((shape[1], len(self._rows[0].features)))
        for at, row in enumerate(self._rows):
            columns = self._at(row.truth)
            truth[at, columns] = list(row.truth.values())
            scored = self._at(row.ids)
            score[at, scored] = row.scores
            place[at, self._at(row.shown)] = np.arange(1, len(row.shown) + 1)
            alone[at, self._at(row.alone)] = np.arange(1, len(row.alone) + 1)
            new[at, self._at(row.new)] = True
            chosen[at, self._at(row.chosen)] = True
            values = np.stack(list(row.features.values()), axis=1)
            features[scored] += np.where(row.scores[:, np.newaxis] > 0, values, 0.0)
        features /= np.maximum((score > 0).sum(axis=0), 1)[:, np.newaxis]
        return Season(
            people=tuple(self._everybody),
            projects=tuple(row.project for row in self._rows),
            truth=truth,
            score=score,
            place=place,
            by_score=alone,
            new=new,
            shortlisted=chosen,
            features=features,
            per_day=self._size.per_day,
        )

    def _at(self, names: Iterable[str]) -> list[int]:
        return [self._columns[name] for name in names]


@dataclass(frozen=True, slots=True)
class _Row:
    project: Project
    ids: Sequence[str]
    scores: Floats
    features: Mapping[str, Floats]
    shown: Sequence[str]
    alone: Sequence[str]
    truth: Mapping[str, float]
    new: Collection[str]
    chosen: list[str]


def candidates_of(
    ids: Sequence[str],
    scores: Floats,
    fits: Floats,
    *,
    new: Collection[str],
    seen: Mapping[str, float],
    earned: Mapping[str, float],
) -> list[placing.Candidate]:
    """Everybody with a score, as the placing is told of them."""
    return [
        placing.Candidate(
            id=ids[at],
            score=float(scores[at]),
            is_new=ids[at] in new,
            fit=float(fits[at]),
            seen=seen.get(ids[at], 0.0),
            earned=earned.get(ids[at], 0.0),
        )
        for at in np.flatnonzero(scores > 0).tolist()
    ]


def is_new(person: Person) -> bool:
    """New as the product has it: at most three works finished here."""
    return len(person.works) <= NEW_UP_TO


def exposure_at(place: npt.NDArray[np.int64]) -> Floats:
    """How much attention a place gets: 1 / log2(1 + place), as in nDCG."""
    return np.asarray(1 / np.log2(1 + place.astype(np.float64)))
