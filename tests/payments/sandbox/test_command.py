"""`manage.py stripe_sandbox` as a process: what it refuses, and what it survives."""

import datetime as dt
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from marketplace.core.money import Money
from marketplace.devstack.folder import any_free_port
from payments import gateway
from payments.management.commands.stripe_sandbox import secret_in
from payments.sandbox.server import Sandbox
from tests.stripe_sandbox import StripeSandbox

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def start(tmp_path, settings) -> Iterator[Callable[[], StripeSandbox]]:
    """Start the command, on the same data and port each time; wait until it answers."""
    port, processes, sandboxes = any_free_port(), [], []
    command = [
        *(sys.executable, "manage.py", "stripe_sandbox", "--port", str(port), "--test-switches"),
        *("--data", str(tmp_path / "data"), "--secret-key-file", str(tmp_path / "key")),
        *("--webhook-secret-file", str(tmp_path / "webhook-secret")),
    ]

    def run() -> StripeSandbox:
        log = (tmp_path / "log").open("a")
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "marketplace.settings.dev"} | SECRETS,
        )
        log.close()
        processes.append(process)
        sandbox = StripeSandbox(f"http://127.0.0.1:{port}")
        sandbox.process = process
        sandboxes.append(sandbox)
        wait_until_it_answers(sandbox, process, tmp_path / "log")
        settings.STRIPE_API_BASE = sandbox.base_url
        settings.STRIPE_SECRET_KEY = (tmp_path / "key").read_text()
        settings.STRIPE_WEBHOOK_SECRETS = [(tmp_path / "webhook-secret").read_text()]
        return sandbox

    yield run
    for process in processes:
        process.kill()
        process.wait()
    for sandbox in sandboxes:
        sandbox.close()


SECRETS = {"SECRET_KEY": "x" * 60, "STRIPE_SECRET_KEY": "sk_test_1"}


def wait_until_it_answers(sandbox: StripeSandbox, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            sandbox.open("/")
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(log.read_text())


def test_what_was_acknowledged_survives_kill_9_with_its_webhooks(start, checkout_of):
    sandbox = start()
    sessions = [checkout_of(Money(100_00, "EUR"), key=f"checkout-{n}") for n in range(5)]
    for session in sessions[:3]:
        sandbox.pay(session.id)
    before = gateway.balance()

    sandbox.process.send_signal(signal.SIGKILL)
    sandbox.process.wait()
    again = start()

    assert gateway.balance() == before == {"EUR": 3 * 98_25}
    found = [gateway.retrieve_checkout(session.id).payment_status for session in sessions]
    assert found == ["paid"] * 3 + ["unpaid"] * 2
    assert checkout_of(Money(100_00, "EUR"), key="checkout-0").id == sessions[0].id
    webhooks = again.drain()
    events = [gateway.read_event(webhook.body, webhook.signature) for webhook in webhooks]
    assert [event.type for event in events].count("checkout.session.completed") == 3
    assert again.pay(sessions[4].id)

    again.process.terminate()
    assert again.process.wait(120) == 0


@pytest.fixture
def checkout_of() -> Callable[..., gateway.CheckoutSession]:
    """A payment page with the same parameters each time, so that a key can be repeated."""
    expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)

    def make(amount: Money, *, key: str) -> gateway.CheckoutSession:
        return gateway.create_checkout(
            key=key,
            lines=[gateway.CheckoutLine("Milestone 1", amount)],
            description="Milestone 1",
            reference="hold-1",
            metadata={"hold": "hold-1"},
            transfer_group="hold-1",
            success_url="http://127.0.0.1:8000/",
            cancel_url="http://127.0.0.1:8000/",
            expires_at=expires_at,
            customer_email="client@example.org",
        )

    return make


def test_secrets_are_made_for_the_owner_only_and_kept(tmp_path):
    file = tmp_path / "secrets" / "webhook"

    first = secret_in(file, "whsec_")

    assert first.startswith("whsec_")
    assert len(first) > 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret_in(file, "whsec_") == first
    assert list(file.parent.iterdir()) == [file]


@pytest.fixture
def running(tmp_path) -> Iterator[Sandbox]:
    sandbox = Sandbox(data=tmp_path, port=0, webhook_secret="whsec_1")
    sandbox.start()
    yield sandbox
    sandbox.stop()


def test_without_the_switches_nobody_can_inject_faults(running):
    answers = [
        requests.post(f"{running.base_url}/_test/{action}", json={}, timeout=60).status_code
        for action in ("state", "reset", "drain", "clock")
    ]

    assert answers == [404] * 4


def test_a_second_sandbox_on_the_same_data_is_refused(running, tmp_path):
    with pytest.raises(CommandError, match="Another sandbox works in"):
        call_command(
            "stripe_sandbox",
            port=any_free_port(),
            data=tmp_path,
            webhook_secret_file=tmp_path / "webhook-secret",
        )


def test_a_taken_port_is_named(running, tmp_path):
    port = int(running.base_url.rpartition(":")[2])

    with pytest.raises(CommandError, match=f"Port {port} is taken"):
        call_command(
            "stripe_sandbox",
            port=port,
            data=tmp_path / "other",
            webhook_secret_file=tmp_path / "webhook-secret",
        )


@pytest.mark.parametrize("name", ["STRIPE_LIVE", "SECURE_SSL_REDIRECT"])
def test_it_does_not_start_where_real_people_pay(settings, tmp_path, name):
    setattr(settings, name, True)

    with pytest.raises(CommandError, match="does not run with production settings"):
        call_command(
            "stripe_sandbox",
            port=any_free_port(),
            data=tmp_path,
            webhook_secret_file=tmp_path / "webhook-secret",
        )

    assert list(tmp_path.iterdir()) == []


def test_webhooks_go_to_this_machine_only(tmp_path):
    with pytest.raises(CommandError, match="not on this machine"):
        call_command(
            "stripe_sandbox",
            port=any_free_port(),
            data=tmp_path,
            webhook_secret_file=tmp_path / "webhook-secret",
            webhook_url="http://shop.example/stripe/webhook/",
        )
