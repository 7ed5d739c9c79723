"""Which statements the server keeps the plan of, once it has seen them some times: all but those that ask for an area.

Planning takes two to six times as long as running most of our statements. A kept plan knows no values, and of an area it assumes that
little lies in it: for a whole city it would read an index to its end. A statement with an area is planned each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created

AREA = ("div >= ", 'div" >= ')
SAVEPOINTS = ("SAVEPOINT", "RELEASE", "ROLLBACK")
"""Each has a name of its own: counted, they would soon crowd out what is asked less often."""
OFTEN = 5


def with_plan(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001 - Django calls it so
    """Run a statement of Django's."""
    link = context["connection"].connection
    is_once = not isinstance(sql, str) or sql.startswith(SAVEPOINTS) or any(one in sql for one in AREA)
    link.prepare_threshold = None if is_once else OFTEN
    try:
        return execute(sql, params, many, context)
    finally:
        link.prepare_threshold = None


def _install(connection: Any, **_signal: Any) -> None:
    if with_plan not in connection.execute_wrappers:
        connection.execute_wrappers.append(with_plan)


def connect() -> None:
    """Let every connection of Django's do so."""
    connection_created.connect(_install, dispatch_uid="prepared")
