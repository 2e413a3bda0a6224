"""Write the model card of what ranks on this site: JSON and Markdown."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string

from matching.selectors.card import card


class Command(BaseCommand):
    """`manage.py matcher_card --out DIR`: matcher-<version>.json and .md."""

    help = "Write the model card of the weights that rank, as JSON and as Markdown."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="folder; it is made if needed")

    def handle(self, *args: Any, **options: Any) -> None:
        found = card()
        if not found["version"]:
            raise CommandError("No weights may be used on this site, so there is no card.")
        folder: Path = options["out"]
        folder.mkdir(parents=True, exist_ok=True)
        name = f"matcher-{found['version']}"
        text = json.dumps(found, cls=DjangoJSONEncoder, indent=2) + "\n"
        (folder / f"{name}.json").write_text(text, "utf-8")
        told = render_to_string("matching/card.md", {"card": found})
        (folder / f"{name}.md").write_text(told, "utf-8")
        self.stdout.write(f"Wrote {name}.json and {name}.md.")
