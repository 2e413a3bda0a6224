"""People as matrices: built once, kept in files, continued by whoever changed, asked often."""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from matching.engine import index, votes
from matching.engine.bm25 import Bm25, Counting, contenders
from matching.engine.cards import Cards, Chain
from matching.engine.columns import Array, Floats, Ints, Joined
from matching.engine.documents import UNKNOWN_FIT, HistoryItem, PersonDoc
from matching.engine.meaning import Bytes
from matching.engine.names import Names
from matching.engine.people_meaning import PeopleMeaning, Reads
from matching.engine.proof import ProofTable
from matching.engine.skills import Skills, SkillTable
from matching.engine.text import terms


@dataclass(frozen=True, slots=True)
class PersonRead:
    """A person whose texts were read: what the matrices are made of."""

    doc: PersonDoc
    works: tuple[HistoryItem, ...]
    titles: tuple[list[str], ...]
    texts: tuple[list[str], ...]
    own: list[str]


def read_person(person: PersonDoc) -> PersonRead:
    """Read all texts of a person: what takes longest, and is the same in any company."""
    doc = index.with_proof(person)
    works = tuple(index.latest(doc.history))
    titles = tuple(terms(work.title) for work in works)
    texts = tuple(
        2 * title + index.body_terms(work) for title, work in zip(titles, works, strict=True)
    )
    return PersonRead(doc, works, titles, texts, index.own_terms(doc))


class Gathered:
    """People one after the other, as the columns and rows they become.

    With `after` they follow the people of another index, whose counts of words go on counting.
    Only what reasons are told from is kept of a person, in `cards`, where that is asked for.
    """

    def __init__(self, *, after: "People | None" = None, cards: bool = False) -> None:
        self.titles = Counting(after.titles if after else None)
        self.texts = Counting(after.texts if after else None)
        self.words = Counting(after.words if after else None)
        self.ids: list[str] = []
        self.docs: list[PersonDoc] = []
        self.works: list[HistoryItem] = []
        self.skills: list[Skills] = []
        self.counts, self.finished, self.unused = array("q"), array("q"), array("q")
        self.days, self.weights, self.shares = array("d"), array("d"), array("d")
        self.first_of_client = array("b")
        self.vectors: list[Bytes] = []
        self.profiles: list[Bytes] = []
        self.cards = Cards.empty() if cards else None

    def add(self, people: Sequence[PersonRead], read: Reads | None = None) -> None:
        """The next people; their vectors, too, where there is a reader."""
        for person in people:
            self._add(person)
        if read:
            works = [index.for_encoder(index.work_text(work)) for p in people for work in p.works]
            self.vectors.append(read.packed(works))
            own = [index.for_encoder(index.own_text(p.doc)) for p in people if _is_fresh(p)]
            self.profiles.append(read.packed(own))

    def _add(self, person: PersonRead) -> None:
        works = person.works
        self.ids.append(person.doc.id)
        for title, text in zip(person.titles, person.texts, strict=True):
            self.titles.add(title)
            self.texts.add(text)
        self.words.add(person.own)
        self.skills.append(person.doc.skills)
        self.counts.append(len(works))
        self.finished.append(index.finished_works(works))
        self.unused.append(person.doc.unused_works)
        self.days.extend(index.days_of(works))
        self.weights.extend(index.weights_of(works))
        self.shares.extend(index.shares_of_voice(works, person.texts))
        # Works come newest first, so the one that counts for a client is the last one.
        self.first_of_client.extend(index.one_a_client(works))
        if self.cards is None:
            self.docs.append(person.doc)
            self.works.extend(works)
        else:
            self.cards.add(person.doc, works)


