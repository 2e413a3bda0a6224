"""Projects as matrices, and what is read of a person's and a project's texts."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt

from matching.engine.bm25 import Bm25
from matching.engine.columns import Floats
from matching.engine.documents import HistoryItem, Need, PersonDoc
from matching.engine.meaning import SERVED, Meanings, Reader, Space
from matching.engine.skills import SkillTable
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
# A word counts so many times in what a person says of themselves (headline, text), and in what a
# project says (its title and skills are read twice): repeating it is no reason to come first.
SAID_BY_PERSON = 2
SAID_BY_NEED = 5
# So many samples of a person may vote for one project, those that are nearest.
SAMPLES_HEARD = 2


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


def one_a_client(history: Sequence[HistoryItem]) -> list[bool]:
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
    return 2 * terms(work.title) + body_terms(work)


def body_terms(work: HistoryItem) -> list[str]:
    return terms(work.text) + 2 * terms("\n".join(work.skills))


def own_text(person: PersonDoc) -> str:
    """What a person says about themselves."""
    return "\n".join([person.title, person.bio, *(name for name, _ in person.skills)])


def own_terms(person: PersonDoc) -> list[str]:
    """What a person says about themselves, as terms; saying it again and again adds nothing."""
    return _few_times(terms(own_text(person)), SAID_BY_PERSON)


def need_terms(need: Need, *, title_counts: int = 1) -> list[str]:
    """A project as terms."""
    title, skills, description = map(terms, need_texts(need))
    return _few_times(title_counts * (title + skills) + description, SAID_BY_NEED)


def _few_times(words: Sequence[str], most: int) -> list[str]:
    """The terms in order, none of them more than so many times."""
    seen: Counter[str] = Counter()
    kept = []
    for word in words:
        seen[word] += 1
        if seen[word] <= most:
            kept.append(word)
    return kept


def need_texts(need: Need) -> tuple[str, str, str]:
    """Title, skills and description of a project."""
    return need.title, "\n".join(need.skills), need.description
