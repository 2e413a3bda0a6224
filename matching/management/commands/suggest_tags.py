"""Suggest tags for the postings of a file, as the site does."""

import json
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from matching.engine.labels import Label
from matching.management.commands.extract_skills import DEPTH, rows_of, text_of

if TYPE_CHECKING:
    from matching.engine.encoder import Encoder
    from matching.engine.extract import Floats


class Command(BaseCommand):
    """`manage.py suggest_tags --docs TAGS.jsonl --queries POSTINGS.jsonl --out RUN.jsonl`."""

    help = (
        "Suggest tags (id, title and perhaps aliases per line) for postings (id, title and "
        "perhaps description), and write one line per posting: its id and the tags, likeliest "
        "first. With --learn-from, a folder with queries.jsonl and qrels.jsonl of postings whose "
        "tags were chosen by clients, they are learned from those, as the site learns from its "
        "own every night; without it, the names of the tags are looked for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--docs", type=Path, required=True, help="the tags to choose from")
        parser.add_argument("--queries", type=Path, required=True, help="the postings")
        parser.add_argument("--out", type=Path, required=True, help="the run file to write")
        parser.add_argument("--learn-from", type=Path, help="folder with postings and choices")

    def handle(self, *args: Any, **options: Any) -> None:
        # The engine loads numpy and scipy, which listing the commands should not.
        import numpy as np  # noqa: PLC0415

        from matching.engine import tags  # noqa: PLC0415
        from matching.engine.encoder import load_encoder, why_not  # noqa: PLC0415

        encoder = load_encoder()
        if encoder is None:
            self.stderr.write(f"Without meanings, by words only: {why_not()}")
        labels = [
            Label(row["id"], (row["title"], *row.get("aliases", ())))
            for row in rows_of(options["docs"])
        ]
        queries = list(rows_of(options["queries"]))
        texts = [text_of(row) for row in queries]
        scores = tags.by_name(labels, texts, encoder)
        if options["learn_from"]:
            # What was learned comes first; names put the rest in order.
            scores = scores * 1e-3 + _learned(options["learn_from"], labels, texts, encoder)
        with options["out"].open("w", encoding="utf-8") as out:
            for row, values in zip(queries, scores, strict=True):
                best = np.argsort(-values, kind="stable")[:DEPTH]
                line = {"qid": row["id"], "ranking": [labels[place].id for place in best]}
                out.write(json.dumps(line) + "\n")
        self.stdout.write(f"Suggested tags for {len(queries)} postings.")


def _learned(
    folder: Path, labels: Sequence[Label], texts: Sequence[str], encoder: "Encoder | None"
) -> "Floats":
    import numpy as np  # noqa: PLC0415

    from matching.engine import tags  # noqa: PLC0415

    chosen: dict[str, list[str]] = defaultdict(list)
    try:
        for line in (folder / "qrels.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if row["rel"] > 0:
                chosen[str(row["qid"])].append(str(row["did"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"Cannot read qrels.jsonl in {folder}: {error}") from error
    seen = [row for row in rows_of(folder / "queries.jsonl") if chosen[row["id"]]]
    choices = [chosen[row["id"]] for row in seen]
    model = tags.Lessons([text_of(row) for row in seen], choices, labels, encoder).learn()
    column = {label.id: at for at, label in enumerate(labels)}
    scores: Floats = np.zeros((len(texts), len(labels)), np.float32)
    scores[:, [column[label.id] for label in model.labels]] = model.scores(texts, encoder)
    return scores
