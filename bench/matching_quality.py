"""How well the matcher ranks, on labelled outcomes in the form that `manage.py rank` reads.

    .venv/bin/python bench/matching_quality.py --kit DIR [--runs DIR] [--quick]

DIR holds one folder per suite with docs.jsonl, queries.jsonl and qrels.jsonl (and candidates.jsonl
where people judged only some projects). Prints one JSON line per suite and yardstick: nDCG@10 of
our matcher beside rank fusion (RRF) of a BM25 vote and a MiniLM vote of past works, the BM25 vote
alone, and BM25 over whole profiles, with a bootstrap interval of ours and the paired p of the
difference; "balanced" is the mean over new (up to 3 past works), middling and heavy winners. At the
end the new ones of all suites together. --runs keeps the run files. Weights are what ships: fitted
on these very suites where they are the public kit; matching_fit.py prints the left-out figures.
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
from matching.engine.encoder import load_encoder, why_not  # noqa: E402
from matching.engine.meaning import Reader  # noqa: E402
from matching.engine.rank import build_index  # noqa: E402
from matching.engine.text import terms  # noqa: E402
from matching.management.commands.rank import DEPTH, last_day, read_both  # noqa: E402

Run = dict[str, list[str]]
RESAMPLES = 2000
FUSION = 60


def ours(
    people: list[PersonDoc],
    needs: list[Need],
    direction: str,
    weights: Mapping[str, float] | None = None,
) -> Run:
    """What the product answers, with the weights it comes with unless others are given."""
    ranked = (people, ()) if direction == "people" else ((), needs)
    encoder = load_encoder()
    read = Reader(encoder) if encoder else None
    matcher = build_index(*ranked, at=last_day(people, needs), read=read)
    matcher = matcher.weighing(weights) if weights else matcher
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
    works = [work for person in people for work in person.history]
    matrix = Bm25([terms(f"{w.title} {w.text} {' '.join(w.skills)}") for w in works])
    queries = [terms(f"{n.title} {n.description} {' '.join(n.skills)}") for n in needs]
    return _voted(people, needs, [matrix.scores(matrix.query(query)) for query in queries])


def rrf_of_votes(people: list[PersonDoc], needs: list[Need], direction: str) -> Run:
    """The strong baseline: rank fusion of the BM25 vote and of the vote of MiniLM vectors."""
    encoder = load_encoder()
    words = bm25_vote(people, needs, direction)
    if not encoder or direction == "projects":
        return words
    works = [work for person in people for work in person.history]
    vectors = encoder.encode([f"{w.title}. {w.text}" for w in works])
    asked = encoder.encode([f"{n.title}. {' '.join(n.skills)}. {n.description}" for n in needs])
    meant = _voted(people, needs, list((asked @ vectors.T).astype(float)))
    return {qid: _fused(words[qid], meant[qid]) for qid in words}


def _voted(people: list[PersonDoc], needs: list[Need], scores: list[np.ndarray]) -> Run:
    """The 100 nearest works vote, fading as design and kit have it: 0.3 + 0.7·e^(−age/365 d)."""
    items = [work for person in people for work in person.history]
    owners = np.repeat(np.arange(len(people)), [len(person.history) for person in people])
    days, today, run = index.days_of(items), last_day(people, needs), {}
    for need, found in zip(needs, scores, strict=True):
        ages = np.maximum(max(today, need.posted_at or today).toordinal() - days, 0)
        hits = best(found, votes.HITS)
        given = found[hits] * (0.3 + 0.7 * np.exp(-ages[hits] / 365))
        by_owner = np.bincount(owners[hits], weights=given, minlength=len(people))
        run[need.id] = _named(by_owner, [person.id for person in people], need.client)
    return run


def _fused(*rankings: Sequence[str]) -> list[str]:
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] += 1 / (FUSION + rank)
    return sorted(scores, key=lambda name: -scores[name])[:DEPTH]


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


def measure(suite: Path, runs: Path | None) -> dict[str, np.ndarray]:
    """Print the figures of one suite; returns nDCG@10 of new winners by ranker."""
    gains = gains_of(suite)
    judged = (suite / "candidates.jsonl").exists()
    direction = "projects" if judged else "people"
    people, needs = read_both(suite / "docs.jsonl", suite / "queries.jsonl", direction)
    works = {p.id: len(p.history) for p in people}
    slices = [
        {
            q: {d: g for d, g in rel.items() if low <= works.get(d, -1) <= high}
            for q, rel in gains.items()
        }
        for low, high in ((0, 3), (4, 30), (31, 10**9))
    ]
    values: dict[str, np.ndarray] = {}
    new: dict[str, np.ndarray] = {}
    balanced: dict[str, float | None] = {}
    rankers: tuple[Callable[..., Run], ...] = (ours, rrf_of_votes, bm25_vote, bm25_profile)
    for ranker in rankers:
        name, run = ranker.__name__, ranker(people, needs, direction)
        if runs:
            _keep(run, runs / f"{suite.name}.{name}.jsonl")
        if judged:
            run = {q: [d for d in found if d in gains[q]] for q, found in run.items()}
        values[name] = each_query(run, gains)
        by_slice = [each_query(run, rel) for rel in slices]
        new[name] = by_slice[0]
        balanced[name] = None if judged else float(np.mean([v.mean() for v in by_slice if len(v)]))
    for name in list(values)[1:]:
        _tell(
            f"{suite.name}_beside_{name}",
            values["ours"],
            values[name],
            balanced["ours"],
            balanced[name],
        )
    return new


def gains_of(suite: Path) -> dict[str, dict[str, float]]:
    """Who was relevant for which query, and how much."""
    gains: dict[str, dict[str, float]] = defaultdict(dict)
    for row in _rows(suite / "qrels.jsonl"):
        gains[row["qid"]][row["did"]] = float(row["rel"])
    return gains


def ndcg(ranking: Sequence[str], gains: Mapping[str, float], k: int = 10) -> float:
    """nDCG@k with the gain itself and log2 of the rank, as the kit defines it."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    got = [gains.get(name, 0.0) for name in ranking[:k]]
    ideal = sorted(gains.values(), reverse=True)[:k]
    return float(np.dot(got, discounts[: len(got)]) / np.dot(ideal, discounts[: len(ideal)]))


