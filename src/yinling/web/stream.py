"""The live stream: PostgreSQL notices to open pages as server-sent events. Topic and id only; the page asks again by an ordinary GET.

NOTIFY knows no row-level security, so each notice carries its division and is compared with the listener's area here. A listener of an
organisation is told the topic of its city without the id. The connection that listens is our own, never one of a pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.http.request import split_domain_port, validate_host
from psycopg.conninfo import make_conninfo

from yinling.directory.queries import active_grants, city_of
from yinling.ground.clock import business_now
from yinling.ground.live import CHANNEL

logger = logging.getLogger(__name__)
PING_S = 15.0
CHECK_S = 60.0
AGAIN_S = 0.5
WAITING = 200
EVERYTHING = {"topic": "all"}

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Listener:
    """Who listens: the person, the area of the grant, and the city of the person's organisation."""

    user_id: int
    div: str = ""
    city: str = ""

    def told(self, notice: Message) -> Message | None:
        """Return what this listener may know of a notice, or nothing."""
        topic, pk, div = notice.get("topic", ""), notice.get("id"), str(notice.get("div", ""))
        if "user" in notice:
            return {"topic": topic, "id": pk} if notice["user"] == self.user_id else None
        if self.div and div.startswith(self.div):
            return {"topic": topic, "id": pk}
        return {"topic": topic, "id": None} if self.city and div.startswith(self.city) else None


def identify(cookies: str) -> Listener | None:
    """Return who holds the session of a cookie header."""
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if morsel is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    if not user.is_authenticated:
        return None
    grants = list(active_grants(user.pk, business_now()))
    grant = next((row for row in grants if row.pk == session.get("grant")), grants[0] if grants else None)
    body = grant.organisation if grant else None
    return Listener(user.pk, grant.div if grant else "", city_of(body.div) if body and grant and not grant.div else "")


def _identify_apart(cookies: str) -> Listener | None:
    try:
        return identify(cookies)
    finally:
        connection.close()


class Stream:
    """The ASGI application: ``/live/``, ``/healthz``."""

    def __init__(self) -> None:
        self.queues: dict[asyncio.Queue[Message | None], Listener] = {}
        self.listening = False
        self.task: asyncio.Task[None] | None = None
        self.closing = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one connection of the server."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            self.start()
            await self.answer(scope, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        """Start with the server, and end the streams when it ends, so that it need not wait for them."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def start(self) -> None:
        """Begin to listen, once."""
        if self.task is None or self.task.done():
            self.closing = False
            self.task = asyncio.get_running_loop().create_task(self.listen())

    async def close(self) -> None:
        """End all streams."""
        self.closing = True
        for queue in list(self.queues):
            _put(queue, None)
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def listen(self) -> None:
        """Pass notices on for ever; after a lost connection tell every page to ask again, since notices were missed."""
        address = make_conninfo(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"])
        was_lost = False
        while not self.closing:
            try:
                async with await psycopg.AsyncConnection.connect(
                    address, autocommit=True, application_name="yinling-stream"
                ) as line:
                    await line.execute(f"LISTEN {CHANNEL}")
                    self.listening = True
                    if was_lost:
                        self.publish(EVERYTHING)
                    async for notify in line.notifies():
                        self.publish(_read(notify.payload))
            except psycopg.Error as error:
                logger.warning("stream: %s", error)
            self.listening, was_lost = False, True
            await asyncio.sleep(AGAIN_S)

    def publish(self, notice: Message) -> None:
        """Give a notice to everybody it concerns."""
        for queue, listener in list(self.queues.items()):
            told = notice if notice is EVERYTHING else listener.told(notice)
            if told is not None:
                _put(queue, told)

    async def answer(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] == "/healthz":
            await _whole(send, 200 if self.listening else 503, b"ok" if self.listening else b"not listening")
            return
        if scope["path"].rstrip("/") != "/live" or scope["method"] != "GET":
            await _whole(send, 404, b"not found")
            return
        cors = allowed_origin(headers)
        if cors is None:
            await _whole(send, 403, b"origin")
            return
        listener = await sync_to_async(_identify_apart)(headers.get("cookie", ""))
        if listener is None:
            await _whole(send, 401, b"log in first", cors)
            return
        await self.stream(headers.get("cookie", ""), listener, cors, receive, send)

    async def stream(
        self, cookies: str, listener: Listener, cors: list[tuple[bytes, bytes]], receive: Receive, send: Send
    ) -> None:
        """Send events until the page goes, the session ends or the server stops."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue(WAITING)
        self.queues[queue] = listener
        gone = asyncio.ensure_future(_gone(receive))
        lead = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*lead, *cors]})
            await send(_part(b"retry: 3000\n: open\n\n"))
            await self.pump(queue, cookies, gone, send)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            self.queues.pop(queue, None)

    async def pump(
        self, queue: asyncio.Queue[Message | None], cookies: str, gone: asyncio.Future[None], send: Send
    ) -> None:
        """Send what comes, a ping when nothing does, and look once a minute whether the session still holds."""
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while not gone.done() and not self.closing:
            item = asyncio.ensure_future(queue.get())
            either: set[asyncio.Future[Any]] = {item, gone}
            await asyncio.wait(either, timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
            if not item.done():
                item.cancel()
                if not gone.done():
                    await send(_part(b": ping\n\n"))
            elif (notice := item.result()) is None:
                return
            else:
                await send(_part(f"data: {json.dumps(notice)}\n\n".encode()))
            if loop.time() - checked > CHECK_S:
                checked = loop.time()
                now = await sync_to_async(_identify_apart)(cookies)
                if now is None:
                    return
                self.queues[queue] = now


def allowed_origin(headers: dict[str, str]) -> list[tuple[bytes, bytes]] | None:
    """Return the CORS headers for our own pages, none for a request of the same origin, None for a stranger."""
    host = headers.get("host", "")
    name, _port = split_domain_port(host)
    if not name or not validate_host(name, settings.ALLOWED_HOSTS):
        return None
    origin = headers.get("origin")
    if origin is None:
        return []
    parts = urlsplit(origin)
    pages = {host, f"{name}:{settings.PORT}"}
    if parts.scheme not in {"http", "https"} or parts.netloc not in pages:
        return None
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def _put(queue: asyncio.Queue[Message | None], item: Message | None) -> None:
    """Put without waiting; a page too slow to read is told to ask for everything."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(EVERYTHING)
    queue.put_nowait(item)


def _read(payload: str) -> Message:
    try:
        notice = json.loads(payload)
    except ValueError:
        return {}
    return notice if isinstance(notice, dict) else {}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _whole(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    lead = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store"), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": lead})
    await send({"type": "http.response.body", "body": body, "more_body": False})
