"""When a message goes out, what it may say, how long it is: decisions without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.accounts.rules import Case, bare_number, outcome_of, quiet_until, retry_at, verdict, wish_of
from yinling.accounts.wording import check_private, check_template, filled, parts_of
from yinling.kernel.id_number import check_character
from yinling.kernel.refusals import Refused

NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
ID_NUMBER = "32021319500101001" + check_character("32021319500101001")
LIMITS: dict[str, Any] = {"most_today": 10, "latest": timedelta(hours=24)}


def at(clock: str, day: int = 15) -> datetime:
    return datetime.fromisoformat(f"2026-06-{day}T{clock}:00+08:00")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at("21:59"), None),
        (at("22:00"), at("07:00", 16)),
        (at("23:59"), at("07:00", 16)),
        (at("00:00", 16), at("07:00", 16)),
        (at("06:59", 16), at("07:00", 16)),
        (at("07:00", 16), None),
    ],
)
def test_the_quiet_hours_run_over_midnight(now: datetime, until: datetime | None) -> None:
    assert quiet_until(now, "22:00", "07:00") == until


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    assert quiet_until(at("12:30"), "12:00", "14:00") == at("14:00")
    assert quiet_until(at("12:30"), "08:00", "08:00") is None


def case(**values: Any) -> Case:
    plain: dict[str, Any] = {
        "age": timedelta(0), "is_urgent": False, "is_opted_out": False, "is_double": False, "sent_today": 0, "quiet_until": None,
    }  # fmt: skip
    return Case(**plain | values)


@pytest.mark.parametrize(
    ("values", "drop", "held"),
    [
        ({}, "", False),
        ({"quiet_until": NOON}, "", True),
        ({"quiet_until": NOON, "is_opted_out": True}, "opted_out", False),
        ({"is_double": True}, "double", False),
        ({"sent_today": 9}, "", False),
        ({"sent_today": 10}, "over_cap", False),
        ({"age": timedelta(hours=25)}, "too_late", False),
        (
            {"is_urgent": True, "quiet_until": NOON, "is_opted_out": True, "is_double": True, "sent_today": 99},
            "",
            False,
        ),
        ({"is_urgent": True, "age": timedelta(hours=25)}, "too_late", False),
    ],
)
def test_what_becomes_of_a_message(values: dict[str, Any], drop: str, held: object) -> None:
    found = verdict(case(**values), **LIMITS)
    assert (found.drop, found.hold_until is not None) == (drop, held)


def test_the_waits_grow_and_end() -> None:
    waits = [10, 60]
    assert [retry_at(NOON, tries, waits) for tries in (1, 2, 3)] == [
        NOON + timedelta(seconds=10), NOON + timedelta(seconds=60), None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("TD", "away"),
        (" td。", "away"),
        ("退订", "away"),
        ("T", "away"),
        ("DY", "back"),
        ("恢复", "back"),
        ("取消", ""),
        ("我不舒服", ""),
    ],
)
def test_a_reply_is_a_wish_only_when_it_is_clearly_one(text: str, wish: str) -> None:
    assert wish_of(text) == wish


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([], ""),
        ([(0, "")], ""),
        ([(0, "delivered"), (0, "")], ""),
        ([(0, "delivered"), (0, "delivered")], "delivered"),
        ([(0, "delivered"), (0, "failed")], "failed"),
        ([(0, "failed"), (1, "")], ""),
        ([(0, "failed"), (1, "delivered")], "delivered"),
        ([(0, "delivered"), (1, "failed")], "delivered"),
    ],
)
def test_a_message_is_delivered_when_every_part_of_one_round_is(parts: list[tuple[int, str]], outcome: str) -> None:
    assert outcome_of(parts) == outcome


@pytest.mark.parametrize("number", ["13912345678", "+86 139 1234 5678", "008613912345678", "86-13912345678"])
def test_a_number_is_the_same_however_it_is_written(number: str) -> None:
    assert bare_number(number) == "13912345678"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("上" * 70, 1),
        ("上" * 71, 2),
        ("上" * 134, 2),
        ("上" * 135, 3),
        ("𠮷" * 36, 2),
        ("", 1),
    ],
)
def test_parts_are_counted_as_the_carrier_charges_them(text: str, parts: int) -> None:
    assert parts_of(text) == parts


def test_places_are_filled_and_none_is_left_open() -> None:
    assert filled("{name}您好，{at}上门{", {"name": "王秀英"}) == "王秀英您好，上门{"


@given(st.text(max_size=600), st.dictionaries(st.sampled_from(["name", "at"]), st.text(max_size=600)))
def test_filling_never_fails_and_never_exceeds_the_column(text: str, values: dict[str, str]) -> None:
    assert len(filled(text, values)) <= 500


def test_an_identity_number_is_refused_in_every_message() -> None:
    with pytest.raises(Refused, match=r"message\.id_number"):
        check_private(f"身份证{ID_NUMBER}已登记")
    check_private("订单 320213195001010010 已登记")  # the last digit is wrong: a number of something else


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "wording.empty"),
        ("{name}您好，{phone}", "wording.place"),
        ("{name您好", "wording.place"),
        ("{name}的诊断已更新", "wording.private"),
        ("上" * 300, "wording.long"),
        (ID_NUMBER, "message.id_number"),
    ],
)
def test_a_wording_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(Refused, match=code.replace(".", r"\.")):
        check_template(text, places=["name"], forbidden=["诊断"], signature="【银龄】")


def test_a_good_wording_passes() -> None:
    check_template("{name}您好，服务人员明天上门", places=["name"], forbidden=["诊断"], signature="【银龄】")
