"""A small city behind a real server, and people who log in through the real form.

The city is the demo loader's small size in a database of its own, so that browser tests see each other's work as people do and nobody
else's tests do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer
from tests.browser.looking import DESK
from tests.databases import APP, OWN, OWNER, drop, recreate, using

from yinling.demo import load
from yinling.demo.logins import PASSWORD
from yinling.ground.clock import business_now
from yinling.ground.models import ClockOffset

CITY = "wuxi-332"
CLOCK = datetime.fromisoformat("2026-06-15T09:00:00+08:00")
"""A Monday, so that deadlines in working days and the carers' hours are plain."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium's own words (dates, file choice) in Chinese, as people have it."""
    args = [*browser_type_launch_args["args"], "--lang=zh-CN"]
    return browser_type_launch_args | {"args": args, "env": os.environ | {"LANGUAGE": "zh_CN"}}


@pytest.fixture(scope="package")
def site(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running platform on the small city, in a database that no thread of another test still uses."""
    name = f"{OWN}_browser"
    storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path_factory.mktemp("f"))},
    }
    changed = override_settings(DEMO=True, STORAGES=settings.STORAGES | {"default": storage})
    recreate(name)
    with django_db_blocker.unblock(), changed, using(name, APP):
        with using(name, OWNER):
            load.main(CITY, CLOCK, sizes=load.SMALL, quiet=True)
        server = LiveServer("127.0.0.1")
        yield Site(server.url)
        server.stop()
    drop(name)


@dataclass
class Site:
    """The running platform: its address, and the cookies of whoever has logged in."""

    url: str
    states: dict[str, Any] = field(default_factory=dict)

    def log_in(self, page: Page, username: str) -> None:
        """Fill in the real forms, the second factor too where the person has one."""
        page.goto(f"{self.url}/login/")
        page.get_by_label("用户名", exact=True).fill(username)
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        with page.expect_navigation():
            page.get_by_role("button", name="登录", exact=True).click()
        if "/login/code/" in page.url:
            page.get_by_label("验证码").fill(page.locator("#shown-code").inner_text())
            with page.expect_navigation():
                page.get_by_role("button", name="验证并登录").click()
        assert "/login/" not in page.url, page.locator("main").inner_text()

    @staticmethod
    def move_clock(to: datetime) -> None:
        """Play at another time from now on."""
        ahead = ClockOffset.objects.get()
        ahead.seconds += round((to - business_now()).total_seconds())
        ahead.save()

    @staticmethod
    def now() -> datetime:
        """What time it is in the city."""
        return business_now()

    def pass_time(self, **span: float) -> None:
        """Let time pass."""
        self.move_clock(self.now() + timedelta(**span))


@pytest.fixture
def person(site: Site, browser: Browser) -> Iterator[Callable[..., Page]]:
    """``person("seat", PHONE)`` is the page of somebody who has logged in, each in a browser of their own."""
    contexts: list[BrowserContext] = []

    def enter(username: str, viewport: dict[str, int] | None = None, **options: Any) -> Page:
        state = site.states.get(username)
        context = browser.new_context(
            viewport=viewport or DESK, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=site.url, storage_state=state, **options
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"{page.url}: {error}"))
        if username and state is None:
            site.log_in(page, username)
            site.states[username] = context.storage_state()
        return page

    yield enter
    for context in contexts:
        context.close()
