"""Every pair of states of every state table, tried on the trigger that the database really has."""

import itertools
import re

import pytest
from django.db import DatabaseError, connection, transaction
from tests.shape.houses import our_models

from yinling.cli.docs import machines
from yinling.kernel.machine import Machine

pytestmark = [pytest.mark.django_db, pytest.mark.req("R-ORD-01")]

TRIGGERS = """
    SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t
    WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND t.tgname LIKE 'pgtrigger_legal_%%'
"""
MACHINES = [machine for machine, _ in machines()]


def table_of(machine: Machine) -> str:
    fields = [
        field
        for model in our_models()
        for field in model._meta.concrete_fields
        if field.name == "state" and field.choices == machine.choices and not hasattr(model, "pgh_obj_id")
    ]
    if len(fields) > 1:  # the same steps in two machines: the name decides
        fields = [field for field in fields if field.model._meta.model_name == machine.name]
    (field,) = fields
    return str(field.model._meta.db_table)


def put_triggers_on_a_stand_in(machine: Machine) -> None:
    """A temporary table with a state and the very triggers of the real one, whose other columns do not matter here."""
    table = table_of(machine)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE stand_in (state varchar(20)) ON COMMIT DROP")
        cursor.execute(TRIGGERS, [table])
        definitions = [row[0] for row in cursor.fetchall()]
        assert len(definitions) == 2
        for definition in definitions:
            cursor.execute(re.sub(rf" ON (public\.)?{table} ", " ON stand_in ", definition))


def changes_to(source: str, target: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE stand_in SET state = %s WHERE state = %s", [target, source])
            return cursor.rowcount == 1
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != "P0001":
            raise
        return False


def starts_in(state: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO stand_in VALUES (%s)", [state])
            return True
    except DatabaseError:
        return False


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_the_database_allows_exactly_the_changes_of_the_table(machine: Machine) -> None:
    put_triggers_on_a_stand_in(machine)
    legal = set()
    for source, target in itertools.permutations([value for value, _ in machine.choices], 2):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM stand_in")
            cursor.execute("ALTER TABLE stand_in DISABLE TRIGGER USER")
            cursor.execute("INSERT INTO stand_in VALUES (%s)", [source])
            cursor.execute("ALTER TABLE stand_in ENABLE TRIGGER USER")
        if changes_to(source, target):
            legal.add((source, target))
    assert legal == {(str(one), str(two)) for one, two in machine.pairs()}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_new_row_starts_in_the_first_state_only(machine: Machine) -> None:
    put_triggers_on_a_stand_in(machine)
    assert [value for value, _ in machine.choices if starts_in(value)] == [str(machine.start)]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_states_are_few(machine: Machine) -> None:
    assert len(machine.choices) <= 10
