"""Build the files of the matcher on this machine, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from matching import services


class Command(BaseCommand):
    """`manage.py build_match_files`."""

    help = "Read everybody who can be suggested into the files that the workers here share."

    def handle(self, *args: Any, **options: Any) -> None:
        if not services.build_files():
            raise CommandError(
                "Nothing was built: matching is off, the market is smaller than "
                "MATCH_FILES_FROM, or somebody else is building."
            )
        self.stdout.write("The files are built. Workers open them with the next ranking.")
