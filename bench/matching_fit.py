"""Fits the weights of the matcher on labelled outcomes; says how they do on what they never saw.

    .venv/bin/python bench/matching_fit.py --kit DIR [--suites work_2013 ...] [--write | --out FILE]

DIR holds one folder per suite as for matching_quality.py; queries_all.jsonl and qrels_all.jsonl,
where there, are used for fitting only. A query counts 1/sqrt(n) for a winner of n queries, new,
middling and heavy winners count alike, and so do suites: else the weights learn who is popular.
Prints a JSON line per suite with nDCG@10 of weights fitted on all the others. --write puts the
weights fitted on everything into matching/engine/weights.json with where they come from, --out into
a file, which matching_weights.py measures before it is entered in the console.
"""

import argparse
import hashlib
import json
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.test")

import django

django.setup()

from marketplace.core import clock  # noqa: E402
from matching.engine.encoder import load_encoder, why_not  # noqa: E402
from matching.engine.meaning import Reader  # noqa: E402
from matching.engine.rank import VERSION, Matcher  # noqa: E402
from matching.engine.weights import FILE, load_weights  # noqa: E402
from matching.management.commands.rank import last_day, read_both  # noqa: E402

# A fit may not go below these: sources differ in what they lack, and a weight that one of them
# has no use for (its people have no skills, or no bios) must not vanish for all.
LEAST = {"skills": 0.2, "words": 0.1}
# No outcome tells how to weigh what these say. The last three together are at most a fifth of
# all weights: outcomes of the past would reward whoever was busy and punish a break.
FIXED = ("vote", "fresh", "profile", "proof", "active", "recent")
STEPS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5)
ROUNDS = 3
# A step that gains less is noise.
GAIN = 0.002


@dataclass(frozen=True)
class Suite:
    """The features of everybody for every query, and who was chosen."""

    name: str
    names: tuple[str, ...]
    features: np.ndarray  # query x person x feature
    gains: np.ndarray  # query x person
    judged: np.ndarray  # queries that are scored; the others only help fitting
    slices: np.ndarray  # new, middling, heavy: x person


def read_suite(folder: Path) -> Suite:
    """The features as the product computes them."""
    people, needs = read_both(folder / "docs.jsonl", folder / "queries.jsonl", "people")
    gains = _gains(folder / "qrels.jsonl")
    judged = {need.id for need in needs} & set(gains)
    if (folder / "queries_all.jsonl").exists():
        more = read_both(folder / "docs.jsonl", folder / "queries_all.jsonl", "people")[1]
        needs += [need for need in more if need.id not in judged]
        gains = _gains(folder / "qrels_all.jsonl") | gains
    encoder = load_encoder()
    matcher = Matcher(
        people, (), at=last_day(people, needs), read=Reader(encoder) if encoder else None
    )
    rows, chosen, scored = [], [], []
    names: tuple[str, ...] = ()
    for need in needs:
        ids, features = matcher.features_for(need)
        gain = np.asarray([gains[need.id].get(name, 0.0) for name in ids])
        if gain.any():
            names = tuple(features)
            rows.append(np.stack([features[name] for name in names], axis=1).astype(np.float32))
            chosen.append(gain)
            scored.append(need.id in judged)
    works = {person.id: len(person.history) for person in people}
    count = np.asarray([works[name] for name in ids])
    slices = np.stack([count <= 3, (count > 3) & (count <= 30), count > 30])
    return Suite(folder.name, names, np.stack(rows), np.stack(chosen), np.asarray(scored), slices)


