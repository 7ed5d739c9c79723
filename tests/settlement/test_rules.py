"""What a settled order puts into the ledger."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import NOW

from yinling.entitlements.models import PAYERS
from yinling.kernel.refusals import Refused
from yinling.settlement.rules import (
    ACCOUNTS,
    Share,
    accounts_of,
    check_sides,
    check_statement_payer,
    entries,
    gap,
    opposite,
    own_minutes,
    shared_out,
    unbalanced,
)

DAY = date(2026, 6, 16)
VOUCHER = Share(line_id=1, payer="voucher", amount_fen=4001, is_medical=False, fund="voucher", scheme_id=7)
OWN = Share(line_id=1, payer="self", amount_fen=4000, is_medical=False)


def test_every_share_has_two_sides_that_cancel_out() -> None:
    assert [
        (side.account, side.amount, side.fund, side.scheme_id) for side in entries([VOUCHER, OWN], service_day=DAY)
    ] == [
        ("receivable.voucher", 4001, "voucher", 7),
        ("payable.provider", -4001, "voucher", 7),
        ("direct.elder", 4000, "personal", None),
        ("direct.provider", -4000, "personal", None),
    ]


@pytest.mark.req("R-PAY-14")
def test_what_the_elder_pays_is_recorded_and_not_owed_by_the_platform() -> None:
    assert {side.account for side in entries([OWN], service_day=DAY)} == {
        "direct.elder",
        "direct.provider",
    }
    with pytest.raises(Refused) as refusal:
        check_statement_payer("self")
    assert refusal.value.code == "statement.self"


def test_all_dimensions_are_filled() -> None:
    (first, _) = entries([VOUCHER], service_day=DAY)
    assert (first.line_id, first.business, first.plan_year, first.service_day) == (1, "eldercare", 2026, DAY)


def test_medical_income_stands_apart() -> None:
    medical = Share(line_id=2, payer="medical_insurance", amount_fen=5, is_medical=True, fund="medical", scheme_id=1)
    found = entries([VOUCHER, medical], service_day=DAY)
    assert [side.business for side in found] == ["eldercare", "eldercare", "medical", "medical"]


def test_a_share_of_nothing_leaves_no_entry() -> None:
    assert entries([Share(line_id=1, payer="self", amount_fen=0, is_medical=False)], service_day=DAY) == []


def test_every_payer_has_named_accounts() -> None:
    named = {account for payer, _ in PAYERS for account in accounts_of(payer)}
    assert named <= set(ACCOUNTS)
    assert {f"advance.{payer}" for payer, _ in PAYERS if payer != "self"} <= set(ACCOUNTS)


@pytest.mark.parametrize("shares", [[VOUCHER], [VOUCHER, OWN, OWN], []])
def test_shares_that_do_not_add_up_are_named(shares: list[Share]) -> None:
    assert gap({1: 8001}, shares) == [1]


def test_shares_that_add_up_pass_and_one_of_a_foreign_line_does_not() -> None:
    assert gap({1: 8001}, [VOUCHER, OWN]) == []
    assert gap({1: 4001}, [VOUCHER, Share(line_id=9, payer="self", amount_fen=0, is_medical=False)]) == [9]


def minutes(first: int, last: int) -> tuple[datetime, datetime]:
    return NOW + timedelta(minutes=first), NOW + timedelta(minutes=last)


@pytest.mark.req("R-PAY-04")
@pytest.mark.parametrize(
    ("taken", "own"),
    [
        ([], (0, 60)),
        ([(60, 90)], (0, 60)),
        ([(-30, 0)], (0, 60)),
        ([(-30, 10)], (10, 60)),
        ([(-30, 11)], None),
        ([(50, 90)], (0, 50)),
        ([(-30, 5), (55, 90)], (5, 55)),
        ([(-30, 6), (55, 90)], None),
        ([(0, 60)], None),
        ([(20, 30)], (0, 20)),
    ],
)
def test_a_visit_is_charged_for_its_own_minutes(taken: list[tuple[int, int]], own: tuple[int, int] | None) -> None:
    found = own_minutes(minutes(0, 60), [minutes(*one) for one in taken], tolerance=timedelta(minutes=10))
    assert found == (minutes(*own) if own else None)


def test_a_short_visit_within_another_has_no_minutes_of_its_own() -> None:
    assert own_minutes(minutes(5, 10), [minutes(0, 60)], tolerance=timedelta(minutes=10)) is None


@given(
    st.tuples(st.integers(0, 200), st.integers(1, 90)),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 90)), max_size=5),
)
def test_own_minutes_never_overlap_what_is_taken(asked: tuple[int, int], taken: list[tuple[int, int]]) -> None:
    others = [minutes(first, first + length) for first, length in taken]
    mine = minutes(asked[0], sum(asked))
    own = own_minutes(mine, others, tolerance=timedelta(minutes=10))
    if own is not None:
        assert mine[0] <= own[0] < own[1] <= mine[1]
        assert all(last <= own[0] or own[1] <= first for first, last in others)


def test_the_opposite_takes_back_and_sides_are_checked() -> None:
    sides = entries([VOUCHER, OWN], service_day=DAY)
    check_sides(sides)
    assert [side.amount for side in opposite(sides)] == [-4001, 4001, -4000, 4000]
    with pytest.raises(Refused):
        check_sides(sides[:-1])


@pytest.mark.req("R-PAY-05")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account": "till"}, "ledger.account"), ({"business": ""}, "ledger.business"), ({"fund": ""}, "ledger.fund"),
        ({"unit": "minute"}, "ledger.not_balanced"), ({"amount": -4002}, "ledger.not_balanced"),
    ],
)  # fmt: skip
def test_one_wrong_side_and_nothing_is_booked(changes: dict[str, Any], code: str) -> None:
    debit, credit = entries([VOUCHER], service_day=DAY)
    with pytest.raises(Refused) as refusal:
        check_sides([debit, replace(credit, **changes)])
    assert refusal.value.code == code


def test_a_side_of_nothing_is_not_booked_either() -> None:
    with pytest.raises(Refused) as refusal:
        check_sides([replace(side, amount=0) for side in entries([VOUCHER], service_day=DAY)])
    assert refusal.value.code == "ledger.not_balanced"


def test_a_month_balances_in_each_unit() -> None:
    moved = [{"unit": "fen", "moved": 5}, {"unit": "minute", "moved": -5}, {"unit": "fen", "moved": -5}]
    assert unbalanced(moved) == {"minute": -5}


def test_what_is_owed_the_other_way_round_is_neither_paid_nor_money() -> None:
    assert shared_out([("a", -5), ("b", 10)], 7) == [("b", 7)]


def test_money_pays_what_is_owed_one_after_the_other() -> None:
    owed = [(("eldercare", "a", None), 30), (("eldercare", "b", None), 50)]
    assert shared_out(owed, 40) == [(("eldercare", "a", None), 30), (("eldercare", "b", None), 10)]
    assert shared_out(owed, 0) == []
