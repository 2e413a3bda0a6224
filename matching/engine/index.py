"""People and projects as matrices, built once and asked often."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from matching.engine import votes
from matching.engine.bm25 import Bm25, Counting, contenders
from matching.engine.cards import Cards, Chain
from matching.engine.columns import Array, Floats, Ints
from matching.engine.documents import UNKNOWN_FIT, HistoryItem, Need, PersonDoc
from matching.engine.encoder import DIMENSIONS, Vectors
from matching.engine.meaning import SERVED, Bytes, Meanings, Reader, Space
from matching.engine.names import Names
from matching.engine.proof import ProofTable
from matching.engine.skills import Skills, SkillTable
from matching.engine.text import is_latin, skill_key, terms

Flags = npt.NDArray[np.bool_]

# With this many finished works a person is judged by them and no longer by "fresh".
SETTLED = 2
# The works of one person that are read, latest first: a cap on anybody's influence.
LATEST_WORKS = 200
# Up to this many finished works somebody is new here.
NEW_UP_TO = 3
# "Active" counts works finished in so many days, and no more than so many of them.
ACTIVE_DAYS = 90
ACTIVE_ENOUGH = 5
# Two works of one person that share this much of their words are one work told twice.
SAME_WORDS = 0.8
# So many samples of a person may vote for one project, those that are nearest.
SAMPLES_HEARD = 2


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
    doc = with_proof(person)
    works = tuple(latest(doc.history))
    titles = tuple(terms(work.title) for work in works)
    texts = tuple(2 * title + _body(work) for title, work in zip(titles, works, strict=True))
    return PersonRead(doc, works, titles, texts, own_terms(doc))


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
        self.counts, self.finished = array("q"), array("q")
        self.days, self.weights, self.shares = array("d"), array("d"), array("d")
        self.first_of_client = array("b")
        self.vectors: list[Bytes] = []
        self.profiles: list[Bytes] = []
        self.cards = Cards.empty() if cards else None

    def add(self, people: Sequence[PersonRead], read: "Reads | None" = None) -> None:
        """The next people; their vectors, too, where there is a reader."""
        for person in people:
            self._add(person)
        if read:
            works = [for_encoder(work_text(work)) for p in people for work in p.works]
            self.vectors.append(read.packed(works))
            own = [for_encoder(own_text(p.doc)) for p in people if _is_fresh(p)]
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
        self.finished.append(finished_works(works))
        self.days.extend(days_of(works))
        self.weights.extend(weights_of(works))
        self.shares.extend(shares_of_voice(works, person.texts))
        # Works come newest first, so the one that counts for a client is the last one.
        self.first_of_client.extend(_one_a_client(works))
        if self.cards is None:
            self.docs.append(person.doc)
            self.works.extend(works)
        else:
            self.cards.add(person.doc, works)


class People:
    """Freelancers with their past works; every work is a document of its own.

    With a reader, works and profiles have vectors too; without one `meaning` is None.
    """

    def __init__(self, people: Iterable[PersonDoc], read: "Reads | None" = None) -> None:
        gathered = Gathered()
        in_order = sorted(people, key=lambda person: person.id)
        gathered.add([read_person(person) for person in in_order], read)
        self._take(gathered, read, None)

    @classmethod
    def of(
        cls, gathered: Gathered, read: "Reads | None" = None, after: "People | None" = None
    ) -> "People":
        """Of people who were gathered one by one, behind those of another index."""
        made = cls.__new__(cls)
        made._take(gathered, read, after)
        return made

    def _take(self, new: Gathered, read: "Reads | None", after: "People | None") -> None:
        self.ids: Sequence[str] = tuple(new.ids)
        self.docs: Sequence[PersonDoc] = new.cards.people() if new.cards else tuple(new.docs)
        self.starts = np.concatenate([[0], np.cumsum(_ints(new.counts))])
        self.works: Sequence[HistoryItem] = (
            new.cards.works(self.starts) if new.cards else tuple(new.works)
        )
        self.owners: Ints = np.repeat(np.arange(len(new.ids)), _ints(new.counts))
        self._days, self._weights = _floats(new.days), _floats(new.weights)
        self._shares = _floats(new.shares)
        self._counts: Flags = np.asarray(new.first_of_client, dtype=bool)
        self._finished = _ints(new.finished)
        self.titles = Bm25.of(new.titles, after.titles if after else None)
        self.texts = Bm25.of(new.texts, after.texts if after else None)
        self.words = Bm25.of(new.words, after.words if after else None)
        self.skills = SkillTable(new.skills, after=after.skills if after else None)
        self.proof = ProofTable(new.skills, self.skills, after=after.proof if after else None)
        self._cards = new.cards
        self._gone: Flags | None = None
        if after:
            self._follow(after)
        self._know()
        self.meaning: PeopleMeaning | None = None
        if read:
            before = after.meaning if after else None
            self.meaning = PeopleMeaning.of(self, new.vectors, new.profiles, read, before)

    def _follow(self, after: "People") -> None:
        """Put what belongs to people of before in front."""
        count, works = len(after.ids), len(after.works)
        self.ids = Chain(after.ids, self.ids)
        self.docs = Chain(after.docs, self.docs)
        self.works = Chain(after.works, self.works)
        self.starts = np.concatenate([after.starts, self.starts[1:] + works])
        self.owners = np.concatenate([after.owners, self.owners + count])
        self._days = np.concatenate([after._days, self._days])
        self._weights = np.concatenate([after._weights, self._weights])
        self._shares = np.concatenate([after._shares, self._shares])
        self._counts = np.concatenate([after._counts, self._counts])
        self._finished = np.concatenate([after._finished, self._finished])

    def _know(self) -> None:
        """What is worked out from the arrays."""
        self.freshness = np.maximum(0.0, 1 - self._finished / SETTLED)
        self.new: Flags = self._finished <= NEW_UP_TO
        self._active: tuple[date, Floats, Floats] | None = None

    @classmethod
    def opened(cls, arrays: Mapping[str, Any], read: "Reads | None" = None) -> "People":
        """What `arrays()` gave, of people who were gathered with cards."""
        made = cls.__new__(cls)
        made.ids = Names.opened(arrays["ids"])
        made._cards = Cards.opened(arrays["cards"])
        made.starts, made.owners = arrays["starts"], arrays["owners"]
        made.docs, made.works = made._cards.people(), made._cards.works(made.starts)
        made._days, made._weights = arrays["days"], arrays["weights"]
        made._shares, made._counts = arrays["shares"], arrays["counts"]
        made._finished = arrays["finished"]
        made.titles, made.texts, made.words = (
            Bm25.opened(arrays[name]) for name in ("titles", "texts", "words")
        )
        made.skills = SkillTable.opened(arrays["skills"])
        made.proof = ProofTable.opened(arrays["proof"], made.skills)
        made._gone = None
        made._know()
        there = "meaning" in arrays and read
        made.meaning = PeopleMeaning.opened(arrays["meaning"], read) if there else None
        return made

    def arrays(self) -> Mapping[str, Any]:
        """Everything there is to keep."""
        found: dict[str, Any] = {
            "ids": Names.of(self.ids).arrays(),
            "cards": self._cards.arrays() if self._cards else {},
            "starts": self.starts,
            "owners": self.owners.astype(np.int32),
            "days": self._days,
            "weights": self._weights,
            "shares": self._shares,
            "counts": self._counts,
            "finished": self._finished,
            "titles": self.titles.arrays(),
            "texts": self.texts.arrays(),
            "words": self.words.arrays(),
            "skills": self.skills.arrays(),
            "proof": self.proof.arrays(),
        }
        return found | ({"meaning": self.meaning.arrays()} if self.meaning else {})

    def changed(
        self, people: Sequence[PersonRead], gone: Collection[str], read: "Reads | None" = None
    ) -> "People":
        """The same people, some of them anew or for the first time, some no longer.

        How rare a word is and how nearness is measured stay as they were.
        """
        read = read if self.meaning else None
        gathered = Gathered(after=self)
        gathered.add(sorted(people, key=lambda person: person.doc.id), read)
        made = People.of(gathered, read, self)
        made._gone = np.zeros(len(made.ids), dtype=np.bool_)
        made._gone[self.places([*gone, *(person.doc.id for person in people)])] = True
        return made

    def voices_on(self, day: date, items: Ints) -> Floats:
        """How much the vote of each of these works counts on this day."""
        ages = day.toordinal() - self._days[items]
        return votes.voice(ages, self._weights[items]) * self._shares[items]

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

    def _may_vote(self, items: Ints) -> Flags:
        """Works that are no repeats, of people who are still there."""
        heard: Flags = self._shares[items] > 0
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
        found[samples[order[place >= SAMPLES_HEARD]]] = 0.0
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
        """Per person, clients worked for lately (1 is plenty), and how fresh the last work is.

        Only work finished here counts: samples can be entered at any time. A break takes
        freshness down to the middle, where those stand of whom nothing is known, and no lower.
        """
        if self._active is None or self._active[0] != day:
            self._active = (day, *self._active_on(day))
        return self._active[1:]

    def _active_on(self, day: date) -> tuple[Floats, Floats]:
        ages = np.maximum(day.toordinal() - self._days, 0)
        lately = (self._counts & (ages <= ACTIVE_DAYS)).astype(float)
        size = len(self.ids)
        count = np.bincount(self.owners, weights=lately, minlength=size)
        recent = np.full(size, UNKNOWN_FIT)
        fresh = UNKNOWN_FIT + (1 - UNKNOWN_FIT) * np.exp(-ages / ACTIVE_DAYS)
        np.maximum.at(recent, self.owners, np.where(self._weights < 1, 0.0, fresh))
        return np.minimum(count / ACTIVE_ENOUGH, 1.0), recent

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
        found = [place for name in ids for place in self._places_of(name)]
        return np.asarray(sorted(found), dtype=np.int64)

    def out(self, ids: Iterable[str]) -> Ints:
        """The same, and the places of whoever is gone."""
        places = self.places(ids)
        if self._gone is None:
            return places
        return np.union1d(places, np.flatnonzero(self._gone))

    def _places_of(self, name: str) -> Iterator[int]:
        """Where somebody stands: somebody who changed stood somewhere else before."""
        ids, first = self.ids, 0
        if isinstance(ids, Chain):
            if (at := _number(ids.first, name)) is not None:
                yield at
            ids, first = ids.second, len(ids.first)
        if (at := _number(ids, name)) is not None:
            yield first + at


def _number(ids: Sequence[str], name: str) -> int | None:
    """The number of an id: by a table of bytes, or by bisection, as ids are in order."""
    if isinstance(ids, Names):
        return ids.number_of(name)
    at = bisect_left(ids, name)
    return at if at < len(ids) and ids[at] == name else None


class Reads(Protocol):
    """What turns texts into vectors."""

    model_id: str

    def packed(self, texts: Sequence[str]) -> Bytes:
        """A row of bytes per text, zeros for texts without a vector."""

    def passing(self, texts: Sequence[str]) -> Vectors:
        """Questions: a row of length 1 per text."""


class PeopleMeaning:
    """The vectors of works and of the profiles of people without many."""

    def __init__(
        self, read: Reads, space: Space, works: Meanings, profiles: Meanings, whose: Ints
    ) -> None:
        self._read, self._space = read, space
        self.works = works
        self._profiles, self._whose = profiles, whose
        self.model_id = read.model_id

    @classmethod
    def of(
        cls,
        people: People,
        vectors: Sequence[Bytes],
        profiles: Sequence[Bytes],
        read: Reads,
        before: "PeopleMeaning | None",
    ) -> "PeopleMeaning":
        """Of what was read; behind what is there already, in the same space."""
        found, own = _stacked(vectors), _stacked(profiles)
        space = before._space if before else Space.learned(found, people.owners)
        works, profile = Meanings.of(found, space), Meanings.of(own, space)
        if before:
            works = before.works.followed_by(works)
            profile = before._profiles.followed_by(profile)
        # Whoever has settled in is known by their works.
        whose = np.flatnonzero(people.freshness > 0).astype(np.int64)
        return cls(read, space, works, profile, whose)

    @classmethod
    def opened(cls, arrays: Mapping[str, Any], read: Reads) -> "PeopleMeaning":
        """What `arrays()` gave."""
        return cls(
            read,
            Space.opened(arrays["space"]),
            Meanings.opened(arrays["works"]),
            Meanings.opened(arrays["profiles"]),
            arrays["whose"],
        )

    def arrays(self) -> Mapping[str, Any]:
        """Everything there is to keep."""
        return {
            "space": self._space.arrays(),
            "works": self.works.arrays(),
            "profiles": self._profiles.arrays(),
            "whose": self._whose,
        }

    def of_need(self, need: Need) -> Vectors | None:
        """A project as a vector of this space, or None when its language is not served."""
        if need.language not in SERVED:
            return None
        vector = self._read.passing([for_encoder(need_text(need))])
        return self._space.place(vector)[0] if vector.any() else None

    def near_profiles(self, vector: Vectors, people: int) -> Floats:
        """How near the profile of each person is; 0 for those who are known by their works."""
        found = np.zeros(people)
        found[self._whose] = self._profiles.near(vector)
        return found


class NeedsMeaning:
    """The vectors of open projects."""

    def __init__(self, needs: Sequence[Need], read: Reader) -> None:
        texts = [for_encoder(need_text(n)) if n.language in SERVED else "" for n in needs]
        vectors = read.vectors(texts)
        self._read = read
        self._space = Space(vectors)
        self._needs = Meanings(self._space.place(vectors))

    def near(self, works: Sequence[HistoryItem]) -> Floats:
        """How near each project is to each of these works: a row per work."""
        placed = self._space.place(self._read.passing([for_encoder(work_text(w)) for w in works]))
        return np.stack([self._needs.near(vector) for vector in placed])


class Needs:
    """Open projects."""

    def __init__(self, needs: Sequence[Need], read: Reader | None = None) -> None:
        self.docs = tuple(sorted(needs, key=lambda need: need.id))
        self.texts = Bm25([need_terms(need, title_counts=2) for need in self.docs])
        self.titles = Bm25([terms(need.title) for need in self.docs])
        self.skills = SkillTable([[(name, 0) for name in need.skills] for need in self.docs])
        self.meaning = NeedsMeaning(self.docs, read) if read else None

    def flags(self, ids: Collection[str], *, client: str) -> Flags:
        """True at the places of these projects and of those this client posted."""
        return np.asarray(
            [need.id in ids or need.client == client for need in self.docs], dtype=np.bool_
        )


def _is_fresh(person: PersonRead) -> bool:
    return freshness(finished_works(person.works)) > 0


def _stacked(vectors: Sequence[Bytes]) -> Bytes:
    if len(vectors) == 1:
        return vectors[0]
    return np.concatenate([np.zeros((0, DIMENSIONS), dtype=np.int8), *vectors])


def _ints(numbers: "array[int]") -> Ints:
    return np.asarray(numbers, dtype=np.int64)


def _floats(numbers: "array[float]") -> Floats:
    return np.asarray(numbers, dtype=np.float64)


def finished_works(history: Sequence[HistoryItem]) -> int:
    """How many works were finished here: samples make nobody less new."""
    return sum(not work.is_sample for work in history)


def shares_of_voice(history: Sequence[HistoryItem], said: Sequence[Collection[str]]) -> list[float]:
    """What each work of one person keeps of its voice, given the terms of each.

    What was told before has none, and n works for one client speak like the root of n: whoever
    repeats themselves, or has a friend who orders often, is not heard more than others.
    """
    repeats = _repeats(said)
    works = [None if again else work.client for work, again in zip(history, repeats, strict=True)]
    per_client = Counter(client for client in works if client)
    return [
        0.0 if client is None else per_client[client] ** -0.5 if client else 1.0 for client in works
    ]


def _repeats(said: Sequence[Collection[str]]) -> list[bool]:
    first: list[frozenset[str]] = []
    found = []
    for each in map(frozenset, said):
        again = any(_same(each, other) for other in first)
        found.append(again)
        if each and not again:
            first.append(each)
    return found


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    # Comparing the sizes first spares nearly every comparison of the words.
    if min(len(one), len(other)) < SAME_WORDS * max(len(one), len(other)):
        return False
    return len(one & other) >= SAME_WORDS * len(one | other)


def _one_a_client(history: Sequence[HistoryItem]) -> list[bool]:
    """True for every finished work that is the first in the list for its client."""
    seen: set[str] = set()
    found = []
    for work in history:
        found.append(not work.is_sample and work.client not in seen)
        if work.client and not work.is_sample:
            seen.add(work.client)
    return found


def latest(history: Sequence[HistoryItem]) -> list[HistoryItem]:
    """The newest works of a person, newest first; those without a date come last."""
    return sorted(history, key=lambda work: work.date or date.min, reverse=True)[:LATEST_WORKS]


def with_proof(person: PersonDoc) -> PersonDoc:
    """The person with every skill their finished works show, each with how many do.

    Several works for one client show a skill once.
    """
    shown: dict[str, tuple[str, int]] = {}
    seen: set[tuple[str, str]] = set()
    for work in person.history:
        for key, name in {skill_key(name): name for name in work.skills}.items():
            if work.is_sample or (key, work.client) in seen:
                continue
            if work.client:
                seen.add((key, work.client))
            shown[key] = (name, shown.get(key, ("", 0))[1] + 1)
    if not shown:
        return person
    for name, count in person.skills:
        key = skill_key(name)
        shown[key] = (name, max(count, shown.get(key, ("", 0))[1]))
    return replace(person, skills=tuple(shown.values()))


def days_of(works: Sequence[HistoryItem]) -> Floats:
    """The day of each work as a number; one without a date counts as the oldest."""
    return np.asarray(
        [work.date.toordinal() if work.date else -np.inf for work in works], dtype=float
    )


def weights_of(works: Sequence[HistoryItem]) -> Floats:
    """How well each work is proven."""
    return np.asarray([work.weight for work in works], dtype=float)


def freshness(works: int) -> float:
    """1 for a person without past work here, falling to 0 as they settle in."""
    return max(0.0, 1 - works / SETTLED)


def for_encoder(text: str) -> str:
    """The text, or nothing where it is not mainly in Latin letters.

    Nobody says in which language they write, and the encoder takes all text of another script
    for much the same. Such texts are found by their words.
    """
    return text if is_latin(text) else ""


def work_text(work: HistoryItem) -> str:
    """A past work as one text."""
    return f"{work.title}. {work.text}".strip(". ")


def need_text(need: Need) -> str:
    """A project as one text, what it asks for before how."""
    return ". ".join(filter(None, (need.title, " ".join(need.skills), need.description)))


def work_terms(work: HistoryItem) -> list[str]:
    """A past work as terms; its title and its skills say more than their length."""
    return 2 * terms(work.title) + _body(work)


def _body(work: HistoryItem) -> list[str]:
    return terms(work.text) + 2 * terms("\n".join(work.skills))


def own_text(person: PersonDoc) -> str:
    """What a person says about themselves."""
    return "\n".join([person.title, person.bio, *(name for name, _ in person.skills)])


def own_terms(person: PersonDoc) -> list[str]:
    """What a person says about themselves, as terms."""
    return terms(own_text(person))


def need_terms(need: Need, *, title_counts: int = 1) -> list[str]:
    """A project as terms."""
    title, skills, description = map(terms, need_texts(need))
    return title_counts * (title + skills) + description


def need_texts(need: Need) -> tuple[str, str, str]:
    """Title, skills and description of a project."""
    return need.title, "\n".join(need.skills), need.description
