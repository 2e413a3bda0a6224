"""How many writes a second we ask of Stripe, over all workers together.

Stripe refuses what comes faster (429), so a batch of releases waits here instead. A bucket in Redis
fills by the second up to one second's worth; each write takes a token. Without Redis every process
keeps a bucket of its own that fills a good deal slower: slow is safe, stopped is not.
"""

import functools
import logging
import threading
import time
from typing import cast

import redis
from django.conf import settings

log = logging.getLogger(__name__)

KEY = "stripe:writes"
# So many processes may send without knowing of each other while Redis is away.
PROCESSES = 4
# One statement for everybody: fill by the time that passed on the server's clock, then take.
# Answers 0, or after how many microseconds a token will be there.
TAKE = """
local rate, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or room, tonumber(kept[2]) or now
tokens = math.min(room, tokens + math.max(0, now - at) * rate / 1000000)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) * 1000000 / rate) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(room / rate * 1000) + 1000)
return wait
"""


def may_write(*, patience: float) -> bool:
    """Wait for leave to write, at most `patience` seconds; False when there is none by then."""
    until = time.monotonic() + patience
    while wait := _wait():
        if time.monotonic() + wait > until:
            return False
        time.sleep(wait)
    return True


def _wait() -> float:
    """Take a token; 0, or in how many seconds to ask again."""
    rate = settings.STRIPE_WRITES_PER_SECOND
    try:
        wait = _connection(settings.REDIS_URL).eval(TAKE, 1, KEY, rate, max(1, rate))
    except (redis.RedisError, OSError) as error:
        log.warning("no shared limit for Stripe: %s", type(error).__name__)
        return OWN.wait(rate / PROCESSES)
    # Typed for redis-py's asynchronous client as well, which this is not.
    return cast(int, wait) / 1_000_000


@functools.cache
def _connection(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=0.3, socket_timeout=0.5)


class Bucket:
    """The same within one process, for while Redis is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens, self._at = 1.0, time.monotonic()

    def wait(self, rate: float) -> float:
        """Take a token; 0, or in how many seconds one will be there."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(max(1.0, rate), self._tokens + (now - self._at) * rate)
            self._at = now
            if self._tokens < 1:
                return (1 - self._tokens) / rate
            self._tokens -= 1
            return 0.0


OWN = Bucket()
