"""`manage.py stripe_sandbox`: a Stripe with test money on this machine."""

import os
import secrets
import signal
import threading
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.sandbox.server import NotLoopback, Sandbox
from payments.sandbox.state import DataInUse


class Command(BaseCommand):
    """Runs the sandbox until it is told to stop."""

    help = "Play Stripe on loopback: API, checkout and set-up pages, signed webhooks. Test money."
    # It needs none of the product's database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, where to remember, whom to tell."""
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--data", type=Path, required=True, help="folder for what it remembers")
        parser.add_argument("--webhook-url", help="where to send webhooks; on this machine")
        parser.add_argument(
            "--webhook-secret-file",
            type=Path,
            required=True,
            help="signing secret of the webhooks; made when missing",
        )
        parser.add_argument(
            "--secret-key-file",
            type=Path,
            help="the only API key accepted, made when missing; without it any sk_test_ key is",
        )
        parser.add_argument(
            "--test-switches", action="store_true", help="let tests inject faults under /_test/"
        )

    def handle(self, **options: Any) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        if settings.STRIPE_LIVE or settings.SECURE_SSL_REDIRECT:
            raise CommandError(
                "The sandbox plays with test money and does not run with production settings."
            )
        options["data"].mkdir(parents=True, exist_ok=True, mode=0o700)
        key_file = options["secret_key_file"]
        try:
            sandbox = Sandbox(
                data=options["data"],
                port=options["port"],
                webhook_url=options["webhook_url"],
                webhook_secret=secret_in(options["webhook_secret_file"], "whsec_"),
                secret_key=secret_in(key_file, "sk_test_") if key_file else None,
                test_switches=options["test_switches"],
            )
        except NotLoopback as error:
            raise CommandError(str(error)) from error
        except DataInUse as error:
            raise CommandError(f"Another sandbox works in {options['data']}.") from error
        except OSError as error:
            raise CommandError(f"Port {options['port']} is taken: {error.strerror}.") from error
        told_to_stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told_to_stop.set())
        sandbox.start()
        self.stdout.write(f"Stripe sandbox on {sandbox.base_url} (test money)")
        told_to_stop.wait()
        sandbox.stop()


def secret_in(path: Path, prefix: str) -> str:
    """The secret in a file; a new random one, for the owner's eyes only, when there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(prefix + secrets.token_urlsafe(32))
        # Whole or not at all: the product may read, or make, the same file right now.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
