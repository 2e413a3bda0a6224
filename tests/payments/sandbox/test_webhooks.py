"""Events: listed, signed, brought to the product, and what may happen to them on the way."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from payments import gateway
from payments.gateway import connection
from payments.sandbox import courier
from payments.sandbox.server import Sandbox
from tests.stripe_sandbox import SECRET_KEY, WEBHOOK_SECRET, StripeSandbox

AN_HOUR_AGO = dt.timedelta(hours=-1)


def test_paying_tells_the_whole_story_in_signed_webhooks(stripe_sandbox, checkout):
    session = checkout()
    stripe_sandbox.pay(session.id)

    webhooks = stripe_sandbox.drain()

    events = [gateway.read_event(webhook.body, webhook.signature) for webhook in webhooks]
    assert [event.type for event in events] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    last = events[-1]
    assert (last.object_id, last.object_type) == (session.id, "checkout.session")
    assert last.payload["data"]["object"]["payment_status"] == "paid"
    assert not last.livemode
    assert stripe_sandbox.drain() == []


def test_the_list_of_events_is_oldest_first_and_knows_what_webhooks_lost(stripe_sandbox, checkout):
    stripe_sandbox.switch(lose=2)
    stripe_sandbox.pay(checkout().id)

    arrived = [webhook.type for webhook in stripe_sandbox.drain()]
    listed = gateway.list_events(since=dt.datetime.now(dt.UTC) + AN_HOUR_AGO)

    assert arrived == ["payment_intent.succeeded", "checkout.session.completed"]
    assert [event.type for event in listed] == [
        "payment_intent.created",
        "charge.succeeded",
        *arrived,
    ]
    assert stripe_sandbox.deliveries["lost"] == 2


def test_long_lists_are_read_page_by_page(stripe_sandbox, checkout, monkeypatch):
    monkeypatch.setattr(connection, "PAGE", 3)
    for _ in range(2):
        stripe_sandbox.pay(checkout().id)

    since = dt.datetime.now(dt.UTC) + AN_HOUR_AGO
    events = gateway.list_events(since=since)
    moved = list(gateway.list_balance_transactions(since=since))

    assert len({event.id for event in events}) == 8
    assert len({transaction.id for transaction in moved}) == 2
    pages = [request for request in stripe_sandbox.requests if request["path"] == "/v1/events"]
    assert [len(page["params"]) for page in pages] == [2, 3, 3]


def test_nothing_is_listed_from_before_the_asked_time(stripe_sandbox, checkout):
    stripe_sandbox.pay(checkout().id)
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)

    assert gateway.list_events(since=tomorrow) == []
    assert list(gateway.list_balance_transactions(since=tomorrow)) == []


def test_webhooks_may_come_twice_and_backwards(stripe_sandbox, checkout):
    stripe_sandbox.switch(duplicate=1, reorder=True)
    stripe_sandbox.pay(checkout().id)

    kinds = [webhook.type for webhook in stripe_sandbox.drain()]

    assert kinds[:2] == ["checkout.session.completed"] * 2
    assert kinds[-2:] == ["payment_intent.created"] * 2


def test_webhooks_may_be_late(stripe_sandbox, checkout):
    stripe_sandbox.switch(delay=60)
    stripe_sandbox.pay(checkout().id)

    assert stripe_sandbox.drain() == []
    assert stripe_sandbox.deliveries == {"waiting": 4}


class Product(ThreadingHTTPServer):
    """Takes webhooks; answers 500 as often as `failures` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.failures = 0
        self.received: list[tuple[bytes, str]] = []

    def wait_for(self, count: int) -> list[tuple[bytes, str]]:
        deadline = time.monotonic() + 120
        while len(self.received) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.received


class _Endpoint(BaseHTTPRequestHandler):
    server: Product

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((body, self.headers["Stripe-Signature"]))
        failing = self.server.failures > 0
        self.server.failures -= failing
        self.send_response(500 if failing else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def product() -> Iterator[Product]:
    server = Product()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def delivering(product, tmp_path, settings) -> Iterator[StripeSandbox]:
    """A sandbox that brings its webhooks to the product."""
    server = Sandbox(
        data=tmp_path,
        port=0,
        webhook_url=f"http://127.0.0.1:{product.server_port}/stripe/webhook/",
        webhook_secret=WEBHOOK_SECRET,
        secret_key=SECRET_KEY,
        test_switches=True,
    )
    server.start()
    settings.STRIPE_API_BASE = server.base_url
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
    sandbox = StripeSandbox(server.base_url)
    yield sandbox
    sandbox.close()
    server.stop()


def make_event(sandbox: StripeSandbox) -> None:
    account = gateway.create_account(
        key="account-1", email="payee@example.org", country="DE", reference="party-1"
    )
    sandbox.restrict(account.id)


def test_a_webhook_is_brought_until_it_is_accepted_and_signed_anew_each_time(
    delivering, product, monkeypatch
):
    monkeypatch.setattr(courier, "FIRST_PAUSE", 1.1)
    product.failures = 1

    make_event(delivering)

    (first, first_signature), (second, second_signature) = product.wait_for(2)
    assert first == second
    assert first_signature != second_signature
    assert gateway.read_event(second, second_signature).type == "account.updated"
    deadline = time.monotonic() + 120
    while delivering.deliveries != {"delivered": 1} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert delivering.deliveries == {"delivered": 1}


def test_pauses_between_attempts_grow(delivering, product, monkeypatch):
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(courier, "LOOKS_EVERY", 0.02)
    product.failures = 3
    start = time.monotonic()

    make_event(delivering)

    assert len(product.wait_for(4)) == 4
    assert time.monotonic() - start > 0.2 + 0.4 + 0.8
