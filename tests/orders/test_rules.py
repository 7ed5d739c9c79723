"""Decisions about an order: lines, payers, deadlines, stages."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Refused
from yinling.orders.rules import (
    BAR,
    FLEXIBLE,
    STAGE_LABELS,
    Acceptance,
    Line,
    PricedItem,
    Progress,
    Share,
    Source,
    Stage,
    acceptance_due,
    check_elder,
    check_quoted,
    check_start,
    check_window,
    latest_start,
    price_lines,
    split_lines,
    stage_of,
    unused,
)
from yinling.orders.states import OrderState

NOW = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
VOUCHER = Source("voucher", "消费补贴券", 5000, 7, 80000)
WITHIN = Acceptance(minutes=30, urgent_minutes=5, from_hour=8, to_hour=20)


def sums(shares: list[Share]) -> dict[str, int]:
    found: dict[str, int] = {}
    for share in shares:
        found[share.payer] = found.get(share.payer, 0) + share.amount_fen
    return found


@pytest.mark.req("R-PAY-01")
def test_a_visit_bears_one_call_out_fee_whatever_the_number_of_items() -> None:
    items = [PricedItem("换药", 30, 5000, 4000), PricedItem("导尿", 30, 6000, 4500)]
    assert price_lines(items) == [
        Line("item", "换药", 30, 5000),
        Line("item", "导尿", 30, 6000),
        Line("callout", "上门服务费", 0, 4500),
    ]
    assert price_lines([PricedItem("生活照料", 60, 8000)]) == [Line("item", "生活照料", 60, 8000)]


@pytest.mark.parametrize(
    ("amount", "sources", "expected"),
    [
        (8000, [], {"self": 8000}),
        (8000, [VOUCHER], {"voucher": 4000, "self": 4000}),
        (8001, [VOUCHER], {"voucher": 4001, "self": 4000}),  # half up to the fen (D-12)
        (8000, [Source("voucher", "券", 5000, 7, 1234)], {"voucher": 1234, "self": 6766}),
        (8000, [Source("voucher", "券", 5000, 7, 0)], {"self": 8000}),
        (8000, [Source("voucher", "券", 5000, 7, None)], {"voucher": 4000, "self": 4000}),
        (
            8000,
            [Source("state_care", "特困", 10000, 1), Source("ltci", "长护险", 9000, 2), VOUCHER],
            {"state_care": 8000},
        ),
        (
            8000,
            [Source("state_care", "特困", 5000, 1), Source("ltci", "长护险", 9000, 2)],
            {"state_care": 4000, "self": 4000},
        ),
        (8000, [Source("ltci", "长护险", 9000, 2), VOUCHER], {"ltci": 7200, "voucher": 800}),
        (0, [VOUCHER], {"self": 0}),
    ],
)
def test_each_payer_gets_what_the_one_before_left(amount: int, sources: list[Source], expected: dict[str, int]) -> None:
    assert sums(split_lines([Line("item", "项目", 60, amount)], sources)) == expected


def test_a_cap_is_used_up_line_after_line_and_the_reason_says_so() -> None:
    lines = [Line("item", "项目", 60, 8000), Line("callout", "上门服务费", 0, 3000)]
    shares = split_lines(lines, [Source("voucher", "消费补贴券", 5000, 7, 4500)])
    assert [(share.line, share.payer, share.amount_fen) for share in shares] == [
        (0, "voucher", 4000), (0, "self", 4000), (1, "voucher", 500), (1, "self", 2500),
    ]  # fmt: skip
    assert [share.reason for share in shares] == [
        "消费补贴券承担 50%", "其余由个人自付", "消费补贴券承担 50%，本月额度只剩 45.00 元，以此为限", "其余由个人自付",
    ]  # fmt: skip


def test_basic_insurance_bears_items_only() -> None:
    lines = [Line("item", "换药", 30, 5000), Line("callout", "上门服务费", 0, 4000)]
    shares = split_lines(lines, [Source("medical_insurance", "基本医保", 7000, 3)])
    assert [(share.line, share.payer, share.amount_fen) for share in shares] == [
        (0, "medical_insurance", 3500), (0, "self", 1500), (1, "self", 4000),
    ]  # fmt: skip


def test_a_source_that_bears_nothing_says_why() -> None:
    sources = [
        Source("state_care", "特困供养", 10000, 1), Source("ltci", "长护险", 9000, 2), Source("voucher", "消费券", 5000, 3, 0),
        Source("donation", "捐赠", 5000, 4),
    ]  # fmt: skip
    shares = split_lines([Line("item", "项目", 60, 8000)], sources)
    assert unused(sources, shares) == [
        "特困供养承担全部费用，长护险不再支付", "消费券本月额度已用完", "前面的付费方已承担全部费用，捐赠不再支付",
    ]  # fmt: skip


sources = st.lists(
    st.builds(
        Source,
        payer=st.sampled_from(["state_care", "ltci", "medical_insurance", "government", "voucher", "donation"]),
        name=st.just("来源"),
        share_bp=st.integers(0, 10000),
        entitlement_id=st.integers(1, 9),
        left_fen=st.none() | st.integers(0, 20000),
    ),
    max_size=5,
    unique_by=lambda source: source.entitlement_id,
)
bills = st.lists(
    st.builds(Line, st.sampled_from(["item", "callout"]), st.just("x"), st.just(0), st.integers(0, 100000)), max_size=4
)


@given(bills, sources)
def test_shares_add_up_to_each_line_and_no_cap_is_passed(lines: list[Line], sources: list[Source]) -> None:
    shares = split_lines(lines, sources)
    for number, line in enumerate(lines):
        assert sum(share.amount_fen for share in shares if share.line == number) == line.amount_fen
    assert all(share.amount_fen >= 0 for share in shares)
    for source in sources:
        used = sum(share.amount_fen for share in shares if share.entitlement_id == source.entitlement_id)
        assert source.left_fen is None or used <= source.left_fen
    assert split_lines(lines, sources) == shares


@pytest.mark.parametrize(
    ("local", "is_urgent", "due"),
    [
        ("2026-06-15T10:00", False, "2026-06-15T10:30"),
        ("2026-06-15T19:30", False, "2026-06-15T20:00"),
        ("2026-06-15T19:50", False, "2026-06-16T08:20"),
        ("2026-06-15T20:00", False, "2026-06-16T08:30"),
        ("2026-06-15T23:59", False, "2026-06-16T08:30"),
        ("2026-06-15T03:00", False, "2026-06-15T08:30"),
        ("2026-06-15T03:00", True, "2026-06-15T03:05"),
        ("2026-06-15T23:58", True, "2026-06-16T00:03"),
    ],
)
def test_normal_orders_are_due_in_30_minutes_of_the_day_urgent_ones_in_5(local: str, is_urgent: bool, due: str) -> None:  # noqa: FBT001
    asked = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(UTC)
    found = acceptance_due(asked, is_urgent=is_urgent, within=WITHIN)
    assert found.astimezone(SHANGHAI).isoformat(timespec="minutes")[:16] == due


def test_empty_hours_of_acceptance_are_a_fault_of_the_parameters() -> None:
    with pytest.raises(ValueError, match="empty"):
        acceptance_due(NOW, is_urgent=False, within=Acceptance(30, 5, 20, 8))


@pytest.mark.parametrize(("minutes", "code"), [(-1, "order.past"), (0, "order.past"), (61 * 24 * 60, "order.too_far")])
def test_a_start_lies_ahead_and_within_the_booking_window(minutes: int, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_start(NOW + timedelta(minutes=minutes), NOW, booking_days=60)
    assert refusal.value.code == code
    check_start(NOW + timedelta(minutes=1), NOW, booking_days=60)
    check_start(NOW + timedelta(days=60), NOW, booking_days=60)


@pytest.mark.req("R-PEO-03")
@pytest.mark.parametrize(
    ("died_on", "circumstances", "code"),
    [
        (date(2026, 6, 1), set(), "order.elder_died"),
        (None, {"in_hospital"}, "order.elder_away"),
        (None, {"in_institution"}, "order.elder_away"),
        (None, {"moved_away", "dibao"}, "order.elder_away"),
    ],
)
def test_nobody_is_sent_to_the_dead_or_the_absent(died_on: date | None, circumstances: set[str], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_elder(died_on=died_on, circumstances=circumstances)
    assert refusal.value.code == code
    check_elder(died_on=None, circumstances={"lives_alone"})


def test_a_price_typed_by_hand_is_refused() -> None:
    quoted: dict[str, Any] = {"total_fen": 8000, "self_fen": 4000}
    for wrong in ({"quoted_fen": 7999, "quoted_self_fen": None}, {"quoted_fen": 8000, "quoted_self_fen": 3999}):
        with pytest.raises(Refused) as refusal:
            check_quoted(**quoted, **wrong)
        assert refusal.value.code == "quote.changed"
    check_quoted(**quoted, quoted_fen=8000, quoted_self_fen=None)
    check_quoted(**quoted, quoted_fen=8000, quoted_self_fen=4000)


NOTHING, ALL = Progress(), Progress(is_en_route=True, is_signed=True, is_evaluated=True, is_held=True)


@pytest.mark.parametrize(
    ("state", "progress", "stage"),
    [
        ("draft", NOTHING, "draft"), ("placed", ALL, "placed"), ("accepted", ALL, "accepted"), ("assigned", NOTHING, "dispatched"),
        ("assigned", ALL, "en_route"), ("in_service", ALL, "on_site"), ("served", NOTHING, "done"),
        ("served", Progress(is_signed=True), "confirmed"), ("served", ALL, "disputed"), ("settled", NOTHING, "settled"),
        ("settled", ALL, "evaluated"), ("closed", ALL, "closed"), ("cancelled", ALL, "cancelled"), ("failed", ALL, "failed"),
    ],
)  # fmt: skip
def test_the_stage_is_read_from_the_order_and_the_rows_beside_it(state: str, progress: Progress, stage: str) -> None:
    assert stage_of(state, progress) == stage


def test_every_stage_of_the_plan_can_be_reached_and_has_a_label() -> None:
    reached = {
        stage_of(state, progress) for state in OrderState for progress in (NOTHING, ALL, Progress(is_signed=True))
    }
    assert reached == set(Stage) == set(STAGE_LABELS)
    assert set(BAR) < set(Stage)


def test_how_much_later_a_visit_may_begin() -> None:
    start, usual = NOW + timedelta(days=1), timedelta(minutes=30)
    assert latest_start(start, None, usual) == start + usual
    for minutes in FLEXIBLE:
        assert latest_start(start, minutes, usual) == start + timedelta(minutes=minutes)
    for minutes in (-30, 45, 1440):
        with pytest.raises(Refused, check=lambda refusal: refusal.code == "order.flexible"):
            latest_start(start, minutes, usual)


def test_a_visit_is_appointed_within_its_window_only() -> None:
    first, last = NOW, NOW + timedelta(hours=1)
    for moment in (first, last):
        check_window(moment, earliest_at=first, latest_at=last)
    for moment in (first - timedelta(seconds=1), last + timedelta(seconds=1)):
        with pytest.raises(Refused, check=lambda refusal: refusal.code == "order.window"):
            check_window(moment, earliest_at=first, latest_at=last)
