"""Starts programs, waits until they are ready, restarts those that die, stops all in order."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

CHILD = Path(__file__).with_name("child.py")
OWN_NAME = "bidwell"

Output = Callable[[str, str], None]


class ProgramFailed(Exception):
    """A program did not start, or did not end well: a sentence, and the last lines it wrote."""

    def __init__(self, sentence: str, lines: Iterable[str] = ()) -> None:
        super().__init__("\n  ".join([sentence, *lines]))
        self.sentence = sentence


@dataclass(frozen=True, kw_only=True)
class Program:
    """What the supervisor needs to know to keep one program alive."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    # One of the two says when the program is ready; with neither it is ready at once.
    is_ready: Callable[[], bool] | None = None
    ready_line: str | None = None
    # As whom it runs, when not as the supervisor.
    account: tuple[int, int] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    # What the kernel sends it when the supervisor is gone.
    death_signal: signal.Signals = signal.SIGTERM
    before_restart: Callable[[], None] | None = None
    start_seconds: float = 120
    stop_seconds: float = 10


@dataclass
class _Child:
    """One program with its present process and the history of its deaths."""

    program: Program
    process: "subprocess.Popen[bytes] | None" = None
    readers: list[threading.Thread] = field(default_factory=list)
    # With a list, standard output goes there and only standard error is put out.
    answer: list[str] | None = None
    said_ready: threading.Event = field(default_factory=threading.Event)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=25))
    deaths: deque[float] = field(default_factory=deque)
    restart_at: float | None = None

    def is_ready(self) -> bool:
        if self.process is None or self.has_ended():
            return False
        if self.program.is_ready is not None:
            return self.program.is_ready()
        return self.program.ready_line is None or self.said_ready.is_set()

    def has_ended(self) -> bool:
        """Whether the process ended. It is not reaped yet: its number stays reserved."""
        if self.process is None or self.process.returncode is not None:
            return True
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.process.pid, flags) is not None
        except ChildProcessError:  # Another thread is reaping it this very moment.
            return True

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and not self.has_ended():
            os.kill(self.process.pid, number)

    def reap(self) -> int:
        """End what the process left behind in its group; its return code."""
        process = self.process
        if process is None:
            return 0
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for reader in self.readers:
                reader.join(2)
        return process.returncode


