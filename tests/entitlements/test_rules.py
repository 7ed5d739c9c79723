"""In which order payers come, and what a counter gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.entitlements.models import PAYERS
from yinling.entitlements.rules import PAYER_ORDER, Funding, grantable, in_payer_order


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
    granted = grantable(wanted, cap=cap, reserved=reserved, used=used)
    assert 0 <= granted <= wanted
    assert granted == 0 or granted + reserved + used <= cap
    assert granted == wanted or granted == max(0, cap - reserved - used)
