"""pytest plugin: one PostgreSQL and one Valkey for a test run, there before Django is set up.

The run takes nothing from its surroundings but `DATABASE_URL` and `REDIS_URL`, which replace the
embedded servers. The embedded PostgreSQL is a copy of one that was migrated once, so a run starts
in a moment; a given one gets a test database from Django. Tests connect as the owner of the schema;
`APP_DATABASE_URL` is the address for the role that serves the product.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from marketplace.devstack.folder import LOOPBACK, DataFolder, FolderInUse
from marketplace.devstack.postgres import APP, OWNER, Postgres
from marketplace.devstack.prepared import prepared_cluster
from marketplace.devstack.stack import LogFiles, standing_alone
from marketplace.devstack.supervisor import Program, Supervisor
from marketplace.devstack.unprivileged import ELSEWHERE
from marketplace.devstack.valkey import Valkey

PREFIX = "bidwell-test-"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _start_servers(early_config)
    else:
        number = int(worker.removeprefix("gw"))
        _take_own_numbers(number, os.environ)
        if prepared := os.environ.get("BIDWELL_PREPARED"):
            _start_own_postgres(early_config, like=Path(prepared))


def _start_servers(config: pytest.Config) -> None:
    outside = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    app_url = os.environ.get("APP_DATABASE_URL", "")
    alone = standing_alone(os.environ)
    os.environ.clear()
    os.environ.update(alone)
    # Playwright keeps an event loop running in the thread of the tests.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # The host of ./run; a bare machine may not even know the name localhost.
    os.environ["DJANGO_LIVE_TEST_SERVER_ADDRESS"] = LOOPBACK

    _remove_abandoned_folders()
    folder = DataFolder(Path(tempfile.mkdtemp(prefix=PREFIX)))
    folder.lock()
    supervisor = Supervisor(LogFiles(folder.path / "logs"))
    prepared = None if outside["DATABASE_URL"] else prepared_cluster()
    postgres = Postgres(folder, durable=False, like=prepared) if prepared else None
    valkey = None if outside["REDIS_URL"] else Valkey(folder, durable=False)

    def clean_up() -> None:
        supervisor.stop()
        if postgres:
            postgres.remove()
        folder.unlock()
        shutil.rmtree(folder.path, ignore_errors=True)

    config.add_cleanup(clean_up)
    programs: list[Program] = [server.program() for server in (postgres, valkey) if server]
    supervisor.start(*programs)
    if postgres:
        postgres.create_roles()
    os.environ |= {
        "DATABASE_URL": postgres.url(OWNER) if postgres else outside["DATABASE_URL"],
        "APP_DATABASE_URL": postgres.url(APP) if postgres else app_url,
        "REDIS_URL": valkey.url(0) if valkey else outside["REDIS_URL"],
        "DATA_DIR": str(folder.folder("app")),
    }
    os.environ["CELERY_BROKER_URL"] = with_redis_database(os.environ["REDIS_URL"], 1)
    if prepared:
        os.environ["BIDWELL_PREPARED"] = str(prepared)


def _start_own_postgres(config: pytest.Config, *, like: Path) -> None:
    """Give a worker its own server: a transaction of another would hold back what may be sealed.

    Seals and roll-ups count what is older than the oldest transaction still running on the server,
    whichever database it is in.
    """
    folder = DataFolder(Path(tempfile.mkdtemp(prefix=PREFIX)))
    folder.lock()
    supervisor = Supervisor(LogFiles(folder.path / "logs"))
    postgres = Postgres(folder, durable=False, like=like)

    def clean_up() -> None:
        supervisor.stop()
        postgres.remove()
        folder.unlock()
        shutil.rmtree(folder.path, ignore_errors=True)

    config.add_cleanup(clean_up)
    supervisor.start(postgres.program())
    postgres.create_roles()
    os.environ |= {"DATABASE_URL": postgres.url(OWNER), "APP_DATABASE_URL": postgres.url(APP)}


def _take_own_numbers(worker: int, environ: "os._Environ[str]") -> None:
    """Give a worker of the run its own cache, broker and files, so that none takes another's."""
    first = 2 * worker + 2
    base = environ["REDIS_URL"]
    environ["REDIS_URL"] = with_redis_database(base, first)
    environ["CELERY_BROKER_URL"] = with_redis_database(base, first + 1)
    environ["DATA_DIR"] = f"{environ['DATA_DIR']}-{worker}"
    Path(environ["DATA_DIR"]).mkdir(exist_ok=True)


def with_redis_database(url: str, number: int) -> str:
    """The address of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{number}").geturl()


def with_database(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def environment_of_a_product_process(database: str) -> Mapping[str, str]:
    """What a real process of the product needs to work on a test database."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings.dev",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "DATABASE_URL": with_database(os.environ["DATABASE_URL"], database),
        "STRIPE_SECRET_KEY": "sk_test_bidwell",
        "STRIPE_WEBHOOK_SECRET": "whsec_bidwell_tests",
        # Nobody listens there: a test never talks to Stripe by accident.
        "STRIPE_API_BASE": "http://127.0.0.1:9",
    }


def _remove_abandoned_folders() -> None:
    """Delete what runs that were killed have left behind."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, FolderInUse):
            if path.stat().st_uid == os.geteuid():
                folder = DataFolder(path)
                folder.lock()
                home = (path / "postgres").resolve()
                if home.is_relative_to(path) or home.is_relative_to(ELSEWHERE):
                    shutil.rmtree(home, ignore_errors=True)
                folder.unlock()
                shutil.rmtree(path, ignore_errors=True)
