"""Planted twins of the matcher that are unfair on purpose: the audit must turn red on each.

They are never used to rank anybody. An audit that finds nothing in them would be blind.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from matching.audit.crowd import FAMOUS, Marks
from matching.audit.season import Make, Ranker
from matching.engine.columns import Floats
from matching.engine.documents import Need, PersonDoc, Ranked
from matching.engine.rank import build_index

# Countries the twin trusts.
FAVOURED = frozenset({"Germany", "United Kingdom", "Portugal", "Poland"})


class Twin:
    """The product's matcher with every score moved by something that must not count."""

    def __init__(self, inner: Ranker, factors: Mapping[str, float]) -> None:
        self._inner, self._factors = inner, factors

    @property
    def weights(self) -> Mapping[str, float]:
        """Those of the product."""
        return self._inner.weights

    def scores_for(self, need: Need) -> tuple[Sequence[str], Floats, Mapping[str, Floats]]:
        """As the product has them, each times the factor of the person."""
        ids, scores, features = self._inner.scores_for(need)
        return ids, scores * np.asarray([self._factors[name] for name in ids]), features

    def people_for(self, need: Need, k: int) -> list[Ranked]:
        """As the product ranks, with the product's reasons, by the twin's scores."""
        found = self._inner.people_for(need, len(self._factors))
        moved = [replace(each, score=each.score * self._factors[each.id]) for each in found]
        return sorted(moved, key=lambda each: -each.score)[:k]


def _with(factor: Callable[[Marks], float]) -> Make:
    def make(people: Sequence[PersonDoc], marks: Sequence[Marks], at: dt.date) -> Ranker:
        factors = {p.id: factor(mark) for p, mark in zip(people, marks, strict=True)}
        return Twin(build_index(people, (), at=at), factors)

    return make


def trusting(others: float) -> Make:
    """A twin for whom everybody outside some countries is worth this part of their score."""
    return _with(lambda marks: 1.0 if marks.country in FAVOURED else others)


# A rating of nobody yet counts as the worst one here, which is what shrinking is there against.
TWINS: Mapping[str, Make] = {
    "country": trusting(0.8),
    "school": _with(lambda marks: 1.15 if marks.school == FAMOUS else 1.0),
    "name length": _with(lambda marks: 1.3 - 0.02 * len(marks.name)),
    "photo": _with(lambda marks: 1.1 if marks.photo else 1.0),
    "unshrunken rating": _with(lambda marks: 0.5 + 0.5 * (marks.rating or 0.0)),
}
