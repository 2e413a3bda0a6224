"""What the matcher does to a market whose truth is known: who is seen, and what fairness costs.

    .venv/bin/python bench/matching_market.py [--quick] [--encoder] [--policies]

400 made-up people, a fifth of them new, and 3,000 searches over 20 days. What people can do is
set first and their texts are written from it; works are added as people are hired. Prints one
JSON line per figure: the product's places beside the order of scores alone, in a market of its
own each. Groups are measured over eight short seasons in which everybody stands in each group
once. --policies adds a line per setting of the places, --encoder compares meanings as well
(slow), --quick takes a small market.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.test")

import django

django.setup()

import numpy as np  # noqa: E402

from matching.audit import benchmark, metrics, season  # noqa: E402
from matching.audit.season import Make, Order, Season, Size, by_score, placed_by  # noqa: E402
from matching.engine.encoder import load_encoder, why_not  # noqa: E402
from matching.engine.meaning import Reader  # noqa: E402
from matching.engine.placing import Policy  # noqa: E402
from matching.engine.rank import build_index  # noqa: E402

FULL = Size()
QUICK = Size(people=120, searches=240, per_day=60)
# What the shipped policy is compared with.
POLICIES: Mapping[str, Policy] = {
    "shipped": Policy(),
    "no controller": Policy(strength=0.0),
    "controller 0.5": Policy(strength=0.5),
    "no kept places": Policy(kept=()),
    "places 3 and 10": Policy(kept=(2, 9)),
    "places 2, 5 and 10": Policy(kept=(1, 4, 9)),
    "floor 0.6": Policy(fit_floor=0.6),
}


def figures(place: Season, what: str, alone: Season | None = None) -> None:
    """Print what a season came to, beside the same of a market ranked by score alone."""
    loss = benchmark.quality_loss(place)
    _tell(f"{what}_ndcg10", loss.placed, "nDCG@10", loss.alone, len(place.projects))
    _tell(
        f"{what}_ndcg10_lost",
        100 * loss.part,
        "percent",
        2.0,
        len(place.projects),
        interval95=[round(100 * loss.low, 2), round(100 * loss.high, 2)],
    )
    ratio, low, high = benchmark.newcomer_ratio(place)
    other = benchmark.newcomer_ratio(alone)[0] if alone else 0.95
    interval = [round(low, 3), round(high, 3)]
    _tell(
        f"{what}_newcomers", ratio, "exposure ratio", other, len(place.people), interval95=interval
    )
    gained = metrics.exposure(place.place).sum(axis=0)
    here = place.there.mean(axis=0) >= 0.5
    base = metrics.exposure(alone.place).sum(axis=0) if alone else gained
    base_here = alone.there.mean(axis=0) >= 0.5 if alone else here
    rows = {
        "never_seen": lambda got: float((got == 0).mean() * 100),
        "gini": metrics.gini,
        "top_percent_share": lambda got: 100 * metrics.top_share(got),
    }
    units = {"never_seen": "percent of people", "gini": "Gini", "top_percent_share": "percent"}
    for name, count in rows.items():
        value, yardstick = count(gained[here]), count(base[base_here])
        _tell(f"{what}_{name}", value, units[name], yardstick, int(here.sum()))
    waits = benchmark.days_until_seen(place)
    before = benchmark.days_until_seen(alone) if alone else waits
    if len(waits) and len(before):
        _tell(
            f"{what}_days_to_shortlist",
            float(np.median(waits)),
            "days, median",
            float(np.median(before)),
            len(waits),
        )


def groups(make: Make, order: Order | None, size: Size) -> None:
    """Print the worst ratio of exposure by sex, origin, both, and country."""
    turns = benchmark.crossover(make, order, size=size)
    for name, rows in benchmark.tables_of(turns).items():
        worst = metrics.parity(rows)
        if name.startswith("M3") and worst:
            _tell(
                f"group_{name.removeprefix('M3 ')}",
                worst.ratio,
                "exposure ratio",
                0.95,
                worst.people,
                interval95=[round(worst.low, 3), round(worst.high, 3)],
            )


def _tell(
    what: str, value: float, unit: str, yardstick: float, n: int, **more: list[float]
) -> None:
    line = {
        "figure": f"matching_market_{what}",
        "value": round(value, 4),
        "unit": unit,
        "yardstick": round(yardstick, 4),
        "ratio": round(value / yardstick, 3) if yardstick else None,
        "n": n,
    }
    print(json.dumps(line | more), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small market")
    parser.add_argument("--encoder", action="store_true", help="compare meanings as well")
    parser.add_argument("--policies", action="store_true", help="other settings of the places too")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    make = _with_encoder() if asked.encoder else season.the_product
    placed = season.play(make, size=size)
    figures(placed, "placed", season.play(make, by_score, size=size))
    groups(make, None, size)
    if asked.policies:
        short = replace(size, searches=size.searches // 3)
        for name, policy in POLICIES.items():
            figures(season.play(make, placed_by(policy), size=short), name.replace(" ", "_"))


def _with_encoder() -> Make:
    encoder = load_encoder()
    if encoder is None:
        sys.exit(why_not())
    known = Reader(encoder)

    def make(people, marks, at):  # noqa: ANN001, ANN202 - as season.Make
        nonlocal known
        # What was read on the days before is not read again.
        known = Reader(encoder, known=known.used)
        return build_index(people, (), at=at, read=known)

    return make


if __name__ == "__main__":
    main()
