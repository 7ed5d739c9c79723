"""What every test shares: the database roles and the browser."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from tests.factories import WIDE

from yinling.ground.scope import OpenScope, scope

# Playwright keeps an event loop in the thread of the tests until the session ends, which the ORM would refuse from then on.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Migrate as the owner, then serve as the app, so that tests run under row-level security."""
    owner = connection.settings_dict["USER"]
    with django_db_blocker.unblock():
        # A run without any test that asks for the database has made none.
        if connection.settings_dict["NAME"].startswith("test_"):
            with connection.cursor() as cursor:
                # Tests with real transactions empty the tables; nowhere else may the app do that.
                cursor.execute("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO yl_app")
        _connect_as("yl_app")
    yield
    with django_db_blocker.unblock():
        _connect_as(owner)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": CHROMIUM_OPTIONS}


@pytest.fixture
def wide(db: None) -> Iterator[OpenScope]:
    """The scope of a whole province, in which the makers of ``tests/factories.py`` work."""
    with scope(WIDE) as opened:
        yield opened
        opened.afterwards.clear()  # journal rows of refusals, which nobody would read before the test is rolled back


def _connect_as(role: str) -> None:
    connection.close()
    connection.settings_dict["USER"] = role
