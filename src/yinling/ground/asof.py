"""Looking back: every read answered as of an earlier day, and as known at an earlier moment.

For each table with a time of its own there is a view of the same name in the schema ``asof``. A scope that looks back puts this schema
before ``public`` on the search path, so that every query, written without a thought of it, reads the past:

* a dated fact is what was on record at the moment of knowledge;
* a row that happened later is not there, a moment that came later is empty;
* a state is the one that the journal says it had;
* a row with a history of versions has the values of its version of that day.

The views run as their reader (``security_invoker``), so the policies of the tables stand before them too. Nothing is written while looking
back. The schema is dropped before migrations and made anew after them from the models, so that it can neither stop nor miss a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.apps import AppConfig, apps
from django.db import connection, models

from yinling.ground.models import DatedFact, Versioned
from yinling.kernel.period import day_bounds

SCHEMA = "asof"
JOURNAL = "accounts_journal"
# Planned or technical moments; they say nothing about when a row came to be.
_NOT_BIRTH = frozenset(
    {
        "accept_due_at", "at", "changed_at", "created_at", "due_at", "earliest_at", "ends_at", "expires_at", "happened_at", "latest_at",
        "recorded_from", "starts_at",
    }
)  # fmt: skip
_PLANNED = frozenset({"accept_due_at", "due_at", "keep_until", "recorded_to"})
_MOMENT = "current_setting('yinling.moment')::timestamptz"
_KNOWN = "current_setting('yinling.known_at')::timestamptz"
_DAY = "current_setting('yinling.day')::date"
_LOOK = (
    f"SELECT set_config('search_path', '{SCHEMA}, public', true), set_config('yinling.moment', %s, true), "
    "set_config('yinling.known_at', %s, true), set_config('yinling.day', %s, true)"
)
_LOOK_AWAY = "SELECT set_config('search_path', %s, true)"


@dataclass(frozen=True)
class AsOf:
    """The day asked about, and the moment up to which records count (None: all that is known now)."""

    day: date
    known_at: datetime | None = None

    @property
    def moment(self) -> datetime:
        """The last moment of the day, or of knowledge if that was earlier."""
        end = day_bounds(self.day)[1] - timedelta(microseconds=1)
        return min(end, self.known_at) if self.known_at else end


def look_back(asked: AsOf) -> str:
    """Let the running transaction read the past; return the search path it had."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        before: str = cursor.fetchone()[0]
        known = asked.known_at.isoformat() if asked.known_at else "infinity"
        cursor.execute(_LOOK, [asked.moment.isoformat(), known, asked.day.isoformat()])
    return before


def look_away(path: str) -> None:
    """Let the running transaction read the present again."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_AWAY, [path])


def _fields(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    yield from model._meta.concrete_fields  # noqa: SLF001 - Django's own name


def _birth(model: type[models.Model]) -> str:
    """Return the condition that a row existed, or nothing for a table without a time of its own.

    A register (a person, a home, an organisation) is true from its own dates on, whenever it was written down; it is missing only as far
    as it was not yet known.
    """
    columns = {field.name: field for field in _fields(model)}
    if getattr(model, "pgh_tracked_model", None) is not None:
        return f"t.changed_at <= {_MOMENT}"
    own = [
        name
        for name, field in columns.items()
        if isinstance(field, models.DateTimeField) and not field.null and name not in _NOT_BIRTH
    ]
    if issubclass(model, DatedFact):
        return f"t.recorded_from <= {_KNOWN} AND (t.recorded_to IS NULL OR t.recorded_to > {_KNOWN})"
    if own:
        return f"t.{own[0]} <= {_MOMENT}"
    if "created_at" not in columns:
        return ""
    is_register = issubclass(model, Versioned) and "state" not in columns
    return f"t.created_at <= {_KNOWN if is_register else _MOMENT}"


def _state(model: type[models.Model]) -> str:
    """Return the state before the first later change of it in the journal."""
    return (
        f"coalesce((SELECT j.changes->'state'->>0 FROM public.{JOURNAL} j WHERE j.subject_type = '{model._meta.model_name}' "  # noqa: SLF001, S608 - own names
        f"AND j.subject_id = t.id AND j.business_at > {_MOMENT} AND jsonb_typeof(j.changes->'state'->0) = 'string' "
        "ORDER BY j.business_at, j.id LIMIT 1), t.state)"
    )


def _column(model: type[models.Model], field: models.Field[Any, Any], *, has_versions: bool) -> str:
    """Return the expression of one column of a view, of the very type of the table's: prepared statements serve both."""
    name = str(field.column)
    stored = f't."{name}"'
    if has_versions:
        stored = f'CASE WHEN e.pgh_id IS NULL THEN t."{name}" ELSE e."{name}" END'
    if name == "state":
        return f"{_state(model)}::{field.db_type(connection)}"
    if name == "recorded_to" and issubclass(model, DatedFact):
        return "NULL::timestamptz"
    if isinstance(field, models.DateTimeField) and field.null and name.endswith("_at") and name not in _PLANNED:
        return f"CASE WHEN {stored} <= {_MOMENT} THEN {stored} END"
    if has_versions and isinstance(field, models.DateField) and field.null and name.endswith("_on"):
        # What is true from a day on is read from the row itself: it holds even if it became known later.
        return f'CASE WHEN t."{name}" <= {_DAY} THEN t."{name}" END'
    return stored


