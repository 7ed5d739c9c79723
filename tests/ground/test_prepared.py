"""The server keeps the plan of what is asked often, unless it asks for an area."""

import pytest
from django.db import connection, transaction

from yinling.directory.models import Organisation
from yinling.ground.prepared import OFTEN

pytestmark = pytest.mark.django_db


def kept(like: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s", [like])
        return [row[0] for row in cursor.fetchall()]


def test_a_plan_is_kept_once_a_statement_was_run_some_times() -> None:
    rows = Organisation.objects.filter(phone="12345").only("pk")
    for _ in range(OFTEN):
        list(rows.all())
    assert kept('%"phone" = $1%') == []
    list(rows.all())
    assert len(kept('%"phone" = $1%')) == 1


def test_no_plan_is_kept_of_what_asks_for_an_area() -> None:
    for _ in range(2 * OFTEN):
        list(Organisation.objects.within("3202").only("pk"))
    assert kept('%directory_organisation%"div" >= %') == []


def test_savepoints_do_not_crowd_out_what_is_asked_now_and_then() -> None:
    rows = Organisation.objects.filter(phone="12346").only("pk")
    for _ in range(OFTEN + 1):
        list(rows.all())
        for _ in range(connection.connection.prepared_max):
            with transaction.atomic():
                pass
    assert len(kept('%"phone" = $1%')) == 1
