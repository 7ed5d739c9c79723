"""No illegal change of an order is possible, not even by raw SQL."""

import itertools

import pytest
from django.db import DatabaseError, connection, transaction
from tests.factories import make_order

from yinling.orders.models import Order
from yinling.orders.states import ORDER, OrderState

pytestmark = pytest.mark.usefixtures("wide")


@pytest.mark.req("R-ORD-01")
def test_the_database_allows_exactly_the_changes_of_the_table() -> None:
    legal = ORDER.pairs()
    for before, after in itertools.permutations(OrderState, 2):
        order = make_order(str(before))
        answer = "allowed"
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE orders_order SET state = %s WHERE id = %s", [str(after), order.pk])
        except DatabaseError as error:
            answer = getattr(error.__cause__, "sqlstate", "")
        assert answer == ("allowed" if (before, after) in legal else "P0001"), (before, after)


@pytest.mark.req("R-ORD-01")
@pytest.mark.parametrize("state", [state for state in OrderState if state != OrderState.DRAFT])
def test_a_new_order_starts_as_a_draft(state: OrderState) -> None:
    order = make_order("draft")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_order SELECT (jsonb_populate_record(o, jsonb_build_object('id', -1, 'seal_id', gen_random_uuid(), "
            "'state', %s::text))).* FROM orders_order o WHERE id = %s",
            [str(state), order.pk],
        )
    assert Order.objects.count() == 1


def test_a_person_is_offered_only_the_verbs_of_a_person() -> None:
    assert [verb.verb for verb in ORDER.verbs("placed")] == ["accept", "refuse", "deliver", "cancel"]
    assert [verb.verb for verb in ORDER.verbs("assigned")] == ["cancel"]
    assert [verb.verb for verb in ORDER.verbs("served")] == []
