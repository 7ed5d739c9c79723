import pytest
from django.db import connection


def current_user() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user::text, (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)"
        )
        name, is_above_policies = cursor.fetchone()
    assert not is_above_policies
    return name


@pytest.mark.django_db
def test_tests_run_as_the_role_that_serves() -> None:
    assert current_user() == "yl_app"


@pytest.mark.django_db(transaction=True)
def test_so_do_tests_with_real_transactions() -> None:
    assert current_user() == "yl_app"
