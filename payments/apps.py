from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        # Registers what carries out commands, and who listens to accounts.
        from payments import receivers  # noqa: F401, PLC0415
        from payments.services import holds, inbox  # noqa: F401, PLC0415
