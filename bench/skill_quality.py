"""How well skills are found in texts, suggested for postings, and recognised when mistyped.

    .venv/bin/python bench/skill_quality.py [--kit DIR] [--learn FILE] [--quick]

DIR holds `common/` with what can be found (skills, tags) and `public/` with labelled sentences
(`skill_*`) and postings (`tags`). Every figure about a learned model is cross-fitted: nothing is
measured on what it learned from. Prints one JSON line per figure, beside a yardstick of the same
run, with a bootstrap interval and the paired p of the difference. --learn writes the weights that
ship (numbers only) into FILE. Without --kit only the list of skills that ships is measured.
"""

import argparse
import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.test")

import django

django.setup()

from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from accounts import curated  # noqa: E402
from accounts.nearness import Spellings  # noqa: E402
from accounts.services.naming import ASK, SURE  # noqa: E402
from accounts.spelling import fold_skill  # noqa: E402
from matching.engine import tags  # noqa: E402
from matching.engine.encoder import load_encoder  # noqa: E402
from matching.engine.extract import FUSION, SkillReader, Weights  # noqa: E402
from matching.engine.labels import Label  # noqa: E402
from matching.management.commands.extract_skills import rows_of, text_of  # noqa: E402

RESAMPLES = 2000
FOLDS = 10
TAG_FOLDS = 5
# How strongly the logistic model is held back: a hundred sentences teach a dozen weights.
FREEDOM = 0.1
SKILL_SUITES = ("skill_tech", "skill_house")


@dataclass(frozen=True)
class Case:
    """A sentence with its candidates, and the ids that people gave it."""

    suite: str
    right: frozenset[str]
    owners: list[str]
    rows: dict[str, Any]


def cases_of(kit: Path, encoder: Any) -> list[Case]:
    """Every labelled sentence of the kit, read with the product's own reader."""
    labels = [
        Label(row["id"], (row["title"],)) for row in rows_of(kit / "common/esco_skills.jsonl")
    ]
    reader = SkillReader(labels, encoder)
    found = []
    for suite in SKILL_SUITES:
        right = rights_of(kit / "public" / suite)
        for row in rows_of(kit / "public" / suite / "queries.jsonl"):
            places, rows, _said = reader.candidates(text_of(row))
            owners = [labels[place].id for place in places]
            found.append(Case(suite, frozenset(right[row["id"]]), owners, rows))
    return found


