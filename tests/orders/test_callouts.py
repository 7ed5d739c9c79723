"""The way, the rate and the calendar behind the on-site fee; and that the bill is the quote."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    NOW,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_elder,
    make_household,
    make_item,
    make_organisation,
    make_price,
    make_site,
)

from yinling.catalogue.models import CalloutRate
from yinling.catalogue.operations import draft_price_list, publish_price_list
from yinling.directory.models import Organisation
from yinling.ground.models import CalendarDay
from yinling.kernel.geo import Datum, Position, distance_m
from yinling.kernel.period import local_date
from yinling.orders.callouts import fee_distance
from yinling.orders.operations import place_order
from yinling.orders.queries import quote

pytestmark = pytest.mark.usefixtures("wide")
TOMORROW = NOW + timedelta(days=1)


def publish(body: Organisation, now: Any = NOW, **values: Any) -> None:
    one, two = (actor("provider_manager", organisation=body) for _ in range(2))
    chosen = {
        "basis": "market",
        "valid_from": local_date(now),
        "prices": "A01, 80, 50",
        "callout_free_m": 1000,
        "callout_km": 200,
        **values,
    }
    row = draft_price_list(actor=one, now=now, organisation_id=body.pk, **chosen)
    publish_price_list(actor=two, now=now, price_list_id=row.pk)


@pytest.fixture
def body(wide: Any) -> Organisation:
    make_area_tree()
    make_item(code="A01", charges_callout=True)
    return make_organisation()


@pytest.mark.req("R-PAY-03")
def test_the_fee_counts_the_straight_line_from_the_nearest_site_times_the_factor(
    body: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_site(body, lon=121.0, lat=32.0)
    elder = make_elder(household=make_household(lon=120.345, lat=31.575))
    item = make_price(make_item(charges_callout=True), body).item
    line = distance_m(Position(120.305, 31.575, Datum.WGS84), Position(120.345, 31.575, Datum.WGS84))
    assert fee_distance(body, elder, item, None, TOMORROW) == (round(line), "straight_line")
    monkeypatch.setattr("yinling.orders.callouts.parameter", lambda *_: 1.3)
    assert fee_distance(body, elder, item, None, TOMORROW) == (round(line * 1.3), "straight_line")


@pytest.mark.req("R-PAY-03")
def test_the_published_table_replaces_the_line_and_a_home_without_position_has_no_way(body: Organisation) -> None:
    publish(body, callout_distances=f"{CITY}, 9000\n{STREET}, 5200")
    rate = CalloutRate.objects.get(recorded_to=None)
    item = make_item(charges_callout=True)
    assert fee_distance(body, make_elder(), item, rate, TOMORROW) == (5200, "table")
    assert fee_distance(body, make_elder("320281100200"), item, rate, TOMORROW) == (9000, "table")
    lost = make_elder(household=make_household(lon=None, lat=None))
    assert fee_distance(body, lost, item, None, TOMORROW) == (None, "unknown")


@pytest.mark.req("R-PAY-01", "R-PAY-03", "D-18")
def test_the_order_freezes_the_quote_with_its_way_and_parts(body: Organisation) -> None:
    publish(body, callout_distances=f"{STREET}, 3500", callout_holiday=4000, callout_care_worker=1000)
    CalendarDay.objects.create(day=local_date(TOMORROW), kind=CalendarDay.HOLIDAY, name="端午节", source="test")
    elder, station = make_elder(), actor("station")
    asked = {"elder_id": elder.pk, "item_code": "A01", "starts_at": TOMORROW, "provider_id": body.pk}
    offer = quote(actor=station, now=NOW, **asked)
    assert [(line.kind, line.amount_fen) for line in offer.lines] == [
        ("item", 8000),
        ("callout", 5000 + 1000 + 600 + 4000),
    ]
    later = NOW + timedelta(minutes=5)
    order = place_order(
        actor=station, now=later, quoted_total_fen=offer.total_fen, quoted_self_fen=offer.self_fen, **asked
    )
    publish(body, NOW + timedelta(hours=1), callout_km=900, callout_base=9900, prices="A01, 99, 70")
    order.refresh_from_db()
    assert (order.total_fen, order.distance_m, order.distance_method) == (18600, 3500, "table")
    fee = order.lines.get(kind="callout")
    assert fee.detail["parts"] == [
        ["基本上门费", 5000],
        ["养老护理员上门", 1000],
        ["超出 1 公里的路程，3 公里", 600],
        ["法定节假日", 4000],
    ]
    assert sum(order.lines.values_list("amount_fen", flat=True)) == order.total_fen == offer.total_fen


def test_a_quote_into_a_year_without_a_calendar_says_that_no_holiday_was_counted(body: Organisation) -> None:
    asked: Any = {
        "actor": actor("station"),
        "now": NOW + timedelta(minutes=5),
        "elder_id": make_elder().pk,
        "item_code": "A01",
        "provider_id": body.pk,
    }
    publish(body)
    assert not quote(starts_at=TOMORROW, **asked).fee.notes, "no rate for holidays, so none is missing"
    publish(body, NOW + timedelta(minutes=1), callout_holiday=4000)
    said = "2026年的放假安排尚未载入，上门费没有计算法定节假日加收"
    assert said in quote(starts_at=TOMORROW, **asked).reasons
    CalendarDay.objects.create(day=date(2026, 10, 1), kind=CalendarDay.HOLIDAY, name="国庆节", source="test")
    assert said not in quote(starts_at=TOMORROW, **asked).reasons


@pytest.mark.req("D-18")
def test_a_price_change_at_midnight_divides_the_visits_before_and_after_it(body: Organisation) -> None:
    publish(body)
    publish(body, NOW + timedelta(minutes=1), prices="A01, 90, 60", valid_from=TODAY + timedelta(days=2))
    station, elder = actor("station"), make_elder()
    before = TOMORROW.replace(hour=15, minute=59)  # 23:59 in China
    totals = [
        quote(actor=station, now=NOW + timedelta(hours=1), elder_id=elder.pk, item_code="A01", starts_at=at, provider_id=body.pk).lines[0].amount_fen
        for at in (before, before + timedelta(minutes=1))
    ]  # fmt: skip
    assert totals == [8000, 9000]
