"""What every test shares: the database, the order of the tests and the browser."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase
from playwright.sync_api import expect
from pytest_django import DjangoDbBlocker
from tests import databases, profiles  # noqa: F401 - the profile of property tests is the one loaded there
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
PATIENCE_MS = 30_000
"""How long a page may take for what it does at once on an idle machine."""
expect.set_options(timeout=PATIENCE_MS)
FIRST = ("tests/sip/", "tests/browser/", "tests/demo/", "tests/walks/")
"""Tests that wait for real time, or share what takes long to make. One process does them all, as `./run test` gives the front of the line to it;
the others help from the back."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_sessionstart(session: pytest.Session) -> None:
    """A telephone cannot wait for the processor, the other tests can."""
    if databases.WORKER not in ("alone", "gw0"):
        os.nice(5)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Migrate as the owner, then serve a copy as the app, so that tests run under row-level security."""
    options = request.config.option
    with django_db_blocker.unblock():
        databases.make_template(is_kept=options.reuse_db and not options.create_db)
    databases.recreate(databases.OWN)
    with pytest.MonkeyPatch.context() as patch, databases.using(databases.OWN, databases.APP):
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _test: databases.empty())
        yield
    databases.drop(databases.OWN)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": CHROMIUM_OPTIONS}


@pytest.fixture
def wide(db: None) -> Iterator[OpenScope]:
    """The scope of a whole province, in which the makers of ``tests/factories.py`` work."""
    with scope(WIDE) as opened:
        yield opened
        opened.afterwards.clear()  # journal rows of refusals, which nobody would read before the test is rolled back
