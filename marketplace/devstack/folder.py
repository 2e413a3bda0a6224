"""The one folder that holds all state of a stack: its lock, secrets, ports and data."""

import contextlib
import fcntl
import json
import os
import random
import secrets
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

LOOPBACK = "127.0.0.1"


class FolderInUse(Exception):
    """Another stack runs on this folder."""


class PortInUse(Exception):
    """Something else listens where we were told to."""


class DataFolder:
    """State of one stack. Held by at most one supervisor at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        # Others may pass through, because PostgreSQL runs as somebody else, but not look around.
        self.path.chmod(0o711)
        self._lock: int | None = None

    # --- One at a time ----------------------------------------------------------------------

    def lock(self) -> None:
        """Hold the folder until this process ends, however it ends. Raises FolderInUse."""
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 200).decode() or "another process"
            os.close(handle)
            raise FolderInUse(
                f"Bidwell already runs on the data folder {self.path} ({holder}). "
                "Stop it first, or give this one its own folder with --data."
            ) from None
        self._lock = handle
        self.say(f"process {os.getpid()}")
        self._wait_for_leftovers()

    def say(self, holder: str) -> None:
        """What somebody reads who finds the folder locked."""
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, holder.encode(), 0)

    def unlock(self) -> None:
        if self._lock is not None:
            (self.path / "processes.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    # --- After a kill -9 --------------------------------------------------------------------

    def remember_processes(self, pids: dict[str, int]) -> None:
        """Note who runs, so that the next start can tell leftovers from strangers."""
        known = {name: [pid, _started_at(pid)] for name, pid in pids.items()}
        (self.path / "processes.json").write_text(json.dumps(known))

    def _wait_for_leftovers(self) -> None:
        """Let the processes of a killed supervisor finish; end those that do not."""
        try:
            known = json.loads((self.path / "processes.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return
        deadline = time.monotonic() + 15
        while left := [pid for pid, start in known.values() if start and start == _started_at(pid)]:
            if time.monotonic() > deadline:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(pid, signal.SIGKILL)
            time.sleep(0.05)

    # --- Secrets, ports, places -------------------------------------------------------------

    def secret(self, name: str, make: Callable[[], str] | None = None) -> str:
        """A secret that is made once and kept in a file only we can read."""
        path = self.secret_path(name)
        if not path.exists():
            value = make() if make else secrets.token_urlsafe(32)
            half = path.with_suffix(".new")
            half.unlink(missing_ok=True)
            with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(value)
            half.rename(path)
        return path.read_text()

    def secret_path(self, name: str) -> Path:
        folder = self.path / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / name

    def keep(self, name: str, text: str) -> None:
        """Write a file that only its owner may read, replacing the one before."""
        with os.fdopen(
            os.open(self.path / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w"
        ) as file:
            file.write(text)

    def port(self, name: str, *, near: int | None = None) -> int:
        """A free port, the same as last time where possible: addresses outlive a restart."""
        path = self.path / "ports.json"
        known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        for wanted in (known.get(name), near):
            if wanted and is_free(wanted):
                break
        else:
            wanted = any_free_port()
        path.write_text(json.dumps(known | {name: wanted}))
        return wanted

    def folder(self, name: str) -> Path:
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        return path


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: a connection that is still winding down is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def any_free_port() -> int:
    """A port below those the kernel gives to outgoing connections, which could take it again."""
    ports = range(20_000, 32_000)
    return next(port for port in random.sample(ports, len(ports)) if is_free(port))


def web_port(asked_for: int | None) -> tuple[int, socket.socket]:
    """A port for the web whose next one is free too, for the live streams; and our claim to both.

    Nothing listens there before the databases are up, so two stacks that start at the same
    moment would see the same free port: it belongs to the one that holds the claim, until the
    claim is closed or its process ends. Raises PortInUse when a certain port was asked for and
    cannot be had.
    """
    for port in range(8000, 65_000, 10) if asked_for is None else (asked_for,):
        if is_free(port) and is_free(port + 1) and (claim := _claim(port)):
            return port, claim
    raise PortInUse(
        f"Port {asked_for} or the next one is taken (Bidwell needs {asked_for} for pages and "
        f"the next one for live updates). Choose another one with --port."
    )


def _claim(port: int) -> socket.socket | None:
    """The abstract socket that stands for a port: the kernel frees it with its process."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0bidwell-web-{port}")
    except OSError:
        claim.close()
        return None
    return claim


def _started_at(pid: int) -> str | None:
    """When a process began, in the kernel's ticks: with its number that names it for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