class People:
    """Freelancers with their past works; every work is a document of its own.

    With a reader, works and profiles have vectors too; without one `meaning` is None.
    """

    titles: Bm25
    texts: Bm25
    words: Bm25
    skills: SkillTable
    proof: ProofTable
    meaning: PeopleMeaning | None

    def __init__(self, people: Iterable[PersonDoc], read: Reads | None = None) -> None:
        gathered = Gathered()
        in_order = sorted(people, key=lambda person: person.id)
        gathered.add([read_person(person) for person in in_order], read)
        self._take(gathered, read, None)

    @classmethod
    def of(
        cls, gathered: Gathered, read: Reads | None = None, after: "People | None" = None
    ) -> "People":
        """Of people who were gathered one by one, behind those of another index."""
        made = cls.__new__(cls)
        made._take(gathered, read, after)
        return made

    def _take(self, new: Gathered, read: Reads | None, after: "People | None") -> None:
        self.ids: Sequence[str] = tuple(new.ids)
        self.docs: Sequence[PersonDoc] = (
            new.cards.people() if new.cards is not None else tuple(new.docs)
        )
        self.starts: Any = np.concatenate([[0], np.cumsum(_ints(new.counts))])
        self.works: Sequence[HistoryItem] = (
            new.cards.works(self.starts) if new.cards is not None else tuple(new.works)
        )
        self.owners: Any = np.repeat(np.arange(len(new.ids)), _ints(new.counts))
        self._days: Any = _floats(new.days)
        self._weights: Any = _floats(new.weights)
        self._shares: Any = _floats(new.shares)
        self._counts: index.Flags = np.asarray(new.first_of_client, dtype=bool)
        self._finished, self._unused = _ints(new.finished), _ints(new.unused)
        self.titles = Bm25.of(new.titles, after.titles if after else None)
        self.texts = Bm25.of(new.texts, after.texts if after else None)
        self.words = Bm25.of(new.words, after.words if after else None)
        self.skills = SkillTable(new.skills, after=after.skills if after else None)
        self.proof = ProofTable(new.skills, self.skills, after=after.proof if after else None)
        self._cards = new.cards
        self._gone: index.Flags | None = None
        self._lately: tuple[Lately, ...] = (self._own_lately(),)
        if after:
            self._follow(after)
        self._know()
        self.meaning = None
        if read:
            before = after.meaning if after else None
            self.meaning = PeopleMeaning.of(self, new.vectors, new.profiles, read, before)

    def _follow(self, after: "People") -> None:
        """Put what belongs to people of before in front."""
        count, works = len(after.ids), len(after.works)
        self.ids = Chain(after.ids, self.ids)
        self.docs = Chain(after.docs, self.docs)
        self.works = Chain(after.works, self.works)
        self.starts = Joined(after.starts, self.starts[1:] + works)
        self.owners = Joined(after.owners, self.owners + count)
        self._days = Joined(after._days, self._days)
        self._weights = Joined(after._weights, self._weights)
        self._shares = Joined(after._shares, self._shares)
        self._finished = np.concatenate([after._finished, self._finished])
        self._unused = np.concatenate([after._unused, self._unused])
        self._lately = (*after._lately, *self._lately)

    def _know(self) -> None:
        """What is worked out from the arrays."""
        self.freshness = np.maximum(0.0, 1 - self._finished / index.SETTLED)
        self.new: index.Flags = self._finished + self._unused <= index.NEW_UP_TO

    def _own_lately(self) -> "Lately":
        return Lately(self._days, self._weights, self._counts, self.owners, len(self.ids))

    @classmethod
    def opened(cls, arrays: Mapping[str, Any], read: Reads | None = None) -> "People":
        """What `arrays()` gave, of people who were gathered with cards."""
        made = cls.__new__(cls)
        made.ids = Names.opened(arrays["ids"])
        made._cards = Cards.opened(arrays["cards"])
        made.starts, made.owners = arrays["starts"], arrays["owners"]
        made.docs, made.works = made._cards.people(), made._cards.works(made.starts)
        made._days, made._weights = arrays["days"], arrays["weights"]
        made._shares, made._counts = arrays["shares"], arrays["counts"]
        made._finished, made._unused = arrays["finished"], arrays["unused"]
        made.titles, made.texts, made.words = (
            Bm25.opened(arrays[name]) for name in ("titles", "texts", "words")
        )
        made.skills = SkillTable.opened(arrays["skills"])
        made.proof = ProofTable.opened(arrays["proof"], made.skills)
        made._gone = None
        made._lately = (made._own_lately(),)
        made._know()
        made.meaning = None
        if read and "meaning" in arrays:
            made.meaning = PeopleMeaning.opened(arrays["meaning"], read)
        return made

    def arrays(self) -> Mapping[str, Any]:
        """Everything there is to keep."""
        found: dict[str, Any] = {
            "ids": Names.of(self.ids).arrays(),
            "cards": self._cards.arrays() if self._cards is not None else {},
            "starts": self.starts,
            "owners": self.owners.astype(np.int32),
            "days": self._days,
            "weights": self._weights,
            "shares": self._shares,
            "counts": self._counts,
            "finished": self._finished,
            "unused": self._unused,
            "titles": self.titles.arrays(),
            "texts": self.texts.arrays(),
            "words": self.words.arrays(),
            "skills": self.skills.arrays(),
            "proof": self.proof.arrays(),
        }
        return found | ({"meaning": self.meaning.arrays()} if self.meaning else {})

    def changed(
        self, people: Sequence[PersonRead], gone: Collection[str], read: Reads | None = None
    ) -> "People":
        """The same people, some of them anew or for the first time, some no longer.

        How rare a word is and how nearness is measured stay as they were.
        """
        read = read if self.meaning else None
        gathered = Gathered(after=self)
        gathered.add(sorted(people, key=lambda person: person.doc.id), read)
        made = People.of(gathered, read, self)
        made._gone = np.zeros(len(made.ids), dtype=np.bool_)
        if self._gone is not None:
            made._gone[: len(self.ids)] = self._gone
        made._gone[self.places([*gone, *(person.doc.id for person in people)])] = True
        return made

    def voices_on(self, day: date, items: Ints) -> Floats:
        """How much the vote of each of these works counts on this day."""
        ages = day.toordinal() - self._days[items]
        voices = votes.voice(ages, self._weights[items])
        return np.asarray(voices * self._shares[items], dtype=np.float64)

    def nearest(self, scores: Array, count: int) -> tuple[Ints, Floats]:
        """The nearest works that may vote, best first, and the nearness they vote with.

        No repeats, and two samples a person. No sample is nearer than the nearest finished
        work: a text copied from the project is nearer than anything anybody has really done.
        """
        wanted = count
        while True:
            items = contenders(scores, wanted)
            found = np.where(self._may_vote(items), scores[items].astype(np.float64), 0.0)
            whole = len(items) < wanted
            nearest = float(np.where(self._weights[items] < 1, 0.0, found).max(initial=0.0))
            found = self._hear_samples(items, found, nearest)
            # Whoever is not among the contenders is no nearer than any of them; that holds for
            # quieter samples, too, as soon as there is a finished work among them.
            if whole or (nearest and np.count_nonzero(found) >= count):
                break
            wanted *= 4
        items, found = items[found > 0], found[found > 0]
        order = np.argsort(-found, kind="stable")[:count]
        return items[order], found[order]

    def _may_vote(self, items: Ints) -> index.Flags:
        """Works that are no repeats, of people who are still there."""
        heard: index.Flags = self._shares[items] > 0
        return heard if self._gone is None else heard & ~self._gone[self.owners[items]]

    def _hear_samples(self, items: Ints, found: Floats, nearest: float) -> Floats:
        """Two samples a person, none nearer than the nearest finished work."""
        samples = np.flatnonzero(self._weights[items] < 1)
        if not len(samples):
            return found
        found = found.copy()
        if nearest:
            found[samples] = np.minimum(found[samples], nearest)
        owners = self.owners[items[samples]]
        order = np.lexsort((-found[samples], owners))
        place = np.arange(len(order)) - np.searchsorted(owners[order], owners[order])
        found[samples[order[place >= index.SAMPLES_HEARD]]] = 0.0
        return found

    def vote(self, scores: Array, day: date) -> tuple[votes.Votes, votes.Votes]:
        """The votes of the nearest works for the people who did them.

        Once of few works, and once of more with at most five of each person.
        """
        items, nearness = self.nearest(scores, votes.DEEP_HITS)
        given, owners = nearness * self.voices_on(day, items), self.owners[items]
        size = len(self.ids)
        return (
            votes.hold(items, given, owners=owners, people=size),
            votes.of_the_best(items, given, owners=owners, people=size),
        )

    def active_on(self, day: date) -> tuple[Floats, Floats]:
        """Per person, clients worked for lately (1 is plenty), and how fresh the last work is."""
        active, recent = zip(*(each.on(day) for each in self._lately), strict=True)
        return np.concatenate(active), np.concatenate(recent)

    @property
    def count(self) -> int:
        """How many people there are."""
        gone = 0 if self._gone is None else int(np.count_nonzero(self._gone))
        return len(self.ids) - gone

    def works_of(self, place: int) -> range:
        """The places of the works of one person."""
        return range(int(self.starts[place]), int(self.starts[place + 1]))

    def works_of_all(self, places: Ints) -> Ints:
        """The places of all works of these people, one person after the other."""
        counts = self.starts[places + 1] - self.starts[places]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.asarray(np.repeat(self.starts[places], counts) + within, dtype=np.int64)

    def places(self, ids: Iterable[str]) -> Ints:
        """The places of those of these people who are here."""
        found = [place for name in ids for place in _places_of(self.ids, name)]
        return np.asarray(sorted(found), dtype=np.int64)

    def are_there(self, places: Ints) -> index.Flags:
        """True for each of these places whose person has not changed or gone since."""
        if self._gone is None:
            return np.ones(len(places), dtype=np.bool_)
        return ~self._gone[places]

    def out(self, ids: Iterable[str]) -> Ints:
        """The same, and the places of whoever is gone."""
        places = self.places(ids)
        if self._gone is None:
            return places
        return np.union1d(places, np.flatnonzero(self._gone))


