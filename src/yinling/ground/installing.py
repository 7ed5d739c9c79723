"""Operations of migrations: all tables of a context at the price of one, and what only SQL can say of them.

After every single operation Django builds the models anew that are related to what it changed; with two hundred tables around one login
that costs most of a minute. A migration here says all its tables at once, complete with constraints, indexes and triggers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel, RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from yinling.ground.scope import scope_policy


class Tables(Operation):
    """Create some tables together, and the triggers that their options name. There is no way back but a back-up."""

    reversible = False
    serialization_expand_args = ["tables"]

    def __init__(self, tables: Sequence[CreateModel]) -> None:
        self.tables = tables

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Say the tables without building models after each; whoever asks for the models next builds all of them once."""
        state.__dict__.pop("apps", None)
        for table in self.tables:
            table.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create each table, then its triggers; keys between tables are added by Django at the end."""
        for table in self.tables:
            table.database_forwards(app_label, schema_editor, from_state, to_state)
            for trigger in table.options.get("triggers", ()):
                # The text is complete; percent signs in it are its own.
                schema_editor.execute(trigger.install_sql, params=None)

    def describe(self) -> str:
        """Say what is done."""
        return f"Create {len(self.tables)} tables with their indexes, constraints and triggers"


def guards(policies: Mapping[str, Mapping[str, Any]], *sql: str) -> RunSQL:
    """Return the operation that switches row-level security on for tables (see ``scope_policy``), then runs what only SQL can say."""
    return RunSQL([*[scope_policy(table, **own) for table, own in policies.items()], *sql], RunSQL.noop)
