"""Row-level security: what a connection may see, set for one transaction at a time.

Every query on a scoped table runs inside ``scope(...)``. The settings are read by the policies made with ``scope_policy`` in the
migrations; ``nullif`` keeps an empty setting that a pooled connection carries over from opening every row.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import connection, transaction

from yinling.ground.asof import AsOf, look_away, look_back
from yinling.kernel.actor import Actor

_SETTINGS = ("scope", "provider", "elders", "user", "staff")
_SET = "SELECT " + ", ".join(f"set_config('yinling.{name}', %s, true)" for name in _SETTINGS)
_SET += ", set_config('pghistory.context_metadata', %s, true)"


@dataclass
class OpenScope:
    """The scope in force and what waits for its end."""

    values: tuple[str, ...]
    afterwards: list[Callable[[], None]] = field(default_factory=list)


_current: ContextVar[OpenScope | None] = ContextVar("scope", default=None)


def current_scope() -> OpenScope | None:
    """Return the scope in force in this thread."""
    return _current.get()


def scope_values(actor: Actor) -> tuple[str, ...]:
    """Return the settings of an actor, in the order of ``_SETTINGS``."""
    elders = "{" + ",".join(str(number) for number in actor.elder_ids) + "}" if actor.elder_ids else ""
    numbers = (actor.organisation_id, actor.user_id, actor.staff_id)
    provider, user, staff = ("" if number is None else str(number) for number in numbers)
    return (actor.div or "", provider, elders, user, staff)


def apply_scope(values: tuple[str, ...], request_id: str = "") -> None:
    """Set the scope of the running transaction (a transaction must be open)."""
    with connection.cursor() as cursor:
        cursor.execute(_SET, [*values, json.dumps({"user": values[3], "request": request_id})])


@contextmanager
def scope(actor: Actor, asked: AsOf | None = None, *, savepoint: bool = True) -> Iterator[OpenScope]:
    """Open a transaction in which the database shows what the actor may see, today or as of an earlier day.

    Refusals noted inside are journalled after the end, in a transaction of their own. A scope inside a scope is allowed (a job
    that acts for another, a test) and gives the outer one back at its end. Inside an operation, which no error survives, it needs no
    savepoint.
    """
    outer = _current.get()
    opened = OpenScope(scope_values(actor))
    token = _current.set(opened)
    try:
        with transaction.atomic(savepoint=savepoint):
            apply_scope(opened.values, actor.request_id)
            path = look_back(asked) if asked else ""
            yield opened
            if path and outer is not None:
                look_away(path)
            if outer is not None:
                apply_scope(outer.values)
    finally:
        _current.reset(token)
        _flush(opened, actor, outer)


def _flush(opened: OpenScope, actor: Actor, outer: OpenScope | None) -> None:
    """Write what waited, each under the settings of the scope that asked for it, when no transaction is open any more."""
    waiting = [functools.partial(_write_as, opened.values, actor.request_id, write) for write in opened.afterwards]
    if outer is not None:
        outer.afterwards.extend(waiting)
    elif waiting:
        with transaction.atomic():
            for write in waiting:
                write()


def _write_as(values: tuple[str, ...], request_id: str, write: Callable[[], None]) -> None:
    apply_scope(values, request_id)
    write()


def division_sql(column: str = "div") -> str:
    """Return the condition that a division column lies in the scope."""
    setting = "nullif(current_setting('yinling.scope', true), '')"
    return f"({column} >= {setting} AND {column} < {setting} || ':')"


def scope_policy(
    table: str, *, provider: str = "", elder: str = "", staff: str = "", user: str = "", append_only: bool = False
) -> str:
    """Return the SQL that switches row-level security on for a table.

    ``provider``, ``elder``, ``staff`` and ``user`` name the columns that make a row one's own: with ``staff``, who visits for a body sees the
    own rows, and only its office all of them. ``append_only`` takes UPDATE and DELETE away.
    """
    own = [division_sql()]
    for column, setting in ((provider, "provider"), (staff, "staff"), (user, "user")):
        if column:
            own.append(f"{column} = nullif(current_setting('yinling.{setting}', true), '')::bigint")
    if provider and staff:
        own[1] = f"({own[1]} AND nullif(current_setting('yinling.staff', true), '') IS NULL)"
    if elder:
        own.append(f"{elder} = ANY (nullif(current_setting('yinling.elders', true), '')::bigint[])")
    rule = " OR ".join(own)
    lines = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY scope ON {table} FOR ALL TO PUBLIC USING ({rule}) WITH CHECK ({rule})",
        audit_policy(table),
    ]
    if append_only:
        lines.append(f"REVOKE UPDATE, DELETE ON {table} FROM PUBLIC")
        lines.append(revoke_sql(table))
    return ";\n".join(lines) + ";"


def audit_policy(table: str) -> str:
    """Return the SQL that lets the role of supervision read every row, where that role exists."""
    create = f"CREATE POLICY audit ON {table} FOR SELECT TO yl_audit USING (true)"
    return f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'yl_audit') THEN {create}; END IF; END $$"


def revoke_sql(table: str) -> str:
    """Return the SQL that leaves the application role INSERT and SELECT only."""
    revoke = f"REVOKE UPDATE, DELETE ON {table} FROM yl_app"
    return f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'yl_app') THEN {revoke}; END IF; END $$"
