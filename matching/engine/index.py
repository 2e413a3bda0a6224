"""People and projects as matrices, built once and asked often."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt

from matching.engine import votes
from matching.engine.bm25 import Bm25, Floats, Ints
from matching.engine.documents import UNKNOWN_FIT, HistoryItem, Need, PersonDoc
from matching.engine.encoder import Vectors
from matching.engine.meaning import SERVED, Meanings, Reader, Space
from matching.engine.proof import ProofTable
from matching.engine.skills import SkillTable
from matching.engine.text import skill_key, terms

Flags = npt.NDArray[np.bool_]

# With this many past works a person is judged by them and no longer by "fresh".
SETTLED = 2
# The works of one person that are read, latest first: a cap on anybody's influence.
LATEST_WORKS = 200
# Up to this many past works somebody is new here.
NEW_UP_TO = 3
# "Active" counts works finished in so many days, and no more than so many of them.
ACTIVE_DAYS = 90
ACTIVE_ENOUGH = 5


class People:
    """Freelancers with their past works; every work is a document of its own.

    With a reader, works and profiles have vectors too; without one `meaning` is None.
    """

    def __init__(self, people: Sequence[PersonDoc], read: Reader | None = None) -> None:
        self.docs = tuple(map(with_proof, sorted(people, key=lambda person: person.id)))
        histories = [latest(person.history) for person in self.docs]
        counts = [len(history) for history in histories]
        self.works = tuple(work for history in histories for work in history)
        self.owners: Ints = np.repeat(np.arange(len(self.docs)), counts)
        self._place = {person.id: place for place, person in enumerate(self.docs)}
        self._days, self._weights = days_of(self.works), weights_of(self.works)
        titles = [terms(work.title) for work in self.works]
        self.titles = Bm25(titles)
        self.texts = Bm25(
            [2 * title + _body(work) for title, work in zip(titles, self.works, strict=True)]
        )
        self.words = Bm25([own_terms(person) for person in self.docs])
        self.skills = SkillTable([person.skills for person in self.docs])
        self.proof = ProofTable([person.skills for person in self.docs], self.skills)
        self.freshness = np.asarray([freshness(count) for count in counts])
        self.new = np.asarray(counts) <= NEW_UP_TO
        self._speakers = _by_language(self.docs)
        self.meaning = PeopleMeaning(self, read) if read else None

    def voices_on(self, day: date) -> Floats:
        """How much the vote of each work counts on this day."""
        return votes.voice(day.toordinal() - self._days, self._weights)

    def vote(self, scores: Floats, voices: Floats) -> votes.Votes:
        """The votes of the nearest works for the people who did them."""
        return votes.hold(scores, owners=self.owners, people=len(self.docs), voices=voices)

    def vote_of_the_best(self, scores: Floats, voices: Floats) -> votes.Votes:
        """The same with at most five works of each person."""
        return votes.of_the_best(scores, owners=self.owners, people=len(self.docs), voices=voices)

    def active_on(self, day: date) -> tuple[Floats, Floats]:
        """Per person, works finished here lately (1 is plenty), and how fresh the last one is.

        Only work finished here counts: samples can be entered at any time.
        """
        here = self._weights >= 1
        ages = np.maximum(day.toordinal() - self._days, 0)
        lately = (here & (ages <= ACTIVE_DAYS)).astype(float)
        size = len(self.docs)
        count = np.bincount(self.owners, weights=lately, minlength=size)
        recent = np.zeros(size)
        np.maximum.at(recent, self.owners, np.where(here, np.exp(-ages / ACTIVE_DAYS), 0.0))
        return np.minimum(count / ACTIVE_ENOUGH, 1.0), recent

    def language_fit(self, wanted: str) -> Floats:
        """`language_fit` of everybody at once."""
        fits = np.where(self._speakers[""], 0.0, UNKNOWN_FIT)
        if wanted in self._speakers:
            fits[self._speakers[wanted]] = 1.0
        return fits

    def works_of(self, place: int) -> range:
        """The places of the works of one person."""
        return range(
            int(np.searchsorted(self.owners, place, side="left")),
            int(np.searchsorted(self.owners, place, side="right")),
        )

    def flags(self, ids: Collection[str]) -> Flags:
        """True at the places of these people."""
        flags = np.zeros(len(self.docs), dtype=np.bool_)
        flags[[self._place[person] for person in ids if person in self._place]] = True
        return flags


class PeopleMeaning:
    """The vectors of works and of the profiles of people without many."""

    def __init__(self, people: People, read: Reader) -> None:
        vectors = read.vectors([work_text(work) for work in people.works])
        self._read = read
        self._space = Space(vectors, people.owners)
        self.works = Meanings(self._space.place(vectors))
        # Whoever has settled in is known by their works.
        fresh = [
            own_text(p) if f else "" for p, f in zip(people.docs, people.freshness, strict=True)
        ]
        self.profiles = Meanings(self._space.place(read.vectors(fresh)))

    def of(self, need: Need) -> Vectors | None:
        """A project as a vector of this space, or None when its language is not served."""
        if need.language not in SERVED:
            return None
        vector = self._read.passing([need_text(need)])
        return self._space.place(vector)[0] if vector.any() else None


class NeedsMeaning:
    """The vectors of open projects."""

    def __init__(self, needs: Sequence[Need], read: Reader) -> None:
        texts = [need_text(need) if need.language in SERVED else "" for need in needs]
        vectors = read.vectors(texts)
        self._read = read
        self._space = Space(vectors)
        self._needs = Meanings(self._space.place(vectors))

    def near(self, works: Sequence[HistoryItem]) -> Floats:
        """How near each project is to each of these works: a row per work."""
        placed = self._space.place(self._read.passing([work_text(work) for work in works]))
        return np.stack([self._needs.near(vector) for vector in placed])


class Needs:
    """Open projects."""

    def __init__(self, needs: Sequence[Need], read: Reader | None = None) -> None:
        self.docs = tuple(sorted(needs, key=lambda need: need.id))
        self.texts = Bm25([need_terms(need, title_counts=2) for need in self.docs])
        self.titles = Bm25([terms(need.title) for need in self.docs])
        self.skills = SkillTable([[(name, 0) for name in need.skills] for need in self.docs])
        self.name_languages = any(need.language for need in self.docs)
        self.meaning = NeedsMeaning(self.docs, read) if read else None

    def flags(self, ids: Collection[str], *, client: str) -> Flags:
        """True at the places of these projects and of those this client posted."""
        return np.asarray(
            [need.id in ids or need.client == client for need in self.docs], dtype=np.bool_
        )


def latest(history: Sequence[HistoryItem]) -> list[HistoryItem]:
    """The newest works of a person, newest first; those without a date come last."""
    return sorted(history, key=lambda work: work.date or date.min, reverse=True)[:LATEST_WORKS]


def with_proof(person: PersonDoc) -> PersonDoc:
    """The person with every skill their works show, each with the number of such works."""
    shown: dict[str, tuple[str, int]] = {}
    for work in person.history:
        for key, name in {skill_key(name): name for name in work.skills}.items():
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


def language_fit(wanted: str, spoken: Collection[str]) -> float:
    """1 when the project's language is one the person works in, half when nobody said."""
    if not wanted or not spoken:
        return UNKNOWN_FIT
    return float(wanted in spoken)


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


def _by_language(people: Sequence[PersonDoc]) -> dict[str, Flags]:
    """Who works in each language; under "" whoever named any."""
    flags: dict[str, Flags] = {"": np.zeros(len(people), dtype=np.bool_)}
    for place, person in enumerate(people):
        for code in person.languages:
            flags.setdefault(code, np.zeros(len(people), dtype=np.bool_))[place] = True
            flags[""][place] = True
    return flags
