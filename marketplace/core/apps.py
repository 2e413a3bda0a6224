from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "marketplace.core"
    label = "core"

    def ready(self) -> None:
        # Both register themselves: an outbox topic, a scheme of the API description.
        from marketplace.core import mail, openapi  # noqa: F401, PLC0415
