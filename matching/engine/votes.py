"""Past work votes for the person who did it."""

from dataclasses import dataclass

import numpy as np

from matching.engine.bm25 import Floats, Ints, best

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

    def per_item(self, items: int) -> Floats:
        """What every item gave, in the order of the index."""
        return np.bincount(self.items, weights=self.given, minlength=items).astype(np.float64)


def voice(ages: Floats, weights: Floats) -> Floats:
    """How much a vote counts, by the age of the work in days and the weight of its proof.

    A sample can be entered on any day, so it is never louder than the oldest finished work.
    """
    faded = KEPT_VOICE + (1 - KEPT_VOICE) * np.exp(-np.maximum(ages, 0) / FADING_DAYS)
    return np.asarray(weights * np.where(weights < 1, KEPT_VOICE, faded))


def hold(scores: Floats, *, owners: Ints, people: int, voices: Floats) -> Votes:
    """Let the best hits of a query vote for their owners."""
    hits = best(scores, HITS)
    return _counted(hits, scores[hits] * voices[hits], owners=owners, people=people)


def of_the_best(scores: Floats, *, owners: Ints, people: int, voices: Floats) -> Votes:
    """Let at most five works of each person vote, however many they have.

    Beside `hold`, where a long record speaks louder, this hears the few works of a newcomer.
    """
    hits = best(scores, DEEP_HITS)
    order = np.argsort(owners[hits], kind="stable")
    sorted_owners = owners[hits][order]
    # Hits come best first and the sort is stable: the place within an owner is a rank.
    place = np.arange(len(order)) - np.searchsorted(sorted_owners, sorted_owners)
    chosen = hits[order[place < PER_PERSON]]
    return _counted(chosen, scores[chosen] * voices[chosen], owners=owners, people=people)


def _counted(items: Ints, given: Floats, *, owners: Ints, people: int) -> Votes:
    by_owner = np.bincount(owners[items], weights=given, minlength=people)
    return Votes(by_owner.astype(np.float64), items, given)
