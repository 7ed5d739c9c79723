"""Row-level security as the application role meets it."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from yinling.ground.scope import current_scope, scope
from yinling.kernel.actor import Actor
from yinling.people.models import Household

NOW = datetime(2026, 2, 13, 1, 0, tzinfo=UTC)
CITY = Actor(None, "city", "city", div="3202")
DISTRICT = Actor(None, "district", "district", div="320205")
OTHER = Actor(None, "other", "district", div="320206")


def household(div: str, code: str) -> Household:
    return Household.objects.create(div=div, address="示例路1号", door_code=code, created_at=NOW, changed_at=NOW)


@pytest.fixture
def homes(transactional_db: None) -> None:
    with scope(CITY):
        household("320205001001", "a")
        household("320206001001", "b")


def seen() -> set[str]:
    return set(Household.objects.values_list("door_code", flat=True))


@pytest.mark.req("R-PEO-04", "R-ROL-01")
def test_each_area_sees_its_own_rows(homes: None) -> None:
    with scope(CITY):
        assert seen() == {"a", "b"}
    with scope(DISTRICT):
        assert seen() == {"a"}
    with scope(OTHER):
        assert seen() == {"b"}


def test_a_connection_that_was_scoped_shows_nothing_afterwards(homes: None) -> None:
    with scope(CITY):
        assert seen()
    assert seen() == set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('yinling.scope', true)")
        assert cursor.fetchone() == ("",)
        cursor.execute("SELECT count(*) FROM people_household")
        assert cursor.fetchone() == (0,)


def test_a_wildcard_or_prefix_opens_nothing(homes: None) -> None:
    for div in ("%", "", "3202%", "32020"):
        with scope(Actor(None, "x", "district", div=div)):
            assert seen() == (set() if div != "32020" else {"a", "b"})


def test_a_row_outside_the_scope_cannot_be_written(homes: None) -> None:
    with pytest.raises(DatabaseError), scope(DISTRICT):
        household("320206001001", "c")
    with scope(CITY):
        assert seen() == {"a", "b"}


def test_an_inner_scope_gives_the_outer_one_back(homes: None) -> None:
    with scope(CITY):
        with scope(DISTRICT):
            assert seen() == {"a"}
        assert seen() == {"a", "b"}
    assert current_scope() is None


def test_an_error_closes_the_scope(homes: None) -> None:
    with pytest.raises(ZeroDivisionError), scope(CITY):
        household("320205001001", "lost")
        raise ZeroDivisionError
    assert seen() == set()
    with scope(CITY):
        assert seen() == {"a", "b"}


def test_the_application_is_neither_owner_nor_superuser(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        )
        assert cursor.fetchone() == (0,)


def test_the_scope_cannot_be_widened_by_row_owner_columns(homes: None) -> None:
    elder = Actor(None, "elder", "elder", elder_ids=(1, 2))
    with scope(elder):
        assert seen() == set()
    with transaction.atomic():
        assert seen() == set()


def test_without_a_savepoint_a_scope_gives_the_outer_one_back_at_its_end_and_when_all_is_undone(homes: None) -> None:
    with scope(DISTRICT):
        with scope(CITY, savepoint=False):
            assert seen() == {"a", "b"}
        assert seen() == {"a"}
        with pytest.raises(ZeroDivisionError), transaction.atomic(), scope(CITY, savepoint=False):
            household("320206001001", "c")
            raise ZeroDivisionError
        assert seen() == {"a"}
    with scope(CITY):
        assert seen() == {"a", "b"}
