"""What chance alone could have done: intervals, corrected p-values, and who is too few to judge."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from matching.engine.columns import Floats

RESAMPLES = 400
# Groups smaller than either are listed and not judged (LL144 leaves out below 2 %, too).
FEWEST_PEOPLE = 30
SMALLEST_SHARE = 0.02

Names = npt.NDArray[np.str_]


def resamples(people: int, *, times: int = RESAMPLES, seed: int = 0) -> npt.NDArray[np.int64]:
    """How often each person is drawn in each resample: a row per resample.

    People are drawn, not impressions: a thousand impressions of one person are one person's luck.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(people, np.full(people, 1 / people), size=times).astype(np.int64)


def interval(values: Floats) -> tuple[float, float]:
    """The middle 95 % of resampled figures; (nan, nan) where there is none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def bootstrap(
    people: int, figure: Callable[[Floats], float], *, times: int = RESAMPLES
) -> tuple[float, float]:
    """The interval of a figure that is computed from a weight per person."""
    rows = resamples(people, times=times)
    return interval(np.asarray([figure(row.astype(np.float64)) for row in rows]))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for being looked at together (Holm 1979), in the given order."""
    order = np.argsort(p_values, kind="stable")
    found, least = [0.0] * len(p_values), 0.0
    for at, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - at) * p_values[place]))
        found[place] = least
    return found


def judged(groups: Names) -> Mapping[str, bool]:
    """Every group, and whether it has enough people to say anything about it."""
    names, counts = np.unique(groups, return_counts=True)
    return {
        str(name): bool(count >= FEWEST_PEOPLE and count >= SMALLEST_SHARE * len(groups))
        for name, count in zip(names, counts, strict=True)
    }
