"""Text messages over SMPP, against a centre on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interop.carrier import Centre, text_centre

from yinling.accounts.ports import Receipt, Rejected, Reply, Throttled
from yinling.accounts.wording import parts_of
from yinling.interop.sms import smpp
from yinling.interop.sms.smpp import SmppSms, parts_for

NUMBER = "13912345678"
LONG = "王秀英老人您好，" * 20


@pytest.fixture
def centre(settings: Any) -> Iterator[Centre]:
    with text_centre() as running:
        settings.SMS = {
            "url": f"smpp://127.0.0.1:{running.port}", "key": "yinling", "secret": "secret", "source": "10690001", "signature": "【银龄】",
            "timeout": "30",
        }  # fmt: skip
        yield running


@pytest.fixture
def line(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmppSms]:
    monkeypatch.setattr(smpp, "QUIET", 1)  # the carrier of the test shares a processor with it
    one = SmppSms()
    yield one
    one.close()


def wait_for(is_there: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_there() and time.monotonic() < until:
        time.sleep(0.01)
    assert is_there()


def test_a_chinese_message_goes_out_in_ucs2_and_asks_for_a_receipt(centre: Centre, line: SmppSms) -> None:
    assert line.send(number="+86 " + NUMBER, text="服务人员 06-16 10:00 上门", key="a") == ["m1"]
    part = centre.parts[0]
    assert (part.to, part.coding, part.esm_class, part.registered) == ("86" + NUMBER, 8, 0, 1)
    assert part.text.decode("utf-16-be") == "【银龄】服务人员 06-16 10:00 上门"


def test_a_long_message_is_cut_into_parts_that_the_phone_joins(centre: Centre, line: SmppSms) -> None:
    ids = line.send(number=NUMBER, text=LONG, key="a")
    heads = [part.text[:6] for part in centre.parts]
    assert len(ids) == len(centre.parts) == parts_of("【银龄】" + LONG) == 3
    assert [(head[0], head[1], head[2], head[4], head[5]) for head in heads] == [(5, 0, 3, 3, n) for n in (1, 2, 3)]
    assert len({head[3] for head in heads}) == 1
    assert {part.esm_class for part in centre.parts} == {0x40}
    assert "".join(part.text[6:].decode("utf-16-be") for part in centre.parts) == "【银龄】" + LONG


def test_one_session_serves_many_messages(centre: Centre, line: SmppSms) -> None:
    for number in range(20):
        line.send(number=NUMBER, text=f"第{number}条", key=str(number))
    assert (centre.sessions, len(centre.parts)) == (1, 20)


def test_told_to_go_slower_it_waits_and_then_says_so(
    centre: Centre, line: SmppSms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smpp, "PAUSE", 0.01)
    centre.statuses = [0x58, 0x14, 0]
    assert line.send(number=NUMBER, text="一", key="a") == ["m1"]
    monkeypatch.setattr(smpp, "PATIENCE", 0.05)
    centre.statuses = [0x58] * 1000
    with pytest.raises(Throttled):
        line.send(number=NUMBER, text="二", key="b")


@pytest.mark.parametrize(("status", "fault"), [(0x0B, Rejected), (0x01, Rejected), (0x08, OSError), (0x45, OSError)])
def test_what_is_wrong_with_the_message_and_what_with_the_line(
    centre: Centre, line: SmppSms, status: int, fault: type[Exception]
) -> None:
    centre.statuses = [status]
    with pytest.raises(fault):
        line.send(number=NUMBER, text="一", key="a")
    assert line.send(number=NUMBER, text="二", key="b") == ["m1"]


def test_a_session_that_breaks_is_begun_anew_by_the_next_message(centre: Centre, line: SmppSms) -> None:
    centre.hangs_up_after = 0
    with pytest.raises(OSError, match="SMPP"):
        line.send(number=NUMBER, text="一", key="a")
    assert line.send(number=NUMBER, text="一", key="a") == ["m1"]
    assert centre.sessions == 2


def test_a_wrong_password_and_a_centre_that_is_not_there_are_no_fault_of_the_message(
    centre: Centre, line: SmppSms, settings: Any
) -> None:
    centre.password = "other"
    with pytest.raises(OSError, match="SMPP"):
        line.send(number=NUMBER, text="一", key="a")
    settings.SMS = settings.SMS | {"url": "smpp://127.0.0.1:1"}
    with pytest.raises(OSError, match="SMPP"):
        line.send(number=NUMBER, text="一", key="a")
    settings.SMS = settings.SMS | {"url": "http://127.0.0.1"}
    with pytest.raises(OSError, match="SMS_URL"):
        line.send(number=NUMBER, text="一", key="a")


def test_receipts_and_replies_are_confirmed_after_they_are_stored(centre: Centre, line: SmppSms) -> None:
    centre.receipt("m1", "DELIVRD")
    centre.receipt("m2", "UNDELIV")
    centre.receipt("m3", "ENROUTE")
    centre.reply("86" + NUMBER, "退订")
    found: list[Receipt | Reply] = []
    line.collect(found.append)
    at = datetime(2026, 6, 15, 2, 1, tzinfo=UTC)
    assert found == [
        Receipt("m1", "delivered", at), Receipt("m2", "failed", at, "UNDELIV 000"), Reply("86" + NUMBER, "退订"),
    ]  # fmt: skip
    wait_for(lambda: centre.confirmed == [0, 0, 0, 0])


def test_what_could_not_be_stored_is_left_with_the_carrier(centre: Centre, line: SmppSms) -> None:
    centre.receipt("m1", "DELIVRD")

    def broken(_what: Receipt | Reply) -> None:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError):
        line.collect(broken)
    wait_for(lambda: centre.confirmed == [0x64])


def test_receipts_that_come_while_sending_are_kept_for_later(centre: Centre, line: SmppSms) -> None:
    centre.receipt("m0", "DELIVRD")
    line.send(number=NUMBER, text="一", key="a")
    assert centre.confirmed == []
    found: list[Receipt | Reply] = []
    line.collect(found.append)
    assert [one.port_id for one in found if isinstance(one, Receipt)] == ["m0"]


@given(st.text(min_size=1, max_size=400).filter(lambda text: text.isprintable()))
def test_parts_hold_the_text_whole_and_fit_into_a_message(text: str) -> None:
    coding, parts = parts_for(text, reference=1)
    bare = parts if len(parts) == 1 else [part[6:] for part in parts]
    assert all(len(part) <= (140 if coding == 8 else 160) for part in parts)
    if coding == 8:
        assert "".join(part.decode("utf-16-be") for part in bare) == text  # each part is whole characters
    assert abs(len(parts) - parts_of(text)) <= 1  # a rare character that would be cut moves to the next part
