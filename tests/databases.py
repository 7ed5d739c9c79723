"""The databases of a run: one is migrated, every process of the run works on a copy of it, and tests with real transactions empty theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

OWNER, APP, SUPERUSER = "yl_owner", "yl_app", "postgres"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
TEMPLATE = settings.DATABASES["default"]["TEST"]["NAME"]
OWN = f"{TEMPLATE}_{WORKER}"
EMPTY = """DO $$
DECLARE filled regclass;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR filled IN
        SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
        AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP EXECUTE format('DELETE FROM %s', filled);
    END LOOP;
END $$"""

APART = "SELECT setval(oid::regclass, 1000 * row_number() OVER (ORDER BY relname)) FROM pg_class WHERE relkind = 'S'"


def address(role: str, name: str = "postgres") -> str:
    """Return where a role finds a database of the test server."""
    return make_conninfo(settings.DATABASE_OWNER_URL, user=role, dbname=name)


def make_template(*, is_kept: bool) -> None:
    """Migrate the database that the others are copied from, once in a run; where it is kept, only what is new."""
    with alone_with_template() as server:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        found = server.execute(query, [TEMPLATE]).fetchone()
        made_by = found[0] if found else None
        if made_by == RUN:
            return
        if not (made_by and is_kept):
            copy(server, TEMPLATE, "template1")
        with using(TEMPLATE, OWNER):
            call_command("migrate", verbosity=0)
        name, run = sql.Identifier(TEMPLATE), sql.Literal(RUN)
        server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, run))


def recreate(name: str) -> None:
    """Make a database anew: migrated and empty. Every table counts from a number of its own, so that the id of one is never taken for another's."""
    with alone_with_template() as server:
        copy(server, name, TEMPLATE)
    with psycopg.connect(address(OWNER, name), autocommit=True) as own:
        own.execute(APART)


@contextmanager
def alone_with_template() -> Iterator[psycopg.Connection]:
    """Connect as the owner, and wait until no other process migrates or copies."""
    with psycopg.connect(address(OWNER), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [TEMPLATE])
        yield server


def copy(server: psycopg.Connection, name: str, template: str) -> None:
    drop(name)
    words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    server.execute(words.format(sql.Identifier(name), sql.Identifier(template)))


def drop(name: str) -> None:
    with psycopg.connect(address(SUPERUSER), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def using(name: str, role: str) -> Iterator[None]:
    """Let this process, with all its threads, work on a database as a role."""
    before = {key: connection.settings_dict[key] for key in ("NAME", "USER")}
    connection.close()
    connection.settings_dict.update(NAME=name, USER=role)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def empty() -> None:
    """Delete every row but those Django writes when it migrates. Truncating would make some two thousand files anew after every test."""
    with psycopg.connect(address(SUPERUSER, connection.settings_dict["NAME"]), autocommit=True) as link:
        link.execute(EMPTY)
