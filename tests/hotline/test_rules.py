"""When tickets are due, and what the hotline refuses."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from yinling.hotline import rules
from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.workdays import WorkingCalendar

# The dragon boat holiday of 2026 and its neighbours; 2027 has no list.
CALENDAR = WorkingCalendar.from_rows(
    [(date(2026, 6, 19), "holiday"), (date(2026, 9, 25), "holiday"), (date(2026, 9, 20), "makeup_workday")]
)


def local(month: int, day: int, hour: int, year: int = 2026) -> datetime:
    """A moment given in Chinese time."""
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)


@pytest.mark.req("X-CALL-05")
@pytest.mark.parametrize(
    ("received", "days", "due_at"),
    [
        (local(6, 15, 10), 3, datetime(2026, 6, 18, 16, tzinfo=UTC)),
        (local(6, 15, 23), 3, datetime(2026, 6, 18, 16, tzinfo=UTC)),
        (local(6, 16, 10), 3, datetime(2026, 6, 22, 16, tzinfo=UTC)),
        (local(6, 15, 0), 5, datetime(2026, 6, 23, 16, tzinfo=UTC)),
        (local(6, 15, 10), 13, datetime(2026, 7, 3, 16, tzinfo=UTC)),
        (local(9, 18, 10), 3, datetime(2026, 9, 22, 16, tzinfo=UTC)),
        (local(6, 20, 10), 0, datetime(2026, 6, 20, 16, tzinfo=UTC)),
        (local(6, 15, 23), 0, datetime(2026, 6, 15, 16, tzinfo=UTC)),
    ],
)
def test_days_count_from_the_day_after_receipt_to_midnight(received: datetime, days: int, due_at: datetime) -> None:
    assert rules.due(CALENDAR, received, days) == (due_at, False)


@pytest.mark.req("X-CAL-03")
def test_a_deadline_in_a_year_without_list_is_provisional_and_counts_weekdays_only() -> None:
    """31 December is a Thursday; the new year's day off is not known, so it counts as a working day."""
    due_at, is_provisional = rules.due(CALENDAR, local(12, 31, 10), 3)
    assert (due_at, is_provisional) == (datetime(2027, 1, 5, 16, tzinfo=UTC), True)


@pytest.mark.req("X-CALL-05")
def test_an_emergency_never_waits_for_a_calendar() -> None:
    assert rules.due(CALENDAR, local(5, 1, 9, 2027), 0) == (datetime(2027, 5, 1, 16, tzinfo=UTC), False)


@pytest.mark.parametrize(
    ("kind", "code", "check", "values"),
    [
        (NotAllowed, "call.taken", rules.check_answer, {"state": "answered", "seat_is_talking": False}),
        (NotAllowed, "call.busy", rules.check_answer, {"state": "ringing", "seat_is_talking": True}),
        (Denied, "call.other_seat", rules.check_seat, {"seat_id": 1, "user_id": 2}),
        (NotAllowed, "call.not_answered", rules.check_hand_over, {"state": "ringing", "is_open_already": False}),
        (NotAllowed, "emergency.twice", rules.check_hand_over, {"state": "answered", "is_open_already": True}),
        (NotAllowed, "ticket.finished", rules.check_split, {"state": "closed"}),
        (NotAllowed, "ticket.children_open", rules.check_close, {"open_children": 2}),
        (NotAllowed, "ticket.parent_closed", rules.check_reopen, {"parent_state": "closed"}),
        (NotAllowed, "ticket.due_final", rules.check_provisional, {"is_provisional": False}),
        (Refused, "transfer.same", rules.check_transfer, {"current_id": 4, "target_id": 4}),
        (Refused, "note.nobody", rules.check_reachable, {"has_address": False}),
    ],
)
def test_each_rule_refuses_with_its_code(kind: type, code: str, check: Any, values: dict[str, Any]) -> None:
    with pytest.raises(kind) as refusal:
        check(**values)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (rules.check_answer, {"state": "ringing", "seat_is_talking": False}),
        (rules.check_seat, {"seat_id": 1, "user_id": 1}),
        (rules.check_hand_over, {"state": "answered", "is_open_already": False}),
        (rules.check_hand_over, {"state": "ended", "is_open_already": False}),
        (rules.check_split, {"state": "handling"}),
        (rules.check_close, {"open_children": 0}),
        (rules.check_reopen, {"parent_state": None}),
        (rules.check_reopen, {"parent_state": "handling"}),
        (rules.check_transfer, {"current_id": None, "target_id": 4}),
        (rules.check_reachable, {"has_address": True}),
        (rules.check_in_business, {"valid_to": date(2026, 7, 1), "today": date(2026, 6, 15)}),
    ],
)
def test_each_rule_lets_pass_what_is_right(check: Any, values: dict[str, Any]) -> None:
    check(**values)


def test_a_body_is_out_of_business_from_its_last_day_on() -> None:
    with pytest.raises(Refused) as refusal:
        rules.check_in_business(valid_to=date(2026, 6, 15), today=date(2026, 6, 15))
    assert refusal.value.code == "transfer.organisation"


@pytest.mark.parametrize(
    ("step", "done", "code"),
    [
        ("landed", (), "emergency.step"),
        ("arrived", ("ended",), "emergency.ended"),
        ("arrived", ("arrived",), "emergency.step_twice"),
    ],
)
def test_steps_of_an_emergency_are_known_and_noted_once(step: str, done: tuple[str, ...], code: str) -> None:
    with pytest.raises((Refused, NotAllowed)) as refusal:
        rules.check_step(step, done={name: name in done for name in rules.STEPS})
    assert refusal.value.code == code