class Supervisor:
    """Keeps programs alive, in tiers: what is started first is stopped last.

    Processes end with the thread that started them (a rule of the kernel), so `start` must be
    called from a thread that lives as long as they should.
    """

    def __init__(
        self,
        output: Output,
        *,
        most_deaths: int = 5,
        within_seconds: float = 60,
        note_processes: Callable[[dict[str, int]], None] = lambda pids: None,
    ) -> None:
        self.output = output
        self.note_processes = note_processes
        self.most_deaths = most_deaths
        self.within_seconds = within_seconds
        self.failure: str | None = None
        self.gave_up = threading.Event()
        self._tiers: list[list[_Child]] = []
        self._lock = threading.Lock()
        self._stopping = False
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None

    # --- Start ------------------------------------------------------------------------------

    def start(self, *programs: Program) -> None:
        """Start programs side by side and return when all are ready. Raises ProgramFailed."""
        tier = [_Child(program) for program in programs]
        self._tiers.append(tier)
        for child in tier:
            self._spawn(child)
        started = time.monotonic()
        while tier := [child for child in tier if not child.is_ready()]:
            for child in tier:
                self._expect_to_start(child, time.monotonic() - started)
            time.sleep(0.1)

    def run(self, program: Program) -> list[str]:
        """Run a program to its end and return its standard output. Raises ProgramFailed."""
        child = _Child(program, answer=[])
        self._spawn(child)
        try:
            while not child.has_ended():
                time.sleep(0.02)
        finally:
            code = child.reap()
        if code:
            raise ProgramFailed(f"{program.name} failed ({_how(code)}).", child.last_lines)
        return child.answer or []

    def watch(self) -> None:
        """From now on restart what dies, in a thread of its own."""
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def _spawn(self, child: _Child) -> None:
        program = child.program
        account = "{}:{}".format(*program.account) if program.account else "-"
        wrapper = [sys.executable, "-I", "-S", str(CHILD), str(os.getpid())]
        child.said_ready.clear()
        child.process = subprocess.Popen(
            [*wrapper, str(int(program.death_signal)), account, *program.command],
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if child.answer is None else subprocess.PIPE,
            # Ctrl-C in the terminal must reach the supervisor alone.
            start_new_session=True,
        )
        child.readers = []
        if child.answer is None:
            self._read(child, child.process.stdout, partial(self._hear, child))
        else:
            self._read(child, child.process.stdout, child.answer.append)
            self._read(child, child.process.stderr, partial(self._hear, child))
        self.note_processes(self.pids())

    @staticmethod
    def _read(child: _Child, stream: IO[bytes] | None, use: Callable[[str], None]) -> None:
        def read(stream: IO[bytes]) -> None:
            with stream:
                for line in stream:
                    use(line.decode(errors="replace").rstrip())

        reader = threading.Thread(target=read, args=(stream,), name="reader", daemon=True)
        reader.start()
        child.readers.append(reader)

    def _hear(self, child: _Child, line: str) -> None:
        child.last_lines.append(line)
        if child.program.ready_line and child.program.ready_line in line:
            child.said_ready.set()
        self.output(child.program.name, line)

    def _expect_to_start(self, child: _Child, waited: float) -> None:
        program = child.program
        if child.has_ended():
            code = child.reap()
            raise ProgramFailed(f"{program.name} did not start ({_how(code)}).", child.last_lines)
        if waited > program.start_seconds:
            sentence = f"{program.name} not ready after {program.start_seconds:.0f} s."
            raise ProgramFailed(sentence, child.last_lines)

    # --- Keep alive -------------------------------------------------------------------------

    def _watch(self) -> None:
        # Until everything is stopped, not until stopping begins: what this thread restarted
        # ends with it.
        while not self._stopped.wait(0.1):
            with self._lock:
                if not self._stopping and not self.gave_up.is_set():
                    for child in self._children():
                        self._look_after(child)

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                self._restart(child)
        elif child.has_ended():
            code = child.reap()
            self._note_death(child, now, code)

    def _note_death(self, child: _Child, now: float, code: int) -> None:
        child.deaths.append(now)
        while child.deaths[0] < now - self.within_seconds:
            child.deaths.popleft()
        name, count = child.program.name, len(child.deaths)
        if count >= self.most_deaths:
            self.failure = f"{name} ended {count} times within {self.within_seconds:.0f} s"
            self.output(OWN_NAME, f"{self.failure}, the last time by {_how(code)}.")
            self.gave_up.set()
            return
        pause = min(0.25 * 2 ** (count - 1), 4)
        child.restart_at = now + pause
        self.output(OWN_NAME, f"{name} ended ({_how(code)}); starting it again in {pause:g} s.")

    def _restart(self, child: _Child) -> None:
        child.restart_at = None
        if child.program.before_restart is not None:
            child.program.before_restart()
        self._spawn(child)

    # --- Look and prod ----------------------------------------------------------------------

    def names(self) -> list[str]:
        return [child.program.name for child in self._children()]

    def pid(self, name: str) -> int | None:
        """The number of the present process of a program; None while it is down."""
        child = self._child(name)
        return child.process.pid if child.process and not child.has_ended() else None

    def pids(self) -> dict[str, int]:
        return {name: pid for name in self.names() if (pid := self.pid(name)) is not None}

    def is_ready(self) -> bool:
        return all(child.is_ready() for child in self._children())

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a program, as a fault test does; SIGKILL returns when it is gone."""
        child = self._child(name)
        with self._lock:
            process = child.process
            child.send(number)
        while number == signal.SIGKILL and process is child.process and not child.has_ended():
            time.sleep(0.001)

    def _children(self) -> list[_Child]:
        return [child for tier in self._tiers for child in tier]

    def _child(self, name: str) -> _Child:
        return next(child for child in self._children() if child.program.name == name)

    # --- Stop -------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop everything, last started first. Safe to call twice."""
        with self._lock:
            self._stopping = True
        for tier in reversed(self._tiers):
            for child in tier:
                child.send(child.program.stop_signal)
            for child in tier:
                self._wait_for_end(child)
        self._tiers.clear()
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join()

    def _wait_for_end(self, child: _Child) -> None:
        deadline = time.monotonic() + child.program.stop_seconds
        while not child.has_ended() and time.monotonic() < deadline:
            time.sleep(0.02)
        if not child.has_ended():
            self.output(OWN_NAME, f"{child.program.name} does not stop; ending it.")
        child.reap()


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
