"""No illegal change of an assignment is possible, not even by raw SQL."""

import itertools

import pytest
from django.db import DatabaseError, connection, transaction
from tests.factories import NOW, make_order, make_staff

from yinling.dispatch.models import Assignment
from yinling.dispatch.states import ASSIGNMENT, AssignmentState

_WAY = {
    AssignmentState.OFFERED: [],
    AssignmentState.RELEASED: [AssignmentState.ACCEPTED, AssignmentState.RELEASED],
    AssignmentState.DONE: [AssignmentState.ACCEPTED, AssignmentState.DONE],
}


@pytest.mark.req("R-ORD-01")
@pytest.mark.usefixtures("wide")
def test_the_database_allows_exactly_the_changes_of_the_table() -> None:
    for before, after in itertools.permutations(AssignmentState, 2):
        order, staff = make_order("assigned"), make_staff()
        row = Assignment.objects.create(
            div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, staff=staff, staff_name=staff.name,
            starts_at=order.starts_at, ends_at=order.ends_at, offered_at=NOW, accept_due_at=NOW, created_at=NOW, changed_at=NOW,
        )  # fmt: skip
        for step in _WAY.get(before, [before]):
            Assignment.objects.filter(pk=row.pk).update(state=step)
        allowed = True
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE dispatch_assignment SET state = %s WHERE id = %s", [str(after), row.pk])
        except DatabaseError:
            allowed = False
        assert allowed == ((before, after) in ASSIGNMENT.pairs()), (before, after)
