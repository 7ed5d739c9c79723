"""Messages between two lines, as pure decisions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.factories import NOW

from yinling.ground.parameters import parameter
from yinling.hotline.exchange import canonical, digest_of, is_fresh, is_signed, judge, read_states, sign, wait
from yinling.hotline.exchange_rows import by_heads, read_moment, read_row
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused

STATES = read_states(parameter("exchange.states_in", "3202", local_date(NOW))["12345"])
LATER, EARLIER = NOW + timedelta(hours=1), NOW - timedelta(hours=1)


@pytest.mark.req("R-CALL-07")
@pytest.mark.parametrize(
    ("known", "said", "at", "outcome"),
    [
        ("", "已派发", NOW, "applied"), ("已派发", "办理中", LATER, "applied"), ("办理中", "已派发", EARLIER, "late"),
        ("已办结", "办理中", LATER, "backwards"), ("已办结", "退回重办", LATER, "applied"), ("办理中", "办理中", LATER, "late"),
        ("已办结", "退回重办", EARLIER, "late"), ("已答复", "催办", LATER, "applied"), ("办理中", "不知道", LATER, "unknown"),
    ],
)  # fmt: skip
def test_a_matter_goes_back_only_by_a_return(known: str, said: str, at: datetime, outcome: str) -> None:
    assert judge(STATES, known=known, known_at=NOW if known else None, said=said, said_at=at) == outcome


def test_an_act_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="办理中"):
        read_states({"办理中": {"step": 1, "act": "eat"}})


def test_every_state_of_ours_has_a_word_there_and_every_word_there_a_step() -> None:
    out = parameter("exchange.states_out", "3202", local_date(NOW))["12345"]
    assert set(out) == {"open", "handling", "resolved", "closed"}
    assert set(out.values()) <= set(STATES)


def test_a_signature_is_of_every_value_and_of_nothing_else() -> None:
    values = {"key": "1", "state": "办理中", "at": NOW}
    good = sign("secret", values)
    assert is_signed("secret", values, f" {good.upper()} ")
    assert not is_signed("secret", values | {"state": "已办结"}, good)
    assert not is_signed("other", values, good)
    assert not is_signed("", values, sign("", values))
    assert canonical({"a": "1\nb=1:2"}) != canonical({"a": "1", "b": "2"})


def test_a_moment_is_signed_in_utc_whatever_its_offset() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    assert digest_of({"at": NOW}) == digest_of({"at": there})
    assert canonical({"at": NOW}) == b"at=20:2026-06-15T02:00:00Z"


def test_an_old_signature_is_no_signature() -> None:
    assert is_fresh(NOW - timedelta(minutes=5), NOW)
    assert not is_fresh(NOW - timedelta(minutes=6), NOW)
    assert not is_fresh(NOW + timedelta(minutes=6), NOW)


def test_the_pause_doubles_and_ends() -> None:
    assert [wait(tries, 60).total_seconds() / 60 for tries in (0, 1, 2, 3, 9)] == [1, 1, 2, 4, 60]


@pytest.mark.parametrize(
    "text", ["2026-06-15 10:00", "2026/06/15 10:00:00", "2026-06-15T10:00:00+08:00", "2026-06-15T02:00:00Z"]
)
def test_moments_of_tables(text: str) -> None:
    found = read_moment(text)
    assert found is not None
    assert found.astimezone(UTC) == NOW


def test_a_line_of_a_table_says_what_it_lacks() -> None:
    row = {"foreign_number": "G1", "state": "已派发", "happened_at": "2026-06-15 10:00", "title": "问补贴"}
    assert read_row("12345", row, 2).key == "file:G1:已派发:20260615100000"
    for change, what in (({"title": ""}, "标题"), ({"happened_at": "明天"}, "时间"), ({"state": "x" * 41}, "太长")):
        with pytest.raises(Refused) as refusal:
            read_row("12345", row | change, 7)
        assert refusal.value.code == "exchange.row"
        assert "第 7 行" in refusal.value.detail
        assert what in refusal.value.detail


def test_columns_are_found_by_their_heads_in_any_order() -> None:
    heads = ["标题", "对方状态", "别的", "时间", "对方工单号"]
    assert by_heads(heads, [["问补贴", "已派发", 1, NOW, 20260001.0], ["", "", "", "", ""]]) == [
        {"title": "问补贴", "state": "已派发", "happened_at": str(NOW), "foreign_number": "20260001"}
    ]
    (dated,) = by_heads(["标题", "对方状态", "时间", "对方工单号"], [["问补贴", "已派发", NOW.date(), "G1"]])
    assert dated["happened_at"] == "2026-06-15"
    with pytest.raises(Refused) as refusal:
        by_heads(["标题"], [])
    assert refusal.value.code == "exchange.columns"
