"""The live stream: who is told what, and that it survives a lost database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from psycopg.conninfo import make_conninfo
from tests.factories import WIDE, actor, city, make_organisation

from yinling.accounts.models import User
from yinling.directory.roles import ROLES
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.web.stream import EVERYTHING, Listener, Stream, _put, allowed_origin

NOTICE = {"topic": "tickets", "id": 7, "div": "320213021001"}


@pytest.mark.parametrize(
    ("listener", "notice", "told"),
    [
        (Listener(1, div="3202"), NOTICE, {"topic": "tickets", "id": 7}),
        (Listener(1, div="320213021001"), NOTICE, {"topic": "tickets", "id": 7}),
        (Listener(1, div="320281"), NOTICE, None),
        (Listener(1), NOTICE, None),
        (Listener(1, city="3202"), NOTICE, {"topic": "tickets", "id": None}),
        (Listener(1, city="3205"), NOTICE, None),
        (Listener(1, div="3202"), NOTICE | {"user": 2}, None),
        (Listener(2), NOTICE | {"user": 2}, {"topic": "tickets", "id": 7}),
        (Listener(1, div="3202"), {}, None),
    ],
)
def test_a_listener_is_told_of_the_own_area_only(
    listener: Listener, notice: dict[str, Any], told: dict[str, Any] | None
) -> None:
    assert listener.told(notice) == told


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://evil.example", False),
        ("http://127.0.0.1:9999", False),
        ("null", False),
        (None, True),
    ],
)
def test_only_our_own_pages_may_listen(origin: str | None, *, status: bool) -> None:
    headers = {"host": "127.0.0.1:8001"} | ({"origin": origin} if origin else {})
    assert (allowed_origin(headers) is not None) is status
    assert allowed_origin({"host": "evil.example:8001"}) is None


def test_a_slow_page_is_told_to_ask_for_everything() -> None:
    queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(2)
    for number in range(3):
        _put(queue, {"topic": "x", "id": number})
    assert [queue.get_nowait(), queue.get_nowait()] == [EVERYTHING, {"topic": "x", "id": 2}]


class Page:
    """A page that listens."""

    def __init__(self, stream: Stream, cookie: str, origin: str = "http://127.0.0.1:8000") -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.parts: asyncio.Queue[bytes] = asyncio.Queue()
        self.leave = asyncio.Event()
        headers = [(b"host", b"127.0.0.1:8001"), (b"cookie", cookie.encode()), (b"origin", origin.encode())]
        scope_ = {"type": "http", "method": "GET", "path": "/live/", "headers": headers}
        self.task = asyncio.ensure_future(stream(scope_, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            await self.parts.put(message["body"])

    async def event(self) -> dict[str, Any]:
        """Return the next event."""
        while True:
            part = await asyncio.wait_for(self.parts.get(), 30)
            if part.startswith(b"data: "):
                return json.loads(part[6:])  # type: ignore[no-any-return]


def cookie_of(who: Actor) -> str:
    client = Client()
    client.force_login(User.objects.get(pk=who.user_id))
    return f"sessionid={client.cookies['sessionid'].value}"


def database() -> str:
    return make_conninfo(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"])


async def notify(**payload: Any) -> None:
    async with await psycopg.AsyncConnection.connect(database(), autocommit=True) as line:
        await line.execute("SELECT pg_notify('yinling_live', %s)", [json.dumps(payload)])


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError


def run(story: Callable[[Stream], Awaitable[None]]) -> None:
    async def play() -> None:
        stream = Stream()
        try:
            await story(stream)
        finally:
            await stream.close()

    # In a thread: a browser test before this one leaves its event loop running in the thread of the tests.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, play()).result()


@pytest.fixture
def cookies(transactional_db: None) -> dict[str, str]:
    with scope(WIDE):
        city()
        who = {
            "seat": actor("seat"),
            "other": actor("seat", div="3205"),
            "provider": actor("provider_manager", organisation=make_organisation()),
        }
        assert ROLES["provider_manager"].anchor == "organisation"
        return {name: cookie_of(one) for name, one in who.items()}


@pytest.mark.django_db(transaction=True)
def test_pages_hear_of_their_area_within_a_moment(cookies: dict[str, str]) -> None:
    async def story(stream: Stream) -> None:
        seat, other, provider = (Page(stream, cookies[name]) for name in ("seat", "other", "provider"))
        await until(lambda: len(stream.queues) == 3 and stream.listening)
        assert seat.headers[b"access-control-allow-origin"] == b"http://127.0.0.1:8000"
        await notify(**NOTICE)
        await notify(topic="done", id=1, div="3205")
        assert await seat.event() == {"topic": "tickets", "id": 7}
        assert await provider.event() == {"topic": "tickets", "id": None}
        assert await other.event() == {"topic": "done", "id": 1}
        seat.leave.set()
        await until(lambda: len(stream.queues) == 2)

    run(story)


@pytest.mark.django_db(transaction=True)
def test_without_a_session_nothing_is_heard(cookies: dict[str, str]) -> None:
    async def story(stream: Stream) -> None:
        strangers = [
            Page(stream, ""),
            Page(stream, "sessionid=forged"),
            Page(stream, cookies["seat"], origin="http://evil.example"),
        ]
        await asyncio.gather(*(page.task for page in strangers))
        assert [page.status for page in strangers] == [401, 401, 403]
        assert not stream.queues

    run(story)


@pytest.mark.django_db(transaction=True)
def test_after_a_lost_connection_pages_ask_for_everything(cookies: dict[str, str]) -> None:
    async def story(stream: Stream) -> None:
        page = Page(stream, cookies["seat"])
        await until(lambda: len(stream.queues) == 1 and stream.listening)
        async with await psycopg.AsyncConnection.connect(database(), autocommit=True) as line:
            await line.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'yinling-stream' AND datname = current_database()"
            )
        assert await page.event() == EVERYTHING
        await until(lambda: stream.listening)
        await notify(**NOTICE)
        assert await page.event() == {"topic": "tickets", "id": 7}

    run(story)


@pytest.mark.django_db(transaction=True)
def test_the_streams_end_with_the_server(cookies: dict[str, str]) -> None:
    async def story(stream: Stream) -> None:
        page = Page(stream, cookies["seat"])
        await until(lambda: len(stream.queues) == 1)
        await stream.close()
        await asyncio.wait_for(page.task, 3)
        assert not stream.queues

    run(story)
