"""Measures a file of weights with the matcher of the product, and writes the figures into it.

    .venv/bin/python bench/matching_weights.py --kit DIR --weights FILE [--suites work_2013 ...]

FILE is JSON like matching/engine/weights.json, which `matching_fit.py --out FILE` writes too. Its
"figures" become nDCG@10 of every suite of people in DIR, with the places kept for newcomers, just
as lists are shown. A site puts weights to use only when their figures stand beside those of the
weights it has; enter the file in the console under "weights of the matcher".
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.matching_quality import each_query, gains_of, ours
from matching.engine.encoder import load_encoder, why_not
from matching.engine.weights import checked, digest_of, read
from matching.management.commands.rank import read_both


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kit", type=Path, required=True, help="folder with one folder per suite")
    parser.add_argument("--weights", type=Path, required=True, help="the file to measure and mend")
    parser.add_argument("--suites", nargs="+", default=["work_*", "qa_*"], help="names or patterns")
    asked = parser.parse_args()
    if not load_encoder():
        parser.error(f"Weights are measured with the encoder. {why_not()}")
    file = read(asked.weights.read_text("utf-8"))
    weights = checked(file["weights"])
    file |= {"figures": {}, "figures_of": digest_of(weights)}
    for suite in sorted({path for name in asked.suites for path in asked.kit.glob(name)}):
        people, needs = read_both(suite / "docs.jsonl", suite / "queries.jsonl", "people")
        found = each_query(ours(people, needs, "people", weights), gains_of(suite))
        row = {"ndcg10": round(float(found.mean()), 4), "n": len(found)}
        file["figures"][suite.name] = row
        line = {
            "figure": f"matching_weights_{suite.name}",
            "value": row["ndcg10"],
            "unit": "nDCG@10",
            "n": row["n"],
            "weights": digest_of(weights)[:8],
        }
        print(json.dumps(line), flush=True)
    asked.weights.write_text(json.dumps(file, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
