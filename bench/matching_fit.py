"""Fits the weights of the matcher on labelled outcomes; says how they do on what they never saw.

    .venv/bin/python bench/matching_fit.py --kit DIR [--suites work_2013 ...] [--write | --out FILE]

DIR holds one folder per suite as for matching_quality.py; queries_all.jsonl and qrels_all.jsonl,
where there, are used for fitting only. A query counts 1/sqrt(n) for a winner of n queries, and
suites count alike: else the weights learn who is popular. Prints a JSON line per suite with
nDCG@10 of weights fitted on all the others, and one for all of them; no place is kept for anybody
there. --write puts the weights fitted on everything into matching/engine/weights.json with where
they come from, --out into a file, which matching_weights.py measures before it is entered in the
console.
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
from scipy.optimize import minimize

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

# Of the greatest weight. A fit may not go below these: sources differ in what they lack, and a
# weight that one of them has no use for (its people have no skills, or no bios) must not vanish.
LEAST = {"skills": 0.15, "words": 0.1}
# The sources have nobody without any past work, so they cannot tell how to weigh their profiles.
FIXED = {"fresh": 0.15, "profile": 0.15}
# Together at most a fifth of all weights, without meaning as well: outcomes of the past would
# reward whoever was busy and punish a break.
RECORD = ("proof", "active", "recent")
OF_MEANING = ("meaning", "meaning_best", "profile")
MOST_OF_RECORD = 0.2
# Pulls every weight towards nothing; a few hundred outcomes would else say too much.
RIDGE = 0.03


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


def fit(suites: list[Suite]) -> np.ndarray:
    """Weights, none below zero, under which those who were chosen are the likeliest choice.

    The likelihood is smooth where nDCG has steps, so a single query cannot decide a weight. The
    greatest weight is 1.
    """
    names = suites[0].names
    fitted = [place for place, name in enumerate(names) if name not in FIXED]
    data = [
        (
            suite.features[:, :, fitted],
            suite.gains / suite.gains.sum(axis=1, keepdims=True),
            _damped(suite) / len(suites),
        )
        for suite in suites
    ]

    def cost(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = RIDGE * float(weights @ weights), 2 * RIDGE * weights
        for features, wanted, damped in data:
            scores = features @ weights
            scores -= scores.max(axis=1, keepdims=True)
            chances = np.exp(scores)
            totals = chances.sum(axis=1, keepdims=True)
            value -= float(damped @ ((wanted * scores).sum(axis=1) - np.log(totals[:, 0])))
            surprise = (chances / totals - wanted) * damped[:, np.newaxis]
            slope = slope + np.tensordot(surprise, features, axes=([0, 1], [0, 1]))
        return value, slope

    start = np.full(len(fitted), 0.5)
    found = minimize(cost, start, jac=True, bounds=[(0, None)] * len(start), method="L-BFGS-B").x
    weights = dict(zip((names[place] for place in fitted), found / found.max(), strict=True))
    weights |= {name: max(weights[name], least) for name, least in LEAST.items()} | FIXED
    without = sum(weights[n] for n in names if n not in RECORD and n not in OF_MEANING)
    most = without * MOST_OF_RECORD / (1 - MOST_OF_RECORD)
    too_much = max(1.0, sum(weights[name] for name in RECORD) / most)
    weights |= {name: weights[name] / too_much for name in RECORD}
    return np.asarray([weights[name] for name in names])


def _damped(suite: Suite) -> np.ndarray:
    """What each query counts: less for those whose winner won often."""
    winner = suite.gains.argmax(axis=1)
    damped = 1 / np.sqrt(np.bincount(winner, minlength=suite.gains.shape[1])[winner])
    return np.asarray(damped / damped.sum())


def report(suite: Suite, weights: np.ndarray) -> tuple[float, float, np.ndarray]:
    """How weights that were fitted elsewhere do here: all, balanced, and each new winner."""
    row = suite.judged
    scores, gains = suite.features[row] @ weights, suite.gains[row]
    by_slice = [ndcg10(scores, gains * s) for s in suite.slices if gains[:, s].any()]
    balanced = float(np.mean([np.nanmean(each) for each in by_slice]))
    value = float(np.nanmean(ndcg10(scores, gains)))
    new = ndcg10(scores, gains * suite.slices[0])
    line = {
        "figure": f"matching_left_out_{suite.name}",
        "value": round(value, 4),
        "unit": "nDCG@10",
        "balanced": round(balanced, 4),
        "n": int(row.sum()),
        "weights": dict(zip(suite.names, map(_rounded, weights), strict=True)),
    }
    print(json.dumps(line), flush=True)
    return value, balanced, new[~np.isnan(new)]


def write(suites: list[Suite], weights: np.ndarray, *, out: Path, data_sha256: str) -> None:
    """Write the weights with where they come from, without figures: they are not measured yet."""
    fitted = dict(zip(suites[0].names, map(_rounded, weights), strict=True))
    about = {
        "engine": VERSION,
        "method": f"likelihood of who was chosen, weights at least zero, ridge {RIDGE}",
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
    found = [report(out, fit([each for each in suites if each is not out])) for out in suites]
    values, balanced, new = zip(*found, strict=True)
    line = {
        "figure": "matching_left_out_mean",
        "value": round(float(np.mean(values)), 4),
        "unit": "nDCG@10",
        "balanced": round(float(np.mean(balanced)), 4),
        "new": round(float(np.concatenate(new).mean()), 4),
        "n": len(suites),
    }
    print(json.dumps(line), flush=True)
    if asked.write or asked.out:
        out = asked.out or FILE
        write(suites, fit(suites), out=out, data_sha256=digest_of(folders))


if __name__ == "__main__":
    main()
