from django.apps import AppConfig


class MatchingConfig(AppConfig):
    name = "matching"

    def ready(self) -> None:
        """Listen to projects and accounts."""
        from matching import receivers, tasks  # noqa: F401, PLC0415 - models are ready only now
