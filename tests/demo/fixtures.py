"""A made-up city in a database of its own, loaded once: rows stay there from test to test, other tests never see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from django.test import override_settings
from pytest_django import DjangoDbBlocker
from tests.databases import APP, OWN, OWNER, drop, recreate

from yinling.demo import load


@pytest.fixture(scope="session")
def demo_database(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """Load a small city as the owner into a copy of the empty database; yield its name and the folder of its files."""
    name, files = f"{OWN}_city", tmp_path_factory.mktemp("city")
    recreate(name)
    with django_db_blocker.unblock(), serving(name, OWNER), override_settings(DATA=files, DEMO=True):
        load.main("wuxi-332", sizes=load.SMALL, quiet=True)
    yield name, files
    drop(name)


@pytest.fixture
def demo_city(db: None, demo_database: tuple[str, Path]) -> Iterator[None]:
    """Serve the made-up city, as the role that serves. What a test writes there stays."""
    name, files = demo_database
    with serving(name, APP), override_settings(DATA=files):
        yield


@contextmanager
def serving(name: str, role: str) -> Iterator[None]:
    """Use another database, or another role, for a while; the transaction of the test goes on beside it."""
    own = connections["default"]
    other = connections.create_connection("default")
    other.settings_dict = own.settings_dict | {"NAME": name, "USER": role}
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = own
