import json
import os
import socket
import subprocess
import sys
import time

import pytest

from marketplace.devstack import folder as folders
from marketplace.devstack.folder import DataFolder, FolderInUse, PortInUse, web_port
from tests.devstack.processes import is_running, wait_until


@pytest.fixture
def folder(tmp_path):
    return DataFolder(tmp_path / "var")


def test_a_folder_serves_one_stack_at_a_time(folder):
    folder.lock()
    folder.say("process 4711, http://127.0.0.1:8000")

    with pytest.raises(FolderInUse) as refusal:
        DataFolder(folder.path).lock()

    assert str(refusal.value) == (
        f"Bidwell already runs on the data folder {folder.path} "
        "(process 4711, http://127.0.0.1:8000). "
        "Stop it first, or give this one its own folder with --data."
    )
    folder.unlock()
    DataFolder(folder.path).lock()


def test_a_secret_is_made_once_and_read_by_us_alone(folder):
    secret = folder.secret("key")

    assert len(secret) >= 40
    assert folder.secret("key") == secret
    assert folder.secret("other") != secret
    assert folder.secret_path("key").stat().st_mode & 0o777 == 0o600
    assert folder.secret_path("key").parent.stat().st_mode & 0o777 == 0o700


def test_a_port_is_the_same_the_next_time(folder):
    port = folder.port("sandbox")

    assert DataFolder(folder.path).port("sandbox") == port


def test_a_port_that_was_taken_meanwhile_is_replaced(folder):
    port = folder.port("sandbox")
    with socket.create_server(("127.0.0.1", port)):
        assert folder.port("sandbox") != port


def test_a_port_asked_for_must_be_free_and_so_must_the_next():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for asked in (port, port - 1):
            with pytest.raises(PortInUse, match=f"Port {asked} or the next one is taken"):
                web_port(asked)


def test_a_new_start_waits_for_what_a_killed_one_left_behind(folder, monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"]) as leftover:
        folder.remember_processes({"web": leftover.pid})
        started = time.monotonic()

        folder.lock()

        assert time.monotonic() - started > 0.5
        assert not is_running(leftover.pid)


def test_a_stranger_with_the_number_of_a_leftover_is_left_alone(folder):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        (folder.path / "processes.json").write_text(json.dumps({"web": [stranger.pid, "1"]}))

        folder.lock()

        assert is_running(stranger.pid)
        stranger.kill()


def test_the_lock_ends_with_its_process(folder):
    script = (
        "import sys, time; from pathlib import Path; "
        "from marketplace.devstack.folder import DataFolder; "
        "DataFolder(Path(sys.argv[1])).lock(); print('locked', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=os.getcwd()) as holder:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(FolderInUse):
            folder.lock()
        holder.kill()

    wait_until(lambda: _can_lock(folder))


def _can_lock(folder):
    try:
        folder.lock()
    except FolderInUse:
        return False
    return True


def test_without_wishes_the_web_gets_two_free_ports_in_a_row():
    port, claim = web_port(None)

    with claim:
        assert folders.is_free(port)
        assert folders.is_free(port + 1)


def test_two_stacks_that_start_at_the_same_moment_get_different_ports():
    first, claim = web_port(None)
    with claim:
        second, other_claim = web_port(None)
        other_claim.close()

    assert second != first


def test_a_port_is_refused_while_another_stack_is_about_to_use_it():
    port = folders.any_free_port()
    _, claim = web_port(port)
    with claim, pytest.raises(PortInUse):
        web_port(port)

    web_port(port)[1].close()
