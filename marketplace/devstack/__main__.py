"""`./run`: the product on this machine, until Ctrl-C."""

import argparse
import contextlib
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from marketplace.devstack.folder import FolderInUse, PortInUse
from marketplace.devstack.stack import ROOT, Stack
from marketplace.devstack.supervisor import OWN_NAME, ProgramFailed

# With a sweep every few seconds the accounts to sign in with would soon scroll away.
CHATTER = re.compile(r"\bINFO\b|\bLOG: |^\d+:(M|signal-handler)|^$")
# What `seed_demo` said about its accounts; where it is, the market was filled before.
DEMO_NOTE = "demo-accounts.txt"
STOPPERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Somebody asked us to stop."""


def main() -> int:
    options = _options()
    _stop_on_signals()
    started = time.monotonic()
    data = Path(options.data)
    fill = options.demo and not (data / DEMO_NOTE).exists()
    before_work = _create_demo if fill else None
    stack = Stack(data, port=options.port, output=show, before_work=before_work)
    try:
        with stack:
            _welcome(stack, time.monotonic() - started)
            stack.supervisor.gave_up.wait()
    except (FolderInUse, PortInUse) as refusal:
        sys.exit(str(refusal))
    except ProgramFailed as failure:
        # What it wrote was on the terminal already.
        sys.exit(failure.sentence)
    except Stop:
        show(OWN_NAME, "Everything is stopped.")
        return 0
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run", description="Run Bidwell on this machine.")
    parser.add_argument("--port", type=int, help="pages on this port, live updates on the next")
    parser.add_argument(
        "--data", default=str(ROOT / "var"), help="the folder for all state (default: var)"
    )
    parser.add_argument(
        "--no-demo", dest="demo", action="store_false", help="start with an empty market"
    )
    return parser.parse_args()


def _stop_on_signals() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        for each in STOPPERS:
            signal.signal(each, lambda *_: None)
        show(OWN_NAME, "Stopping.")
        raise Stop

    for number in STOPPERS:
        # nohup means to outlive the terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)


def _welcome(stack: Stack, seconds: float) -> None:
    show(OWN_NAME, f"Ready in {seconds:.1f} s.")
    note = stack.folder.path / DEMO_NOTE
    accounts = note.read_text().splitlines() if note.exists() else []
    lines = [
        "",
        f"Bidwell is at {stack.url}/",
        *(["It uses test money: no card is charged."] if stack.has_sandbox else []),
        *accounts,
        f"All state is in {stack.folder.path}, the full logs in logs there. Stop with Ctrl-C.",
        "",
    ]
    write("\n".join(lines))


def _create_demo(stack: Stack) -> None:
    """Fill an empty market once per data folder, before sweeps could meet a story half told."""
    if not stack.has_sandbox:
        return
    show(OWN_NAME, "Creating the demo market (once).")
    try:
        lines = stack.manage("seed_demo")
    except ProgramFailed as failure:
        lines = [
            f"The demo market could not be created: {failure.sentence}",
            f"Delete {stack.folder.path} to start over.",
        ]
    stack.folder.keep(DEMO_NOTE, "\n".join(lines))


def show(name: str, line: str) -> None:
    """Put a line of a process on the terminal, unless it only says that all is well."""
    if not CHATTER.search(line):
        write(f"{name:8}| {line}")


def write(text: str) -> None:
    # Nobody may be reading any more (`./run | head`); the processes must not notice.
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
