"""`./run` from outside, as a person at a terminal meets it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from marketplace.devstack.stack import standing_alone
from tests.devstack.processes import is_running, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    data = tmp_path_factory.mktemp("run") / "var"
    yield data
    # As root, PostgreSQL keeps its files where it can reach them; this points there.
    shutil.rmtree((data / "postgres").resolve(), ignore_errors=True)


def command(data, *options):
    return [sys.executable, "-m", "marketplace.devstack", "--data", str(data), *options]


@pytest.fixture
def run(data):
    """`./run --no-demo`, ready: the process and its address."""
    with subprocess.Popen(
        command(data, "--no-demo"),
        cwd=ROOT,
        env=standing_alone(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Stop with Ctrl-C" in line:
                break
        address = re.search(r"Bidwell is at (\S+)/", "".join(lines))
        assert address, "".join(lines)
        yield process, address[1]
        process.stdout.close()
        if process.poll() is None:
            process.kill()


def everything_of(data):
    """The number of every process that works for this data folder."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            known = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        pid = int(entry.name)
        if str(data).encode() in known and pid != os.getpid() and is_running(pid):
            found.add(pid)
    return found


def test_it_serves_pages_refuses_a_second_start_and_stops_everything_on_ctrl_c(run, data):
    process, address = run
    with urlopen(f"{address}/") as page:  # noqa: S310 - our own address
        assert page.status == 200
    assert len(everything_of(data)) > 7

    second = subprocess.run(
        command(data), cwd=ROOT, env=standing_alone(os.environ), capture_output=True, check=False
    )
    assert second.returncode == 1
    assert second.stdout == b""
    assert second.stderr.decode() == (
        f"Bidwell already runs on the data folder {data} (process {process.pid}, {address}). "
        "Stop it first, or give this one its own folder with --data.\n"
    )

    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 0
    assert everything_of(data) == set()


def test_nothing_is_left_after_kill_9(run, data):
    process, _ = run

    process.kill()

    wait_until(lambda: everything_of(data) == set())


def test_after_kill_9_it_starts_again_on_the_same_data(run):
    _, address = run

    with urlopen(f"{address}/readyz") as answer:  # noqa: S310 - our own address
        assert answer.status == 200
