"""The whole product in one hand: databases, sandbox, web, live, worker and beat."""

import http.client
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from marketplace.devstack.folder import LOOPBACK, DataFolder, web_port
from marketplace.devstack.postgres import APP, OWNER, Postgres
from marketplace.devstack.prepared import state_of_migrations
from marketplace.devstack.supervisor import Output, Program, Supervisor
from marketplace.devstack.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
WEBHOOK_PATH = "/stripe/webhook/"
# What the settings read. A stack that must stand alone takes none of it from its surroundings.
SETTINGS = (
    *("DJANGO_SETTINGS_MODULE", "SECRET_KEY", "SITE_URL", "ALLOWED_HOSTS", "LIVE_ORIGIN"),
    *("DATABASE_URL", "MIGRATE_DATABASE_URL", "APP_DATABASE_URL"),
    *("REDIS_URL", "CELERY_BROKER_URL", "DATA_DIR", "EMAIL_URL", "TRUSTED_PROXY"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"),
)


def standing_alone(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without outside services, for a stack that starts all by itself."""
    return {name: value for name, value in environ.items() if name not in SETTINGS}


class LogFiles:
    """Output that goes to one file per process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name: str, line: str) -> None:
        with (self.folder / f"{name}.log").open("a") as file:
            file.write(line + "\n")

    def clear(self) -> None:
        for file in self.folder.glob("*.log"):
            file.unlink()


class Stack:
    """The running product on one data folder; a context manager.

    `environ` decides which outside services are used and is passed on to every process. What the
    processes say goes to files in the data folder's `logs`, and to `output` as well. A stack must
    be started from a thread that lives as long as the stack should. `like` is a prepared database
    to start from (see `prepared_cluster()`).

    Raises FolderInUse, PortInUse or ProgramFailed when it cannot start.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        output: Output | None = None,
        environ: Mapping[str, str] = os.environ,
        like: Path | None = None,
        most_deaths: int = 5,
        before_work: Callable[["Stack"], object] | None = None,
    ) -> None:
        self.folder = DataFolder(data)
        self.asked_port = port
        self.durable = durable
        self.like = like
        self.given = dict(environ)
        # Called when commands can run and no process of the product works yet.
        self.before_work = before_work
        self.port = 0
        self._claim_to_port: socket.socket | None = None
        self.env: dict[str, str] = {}
        self.owner_env: dict[str, str] = {}
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self.logs = LogFiles(self.folder.path / "logs")
        self.output = output
        self.supervisor = Supervisor(
            self._put_out,
            most_deaths=most_deaths,
            note_processes=self.folder.remember_processes,
        )

    # --- Life -------------------------------------------------------------------------------

    def __enter__(self) -> "Stack":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up and return when a page can be served."""
        self.folder.lock()
        self.logs.clear()
        self.port, self._claim_to_port = web_port(self.asked_port)
        self.folder.say(f"process {os.getpid()}, {self.url}")
        self._start_databases()
        self.env = self._environment()
        owner_url = self.given.get("MIGRATE_DATABASE_URL") or (
            self.postgres.url(OWNER) if self.postgres else self.env["DATABASE_URL"]
        )
        self.owner_env = self.env | {"DATABASE_URL": owner_url}
        self._migrate()
        self.folder.keep("environment", _as_lines(self.env))
        sandbox = [self._sandbox()] if self.has_sandbox else []
        if self.before_work is not None:
            self.supervisor.start(*sandbox)
            self.before_work(self)
            sandbox = []
        self.supervisor.start(*sandbox, self._web(), self._live(), self._worker(), self._beat())
        self.supervisor.watch()

    def stop(self) -> None:
        """End every process in order and let go of the folder. Safe to call twice."""
        self.supervisor.stop()
        if self._claim_to_port:
            self._claim_to_port.close()
        self.folder.unlock()

    # --- Use --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def live_url(self) -> str:
        return f"http://{LOOPBACK}:{self.port + 1}"

    @property
    def has_sandbox(self) -> bool:
        return "STRIPE_API_BASE" in self.env

    def manage(self, *arguments: str, as_owner: bool = False) -> list[str]:
        """Run a management command; its standard output. Raises ProgramFailed if it fails."""
        env = self.owner_env if as_owner else self.env
        program = self._program(arguments[0], ["manage.py", *arguments], env=env)
        return self.supervisor.run(program)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to one process by its name; SIGKILL returns when it is gone."""
        self.supervisor.kill(name, number)

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Return when every process is up again and a page can be served."""
        deadline = time.monotonic() + seconds
        while not self.supervisor.is_ready():
            if self.supervisor.failure:
                raise TimeoutError(self.supervisor.failure)
            if time.monotonic() > deadline:
                raise TimeoutError(f"The stack is not ready after {seconds:.0f} s.")
            time.sleep(0.1)

    def _put_out(self, name: str, line: str) -> None:
        self.logs(name, line)
        if self.output is not None:
            self.output(name, line)

    # --- Parts ------------------------------------------------------------------------------

    def _start_databases(self) -> None:
        programs = []
        if not self.given.get("DATABASE_URL"):
            self.postgres = Postgres(self.folder, durable=self.durable, like=self.like)
            programs.append(self.postgres.program())
        if not self.given.get("REDIS_URL"):
            self.valkey = Valkey(self.folder, durable=self.durable)
            programs.append(self.valkey.program())
        self.supervisor.start(*programs)
        if self.postgres:
            self.postgres.create_roles()

    def _migrate(self) -> None:
        """Bring the tables up to date; our own database remembers for which migrations it is."""
        state = state_of_migrations()
        if self.postgres and self.postgres.note() == state:
            return
        prepare = ["-m", "marketplace.devstack.prepare"]
        self.supervisor.run(self._program("migrate", prepare, env=self.owner_env))
        if self.postgres:
            self.postgres.keep_note(state)

    def _environment(self) -> dict[str, str]:
        """What every process of the product sees. The owner's address is not in it."""
        env = {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings.dev",
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": self.folder.secret("secret-key"),
            "SITE_URL": self.url,
            "ALLOWED_HOSTS": f"{LOOPBACK},localhost",
            "LIVE_ORIGIN": self.live_url,
            "DATA_DIR": str(self.folder.folder("app")),
            **self.given,
        }
        env.pop("MIGRATE_DATABASE_URL", None)
        if self.postgres:
            env["DATABASE_URL"] = self.postgres.url(APP)
        if self.valkey:
            env |= {"REDIS_URL": self.valkey.url(0), "CELERY_BROKER_URL": self.valkey.url(1)}
        if not self.given.get("STRIPE_SECRET_KEY"):
            # The next but one to the web's: Checkout addresses outlive a restart.
            port = self.folder.port("sandbox", near=self.port + 2)
            env |= {
                "STRIPE_SECRET_KEY": self._prefixed_secret("sk_test_", "stripe-key"),
                "STRIPE_WEBHOOK_SECRET": self._prefixed_secret("whsec_", "stripe-webhook"),
                "STRIPE_API_BASE": f"http://{LOOPBACK}:{port}",
            }
        return env

    def _prefixed_secret(self, prefix: str, name: str) -> str:
        return self.folder.secret(name, make=lambda: prefix + secrets.token_urlsafe(32))

    def _program(
        self,
        name: str,
        command: list[str],
        *,
        env: Mapping[str, str] | None = None,
        is_ready: Callable[[], bool] | None = None,
        ready_line: str | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> Program:
        return Program(
            name=name,
            command=[sys.executable, *command],
            env=self.env if env is None else env,
            cwd=ROOT,
            is_ready=is_ready,
            ready_line=ready_line,
            death_signal=death_signal,
        )

    def _sandbox(self) -> Program:
        port = int(self.env["STRIPE_API_BASE"].rpartition(":")[2])
        data = self.folder.folder("app/stripe-sandbox")
        command = [
            *("manage.py", "stripe_sandbox", "--port", str(port)),
            *("--webhook-url", self.url + WEBHOOK_PATH, "--data", str(data)),
            *("--webhook-secret-file", str(self.folder.secret_path("stripe-webhook"))),
            *("--secret-key-file", str(self.folder.secret_path("stripe-key"))),
        ]
        # Asked politely it would finish its deliveries to a web that is going away too.
        return self._program(
            "sandbox",
            command,
            is_ready=lambda: _answers(port, "/"),
            death_signal=signal.SIGKILL,
        )

    def _web(self) -> Program:
        command = [
            # Static files come from where they are written; nothing is collected.
            *("-W", "ignore:No directory at"),
            *("-m", "gunicorn", "marketplace.wsgi:application"),
            *("--bind", f"{LOOPBACK}:{self.port}", "--worker-class", "gthread"),
            *("--workers", "2", "--threads", "8", "--preload", "--no-control-socket"),
            *("--graceful-timeout", "2", "--access-logfile", "-"),
            # Without the query: it may hold what only the reader should know.
            *("--access-logformat", "%(m)s %(U)s %(s)s %(M)s ms"),
        ]
        return self._program(
            "web",
            command,
            is_ready=lambda: _answers(self.port, "/readyz", only=200),
            death_signal=signal.SIGQUIT,
        )

    def _live(self) -> Program:
        command = [
            *("-m", "uvicorn", "marketplace.live:application"),
            *("--host", LOOPBACK, "--port", str(self.port + 1)),
            *("--no-access-log", "--timeout-graceful-shutdown", "2"),
        ]
        return self._program("live", command, is_ready=lambda: _answers(self.port + 1, "/"))

    def _worker(self) -> Program:
        command = [
            # As root, say, in a container that has nobody else.
            *("-W", "ignore:You're running the worker with superuser privileges"),
            *("-m", "celery", "--quiet", "-A", "marketplace", "worker"),
            *("-Q", "default,payments,matching", "--concurrency", "2", "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle"),
        ]
        # Asked politely it would wait for a broker that is going away too. Its pool notices.
        return self._program("worker", command, ready_line=" ready.", death_signal=signal.SIGKILL)

    def _beat(self) -> Program:
        command = [
            *("-m", "celery", "--quiet", "-A", "marketplace", "beat", "--loglevel", "INFO"),
            *("--pidfile=", "--schedule", str(self.folder.folder("beat") / "schedule")),
        ]
        return self._program(
            "beat", command, ready_line="beat: Starting", death_signal=signal.SIGKILL
        )


def _as_lines(env: Mapping[str, str]) -> str:
    """The product's own settings as NAME=value lines, for `manage.py` beside a running stack."""
    return "".join(f"{name}={env[name]}\n" for name in SETTINGS if name in env)


def _answers(port: int, path: str, *, only: int | None = None) -> bool:
    """Whether a server answers at all, or with a certain status."""
    link = http.client.HTTPConnection(LOOPBACK, port, timeout=3)
    try:
        link.request("GET", path)
        status = link.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
    return only is None or status == only
