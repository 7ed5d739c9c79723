"""Tables without indexes, keys and triggers of history for as long as the owner fills them; all of it within one transaction.

A crash or an error rolls everything back together, so no table is ever left bare. Other connections wait meanwhile: the tables are
locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_INDEXES = """
    SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY (%s::regclass[]) AND NOT EXISTS
        (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY c.relname"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY (%s::regclass[]) AND contype IN ('f', 'u', 'x') ORDER BY contype = 'f', conname"""
_TRIGGERS = """
    SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger
    WHERE tgrelid = ANY (%s::regclass[]) AND tgname LIKE 'pgtrigger_insert_insert_%%'"""
_COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"""
MEMORY = "SELECT set_config('work_mem', '256MB', true), set_config('maintenance_work_mem', '1GB', true)"


@contextmanager
def bare(
    cursor: Any, tables: Sequence[str], *, tracked: Sequence[str] = (), say: Callable[[str], None] = lambda _text: None
) -> Iterator[None]:
    """Take away indexes, unique and foreign keys of some tables, and make the history of ``tracked`` in one go at the end.

    Primary keys stay. The running transaction must not have written to the tables. IntegrityError at the end if a key is broken.
    """
    cursor.execute(MEMORY)
    listed = [*tables, *(f"{table}event" for table in tracked)]
    indexes, constraints = _found(cursor, _INDEXES, listed), _found(cursor, _CONSTRAINTS, listed)
    triggers = _found(cursor, _TRIGGERS, list(tracked))
    highest = {table: _highest(cursor, table) for table in tracked}
    for table, name, _definition in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _definition in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    for table, name in triggers:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    yield
    say("历史 history")
    for table, before in highest.items():
        write_history(cursor, table, above=before)
    for table, name in triggers:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
    say("索引 indexes")
    for _name, definition in indexes:
        cursor.execute(definition)
    say("约束 keys between tables")
    for table, name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def write_history(cursor: Any, table: str, *, above: int) -> None:
    """Write what the trigger writes of each new row, for all rows with a higher number."""
    cursor.execute(_COLUMNS, [table])
    ((columns,),) = cursor.fetchall()
    cursor.execute(
        f"INSERT INTO {table}event (pgh_obj_id, pgh_label, pgh_created_at, pgh_context_id, {columns}) "  # noqa: S608 - our own names
        f"SELECT id, 'insert', now(), (SELECT _pgh_attach_context()), {columns} FROM {table} WHERE id > %s ORDER BY id",
        [above],
    )


def _found(cursor: Any, question: str, tables: list[str]) -> list[tuple[str, ...]]:
    cursor.execute(question, [tables])
    return list(cursor.fetchall())


def _highest(cursor: Any, table: str) -> int:
    """Lock a table against other writers; return its highest number."""
    cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - our own name
    return int(cursor.fetchone()[0])
