"""News for open pages: tells a person's browser that something changed, never what.

The page then fetches the change through its normal address, so this needs no access rules of
its own, and losing a nudge loses nothing.
"""

import json
import logging
from collections.abc import Iterable
from functools import cache, partial

import redis
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)


def channel(user_id: int) -> str:
    """The pub/sub channel of one person."""
    return f"live:{user_id}"


def nudge(user_ids: Iterable[int], topic: str) -> None:
    """After commit, tell these people's open pages that `topic` (like "notices") changed."""
    transaction.on_commit(partial(_publish, list(user_ids), topic))


def _publish(user_ids: list[int], topic: str) -> None:
    try:
        for user_id in user_ids:
            _connection().publish(channel(user_id), json.dumps({"topic": topic}))
    except redis.RedisError as error:
        log.warning("no live news: %s", type(error).__name__)


@cache
def _connection() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=0.5)
