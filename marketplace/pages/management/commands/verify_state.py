"""Prove that projects, bids, contracts, holds and disputes tell one story."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.pages import proofs


class Command(BaseCommand):
    help = "Check what takes several tables to see; exits non-zero and names the rows."

    def handle(self, *args: Any, **options: Any) -> None:
        looked_at, problems = proofs.broken_laws()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} of {len(proofs.LAWS)} laws are broken.")
        self.stdout.write(f"state: {len(proofs.LAWS)} laws hold for {looked_at} rows")
