"""Past work votes for the person who did it."""

from dataclasses import dataclass

import numpy as np

from matching.engine.bm25 import Bm25, Floats, Ints, best

# Only the hundred best hits vote: a long record of loosely related work must not win by length.
HITS = 100
# An old work keeps this much of its voice; the rest fades with this time constant.
KEPT_VOICE = 0.3
FADING_DAYS = 365.0


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
    """How much a vote counts, by the age of the work in days and the weight of its proof."""
    faded = KEPT_VOICE + (1 - KEPT_VOICE) * np.exp(-np.maximum(ages, 0) / FADING_DAYS)
    return np.asarray(weights * faded)


def hold(index: Bm25, query: Ints, *, owners: Ints, people: int, voices: Floats) -> Votes:
    """Let the best hits of a query vote for their owners."""
    scores = index.scores(query)
    hits = best(scores, HITS)
    given = scores[hits] * voices[hits]
    by_owner = np.bincount(owners[hits], weights=given, minlength=people)
    return Votes(by_owner.astype(np.float64), hits, given)
