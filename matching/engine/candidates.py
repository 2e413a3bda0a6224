"""Who can be among the first for a project: few of very many, before anything is worked out."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from matching.engine.bm25 import best, contenders
from matching.engine.columns import Floats, Ints
from matching.engine.placing import NEW_POOL
from matching.engine.votes import Votes

# Up to so many people, all of them are candidates.
EVERYBODY = 2_000
# So many of those whose works did not vote, by everything else that counts.
WITHOUT_VOTES = 500
# So many newcomers besides, by everything and by what their profile says.
NEWCOMERS = 300
# A claim makes half of a skill; what lies above only a record can fill.
CLAIMED = 0.5
# These count as far as somebody is relevant; what is weighed anew for newcomers is "words".
RELEVANCE = ("skills", "words", "profile")
AS_RELEVANT = ("active", "recent")


def places(
    raw: Mapping[str, Floats],
    *,
    votes: Mapping[str, Votes],
    out: Ints,
    new: npt.NDArray[np.bool_],
    least: Mapping[str, float],
    weights: Mapping[str, float],
) -> Ints:
    """The places of the candidates, in ascending order; who is `out` is among them only by votes.

    Whoever has a work that voted is one. Of the others a rough score decides, which leaves out
    nothing but how near works in meaning are that were too far away to vote. Newcomers come in
    by doors of their own: one lets in everybody who can compete for the places that are kept for
    them, equals included. So does whoever is the best in anything: others are measured by them.
    """
    size = len(new)
    if size <= EVERYBODY:
        return np.arange(size, dtype=np.int64)
    part = _scaled({name: _without(raw[name], out) for name in raw if name not in votes}, least)
    rough, profile = _rough(part, weights)
    fit = comparable(part, weights)
    ahead = [best(rough, WITHOUT_VOTES), contenders(np.where(new, fit, 0), NEW_POOL)]
    ahead += [best(np.where(new, scores, 0), NEWCOMERS) for scores in (rough, profile)]
    ahead += [np.flatnonzero(each.by_owner) for each in votes.values()]
    ahead += [best(part[name], 1) for name in ("proof", *RELEVANCE) if name in part]
    return np.unique(np.concatenate(ahead))


def comparable(features: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """How well people fit in what they can show with and without a record: skills and words."""
    skills = np.minimum(features["skills"], CLAIMED) / CLAIMED
    return np.asarray(weights["skills"] * skills + weights["words"] * features["words"])


def _scaled(raw: Mapping[str, Floats], least: Mapping[str, float]) -> dict[str, Floats]:
    """The features without votes between 0 and 1, as they will be in the end."""
    part: dict[str, Floats] = {}
    for name, values in raw.items():
        is_share = name in {"skills", *AS_RELEVANT, "fresh"}
        top = 1.0 if is_share else float(values.max(initial=least.get(name, 0.0)))
        part[name] = values / top if top > 0 else values
    return part


def _rough(part: Mapping[str, Floats], weights: Mapping[str, float]) -> tuple[Floats, Floats]:
    """What everything but votes adds up to, and what the profile adds to it for newcomers."""
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
