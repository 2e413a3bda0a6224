"""A price range from what similar work came to: order statistics, nothing else.

No figure is anybody's price: parties are capped, the lowest and the highest are never shown,
amounts are rounded, and how many there are is told in bands, so that one more is not seen.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

# What one party may be of a sample: one in so many.
SHARE = 3
# How sure the interval of the median should be, and the figures that are left of an amount.
SURE = 0.95
DIGITS = 2
# From the floor on, sample sizes are told as "so many or more".
BANDS = (20, 50, 100)


@dataclass(frozen=True)
class Sample:
    """What one contract came to, and between whom."""

    minor: int
    client: int
    freelancer: int


@dataclass(frozen=True)
class Range:
    """The middle half of prices, their median, and where the median of all such work may lie.

    There are as many contracts, clients and freelancers as it says, or more.
    """

    contracts: int
    clients: int
    freelancers: int
    low: int
    median: int
    high: int
    median_from: int
    median_to: int
    # How surely at least the median lies between the last two, in percent.
    sure: int


def price_range(samples: Sequence[Sample], *, contracts: int, people: int) -> Range | None:
    """What the samples, the most similar first, say; None below the two floors.

    `contracts` is the least number of them, `people` that of clients and of freelancers.
    """
    fair = without_dominance(samples)
    clients = len({each.client for each in fair})
    freelancers = len({each.freelancer for each in fair})
    if len(fair) < contracts or min(clients, freelancers) < people:
        return None
    ordered = sorted(each.minor for each in fair)
    first, last, _sure = median_interval(len(ordered))
    told = band(len(ordered), floor=contracts)
    # Of the exact number the certainty would tell it.
    _first, _last, sure = median_interval(told)
    return Range(
        contracts=told,
        clients=band(clients, floor=people),
        freelancers=band(freelancers, floor=people),
        low=rounded(quantile(ordered, 1)),
        median=rounded(quantile(ordered, 2)),
        high=rounded(quantile(ordered, 3)),
        median_from=rounded(ordered[first]),
        median_to=rounded(ordered[last]),
        sure=int(min(sure, SURE) * 100),
    )


def band(number: int, *, floor: int) -> int:
    """What is told of a number that reaches the floor: it is this or more."""
    return max(least for least in (floor, *BANDS) if least <= number)


def without_dominance(samples: Sequence[Sample]) -> list[Sample]:
    """The samples without what is more than a third by one client or one freelancer.

    The least similar of theirs go. Fewer contracts make the third smaller, so this goes on until
    nothing has to go any more.
    """
    kept = list(samples)
    while True:
        most = len(kept) // SHARE
        clients: Counter[int] = Counter()
        freelancers: Counter[int] = Counter()
        fewer = []
        for each in kept:
            if clients[each.client] < most and freelancers[each.freelancer] < most:
                clients[each.client] += 1
                freelancers[each.freelancer] += 1
                fewer.append(each)
        if len(fewer) == len(kept):
            return kept
        kept = fewer


def quantile(ordered: Sequence[int], quarter: int) -> int:
    """The first, second or third quartile, between neighbours where it falls between them."""
    steps = (len(ordered) - 1) * quarter
    below, rest = divmod(steps, 4)
    if not rest:
        return ordered[below]
    return ordered[below] + (ordered[below + 1] - ordered[below]) * rest // 4


def median_interval(n: int) -> tuple[int, int, float]:
    """Places (from 0) of the two prices between which the median lies, and how surely.

    Each price is below the median with probability ½, so the number below it is binomial: this
    needs no assumption about how prices are spread. The narrowest interval of at least 95 %; never
    from the lowest to the highest price, which would tell what two contracts cost, so that with
    eight prices it is a little less sure, and says so.
    """
    at = 1
    while at + 1 < n - 2 - at and _cover(n, at + 1) >= SURE:
        at += 1
    return at, n - 1 - at, _cover(n, at)


def _cover(n: int, at: int) -> float:
    """How surely the median lies between the prices at places `at` and `n - 1 - at`."""
    outside: int = 2 * sum(comb(n, below) for below in range(at + 1))
    return float(1 - outside / 2**n)


def rounded(minor: int) -> int:
    """The amount with two figures left, so that it is nobody's price to the cent."""
    unit: int = 10 ** max(0, len(str(minor)) - DIGITS)
    return (minor + unit // 2) // unit * unit
