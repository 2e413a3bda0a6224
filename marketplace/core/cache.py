"""A cache that is allowed to die: every failure is a miss."""

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Redis cache whose failures are misses, so that pages outlive Redis.

    Whoever needs to know that a limit could not be counted asks `alive()`.
    """

    def _try(self, name: str, default: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(super(), name)(*args, **kwargs)
        except (RedisError, OSError) as error:
            log.warning("cache %s failed: %s", name, type(error).__name__)
            return default

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._try("get", default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._try("set", None, *args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try("add", True, *args, **kwargs))

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try("touch", False, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try("delete", False, *args, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return self._try("get_many", {}, *args, **kwargs) or {}

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return self._try("set_many", [], *args, **kwargs) or []

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._try("delete_many", None, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try("has_key", False, *args, **kwargs))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(self._try("incr", delta, key, delta, version))

    def count(self, key: str, *, seconds: int) -> tuple[int, int] | None:
        """Count one more under the key; how many there are now, and for how many seconds still.

        The count ends `seconds` after its first one. None when Redis does not answer.
        """
        name = self.make_and_validate_key(key)
        try:
            with self._cache.get_client(write=True).pipeline(transaction=True) as steps:
                steps.set(name, 0, ex=seconds, nx=True)
                steps.incr(name)
                steps.ttl(name)
                _made, counted, left = steps.execute()
        except (RedisError, OSError) as error:
            log.warning("cache count failed: %s", type(error).__name__)
            return None
        return int(counted), max(1, int(left))

    def clear(self) -> None:
        self._try("clear", None)

    def alive(self) -> bool:
        """Whether Redis answers now."""
        try:
            return bool(self._cache.get_client(write=True).ping())
        except (RedisError, OSError):
            return False
