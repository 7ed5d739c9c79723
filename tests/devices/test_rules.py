"""What is an alarm, which time counts, where a fence ends, and what an envelope is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.factories import NOW

from yinling.devices import envelopes, rules
from yinling.devices.rules import Link, chain_of, effective, is_needless, level_of, place_of, verdict
from yinling.kernel.geo import Datum, Position, distance_m

HOME = Position(120.30, 31.57, Datum.WGS84)
KEY = "a-key-of-a-test-that-is-long-enough"


@pytest.mark.req("R-IOT-07")
@pytest.mark.parametrize(
    ("kind", "data", "level"),
    [
        ("sos", {}, 0), ("fall", {}, 0), ("sos", {"state": "clear", "alarm": False, "test": True}, 0), ("smoke", {}, 1),
        ("smoke", {"state": "clear"}, None), ("gas", {"state": "leak"}, 1), ("gas", {"state": "Normal"}, None), ("water", {}, 1),
        ("water", {"state": "restored"}, None), ("motion", {"alarm": True}, 2), ("motion", {}, None), ("bed", {"alarm": True}, 2),
        ("door", {"alarm": "yes"}, None), ("door", {"alarm": True}, 2), ("vital", {"heart": 48}, None), ("vital", {"alarm": True}, 1),
        ("hb", {"alarm": True}, None), ("batt", {}, None), ("geo", {"alarm": True}, None),
    ],
)  # fmt: skip
def test_which_message_is_an_alarm(kind: str, data: dict[str, Any], level: int | None) -> None:
    assert level_of(kind, data) == level


@pytest.mark.parametrize(
    ("at", "counts", "is_skewed"),
    [
        (NOW, NOW, False), (NOW - timedelta(hours=3), NOW - timedelta(hours=3), False), (NOW + timedelta(seconds=90), NOW, False),
        (NOW + timedelta(minutes=5), NOW, True), (datetime(1970, 1, 1, tzinfo=UTC), NOW, True), (None, NOW, True),
        (NOW - timedelta(days=8), NOW, True),
    ],
)  # fmt: skip
def test_the_time_that_counts(at: datetime | None, counts: datetime, is_skewed: bool) -> None:  # noqa: FBT001 - a column of the table
    assert effective(at, NOW, ahead_s=120, oldest_days=7) == (counts, is_skewed)


@pytest.mark.req("R-IOT-02")
def test_coordinate_systems_are_never_mixed() -> None:
    wgs = place_of({"lon": 120.30, "lat": 31.57, "acc_m": 8, "crs": "WGS-84"})
    gcj = place_of({"lon": 120.30, "lat": 31.57, "acc_m": 8, "crs": "GCJ02"})
    assert (wgs.lon, wgs.lat, wgs.datum, wgs.accuracy_m) == (120.3, 31.57, "wgs84", 8)
    assert wgs.position
    assert gcj.position
    assert 300 < distance_m(wgs.position, gcj.position) < 800
    assert gcj.datum == "gcj02"
    for crs in ("", "mars", None):
        nowhere = place_of({"lon": 120.30, "lat": 31.57, "crs": crs})
        assert (nowhere.position, nowhere.problem) == (None, "no_crs")


@pytest.mark.parametrize("pos", [{"lon": "x", "lat": 1}, {"lat": 1}, {"lon": 500, "lat": 1}, {"lon": [], "lat": 1}])
def test_a_position_that_is_none(pos: dict[str, Any]) -> None:
    assert place_of({**pos, "crs": "wgs84"}).problem == "unreadable"
    assert place_of(None) == rules.Place()


@pytest.mark.req("R-IOT-06")
@pytest.mark.parametrize(
    ("east_m", "accuracy", "said"),
    [
        (0, 10, "in"), (480, 10, "in"), (520, 10, ""), (555, 10, ""), (620, 10, "out"), (640, 90, ""), (900, 90, "out"), (5000, 500, ""),
        (700, None, "out"),
    ],
)  # fmt: skip
def test_a_fence_has_a_margin_and_asks_for_accuracy(east_m: float, accuracy: float | None, said: str) -> None:
    seen = Position(120.30 + east_m / 95_050, 31.57, Datum.WGS84, accuracy)
    assert verdict(HOME, seen, radius_m=500, margin_m=50, most_accuracy_m=100) == said


def test_a_chain_is_read_in_the_order_of_its_times() -> None:
    steps = [
        {"after_s": 60, "tell": ["leader"], "until": "acknowledged"},
        {"after_s": 0, "tell": ["seat", "family"], "until": "ended"},
    ]
    assert chain_of(steps) == [Link(0, ("seat", "family"), "ended"), Link(60, ("leader",), "acknowledged")]
    for wrong in (
        [],
        [{"after_s": 0, "tell": ["mayor"], "until": "ended"}],
        [{"after_s": 0, "tell": [], "until": "ended"}],
    ):
        with pytest.raises(ValueError, match=r"alarm\.chain"):
            chain_of(wrong)


@pytest.mark.parametrize(
    ("until", "facts", "needless"),
    [
        ("acknowledged", "", False), ("acknowledged", "a", True), ("contacted", "a", False), ("contacted", "ac", True), ("ended", "ac", False),
        ("ended", "ace", True), ("contacted", "e", True),
    ],
)  # fmt: skip
def test_what_makes_a_step_needless(until: str, facts: str, needless: bool) -> None:  # noqa: FBT001 - a column of the table
    said = {"is_acknowledged": "a" in facts, "is_contacted": "c" in facts, "is_ended": "e" in facts}
    assert is_needless(until, **said) is needless


def signed(**values: Any) -> str:
    made = {
        "v": 1,
        "dev": "D1",
        "msg_id": "m",
        "seq": 5,
        "boot": 2,
        "ts_dev": 1_781_488_800_000,
        "kind": "sos",
        **values,
    }
    return envelopes.sign(made, KEY)


def test_an_envelope_is_read_and_its_signature_known() -> None:
    read = envelopes.read(signed(data={"battery": 80}, pos={"lon": 1}))
    assert (read.fault, read.dev, read.boot, read.seq, read.kind, read.facts) == (
        "",
        "D1",
        2,
        5,
        "sos",
        {"battery": 80},
    )
    assert read.at == datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
    assert read.is_signed_with(KEY)
    assert not read.is_signed_with("another-key")
    assert not read.is_signed_with("")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"dev": ""}, "event.device"), ({"dev": "x" * 41}, "event.device"), ({"dev": 7}, "event.device"), ({"kind": "dance"}, "event.kind"),
        ({"kind": ["sos"]}, "event.kind"), ({"seq": -1}, "event.form"), ({"seq": True}, "event.form"), ({"boot": 2**31}, "event.form"),
        ({"v": 2}, "event.form"), ({"data": []}, "event.form"), ({"seq": "5"}, "event.form"),
    ],
)  # fmt: skip
def test_what_is_no_envelope(values: dict[str, Any], fault: str) -> None:
    assert envelopes.read(signed(**values)).fault == fault


@pytest.mark.parametrize("at", [None, "yesterday", -5, "2026-06-15T10:00:00", True, 10**30, {}, 1.5])
def test_a_bad_clock_does_not_spoil_an_envelope(at: Any) -> None:
    read = envelopes.read(signed(ts_dev=at))
    assert (read.fault, read.at, read.kind) == ("", None, "sos")


def test_a_clock_may_be_written_as_iso_with_its_offset() -> None:
    assert envelopes.read(signed(ts_dev="2026-06-15T10:00:00+08:00")).at == datetime(2026, 6, 15, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "....", "é.é.é", "x" * 9000, "e30.e30.e30", "W10.W10.W10"])
def test_rubbish_is_rubbish(text: str) -> None:
    assert envelopes.read(text).fault == "event.form"


def test_an_unsigned_algorithm_is_not_believed() -> None:
    header, payload, _signature = signed().split(".")
    none = envelopes._encoded(json.dumps({"alg": "none", "kid": "D1"}).encode())
    assert envelopes.read(f"{none}.{payload}.").fault == "event.form"
    other = envelopes._encoded(json.dumps({"alg": "HS256", "kid": "D2"}).encode())
    assert envelopes.read(f"{other}.{payload}.AAAA").fault == "event.device"
    assert header


@pytest.mark.parametrize("facts", [{"a": "x\x00y"}, {"a": "\ud800"}, {"a": float("inf")}])
def test_what_no_database_keeps_is_left_out_of_a_message(facts: dict[str, Any]) -> None:
    read = envelopes.read(signed(data=facts))
    assert read.fault == ""
    assert read.facts in ({}, {"a": None})