class Lately:
    """Who finished work lately, as it was seen on the day it was last asked for."""

    def __init__(
        self, days: Floats, weights: Floats, counts: index.Flags, owners: Ints, people: int
    ) -> None:
        self._days, self._weights, self._counts = days, weights, counts
        self._owners, self._people = owners, people
        self._seen: tuple[date, tuple[Floats, Floats]] | None = None

    def on(self, day: date) -> tuple[Floats, Floats]:
        """Per person, clients worked for lately (1 is plenty), and how fresh the last work is.

        Only work finished here counts: samples can be entered at any time. A break takes
        freshness down to the middle, where those stand of whom nothing is known, and no lower.
        """
        if self._seen is None or self._seen[0] != day:
            self._seen = (day, self._on(day))
        return self._seen[1]

    def _on(self, day: date) -> tuple[Floats, Floats]:
        ages = np.maximum(day.toordinal() - self._days, 0)
        lately = (self._counts & (ages <= index.ACTIVE_DAYS)).astype(float)
        count = np.bincount(self._owners, weights=lately, minlength=self._people)
        recent = np.full(self._people, UNKNOWN_FIT)
        fresh = UNKNOWN_FIT + (1 - UNKNOWN_FIT) * np.exp(-ages / index.ACTIVE_DAYS)
        np.maximum.at(recent, self._owners, np.where(self._weights < 1, 0.0, fresh))
        return np.minimum(count / index.ACTIVE_ENOUGH, 1.0), recent


def _places_of(ids: Sequence[str], name: str, ahead: int = 0) -> Iterator[int]:
    """Where somebody stands: somebody who changed stood somewhere else before."""
    if isinstance(ids, Chain):
        yield from _places_of(ids.first, name, ahead)
        yield from _places_of(ids.second, name, ahead + len(ids.first))
    elif (at := _number(ids, name)) is not None:
        yield ahead + at


def _number(ids: Sequence[str], name: str) -> int | None:
    """The number of an id: by a table of bytes, or by bisection, as ids are in order."""
    if isinstance(ids, Names):
        return ids.number_of(name)
    at = bisect_left(ids, name)
    return at if at < len(ids) and ids[at] == name else None


def _is_fresh(person: PersonRead) -> bool:
    return index.freshness(index.finished_works(person.works)) > 0


def _ints(numbers: "array[int]") -> Ints:
    return np.asarray(numbers, dtype=np.int64)


def _floats(numbers: "array[float]") -> Floats:
    return np.asarray(numbers, dtype=np.float64)
