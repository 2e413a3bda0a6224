"""Fill an empty market with believable people, projects and money."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from marketplace.pages.demo.market import PASSWORD, Market
from marketplace.pages.demo.people import STAFF_EMAIL


class Command(BaseCommand):
    help = "Create the demo market through the services; only with test money, only when empty."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="same seed, same market")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.STRIPE_API_BASE:
            raise CommandError(
                "The demo pays through the built-in sandbox; real Stripe keys are set."
            )
        if User.objects.exists():
            raise CommandError("There are people here already; the demo needs an empty market.")
        Market(options["seed"], say=self.stderr.write).build()
        self.stdout.write(
            "Sign in as\n"
            f"  client      jonas@kiezrad.example      {PASSWORD}\n"
            f"  freelancer  ines@freelancer.example    {PASSWORD}\n"
            f"  moderator   {STAFF_EMAIL}       {PASSWORD}   (then /admin/)"
        )
