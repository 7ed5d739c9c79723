"""In which order payers come, what limits mean, and what a counter gives."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.entitlements.conditions import Amounts, Held
from yinling.entitlements.models import PAYERS
from yinling.entitlements.rules import (
    Funding,
    Limit,
    Use,
    in_payer_order,
    kept_limits,
    limit_of,
    limits_of,
    period_start,
    uses_from_json,
)
from yinling.ground.parameters import parameter

DAY = date(2026, 6, 17)
"""A Wednesday."""
ORDER = parameter("payers.order", "", DAY)
EXCLUDES = parameter("payers.excludes", "", DAY)


def funding(number: int, payer: str) -> Funding:
    return Funding(number, number, payer, payer, payer, payer, 5000)


def payers(found: list[Funding]) -> list[str]:
    return [one.payer for one in found if not one.why_barred("")]


@pytest.mark.req("X-PAY-02")
def test_payers_come_in_order_and_state_care_excludes_the_insurance_fund() -> None:
    assert [code for code, _ in PAYERS] == [*ORDER, "self"]
    several = ["voucher", "government", "ltci", "contract", "donation"]
    found = in_payer_order([funding(place, payer) for place, payer in enumerate(several)], ORDER, EXCLUDES)
    assert payers(found) == ["contract", "ltci", "government", "voucher", "donation"]
    with_state_care = in_payer_order(
        [funding(1, "ltci"), funding(2, "state_care"), funding(3, "voucher")], ORDER, EXCLUDES
    )
    assert payers(with_state_care) == ["state_care", "voucher"]
    assert [one.why_barred("X") for one in with_state_care] == ["", "state_care承担全部费用，ltci不再支付", ""]
    assert [one.entitlement_id for one in in_payer_order([funding(9, "voucher"), funding(3, "voucher")], ORDER)] == [
        3,
        9,
    ]


@pytest.mark.req("X-PAY-02")
def test_state_care_that_cannot_be_used_on_the_day_excludes_nobody() -> None:
    ended = replace(funding(2, "state_care"), barred={"": "服务当天不符合条件"})
    assert payers(in_payer_order([funding(1, "ltci"), ended], ORDER, EXCLUDES)) == ["ltci"]


def test_another_area_may_say_another_order_and_who_does_not_pay_there() -> None:
    found = in_payer_order(
        [funding(1, "government"), funding(2, "voucher"), funding(3, "donation")], ["voucher", "government"]
    )
    assert payers(found) == ["voucher", "government"]


@pytest.mark.parametrize(
    ("name", "count", "limit"),
    [
        ("visits_a_week", 5, Limit("visit", "week", 5)), ("hours_a_week", 7, Limit("minute", "week", 420)),
        ("minutes_a_day", 90, Limit("minute", "day", 90)), ("lunches_a_day", 1, Limit("lunch", "day", 1)),
        ("breakfasts_a_day", 1, Limit("breakfast", "day", 1)), ("family_care_days_a_month", 30, Limit("family_care_day", "month", 30)),
    ],
)  # fmt: skip
def test_a_count_as_cities_write_it(name: str, count: int, limit: Limit) -> None:
    assert limit_of(name, count) == limit


@pytest.mark.parametrize("name", ["visits", "visits_a_moon", "_a_week"])
def test_what_is_no_count(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        limit_of(name, 1)


@pytest.mark.req("X-LTC-02")
def test_months_held_add_to_a_count_or_open_a_pool() -> None:
    steps = (Held(1, extra=(("hours_a_month", 1),)), Held(6, extra=(("hours_a_month", 2),)))
    week, pool = limits_of(Amounts(9000, counts=(("hours_a_week", 7),), held=steps))
    assert (week, pool) == (Limit("minute", "week", 420), Limit("minute+", "month", 0, ((1, 60), (6, 120))))
    since = date(2026, 1, 15)
    days = {date(2026, 2, 14): 0, date(2026, 2, 15): 60, date(2026, 7, 14): 60, date(2026, 7, 15): 120}
    assert {day: pool.most_on(day, since) for day in days} == days
    (more,) = limits_of(Amounts(9000, counts=(("hours_a_week", 7),), held=(Held(1, counts=(("hours_a_week", 1),)),)))
    assert (more.most_on(date(2026, 2, 14), since), more.most_on(date(2026, 2, 15), since)) == (420, 480)


@pytest.mark.req("X-LTC-04")
@pytest.mark.parametrize(
    ("per", "first"),
    [
        ("day", DAY), ("week", date(2026, 6, 15)), ("month", date(2026, 6, 1)), ("year", date(2026, 1, 1)), ("span", date(2025, 9, 9)),
    ],
)  # fmt: skip
def test_a_period_begins_on_its_first_day_and_the_week_on_monday(per: str, first: date) -> None:
    assert period_start(per, DAY, date(2025, 9, 9)) == first


def test_every_limit_of_an_entitlement() -> None:
    kept = [{"unit": "visit", "per": "week", "most": 5}, Limit("minute+", "month", 0, ((1, 60),)).as_json()]
    items = {"A": {"funds": "item", "count": 4}, "B": {"funds": "visit", "count": None}}
    assert kept_limits(kept, monthly_cap_fen=800, items=items) == [
        Limit("fen", "month", 800), Limit("visit", "week", 5), Limit("minute+", "month", 0, ((1, 60),)), Limit("item:A", "span", 4),
    ]  # fmt: skip


def test_a_cap_or_count_of_nothing_is_a_limit_and_not_the_lack_of_one() -> None:
    items = {"A": {"funds": "item", "count": 0}}
    assert kept_limits([], monthly_cap_fen=0, items=items) == [Limit("fen", "month", 0), Limit("item:A", "span", 0)]


units = st.sampled_from(["fen", "visit", "minute", "item:A"])


@given(st.lists(st.builds(Use, units, st.sampled_from(["day", "week"]), st.dates(), st.integers(0, 10**9)), max_size=5))
def test_the_counters_of_a_share_are_kept_exactly(uses: list[Use]) -> None:
    assert uses_from_json([use.as_json() for use in uses]) == uses
