"""What a person chose to count more, less or not at all in their own list."""

from collections.abc import Mapping

from matching.engine import explain

# The features each part stands for; `active` says nothing towards projects.
PARTS: Mapping[str, tuple[str, ...]] = {
    "skills": explain.SKILL_PARTS,
    "works": explain.WORK_PARTS,
    "profile": explain.PROFILE_PARTS,
}
LEVELS: Mapping[str, float] = {"off": 0.0, "less": 0.5, "usual": 1.0, "more": 2.0}


def weighed(weights: Mapping[str, float], chosen: Mapping[str, str]) -> dict[str, float]:
    """The weights as somebody wants them for their own list."""
    times = {feature: LEVELS[level] for part, level in chosen.items() for feature in PARTS[part]}
    return {feature: weight * times.get(feature, 1.0) for feature, weight in weights.items()}
