"""Many short strings in one array of bytes, found by bisection: a dictionary that lies in files."""

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np

from matching.engine.columns import Array, Arrays

# So many answers are remembered: people who change are asked about word by word.
REMEMBERED = 100_000


class Names(Sequence[str]):
    """Strings by number, and numbers by string."""

    def __init__(self, letters: Array, ends: Array, order: Array) -> None:
        self._letters, self._ends, self._order = letters, ends, order
        self._known: dict[str, int | None] = {}

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        """These strings, each another one, in this order."""
        encoded = [name.encode() for name in names]
        ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
        order = sorted(range(len(encoded)), key=encoded.__getitem__)
        letters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        return cls(letters, ends, np.asarray(order, dtype=np.int64))

    @classmethod
    def opened(cls, arrays: Arrays) -> "Names":
        """What `arrays()` gave."""
        return cls(arrays["letters"], arrays["ends"], arrays["order"])

    def arrays(self) -> Arrays:
        """Everything there is to keep."""
        return {"letters": self._letters, "ends": self._ends, "order": self._order}

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        if not 0 <= at < len(self._ends):
            raise IndexError(at)
        return self._bytes(at).decode()

    def number_of(self, name: str) -> int | None:
        """The number of a string; None where it is not here."""
        if name not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[name] = self._find(name.encode())
        return self._known[name]

    def _find(self, wanted: bytes) -> int | None:
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(int(self._order[middle])) < wanted:
                low = middle + 1
            else:
                high = middle
        if low == len(self._order):
            return None
        number = int(self._order[low])
        return number if self._bytes(number) == wanted else None

    def _bytes(self, at: int) -> bytes:
        start = int(self._ends[at - 1]) if at else 0
        return self._letters[start : int(self._ends[at])].tobytes()
