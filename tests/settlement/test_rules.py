"""What a settled order puts into the ledger."""

from datetime import date

import pytest
from tests.factories import NOW

from yinling.entitlements.models import PAYERS
from yinling.kernel.refusals import Refused
from yinling.settlement.rules import (
    ACCOUNTS,
    Share,
    accounts_of,
    check_complete,
    check_statement_payer,
    claim_key,
    entries,
)

DAY, PERIOD = date(2026, 6, 16), date(2026, 7, 1)
VOUCHER = Share(line_id=1, payer="voucher", amount_fen=4001, is_medical=False, fund="voucher", scheme_id=7)
OWN = Share(line_id=1, payer="self", amount_fen=4000, is_medical=False)


def test_every_share_has_two_sides_that_cancel_out() -> None:
    assert [
        (side.account, side.amount, side.fund, side.scheme_id)
        for side in entries([VOUCHER, OWN], service_day=DAY, period=PERIOD)
    ] == [
        ("receivable.voucher", 4001, "voucher", 7),
        ("payable.provider", -4001, "voucher", 7),
        ("direct.elder", 4000, "personal", None),
        ("direct.provider", -4000, "personal", None),
    ]


@pytest.mark.req("R-PAY-14")
def test_what_the_elder_pays_is_recorded_and_not_owed_by_the_platform() -> None:
    assert {side.account for side in entries([OWN], service_day=DAY, period=PERIOD)} == {
        "direct.elder",
        "direct.provider",
    }
    with pytest.raises(Refused) as refusal:
        check_statement_payer("self")
    assert refusal.value.code == "statement.self"


def test_all_dimensions_are_filled() -> None:
    (first, _) = entries([VOUCHER], service_day=DAY, period=PERIOD)
    assert (first.line_id, first.business, first.plan_year, first.service_day, first.period) == (
        1,
        "eldercare",
        2026,
        DAY,
        PERIOD,
    )


def test_medical_income_stands_apart() -> None:
    medical = Share(line_id=2, payer="medical_insurance", amount_fen=5, is_medical=True, fund="medical", scheme_id=1)
    found = entries([VOUCHER, medical], service_day=DAY, period=PERIOD)
    assert [side.business for side in found] == ["eldercare", "eldercare", "medical", "medical"]


def test_a_share_of_nothing_leaves_no_entry() -> None:
    assert (
        entries([Share(line_id=1, payer="self", amount_fen=0, is_medical=False)], service_day=DAY, period=PERIOD) == []
    )


def test_every_payer_has_named_accounts() -> None:
    assert {account for payer, _ in PAYERS for account in accounts_of(payer)} == set(ACCOUNTS)


@pytest.mark.parametrize("shares", [[VOUCHER], [VOUCHER, OWN, OWN], []])
def test_shares_that_do_not_add_up_are_refused(shares: list[Share]) -> None:
    with pytest.raises(Refused) as refusal:
        check_complete({1: 8001}, shares)
    assert refusal.value.code == "settlement.gap"


def test_shares_that_add_up_pass() -> None:
    check_complete({1: 8001}, [VOUCHER, OWN])


def test_a_share_of_a_foreign_line_is_refused() -> None:
    with pytest.raises(Refused):
        check_complete({1: 4001}, [VOUCHER, Share(line_id=9, payer="self", amount_fen=0, is_medical=False)])


def test_the_claim_names_person_item_and_start() -> None:
    assert claim_key(elder_id=5, item_id=6, starts_at=NOW, billed=0) == f"5:6:{int(NOW.timestamp())}:1"
