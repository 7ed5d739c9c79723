"""A made-up city in a database of its own, loaded once: rows stay there from test to test, other tests never see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from psycopg import sql

from yinling.demo import load

OWNER, APP = "yl_owner", "yl_app"


@pytest.fixture(scope="session")
def demo_database(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """Copy the empty test database and load a small city as the owner; yield its name and the folder of its files."""
    template = str(connection.settings_dict["NAME"])
    name, files = f"{template}_city", tmp_path_factory.mktemp("city")
    with django_db_blocker.unblock():
        connection.close()
        recreate(name, template)
        serve(name, OWNER)
        with override_settings(DATA=files):
            load.main("wuxi-332", sizes=load.SMALL, quiet=True)
        serve(template, APP)
    yield name, files
    with django_db_blocker.unblock():
        connection.close()
        recreate(name, None)


@pytest.fixture
def demo_city(demo_database: tuple[str, Path], django_db_blocker: Any) -> Iterator[None]:
    """Serve the made-up city, as the role that serves."""
    template = str(connection.settings_dict["NAME"])
    name, files = demo_database
    with django_db_blocker.unblock(), override_settings(DATA=files):
        serve(name, APP)
        yield
        serve(template, APP)


def serve(name: str, role: str) -> None:
    """Connect to another database or as another role from now on."""
    connection.close()
    connection.settings_dict["NAME"], connection.settings_dict["USER"] = name, role


def recreate(name: str, template: str | None) -> None:
    """Drop a database, and make it anew from a template."""
    with psycopg.connect(settings.DATABASE_OWNER_URL, dbname="postgres", autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        if template is not None:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            server.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
