from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import receivers  # noqa: F401, PLC0415 - listens
        from accounts.services import notices  # noqa: F401, PLC0415 - registers its outbox topic
