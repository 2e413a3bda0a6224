from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        # Registers what carries out commands to Stripe.
        from payments.services import holds  # noqa: F401, PLC0415
