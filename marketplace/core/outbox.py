"""Effects that survive a crash: put them beside their cause, workers carry them out.

The row is the truth; the nudge to a worker after commit only makes it quick. A handler may run
twice (the worker can die after acting and before saying so), so every effect is idempotent by
`message.key`.
"""

import datetime as dt
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from marketplace.core import audit, clock
from marketplace.core.models import OutboxMessage

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import QuerySet

log = logging.getLogger(__name__)

Handler = Callable[[OutboxMessage], None]
HANDLERS: dict[str, Handler] = {}
# Longer than any call a handler makes, so that a living worker is not overtaken.
LEASE = dt.timedelta(seconds=90)
GIVE_UP_AFTER = 25


class Later(Exception):
    """Raised by a handler that could not act now; the message stays and is tried again."""


class Hopeless(Exception):
    """Raised by a handler that will never succeed; the message is parked for a person."""


def handles(topic: str) -> Callable[[Handler], Handler]:
    """Register the function that carries out messages of a topic.

    It runs outside any transaction. When it is through it opens one, records what it learned
    and calls `done(message)` in it, so that result and completion cannot part.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[topic] = handler
        return handler

    return register


def put(
    topic: str, key: str, payload: dict[str, Any], *, due_at: dt.datetime | None = None
) -> OutboxMessage:
    """Remember an effect; asking again with the same key changes nothing."""
    now = clock.now()
    message, created = OutboxMessage.objects.get_or_create(
        key=key,
        defaults={
            "topic": topic,
            "payload": payload,
            "due_at": due_at or now,
            "created_at": now,
        },
    )
    if created and message.due_at <= now:
        from marketplace.core import tasks  # noqa: PLC0415 - tasks imports this module

        nudge(tasks.deliver_message, message.pk)
    return message


def nudge(task: "Task[Any, Any]", *args: Any) -> None:
    """Send a task after commit; a dead broker costs a second and loses nothing."""
    transaction.on_commit(partial(_send, task, args))


def _send(task: "Task[Any, Any]", args: tuple[Any, ...]) -> None:
    try:
        task.apply_async(args, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("no broker for %s (%s); the sweep will do it", task.name, error)


def done(message: OutboxMessage, **result: Any) -> None:
    """Mark it carried out; call inside the transaction that records the result."""
    OutboxMessage.objects.filter(pk=message.pk, state=OutboxMessage.State.PENDING).update(
        state=OutboxMessage.State.DONE,
        done_at=clock.now(),
        last_error="",
        payload={**message.payload, **result},
    )


def deliver_due(*, topic: str | None = None, limit: int = 100) -> int:
    """Carry out what is due, one message after the other; returns how many were tried."""
    tried = 0
    while tried < limit and (message := _lease(topic=topic)):
        _carry_out(message)
        tried += 1
    return tried


def deliver(pk: int) -> None:
    """Carry out one message now, unless it is done or another worker holds it."""
    message = _lease(pk=pk)
    if message:
        _carry_out(message)


@transaction.atomic
def wake(messages: "QuerySet[OutboxMessage]", *, by: "AbstractBaseUser") -> int:
    """Try parked messages again, because a person looked at them; returns how many were parked."""
    parked = list(messages.filter(state=OutboxMessage.State.PARKED).select_for_update())
    for message in parked:
        message.state = OutboxMessage.State.PENDING
        message.attempts, message.due_at = 0, clock.now()
        message.save(update_fields=["state", "attempts", "due_at"])
        audit.record(by, "outbox.woken", message)
    return len(parked)


@transaction.atomic
def _lease(*, topic: str | None = None, pk: int | None = None) -> OutboxMessage | None:
    now = clock.now()
    due = OutboxMessage.objects.filter(state=OutboxMessage.State.PENDING, due_at__lte=now)
    if topic:
        due = due.filter(topic=topic)
    if pk:
        due = due.filter(pk=pk)
    message = due.select_for_update(skip_locked=True).order_by("due_at", "id").first()
    if message:
        message.attempts += 1
        message.due_at = now + LEASE
        message.save(update_fields=["attempts", "due_at"])
    return message


def _carry_out(message: OutboxMessage) -> None:
    try:
        HANDLERS[message.topic](message)
    except Later as reason:
        _again(message, str(reason))
    except Hopeless as reason:
        _park(message, str(reason))
    except Exception as error:
        log.exception("outbox %s failed", message.key)
        if message.attempts >= GIVE_UP_AFTER:
            _park(message, repr(error))
        else:
            _again(message, repr(error))


def _again(message: OutboxMessage, reason: str) -> None:
    wait = dt.timedelta(seconds=min(2**message.attempts, 600))
    _pending(message).update(due_at=clock.now() + wait, last_error=reason[:2000])


def _park(message: OutboxMessage, reason: str) -> None:
    log.error("outbox %s parked: %s", message.key, reason)
    _pending(message).update(state=OutboxMessage.State.PARKED, last_error=reason[:2000])


def _pending(message: OutboxMessage) -> Any:
    return OutboxMessage.objects.filter(pk=message.pk, state=OutboxMessage.State.PENDING)
