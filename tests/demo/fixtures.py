"""A made-up city in a database of its own, loaded once: rows stay there from test to test, other tests never see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import override_settings
from psycopg import sql
from pytest_django import DjangoDbBlocker

from yinling.demo import load

OWNER, APP = "yl_owner", "yl_app"


@pytest.fixture(scope="session")
def demo_database(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """Copy the empty test database and load a small city as the owner; yield its name and the folder of its files."""
    template = str(connection.settings_dict["NAME"])
    name, files = f"{template}_city", tmp_path_factory.mktemp("city")
    with django_db_blocker.unblock():
        connection.close()
        recreate(name, template)
        with serving(name, OWNER), override_settings(DATA=files):
            load.main("wuxi-332", sizes=load.SMALL, quiet=True)
    yield name, files
    recreate(name, None)


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


def recreate(name: str, template: str | None) -> None:
    """Drop a database, and make it anew from a template."""
    with psycopg.connect(settings.DATABASE_OWNER_URL, dbname="postgres", autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        if template is not None:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            server.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
