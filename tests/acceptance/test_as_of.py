"""Any page and any rule can be asked as of an earlier day, and as known at an earlier moment."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from tests.factories import WIDE, actor, make_elder, make_order

from yinling.ground.asof import AsOf
from yinling.ground.scope import scope
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order
from yinling.people.models import Circumstance, Elder
from yinling.people.operations import end_circumstance, record_circumstance, update_elder
from yinling.people.queries import circumstances_on

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 15, 2, tzinfo=UTC)


def back(day: date, known_at: datetime | None = None) -> Any:
    return scope(WIDE, AsOf(day, known_at))


def test_a_state_is_the_one_it_had_on_the_day(wide: Any) -> None:
    order = make_order("placed")
    day = order.created_at.date()
    cancel_order(
        actor=actor("dispatcher"),
        now=order.created_at + timedelta(days=3),
        order_id=order.pk,
        reason="家属取消",
        seen=order.version,
    )
    with back(day + timedelta(days=1)):
        assert Order.objects.get(pk=order.pk).state == "placed"
        assert Order.objects.filter(state="cancelled", pk=order.pk).count() == 0
    with back(day + timedelta(days=4)):
        assert Order.objects.get(pk=order.pk).state == "cancelled"
    with back(day - timedelta(days=2)):
        assert not Order.objects.filter(pk=order.pk).exists()
    assert Order.objects.get(pk=order.pk).state == "cancelled"


def test_a_later_correction_is_unknown_at_the_earlier_moment(wide: Any) -> None:
    elder = make_elder()
    officer = actor("street")
    fact = record_circumstance(
        actor=officer, now=NOW, elder_id=elder.pk, kind="lives_alone", valid_from=date(2026, 1, 1), body="社区"
    )
    end_circumstance(
        actor=officer,
        now=NOW + timedelta(days=10),
        circumstance_id=fact.pk,
        valid_to=date(2026, 3, 31),
        reason="女儿搬回",
    )
    with back(date(2026, 4, 10)):
        assert circumstances_on(elder.pk, date(2026, 4, 10)) == set()
    with back(date(2026, 4, 10), NOW + timedelta(days=1)):
        assert circumstances_on(elder.pk, date(2026, 4, 10)) == {"lives_alone"}
    with back(date(2026, 3, 31)):
        assert circumstances_on(elder.pk, date(2026, 3, 31)) == {"lives_alone"}
    with back(date(2026, 4, 10), NOW - timedelta(days=1)):
        assert not Circumstance.objects.filter(elder=elder).exists()


def test_a_file_has_the_values_of_its_version_of_that_day(wide: Any) -> None:
    elder = make_elder(created_at=NOW - timedelta(days=30), changed_at=NOW - timedelta(days=30))
    before = elder.name
    update_elder(
        actor=actor("street"),
        now=NOW,
        elder_id=elder.pk,
        name="改名后",
        sex=elder.sex,
        born_on=elder.born_on,
        id_type=elder.id_type,
    )
    with back(date(2026, 6, 14)):
        assert Elder.objects.get(pk=elder.pk).name == before
    with back(date(2026, 6, 15)):
        assert Elder.objects.get(pk=elder.pk).name == "改名后"


def test_the_dead_were_alive_the_day_before(wide: Any) -> None:
    elder = make_elder(died_on=date(2026, 6, 10))
    with back(date(2026, 6, 9)):
        assert Elder.objects.get(pk=elder.pk).died_on is None
    with back(date(2026, 6, 10)):
        assert Elder.objects.get(pk=elder.pk).died_on == date(2026, 6, 10)


def test_who_looks_back_sees_no_more_than_today(wide: Any) -> None:
    elder = make_elder()
    with scope(actor("street", div="320281100"), AsOf(date(2026, 6, 14))):
        assert not Elder.objects.filter(pk=elder.pk).exists()


def test_the_search_path_is_given_back(wide: Any) -> None:
    with back(date(2026, 6, 1)), connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone()[0].startswith("asof")
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert "asof" not in cursor.fetchone()[0]


def test_nothing_can_be_written_into_the_past(wide: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_or(has_table_privilege('yl_app', c.oid, 'INSERT, UPDATE, DELETE')) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'asof'"
        )
        count, is_open = cursor.fetchone()
    assert count > 30
    assert is_open is False


def test_a_view_of_the_past_has_the_types_of_its_table(db: None) -> None:
    """A statement prepared for the present is kept for the past: PostgreSQL refuses it if a column has another type there."""
    sql = """SELECT past.relname, a.attname FROM pg_class past JOIN pg_namespace n ON n.oid = past.relnamespace AND n.nspname = 'asof'
        JOIN pg_attribute a ON a.attrelid = past.oid AND a.attnum > 0
        JOIN pg_class present ON present.relname = past.relname AND present.relnamespace = 'public'::regnamespace
        JOIN pg_attribute b ON b.attrelid = present.oid AND b.attname = a.attname
        WHERE (a.atttypid, a.atttypmod, a.attcollation) IS DISTINCT FROM (b.atttypid, b.atttypmod, b.attcollation)"""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.fetchall() == []


def test_what_was_asked_often_can_be_asked_of_the_past(wide: Any) -> None:
    order = make_order("placed")
    question = Order.objects.filter(pk=order.pk)
    assert [question.all()[0].state for _ in range(8)] == ["placed"] * 8
    with back(order.created_at.date() - timedelta(days=2)):
        assert not question.all().exists()
        assert list(question.all()[:1]) == []
    assert question.all()[0].state == "placed"
