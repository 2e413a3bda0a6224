import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from marketplace.devstack.supervisor import Program, ProgramFailed, Supervisor
from tests.devstack.processes import is_running, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
IGNORE_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


@pytest.fixture
def said():
    """Every line that was put out, as (program, line)."""
    return []


@pytest.fixture
def supervisor(said):
    supervisor = Supervisor(lambda name, line: said.append((name, line)))
    yield supervisor
    supervisor.stop()


def program(code, name="clock", **more):
    command = [sys.executable, "-u", "-c", code]
    return Program(name=name, command=command, env=os.environ, cwd=ROOT, **more)


SLEEPER = "print('up', flush=True); import time; time.sleep(60)"


def test_start_returns_when_every_program_is_ready(supervisor, said):
    slow = "import time; time.sleep(0.5); print('I am ready.'); time.sleep(60)"

    supervisor.start(program(slow, ready_line="ready"))

    assert ("clock", "I am ready.") in said
    assert supervisor.is_ready()


def test_a_program_that_does_not_start_is_reported_with_its_last_lines(supervisor):
    with pytest.raises(ProgramFailed) as failure:
        supervisor.start(program("raise SystemExit('no such table')", ready_line="ready"))

    assert "clock did not start (exit code 1)" in str(failure.value)
    assert "no such table" in str(failure.value)


def test_a_program_that_never_gets_ready_is_reported(supervisor):
    with pytest.raises(ProgramFailed, match="clock not ready after 1 s"):
        supervisor.start(program(SLEEPER, is_ready=lambda: False, start_seconds=1))


def test_a_killed_program_is_started_again_and_stays(supervisor, said):
    supervisor.start(program(SLEEPER, ready_line="up"))
    supervisor.watch()
    first = supervisor.pid("clock")

    supervisor.kill("clock")
    wait_until(lambda: supervisor.pid("clock") not in {None, first} and supervisor.is_ready())
    second = supervisor.pid("clock")
    time.sleep(0.5)

    assert supervisor.pid("clock") == second
    assert ("bidwell", "clock ended (killed by SIGKILL); starting it again in 0.25 s.") in said


def test_what_a_program_started_is_ended_before_the_program_starts_again(supervisor, said):
    parent = (
        "import subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print('child', child.pid); time.sleep(60)"
    )
    supervisor.start(program(parent, ready_line="child"))
    supervisor.watch()
    child = int(said[0][1].split()[1])
    assert is_running(child)

    supervisor.kill("clock")

    wait_until(lambda: not is_running(child))


def test_a_program_that_keeps_dying_ends_everything(said):
    supervisor = Supervisor(lambda name, line: said.append((name, line)), most_deaths=3)
    supervisor.start(program("import time; print('up'); time.sleep(0.2)", ready_line="up"))
    supervisor.watch()

    assert supervisor.gave_up.wait(120)

    assert supervisor.failure == "clock ended 3 times within 60 s"
    supervisor.stop()


def test_a_program_is_prepared_before_it_starts_again(supervisor):
    prepared = []
    supervisor.start(
        program(SLEEPER, ready_line="up", before_restart=lambda: prepared.append(True))
    )
    supervisor.watch()

    supervisor.kill("clock")

    wait_until(lambda: prepared and supervisor.is_ready())


def test_what_started_last_stops_first(said):
    said_goodbye = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye'))); "
        "print('up'); time.sleep(60)"
    )
    supervisor = Supervisor(lambda name, line: said.append((name, line)))
    for name in ("database", "web"):
        supervisor.start(program(said_goodbye, name=name, ready_line="up"))

    supervisor.stop()

    assert [name for name, line in said if line == "bye"] == ["web", "database"]


def test_a_program_that_will_not_stop_is_ended(supervisor, said):
    stubborn = IGNORE_TERM + "print('up'); time.sleep(60)"
    supervisor.start(program(stubborn, ready_line="up", stop_seconds=0.5))
    pid = supervisor.pid("clock")

    supervisor.stop()

    assert not is_running(pid)
    assert ("bidwell", "clock does not stop; ending it.") in said


def test_a_program_started_with_sigint_ignored_still_obeys_it(supervisor, said):
    # As in `./run &`: a shell starts background jobs that way.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        supervisor.start(
            program(SLEEPER, ready_line="up", stop_signal=signal.SIGINT, stop_seconds=50)
        )
    finally:
        signal.signal(signal.SIGINT, before)

    supervisor.stop()

    assert not any("does not stop" in line for _name, line in said)


def test_run_returns_what_a_program_answers_and_puts_out_what_it_says_besides(supervisor, said):
    code = "import sys; print('one'); print('half done', file=sys.stderr); print('two')"

    assert supervisor.run(program(code)) == ["one", "two"]
    assert said == [("clock", "half done")]
    with pytest.raises(ProgramFailed, match=r"clock failed \(exit code 1\)\.\n  no such person"):
        supervisor.run(program("raise SystemExit('no such person')"))


def test_nothing_outlives_a_killed_supervisor():
    script = f"""
import sys, os, time
from pathlib import Path
from marketplace.devstack.supervisor import Program, Supervisor
supervisor = Supervisor(lambda name, line: None)
code = {SLEEPER!r}
for name in ("one", "two"):
    command = [sys.executable, "-u", "-c", code]
    supervisor.start(
        Program(name=name, command=command, env=os.environ, cwd=Path("/"), ready_line="up")
    )
supervisor.watch()
supervisor.kill("two")
time.sleep(1)
print(*supervisor.pids().values(), flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as killed:
        pids = [int(pid) for pid in killed.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_running, pids))

        killed.kill()

    wait_until(lambda: not any(map(is_running, pids)))
