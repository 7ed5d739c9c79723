"""What a rate gives, who pays, and whether it was used as meant: tables of cases from the plans."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from yinling.entitlements.lottery import Share, judge
from yinling.entitlements.models import FUNDS, PAYERS
from yinling.entitlements.queries.lines import entry_on
from yinling.ground.parameters import parameters
from yinling.kernel.refusals import Refused
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.queries.rates import known_offer, offer
from yinling.programmes.subsidies.rules import (
    Facts,
    Rate,
    RateError,
    Record,
    attribute,
    check_line,
    check_size,
    check_winners,
    established,
    main_use,
    reckon,
)
from yinling.settlement.queries import FUND_NAMES, fund_name

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "subsidies.yaml").read_text("utf-8"))


def named(group: str) -> Any:
    return pytest.mark.parametrize("case", CASES[group], ids=lambda case: "-".join(map(str, list(case.values())[:4])))


def facts(case: dict[str, Any]) -> Facts:
    return Facts(
        case.get("opened_on"), case.get("closed_on"), tuple(case.get("meals", ())), case.get("is_rural", False), case.get("count", 1),
        case.get("actual_fen"),
    )  # fmt: skip


def outcome(case: dict[str, Any], kind: str) -> int | str:
    try:
        found = known_offer(kind, case.get("div", "4415"), case["year"])
        if "line_year" in case:
            check_line(
                found.rate, div="441502001", result_year=case["year"], line=("city", "general", case["line_year"])
            )
        return reckon(found.rate, facts(case), case["year"]).fen
    except Refused as refusal:
        return refusal.code


def expected(case: dict[str, Any]) -> int | str:
    return case["code"] if "code" in case else case["fen"]


@pytest.mark.req("R-FUN-07", "R-MEA-08")
@named("canteens")
def test_a_canteen_gets_the_year_if_it_is_open_at_its_end_and_cooked_every_month(case: dict[str, Any]) -> None:
    assert outcome(case, "canteen") == expected(case)


@pytest.mark.req("R-FUN-07")
@named("records")
def test_what_the_platform_knows_of_a_canteen_stands_in_place_of_what_was_entered(case: dict[str, Any]) -> None:
    known = case["known"]
    record = Record(known["open"], known.get("closed"), known.get("days", {}), known.get("from", 13))
    typed = Facts(case.get("opened_typed"), case.get("closed_typed"), tuple(case.get("typed", ())))
    if "code" in case:
        with pytest.raises(Refused) as refused:
            established(typed, record)
        assert refused.value.code == case["code"]
        return
    found = established(typed, record)
    assert list(found.meal_months) == case["months"]
    assert list(found.by_hand) == case.get(
        "by_hand", [one for one in case["months"] if one not in known.get("days", {})]
    )
    for name in ("opened_on", "closed_on"):
        if name in case:
            assert getattr(found, name) == case[name]
    assert Facts.from_json(json.loads(json.dumps(found.as_json()))) == found
    assert established(found, record) == found, "asked again it stays as it is"


@pytest.mark.req("R-FUN-07")
@named("payers")
def test_the_division_decides_which_level_and_fund_pays_a_canteen(case: dict[str, Any]) -> None:
    rate = known_offer("canteen", case["div"], 2022).rate
    line = (case["level"], case["fund"], 2022)
    if "code" not in case:
        check_line(rate, div=case["div"], result_year=2022, line=line)
        return
    with pytest.raises(Refused) as refused:
        check_line(rate, div=case["div"], result_year=2022, line=line)
    assert refused.value.code == case["code"]


@pytest.mark.req("R-FUN-07", "R-MEA-08")
def test_160_canteens_cost_9_600_000_yuan_a_year() -> None:
    rate = known_offer("canteen", "4415", 2022).rate
    opened = Facts(date(2022, 1, 1), meal_months=tuple(range(1, 13)))
    assert 160 * reckon(rate, opened, 2022).fen == 960_000_000


@pytest.mark.req("R-FUN-05")
@named("awards")
def test_an_award_is_booked_the_year_after_its_result(case: dict[str, Any]) -> None:
    assert outcome(case, case["kind"]) == expected(case)


@pytest.mark.req("R-FUN-05")
def test_ten_and_twenty_winners_a_year_cost_9_000_000_yuan_and_one_more_is_refused() -> None:
    township, village = (known_offer(f"award_{kind}", "4415", 2022).rate for kind in ("township", "village"))
    assert (township.most, village.most) == (10, 20)
    assert 10 * reckon(township, Facts(), 2022).fen + 20 * reckon(village, Facts(), 2022).fen == 900_000_000
    check_winners(township, 9)
    check_winners(village, 19)
    for rate, taken in ((township, 10), (village, 20), (village, 21)):
        with pytest.raises(Refused, match=r"subsidy\.full"):
            check_winners(rate, taken)


@pytest.mark.req("R-PAY-18", "R-PAY-19")
@named("others")
def test_building_running_training_and_model_bodies(case: dict[str, Any]) -> None:
    assert outcome(case, case["kind"]) == expected(case)


@pytest.mark.req("R-FUN-11")
def test_training_is_paid_from_the_skill_fund_of_the_unemployment_insurance_only() -> None:
    rate = known_offer("training", "320681", 2021).rate
    assert "unemployment_skill" in dict(FUNDS)
    check_line(rate, div="320681", result_year=2021, line=("city", "unemployment_skill", 2021))
    for fund in sorted(set(dict(FUNDS)) - {"unemployment_skill"}):
        with pytest.raises(Refused, match=r"subsidy\.fund"):
            check_line(rate, div="320681", result_year=2021, line=("city", fund, 2021))


@pytest.mark.req("R-FUN-06")
@named("main_use")
def test_an_award_goes_mainly_into_equipment_and_services(case: dict[str, Any]) -> None:
    rate = known_offer("award_township", "4415", 2022).rate
    found = main_use(rate, [tuple(one) for one in case["spent"]])
    assert found is not None
    assert found.holds is case["holds"]


def test_a_kind_that_does_not_ask_is_not_judged() -> None:
    rate = known_offer("canteen", "4415", 2022).rate
    assert main_use(rate, [("wages", 100)]) is None


@pytest.mark.req("R-FUN-01", "R-FUN-02")
@named("lottery")
def test_the_lottery_fund_goes_to_elder_care_exactly(case: dict[str, Any]) -> None:
    entry = entry_on("funds.lottery_share", case["city"], date(case["year"], 12, 31))
    assert entry is not None
    lines = [("lottery", purpose, fen) for purpose, fen in case["lines"].items()]
    found = judge([*lines, ("general", "elder_care", 10**9)], Share.read(entry.value))
    assert (found.passes, found.share_bp) == (case["passes"], case["share_bp"])
    assert found.missing_fen == case.get("missing", 0)


def test_a_city_without_such_a_rule_is_not_checked() -> None:
    assert entry_on("funds.lottery_share", "4415", date(2021, 12, 31)) is None
    assert entry_on("funds.lottery_share", "50", date(2023, 12, 31)) is None


def test_months_are_rounded_down_to_the_fen() -> None:
    rate = Rate.read({"unit": "bed", "fen": 100, "part_year": "months"})
    assert reckon(rate, Facts(opened_on=date(2023, 6, 30)), 2023).fen == 58
    assert reckon(rate, Facts(opened_on=date(2022, 6, 30), closed_on=date(2023, 1, 1)), 2023).fen == 8


@pytest.mark.parametrize(
    "value",
    [
        {"unit": "bed"},
        {"unit": "bed", "fen": 1, "urban_fen": 1},
        {"unit": "car", "fen": 1},
        {"unit": "bed", "fen": -1},
        {"unit": "bed", "fen": 1, "needs": ["luck"]},
        {"unit": "bed", "fen": 1, "color": "red"},
    ],
)
def test_a_rate_that_cannot_be_meant_is_an_error(value: dict[str, Any]) -> None:
    with pytest.raises((RateError, TypeError)):
        Rate.read(value)


def test_facts_survive_being_kept() -> None:
    known = Facts(date(2022, 7, 1), date(2023, 1, 1), (7, 8), is_rural=True, count=3, actual_fen=12)
    assert Facts.from_json(known.as_json()) == known
    assert Facts.from_json({}) == Facts()


@pytest.mark.req("R-PAY-20")
def test_the_countryside_gets_more_by_its_own_rate() -> None:
    for kind in ("building", "operating"):
        found = offer(kind, "320681", 2021)
        assert found is not None
        assert found.rate.rural_fen > found.rate.urban_fen


@pytest.mark.req("R-FUN-09", "R-FUN-12")
def test_there_is_one_list_of_funds_and_it_names_every_source() -> None:
    assert {"lottery", "general", "central_subsidy", "civil_affairs", "insurance", "donation", "time_bank"} <= set(
        dict(FUNDS)
    )
    assert all(FUND_NAMES[code] == name for code, name in FUNDS)
    assert all(fund_name(code) == name for code, name in PAYERS if code not in dict(FUNDS))


def test_every_rate_of_every_city_can_be_read() -> None:
    keys = [key for key in parameters().keys() if key.startswith("subsidy.")]  # noqa: SIM118 - not a dict
    assert {key.partition(".")[2] for key in keys} == {kind for kind, _ in Subsidy.KINDS if kind != "project"}
    rates = [Rate.read(entry.value) for key in keys for entry in parameters().entries(key)]
    assert len(rates) >= 9
    assert all(set(source.funds) <= set(dict(FUNDS)) for rate in rates for source in rate.sources)


def test_every_scheme_of_every_city_draws_on_a_fund_of_the_list() -> None:
    files = sorted(settings.CITIES.glob("*/schemes.yaml"))
    funds = {one["fund"] for path in files for one in yaml.safe_load(path.read_text("utf-8"))["schemes"]}
    assert funds <= set(dict(FUNDS))


AMOUNTS = st.lists(st.integers(0, 10**6), max_size=6)


@given(donations=AMOUNTS, uses=AMOUNTS)
def test_what_donations_bore_adds_up_and_never_exceeds_either_side(donations: list[int], uses: list[int]) -> None:
    found = attribute(list(enumerate(donations)), list(enumerate(uses)))
    assert sum(fen for _, _, fen in found) == min(sum(donations), sum(uses))
    for number, given_fen in enumerate(donations):
        assert sum(fen for one, _, fen in found if one == number) <= given_fen
    for number, wanted in enumerate(uses):
        assert sum(fen for _, one, fen in found if one == number) <= wanted
    assert all(fen > 0 for _, _, fen in found)


@given(fen=st.integers(0, 10**9), count=st.integers(1, 1000), actual=st.integers(1, 10**9))
def test_a_subsidy_is_never_more_than_was_spent_where_the_rate_says_so(fen: int, count: int, actual: int) -> None:
    rate = Rate.read({"unit": "bed", "fen": fen, "up_to_actual": True})
    if fen == 0:
        with pytest.raises(Refused, match=r"subsidy\.nothing"):
            reckon(rate, Facts(count=count, actual_fen=actual), 2023)
    else:
        assert reckon(rate, Facts(count=count, actual_fen=actual), 2023).fen == min(fen * count, actual)


@pytest.mark.req("R-PAY-18")
@pytest.mark.parametrize(
    ("unit", "wanted", "taken", "places", "beds", "code"),
    [
        ("bed", 4, [6], 1, 10, ""), ("bed", 5, [6], 1, 10, "subsidy.beds"), ("bed", 99, [6], 1, 0, ""), ("canteen", 1, [], 0, 0, ""),
        ("canteen", 1, [1], 1, 0, "subsidy.places"), ("canteen", 1, [1], 2, 0, ""), ("organisation", 1, [1], 5, 0, "subsidy.places"),
        ("person", 30, [30, 30], 1, 0, ""),
    ],
)  # fmt: skip
def test_a_body_gets_no_more_than_it_has(
    unit: str, wanted: int, taken: list[int], places: int, beds: int, code: str
) -> None:
    found = ""
    try:
        check_size(Rate(unit, 1, 1), wanted=wanted, taken=taken, places=places, beds=beds)
    except Refused as refusal:
        found = refusal.code
    assert found == code
