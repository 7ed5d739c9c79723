"""Short messages that wait are sent once, and never to a made-up number."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from tests.accounts.gateway import REAL, Line
from tests.accounts.gateway import message as left
from tests.factories import NOW, make_elder

from yinling.accounts.jobs import send_waiting
from yinling.accounts.models import Notice
from yinling.accounts.operations import Recipient, notify
from yinling.accounts.rules import is_made_up
from yinling.interop.sms.log import LogSms
from yinling.kernel.actor import Actor

EVERYWHERE = Actor(None, "系统", "system", div="3")


def message(key: str, number: str) -> Notice:
    return left(key, number, about=make_elder(), now=NOW)


@pytest.mark.parametrize(
    ("number", "made_up"),
    [("19900001234", True), ("+86 199 0000 1234", True), ("1990000123", False), ("19900012345", False), (REAL, False)],
)
def test_made_up_numbers_are_known_by_their_pattern(number: str, made_up: object) -> None:
    assert is_made_up(number) is made_up


def test_each_waiting_message_is_sent_once(wide: Any) -> None:
    line, row = Line(), message("a", REAL)
    notify(now=NOW, about=make_elder(), to=Recipient(), key="b", title="站内", text="")
    assert send_waiting(line, EVERYWHERE, now=NOW) == 1
    assert send_waiting(line, EVERYWHERE, now=NOW) == 0
    row.refresh_from_db()
    assert (line.sent, row.sent_at, row.state) == ([(REAL, "明天上门", "a")], NOW, "sent")


def test_a_made_up_number_goes_to_the_log_only(
    wide: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("yinling"), "propagate", True)
    line, row = Line(), message("a", "19900001234")
    with caplog.at_level(logging.INFO, "yinling"):
        assert send_waiting(line, EVERYWHERE, now=NOW) == 1
    row.refresh_from_db()
    assert (line.sent, row.sent_at, row.reason) == ([], NOW, "made_up")
    assert "199****1234" in caplog.text
    assert "19900001234" not in caplog.text


def test_a_message_that_fails_waits_for_the_next_round_and_stops_no_other(wide: Any) -> None:
    first, second = message("a", "13900000001"), message("b", REAL)
    assert send_waiting(Line("13900000001"), EVERYWHERE, now=NOW) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.sent_at, first.try_count, second.sent_at) == (None, 1, NOW)
    assert send_waiting(Line(), EVERYWHERE, now=NOW) == 0
    assert send_waiting(Line(), EVERYWHERE, now=NOW + timedelta(seconds=10)) == 1


def test_the_log_line_hides_the_number(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "yinling"):
        LogSms().send(number=REAL, text="明天上门", key="a")
    assert caplog.messages == ["sms a to 139****5678: 明天上门"]
