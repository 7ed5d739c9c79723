"""What is decided at the door."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Denied, NotAllowed, Refused, Stale
from yinling.visits import rules

START = datetime(2026, 6, 15, 10, tzinfo=SHANGHAI)
HOME = {"home_lon": 120.30, "home_lat": 31.57}


def place(lon: float | None, lat: float | None, **values: Any) -> rules.Seen:
    return rules.Seen(lon, lat, **{"datum": "wgs84", "accuracy_m": None, **values})


@pytest.mark.req("X-SUP-01")
@pytest.mark.parametrize(
    ("seen", "metres"),
    [
        (place(120.30, 31.57), 0),
        (place(120.30, 31.579018), 1000),
        (place(120.30, 31.579018, accuracy_m=30), 970),
        (place(120.30, 31.579018, accuracy_m=400), 900),
        (place(120.30, 31.570451, accuracy_m=80), 0),
        (place(120.304600, 31.568099, datum="gcj02"), 0),
        (place(120.30, 31.57, datum="gcj02"), 500),
    ],
)
def test_distance_is_geodesic_after_conversion_less_at_most_100_m_of_accuracy(seen: rules.Seen, metres: int) -> None:
    found = rules.distance_from_home(seen, **HOME)
    assert found == metres if metres != 500 else 470 < (found or 0) < 530


def test_without_one_of_the_places_there_is_no_distance() -> None:
    assert rules.distance_from_home(place(None, None, by_door_code=True), **HOME) is None
    assert rules.distance_from_home(place(120.30, 31.57), home_lon=None, home_lat=None) is None


def test_a_place_off_the_earth_is_refused_even_without_a_known_home() -> None:
    with pytest.raises(Refused) as refusal:
        rules.distance_from_home(place(420.30, 31.57), home_lon=None, home_lat=None)
    assert refusal.value.code == "geo.range"


@pytest.mark.req("X-SUP-02")
@pytest.mark.parametrize("key_and_metres", [("checkin.radius_m", 200), ("checkin.block_m", 1000)])
def test_the_circles_around_the_home_are_parameters(key_and_metres: tuple[str, int]) -> None:
    from yinling.ground.parameters import parameter  # noqa: PLC0415 - the rest of this file needs no Django

    key, metres = key_and_metres
    assert parameter(key, "3202", date(2026, 6, 15)) == metres


AT_DOOR = {"lon": None, "lat": None, "datum": "wgs84", "accuracy_m": None, "door_code": "", "expected_code": "D1"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "checkin.position"),
        ({"lon": 120.3}, "checkin.position"),
        ({"door_code": "D2"}, "checkin.door_code"),
        ({"lon": 120.3, "lat": 31.5, "door_code": "D2"}, "checkin.door_code"),
        ({"lon": 120.3, "lat": 31.5, "datum": "mars"}, "checkin.datum"),
    ],
)
def test_a_check_in_needs_a_position_or_the_code_at_the_door(values: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        rules.seen_at(**{**AT_DOOR, **values})
    assert refusal.value.code == code


def test_the_code_at_the_door_stands_in_for_the_position() -> None:
    assert rules.seen_at(**{**AT_DOOR, "door_code": "D1"}) == place(None, None, by_door_code=True)
    both = rules.seen_at(**{**AT_DOOR, "lon": 120.3, "lat": 31.5, "door_code": "D1"})
    assert both == place(120.3, 31.5, by_door_code=True)
    assert rules.seen_at(**AT_DOOR, is_needed=False) == place(None, None)


def test_check_in_opens_so_many_minutes_before_the_booked_start() -> None:
    rules.check_not_early(now=START - timedelta(minutes=60), starts_at=START, early_minutes=60)
    with pytest.raises(Refused) as refusal:
        rules.check_not_early(now=START - timedelta(minutes=61), starts_at=START, early_minutes=60)
    assert refusal.value.code == "visit.too_early"


@pytest.mark.req("X-SUP-04")
@pytest.mark.parametrize(("minutes", "late"), [(-5, False), (30, False), (31, True)])
def test_a_visit_is_late_after_so_many_minutes(minutes: int, late: object) -> None:
    now = START + timedelta(minutes=minutes)
    assert rules.is_late(now=now, starts_at=START, late_minutes=30) is late


@pytest.mark.req("R-ORD-08")
def test_ticked_work_is_of_the_standard_and_counted_once() -> None:
    assert rules.check_tasks(["整理", "洗漱", "整理"], ["洗漱", "整理"]) == ["整理", "洗漱"]
    for tasks, code in ([], "visit.no_tasks"), (["洗漱", "聊天"], "visit.unknown_task"):
        with pytest.raises(Refused) as refusal:
            rules.check_tasks(tasks, ["洗漱", "整理"])
        assert (refusal.value.code, refusal.value.field) == (code, "tasks")


@pytest.mark.req("R-CMP-02")
@pytest.mark.parametrize(
    ("role", "by", "own", "code"),
    [
        ("elder", "elder", False, ""),
        ("family", "family", False, ""),
        ("seat", "follow_up", False, ""),
        ("seat", "elder", False, "evaluation.by"),
        ("family", "elder", False, "evaluation.by"),
        ("carer", "elder", False, "evaluation.by"),
        ("carer", "follow_up", False, "evaluation.by"),
        ("family", "family", True, "evaluation.own_visit"),
        ("seat", "follow_up", True, "evaluation.own_visit"),
    ],
)
def test_the_elder_side_evaluates_and_never_who_made_the_visit(role: str, by: str, own: Any, code: str) -> None:
    if not code:
        rules.check_evaluator(role=role, by=by, is_own_visit=own)
        return
    with pytest.raises((Refused, Denied)) as refusal:
        rules.check_evaluator(role=role, by=by, is_own_visit=own)
    assert refusal.value.code == code


@pytest.mark.req("D-21")
@pytest.mark.parametrize(
    ("state", "days_after", "evaluated", "code"),
    [
        ("served", 0, False, ""),
        ("closed", 7, False, ""),
        ("settled", 8, False, "evaluation.late"),
        ("served", 0, True, "evaluation.twice"),
        ("in_service", 0, False, "evaluation.not_served"),
        ("failed", 0, False, "evaluation.not_served"),
    ],
)
def test_a_served_order_is_evaluated_once_within_seven_days(
    state: str, days_after: int, evaluated: Any, code: str
) -> None:
    now = START.replace(hour=23) + timedelta(days=days_after)
    values = {"order_state": state, "served_at": START, "now": now, "days": 7, "is_evaluated": evaluated}
    if not code:
        rules.check_evaluation(**values)
        return
    with pytest.raises((Refused, NotAllowed)) as refusal:
        rules.check_evaluation(**values)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("kind", "code", "check", "values"),
    [
        (Denied, "visit.not_own", rules.check_own, {"staff_id": 1, "actor_staff_id": 2}),
        (Denied, "visit.not_own", rules.check_own, {"staff_id": 1, "actor_staff_id": None}),
        (NotAllowed, "visit.not_accepted", rules.check_accepted, {"state": "offered"}),
        (Refused, "visit.deceased", rules.check_alive, {"died_on": date(2026, 6, 1)}),
        (Refused, "visit.not_qualified", rules.check_qualified, {"needed": {"nurse"}, "held": {"care_worker"}}),
        (NotAllowed, "visit.another_open", rules.check_no_other, {"other_open": True}),
        (NotAllowed, "visit.not_on_site", rules.check_on_site, {"state": "done"}),
        (Refused, "visit.no_reason", rules.check_reason, {"reason": " "}),
        (Refused, "visit.not_signed", rules.check_signed, {"signed_by": " "}),
        (Refused, "evaluation.score", rules.check_score, {"score": 6}),
        (Refused, "evaluation.score", rules.check_score, {"score": 0}),
        (Stale, "row.stale", rules.check_seen, {"seen": 1, "version": 2}),
    ],
)
def test_each_rule_refuses_with_its_code(kind: type, code: str, check: Any, values: dict[str, Any]) -> None:
    with pytest.raises(kind) as refusal:
        check(**values)
    assert refusal.value.code == code


def test_each_rule_lets_pass_what_is_right() -> None:
    rules.check_own(staff_id=1, actor_staff_id=1)
    rules.check_accepted("accepted")
    rules.check_alive(None)
    rules.check_qualified({"nurse"}, {"nurse", "health"})
    rules.check_no_other(other_open=False)
    rules.check_on_site("on_site")
    rules.check_seen(seen=None, version=2)
    rules.check_seen(seen=2, version=2)
