"""Who may go: each reason of the mask by itself; and the ranking by cost."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from yinling.dispatch.planner.ranking import Weights, cost_parts, total
from yinling.dispatch.rules import (
    Booked,
    Carer,
    Exclusion,
    Job,
    Licence,
    Trip,
    check_alive,
    check_choice,
    check_own,
    check_route,
    check_time,
    compatibility,
    neighbours,
    route_version,
)
from yinling.kernel.refusals import Denied, Refused, Stale

TEN = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
"""10:00 in China."""
DAY = date(2026, 6, 15)
JOB = Job(
    1,
    2,
    3,
    TEN,
    TEN + timedelta(hours=1),
    120.3,
    31.57,
    needs=(("induction", "岗前培训"), ("nurse", "护士执业证")),
    dialect="无锡话",
)
LICENCES = (Licence("induction", date(2020, 1, 1)), Licence("nurse", date(2020, 1, 1), date(2027, 1, 1)))
CARER = Carer(7, "张护士", 3, "2", time(8), time(18), 480, date(2020, 1, 1), lon=120.31, lat=31.57, licences=LICENCES)
WEIGHTS = Weights(travel_minute=1, new_face=15, other_dialect=10, workload_hour=4)


def at(hour: int, minutes: int = 60, order_id: int = 9) -> Booked:
    start = TEN + timedelta(hours=hour - 10)
    return Booked(order_id, start, start + timedelta(minutes=minutes))


def with_licence(kind: str, valid_from: date, valid_to: date | None) -> tuple[Licence, ...]:
    return (*(one for one in LICENCES if one.kind != kind), Licence(kind, valid_from, valid_to))


def test_a_fitting_carer_has_nothing_against() -> None:
    assert compatibility(JOB, CARER, Trip(600, 600)) == []


@pytest.mark.req("R-STF-02")
@pytest.mark.parametrize(
    ("valid_from", "valid_to", "is_valid"),
    [
        (DAY, DAY + timedelta(days=1), True),
        (DAY, None, True),
        (date(2020, 1, 1), DAY, False),
        (DAY + timedelta(days=1), None, False),
    ],
)
def test_a_protected_item_goes_only_to_a_holder_valid_at_the_hour(
    valid_from: date,
    valid_to: date | None,
    is_valid: bool,  # noqa: FBT001 - a column of the table
) -> None:
    found = compatibility(JOB, replace(CARER, licences=with_licence("nurse", valid_from, valid_to)))
    assert found == ([] if is_valid else [Exclusion("qualification", "“护士执业证”在服务当天无效")])


@pytest.mark.req("R-STF-02")
def test_a_night_visit_needs_a_licence_valid_on_both_days() -> None:
    night = replace(JOB, starts_at=TEN + timedelta(hours=13, minutes=30), ends_at=TEN + timedelta(hours=14, minutes=30))
    codes = [
        one.code
        for one in compatibility(night, replace(CARER, licences=with_licence("nurse", DAY, DAY + timedelta(days=1))))
    ]
    assert codes == ["qualification", "hours"]


@pytest.mark.req("R-STF-05")
def test_nobody_goes_without_induction_training() -> None:
    assert compatibility(JOB, replace(CARER, licences=LICENCES[1:])) == [Exclusion("induction", "没有“岗前培训”")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"provider_id": 4}, [Exclusion("provider", "不是承接这张订单的机构的人员")]),
        ({"employed_from": DAY + timedelta(days=1)}, [Exclusion("employment", "服务当天不在职")]),
        ({"employed_to": DAY}, [Exclusion("employment", "服务当天不在职")]),
        ({"employed_to": DAY + timedelta(days=1)}, []),
        ({"suspension": "签到过远"}, [Exclusion("suspended", "已暂停派单：签到过远")]),
        ({"day_from": time(10, 1)}, [Exclusion("hours", "不在上班时间内（10:01–18:00）")]),
        ({"day_to": time(10, 59)}, [Exclusion("hours", "不在上班时间内（08:00–10:59）")]),
        ({"day_from": time(10), "day_to": time(11)}, []),
        ({"booked": (at(10),)}, [Exclusion("overlap", "10:00–11:00 已有其他订单")]),
        ({"booked": (at(9, 61),)}, [Exclusion("overlap", "09:00–10:01 已有其他订单")]),
        ({"booked": (at(9), at(11))}, []),
        ({"most_minutes": 119, "booked": (at(8),)}, [Exclusion("minutes", "当天将达 120 分钟，超过上限 119 分钟")]),
        ({"most_minutes": 120, "booked": (at(8),)}, []),
        ({"declined": "已谢绝这张订单"}, [Exclusion("declined", "已谢绝这张订单", is_hard=False)]),
    ],
)
def test_each_reason_stands_by_itself(values: dict[str, Any], expected: list[Exclusion]) -> None:
    assert compatibility(JOB, replace(CARER, **values)) == expected


def test_a_wish_for_a_woman_or_a_man_is_told_and_may_be_overruled() -> None:
    assert compatibility(replace(JOB, wants_sex="1"), CARER) == [
        Exclusion("sex", "老人希望由男性服务人员上门", is_hard=False)
    ]
    assert compatibility(replace(JOB, wants_sex="2"), CARER) == []


@pytest.mark.parametrize(
    ("booked", "trip", "late"),
    [
        ((at(8),), Trip(3600, 0), ""),
        ((at(9, 55),), Trip(360, 0), "1"),
        ((at(11),), Trip(0, 60), "1"),
        ((at(9), at(12)), Trip(120, 3600 + 121), "3"),
        ((), Trip(99999, 99999), ""),
    ],
)
def test_who_would_be_late_is_told(booked: tuple[Booked, ...], trip: Trip, late: str) -> None:
    expected = [Exclusion("travel", f"路上来不及，估计要晚 {late} 分钟", is_hard=False)] if late else []
    assert compatibility(JOB, replace(CARER, booked=booked), trip) == expected


def test_the_neighbours_are_the_orders_just_before_and_just_after() -> None:
    carer = replace(CARER, booked=(at(7), at(9), at(11), at(14)))
    assert neighbours(JOB, carer) == (at(9), at(11))
    assert neighbours(JOB, CARER) == (None, None)


def test_the_cost_names_its_parts() -> None:
    carer = replace(CARER, booked=(at(8),), served_count=2, dialects=frozenset({"无锡话"}))
    parts = cost_parts(JOB, carer, Trip(300, 60), WEIGHTS)
    assert [(part.code, part.cost) for part in parts] == [
        ("travel", 6),
        ("continuity", 0),
        ("dialect", 0),
        ("workload", 4),
    ]
    assert [part.reason for part in parts] == [
        "从上一家过去约 5 分钟",
        "服务过这位老人 2 次",
        "会说无锡话",
        "当天已排 1 单 60 分钟",
    ]
    parts = cost_parts(JOB, CARER, Trip(61, 0), WEIGHTS)
    assert [part.reason for part in parts] == [
        "从站点过去约 2 分钟",
        "第一次服务这位老人",
        "不会说无锡话",
        "当天还没有订单",
    ]
    assert [part.cost for part in parts][1:] == [15, 10, 0]
    assert [part.code for part in cost_parts(replace(JOB, dialect=""), CARER, Trip(), WEIGHTS)] == [
        "travel",
        "continuity",
        "workload",
    ]


@pytest.mark.parametrize(
    ("better", "worse", "trips"),
    [
        ({"served_count": 1}, {}, (Trip(), Trip())),
        ({"dialects": frozenset({"无锡话"})}, {}, (Trip(), Trip())),
        ({}, {"booked": (at(8),)}, (Trip(), Trip())),
        ({}, {}, (Trip(60), Trip(120))),
        ({}, {}, (Trip(60, 60, 30), Trip(60, 60))),
    ],
)
def test_each_drawback_costs(better: dict[str, Any], worse: dict[str, Any], trips: tuple[Trip, Trip]) -> None:
    cheap, dear = (
        total(cost_parts(JOB, replace(CARER, **values), trip, WEIGHTS))
        for values, trip in zip((better, worse), trips, strict=True)
    )
    assert cheap < dear


def test_the_way_is_told_from_where_it_begins_and_what_it_adds() -> None:
    before, after = at(8), at(15)
    told = [
        cost_parts(JOB, replace(CARER, **values), Trip(61, 300, 120), WEIGHTS)[0].reason
        for values in ({}, {"starts_at_home": True}, {"booked": (before,)}, {"booked": (before, after)})
    ]
    assert told == [
        "从站点过去约 2 分钟", "从家里过去约 2 分钟", "从上一家过去约 2 分钟", "从上一家过去约 2 分钟，当天路上共多 5 分钟",
    ]  # fmt: skip


def test_a_day_is_known_by_its_orders_and_their_times() -> None:
    one, other = at(8), at(15)
    assert route_version([one, other]) == route_version([other, one]) != route_version([one])
    assert route_version([one]) != route_version([replace(one, starts_at=one.starts_at + timedelta(minutes=1))])
    check_route(seen="", current="b")
    check_route(seen="a", current="a")
    with pytest.raises(Stale) as caught:
        check_route(seen="a", current="b")
    assert caught.value.code == "dispatch.route_changed"


HARD, SOFT = Exclusion("suspended", "已暂停派单"), Exclusion("sex", "希望", is_hard=False)


@pytest.mark.parametrize(
    ("exclusions", "reason", "code"),
    [
        ([], " ", "dispatch.reason_missing"),
        ([SOFT], "", "dispatch.reason_missing"),
        ([SOFT, HARD], "一定要", "dispatch.suspended"),
    ],
)
def test_a_choice_beside_the_best_needs_a_reason_and_a_hard_reason_stops_it(
    exclusions: list[Exclusion], reason: str, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        check_choice(exclusions=exclusions, is_among_best=False, choice_reason=reason)
    assert refusal.value.code == code


def test_a_choice_among_the_best_or_with_a_reason_stands() -> None:
    check_choice(exclusions=[], is_among_best=True, choice_reason="")
    check_choice(exclusions=[], is_among_best=False, choice_reason="熟悉")
    check_choice(exclusions=[SOFT], is_among_best=False, choice_reason="已征得同意")


def test_nobody_is_sent_after_the_hour_or_to_the_dead_or_answers_for_another() -> None:
    for call, code in (
        (lambda: check_time(TEN, TEN), "dispatch.over"),
        (lambda: check_alive(DAY), "dispatch.elder_died"),
    ):
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.code == code
    check_time(TEN + timedelta(minutes=1), TEN)
    check_alive(None)
    with pytest.raises(Denied):
        check_own(actor_staff_id=None, staff_id=1, is_dispatcher=False)
    check_own(actor_staff_id=None, staff_id=1, is_dispatcher=True)
    check_own(actor_staff_id=1, staff_id=1, is_dispatcher=False)
