"""Commands to Stripe: rows of the outbox, carried out outside transactions, each once.

Stripe gives the first answer to an idempotency key again for at least a day, errors of its own
included, and then forgets the key. So a key is repeated while the answer is unknown; after an
error of Stripe's, or when the key may be forgotten, we look for what it may have done, and only
when there is nothing continue under the next key.
"""

import datetime as dt
import logging
from collections.abc import Callable
from typing import TypeVar

from marketplace.core import clock, outbox
from marketplace.core.models import OutboxMessage
from payments import gateway

log = logging.getLogger(__name__)

TOPIC = "stripe"
# Stripe promises to know a key for 24 hours.
KEY_LIVES = dt.timedelta(hours=20)
# Seconds a command waits for its turn under Stripe's rate limit before it goes back to the outbox;
# far less than the lease of an outbox message.
PATIENCE = 10

Answer = TypeVar("Answer")
Command = Callable[[OutboxMessage], None]
COMMANDS: dict[str, Command] = {}


def command(verb: str) -> Callable[[Command], Command]:
    """Register the function that carries out commands of this verb; safe to run twice."""

    def register(function: Command) -> Command:
        COMMANDS[verb] = function
        return function

    return register


def give(verb: str, key: str, pk: int, *, due_at: dt.datetime | None = None) -> None:
    """Have Stripe told, once, after this transaction: `verb` about the row `pk`."""
    outbox.put(TOPIC, key, {"do": verb, "id": pk}, due_at=due_at)


@outbox.handles(TOPIC)
def carry_out(message: OutboxMessage) -> None:
    """Carry out one command; Stripe being away means later, a reused key means a bug of ours."""
    try:
        COMMANDS[message.payload["do"]](message)
    except gateway.Unavailable as error:
        raise outbox.Later(str(error)) from error
    except gateway.KeyReused as error:
        log.critical("stripe command %s: key used with other content", message.key)
        raise outbox.Hopeless(str(error)) from error


def ask(
    message: OutboxMessage,
    make: Callable[[str], Answer],
    *,
    find: Callable[[], Answer | None],
) -> Answer:
    """Stripe's answer to `make(key)`, asked so that it is done once however often we run.

    `find()` looks for what an earlier key may have done. Batches go at the pace Stripe takes.
    Raises what the gateway raises, and Later when there is no room for too long.
    """
    if not gateway.may_write(patience=PATIENCE):
        raise outbox.Later("Stripe takes no more writes this second")
    key, asked_at, spoilt = _state(message)
    if asked_at and (spoilt or clock.now() - asked_at > KEY_LIVES):
        found = find()
        if found is not None:
            return found
        key, asked_at = key + 1, None
    # Kept before asking: whoever finds this row after a crash must know what may have happened.
    _keep(message, key, asked_at or clock.now(), spoilt=False)
    try:
        return make(f"{message.key}:{key}")
    except gateway.Unavailable as error:
        if error.answered:
            _keep(message, key, asked_at or clock.now(), spoilt=True)
        raise


def _state(message: OutboxMessage) -> tuple[int, dt.datetime | None, bool]:
    asked = message.payload.get("asked")
    if not asked:
        return 1, None, False
    return asked["key"], dt.datetime.fromisoformat(asked["at"]), asked["spoilt"]


def _keep(message: OutboxMessage, key: int, at: dt.datetime, *, spoilt: bool) -> None:
    message.payload["asked"] = {"key": key, "at": at.isoformat(), "spoilt": spoilt}
    message.save(update_fields=["payload"])
