"""Make the encoder of the matcher from its published weights, once per machine."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from matching.engine import encoder_files


class Command(BaseCommand):
    """`manage.py build_encoder`. Safe to repeat; needs neither database nor network."""

    help = "Build the encoder of the matcher from the installed weights. Safe to repeat."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.ENCODER_DIR)
        if not encoder_files.trouble(folder):
            self.stdout.write("The encoder is there already.")
            return
        # onnx and onnxruntime are not for those who only list the commands or look again.
        from matching.engine.encoder_build import NotTheWeights, build  # noqa: PLC0415

        try:
            build(folder)
        except (NotTheWeights, OSError) as error:
            raise CommandError(f"No encoder: {error} The matcher works without it.") from error
        self.stdout.write("The encoder is built.")
