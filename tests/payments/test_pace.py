"""Commands to Stripe go no faster than Stripe takes them, whoever sends, with Redis and without."""

import functools
import time

import pytest
import redis

from marketplace.core import outbox
from marketplace.core.models import OutboxMessage
from payments import gateway
from payments.gateway import pace
from payments.models import Transfer
from payments.services import commands, holds
from tests.payments.threads import together

NOBODY_LISTENS = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _own_bucket(monkeypatch, request):
    """A bucket no other test takes from, full."""
    monkeypatch.setattr(pace, "KEY", f"test:{request.node.name}")
    monkeypatch.setattr(pace, "OWN", pace.Bucket())

    @functools.cache
    def patient(url):
        """A slow machine is no reason to fall back to the other bucket."""
        return redis.Redis.from_url(url, socket_connect_timeout=30, socket_timeout=30)

    monkeypatch.setattr(pace, "_connection", patient)


def test_all_workers_together_keep_to_the_rate(settings):
    settings.STRIPE_WRITES_PER_SECOND = 50.0
    taken = []

    def work(_number):
        taken.extend(gateway.may_write(patience=60) for _ in range(30))

    start = time.monotonic()
    assert together(work, 5) == ["ok"] * 5
    passed = time.monotonic() - start
    assert taken == [True] * 150
    # A full bucket of 50, and the rest at 50 a second; however slow the machine is.
    assert passed > (150 - 50) / 50 - 0.1


def test_an_empty_bucket_keeps_nobody_longer_than_their_patience(settings):
    settings.STRIPE_WRITES_PER_SECOND = 0.01
    assert gateway.may_write(patience=0)
    assert not gateway.may_write(patience=1)


def test_without_redis_each_process_goes_on_slower_by_itself(settings):
    settings.REDIS_URL = NOBODY_LISTENS
    settings.STRIPE_WRITES_PER_SECOND = 40.0
    start = time.monotonic()
    assert all(gateway.may_write(patience=60) for _ in range(21))
    # Ten a second at most, of which the first is there at once and ten more may have gathered.
    assert time.monotonic() - start > (21 - 11) / 10 - 0.1


def test_without_redis_an_empty_bucket_still_says_no(settings):
    settings.REDIS_URL = NOBODY_LISTENS
    settings.STRIPE_WRITES_PER_SECOND = 0.01
    assert gateway.may_write(patience=0)
    assert not gateway.may_write(patience=1)


@pytest.mark.django_db(transaction=True)
def test_a_command_without_room_waits_in_the_outbox_and_goes_later(market, settings, monkeypatch):
    market.connect()
    hold = market.held()
    monkeypatch.setattr(commands, "PATIENCE", 0)
    settings.STRIPE_WRITES_PER_SECOND = 0.01
    while gateway.may_write(patience=0):
        pass
    holds.release(hold, by=market.client, basis="approval")

    message = OutboxMessage.objects.get(key__startswith="transfer:")
    assert (message.state, Transfer.objects.get().status) == ("pending", "sending")
    assert "asked" not in message.payload
    assert not [r for r in market.stripe.requests if r["path"] == "/v1/transfers"]

    settings.STRIPE_WRITES_PER_SECOND = 1000.0
    monkeypatch.setattr(pace, "KEY", "test:later")
    OutboxMessage.objects.update(due_at=message.created_at)
    outbox.deliver_due()
    assert Transfer.objects.get().status == "sent"
