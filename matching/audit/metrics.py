"""M1 to M15 as plain functions of arrays: rows are searches, columns are people.

Nothing here knows the database, Django or where the figures come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.audit.chance import Names, holm, interval, resamples
from matching.engine.columns import Floats, Ints

Flags = npt.NDArray[np.bool_]

SEEN = 10


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One line of a table by group, in the shape New York's Local Law 144 asks for."""

    group: str
    people: int
    number: float
    rate: float
    ratio: float
    low: float
    high: float
    p: float
    is_judged: bool


def exposure(place: Ints, k: int = SEEN) -> Floats:
    """Attention by place: 1 / log2(1 + place), nothing beyond k (Singh & Joachims 2018)."""
    there = (place > 0) & (place <= k)
    return np.where(there, 1 / np.log2(1 + np.maximum(place, 1)), 0.0)


def merit(truth: Floats, qualified: Flags, k: int = SEEN) -> Floats:
    """The attention each deserves: that of the first k places, shared by true fit (Biega 2018).

    Whoever is not qualified deserves none; nor does anybody where nobody is.
    """
    fit = np.where(qualified, np.nan_to_num(truth), 0.0)
    whole = fit.sum(axis=1, keepdims=True)
    attention = float((1 / np.log2(np.arange(2, k + 2))).sum())
    return _over(fit * attention, np.broadcast_to(whole, fit.shape), otherwise=0.0)


def apart(values: Floats, groups: Names) -> dict[str, Floats]:
    """A value per person as one array per group, 0 for everybody else."""
    return {str(name): np.where(groups == name, values, 0.0) for name in np.unique(groups)}


def by_group(
    gained: Mapping[str, Floats], base: Mapping[str, Floats], enough: Mapping[str, bool]
) -> list[GroupRow]:
    """What each group gained for what it had, beside the best group (LL144's impact ratio).

    Both are sums per group and person. M1 is selections per qualified candidacy, M2 scores above
    the median per candidacy, M3 exposure per qualified candidacy. The interval draws freelancers;
    p says how often chance alone would bring the group level with the best, corrected by Holm
    for all groups looked at. Whoever is not `enough` is listed and neither judged nor best.
    """
    names = sorted(base)
    up, down = (np.asarray([each[name] for name in names]) for each in (gained, base))
    rates = _over(up.sum(axis=1), down.sum(axis=1))
    able = [at for at, name in enumerate(names) if enough[name] and np.isfinite(rates[at])]
    best = max(able, key=lambda at: rates[at], default=None)
    drawn = resamples(up.shape[1]).astype(np.float64)
    many = _over(drawn @ up.T, drawn @ down.T)
    rows: list[tuple[str, int, float, float, float, float, float]] = []
    raw = []
    for at, name in enumerate(names):
        ratio, low, high, p = float("nan"), float("nan"), float("nan"), 1.0
        if best is not None and rates[best] > 0:
            ratio = float(rates[at] / rates[best])
            low, high = interval(_over(many[:, at], many[:, best]))
            if at != best:
                p = min(1.0, 2 * float((many[:, at] >= many[:, best]).mean()) + 1 / len(drawn))
        raw.append(p)
        count = int((down[at] > 0).sum())
        rows.append((name, count, float(up[at].sum()), float(rates[at]), ratio, low, high))
    return [
        GroupRow(*row, p=p, is_judged=enough[row[0]])
        for row, p in zip(rows, holm(raw), strict=True)
    ]


def parity(rows: Sequence[GroupRow]) -> GroupRow | None:
    """The judged group that is farthest behind the best."""
    able = [row for row in rows if row.is_judged and np.isfinite(row.ratio)]
    return min(able, key=lambda row: row.ratio, default=None)


def ratio_of(gained: Floats, base: Floats, other_gained: Floats, other_base: Floats) -> float:
    """What one side gets for its due, divided by the same for the other."""
    mine = gained.sum() / base.sum() if base.sum() else np.nan
    other = other_gained.sum() / other_base.sum() if other_base.sum() else np.nan
    return float(mine / other) if other else float("nan")


def in_proportion(gained: Floats, due: Floats) -> Floats:
    """M4: per person, attention for what they merited, 1 on average (Biega et al. 2018).

    nan for whoever merited nothing.
    """
    whole = gained.sum() / due.sum() if due.sum() else np.nan
    return _over(gained, due * whole)


def share_in_proportion(gained: Floats, due: Floats) -> float:
    """M4: the share of those with merit who got between half and twice their due."""
    found = in_proportion(gained, due)
    found = found[np.isfinite(found)]
    return float(((found >= 0.5) & (found <= 2)).mean()) if len(found) else float("nan")


def gap(rows: Sequence[GroupRow]) -> float:
    """M7: equal opportunity, how often those truly best are seen, best group less worst one.

    After Hardt, Price & Srebro 2016.
    """
    rates = [row.rate for row in rows if row.is_judged and np.isfinite(row.rate)]
    return max(rates) - min(rates) if rates else float("nan")


