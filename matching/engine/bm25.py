"""BM25 as one sparse matrix whose weights are computed when it is built."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from matching.engine.columns import Array, Arrays, Columns, Floats, Ints
from matching.engine.names import Names

SATURATION = 1.2
LENGTH_NORM = 0.75
# A query keeps its rarest terms: the common rest costs most of the time and says least.
QUERY_TERMS = 40
# So many cells are weighed at a time.
AT_ONCE = 1 << 22
# Fewer scores than these are sorted out at once; more are looked through in blocks first.
FEW = 8192


class Bm25:
    """Documents as term lists, ready to be scored against a query in one sweep."""

    size: int
    mean_length: float
    idf: Floats
    matrix: Columns
    # The terms of the files, if any, and by column those that came later or lie in no file.
    _kept: Names | None
    vocabulary: dict[str, int]
    terms: Sequence[str]

    def __init__(self, documents: Iterable[Sequence[str]]) -> None:
        counting = Counting()
        for document in documents:
            counting.add(document)
        self._take(counting, None)

    @classmethod
    def of(cls, counting: "Counting", after: "Bm25 | None" = None) -> "Bm25":
        """Of documents that were counted one by one, behind those of another one."""
        made = cls.__new__(cls)
        made._take(counting, after)
        return made

    def _take(self, counting: "Counting", after: "Bm25 | None") -> None:
        rows, columns, counts, lengths = counting.cells()
        size = len(lengths) + (after.size if after else 0)
        # What words counted before, they go on counting.
        before = len(after.idf) if after else 0
        found_in = np.bincount(columns, minlength=counting.width)[before:]
        idf = np.log1p((size - found_in + 0.5) / (found_in + 0.5))
        if after:
            idf = np.concatenate([after.idf, idf])
            self.mean_length = after.mean_length
        else:
            self.mean_length = max(float(lengths.mean()), 1.0) if size else 1.0
        norm = SATURATION * (1 - LENGTH_NORM + LENGTH_NORM * lengths / self.mean_length)
        weights = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), AT_ONCE):
            span = slice(start, start + AT_ONCE)
            tf = counts[span].astype(np.float64)
            tf = tf * (SATURATION + 1) / (tf + norm[rows[span]])
            weights[span] = tf * idf[columns[span]]
        matrix = Columns.of(rows, columns, weights, (len(lengths), counting.width))
        self._kept = after._kept if after else None
        self.vocabulary = counting.vocabulary
        self.terms = tuple(counting.vocabulary)
        self.size = size
        self.idf = idf
        self.matrix = after.matrix.followed_by(matrix) if after else matrix

    @classmethod
    def opened(cls, arrays: Mapping[str, Any]) -> "Bm25":
        """What `arrays()` gave."""
        made = cls.__new__(cls)
        made._kept = Names.opened(arrays["terms"])
        made.vocabulary, made.terms = {}, ()
        made.idf = arrays["idf"]
        made.size = int(arrays["sizes"][0])
        made.mean_length = float(arrays["sizes"][1])
        made.matrix = Columns.opened(arrays["matrix"], made.size)
        return made

    def arrays(self) -> Mapping[str, Array | Arrays]:
        """Everything there is to keep."""
        return {
            "terms": Names.of(self.terms).arrays(),
            "idf": self.idf,
            "sizes": np.asarray([self.size, self.mean_length]),
            "matrix": self.matrix.arrays(),
        }

    def column(self, term: str) -> int | None:
        """The column of a term, or None."""
        found = self._kept.number_of(term) if self._kept else None
        return self.vocabulary.get(term) if found is None else found

    def term(self, column: int) -> str:
        """The term of a column."""
        kept = len(self._kept) if self._kept else 0
        return self._kept[column] if self._kept and column < kept else self.terms[column - kept]

    def query(self, terms: Iterable[str], *, limit: int = QUERY_TERMS) -> Ints:
        """The columns of the rarest known terms of a query, each once."""
        known = {column for term in set(terms) if (column := self.column(term)) is not None}
        # The column number breaks ties, so the same query always keeps the same terms.
        rarest = sorted(known, key=lambda column: (-self.idf[column], column))
        return np.asarray(rarest[:limit], dtype=np.int64)

    def scores(self, columns: Ints) -> Floats:
        """One score per document: the sum over the posting lists of these columns."""
        return self.matrix.sums(columns)

    def score_of(self, words: int, columns: Ints) -> float:
        """What a document gets that is wholly about so many average words of a query."""
        if not len(columns):
            return 0.0
        return words * (SATURATION + 1) * float(self.idf[columns].mean())

    def score_all(self, queries: Sequence[Ints]) -> Floats:
        """A row of document scores for every query."""
        if not queries or not self.size:
            return np.zeros((len(queries), self.size))
        return np.stack([self.scores(columns) for columns in queries])

    def shared(self, columns: Ints, documents: Iterable[int]) -> "Shared":
        """Which terms of a query these documents have."""
        return Shared(self, columns, documents)


class Shared:
    """The terms that some documents share with a query; it knows these documents and no others."""

    def __init__(self, index: Bm25, columns: Ints, documents: Iterable[int]) -> None:
        rows = np.unique(np.fromiter(documents, dtype=np.int64))
        self._index, self._columns = index, columns
        self._table = index.matrix.table(columns, rows)
        self._counts = np.count_nonzero(self._table, axis=1).tolist()
        self._line = {row: line for line, row in enumerate(rows.tolist())}

    def count(self, document: int) -> int:
        """How many they are."""
        return int(self._counts[self._line[document]])

    def terms(self, document: int) -> list[str]:
        """The terms, the weightiest first."""
        line = self._table[self._line[document]]
        found = sorted((-line[at], int(self._columns[at])) for at in np.flatnonzero(line))
        return [self._index.term(column) for _, column in found]


class Counting:
    """Documents counted term by term, one after the other, in little memory."""

    def __init__(self, after: Bm25 | None = None) -> None:
        self._after = after
        self._before = len(after.idf) if after else 0
        # Terms that were unknown before.
        self.vocabulary: dict[str, int] = dict(after.vocabulary) if after else {}
        self._new = 0
        self._rows, self._columns, self._counts = array("i"), array("i"), array("i")
        self._lengths = array("d")

    @property
    def width(self) -> int:
        """How many columns there are by now."""
        return self._before + self._new

    def add(self, document: Sequence[str]) -> None:
        """The next document."""
        row = len(self._lengths)
        counts = Counter(document)
        self._lengths.append(len(document))
        self._rows.extend([row] * len(counts))
        self._columns.extend(map(self._column, counts))
        self._counts.extend(counts.values())

    def cells(self) -> tuple[Array, Array, Array, Floats]:
        """Rows, columns and counts of all terms, and the length of every document."""
        rows, columns, counts = (
            np.frombuffer(cells, dtype=np.intc) if cells else np.zeros(0, dtype=np.intc)
            for cells in (self._rows, self._columns, self._counts)
        )
        return rows, columns, counts, np.asarray(self._lengths, dtype=np.float64)

    def _column(self, term: str) -> int:
        found = self._after.column(term) if self._after else self.vocabulary.get(term)
        if found is None:
            found = self.vocabulary.get(term)
        if found is None:
            found = self.vocabulary[term] = self.width
            self._new += 1
        return found


def best(scores: Array, count: int) -> Ints:
    """The places of the highest scores above zero, best first, ties by place."""
    places = contenders(scores, count)
    return places[np.argsort(-scores[places], kind="stable")[:count]]


def contenders(scores: Array, count: int) -> Ints:
    """The places that can be among the `count` best: ties at the edge are all in."""
    places = _hopeful(scores, count)
    found = scores[places]
    if len(found) <= count:
        return places[found > 0]
    edge = max(np.partition(found, -count)[-count], np.finfo(np.float64).tiny)
    return np.asarray(places[found >= edge], dtype=np.int64)


def _hopeful(scores: Array, count: int) -> Ints:
    """Places among which the `count` best are, in ascending order: all, or few of very many.

    Where as many blocks reach a height as places are wanted, nobody below it is among them.
    """
    wide = len(scores) // (4 * max(count, 1))
    if len(scores) <= FEW or wide < 2:
        return np.arange(len(scores), dtype=np.int64)
    blocks = scores[: len(scores) - len(scores) % wide].reshape(-1, wide)
    tops = blocks.max(axis=1)
    edge = np.partition(tops, -count)[-count]
    high = np.flatnonzero(tops >= edge)
    places = (high[:, np.newaxis] * wide + np.arange(wide)).ravel()
    places = places[scores[places] >= edge]
    rest = np.arange(len(scores) - len(scores) % wide, len(scores))
    return np.concatenate([places, rest]).astype(np.int64)
