"""Who can be among the first for a project: few of very many, before anything is worked out."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from matching.engine.bm25 import best
from matching.engine.columns import Floats, Ints
from matching.engine.votes import Votes
from matching.engine.weights import load_weights

# Up to so many people, all of them are candidates.
EVERYBODY = 2_000
# So many of those whose works did not vote, by everything else that counts.
WITHOUT_VOTES = 500
# So many newcomers besides, by everything and by what their profile says.
NEWCOMERS = 300
# These count as far as somebody is relevant; what is weighed anew for newcomers is "words".
RELEVANCE = ("skills", "words", "profile")
AS_RELEVANT = ("active", "recent")


def places(
    raw: Mapping[str, Floats],
    *,
    votes: Mapping[str, Votes],
    out: Ints,
    new: npt.NDArray[np.bool_],
) -> Ints:
    """The places of the candidates, in ascending order; who is `out` is among them only by votes.

    Whoever has a work that voted is one. Of the others a rough score decides, which leaves out
    nothing but how near works in meaning are that were too far away to vote. Newcomers come in
    by a door of their own, and so does whoever is the best in anything: others are measured
    by them.
    """
    size = len(new)
    if size <= EVERYBODY:
        return np.arange(size, dtype=np.int64)
    rough, profile = _rough({name: raw[name] for name in raw if name not in votes})
    for scores in (rough, profile):
        scores[out] = 0
    ahead = [best(rough, WITHOUT_VOTES)]
    ahead += [best(np.where(new, scores, 0), NEWCOMERS) for scores in (rough, profile)]
    ahead += [np.flatnonzero(each.by_owner) for each in votes.values()]
    ahead += [best(_without(raw[name], out), 1) for name in ("proof", *RELEVANCE) if name in raw]
    return np.unique(np.concatenate(ahead))


def _rough(raw: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """What everything but votes adds up to, and what the profile adds to it for newcomers."""
    weights = load_weights()
    part: dict[str, Floats] = {}
    for name, values in raw.items():
        top = 1.0 if name in {"skills", *AS_RELEVANT, "fresh"} else float(values.max(initial=0.0))
        part[name] = values / top if top > 0 else values
    relevance = np.maximum.reduce([part[name] for name in RELEVANCE if name in part])
    profile = weights["fresh"] * part["fresh"] * part["words"]
    if "profile" in part:
        profile += weights["profile"] * part["profile"]
    rough = profile.copy()
    for name, values in part.items():
        if name in AS_RELEVANT:
            rough += weights[name] * values * relevance
        elif name not in {"fresh", "profile"}:
            rough += weights[name] * values
    return rough, profile


def _without(values: Floats, out: Ints) -> Floats:
    values = values.copy()
    values[out] = 0
    return values
