"""The audit of a ranker on the market whose truth is known: M1 to M15 in one run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from matching.audit import metrics, probes
from matching.audit.chance import RESAMPLES, Names, bootstrap, interval, judged
from matching.audit.crowd import GROUPS
from matching.audit.metrics import GroupRow
from matching.audit.season import (
    SEEN,
    Make,
    Order,
    Season,
    Size,
    play,
    the_product,
)
from matching.audit.verdicts import Finding, Verdict, judge, judge_group
from matching.engine.columns import Floats

SLICES = ("sex", "origin", "crossing")
# A turn is short and still long enough for hires to come back as past work.
TURN_DAYS = 3
# Newcomers are watched from when they join; who joined later than this had no time.
WATCHED_DAYS = 3


@dataclass(frozen=True)
class Audit:
    """All findings, the tables by group behind them, and what they were made from."""

    findings: Sequence[Finding]
    tables: Mapping[str, Sequence[GroupRow]]
    about: Mapping[str, str | int | float] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The worst of all findings."""
        found = {finding.verdict for finding in self.findings}
        return next(v for v in (Verdict.RED, Verdict.AMBER, Verdict.GREEN) if v in found)

    @property
    def reds(self) -> list[Finding]:
        """What stops a release."""
        return [finding for finding in self.findings if finding.verdict is Verdict.RED]


def audit(
    make: Make = the_product,
    order: Order | None = None,
    *,
    size: Size | None = None,
    panel: tuple[int, int] = (160, 40),
) -> Audit:
    """Play one long season, let everybody stand in every group, and put the questions."""
    size = size or Size()
    season = play(make, order, size=size)
    turns = crossover(make, order, size=size)
    asked = probes.Panel.drawn(make, people=panel[0], projects=panel[1])
    tables = tables_of(turns)
    findings = [
        *_groups(tables),
        *_individuals(season),
        *_swaps(asked),
        *_models(season),
        *_lists(season),
        *_newcomers(season),
        *_quality(season),
        *_answers(asked),
    ]
    about = {
        "people": len(season.people),
        "searches": len(season.projects),
        "seed": size.seed,
        "turns": len(turns),
        "searches in a turn": len(turns[0].projects),
        "candidacies in a turn": int(turns[0].qualified.sum()),
    }
    return Audit(sorted(findings, key=_order), tables, about)


