"""Migrate and grant, in one process: starting Django costs more than both."""

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("grant_app_role")


if __name__ == "__main__":
    main()
