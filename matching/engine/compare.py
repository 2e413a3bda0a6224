"""How much two orders of the same people or projects differ: what trying other weights shows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

# What people see of a list.
FIRST = 10


@dataclass(frozen=True)
class Comparison:
    """Two lists beside each other: how many stand in the first ten, and newcomers among them."""

    listed: int
    overlap: float
    tau: float
    new: int
    new_other: int


def compare(one: Sequence[str], other: Sequence[str], *, new: Collection[str]) -> Comparison:
    """What the second order would change for whoever looks at the first ten.

    `overlap` is the share of the longer top ten that both have; `tau` is Kendall's tau-b over
    everybody in either top ten, by their places in the whole lists. Not listed is the last place,
    shared with all others who are not. Two lists of the same single row, or of none, agree.
    """
    top, top_other = one[:FIRST], other[:FIRST]
    both = set(top) & set(top_other)
    longest = max(len(top), len(top_other))
    return Comparison(
        listed=len(top),
        overlap=len(both) / longest if longest else 1.0,
        tau=_tau(one, other, among=sorted({*top, *top_other})),
        new=sum(name in new for name in top),
        new_other=sum(name in new for name in top_other),
    )


def _tau(one: Sequence[str], other: Sequence[str], *, among: Sequence[str]) -> float:
    places, places_other = _places(one), _places(other)
    concordant = discordant = told = told_other = 0
    for a, b in combinations(among, 2):
        here = places.get(a, len(one)) - places.get(b, len(one))
        there = places_other.get(a, len(other)) - places_other.get(b, len(other))
        told += here != 0
        told_other += there != 0
        concordant += here * there > 0
        discordant += here * there < 0
    if not told or not told_other:
        return 1.0 if told == told_other else 0.0
    return (concordant - discordant) / sqrt(told * told_other)


def _places(order: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(order)}
