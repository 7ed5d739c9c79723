"""Who pays what: cases an official can read, and what holds for any chain of payers."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yinling.entitlements.queries.eligibility import terms_of
from yinling.entitlements.rules import FEN, TIME, Agreed, Funding, Left, Limit, kept_limits, limits_of, period_start
from yinling.kernel.money import parse_yuan
from yinling.orders.payers import ITEM, SELF, Bill, PayerPolicy, PricedLine, divide, split
from yinling.orders.queries import payer_policy

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "payers.yaml").read_text(encoding="utf-8"))
DAY = date(2026, 6, 17)
POLICY = payer_policy("", DAY)


def line_of(entry: dict[str, Any]) -> PricedLine:
    return PricedLine(
        entry.get("kind", ITEM), entry.get("code", "X1"), entry["name"], tuple(entry.get("units", ())), entry.get("minutes", 0),
        parse_yuan(entry["price"]), entry.get("insurable", False), entry.get("family", "daily_care"), entry.get("quantity", 1),
        entry.get("goods", False),
    )  # fmt: skip


def given_by(entry: dict[str, Any]) -> tuple[str, int, dict[str, int], list[Limit]]:
    """Name, share, sums by unit and limits of a source, from the profile of a city or as written."""
    items = entry.get("items", {})
    if "of" not in entry:
        units = {unit: parse_yuan(text) for unit, text in entry.get("units", {}).items()}
        return entry["name"], entry.get("percent", 0) * 100, units, kept_limits([], monthly_cap_fen=None, items=items)
    asked = entry["of"]
    terms = terms_of(asked["scheme"], asked["area"], DAY)
    assert terms is not None
    amounts = next(grade.amounts for grade in terms.grades if grade.name == asked["grade"])
    kept = [limit.as_json() for limit in limits_of(amounts)]
    names = {"state_care": "特困人员供养"}
    limits = kept_limits(kept, monthly_cap_fen=amounts.monthly_cap_fen, items=items)
    return names.get(asked["scheme"], asked["scheme"]), amounts.share_bp or 0, dict(amounts.units), limits


def source_of(number: int, entry: dict[str, Any], lines: list[PricedLine]) -> Funding:
    name, share_bp, units, limits = given_by(entry)
    since, used = entry.get("held_since", DAY), entry.get("used", {})
    left = []
    for one in limits:
        most = one.most_on(DAY, since)
        left.append(
            Left(one.unit, one.per, period_start(one.per, DAY, since), max(0, most - used.get(one.unit, 0)), most)
        )
    families = frozenset(entry.get("families", {line.family for line in lines}))
    return Funding(
        number, number, name, name, entry["payer"], "", share_bp, units, entry.get("items", {}), tuple(left), families,
        {"": entry["barred"]} if "barred" in entry else {},
    )  # fmt: skip


def sums(bill: Bill) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for share in bill.shares:
        found[share.payer] += share.amount_fen
    return {payer: fen for payer, fen in found.items() if fen}


@pytest.mark.req(
    "D-08", "D-12", "R-LTC-05", "R-MEA-06", "R-MEA-09", "R-PAY-01", "R-PAY-04", "R-PAY-15", "X-LTC-01", "X-LTC-02", "X-LTC-04", "X-MEA-01",
    "X-MEA-02", "X-MEA-03", "X-PAY-02", "X-PAY-04",
)  # fmt: skip
@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_case_of_the_table(case: dict[str, Any]) -> None:
    lines = [line_of(entry) for entry in case["lines"]]
    sources = [source_of(number, entry, lines) for number, entry in enumerate(case["sources"], 1)]
    bill = divide(lines, sources, POLICY, meals_taken=case.get("meals_taken", ()))
    assert sums(bill) == {payer: parse_yuan(text) for payer, text in case["shares"].items()}
    assert bill.beyond_fen == parse_yuan(case.get("beyond", "0"))
    priced = sum(line.amount_fen for line in lines)
    assert bill.total_fen == (parse_yuan(case["total"]) if "total" in case else priced)
    said = [share.reason for share in bill.shares] + list(bill.reasons)
    for words in case.get("says", ()):
        assert any(words in reason for reason in said), said


def test_every_payer_has_a_case_and_every_cap_of_a_profile_is_in_one() -> None:
    asked = {entry["payer"] for case in CASES for entry in case["sources"]}
    assert asked == set(POLICY.order)
    grades = {(one["of"]["scheme"], one["of"]["grade"]) for case in CASES for one in case["sources"] if "of" in one}
    assert {code for code, _grade in grades} >= {
        "ltci", "national_voucher", "government_purchase", "meal_subsidy", "disability_care", "veteran_care", "commercial_care", "charity_care",
        "employer_care", "state_care",
    }  # fmt: skip


FAMILIES = ["daily_care", "nursing"]
UNITS = ["nurse_visit", "lunch", "delivery"]
CODES = ["A", "B"]
lines = st.lists(
    st.builds(
        PricedLine, st.sampled_from([ITEM, ITEM, "callout"]), st.sampled_from(CODES), st.just("项目"),
        st.lists(st.sampled_from(UNITS), max_size=2, unique=True).map(tuple), st.integers(0, 180),
        st.integers(0, 200_000) | st.sampled_from([1, 3, 10**13]), st.booleans(),
        st.sampled_from(FAMILIES), st.integers(1, 4),
    ),
    max_size=4,
)  # fmt: skip
lefts = st.lists(
    st.builds(
        Left, st.sampled_from(["fen", "visit", "minute", "minute+", "lunch", "nurse_visit", "item:A"]), st.sampled_from(["week", "month"]),
        st.just(DAY), st.integers(0, 5) | st.integers(0, 50_000), st.just(50_000),
    ),
    max_size=4, unique_by=lambda one: (one.unit, one.per),
).map(tuple)  # fmt: skip
agreements = st.lists(
    st.builds(
        Agreed, st.just(0), st.sampled_from([frozenset(), frozenset({"A"})]),
        st.lists(
            st.builds(
                Left, st.sampled_from([TIME, FEN]), st.just("month"), st.just(DAY), st.integers(0, 3) | st.integers(0, 50_000), st.just(50_000)
            ),
            max_size=2, unique_by=lambda one: one.unit,
        ).map(tuple),
    ),
    max_size=2,
)  # fmt: skip
single = st.lists(
    st.builds(
        Funding, st.integers(1, 20), st.just(1), st.just("s"), st.just("来源"), st.sampled_from([*POLICY.order]), st.just("f"),
        st.integers(0, 10_000), st.dictionaries(st.sampled_from(UNITS), st.integers(0, 20_000), max_size=2),
        st.dictionaries(st.sampled_from(CODES), st.sampled_from([{"funds": "item"}, {"funds": "visit", "count": 3}]), max_size=1), lefts,
        st.frozensets(st.sampled_from(FAMILIES)), st.sampled_from([{}, {}, {"": "不能用"}, {"A": "不能用"}]),
    ),
    max_size=6, unique_by=lambda one: one.entitlement_id,
)  # fmt: skip


def numbered(payer: str, found: list[Agreed]) -> tuple[Agreed, ...]:
    """The agreements of a payer: the same for all of its sources."""
    first = 100 * (1 + POLICY.order.index(payer))
    return tuple(
        replace(one, agreement_id=pk, limits=tuple(replace(limit, agreement_id=pk) for limit in one.limits))
        for pk, one in enumerate(found, first)
    )


fundings = st.builds(
    lambda sources, bought: [
        replace(one, agreements=numbered(one.payer, bought.get(one.payer, []))) for one in sources
    ],
    single, st.dictionaries(st.sampled_from([*POLICY.order]), agreements, max_size=4),
)  # fmt: skip
meals = st.sets(st.sampled_from(["lunch", "dinner"]))


@pytest.mark.req("D-12", "R-PAY-09", "X-PAY-02")
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(lines, fundings, meals)
def test_the_parts_are_the_whole_and_no_limit_is_passed(
    bill: list[PricedLine], sources: list[Funding], taken: set[str]
) -> None:
    found = divide(bill, sources, POLICY, meals_taken=taken)
    for number, line in enumerate(found.lines):
        parts = [share.amount_fen for share in found.shares if share.line == number]
        assert sum(parts) == line.amount_fen
        assert all(part >= 0 for part in parts)
        assert line.amount_fen in (bill[number].amount_fen, 0)
    used: dict[tuple[Any, ...], int] = defaultdict(int)
    for share in found.shares:
        for use in share.uses:
            used[use.agreement_id or share.entitlement_id, use.unit, use.per, use.from_on] += use.amount
    left = {
        (left.agreement_id or one.entitlement_id, left.unit, left.per, left.from_on): left.left
        for one in sources
        for left in (*one.limits, *(limit for agreed in one.agreements for limit in agreed.limits))
    }
    assert all(0 < amount <= left[key] for key, amount in used.items())
    money = {key: amount for key, amount in used.items() if key[1] == "fen"}
    for key, amount in money.items():
        bearing = [
            share
            for share in found.shares
            if key[0] in (share.entitlement_id, *(use.agreement_id for use in share.uses))
        ]
        assert amount == sum(share.amount_fen for share in bearing)


@pytest.mark.req("X-PAY-02")
@given(lines, fundings, st.randoms(use_true_random=False))
def test_whatever_the_order_in_which_sources_are_read_the_bill_is_the_same(
    bill: list[PricedLine], sources: list[Funding], chance: Any
) -> None:
    shuffled = list(sources)
    chance.shuffle(shuffled)
    assert divide(bill, sources, POLICY) == divide(bill, shuffled, POLICY)
    assert split(bill, sources, POLICY) == list(divide(bill, sources, POLICY).shares)


@pytest.mark.req("R-LTC-07", "X-PAY-02")
@given(lines, fundings)
def test_shares_of_a_line_come_in_the_order_of_payers_and_none_from_who_is_barred(
    bill: list[PricedLine], sources: list[Funding]
) -> None:
    found = divide(bill, sources, POLICY)
    order = [*POLICY.order, SELF]
    barred = {one.entitlement_id for one in sources if one.why_barred("")}
    for number in range(len(bill)):
        places = [order.index(share.payer) for share in found.shares if share.line == number]
        assert places == sorted(places)
    assert not barred & {share.entitlement_id for share in found.shares}
    payers = {share.payer for share in found.shares}
    if any(one.payer == "state_care" and not one.why_barred("") for one in sources):
        assert not payers & {"ltci", "medical_insurance"}


@pytest.mark.req("R-PAY-15")
@given(lines, fundings)
def test_basic_insurance_never_pays_the_call_out_fee_nor_what_is_not_insurable(
    bill: list[PricedLine], sources: list[Funding]
) -> None:
    for share in divide(bill, sources, POLICY).shares:
        if share.payer == "medical_insurance":
            assert bill[share.line].kind == ITEM
            assert bill[share.line].is_insurable


@given(lines, fundings, meals)
def test_nobody_is_asked_for_consent_where_no_limit_made_the_elder_pay_more(
    bill: list[PricedLine], sources: list[Funding], taken: set[str]
) -> None:
    found = divide(bill, sources, POLICY, meals_taken=taken)
    assert 0 <= found.beyond_fen <= found.self_fen
    if not any(line.meals for line in bill) and not any(one.limits or one.agreements for one in sources):
        assert found.beyond_fen == 0


@pytest.mark.req("R-PAY-09")
def test_an_item_that_two_sources_of_one_payer_bear_is_bought_once() -> None:
    """What is left of an agreement is one time and 90 yuan: the second source of the government adds money, not another time."""
    line = PricedLine(ITEM, "A", "换药", (), 30, 10_000, family="nursing")
    bought = (Left(TIME, "month", DAY, 1, 9, 5), Left(FEN, "month", DAY, 9_000, 50_000, 5))
    sources = [
        Funding(number, number, "s", "政府购买", "government", "f", share_bp, families=frozenset({"nursing"}), agreements=(Agreed(5, limits=bought),))
        for number, share_bp in ((1, 6000), (2, 10_000))
    ]  # fmt: skip
    bill = divide([line], sources, POLICY)
    assert sums(bill) == {"government": 9_000, "self": 1_000}
    used: dict[str, int] = defaultdict(int)
    for share in bill.shares:
        for use in share.uses:
            used[use.unit] += use.amount
    assert used == {TIME: 1, FEN: 9_000}


@pytest.mark.req("R-PAY-09")
def test_the_agreement_with_most_room_is_used_where_none_has_enough() -> None:
    line = PricedLine(ITEM, "A", "换药", (), 30, 10_000, family="nursing")
    agreed = (
        Agreed(5, limits=(Left(TIME, "month", DAY, 0, 9, 5),)),
        Agreed(6, limits=(Left(FEN, "month", DAY, 3_000, 9_000, 6),)),
    )
    held = Funding(1, 1, "s", "政府购买", "government", "f", 10_000, families=frozenset({"nursing"}), agreements=agreed)
    bill = divide([line], [held], POLICY)
    assert sums(bill) == {"government": 3_000, "self": 7_000}
    assert [use.agreement_id for use in bill.shares[0].uses] == [6]


def test_an_agreement_about_another_item_says_nothing_of_this_one() -> None:
    line = PricedLine(ITEM, "A", "换药", (), 30, 10_000, family="nursing")
    other = Agreed(5, frozenset({"B"}), (Left(TIME, "month", DAY, 0, 9, 5),))
    held = Funding(
        1, 1, "s", "政府购买", "government", "f", 10_000, families=frozenset({"nursing"}), agreements=(other,)
    )
    assert sums(divide([line], [held], POLICY)) == {"government": 10_000}


@pytest.mark.req("R-MEA-09")
def test_only_payers_of_whom_one_meal_is_asked_use_up_the_meal_of_the_day() -> None:
    policy = replace(POLICY, one_meal=frozenset({"meal_subsidy"}))
    meals = [PricedLine(ITEM, code, code, ("lunch",), 0, 1_000, family="meal") for code in ("M1", "M2")]
    gift, subsidy = (
        Funding(number, number, "s", "s", payer, "f", 10_000, items={code: {}}, families=frozenset({"meal"}))
        for number, payer, code in ((1, "donation", "M1"), (2, "meal_subsidy", "M2"))
    )
    assert sums(divide(meals, [gift, subsidy], policy)) == {"donation": 1_000, "meal_subsidy": 1_000}
    again = replace(subsidy, items={"M1": {}, "M2": {}})
    assert sums(divide(meals, [again], policy)) == {"meal_subsidy": 1_000, "self": 1_000}


@pytest.mark.req("D-19")
def test_every_limit_of_a_unit_is_used_not_the_tightest_alone() -> None:
    line = PricedLine(ITEM, "A", "换药", ("nurse_visit",), 30, 12_000, family="nursing")
    limits = tuple(Left("visit", per, DAY, left, 20) for per, left in (("week", 5), ("month", 2)))
    held = Funding(
        7, 1, "s", "长护险", "ltci", "f", 0, {"nurse_visit": 7500}, limits=limits, families=frozenset({"nursing"})
    )
    (share, _own) = divide([line], [held], POLICY).shares
    assert {(use.unit, use.per, use.amount) for use in share.uses} == {("visit", "week", 1), ("visit", "month", 1)}


def test_an_area_may_let_basic_insurance_pay_the_fee() -> None:
    fee = PricedLine("callout", "A", "上门服务费", (), 0, 5000, family="nursing")
    insured = Funding(1, 1, "s", "医保", "medical_insurance", "f", 7000, families=frozenset({"nursing"}))
    assert sums(divide([fee], [insured], POLICY)) == {"self": 5000}
    other = PayerPolicy(order=POLICY.order, excludes=POLICY.excludes)
    assert sums(divide([fee], [insured], other)) == {"medical_insurance": 3500, "self": 1500}


def test_what_is_added_at_the_door_is_of_the_same_visit() -> None:
    """The visit was counted and paid with the order; what is added is paid by its own units only."""
    line = PricedLine(ITEM, "A", "换药", ("nurse_visit",), 30, 12000, family="nursing")
    limits = (Left("visit", "week", DAY, 0, 5),)
    insured = Funding(
        7, 1, "s", "长护险", "ltci", "f", 0, {"nurse_visit": 7500}, limits=limits, families=frozenset({"nursing"})
    )
    assert sums(divide([line], [insured], POLICY, counted={7})) == {"self": 12000}
