from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import receivers  # noqa: F401, PLC0415 - listens
        from accounts.services import (  # noqa: PLC0415
            former_addresses,  # noqa: F401 - registers what is forgotten
            notices,  # noqa: F401 - registers its outbox topic
        )
