"""The live process: one small ASGI app that streams nudges to signed-in browsers.

Served apart from the web processes (`LIVE_ORIGIN`), because thousands of idle streams would
otherwise hold a web thread each. Same session cookie, no write, no page of its own.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.prod")

import django

django.setup()

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections
from django.utils.crypto import constant_time_compare

from marketplace.core.live import channel

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Proxies cut silent streams after a minute or so.
HEARTBEAT_SECONDS = 20
# A stream outlives neither a sign-out nor a deploy for long; browsers reconnect by themselves.
STREAM_SECONDS = 15 * 60


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /live/` for a signed-in browser: an event stream of `{"topic": …}` nudges."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _http(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/healthz":
        await _answer(send, 200, b"ok\n")
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["path"] != "/live/" or scope["method"] != "GET":
        await _answer(send, 404, b"")
        return
    origin = headers.get("origin")
    if origin is not None and origin != settings.SITE_URL:
        await _answer(send, 403, b"")
        return
    user_id = await sync_to_async(_user_id)(headers.get("cookie", ""))
    if user_id is None:
        # 204 tells an EventSource to stop asking.
        await _answer(send, 204, b"")
        return
    await _stream(user_id, receive, send)


def _user_id(cookies: str) -> int | None:
    """The signed-in, active user behind the session cookie; None for anyone else."""
    close_old_connections()
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if morsel is None:
        return None
    session = SessionStore(morsel.value)
    user_id, backend = session.get(SESSION_KEY), session.get(BACKEND_SESSION_KEY)
    if not user_id or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    stored = session.get(HASH_SESSION_KEY, "")
    return user.pk if constant_time_compare(stored, user.get_session_auth_hash()) else None


async def _stream(user_id: int, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _headers(streaming=True)})
    await _write(send, ": ready\n\n")
    gone = asyncio.ensure_future(_gone(receive))
    try:
        async with asyncio.timeout(STREAM_SECONDS):
            await _relay(user_id, gone, send)
    except (TimeoutError, redis.RedisError, OSError):
        pass
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _relay(user_id: int, gone: "asyncio.Future[None]", send: Send) -> None:
    async with (
        redis.asyncio.from_url(settings.REDIS_URL) as client,
        client.pubsub(ignore_subscribe_messages=True) as news,
    ):
        await news.subscribe(channel(user_id))
        while not gone.done():
            message = await news.get_message(timeout=HEARTBEAT_SECONDS)
            if message is None:
                await _write(send, ": still here\n\n")
                continue
            topic = json.loads(message["data"])["topic"]
            await _write(send, f"event: changed\ndata: {topic}\n\n")


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _headers()})
    await send({"type": "http.response.body", "body": body})


def _headers(*, streaming: bool = False) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", b"text/event-stream" if streaming else b"text/plain"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"access-control-allow-origin", settings.SITE_URL.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]
    return [*headers, (b"x-accel-buffering", b"no")] if streaming else headers