def each_query(run: Run, gains: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """nDCG@10 of every query somebody is relevant for, in the order of the query ids."""
    return np.asarray([ndcg(run.get(qid, ()), rel) for qid, rel in sorted(gains.items()) if rel])


def _tell(
    what: str,
    mine: np.ndarray,
    other: np.ndarray,
    balanced: float | None = None,
    other_balanced: float | None = None,
) -> None:
    sample = np.random.default_rng(0).integers(0, len(mine), (RESAMPLES, len(mine)))
    low, high = np.quantile(mine[sample].mean(axis=1), (0.025, 0.975))
    gaps = (mine - other)[sample].mean(axis=1)
    p = min(1.0, 2 * min((gaps <= 0).mean(), (gaps >= 0).mean()))
    line = {
        "figure": f"matching_ndcg10_{what}",
        "value": round(mine.mean(), 4),
        "unit": "nDCG@10",
        "yardstick": round(other.mean(), 4),
        "ratio": round(mine.mean() / other.mean(), 3) if other.any() else None,
        "n": len(mine),
        "interval95": [round(low, 4), round(high, 4)],
        "p": round(p, 4),
    }
    if balanced is not None and other_balanced is not None:
        line |= {"balanced": round(balanced, 4), "yardstick_balanced": round(other_balanced, 4)}
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
    if not load_encoder():
        print(f"By words only. {why_not()}", file=sys.stderr)
    new = [measure(suite, asked.runs) for suite in suites]
    for name in list(new[0])[1:]:
        mine, other = (np.concatenate([each[ranker] for each in new]) for ranker in ("ours", name))
        _tell(f"new_people_all_suites_beside_{name}", mine, other)


if __name__ == "__main__":
    main()
