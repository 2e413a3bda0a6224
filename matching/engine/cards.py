"""What reasons are told from, person by person, in one array of bytes that can lie in a file.

Only that: no headline, no description, and no title that must not be shown.
"""

import json
from array import array
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

import numpy as np

from matching.engine.columns import Array, Arrays
from matching.engine.documents import HistoryItem, PersonDoc

T = TypeVar("T")
# Whose works are asked for one by one is asked for several times in a row.
AT_HAND = 256


class Row(Sequence[T], Generic[T]):
    """A sequence that is asked place by place."""

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        if isinstance(at, slice):
            return [self.get(number) for number in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self.get(at)

    def get(self, at: int) -> T:
        """What stands at a place that is there."""
        raise NotImplementedError


class Chain(Row[T]):
    """Two sequences, one behind the other."""

    def __init__(self, first: Sequence[T], second: Sequence[T]) -> None:
        self.first, self.second = first, second

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def get(self, at: int) -> T:
        """From the one or the other."""
        ahead = len(self.first)
        return self.first[at] if at < ahead else self.second[at - ahead]


class Chosen(Row[T]):
    """What stands at some places of a sequence."""

    def __init__(self, whole: Sequence[T], places: Array) -> None:
        self._whole, self._places = whole, places

    def __len__(self) -> int:
        return len(self._places)

    def get(self, at: int) -> T:
        """From the whole."""
        return self._whole[int(self._places[at])]


class Cards:
    """One card a person."""

    def __init__(self, letters: Any, ends: Any) -> None:
        # Arrays out of files, or what grows card by card.
        self._letters, self._ends = letters, ends
        self._read = lru_cache(AT_HAND)(self._card)

    @classmethod
    def empty(cls) -> "Cards":
        """None yet."""
        return cls(bytearray(), array("q"))

    @classmethod
    def opened(cls, arrays: Arrays) -> "Cards":
        """What `arrays()` gave."""
        return cls(arrays["letters"], arrays["ends"])

    def arrays(self) -> Arrays:
        """Everything there is to keep."""
        return {
            "letters": np.frombuffer(self._letters, dtype=np.uint8),
            "ends": np.asarray(self._ends, dtype=np.int64),
        }

    def add(self, person: PersonDoc, works: Sequence[HistoryItem]) -> None:
        """The next person, with the works that are indexed."""
        card = [person.id, person.skills, [_kept(work) for work in works]]
        self._letters += json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode()
        self._ends.append(len(self._letters))

    def people(self) -> "Sequence[PersonDoc]":
        """The persons, as far as they are kept."""
        return _People(self)

    def works(self, starts: Array) -> "Sequence[HistoryItem]":
        """All works, one person after the other, of whom each starts where it is said."""
        return _Works(self, starts)

    def __len__(self) -> int:
        return len(self._ends)

    def person(self, at: int) -> PersonDoc:
        """One of them."""
        return self._read(at)

    def _card(self, at: int) -> PersonDoc:
        start = int(self._ends[at - 1]) if at else 0
        name, skills, works = json.loads(bytes(self._letters[start : int(self._ends[at])]))
        return PersonDoc(
            id=name,
            skills=tuple((skill, count) for skill, count in skills),
            history=tuple(map(_work, works)),
        )


class _People(Row[PersonDoc]):
    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    def __len__(self) -> int:
        return len(self._cards)

    def get(self, at: int) -> PersonDoc:
        return self._cards.person(at)


class _Works(Row[HistoryItem]):
    def __init__(self, cards: Cards, starts: Array) -> None:
        self._cards, self._starts = cards, starts

    def __len__(self) -> int:
        return int(self._starts[-1])

    def get(self, at: int) -> HistoryItem:
        owner = int(np.searchsorted(self._starts, at, side="right")) - 1
        return self._cards.person(owner).history[at - int(self._starts[owner])]


def _kept(work: HistoryItem) -> list[Any]:
    shown = work.shown_as or work.title if work.public or work.is_sample else ""
    return [shown, work.date.isoformat() if work.date else "", work.weight, int(work.public)]


def _work(kept: Sequence[Any]) -> HistoryItem:
    shown, day, weight, public = kept
    return HistoryItem(
        title=shown,
        date=date.fromisoformat(day) if day else None,
        weight=weight,
        public=bool(public),
    )
