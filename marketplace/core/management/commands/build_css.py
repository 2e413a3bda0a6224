"""`manage.py build_css`: join static/src/css/*.css into the one file browsers load."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


def joined_css() -> str:
    """Return the sources in name order, without comments and indentation.

    No string in our CSS holds comment marks, so a plain pattern is safe.
    """
    sources = sorted((Path(settings.BASE_DIR) / "static/src/css").glob("*.css"))
    text = "".join(source.read_text() for source in sources)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\n\s*", "\n", text).strip() + "\n"


class Command(BaseCommand):
    requires_system_checks = ()  # it must run before anything is set up
    help = "Join static/src/css/*.css into static/css/app.css."

    def handle(self, *args: Any, **options: Any) -> None:
        target = Path(settings.BASE_DIR) / "static/css/app.css"
        target.write_text(joined_css())
        self.stdout.write(f"{target.name}: {target.stat().st_size} bytes")