def crossover(make: Make, order: Order | None, *, size: Size) -> list[Season]:
    """The same short season once for each group, everybody one group further every time.

    So everybody carries the marks of each group once: who had the luck of the better words is
    the same for all groups, and what is left between them is what the marks did.
    """
    searches = max(size.searches // GROUPS, 3)
    short = replace(size, searches=searches, per_day=-(-searches // TURN_DAYS))
    return [play(make, order, size=replace(short, turn=turn)) for turn in range(GROUPS)]


def _order(finding: Finding) -> int:
    return int(finding.metric[1:])


# --- Groups ---------------------------------------------------------------------------------


def tables_of(seasons: Sequence[Season]) -> dict[str, list[GroupRow]]:
    """M1, M2, M3 and M7 by sex, origin, their crossing, and country, over all seasons."""
    counts = {"M1": _selected, "M2": _above, "M3": _exposed, "M7": _found}
    found = {}
    for mark in (*SLICES, "country"):
        for metric, counted in counts.items():
            found[f"{metric} {mark}"] = _table(seasons, mark, counted)
    return found


def _table(
    seasons: Sequence[Season], mark: str, counted: Callable[[Season], tuple[Floats, Floats]]
) -> list[GroupRow]:
    """One table over all seasons; whoever stood in two groups is one person in both."""
    size = max(len(season.people) for season in seasons)
    gained: dict[str, Floats] = {}
    base: dict[str, Floats] = {}
    enough: dict[str, bool] = {}
    for season in seasons:
        groups = season.group(mark)
        enough |= judged(groups)
        for into, values in zip((gained, base), counted(season), strict=True):
            for name, each in metrics.apart(values, groups).items():
                padded = np.pad(each, (0, size - len(each)))
                into[name] = into.get(name, np.zeros(size)) + padded
    return metrics.by_group(gained, base, enough)


def _selected(season: Season) -> tuple[Floats, Floats]:
    seen = (season.place > 0) & (season.place <= SEEN)
    return (seen & season.qualified).sum(axis=0, dtype=float), season.qualified.sum(
        axis=0, dtype=float
    )


def _above(season: Season) -> tuple[Floats, Floats]:
    able = season.qualified
    median = np.median(season.score[able])
    return (able & (season.score > median)).sum(axis=0, dtype=float), able.sum(axis=0, dtype=float)


def _exposed(season: Season) -> tuple[Floats, Floats]:
    got = metrics.exposure(season.place) * season.qualified
    return got.sum(axis=0), metrics.merit(season.truth, season.qualified).sum(axis=0)


def _found(season: Season) -> tuple[Floats, Floats]:
    best = _truly_best(season)
    seen = (season.place > 0) & (season.place <= SEEN) & best
    return seen.sum(axis=0, dtype=float), best.sum(axis=0, dtype=float)


def _groups(tables: Mapping[str, Sequence[GroupRow]]) -> list[Finding]:
    findings = []
    for name, rows in tables.items():
        metric, mark = name.split(" ", 1)
        if metric == "M7":
            findings.append(judge("M7", mark, metrics.gap(rows)))
        elif mark != "country":
            findings.append(judge_group(metric, mark, metrics.parity(rows)))
        elif metric != "M2":
            about = {"M1": "seen, by country", "M3": "exposure, by country"}[metric]
            findings.append(judge_group("M13", about, metrics.parity(rows)))
    return findings


# --- Everybody ------------------------------------------------------------------------------


def _individuals(season: Season) -> list[Finding]:
    gained, due = metrics.exposure(season.place).sum(axis=0), _due(season)
    settled = due >= np.quantile(due[due > 0], 0.1)
    fair = metrics.share_in_proportion(gained[settled], due[settled])
    active = season.there.mean(axis=0) >= 0.5
    return [
        judge("M4", "between half and twice their due", fair),
        judge("M11 Gini", "Gini", metrics.gini(gained[active])),
        judge("M11 top share", "the best-served one in a hundred", metrics.top_share(gained)),
    ]


def _due(season: Season) -> Floats:
    return np.asarray(metrics.merit(season.truth, season.qualified).sum(axis=0))


def _swaps(panel: probes.Panel) -> list[Finding]:
    findings = [
        judge("M5 structured", f"field {swap.name}", swap.largest)
        for swap in probes.structured_swaps(panel)
    ]
    texts = probes.text_swaps(panel)
    worst = {
        "M5 text p99": max(texts, key=lambda swap: swap.p99),
        "M5 text mean": max(texts, key=lambda swap: swap.mean),
        "M5 text top ten": max(texts, key=lambda swap: swap.changed),
    }
    values = {"M5 text p99": "p99", "M5 text mean": "mean", "M5 text top ten": "changed"}
    for bounds, swap in worst.items():
        value = float(getattr(swap, values[bounds]))
        findings.append(judge(bounds, bounds.removeprefix("M5 "), value, note=swap.name))
    return findings


def _models(season: Season) -> list[Finding]:
    """M6 whether features tell the group, M8 whether scores promise it the same."""
    listed = season.score.sum(axis=0) > 0
    findings = []
    for mark in ("sex", "origin"):
        groups = season.group(mark)
        enough = judged(groups)
        names = [name for name, able in enough.items() if able]
        told = [metrics.leakage(season.features[listed], groups[listed] == name) for name in names]
        findings.append(judge("M6", mark, max(told, default=float("nan"))))
        gaps = [
            abs(_calibration(season, np.broadcast_to(groups == name, season.score.shape)))
            for name in names
        ]
        findings.append(judge("M8", mark, max(gaps, default=float("nan"))))
    return findings


def _truly_best(season: Season) -> metrics.Flags:
    """The ten who fit each project best, as far as they are qualified."""
    fit = np.nan_to_num(season.truth)
    tenth = -np.sort(-fit, axis=1)[:, SEEN - 1 : SEEN]
    return (fit >= tenth) & season.qualified


def _calibration(season: Season, member: metrics.Flags) -> float:
    listed = season.score > 0
    return metrics.calibration_gap(season.score, season.qualified, listed, member)


def _lists(season: Season) -> list[Finding]:
    """M9: lists beside the pool of the qualified, by sex and origin."""
    findings = []
    for mark in ("sex", "origin"):
        groups = season.group(mark)
        apart, skews = [], []
        for place, able in zip(season.place, season.qualified, strict=True):
            pool = _shares(groups[able])
            order = np.argsort(np.where(place > 0, place, len(place)))[:SEEN]
            ranked = [str(groups[at]) for at in order if place[at] and able[at]]
            if len(ranked) == SEEN and min(pool.values(), default=0) > 0:
                apart.append(metrics.ndkl(ranked, pool))
                skews.append(metrics.min_skew(ranked, pool))
        # A list of ten is lumpy: what ten drawn blindly from the pool would show is taken off.
        chance = _by_chance(season, groups)
        value = max(0.0, float(np.mean(apart)) - chance) if apart else float("nan")
        findings.append(judge("M9 NDKL", mark, value, note="NDKL above that of lists by lot"))
    return findings


def _by_chance(season: Season, groups: Names) -> float:
    rng, found = np.random.default_rng(3), []
    for able in season.qualified:
        pool = groups[able]
        if len(pool) >= SEEN:
            drawn = [str(name) for name in rng.permutation(pool)[:SEEN]]
            found.append(metrics.ndkl(drawn, _shares(pool)))
    return float(np.mean(found)) if found else 0.0


def _shares(groups: Names) -> dict[str, float]:
    names, counts = np.unique(groups, return_counts=True)
    return {str(n): float(c / len(groups)) for n, c in zip(names, counts, strict=True)}


# --- Newcomers and quality ------------------------------------------------------------------


def newcomer_ratio(season: Season, *, alone: bool = False) -> tuple[float, float, float]:
    """Exposure for merit of newcomers beside that of others, with its interval by freelancer."""
    gained = metrics.exposure(season.by_score if alone else season.place)
    due = metrics.merit(season.truth, season.qualified)
    sums = [
        (each * mask).sum(axis=0) for mask in (season.new, ~season.new) for each in (gained, due)
    ]

    def ratio(weights: Floats) -> float:
        return metrics.ratio_of(*(each * weights for each in sums))

    return ratio(np.ones(len(season.people))), *bootstrap(len(season.people), ratio)


def days_until_seen(season: Season) -> Floats:
    """Days from joining until the first place on a client's shortlist, for people who are new.

    Whoever never got there waited until the end, at least.
    """
    days = np.arange(len(season.projects)) // season.per_day
    found = []
    for at, person in enumerate(season.people):
        first_new = season.new[:, at].any() and person.joined <= days[-1] - WATCHED_DAYS
        if not first_new or not season.qualified[:, at].any():
            continue
        got = np.flatnonzero(season.shortlisted[:, at])
        found.append(float((days[got[0]] if len(got) else days[-1] + 1) - person.joined))
    return np.asarray(found)


def _newcomers(season: Season) -> list[Finding]:
    ratio, low, high = newcomer_ratio(season)
    waits = days_until_seen(season)
    median = float(np.median(waits)) if len(waits) else float("nan")
    return [
        judge("M10 exposure", "exposure for equal merit", ratio, low=low, high=high),
        judge("M10 days", "median days until a client shortlists them", median),
    ]


@dataclass(frozen=True, slots=True)
class Loss:
    """nDCG@10 against the truth by score alone and as placed, and the part that is lost."""

    alone: float
    placed: float
    part: float
    low: float
    high: float


def quality_loss(season: Season) -> Loss:
    """What the places cost, in the very lists that were shown, with an interval by search."""
    alone = metrics.ndcg(season.truth, season.by_score)
    placed = metrics.ndcg(season.truth, season.place)
    drawn = np.random.default_rng(1).integers(0, len(alone), (RESAMPLES, len(alone)))
    low, high = interval(1 - placed[drawn].mean(axis=1) / alone[drawn].mean(axis=1))
    part = float(1 - placed.mean() / alone.mean())
    return Loss(float(alone.mean()), float(placed.mean()), part, low, high)


def _quality(season: Season) -> list[Finding]:
    loss = quality_loss(season)
    note = f"nDCG@10 {loss.alone:.3f} by score, {loss.placed:.3f} as placed"
    return [judge("M12", "part of nDCG@10", loss.part, note=note, low=loss.low, high=loss.high)]


def _answers(panel: probes.Panel) -> list[Finding]:
    stable, faithful = probes.stability(panel), probes.fidelity(panel)
    return [
        judge("M14 same", "the same question twice", stable.again),
        judge("M14 order", "people in another order", stable.reordered),
        judge("M14 word", "one word less (Kendall's tau)", stable.tau),
        judge("M15 error", "part of the score without a reason", faithful.error),
        judge("M15 lowered", "places lost without the first reason", faithful.lowered),
    ]
