"""Past work votes for the person who did it."""

from dataclasses import dataclass

import numpy as np

from matching.engine.columns import Floats, Ints

# Only the hundred best hits vote: a long record of loosely related work must not win by length.
HITS = 100
# The five best works of each person are looked for among so many.
DEEP_HITS = 1000
PER_PERSON = 5
# An old work keeps this much of its voice; the rest fades with this time constant.
KEPT_VOICE = 0.3
FADING_DAYS = 120.0


@dataclass(frozen=True, slots=True)
class Votes:
    """What each owner got, and which item gave how much."""

    by_owner: Floats
    items: Ints
    given: Floats


def voice(ages: Floats, weights: Floats) -> Floats:
    """How much a vote counts, by the age of the work in days and the weight of its proof.

    A sample can be entered on any day, so it is never louder than the oldest finished work.
    """
    faded = KEPT_VOICE + (1 - KEPT_VOICE) * np.exp(-np.maximum(ages, 0) / FADING_DAYS)
    return np.asarray(weights * np.where(weights < 1, KEPT_VOICE, faded))


def hold(items: Ints, given: Floats, *, owners: Ints, people: int) -> Votes:
    """Let the best hits of a query, best first, vote for their owners."""
    return _counted(items[:HITS], given[:HITS], owners=owners[:HITS], people=people)


def of_the_best(items: Ints, given: Floats, *, owners: Ints, people: int) -> Votes:
    """Let at most five works of each person vote, however many they have.

    Beside `hold`, where a long record speaks louder, this hears the few works of a newcomer.
    """
    order = np.argsort(owners, kind="stable")
    # Hits come best first and the sort is stable: the place within an owner is a rank.
    place = np.arange(len(order)) - np.searchsorted(owners[order], owners[order])
    chosen = order[place < PER_PERSON]
    return _counted(items[chosen], given[chosen], owners=owners[chosen], people=people)


def _counted(items: Ints, given: Floats, *, owners: Ints, people: int) -> Votes:
    by_owner = np.bincount(owners, weights=given, minlength=people)
    return Votes(by_owner.astype(np.float64), items, given)
