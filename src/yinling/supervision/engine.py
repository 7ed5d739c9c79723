"""Running the rules over rows in memory. Pure: rows in, hits out; one DuckDB in this process, SQL compiled once from each expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from yinling.supervision.rules import RULES
from yinling.supervision.rules.rule import HIT, PHOTOS, SERVICES, Rule, tables

_KINDS = {"int64": pa.int64(), "string": pa.string(), "boolean": pa.bool_(), "decimal(6, 4)": pa.decimal128(6, 4)}
_lock = Lock()


@dataclass(frozen=True)
class Hit:
    """One row that a rule caught. ``key`` is the same each time the same thing is found."""

    rule: Rule
    subject_id: int
    order_id: int
    visit_id: int | None
    staff_id: int | None
    happened_at: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What makes the finding be written once."""
        return f"{self.rule.code}:{self.subject_id}"


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})


@cache
def compiled(code: str) -> str:
    """Return a rule as SQL."""
    return str(ibis.to_sql(RULES[code].find(*tables()), dialect="duckdb"))


def _arrow(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pa.Table:
    schema = pa.schema([(name, _KINDS[kind]) for name, kind in columns.items()])
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def run(
    services: Iterable[Mapping[str, Any]], photos: Iterable[Mapping[str, Any]], *, codes: Sequence[str] = tuple(RULES)
) -> list[Hit]:
    """Return what the rules catch in these rows, ordered by time, rule and subject."""
    with _lock, _database().cursor() as cursor:
        cursor.register("services", _arrow(services, SERVICES))
        cursor.register("photos", _arrow(photos, PHOTOS))
        hits = [hit for code in codes for hit in _hits(cursor, RULES[code])]
        cursor.unregister("services")
        cursor.unregister("photos")
    return sorted(hits, key=lambda hit: (hit.happened_at, hit.rule.code, hit.subject_id))


def _hits(cursor: duckdb.DuckDBPyConnection, rule: Rule) -> list[Hit]:
    found = cursor.execute(compiled(rule.code))
    names = [column[0] for column in found.description]
    hits = []
    for values in found.fetchall():
        row = dict(zip(names, values, strict=True))
        facts = {name: value for name, value in row.items() if name not in HIT and value is not None}
        hits.append(Hit(rule, **{name: row[name] for name in HIT}, facts=facts))
    return hits
