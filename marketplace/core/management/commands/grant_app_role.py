"""Give the serving database role its grants."""

from typing import Any

from django.core.management.base import BaseCommand

from marketplace.core import grants


class Command(BaseCommand):
    help = "Grant the application's database role what it needs; run after migrate."

    def handle(self, *args: Any, **options: Any) -> None:
        grants.grant_app_role()
