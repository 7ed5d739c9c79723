"""What the database alone can do: the rows one loop leaves behind, inserted by pgbench without any of our code.

For each table that a loop touched a copy without rules is made in the schema ``bench`` (same columns and indexes, no triggers, checks,
keys or policies). The script inserts the same number of rows into the copies and rewrites as many rows as the loop updated, in as many
transactions as the loop has requests.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from yinling.bench.city import CLONE, BenchCity
from yinling.cli.database import OWNER

FLUSH_SECONDS = 1.5
MOST_CLIENTS = 64
COUNTS = "SELECT relname, n_tup_ins, n_tup_upd FROM pg_stat_user_tables WHERE schemaname = 'public'"
NOT_OURS = ("django_session", "procrastinate", "supervision_round")


@dataclass(frozen=True)
class Written:
    """Rows of one table."""

    inserted: int
    updated: int


def written(link: psycopg.Connection[Any]) -> dict[str, Written]:
    """Return the rows written so far; the server tells with a delay."""
    time.sleep(FLUSH_SECONDS)
    return {name: Written(inserted, updated) for name, inserted, updated in link.execute(COUNTS)}


def each_loop(before: Mapping[str, Written], after: Mapping[str, Written], loops: int) -> dict[str, Written]:
    """Return what one loop wrote on average, by table."""
    found = {}
    for name, late in after.items():
        early = before.get(name, Written(0, 0))
        one = Written(round((late.inserted - early.inserted) / loops), round((late.updated - early.updated) / loops))
        if (one.inserted or one.updated) and not name.startswith(NOT_OURS):
            found[name] = one
    return found


def script(link: psycopg.Connection[Any], rows: Mapping[str, Written], transactions: int) -> str:
    """Make the copies and return the pgbench script of one loop."""
    link.execute("DROP SCHEMA IF EXISTS bench CASCADE")
    link.execute("CREATE SCHEMA bench")
    statements = [line for name, one in sorted(rows.items()) for line in _statements(link, name, one)]
    parts = [statements[number::transactions] for number in range(transactions)]
    return "\n".join(f"BEGIN;\n{chr(10).join(part)}\nCOMMIT;" for part in parts if part) + "\n"


def loops_a_second(city: BenchCity, text: str, *, clients: int, seconds: int) -> float:
    """Run pgbench and return its transactions a second: each is one loop."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loop.sql"
        path.write_text(text)
        command = [
            str(city.server.binaries / "pgbench"), "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", str(path),
            "-h", str(city.server.socket), "-U", OWNER, CLONE,
        ]  # fmt: skip
        result = subprocess.run(command, text=True, capture_output=True, check=True)
    found = re.search(r"tps = ([\d.]+)", result.stdout)
    if found is None:
        raise RuntimeError(result.stdout + result.stderr)
    return float(found.group(1))


def _statements(link: psycopg.Connection[Any], name: str, one: Written) -> Iterator[str]:
    table, public = sql.Identifier("bench", name), sql.Identifier("public", name)
    link.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING STORAGE)").format(table, public))
    link.execute(sql.SQL("CREATE SEQUENCE {}").format(sql.Identifier("bench", f"{name}_row")))
    link.execute(
        sql.SQL("ALTER TABLE {} ADD bench_row bigint PRIMARY KEY DEFAULT nextval({})").format(
            table, f"bench.{name}_row"
        )
    )
    for (definition,) in list(
        link.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s", [name])
    ):
        link.execute(_index(definition, name))
    insert = _insert(link, name)
    yield from [insert] * max(one.inserted, 0)
    if one.updated:
        for _ in range(MOST_CLIENTS):
            link.execute(insert.encode())
        # Each client rewrites a row of its own, as each loop does.
        row = ":client_id + 1"
        yield from [f"UPDATE bench.{name} SET bench_row = bench_row WHERE bench_row = {row};"] * one.updated  # noqa: S608 - names of our own tables


def _index(definition: str, name: str) -> bytes:
    """The same index on the copy; the repeated rows would break a unique one."""
    where = definition.replace("CREATE UNIQUE INDEX", "CREATE INDEX").replace(f"public.{name} ", f"bench.{name} ")
    return re.sub(r"CREATE INDEX \S+ ON", "CREATE INDEX ON", where, count=1).encode()


def _insert(link: psycopg.Connection[Any], name: str) -> str:
    """An INSERT of the table's last row, value by value."""
    sql_columns = """SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
                     AND attgenerated = '' ORDER BY attnum"""
    columns = [row[0] for row in link.execute(sql_columns, [f"public.{name}"])]
    order = "ctid" if "id" not in columns else "id"
    quoted = sql.SQL(", ").join(
        sql.SQL("quote_nullable({}::text)").format(sql.Identifier(column)) for column in columns
    )
    query = sql.SQL("SELECT {} FROM {} ORDER BY {} DESC LIMIT 1").format(
        quoted, sql.Identifier("public", name), sql.Identifier(order)
    )
    values = next(iter(link.execute(query)))
    names = ", ".join(f'"{column}"' for column in columns)
    return f"INSERT INTO bench.{name} ({names}) VALUES ({', '.join(values)});"  # noqa: S608 - quoted by the server
