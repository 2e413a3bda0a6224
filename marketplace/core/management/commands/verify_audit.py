"""Prove that no sealed audit row was changed, removed or slipped in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.core import audit


class Command(BaseCommand):
    help = "Recompute the audit chain; exits non-zero and names the link on any difference."

    def handle(self, *args: Any, **options: Any) -> None:
        links, rows, problems = audit.verify()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} of {links} links do not hold.")
        self.stdout.write(f"audit: {rows} rows in {links} links, all as sealed")
