"""What the platform knows of a canteen decides, not what somebody ticks: its orders, and since when it is in business."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.factories import make_elder, make_item, make_order, make_price, system
from tests.programmes.subsidies.shanwei import (
    AT,
    CHENGQU,
    CITY,
    HAIFENG,
    MEALS,
    PROVINCE,
    Money,
    canteen,
    drafted,
    make_line,
    make_money,
)

from yinling.directory.models import Organisation
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refused
from yinling.orders.models import Order
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.operations import review_subsidy
from yinling.programmes.subsidies.queries.rates import record_of
from yinling.settlement.operations import reverse_order, settle_order


@pytest.fixture
def money(db: None) -> Iterator[Money]:
    with scope(PROVINCE) as opened:
        yield make_money()
        opened.afterwards.clear()


def refused(code: str) -> Any:
    return pytest.raises(Refused, check=lambda refusal: refusal.code == code)


def lunch(body: Organisation, *days: date, state: str = "served", div: str = "441521100200") -> list[Order]:
    """Lunches that a body brought to one elder, at noon of some days."""
    elder, price = make_elder(div=div), make_price(make_item(family="meal", name="送餐上门"), body)
    return [
        make_order(state, elder=elder, price=price, starts_at=datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
        for day in days
    ]


@pytest.mark.req("R-FUN-07")
def test_meal_days_are_counted_by_month_and_never_twice_a_day(money: Money) -> None:
    body = canteen(HAIFENG)
    lunch(body, date(2022, 3, 1), date(2022, 3, 31), date(2022, 12, 31))
    lunch(body, date(2022, 3, 1))
    lunch(body, date(2022, 4, 1), state="cancelled")
    lunch(canteen(HAIFENG), date(2022, 5, 1))
    with scope(money.county[0]):
        found = record_of(body, 2022)
    assert (dict(found.meal_days), found.from_month, found.opened_on) == ({3: 2, 12: 1}, 3, body.valid_from)
    assert (record_of(body, 2021).from_month, record_of(body, 2023).from_month) == (13, 1)


@pytest.mark.req("R-FUN-07")
def test_meals_that_went_to_the_next_county_count_too(money: Money) -> None:
    body = canteen(CHENGQU)
    lunch(body, date(2022, 6, 1), div="441581100200")
    with scope(money.county[0]):
        assert dict(record_of(body, 2022).meal_days) == {6: 1}


@pytest.mark.req("R-FUN-07", "R-MEA-08")
def test_a_year_of_orders_needs_no_month_by_hand(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen()
    lunch(body, *(date(2022, month, 15) for month in MEALS))
    row = drafted(money.first, line, body, opened_on=None, meal_months=None)
    assert (row.amount_fen, row.facts["meal_months"], row.facts["opened_on"]) == (
        6_000_000,
        MEALS,
        body.valid_from.isoformat(),
    )
    assert row.facts["meal_days"] == {str(month): 1 for month in MEALS}
    assert "平台记录当年供餐 %(days)s 天" in [text for text, _values in row.reasons]


@pytest.mark.req("R-FUN-07")
def test_a_month_without_orders_cannot_be_ticked(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen()
    lunch(body, date(2022, 1, 10), date(2022, 12, 10))
    with refused("subsidy.meals_unseen"):
        drafted(money.first, line, body)
    with refused("subsidy.meals"):
        drafted(money.first, line, body, meal_months=None)
    assert not Subsidy.objects.exists()


@pytest.mark.req("R-FUN-07")
def test_months_before_the_first_order_are_entered_by_hand(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen()
    lunch(body, *(date(2022, month, 15) for month in range(7, 13)))
    row = drafted(money.first, line, body, meal_months=[1, 2, 3, 4, 5, 6])
    assert row.facts["meal_months"] == MEALS
    assert [text for text, _values in row.reasons][-1] == "%(months)s月供餐由人工登记"


def test_orders_that_were_taken_back_since_stop_the_review(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen()
    orders = lunch(body, *(date(2022, month, 15) for month in MEALS))
    row = drafted(money.first, line, body, meal_months=None)
    Order.objects.filter(pk=orders[4].pk).update(provider=canteen())
    with refused("subsidy.meals"):
        review_subsidy(actor=money.second, now=AT, subsidy_id=row.pk)
    row.refresh_from_db()
    assert row.state == "draft"


@pytest.mark.req("R-FUN-07")
def test_a_meal_whose_bill_was_taken_back_was_none(money: Money) -> None:
    body = canteen()
    false, true = lunch(body, date(2022, 3, 1), date(2022, 4, 1))
    for one in (false, true):
        settle_order(actor=system(CITY), now=AT, order_id=one.pk)
    assert dict(record_of(body, 2022).meal_days) == {3: 1, 4: 1}
    reverse_order(actor=money.first, now=AT, order_id=false.pk, reason="没有送餐")
    assert dict(record_of(body, 2022).meal_days) == {4: 1}
    settle_order(actor=system(CITY), now=AT, order_id=false.pk)
    assert dict(record_of(body, 2022).meal_days) == {3: 1, 4: 1}


def test_a_body_that_went_out_of_business_is_not_open_at_the_years_end(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen(valid_to=date(2022, 12, 31))
    with refused("subsidy.closed"):
        drafted(money.first, line, body)
    Organisation.objects.filter(pk=body.pk).update(valid_to=date(2023, 1, 1))
    assert drafted(money.first, line, body).amount_fen == 6_000_000


def test_a_canteen_opens_no_earlier_than_its_body(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen(valid_from=date(2022, 2, 1))
    with refused("subsidy.opened_early"):
        drafted(money.first, line, body)
    assert drafted(money.first, line, body, opened_on=None).facts["opened_on"] == "2022-02-01"
