"""Make a logged ranking again from what was logged."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.core.models import AuditRow
from matching.selectors import log


class Command(BaseCommand):
    """`manage.py replay_match ID`."""

    help = (
        "Make a ranking again from its own record (factors, weights, attention, seed) and compare "
        "every place; exits non-zero and names the places that differ."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="the number of the ranking")

    def handle(self, *args: Any, **options: Any) -> None:
        run = log.ranking_to_replay(options["id"])
        if run is None:
            raise CommandError(f"There is no ranking {options['id']}.")
        try:
            differences = log.differences(run)
        except ValueError as why:
            raise CommandError(f"Ranking {run.pk} cannot be made again. {why}") from why
        seal = log.seal_of(run)
        if seal and not log.holds(seal):
            differences.append(f"seal: rankings around it are not what audit row {seal.pk} says")
        for difference in differences:
            self.stderr.write(difference)
        if differences:
            raise CommandError(f"Ranking {run.pk} comes out otherwise.")
        self.stdout.write(
            f"ranking {run.pk} ({run.engine}): {len(run.results)} places of {log.competitors(run)} "
            f"candidates, all as logged; {_sealed(seal)}"
        )


def _sealed(seal: AuditRow | None) -> str:
    if seal is None:
        return "not sealed yet"
    return f"sealed by audit row {seal.pk}"
