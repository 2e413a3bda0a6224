"""Prove that the books are whole."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.services import verification


class Command(BaseCommand):
    help = "Compute every sum of the ledger again; exits non-zero and names each row that is off."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for finding in verification.verify():
            verdict = f"{len(finding.broken)} do not" if finding.broken else "ok"
            self.stdout.write(f"{finding.counted:>9}  {finding.title}: {verdict}")
            for line in finding.broken:
                self.stderr.write(f"           {line}")
            broken += len(finding.broken)
        if broken:
            raise CommandError(f"{broken} rows are not as they must be.")
        self.stdout.write("ledger: whole")
