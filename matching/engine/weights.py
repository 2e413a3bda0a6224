"""What each feature weighs: numbers in a file beside this one, with where they come from."""

import json
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("weights.json")


def load_weights() -> Mapping[str, float]:
    """The weight of every feature, none below zero: more of what fits never costs a place."""
    found: Mapping[str, float] = json.loads(FILE.read_text("utf-8"))["weights"]
    if min(found.values()) < 0:
        raise ValueError(f"{FILE.name}: a weight below zero would punish what fits.")
    return found
