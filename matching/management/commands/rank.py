"""Rank the documents of a file for the queries of another, with the matcher the site uses."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.core import clock
from matching.engine.documents import HistoryItem, Need, PersonDoc, Ranked

DEPTH = 100


class Command(BaseCommand):
    """`manage.py rank --docs D.jsonl --queries Q.jsonl --out RUN.jsonl`."""

    help = (
        "Rank people for projects (or, with --direction projects, projects for people) "
        "from JSON lines, and write one line per query: its id and the ids found, best first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--docs", type=Path, required=True, help="what is ranked")
        parser.add_argument("--queries", type=Path, required=True, help="for whom or what")
        parser.add_argument("--out", type=Path, required=True, help="the run file to write")
        parser.add_argument("--direction", choices=("people", "projects"), default="people")

    def handle(self, *args: Any, **options: Any) -> None:
        # The engine loads numpy and scipy, which listing the commands should not.
        from matching.engine.encoder import load_encoder, why_not  # noqa: PLC0415
        from matching.engine.meaning import Reader  # noqa: PLC0415
        from matching.engine.rank import build_index  # noqa: PLC0415

        people, needs = read_both(options["docs"], options["queries"], options["direction"])
        ranked = {"people": (people, ()), "projects": ((), needs)}[options["direction"]]
        encoder = load_encoder()
        read = Reader(encoder) if encoder else None
        matcher = build_index(*ranked, at=last_day(people, needs), read=read)
        run: Iterator[tuple[str, list[Ranked]]]
        if options["direction"] == "people":
            run = ((need.id, matcher.people_for(need, DEPTH)) for need in needs)
        else:
            run = ((person.id, matcher.needs_for(person, DEPTH)) for person in people)
        count = 0
        with options["out"].open("w", encoding="utf-8") as out:
            for qid, found in run:
                line = {"qid": qid, "ranking": [each.id for each in found]}
                out.write(json.dumps(line) + "\n")
                count += 1
        self.stdout.write(f"Ranked {count} queries ({matcher.engine}).")
        if not encoder:
            self.stdout.write(f"By words only. {why_not()}")


def read_both(docs: Path, queries: Path, direction: str) -> tuple[list[PersonDoc], list[Need]]:
    """The people and the projects of two files; `direction` says which of them is ranked."""
    people, needs = (docs, queries) if direction == "people" else (queries, docs)
    return [_person(row) for row in _rows(people)], [_need(row) for row in _rows(needs)]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CommandError(f"Cannot read {path}: {error.strerror}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield {**row, "id": str(row["id"])}
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{path}, line {number} is not an object with an id.") from error


def _person(row: Mapping[str, Any]) -> PersonDoc:
    return PersonDoc(
        id=row["id"],
        title=row.get("title") or "",
        bio=row.get("bio") or "",
        skills=tuple((skill["name"], skill.get("count") or 0) for skill in row.get("skills", ())),
        history=tuple(
            HistoryItem(
                title=item.get("title") or "",
                text=item.get("text") or "",
                skills=tuple(item.get("skills", ())),
                date=_day(item.get("date")),
            )
            for item in row.get("history", ())
        ),
    )


def _need(row: Mapping[str, Any]) -> Need:
    return Need(
        id=row["id"],
        title=row.get("title") or "",
        description=row.get("description") or "",
        skills=tuple(row.get("skills", ())),
        posted_at=_day(row.get("posted_at")),
        client=row.get("client") or "",
    )


def _day(text: str | None) -> date | None:
    """The day of an ISO date; a year or a month stands for its first day."""
    written = (text or "")[:10]
    try:
        return date.fromisoformat(written + "-01-01"[len(written) - 4 :])
    except ValueError:
        return None


def last_day(people: Iterable[PersonDoc], needs: Iterable[Need]) -> date:
    """The day the files speak of: that of the newest past work in them."""
    days = [work.date for person in people for work in person.history if work.date]
    days = days or [need.posted_at for need in needs if need.posted_at]
    return max(days, default=clock.now().date())
