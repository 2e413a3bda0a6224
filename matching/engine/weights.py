"""What each feature weighs: numbers in a file beside this one, with where they come from.

Weights are JSON and nothing else: reading them runs no code.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

VERSION = "votes-4"

FILE = Path(__file__).with_name("weights.json")
# What a record says by its size and date is at most this part of all weights, whatever counts.
BUSY = ("proof", "active", "recent")
BUSY_AT_MOST = 0.2
# Only proportions count; a number beyond this is a slip.
MOST = 1000
# Nothing of these counts where there is no encoder, or the language is not served.
OF_MEANING = ("meaning", "meaning_best", "profile")
# What is left towards projects, without the encoder.
LEFT = ("vote", "title", "skills", "words", "fresh")
# Numbers are rounded when they are written; a millionth more than a fifth is a fifth.
ROUNDING = 1e-6


class BadWeights(ValueError):
    """These are not weights the engine may rank with; the text says why."""


def load_weights() -> Mapping[str, float]:
    """The weights this version of the software comes with, by feature. Raises BadWeights."""
    return shipped()["weights"]  # type: ignore[no-any-return]


def shipped() -> Mapping[str, Any]:
    """The whole file: weights, how they were fitted, what was measured. Raises BadWeights."""
    try:
        found = read(FILE.read_text("utf-8"))
    except OSError as error:
        raise BadWeights(_("The file of weights cannot be read.")) from error
    return {**found, "weights": checked(found["weights"], names=found["weights"])}


def read(text: str) -> dict[str, Any]:
    """A file of weights as JSON with the key "weights". Raises BadWeights."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadWeights(_("This is not JSON: %(error)s") % {"error": error}) from error
    if not isinstance(found, dict) or not isinstance(found.get("weights"), dict):
        raise BadWeights(_("There is no “weights” with a number for every feature."))
    return found


def checked(weights: Any, *, names: Any = None) -> dict[str, float]:
    """The weights, if the engine may rank with them; raises BadWeights otherwise.

    A number for each of its features and for nothing else, none below zero (more of what
    fits never costs a place), and at most a fifth for what only says how busy somebody was.
    """
    if not isinstance(weights, Mapping) or not weights:
        raise BadWeights(_("There are no weights."))
    _check_names(set(weights), set(load_weights() if names is None else names))
    found = {str(name): _number(name, weight) for name, weight in weights.items()}
    for without in ((), OF_MEANING):
        there = {name: weight for name, weight in found.items() if name not in without}
        most = (BUSY_AT_MOST + ROUNDING) * sum(there.values())
        if sum(there.get(name, 0.0) for name in BUSY) > most:
            raise BadWeights(
                _("%(names)s are together more than a fifth of all weights.")
                % {"names": ", ".join(BUSY)}
            )
    if not sum(found.get(name, 0.0) for name in LEFT):
        raise BadWeights(_("No weight is left where only words and skills count."))
    return found


def _check_names(found: set[str], expected: set[str]) -> None:
    if missing := sorted(expected - found):
        raise BadWeights(_("No weight for: %(names)s.") % {"names": ", ".join(missing)})
    if unknown := sorted(map(str, found - expected)):
        raise BadWeights(
            _("The engine knows nothing called: %(names)s.") % {"names": ", ".join(unknown)[:200]}
        )


def _number(name: str, weight: Any) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise BadWeights(_("The weight of %(name)s is not a number.") % {"name": name})
    if not 0 <= weight <= MOST:
        raise BadWeights(
            _("The weight of %(name)s is below zero, or larger than %(most)d.")
            % {"name": name, "most": MOST}
        )
    return float(weight)


def digest_of(weights: Mapping[str, float]) -> str:
    """The SHA-256 of the weights written down in one way only."""
    plain = {name: float(weight) for name, weight in weights.items()}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number")