def _versions(model: type[models.Model]) -> str:
    """Return the table in which the database keeps every version of a row, or nothing."""
    for other in apps.get_models():
        if getattr(other, "pgh_tracked_model", None) is model:
            return str(other._meta.db_table)  # noqa: SLF001 - Django's own name
    return ""


def view_of(model: type[models.Model]) -> str:
    """Return the SQL of a model's view, or nothing for a table without a time of its own."""
    exists = _birth(model)
    if not exists:
        return ""
    table, versions = model._meta.db_table, _versions(model)  # noqa: SLF001 - Django's own name
    columns = ", ".join(
        f'{_column(model, field, has_versions=bool(versions))} AS "{field.column}"' for field in _fields(model)
    )
    source = f"public.{table} t"
    if versions:
        own = f"v.pgh_obj_id = t.id AND v.changed_at <= {_MOMENT}"
        source += f" LEFT JOIN LATERAL (SELECT * FROM public.{versions} v WHERE {own} ORDER BY v.pgh_id DESC LIMIT 1) e ON true"  # noqa: S608
    return (
        f"CREATE VIEW {SCHEMA}.{table} WITH (security_invoker = true) AS SELECT {columns} FROM {source} WHERE {exists}"  # noqa: S608 - own names
    )


def _is_migrated(model: type[models.Model], present: dict[str, set[str]]) -> bool:
    wanted = {field.column for field in _fields(model)}
    return wanted <= present.get(model._meta.db_table, set())  # noqa: SLF001 - Django's own name


def drop_views(**_signal: Any) -> None:
    """Take the views away, so that no migration meets them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = %s", [SCHEMA]
        )
        found = cursor.fetchone()
        if found and found[0]:
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def make_views(**_signal: Any) -> None:
    """Make the views of all models whose tables are up to date, readable by the roles that serve and audit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_database_privilege(current_database(), 'CREATE')")
        if not cursor.fetchone()[0]:
            return  # emptied tables announce themselves as migrated too; only who owns the database makes views
        drop_views()
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        present: dict[str, set[str]] = {}
        for table, column in cursor.fetchall():
            present.setdefault(table, set()).add(column)
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for model in apps.get_models():
            if model.__module__.startswith("yinling.") and _is_migrated(model, present) and (sql := view_of(model)):
                cursor.execute(sql)
        for role in ("yl_app", "yl_audit"):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone():
                cursor.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}")
                cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM {role}")
                cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {role}")


def connect(config: AppConfig) -> None:
    """Drop before any migration and make after the last: both signals come once for this app, around all migrations."""
    from django.db.models.signals import post_migrate, pre_migrate  # noqa: PLC0415 - needs the apps loaded

    pre_migrate.connect(drop_views, sender=config, dispatch_uid="asof.drop")
    post_migrate.connect(make_views, sender=config, dispatch_uid="asof.make")
