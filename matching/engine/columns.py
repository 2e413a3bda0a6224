"""A sparse matrix, column by column. It can lie in files, and a few rows can follow it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


class Joined:
    """Two arrays of numbers, one behind the other, that are asked for some of them only."""

    def __init__(self, first: "Array | Joined", second: Array) -> None:
        self._first, self._second = first, second
        self.dtype: np.dtype[Any] = np.result_type(first.dtype, second.dtype)

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def __getitem__(self, at: Any) -> Any:
        ahead = len(self._first)
        places = np.asarray(at)
        found = np.empty(places.shape, dtype=self.dtype)
        late = places >= ahead
        found[~late] = self._first[places[~late]]
        found[late] = self._second[places[late] - ahead]
        return found


@dataclass(frozen=True, slots=True)
class _Part:
    first: int
    starts: Array
    rows: Array
    values: Array

    def column(self, number: int) -> slice:
        """Where the cells of a column lie."""
        if number + 1 >= len(self.starts):
            return slice(0, 0)
        return slice(int(self.starts[number]), int(self.starts[number + 1]))


class Columns:
    """Rows, in ascending order, and values of every column."""

    def __init__(self, parts: tuple[_Part, ...], size: int) -> None:
        self._parts = parts
        self.size = size

    @classmethod
    def of(cls, rows: Array, columns: Array, values: Array, shape: tuple[int, int]) -> "Columns":
        """Of cells, row by row; each comes once."""
        matrix = sparse.coo_matrix((values, (rows, columns)), shape=shape).tocsc()
        return cls((_Part(0, matrix.indptr, matrix.indices, matrix.data),), shape[0])

    @classmethod
    def opened(cls, arrays: Arrays, size: int) -> "Columns":
        """What `arrays()` gave."""
        return cls((_Part(0, arrays["starts"], arrays["rows"], arrays["values"]),), size)

    def arrays(self) -> Arrays:
        """Everything there is to keep; what followed is not among it."""
        part = self._parts[0]
        return {"starts": part.starts, "rows": part.rows, "values": part.values}

    def of_ones(self) -> "Columns":
        """The same with 1 in every cell that is there."""
        ones = [_Part(p.first, p.starts, p.rows, np.ones(len(p.rows))) for p in self._parts]
        return Columns(tuple(ones), self.size)

    def followed_by(self, other: "Columns") -> "Columns":
        """The same with the rows of another matrix, which may have further columns, after it."""
        (part,) = other._parts
        moved = _Part(self.size, part.starts, part.rows, part.values)
        return Columns((*self._parts, moved), self.size + other.size)

    def sums(self, columns: Ints, factors: Floats | None = None) -> Floats:
        """Per row, the sum of its values in these columns, each column times its factor."""
        rows, values = [], []
        for place, part, span in self._cells(columns):
            rows.append(part.rows[span] + part.first if part.first else part.rows[span])
            some = part.values[span]
            values.append(some if factors is None else some.astype(np.float64) * factors[place])
        if not rows:
            return np.zeros(self.size)
        weights = np.concatenate(values)
        found = np.bincount(np.concatenate(rows), weights=weights, minlength=self.size)
        return found.astype(np.float64, copy=False)

    def table(self, columns: Ints, rows: Ints) -> Floats:
        """What these rows have in these columns: a line per row."""
        found = np.zeros((len(rows), len(columns)))
        for place, part, span in self._cells(columns):
            there = part.rows[span]
            wanted = rows - part.first
            at = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
            hit = there[at] == wanted
            found[hit, place] = part.values[span][at[hit]]
        return found

    def _cells(self, columns: Ints) -> Iterator[tuple[int, _Part, slice]]:
        """The parts of these columns that are not empty, with the place of the column."""
        for place, column in enumerate(columns):
            for part in self._parts:
                span = part.column(int(column))
                if span.stop > span.start:
                    yield place, part, span
