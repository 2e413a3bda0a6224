"""How well the matcher ranks, on labelled outcomes in the form that `manage.py rank` reads.

    .venv/bin/python bench/matching_quality.py --kit DIR [--runs DIR] [--quick]

DIR holds one folder per suite with docs.jsonl, queries.jsonl and qrels.jsonl (and candidates.jsonl
where people judged only some projects). Prints one JSON line per suite and yardstick: nDCG@10 of
our matcher beside BM25 over whole profiles and BM25 votes of past works without our additions,
with a bootstrap interval of ours and the paired p of the difference. --runs keeps the run files.
"""

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.test")

import django

django.setup()

from matching.engine import index, votes  # noqa: E402
from matching.engine.bm25 import Bm25, best  # noqa: E402
from matching.engine.documents import Need, PersonDoc  # noqa: E402
from matching.engine.rank import build_index  # noqa: E402
from matching.engine.text import terms  # noqa: E402
from matching.management.commands.rank import DEPTH, last_day, read_both  # noqa: E402

Run = dict[str, list[str]]
RESAMPLES = 2000


def ours(people: list[PersonDoc], needs: list[Need], direction: str) -> Run:
    """What the product answers."""
    matcher = build_index(people, needs, at=last_day(people, needs))
    if direction == "people":
        return {n.id: [f.id for f in matcher.people_for(n, DEPTH)] for n in needs}
    return {p.id: [f.id for f in matcher.needs_for(p, DEPTH)] for p in people}


def bm25_profile(people: list[PersonDoc], needs: list[Need], direction: str) -> Run:
    """BM25 with everything a person did and said as one document."""
    told = {p.id: _everything(p) for p in people}
    asked = {n.id: terms(f"{n.title} {n.description} {' '.join(n.skills)}") for n in needs}
    docs, queries = (told, asked) if direction == "people" else (asked, told)
    ids, matrix = list(docs), Bm25(list(docs.values()))
    clients = {n.id: n.client for n in needs}
    return {
        qid: _named(matrix.scores(matrix.query(query, limit=300)), ids, clients.get(qid, ""))
        for qid, query in queries.items()
    }


def bm25_vote(people: list[PersonDoc], needs: list[Need], direction: str) -> Run:
    """BM25 votes of the past works alone: no titles apart, no skills, no own words."""
    if direction == "projects":
        return _works_for_projects(people, needs)
    works = [(at, work) for at, person in enumerate(people) for work in person.history]
    owners = np.asarray([at for at, _ in works])
    matrix = Bm25([terms(f"{w.title} {w.text} {' '.join(w.skills)}") for _, w in works])
    items = [work for _, work in works]
    days, weights = index.days_of(items), index.weights_of(items)
    today, run = last_day(people, needs), {}
    for need in needs:
        at = max(today, need.posted_at or today)
        query = matrix.query(terms(f"{need.title} {need.description} {' '.join(need.skills)}"))
        voices = votes.voice(at.toordinal() - days, weights)
        given = votes.hold(matrix, query, owners=owners, people=len(people), voices=voices)
        run[need.id] = _named(given.by_owner, [p.id for p in people], need.client)
    return run


def _works_for_projects(people: list[PersonDoc], needs: list[Need]) -> Run:
    matrix = Bm25([terms(f"{need.title} {need.description}") for need in needs])
    run = {}
    for person in people:
        queries = [matrix.query(terms(f"{w.title} {w.text}")) for w in person.history]
        ages = last_day(people, needs).toordinal() - index.days_of(person.history)
        voices = votes.voice(ages, index.weights_of(person.history))
        total = (voices[:, np.newaxis] * matrix.score_all(queries)).sum(axis=0)
        run[person.id] = _named(total, [need.id for need in needs], "")
    return run


def _everything(person: PersonDoc) -> list[str]:
    works = " ".join(f"{w.title} {w.text} {' '.join(w.skills)}" for w in person.history)
    return index.own_terms(person) + terms(works)


def _named(scores: np.ndarray, ids: Sequence[str], client: str) -> list[str]:
    found = [ids[place] for place in best(scores, DEPTH + 1)]
    return [name for name in found if name != client][:DEPTH]


def ndcg(ranking: Sequence[str], gains: Mapping[str, float], k: int = 10) -> float:
    """nDCG@k with the gain itself and log2 of the rank, as the kit defines it."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    got = [gains.get(name, 0.0) for name in ranking[:k]]
    ideal = sorted(gains.values(), reverse=True)[:k]
    return float(np.dot(got, discounts[: len(got)]) / np.dot(ideal, discounts[: len(ideal)]))


def measure(suite: Path, runs: Path | None) -> None:
    """Print the figures of one suite."""
    gains: dict[str, dict[str, float]] = defaultdict(dict)
    for row in _rows(suite / "qrels.jsonl"):
        gains[row["qid"]][row["did"]] = float(row["rel"])
    judged = (suite / "candidates.jsonl").exists()
    direction = "projects" if judged else "people"
    people, needs = read_both(suite / "docs.jsonl", suite / "queries.jsonl", direction)
    values: dict[str, np.ndarray] = {}
    rankers: tuple[Callable[..., Run], ...] = (ours, bm25_vote, bm25_profile)
    for ranker in rankers:
        run = ranker(people, needs, direction)
        if runs:
            _keep(run, runs / f"{suite.name}.{ranker.__name__}.jsonl")
        values[ranker.__name__] = np.asarray(
            [
                ndcg([d for d in run.get(q, ()) if not judged or d in rel], rel)
                for q, rel in sorted(gains.items())
            ]
        )
    sample = np.random.default_rng(0).integers(0, len(gains), (RESAMPLES, len(gains)))
    mine = values.pop("ours")
    low, high = np.quantile(mine[sample].mean(axis=1), (0.025, 0.975))
    for name, other in values.items():
        gaps = (mine - other)[sample].mean(axis=1)
        p = min(1.0, 2 * min((gaps <= 0).mean(), (gaps >= 0).mean()))
        line = {
            "figure": f"matching_ndcg10_{suite.name}_beside_{name}",
            "value": round(mine.mean(), 4),
            "unit": "nDCG@10",
            "yardstick": round(other.mean(), 4),
            "ratio": round(mine.mean() / other.mean(), 3),
            "n": len(gains),
            "interval95": [round(low, 4), round(high, 4)],
            "p": round(p, 4),
        }
        print(json.dumps(line), flush=True)


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _keep(run: Run, path: Path) -> None:
    lines = [json.dumps({"qid": qid, "ranking": found}) for qid, found in run.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kit", type=Path, required=True, help="folder with one folder per suite")
    parser.add_argument("--runs", type=Path, help="keep the run files in this folder")
    parser.add_argument("--quick", action="store_true", help="only the smallest suites")
    asked = parser.parse_args()
    suites = sorted(
        path.parent
        for path in asked.kit.glob("*/docs.jsonl")
        if (path.parent / "queries.jsonl").exists() and (path.parent / "qrels.jsonl").exists()
    )
    if asked.quick:
        suites = sorted(suites, key=lambda suite: (suite / "docs.jsonl").stat().st_size)[:3]
    for suite in suites:
        measure(suite, asked.runs)


if __name__ == "__main__":
    main()
