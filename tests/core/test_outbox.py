"""Effects survive crashes, happen once per key, and give up loudly."""

import datetime as dt
import threading

import pytest
import time_machine
from django.core import mail as django_mail
from django.db import connection, transaction

from marketplace.core import mail, outbox
from marketplace.core.models import OutboxMessage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def topic():
    """A topic of its own whose handler each test writes."""
    calls = []

    def use(handler):
        def counted(message):
            calls.append(message.key)
            handler(message)

        outbox.HANDLERS["test"] = counted
        return calls

    yield use
    outbox.HANDLERS.pop("test", None)


def row(key="k"):
    return OutboxMessage.objects.get(key=key)


def test_an_effect_is_carried_out_after_commit_and_once_per_key(topic):
    calls = topic(outbox.done)
    with transaction.atomic():
        outbox.put("test", "k", {"a": 1})
        outbox.put("test", "k", {"a": 1})
        assert calls == []
    assert calls == ["k"]
    outbox.deliver_due()
    assert calls == ["k"]
    assert row().state == "done"


def test_nothing_happens_when_the_cause_rolls_back(topic):
    calls = topic(outbox.done)
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.put("test", "k", {})
        raise RuntimeError
    assert calls == []
    assert not OutboxMessage.objects.exists()


def test_a_worker_that_died_is_replaced_when_its_lease_runs_out(topic):
    calls = topic(lambda message: None)  # acts, then dies before saying so
    with transaction.atomic():
        outbox.put("test", "k", {})
    assert outbox.deliver_due() == 0
    topic(outbox.done)
    with time_machine.travel(dt.datetime.now(dt.UTC) + outbox.LEASE * 2):
        assert outbox.deliver_due() == 1
    assert row().state == "done"
    assert calls == ["k", "k"]


def test_an_effect_that_cannot_happen_now_waits_longer_each_time(topic):
    def away(message):
        raise outbox.Later("closed")

    topic(away)
    with transaction.atomic():
        outbox.put("test", "k", {})
    first = row()
    assert first.state == "pending"
    assert first.last_error == "closed"
    with time_machine.travel(first.due_at + dt.timedelta(seconds=1)):
        outbox.deliver_due()
    assert row().attempts == 2
    assert row().due_at - first.due_at > dt.timedelta(seconds=3)


def test_a_hopeless_effect_is_parked_for_a_person(topic):
    def never(message):
        raise outbox.Hopeless("no such address")

    topic(never)
    with transaction.atomic():
        outbox.put("test", "k", {})
    assert row().state == "parked"


def test_two_workers_never_hold_the_same_message(topic):
    inside, leave = threading.Barrier(2, timeout=120), threading.Event()

    def slow(message):
        inside.wait()
        leave.wait(120)
        outbox.done(message)

    calls = topic(slow)
    with transaction.atomic():
        now = dt.datetime.now(dt.UTC)
        message = OutboxMessage.objects.create(topic="test", key="k", due_at=now, created_at=now)

    def work():
        try:
            outbox.deliver(message.pk)
        finally:
            connection.close()

    first = threading.Thread(target=work)
    first.start()
    inside.wait()
    second = threading.Thread(target=work)
    second.start()
    second.join(120)
    leave.set()
    first.join(120)
    assert calls == ["k"]


def test_a_dead_broker_costs_nothing_but_time(topic, settings):
    from marketplace.celery import app

    calls = topic(outbox.done)
    eager, url = app.conf.task_always_eager, app.conf.broker_url
    app.conf.task_always_eager = False
    try:
        with app.connection_for_write("redis://127.0.0.1:1/0") as dead:
            from marketplace.core import tasks

            outbox._send(_On(tasks.deliver_message, dead), (1,))
    finally:
        app.conf.task_always_eager, app.conf.broker_url = eager, url
    with transaction.atomic():
        outbox.put("test", "k", {})
    outbox.deliver_due()
    assert calls == ["k"]


class _On:
    """A task sent over one given connection."""

    def __init__(self, task, broker):
        self.task, self.broker, self.name = task, broker, task.name

    def apply_async(self, args, **options):
        return self.task.apply_async(args, connection=self.broker, **options)


def test_mail_is_sent_in_text_and_html_and_its_text_is_forgotten(tmp_path, settings):
    (tmp_path / "hi.subject.txt").write_text("Hello\n{{ name }}")
    (tmp_path / "hi.txt").write_text("Dear {{ name }}")
    (tmp_path / "hi.html").write_text("<p>Dear {{ name }}</p>")
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    ]
    for _ in range(2):
        with transaction.atomic():
            mail.put("hi:1", to="ada@example.org", template="hi", context={"name": "Ada <3"})
    (letter,) = django_mail.outbox
    assert letter.subject == "Hello Ada <3"
    assert letter.body == "Dear Ada <3"
    assert "Ada &lt;3" in letter.alternatives[0].content
    assert row("mail:hi:1").payload == {"subject": letter.subject}
