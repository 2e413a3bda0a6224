"""A durable PostgreSQL with the product's schema, for figures that need one."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from marketplace.devstack.folder import DataFolder
from marketplace.devstack.postgres import OWNER, Postgres
from marketplace.devstack.stack import LogFiles, standing_alone
from marketplace.devstack.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def migrated_database(folder: Path) -> Iterator[Postgres]:
    """Start it in this folder, migrate and grant; at the end it is gone."""
    with empty_database(folder) as postgres:
        environ = standing_alone(os.environ) | {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings.test",
            "DATABASE_URL": postgres.url(OWNER),
        }
        command = [sys.executable, "-m", "marketplace.devstack.prepare"]
        subprocess.run(command, cwd=ROOT, env=environ, check=True)
        yield postgres


@contextlib.contextmanager
def empty_database(folder: Path) -> Iterator[Postgres]:
    """The same without a table."""
    postgres = Postgres(DataFolder(folder), durable=True)
    supervisor = Supervisor(LogFiles(folder / "logs"))
    supervisor.start(postgres.program())
    try:
        postgres.create_roles()
        yield postgres
    finally:
        supervisor.stop()
        postgres.remove()