def rights_of(folder: Path) -> dict[str, dict[str, float]]:
    """Query → what people said is right for it."""
    right: dict[str, dict[str, float]] = defaultdict(dict)
    for line in (folder / "qrels.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        right[row["qid"]][row["did"]] = float(row["rel"])
    return right


def learn(cases: Sequence[Case]) -> dict[str, Any]:
    """The weights of the logistic model, as the product reads them."""
    names = list(cases[0].rows)
    table = np.vstack([np.column_stack([case.rows[name] for name in names]) for case in cases])
    hits = np.asarray([owner in case.right for case in cases for owner in case.owners])
    scaler = StandardScaler().fit(table)
    model = LogisticRegression(C=FREEDOM, max_iter=2000).fit(scaler.transform(table), hits)
    return {
        "features": names,
        "mean": np.round(scaler.mean_, 6).tolist(),
        "scale": np.round(scaler.scale_, 6).tolist(),
        "weights": np.round(model.coef_[0], 6).tolist(),
        "bias": round(float(model.intercept_[0]), 6),
        "accept": 0.5,
    }


def cross_fitted(cases: Sequence[Case]) -> list[npt.NDArray[np.float64]]:
    """The likelihoods of each case's candidates by a model that did not see the case."""
    turn = np.random.default_rng(0).permutation(len(cases)) % FOLDS
    likely: list[Any] = [None] * len(cases)
    for fold in range(FOLDS):
        weights = Weights(learn([case for case, at in zip(cases, turn, strict=True) if at != fold]))
        for place in np.flatnonzero(turn == fold):
            likely[place] = weights.likely(cases[place].rows)
    return likely


def accepting(cases: Sequence[Case], likely: Sequence[Any]) -> tuple[float, float, float]:
    """(threshold, precision, recall): where precision and recall together are best."""
    chances = np.concatenate(likely)
    hits = np.asarray([owner in case.right for case in cases for owner in case.owners])
    total = sum(len(case.right) for case in cases)
    best = (0.5, 0.0, 0.0)
    for threshold in np.arange(0.05, 0.6, 0.01):
        shown = chances >= threshold
        if shown.any():
            precision, recall = hits[shown].mean(), hits[shown].sum() / total
            if precision * recall / max(precision + recall, 1e-9) > best[1] * best[2] / max(
                best[1] + best[2], 1e-9
            ):
                best = (round(float(threshold), 2), float(precision), float(recall))
    return best


def fused(rows: Mapping[str, Any], names: Iterable[str]) -> Any:
    """Rank fusion of these features without any learning."""
    places = {name: np.argsort(np.argsort(-rows[name], kind="stable")) for name in names}
    return np.asarray(sum(1 / (FUSION + ranks) for ranks in places.values()))


def rp5(owners: Sequence[str], scores: Any, right: frozenset[str]) -> float:
    """The share of the right ones among the first five, of as many as could be there."""
    first = [owners[place] for place in np.argsort(-scores, kind="stable")[:5]]
    return len(right.intersection(first)) / min(5, len(right))


def measure_skills(kit: Path, encoder: Any, learned_into: Path | None) -> None:
    """Print RP@5 of each suite, and learn what ships."""
    ways = {"words_only": None, "with_encoder": encoder} if encoder else {"words_only": None}
    shipped: dict[str, Any] = {}
    for way, using in ways.items():
        cases = cases_of(kit, using)
        likely = cross_fitted(cases)
        plain = ("words", "pieces", "meaning") if using else ("words", "pieces")
        for suite in SKILL_SUITES:
            chosen = [at for at, case in enumerate(cases) if case.suite == suite]
            mine = [rp5(cases[at].owners, likely[at], cases[at].right) for at in chosen]
            base = [
                rp5(cases[at].owners, fused(cases[at].rows, plain), cases[at].right)
                for at in chosen
            ]
            report(f"{suite}_rp5_{way}_beside_rank_fusion", mine, base, "RP@5")
        threshold, precision, recall = accepting(cases, likely)
        say(f"skill_accept_{way}", threshold, "likelihood", len(cases), precision, recall)
        shipped[way] = learn(cases) | {"accept": threshold}
    if learned_into:
        text = json.dumps({"learned": PROVENANCE, **shipped}, indent=1)
        learned_into.write_text(text + "\n", "utf-8")


PROVENANCE = (
    "bench/skill_quality.py --learn: logistic regression on the candidates of 136 labelled "
    "job-ad sentences of the public matching kit; numbers only"
)


def measure_tags(kit: Path, encoder: Any) -> None:
    """Print nDCG@10 of learned tags beside looking for their names, cross-fitted."""
    labels = [
        Label(row["id"], (row["title"],)) for row in rows_of(kit / "common/upwork_tags.jsonl")
    ]
    queries = list(rows_of(kit / "public/tags/queries.jsonl"))
    right = rights_of(kit / "public/tags")
    texts = [text_of(query) for query in queries]
    chosen = [frozenset(right[query["id"]]) for query in queries]
    truth = np.asarray([[float(label.id in some) for label in labels] for some in chosen])
    names = tags.by_name(labels, texts, encoder)
    base = [tags.ndcg(row, hit) for row, hit in zip(names, truth, strict=True)]
    ways = {"words_only": None, "with_encoder": encoder} if encoder else {"words_only": None}
    for way, using in ways.items():
        lessons = tags.Lessons(texts, chosen, labels, using)
        scores = tags.cross_fitted(lessons, folds=TAG_FOLDS)
        mine = [tags.ndcg(row, hit) for row, hit in zip(scores, truth, strict=True)]
        report(f"tags_ndcg10_{way}_beside_names", mine, base, "nDCG@10")


# --- Names as people type them --------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def measure_names() -> None:
    """How often a mistyped or unlisted spelling of our own list is read rightly."""
    spelled = [
        (folded, name)
        for group in curated.areas()
        for name, others in group["skills"].items()
        for folded in dict.fromkeys(map(fold_skill, [name, *others]))
    ]
    numbers = {name: at for at, name in enumerate(dict.fromkeys(name for _f, name in spelled))}
    known = {folded for folded, _name in spelled}
    index = Spellings([(folded, numbers[name]) for folded, name in spelled])
    chance = random.Random(0)
    typed = [(slip(folded, chance), numbers[name]) for folded, name in spelled if len(folded) > 3]
    typed = [(text, owner) for text, owner in typed if text not in known]
    read = [(index.nearest(text, limit=1) or [(-1, 0.0)])[0] + (owner,) for text, owner in typed]
    for name, least in (("sure", SURE), ("asked", ASK)):
        taken = [found == owner for found, nearness, owner in read if nearness >= least]
        say(f"mistyped_{name}_share", len(taken) / len(read), "share", len(read))
        say(f"mistyped_{name}_precision", sum(taken) / len(taken), "share", len(taken))


def slip(text: str, chance: random.Random) -> str:
    """One slip of the finger: a letter left out, doubled up, wrong, or two swapped."""
    at, letter = chance.randrange(len(text) - 1), chance.choice(LETTERS)
    changes: tuple[Callable[[], str], ...] = (
        lambda: text[:at] + text[at + 1 :],
        lambda: text[:at] + letter + text[at:],
        lambda: text[:at] + letter + text[at + 1 :],
        lambda: text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )
    return chance.choice(changes)()


# --- Reports --------------------------------------------------------------------------------


def report(figure: str, mine: Sequence[float], base: Sequence[float], unit: str) -> None:
    """One line: ours, the yardstick, a bootstrap interval of ours and the paired p."""
    ours, theirs = np.asarray(mine), np.asarray(base)
    sample = np.random.default_rng(0).integers(0, len(ours), (RESAMPLES, len(ours)))
    low, high = np.quantile(ours[sample].mean(axis=1), (0.025, 0.975))
    gaps = (ours - theirs)[sample].mean(axis=1)
    p = min(1.0, 2 * min((gaps <= 0).mean(), (gaps >= 0).mean()))
    line = {
        "figure": figure,
        "value": round(ours.mean(), 4),
        "unit": unit,
        "yardstick": round(theirs.mean(), 4),
        "ratio": round(ours.mean() / theirs.mean(), 3),
        "n": len(ours),
        "interval95": [round(low, 4), round(high, 4)],
        "p": round(p, 4),
    }
    print(json.dumps(line), flush=True)


def say(
    figure: str,
    value: float,
    unit: str,
    n: int,
    precision: float | None = None,
    recall: float | None = None,
) -> None:
    """One line without a yardstick."""
    line: dict[str, Any] = {"figure": figure, "value": round(value, 4), "unit": unit, "n": n}
    if precision is not None and recall is not None:
        line |= {"precision": round(precision, 3), "recall": round(recall, 3)}
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kit", type=Path, help="folder with common/ and public/")
    parser.add_argument("--learn", type=Path, help="write the weights that ship into this file")
    parser.add_argument("--quick", action="store_true", help="skills by words only, no tags")
    asked = parser.parse_args()
    measure_names()
    if asked.kit is None:
        return
    encoder = None if asked.quick else load_encoder()
    measure_skills(asked.kit, encoder, asked.learn)
    if not asked.quick:
        measure_tags(asked.kit, encoder)


if __name__ == "__main__":
    main()
