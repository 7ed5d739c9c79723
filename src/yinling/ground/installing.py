"""An operation of migrations: the triggers of a table that the same file creates.

Each ``AddTrigger`` makes Django build every related model anew; with a hundred tables around one that costs a minute. Here the triggers stand in
the options of ``CreateModel`` and are installed by one operation that changes no state.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class InstallTriggers(Operation):
    """Install the triggers that the options of some models name."""

    reversible = True

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: the options say it already."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002 - the form of all operations
        to_state: ProjectState,
    ) -> None:
        """Run the SQL of each trigger."""
        for name in self.names:
            for trigger in to_state.models[app_label, name.lower()].options["triggers"]:
                # The text is complete; percent signs in it are its own.
                schema_editor.execute(trigger.install_sql, params=None)

    def database_backwards(self, *_args: Any) -> None:
        """Do nothing: the table goes, and its triggers with it."""

    def describe(self) -> str:
        """Say what is done."""
        return f"Install the triggers of {', '.join(self.names)}"
