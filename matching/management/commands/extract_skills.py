"""Find skills in the texts of a file, with the reader the site uses."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

DEPTH = 100


class Command(BaseCommand):
    """`manage.py extract_skills --docs SKILLS.jsonl --queries TEXTS.jsonl --out RUN.jsonl`."""

    help = (
        "Find the skills of one file (id, title and perhaps aliases per line) in the texts of "
        "another (id, title and perhaps description), and write one line per text: its id, the "
        "skills likeliest first, and how many of them would be shown to a person."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--docs", type=Path, required=True, help="the skills to look for")
        parser.add_argument("--queries", type=Path, required=True, help="the texts to read")
        parser.add_argument("--out", type=Path, required=True, help="the run file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        # The engine loads numpy and scipy, which listing the commands should not.
        from matching.engine.encoder import load_encoder, why_not  # noqa: PLC0415
        from matching.engine.extract import SkillReader, shipped_weights  # noqa: PLC0415
        from matching.engine.labels import Label  # noqa: PLC0415

        encoder = load_encoder()
        if encoder is None:
            self.stderr.write(f"Without meanings, by words only: {why_not()}")
        labels = [
            Label(row["id"], (row["title"], *row.get("aliases", ())))
            for row in rows_of(options["docs"])
        ]
        reader = SkillReader(labels, encoder)
        accept = shipped_weights(with_encoder=encoder is not None).accept
        count = 0
        with options["out"].open("w", encoding="utf-8") as out:
            for row in rows_of(options["queries"]):
                found = reader.read(text_of(row))
                line = {
                    "qid": row["id"],
                    "ranking": [each.id for each in found[:DEPTH]],
                    "accepted": sum(each.likely >= accept for each in found),
                }
                out.write(json.dumps(line) + "\n")
                count += 1
        self.stdout.write(f"Read {count} texts.")


def text_of(row: Mapping[str, Any]) -> str:
    """What a line says: title and description, each a line of its own."""
    return "\n".join(filter(None, (row.get("title"), row.get("description"))))


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file, each an object with an id and a title; CommandError names the others."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CommandError(f"Cannot read {path}: {error.strerror}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield {**row, "id": str(row["id"]), "title": str(row["title"])}
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(
                f"{path}, line {number} is not an object with an id and a title."
            ) from error
