"""People and projects as matrices, built once and asked often."""

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from matching.engine import votes
from matching.engine.bm25 import Bm25, Floats, Ints
from matching.engine.documents import UNKNOWN_FIT, HistoryItem, Need, PersonDoc
from matching.engine.skills import SkillTable
from matching.engine.text import terms

Flags = npt.NDArray[np.bool_]

# With this many past works a person is judged by them and no longer by "fresh".
SETTLED = 2
# The works of one person that are read, latest first: a cap on anybody's influence.
LATEST_WORKS = 200


class People:
    """Freelancers with their past works; every work is a document of its own."""

    def __init__(self, people: Sequence[PersonDoc]) -> None:
        self.docs = tuple(sorted(people, key=lambda person: person.id))
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
        self.freshness = np.asarray([freshness(count) for count in counts])
        self._speakers = _by_language(self.docs)

    def voices_on(self, day: date) -> Floats:
        """How much the vote of each work counts on this day."""
        return votes.voice(day.toordinal() - self._days, self._weights)

    def vote(self, index: Bm25, query: Ints, voices: Floats) -> votes.Votes:
        """The votes of the works that answer a query, for the people who did them."""
        return votes.hold(index, query, owners=self.owners, people=len(self.docs), voices=voices)

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


class Needs:
    """Open projects."""

    def __init__(self, needs: Sequence[Need]) -> None:
        self.docs = tuple(sorted(needs, key=lambda need: need.id))
        self.texts = Bm25([need_terms(need, title_counts=2) for need in self.docs])
        self.titles = Bm25([terms(need.title) for need in self.docs])
        self.skills = SkillTable([[(name, 0) for name in need.skills] for need in self.docs])
        self.name_languages = any(need.language for need in self.docs)

    def flags(self, ids: Collection[str], *, client: str) -> Flags:
        """True at the places of these projects and of those this client posted."""
        return np.asarray(
            [need.id in ids or need.client == client for need in self.docs], dtype=np.bool_
        )


def latest(history: Sequence[HistoryItem]) -> list[HistoryItem]:
    """The newest works of a person, newest first; those without a date come last."""
    return sorted(history, key=lambda work: work.date or date.min, reverse=True)[:LATEST_WORKS]


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
