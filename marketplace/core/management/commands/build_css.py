"""`manage.py build_css`: join our CSS sources into the files browsers load."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

# The admin gets our tokens and the parts that moderators see money and people with.
BUNDLES = {
    "app.css": ["css/*.css"],
    "admin.css": [
        "css/00-layers.css",
        "css/02-tokens.css",
        "css/1[02]-*.css",
        "css/20-patterns.css",
        "admin/*.css",
    ],
}


def joined(bundle: str) -> str:
    """The sources of a bundle in order, without comments and indentation.

    No string in our CSS holds comment marks, so a plain pattern is safe.
    """
    root = Path(settings.BASE_DIR) / "static/src"
    sources = [path for pattern in BUNDLES[bundle] for path in sorted(root.glob(pattern))]
    text = "".join(source.read_text() for source in sources)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\n\s*", "\n", text).strip() + "\n"


class Command(BaseCommand):
    help = "Join static/src/**/*.css into static/css/."
    requires_system_checks = ()  # it must run before anything is set up

    def handle(self, *args: Any, **options: Any) -> None:
        for bundle in BUNDLES:
            target = Path(settings.BASE_DIR) / "static/css" / bundle
            target.write_text(joined(bundle))
            self.stdout.write(f"{bundle}: {target.stat().st_size} bytes")