def ndcg10(scores: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """nDCG@10 of every row; nan where nothing is relevant."""
    discounts = 1 / np.log2(np.arange(2, 12))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    got = np.take_along_axis(gains, order, axis=1)
    ideal = -np.sort(-gains, axis=1)[:, :10]
    best = ideal @ discounts[: ideal.shape[1]]
    with np.errstate(invalid="ignore"):
        return (got @ discounts[: got.shape[1]]) / np.where(best > 0, best, np.nan)


def merit(suite: Suite, weights: np.ndarray) -> float:
    """nDCG@10 with popular winners damped, plus the same with the three slices counting alike."""
    winner = suite.gains.argmax(axis=1)
    damped = 1 / np.sqrt(np.bincount(winner, minlength=suite.gains.shape[1])[winner])
    found = ndcg10(suite.features @ weights, suite.gains)
    slices = suite.slices[:, winner]
    each = [np.average(found[row], weights=damped[row]) for row in slices if row.any()]
    return float(np.average(found, weights=damped) + np.mean(each))


def fit(suites: list[Suite]) -> np.ndarray:
    """Weights by coordinate ascent from those of today, every one at least zero."""
    names = suites[0].names
    today = load_weights()
    weights = np.asarray([max(today[name], LEAST.get(name, 0.0)) for name in names], np.float32)
    best = sum(merit(suite, weights) for suite in suites)
    for _ in range(ROUNDS):
        before = best
        for place, name in enumerate(names):
            for step in STEPS:
                if name in FIXED or step < LEAST.get(name, 0.0) or step == weights[place]:
                    continue
                tried = weights.copy()
                tried[place] = step
                if (found := sum(merit(suite, tried) for suite in suites)) > best + GAIN:
                    weights, best = tried, found
        if best == before:
            break
    return weights


def report(suite: Suite, weights: np.ndarray) -> None:
    """How weights that were fitted elsewhere do here."""
    row = suite.judged
    scores, gains = suite.features[row] @ weights, suite.gains[row]
    by_slice = [np.nanmean(ndcg10(scores, gains * s)) for s in suite.slices if gains[:, s].any()]
    line = {
        "figure": f"matching_left_out_{suite.name}",
        "value": round(float(np.nanmean(ndcg10(scores, gains))), 4),
        "unit": "nDCG@10",
        "balanced": round(float(np.mean(by_slice)), 4),
        "n": int(row.sum()),
        "weights": dict(zip(suite.names, map(_rounded, weights), strict=True)),
    }
    print(json.dumps(line), flush=True)


def write(suites: list[Suite], weights: np.ndarray, *, out: Path, data_sha256: str) -> None:
    """Write the weights with where they come from, without figures: they are not measured yet."""
    fitted = dict(zip(suites[0].names, map(_rounded, weights), strict=True))
    about = {
        "engine": VERSION,
        "method": "coordinate ascent on nDCG@10 plus balanced nDCG@10, weights at least zero",
        "winners": "each query counts 1/sqrt(n) for a winner of n queries",
        "suites": {suite.name: len(suite.gains) for suite in suites},
        "not fitted": list(FIXED),
        "on": clock.now().date().isoformat(),
        "data_sha256": data_sha256,
    }
    found = {"weights": dict(load_weights()) | fitted, "fitted": about, "figures": {}}
    out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def digest_of(folders: list[Path]) -> str:
    """The SHA-256 of everything that was fitted on."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.jsonl")):
        digest.update(f"{path.parent.name}/{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _rounded(weight: float) -> float:
    return round(float(weight), 3)


def _gains(path: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        found[row["qid"]][row["did"]] = float(row["rel"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kit", type=Path, required=True, help="folder with one folder per suite")
    parser.add_argument("--suites", nargs="+", default=["work_*", "qa_*"], help="names or patterns")
    parser.add_argument("--write", action="store_true", help="write the weights of all suites")
    parser.add_argument("--out", type=Path, help="write them into this file instead")
    asked = parser.parse_args()
    if not load_encoder():
        parser.error(f"Weights are fitted with the encoder. {why_not()}")
    folders = sorted({path for name in asked.suites for path in asked.kit.glob(name)})
    suites = [read_suite(folder) for folder in folders]
    for left_out in suites:
        report(left_out, fit([suite for suite in suites if suite is not left_out]))
    if asked.write or asked.out:
        out = asked.out or FILE
        write(suites, fit(suites), out=out, data_sha256=digest_of(folders))


if __name__ == "__main__":
    main()
