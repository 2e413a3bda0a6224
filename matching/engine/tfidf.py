"""Texts as sparse vectors of length 1: how often a term occurs in it, how rare it is elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from matching.engine.text import TOKEN

Analyzer = Callable[[str], list[str]]

# Endings that tell forms of one word apart, not words.
ENDINGS = ("ing", "ed", "es", "s")
SHORTEST_ROOT = 4
PIECES = (3, 4, 5)


def roots(text: str) -> list[str]:
    """The words in lower case without common English endings."""
    return [_root(word) for word in TOKEN.findall(text.casefold())]


def words_and_pairs(text: str) -> list[str]:
    """The roots, and every two of them that stand side by side."""
    found = roots(text)
    return found + [f"{one} {two}" for one, two in pairwise(found)]


def pieces(text: str) -> list[str]:
    """Overlapping pieces of each word with a space around it: mistakes and compounds meet."""
    return [piece for word in text.casefold().split() for piece in _pieces(f" {word} ")]


def _pieces(padded: str) -> Iterator[str]:
    for size in PIECES:
        if len(padded) <= size:
            yield padded
            return
        yield from (padded[at : at + size] for at in range(len(padded) - size + 1))


def _root(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_ROOT:
            return word[: -len(ending)]
    return word


class Tfidf:
    """Terms and their rarity, learned from documents, ready to make vectors of other texts."""

    def __init__(self, analyze: Analyzer, terms: Sequence[str], idf: Any) -> None:
        self.analyze = analyze
        self.terms = list(terms)
        self.idf = np.asarray(idf, dtype=np.float32)
        self._column = {term: column for column, term in enumerate(self.terms)}

    @classmethod
    def of(
        cls, analyze: Analyzer, texts: Sequence[str], *, found_in: int = 1, most: int | None = None
    ) -> "Tfidf":
        """Learn the terms that `found_in` texts or more have; of too many the commonest stay."""
        counts = Counter(term for text in texts for term in set(analyze(text)))
        kept = [(term, n) for term, n in counts.items() if n >= found_in]
        kept.sort(key=lambda pair: (-pair[1], pair[0]))
        kept = kept[:most]
        idf = [np.log((1 + len(texts)) / (1 + n)) + 1 for _term, n in kept]
        return cls(analyze, [term for term, _n in kept], idf)

    def vectors(self, texts: Sequence[str]) -> Any:
        """A sparse row per text; a text without a known term is all zeros."""
        data: list[float] = []
        columns: list[int] = []
        starts = [0]
        for text in texts:
            known = Counter(self._column[t] for t in self.analyze(text) if t in self._column)
            if known:
                weights = (1 + np.log(list(known.values()))) * self.idf[list(known)]
                data.extend((weights / np.linalg.norm(weights)).tolist())
            columns.extend(known)
            starts.append(len(data))
        shape = (len(texts), len(self.terms))
        return sparse.csr_matrix((np.asarray(data, np.float32), columns, starts), shape=shape)
