"""BM25 as one sparse matrix whose weights are computed when it is built."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SATURATION = 1.2
LENGTH_NORM = 0.75
# A query keeps its rarest terms: the common rest costs most of the time and says least.
QUERY_TERMS = 40


class Bm25:
    """Documents as term lists, ready to be scored against a query in one sweep."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        vocabulary: dict[str, int] = {}
        rows: list[int] = []
        columns: list[int] = []
        counts: list[int] = []
        for row, document in enumerate(documents):
            for term, count in Counter(document).items():
                rows.append(row)
                columns.append(vocabulary.setdefault(term, len(vocabulary)))
                counts.append(count)
        size = len(documents)
        column = np.asarray(columns, dtype=np.int64)
        tf = np.asarray(counts, dtype=np.float64)
        lengths = np.asarray([len(document) for document in documents], dtype=np.float64)
        mean_length = max(float(lengths.mean()), 1.0) if size else 1.0
        norm = SATURATION * (1 - LENGTH_NORM + LENGTH_NORM * lengths / mean_length)

        found_in = np.bincount(column, minlength=len(vocabulary))
        self.size = size
        self.vocabulary = vocabulary
        self.terms = tuple(vocabulary)
        self.idf = np.log1p((size - found_in + 0.5) / (found_in + 0.5))
        weights = tf * (SATURATION + 1) / (tf + norm[rows]) * self.idf[column] if rows else tf
        self.matrix = sparse.csc_matrix(
            (weights.astype(np.float32), (rows, columns)), shape=(size, len(vocabulary))
        )

    def query(self, terms: Sequence[str], *, limit: int = QUERY_TERMS) -> Ints:
        """The columns of the rarest known terms of a query, each once."""
        known = {self.vocabulary[term] for term in terms if term in self.vocabulary}
        # The column number breaks ties, so the same query always keeps the same terms.
        rarest = sorted(known, key=lambda column: (-self.idf[column], column))
        return np.asarray(rarest[:limit], dtype=np.int64)

    def scores(self, columns: Ints) -> Floats:
        """One score per document: the sum over the posting lists of these columns."""
        if not len(columns):
            return np.zeros(self.size)
        starts, ends = self.matrix.indptr[columns], self.matrix.indptr[columns + 1]
        spans = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        documents = np.concatenate([self.matrix.indices[span] for span in spans])
        weights = np.concatenate([self.matrix.data[span] for span in spans])
        return np.bincount(documents, weights=weights, minlength=self.size).astype(np.float64)

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

    def reader(self, columns: Ints) -> Callable[[int], list[str]]:
        """A function that tells which terms of a query a document has, weightiest first."""
        rows = self.matrix[:, columns].tocsr()

        def shared_terms(document: int) -> list[str]:
            span = slice(rows.indptr[document], rows.indptr[document + 1])
            found = sorted(zip(-rows.data[span], columns[rows.indices[span]], strict=True))
            return [self.terms[column] for _, column in found]

        return shared_terms


def best(scores: Floats, count: int) -> Ints:
    """The places of the highest scores above zero, best first, ties by place."""
    places = contenders(scores, count)
    return places[np.argsort(-scores[places], kind="stable")[:count]]


def contenders(scores: Floats, count: int) -> Ints:
    """The places that can be among the `count` best: ties at the edge are all in."""
    if len(scores) <= count:
        return np.flatnonzero(scores > 0).astype(np.int64)
    edge = max(np.partition(scores, -count)[-count], np.finfo(np.float64).tiny)
    return np.flatnonzero(scores >= edge).astype(np.int64)
