"""Bring the list of skills up to the file that came with this version."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts import curated
from accounts.models import Skill, SkillAlias, SkillLink


class Command(BaseCommand):
    help = "Add the curated skills, spellings and links that are not there yet. Harmless to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            skills, spellings = curated.load(Skill, SkillAlias)
            links = curated.load_links(Skill, SkillLink)
        self.stdout.write(f"{skills} skills, {spellings} spellings and {links} links added.")