def calibration_gap(score: Floats, success: Flags, counted: Flags, member: Flags) -> float:
    """M8: how far success of a group's candidacies lies from that of everybody's equal scores.

    Scores are ranks, not chances: what a score promises is read off ten bins of equal size over
    all candidacies. The gap is that between the group's mean success and its mean promise.
    """
    promised = np.full(score.shape, np.nan)
    edges = np.quantile(score[counted], np.linspace(0, 1, 11)[1:-1])
    bins = np.searchsorted(edges, score, side="right")
    for each in range(10):
        here = counted & (bins == each)
        if here.any():
            promised[here] = success[here].mean()
    chosen = counted & member
    if not chosen.any():
        return float("nan")
    return float(success[chosen].mean() - promised[chosen].mean())


def ndkl(ranked: Sequence[str], shares: Mapping[str, float]) -> float:
    """M9: how far every prefix of a list is from the pool, 0 the same (Geyik et al. 2019)."""
    total = weights = 0.0
    for count in range(1, len(ranked) + 1):
        prefix = ranked[:count]
        apart = 0.0
        for name, wanted in shares.items():
            share = prefix.count(name) / count
            if share and wanted:
                apart += share * float(np.log(share / wanted))
        weight = 1 / float(np.log2(count + 1))
        total, weights = total + weight * apart, weights + weight
    return total / weights if weights else 0.0


def min_skew(ranked: Sequence[str], shares: Mapping[str, float], k: int = SEEN) -> float:
    """M9: log of the share among k over that in the pool, least group (Geyik et al. 2019)."""
    top = list(ranked[:k])
    return min(
        float(np.log(max(top.count(name) / len(top), 1e-9) / share))
        for name, share in shares.items()
        if share
    )


def infeasible_index(ranked: Sequence[str], shares: Mapping[str, float]) -> int:
    """M9: prefixes where a group has less than its share rounded down (Geyik et al. 2019)."""
    return sum(
        any(ranked[:count].count(name) < int(share * count) for name, share in shares.items())
        for count in range(1, len(ranked) + 1)
    )


def gini(amounts: Floats) -> float:
    """M11: 0 when all have the same, towards 1 when one has everything."""
    ordered = np.sort(amounts)
    count = len(ordered)
    if not count or not ordered.sum():
        return 0.0
    ranks = 2 * np.arange(1, count + 1) - count - 1
    return float(ranks @ ordered / (count * ordered.sum()))


def top_share(amounts: Floats, share: float = 0.01) -> float:
    """M11: what part the best-served one in a hundred have, at least one person."""
    best = np.sort(amounts)[::-1][: max(1, round(share * len(amounts)))]
    return float(best.sum() / amounts.sum()) if amounts.sum() else 0.0


def ndcg(truth: Floats, place: Ints, k: int = SEEN) -> Floats:
    """M12: per search, how much of the best possible true fit the first k places hold."""
    fit = np.nan_to_num(truth)
    got = (fit * exposure(place, k)).sum(axis=1)
    best = -np.sort(-fit, axis=1)[:, :k]
    ideal = best @ (1 / np.log2(np.arange(2, best.shape[1] + 2)))
    return _over(got, ideal, otherwise=1.0)


def auc(scores: Floats, positive: Flags) -> float:
    """How often a positive scores above a negative, ties half (Mann & Whitney 1947)."""
    if positive.all() or not positive.any():
        return float("nan")
    order = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(order[2])
    ranks = (ends - (order[2] - 1) / 2)[order[1]]
    many, few = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * few))


def leakage(features: Floats, positive: Flags, *, folds: int = 5, seed: int = 0) -> float:
    """M6: how well a logistic model tells the group from the features, AUC on people left out.

    One half is chance. Ridge, standardised features, Newton steps; folds by person.
    """
    spread = features.std(axis=0)
    kept = features[:, spread > 0]
    if not kept.shape[1]:
        return 0.5
    x = np.column_stack([np.ones(len(kept)), (kept - kept.mean(axis=0)) / kept.std(axis=0)])
    fold = np.random.default_rng(seed).permutation(len(x)) % folds
    left_out = np.zeros(len(x))
    for each in range(folds):
        learned = _logistic(x[fold != each], positive[fold != each].astype(float))
        left_out[fold == each] = x[fold == each] @ learned
    # Each fold has a model of its own, so only scores of one fold are compared.
    found = [auc(left_out[fold == each], positive[fold == each]) for each in range(folds)]
    return float(np.nanmean(found))


def kendall(one: Sequence[str], other: Sequence[str]) -> float:
    """M14: agreement of two orders over what both name, 1 the same, -1 reversed (tau)."""
    place = {name: at for at, name in enumerate(other)}
    both = np.asarray([place[name] for name in one if name in place])
    if len(both) < 2:
        return 1.0
    later = both[np.newaxis, :] > both[:, np.newaxis]
    pairs = len(both) * (len(both) - 1) / 2
    return float(2 * np.triu(later, 1).sum() / pairs - 1)


def _logistic(x: Floats, y: Floats, *, ridge: float = 1.0) -> Floats:
    weights = np.zeros(x.shape[1])
    stiff = ridge * np.eye(x.shape[1])
    stiff[0, 0] = 1e-6
    for _ in range(12):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - chance) - stiff @ weights
        curve = (x * (chance * (1 - chance))[:, np.newaxis]).T @ x + stiff
        weights += np.linalg.solve(curve, slope)
    return np.asarray(weights, dtype=np.float64)


def _over(above: Floats, below: Floats, *, otherwise: float = float("nan")) -> Floats:
    """One divided by the other, and something else where there is nothing to divide by."""
    found = np.full(below.shape, otherwise)
    np.divide(above, below, out=found, where=below > 0)
    return found
