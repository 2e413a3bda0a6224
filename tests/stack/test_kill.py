"""Whatever is killed, everything reaches its end and no cent is lost or made."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg2
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
VICTIMS = ("worker", "web", "valkey", "postgres")
STEPS = 200


@pytest.mark.stack
def test_two_hundred_fundings_and_releases_survive_kill_9_of_everything(start_stack):
    stack = start_stack(durable=True, most_deaths=1000)
    driver = subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.stack.driver", str(STEPS), "3"],
        cwd=ROOT,
        env=stack.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stop, kills = threading.Event(), []
    killer = threading.Thread(target=kill_at_random, args=(stack, stop, kills))
    with driver:
        assert next(driver.stdout).startswith("ready"), "".join(driver.stdout)
        killer.start()
        lines = list(driver.stdout)
    stop.set()
    killer.join()
    assert driver.returncode == 0, "".join(lines[-40:])
    assert f"finished {STEPS}\n" in lines
    assert set(kills) == set(VICTIMS)

    stack.wait_until_ready()
    wait_for(stack, STEPS)
    for proof in ("verify_ledger", "verify_audit", "verify_state", "reconcile"):
        stack.manage(proof)


def kill_at_random(stack, stop, kills):
    dice = random.Random(7)
    while not stop.wait(dice.uniform(2.0, 6.0)):
        # Every victim in turn, in a new order each round, so that none is spared by luck.
        victim = VICTIMS[len(kills) % 4] if len(kills) < 4 else dice.choice(VICTIMS)
        stack.kill(victim)
        kills.append(victim)


def wait_for(stack, steps, seconds=180):
    """Until every transfer is sent: the workers catch up by their own sweeps."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with psycopg2.connect(stack.owner_env["DATABASE_URL"]) as link, link.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM payments_transfer WHERE status = 'sent'")
            sent = cursor.fetchone()[0]
            cursor.execute(
                "SELECT count(*) FROM core_outboxmessage WHERE topic = 'stripe' AND state <> 'done'"
            )
            open_commands = cursor.fetchone()[0]
        if sent == steps and not open_commands:
            return
        time.sleep(0.5)
    pytest.fail(f"{sent} of {steps} transfers sent, {open_commands} commands open")
