"""The app of work: projects, bids, contracts and what follows from them."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        """Listen to payments, and count what the header shows. Models are ready only now."""
        from marketplace.core import context  # noqa: PLC0415
        from projects import receivers  # noqa: F401, PLC0415
        from projects.selectors.contracts import unread_messages  # noqa: PLC0415

        context.COUNTS["unread_messages"] = unread_messages
