"""The app of work: projects, bids, contracts and what follows from them."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        """Listen to payments."""
        from projects import receivers  # noqa: F401, PLC0415 - models are ready only now
