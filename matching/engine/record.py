"""A ranking written down so that it can be made again, and made again from what was written.

Plain Python over ids and figures: neither the people nor the texts need be there any more.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matching.engine.documents import Ranked
from matching.engine.placing import Candidate, Place, Policy, place

# The form of a record; a change of how it is made again takes the next number.
FORM = 1
# Features and scores are what these digits say, so that a record adds up to the last one.
DIGITS = 9
# What is told of a place is rounded to so many.
TOLD = 6


@dataclass(frozen=True, slots=True)
class Ranking:
    """A list as it came out, and everything its places were made from."""

    found: list[Ranked]
    weights: Mapping[str, float]
    features: Mapping[str, Mapping[str, float]]
    candidates: Sequence[Candidate]
    places: Sequence[Place]
    seed: str
    policy: Policy


def total(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    """A score: the same sum, to the last digit, whatever order its parts come in."""
    return round(math.fsum(weights[name] * value for name, value in features.items()), DIGITS)


def rows(places: Sequence[Place]) -> list[list[Any]]:
    """Places as they are logged: id, score, kept for somebody new, score after, flag, chance."""
    return [
        [
            int(each.id),
            round(each.before, TOLD),
            each.flag == "newcomer",
            round(each.after, TOLD),
            each.flag.value,
            round(each.propensity, TOLD),
        ]
        for each in places
    ]


def written(ranking: Ranking, model: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the places were made from, as JSON; `model` says which weights these are."""
    names = sorted(ranking.weights)
    return {
        "form": FORM,
        **({"model": dict(model)} if model else {}),
        "policy": dataclasses.asdict(ranking.policy),
        "weights": dict(ranking.weights),
        "features": names,
        "candidates": [
            [
                int(each.id),
                [ranking.features[each.id].get(name, 0.0) for name in names],
                each.is_new,
                each.fit,
                each.seen,
                each.earned,
            ]
            for each in sorted(ranking.candidates, key=lambda each: int(each.id))
        ],
    }


def digest(record: Mapping[str, Any]) -> str:
    """Of the method alone, weights and policy: two rankings of one method share it."""
    method = {name: record[name] for name in ("form", "policy", "weights")}
    return hashlib.sha256(json.dumps(method, sort_keys=True).encode()).hexdigest()


def replayed(record: Mapping[str, Any], *, seed: str, count: int) -> list[list[Any]]:
    """The first `count` places, made again from a record as `rows` would log them.

    Raises ValueError for a record in a form this version does not know.
    """
    if record.get("form") != FORM:
        raise ValueError(f"The record is in form {record.get('form')}, this version reads {FORM}.")
    policy: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in record["policy"].items()
    }
    names, weights = record["features"], record["weights"]
    people = [
        Candidate(
            id=str(pk),
            score=total(weights, dict(zip(names, features, strict=True))),
            is_new=is_new,
            fit=fit,
            seen=seen,
            earned=earned,
        )
        for pk, features, is_new, fit, seen, earned in record["candidates"]
    ]
    return rows(place(people, seed=seed, policy=Policy(**policy))[:count])
