"""What the database makes of a state table: the column, its check, and the triggers that refuse any other change."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q

from yinling.kernel.machine import Machine

IMPORTING = (
    "coalesce(current_setting('yinling.importing', true), '') = 'on' AND "
    "(SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user"
)


def state_field(machine: Machine[Any]) -> models.CharField[str, str]:
    """Return the column of a state."""
    return models.CharField(max_length=20, choices=machine.choices, default=str(machine.start.value), db_index=False)


def state_check(machine: Machine[Any], name: str) -> models.CheckConstraint:
    """Return the constraint that only known states are stored."""
    return models.CheckConstraint(condition=Q(state__in=[value for value, _ in machine.choices]), name=name)


def state_guards(machine: Machine[Any]) -> list[pgtrigger.Trigger]:
    """Return the triggers that allow only the changes of the table, and only the start state for a new row.

    The owner role, as a loader of existing records (demo city, import), may set ``yinling.importing`` to ``on`` for its transaction.
    """
    pairs = sorted((str(one.value), str(two.value)) for one, two in machine.pairs())
    start = str(machine.start.value)
    return [
        pgtrigger.FSM(name="legal_change", field="state", transitions=pairs),
        pgtrigger.Trigger(
            name="legal_start",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            func=f"IF NEW.state <> '{start}' AND NOT ({IMPORTING}) THEN "
            "RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;",
        ),
    ]


def append_only() -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse any change of a row once written."""
    return [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


def fixed(*columns: str, once: str = "true", may_go: str = "true") -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse to change columns of a row once ``once`` (SQL about OLD) holds, and to delete it unless ``may_go`` does."""
    changes = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in columns)
    kept: list[pgtrigger.Trigger] = [
        pgtrigger.Protect(
            name="fixed", operation=pgtrigger.Update, condition=pgtrigger.Condition(f"(({once}) AND ({changes}))")
        )
    ]
    if may_go != "true":
        gone = pgtrigger.Condition(f"(({may_go}) IS NOT TRUE)")
        kept.append(pgtrigger.Protect(name="kept", operation=pgtrigger.Delete, condition=gone))
    return kept


def append_only_until(may_go: str) -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse any change of a row once written; a row of which ``may_go`` (SQL about OLD) holds may be deleted.

    The role that serves may delete none: a function of the owner does, with limits of its own.
    """
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update),
        pgtrigger.Protect(
            name="kept", operation=pgtrigger.Delete, condition=pgtrigger.Condition(f"(({may_go}) IS NOT TRUE)")
        ),
    ]
