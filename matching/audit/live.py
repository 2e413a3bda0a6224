"""The audit of lists that people were really shown, without knowing anybody's group.

Nobody's sex or origin is asked for or guessed, so M1 to M3, M6, M7, M9 and M13 are answered by
the benchmark alone, where the people are made up.
"""

import datetime as dt

import numpy as np

from matching.audit import metrics
from matching.audit.benchmark import Audit
from matching.audit.chance import bootstrap
from matching.audit.season import SEEN
from matching.audit.verdicts import Finding, Verdict, judge
from matching.engine.columns import Floats
from matching.selectors.logged import Logged

NEEDS_GROUPS = ("M1", "M2", "M3", "M6", "M7", "M9", "M13")
# Fewer bids by people in lists say nothing about what scores promise.
ENOUGH_BIDS = 100


def audit(logged: Logged, *, since: dt.date, until: dt.date) -> Audit:
    """What the log tells: newcomers, concentration, calibration, and whether reasons add up."""
    people = sorted({person for each in logged.lists for person, _ in each.people})
    column = {person: at for at, person in enumerate(people)}
    shape = len(logged.lists), len(people)
    score, place = np.zeros(shape), np.zeros(shape, np.int64)
    new, success, bid = (np.zeros(shape, np.bool_) for _ in range(3))
    for row, each in enumerate(logged.lists):
        for rank, (person, value) in enumerate(each.people, start=1):
            at = column[person]
            score[row, at], place[row, at] = value, rank
            new[row, at] = logged.is_new(person, each.at)
            if (each.project, person) in logged.bids:
                bid[row, at] = True
                success[row, at] = logged.bids[each.project, person]
    gained = metrics.exposure(place)
    # Nobody knows the true fit here: what a score earns stands in for it.
    due = metrics.merit(score, score > 0)
    sums = [(each * side).sum(axis=0) for side in (new, ~new) for each in (gained, due)]

    def ratio(weights: Floats) -> float:
        return metrics.ratio_of(*(each * weights for each in sums))

    low, high = bootstrap(len(people), ratio)
    worth = due.sum(axis=0)
    findings = [
        judge(
            "M4",
            "between half and twice what their scores earn",
            metrics.share_in_proportion(gained.sum(axis=0), worth),
        ),
        judge("M8", "newcomers, by bids shortlisted", _calibration(score, success, bid, new)),
        judge(
            "M10 exposure",
            "exposure for equal scores",
            ratio(np.ones(len(people))),
            low=low,
            high=high,
        ),
        judge("M11 Gini", "Gini", metrics.gini(gained.sum(axis=0))),
        judge(
            "M11 top share",
            "the best-served one in a hundred",
            metrics.top_share(gained.sum(axis=0)),
        ),
        judge(
            "M15 error",
            "part of the score without a reason",
            max(logged.unexplained, default=float("nan")),
        ),
        *(
            Finding(metric, "groups", float("nan"), Verdict.UNTOLD, note="needs group data")
            for metric in NEEDS_GROUPS
        ),
    ]
    about: dict[str, str | int | float] = {
        "from": since.isoformat(),
        "to": until.isoformat(),
        "lists": len(logged.lists),
        "people": len(people),
        "impressions": int(((place > 0) & (place <= SEEN)).sum()),
        "bids": int(bid.sum()),
        "engine": logged.engines,
        "weights": logged.weights,
    }
    return Audit(sorted(findings, key=lambda each: int(each.metric[1:])), {}, about)


def _calibration(
    score: Floats, success: metrics.Flags, bid: metrics.Flags, new: metrics.Flags
) -> float:
    if bid.sum() < ENOUGH_BIDS or not (bid & new).any():
        return float("nan")
    return abs(metrics.calibration_gap(score, success, bid, new))
