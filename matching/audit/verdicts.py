"""What counts as green and what stops a release, for every metric."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from matching.audit.metrics import GroupRow

# Beyond this, chance is not the reason for a difference between groups.
CLEAR = 0.05


class Verdict(StrEnum):
    """What a figure means. `untold` is neither good nor bad: nobody can say."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNTOLD = "not judged"


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where a figure is green, and beyond what it is red; which way is up follows."""

    green: float
    red: float

    def of(self, value: float) -> Verdict:
        """The verdict on a value; nan is not judged."""
        if math.isnan(value):
            return Verdict.UNTOLD
        # Where both are the same, less is better: no difference is what is asked for.
        up = self.green > self.red
        if value >= self.green if up else value <= self.green:
            return Verdict.GREEN
        if value < self.red if up else value > self.red:
            return Verdict.RED
        return Verdict.AMBER


# M1, M3 and M13 have their own rule below: an interval and a corrected p stand beside the ratio.
BOUNDS: Mapping[str, Bounds] = {
    "M4": Bounds(0.90, 0.75),
    "M5 structured": Bounds(0.0, 1e-9),
    "M5 text p99": Bounds(0.02, 0.02),
    "M5 text mean": Bounds(0.005, 0.01),
    "M5 text top ten": Bounds(0.01, 0.04),
    "M6": Bounds(0.60, 0.70),
    "M7": Bounds(0.03, 0.08),
    "M8": Bounds(0.05, 0.10),
    "M9 NDKL": Bounds(0.05, 0.15),
    "M10 exposure": Bounds(0.8, 0.5),
    "M10 days": Bounds(7, 21),
    "M11 Gini": Bounds(0.60, 0.75),
    "M11 top share": Bounds(0.10, 0.20),
    "M12": Bounds(0.02, 0.05),
    "M14 same": Bounds(0.0, 0.0),
    "M14 order": Bounds(1e-9, 1e-9),
    "M14 word": Bounds(0.95, 0.90),
    "M15 error": Bounds(0.01, 0.10),
    "M15 lowered": Bounds(0.95, 0.90),
}
RATIO = Bounds(0.95, 0.80)
LIVE_RATIO = Bounds(0.90, 0.80)
WHOLLY_BELOW = 0.90

NAMES: Mapping[str, object] = {
    "M1": _("Impact ratio: seen among the first ten"),
    "M2": _("Impact ratio: score above the median"),
    "M3": _("Exposure of equally qualified groups"),
    "M4": _("People with a fair share of attention"),
    "M5": _("Counterfactual swaps"),
    "M6": _("Group told from the features (AUC)"),
    "M7": _("Gap in being seen among the truly best"),
    "M8": _("Gap between score and success"),
    "M9": _("Lists beside the qualified pool"),
    "M10": _("Newcomers beside others"),
    "M11": _("Concentration of attention"),
    "M12": _("Quality lost to fairness"),
    "M13": _("Slices by country"),
    "M14": _("Stability"),
    "M15": _("Reasons are the score"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the audit: a metric, for whom, its value with an interval, and the verdict."""

    metric: str
    about: str
    value: float
    verdict: Verdict
    low: float = float("nan")
    high: float = float("nan")
    note: str = ""


def judge(
    bounds: str,
    about: str,
    value: float,
    *,
    note: str = "",
    low: float = float("nan"),
    high: float = float("nan"),
) -> Finding:
    """A finding by the bounds of this name; the metric is the first word of it."""
    verdict = BOUNDS[bounds].of(value)
    return Finding(bounds.split(maxsplit=1)[0], about, value, verdict, low, high, note)


def judge_group(metric: str, about: str, row: GroupRow | None, bounds: Bounds = RATIO) -> Finding:
    """A ratio between groups: red where it is low and chance is not the reason.

    Low is below four fifths, or with an interval wholly below nine tenths. With few people a true
    parity often looks like four fifths, so the p corrected for all groups has to agree.
    """
    if row is None or math.isnan(row.ratio):
        return Finding(metric, about, float("nan"), Verdict.UNTOLD, note="too few people")
    low = row.ratio < bounds.red or row.high < WHOLLY_BELOW
    verdict = Verdict.GREEN if row.ratio >= bounds.green else Verdict.AMBER
    if low and row.p < CLEAR:
        verdict = Verdict.RED
    return Finding(metric, about, row.ratio, verdict, row.low, row.high, row.group)
