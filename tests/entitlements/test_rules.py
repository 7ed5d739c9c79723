"""Who may have a scheme, and in which order payers come."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.entitlements.models import PAYERS
from yinling.entitlements.rules import (
    PAYER_ORDER,
    Funding,
    Requirement,
    Situation,
    eligibility,
    grantable,
    in_payer_order,
)

DAY = date(2026, 6, 15)
VOUCHER = Requirement(levels=frozenset({"moderate", "severe", "total"}))


@pytest.mark.req("X-PAY-04")
@pytest.mark.parametrize(
    ("level", "code"),
    [
        ("intact", "level"), ("mild", "level"), ("moderate", "eligible"), ("severe", "eligible"), ("total", "eligible"),
        (None, "not_assessed"),
    ],
)  # fmt: skip
def test_the_voucher_asks_for_moderate_disability_or_worse(level: str | None, code: str) -> None:
    verdict = eligibility(VOUCHER, Situation(DAY, level))
    assert (verdict.is_eligible, verdict.code) == (code == "eligible", code)
    assert verdict.reason


@pytest.mark.req("R-PEO-03")
@pytest.mark.parametrize(
    ("situation", "code"),
    [
        (Situation(DAY, "severe", died_on=date(2026, 6, 15)), "eligible"),
        (Situation(DAY, "severe", died_on=date(2026, 6, 14)), "has_left"),
        (Situation(DAY, "severe", frozenset({"moved_away"})), "has_left"),
        (Situation(DAY, "severe", frozenset({"lives_alone"})), "eligible"),
    ],
)
def test_benefits_stop_the_day_after_death_and_on_moving_away(situation: Situation, code: str) -> None:
    assert eligibility(VOUCHER, situation).code == code


def test_a_scheme_for_a_circumstance() -> None:
    asks = Requirement(circumstances=frozenset({"destitute", "dibao"}))
    assert eligibility(asks, Situation(DAY, None, frozenset({"dibao", "lives_alone"}))).is_eligible
    assert eligibility(asks, Situation(DAY, None, frozenset({"lives_alone"}))).code == "circumstance"
    assert eligibility(Requirement(), Situation(DAY, None)).is_eligible


def funding(number: int, payer: str) -> Funding:
    return Funding(number, number, payer, payer, payer, payer, 5000, None)


@pytest.mark.req("X-PAY-02")
def test_payers_come_in_order_and_state_care_excludes_the_insurance_fund() -> None:
    assert tuple(code for code, _ in PAYERS) == PAYER_ORDER
    payers = ["voucher", "government", "ltci", "contract", "donation"]
    assert [one.payer for one in in_payer_order(funding(place, payer) for place, payer in enumerate(payers))] == [
        "contract", "ltci", "government", "voucher", "donation"
    ]  # fmt: skip
    with_state_care = [funding(1, "ltci"), funding(2, "state_care"), funding(3, "voucher")]
    assert [one.payer for one in in_payer_order(with_state_care)] == ["state_care", "voucher"]
    assert [one.entitlement_id for one in in_payer_order([funding(9, "voucher"), funding(3, "voucher")])] == [3, 9]


money = st.integers(0, 10**6)


@given(money, money, money, money)
def test_never_more_than_wanted_nor_than_is_left(wanted: int, cap: int, reserved: int, used: int) -> None:
    granted = grantable(wanted, cap_fen=cap, reserved_fen=reserved, used_fen=used)
    assert 0 <= granted <= wanted
    assert granted == 0 or granted + reserved + used <= cap
    assert granted == wanted or granted == max(0, cap - reserved - used)
