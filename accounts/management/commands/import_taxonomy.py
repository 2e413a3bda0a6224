"""Bring skills of a public classification into the list."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import taxonomy
from marketplace.core.errors import DomainError


class Command(BaseCommand):
    """`manage.py import_taxonomy FILE... [--dry-run]`."""

    help = (
        "Add the skills, spellings and links of ESCO files (skills, broaderRelationsSkillPillar, "
        "skillSkillRelations) or O*NET files (Technology Skills, Skills, Knowledge) to the list. "
        "Harmless to repeat; what is there stays as it is. Lines left out are named."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, help="CSV or tab-separated files")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = taxonomy.import_files(options["files"], dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(f"Cannot read {error.filename}: {error.strerror}.") from error
        except DomainError as error:
            raise CommandError(str(error)) from error
        for line in done.left_out:
            self.stderr.write(line)
        counts = (
            f"{done.counts[name]} {name}" for name in ("skills", "spellings", "codes", "links")
        )
        would = "would be added" if options["dry_run"] else "added"
        self.stdout.write(f"{', '.join(counts)} {would}; {len(done.left_out)} lines left out.")
