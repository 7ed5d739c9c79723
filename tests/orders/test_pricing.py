"""The on-site fee: a table of cases, and what must hold for any visit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.period import SHANGHAI
from yinling.orders.pricing import KILOMETRE, Asked, callout, is_night, started_kilometres

TABLE = yaml.safe_load((Path(__file__).parents[1] / "cases" / "pricing.yaml").read_text())
RATE: Any = SimpleNamespace(**TABLE["rate"])
NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
VISIT = [Asked(charges_callout=True, callout_fee_fen=5000, needs_qualification="nurse")]
fen = st.integers(0, 100_000)
metres = st.integers(0, 300_000)


@pytest.mark.req("R-PAY-01", "R-PAY-03")
@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["say"])
def test_a_visit_costs_what_the_table_says(case: dict[str, Any]) -> None:
    found = callout(
        [Asked(*item) for item in case["items"]], RATE, starts_at=datetime.fromisoformat(case["at"]).replace(tzinfo=SHANGHAI),
        distance_m=case["metres"], is_holiday=case.get("holiday", False),
    )  # fmt: skip
    assert found.amount_fen == case["fen"]
    assert sum(part for _name, part in found.parts) == case["fen"]
    assert all(name and part > 0 for name, part in found.parts)


def test_without_a_rate_the_base_alone_is_asked() -> None:
    assert callout(VISIT, None, starts_at=NOON, distance_m=90_000, is_holiday=True).amount_fen == 5000


def test_who_comes_decides_the_level_where_it_is_known() -> None:
    asked = {
        level: callout(VISIT, RATE, starts_at=NOON, distance_m=0, is_holiday=False, level=level)
        for level in ("", "nurse", "doctor")
    }
    assert [one.amount_fen for one in asked.values()] == [5000, 7000, 10000]
    assert asked["doctor"].parts[1] == ("医师上门", 5000)


@pytest.mark.req("R-PAY-03")
def test_the_parts_say_in_words_what_they_are_for() -> None:
    evening = datetime(2026, 6, 15, 21, 0, tzinfo=SHANGHAI)
    found = callout(VISIT, RATE, starts_at=evening, distance_m=4500, is_holiday=True)
    assert found.parts == (
        ("基本上门费", 5000), ("护士上门", 2000), ("超出 3 公里的路程，2 公里", 400), ("夜间（20 时至 7 时）", 2000), ("法定节假日", 4000),
    )  # fmt: skip


@given(metres, metres)
def test_a_longer_way_never_costs_less(one: int, other: int) -> None:
    near, far = sorted((one, other))
    costs = [callout(VISIT, RATE, starts_at=NOON, distance_m=way, is_holiday=False).amount_fen for way in (near, far)]
    assert costs[0] <= costs[1]


@given(metres, st.integers(0, 50_000))
def test_kilometres_go_in_steps_that_begin(way: int, free: int) -> None:
    begun = started_kilometres(way, free)
    assert begun >= 0
    assert (begun - 1) * KILOMETRE < max(0, way - free) <= begun * KILOMETRE
    assert started_kilometres(way + KILOMETRE, free) - begun in ((1,) if way >= free else (0, 1))


@given(fen, fen, fen, fen, metres, st.integers(0, 23), st.booleans())
def test_each_addition_only_adds(
    base: int,
    km: int,
    night: int,
    holiday: int,
    way: int,
    hour: int,
    is_holiday: bool,  # noqa: FBT001 - drawn
) -> None:
    rate: Any = SimpleNamespace(**TABLE["rate"] | {"km_fen": km, "night_fen": night, "holiday_fen": holiday})
    at = datetime(2026, 6, 15, hour, 30, tzinfo=SHANGHAI)
    visit = [Asked(charges_callout=True, callout_fee_fen=base, needs_qualification="nurse")]
    found = callout(visit, rate, starts_at=at, distance_m=way, is_holiday=is_holiday)
    plain = callout(visit, rate, starts_at=at, distance_m=0, is_holiday=False)
    assert found.amount_fen >= plain.amount_fen >= (base or rate.base_fen)
    assert found.amount_fen == sum(part for _name, part in found.parts)
    more = callout([*visit, *visit], rate, starts_at=at, distance_m=way, is_holiday=is_holiday)
    assert more == found


@given(st.integers(0, 23), st.integers(0, 23))
def test_a_day_has_as_many_night_hours_as_the_rate_says(first: int, last: int) -> None:
    midnight = datetime(2026, 6, 15, tzinfo=SHANGHAI)
    hours = sum(is_night(midnight + timedelta(hours=number), first, last) for number in range(24))
    assert hours == (last - first) % 24
