"""Loading and unloading a year, and moving the clock of a demonstration."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    make_area_tree,
)

from yinling.accounts.models import Journal
from yinling.directory.operations import (
    load_calendar,
    move_clock,
    unload_calendar,
)
from yinling.directory.queries import (
    calendar_years,
    working_calendar,
)
from yinling.ground.clock import business_now, real_now
from yinling.ground.models import CalendarDay, ClockOffset
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refused

pytestmark = pytest.mark.usefixtures("wide")
LIST_2026 = "date,weekday,kind,name,in_lieu\n2026-01-01,四,holiday,元旦,0\n2026-01-04,日,makeup_workday,元旦,0\n"


@pytest.fixture
def city_actor() -> Iterator[Actor]:
    make_area_tree()
    one = actor("city")
    with scope(one):
        yield one


@pytest.mark.req("X-CAL-03")
def test_a_year_is_loaded_and_unloaded(city_actor: Actor) -> None:
    assert working_calendar().is_provisional(date(2026, 1, 4))
    load_calendar(actor=city_actor, now=NOW, text=LIST_2026, source="国办发明电〔2025〕7号")
    assert calendar_years() == [(2026, 2, "国办发明电〔2025〕7号")]
    calendar = working_calendar()
    assert calendar.is_working(date(2026, 1, 4))
    assert not calendar.is_working(date(2026, 1, 1))
    with pytest.raises(Refused) as refused:
        load_calendar(actor=city_actor, now=NOW, text=LIST_2026, source="再次")
    assert (refused.value.code, refused.value.values["years"]) == ("calendar.loaded", "2026")
    assert unload_calendar(actor=city_actor, now=NOW, year=2026) == 2
    assert working_calendar().is_working(date(2026, 1, 1)), "without a list Monday to Friday are working days"
    with pytest.raises(Refused, match="not_loaded"):
        unload_calendar(actor=city_actor, now=NOW, year=2026)
    assert [row.changes["days"] for row in Journal.objects.filter(is_refused=False).order_by("id")] == [[0, 2], [2, 0]]


def test_a_wrong_list_loads_nothing(city_actor: Actor) -> None:
    with pytest.raises(Refused, match="weekday"):
        load_calendar(actor=city_actor, now=NOW, text=LIST_2026 + "2026-02-15,一,holiday,春节,0\n", source="错误")
    assert not CalendarDay.objects.exists()


def test_the_clock_of_a_demonstration_moves_forward_and_back(city_actor: Actor, settings: Settings) -> None:
    settings.DEMO = True
    for moment in (datetime(2031, 1, 31, 15, 0, tzinfo=UTC), datetime(2015, 1, 2, tzinfo=UTC)):
        move_clock(actor=city_actor, now=business_now(), to=moment)
        assert abs(business_now() - moment) < timedelta(seconds=60)
    settings.DEMO = False
    assert abs(business_now() - real_now()) < timedelta(seconds=60), (
        "outside a demonstration the offset counts for nothing"
    )


@pytest.mark.parametrize(
    ("demo", "to", "code"),
    [
        (False, datetime(2030, 1, 1, tzinfo=UTC), "clock.not_demo"),
        (True, datetime(2014, 12, 31, tzinfo=UTC), "clock.range"),
        (True, datetime(2041, 1, 1, tzinfo=UTC), "clock.range"),
    ],
)
def test_where_the_clock_stays(city_actor: Actor, settings: Settings, demo: object, to: datetime, code: str) -> None:
    settings.DEMO = demo
    with pytest.raises(Refused) as refused:
        move_clock(actor=city_actor, now=NOW, to=to)
    assert refused.value.code == code
    assert not ClockOffset.objects.exists()


def test_a_seat_may_not_move_the_clock_nor_load_a_calendar(settings: Settings) -> None:
    settings.DEMO = True
    make_area_tree()
    seat = actor("seat", OTHER_DISTRICT)
    with scope(seat):
        for call in (
            lambda: move_clock(actor=seat, now=NOW, to=NOW),
            lambda: load_calendar(actor=seat, now=NOW, text=LIST_2026, source="x"),
        ):
            with pytest.raises(Denied, match="missing"):
                call()
