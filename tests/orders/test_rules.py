"""Decisions about an order: lines, payers, deadlines, stages."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Refused
from yinling.orders.rules import (
    BAR,
    FLEXIBLE,
    STAGE_LABELS,
    Acceptance,
    Progress,
    Stage,
    acceptance_due,
    check_consent,
    check_elder,
    check_kinds,
    check_quoted,
    check_start,
    check_window,
    latest_start,
    read_items,
    stage_of,
)
from yinling.orders.states import OrderState

NOW = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
WITHIN = Acceptance(minutes=30, urgent_minutes=5, from_hour=8, to_hour=20)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ([], {"A": 1}), (["B"], {"A": 1, "B": 1}), (["B*2", "C×3"], {"A": 1, "B": 2, "C": 3}), (["B", "B*2"], {"A": 1, "B": 3}),
        (["A"], {"A": 2}), ([" B "], {"A": 1, "B": 1}),
    ],
)  # fmt: skip
def test_an_order_names_its_items_with_how_many_of_each(more: list[str], found: dict[str, int]) -> None:
    assert read_items("A", more) == found


@pytest.mark.parametrize(
    "more", [["B*0"], ["B*100"], ["B**2"], ["白糖"], ["B*-1"], [""], ["B*1.5"], [f"B{number}" for number in range(20)]]
)
def test_what_cannot_be_items_is_refused(more: list[str]) -> None:
    with pytest.raises(Refused) as refusal:
        read_items("A", more)
    assert (refusal.value.code, refusal.value.field) == ("order.more_items", "more_items")


@pytest.mark.parametrize(
    ("kinds", "needs_visit", "code"),
    [
        (["bed_day"], False, "order.no_visit"), (["fee"], False, "order.no_visit"), (["drug"], True, "order.no_visit"),
        (["service", "fee"], True, "order.more_items"), (["service", "bed_day"], True, "order.more_items"),
    ],
)  # fmt: skip
def test_nobody_is_sent_for_bed_days_fees_or_goods_alone(kinds: list[str], needs_visit: bool, code: str) -> None:  # noqa: FBT001
    with pytest.raises(Refused) as refusal:
        check_kinds(kinds, needs_visit=needs_visit)
    assert refusal.value.code == code
    check_kinds(["service", "service", "drug", "consumable", "scale_assessment"], needs_visit=True)


def test_nobody_pays_beyond_a_limit_without_consent() -> None:
    for consent in ("", "  "):
        with pytest.raises(Refused) as refusal:
            check_consent(1234, consent)
        assert (refusal.value.code, refusal.value.field) == ("order.self_pay_consent", "self_pay_consent")
        assert refusal.value.values == {"more": "12.34"}
    check_consent(1234, "老人本人")
    check_consent(0, "")


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
