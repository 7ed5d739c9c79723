"""Messages on their way out: tried, held, dropped, proved, and sent again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.accounts.gateway import REAL, Line, message
from tests.factories import NOW, WIDE, actor, make_elder, make_user

from yinling.accounts import jobs
from yinling.accounts.jobs import collect, send_round, send_waiting
from yinling.accounts.models import Delivery, Journal, MessageTemplate, Notice, OptOut
from yinling.accounts.operations import (
    Recipient,
    Worded,
    end_wording,
    mark_failed,
    notify,
    resend_message,
    write_wording,
)
from yinling.accounts.ports import Receipt, Rejected, Reply, Throttled
from yinling.accounts.queries import sent_messages
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.people.operations import end_optout, record_optout

EVERYWHERE = Actor(None, "系统", "system", div="3", is_system=True)
NIGHT = NOW.replace(hour=15)
"""23:00 in China."""
MORNING = NOW.replace(hour=23)
"""07:00 the next day."""
LATER = NOW + timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("wide")


def left(key: str = "a", number: str = REAL, **values: Any) -> Notice:
    chosen: dict[str, Any] = {"now": NOW, "about": make_elder(), **values}
    return message(key, number, **chosen)


def fresh(row: Notice) -> Notice:
    return Notice.objects.get(pk=row.pk)


def send(line: Line, now: Any = NOW) -> int:
    return send_waiting(line, EVERYWHERE, now=now)


def back(line: Line, *what: Receipt | Reply, now: Any = LATER) -> None:
    line.back += what
    collect(line, "sms", now=now)


def test_a_worker_killed_between_sending_and_marking_sends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    line, row = Line(), left()

    def killed(*_args: Any, **_values: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "mark_sent", killed)
        with pytest.raises(SystemExit):
            send(line)
    assert (fresh(row).state, len(line.sent)) == ("waiting", 1)
    assert send(line) == 1
    assert (fresh(row).state, len(line.sent), line.asked) == ("sent", 1, 2)


def test_told_to_go_slower_the_round_ends_and_nothing_counts_as_a_failure() -> None:
    line, first, second = Line(faults=[Throttled("429")]), left("a"), left("b", "13900000002")
    assert send(line) == 0
    assert line.asked == 1
    assert (fresh(first).try_count, fresh(first).next_at) == (0, NOW + timedelta(seconds=5))
    assert send(line, NOW + timedelta(seconds=5)) == 2
    assert {fresh(first).state, fresh(second).state} == {"sent"}


def test_a_message_is_given_up_after_the_last_wait_and_then_listed() -> None:
    line, row, now = Line(REAL), left(), NOW
    for _ in range(6):
        send(line, now)
        now = fresh(row).next_at or now
    assert (fresh(row).state, fresh(row).reason, fresh(row).try_count, line.asked) == ("failed", "gave_up", 6, 6)


def test_a_gateway_that_is_down_is_not_asked_for_every_message() -> None:
    line = Line(faults=[OSError("down")] * 20)
    for number in range(8):
        left(f"k{number}", f"1390000000{number}")
    assert (send(line), line.asked) == (0, jobs.MOST_FAILURES)


def test_what_the_gateway_will_never_take_is_failed_at_once() -> None:
    row = left()
    assert send(Line(faults=[Rejected("wrong number")])) == 0
    assert (fresh(row).state, fresh(row).reason, fresh(row).error) == ("failed", "rejected", "wrong number")


def test_a_fault_of_the_adapter_holds_up_no_other_message() -> None:
    first, second = left("a"), left("b", "13900000002")
    assert send(Line(faults=[ValueError("a bug")])) == 1
    assert (fresh(first).state, fresh(second).state) == ("waiting", "sent")


def test_a_dead_gateway_of_one_channel_stops_no_other(settings: Any) -> None:
    sms = left()
    chat = notify(
        now=NOW,
        about=make_elder(),
        to=Recipient(channel="wechat", address="o-1"),
        key="w",
        title="通知",
        text="明天上门",
    )
    assert send_waiting(Line(REAL), EVERYWHERE, now=NOW) == 0
    settings.PORTS = settings.PORTS | {"wechat": "yinling.interop.wechat.log.LogWechat"}
    jobs.business_now, kept = (lambda: NOW), jobs.business_now
    try:
        assert send_round("wechat") == 1
    finally:
        jobs.business_now = kept
    assert (fresh(sms).state, fresh(chat).state) == ("waiting", "sent")


def test_at_night_a_message_waits_for_the_morning_and_an_urgent_one_goes() -> None:
    quiet, urgent = left("a", now=NIGHT), left("b", "13900000002", now=NIGHT, is_urgent=True)
    assert send(line := Line(), NIGHT) == 1
    assert [one[2] for one in line.sent] == ["b"]
    assert (fresh(quiet).next_at, fresh(urgent).kind) == (MORNING, "emergency")
    assert send(line, MORNING - timedelta(seconds=1)) == 0
    assert send(line, MORNING) == 1


def test_the_same_words_to_the_same_number_within_minutes_go_once() -> None:
    first, second = left("a"), left("b")
    third = left("c", text="后天上门")
    assert send(Line()) == 2
    assert [fresh(row).state for row in (first, second, third)] == ["sent", "dropped", "sent"]
    assert fresh(second).reason == "double"
    later = left("d", now=NOW + timedelta(minutes=11))
    assert send(Line(), NOW + timedelta(minutes=11)) == 1
    assert fresh(later).state == "sent"


def test_a_number_gets_no_more_than_the_cap_in_a_day_except_urgent_ones() -> None:
    for number in range(12):
        left(f"k{number}", text=f"第{number}条")
    urgent = left("u", is_urgent=True)
    assert send(Line()) == 11
    assert Notice.objects.filter(state="dropped", reason="over_cap").count() == 2
    assert fresh(urgent).state == "sent"
    left("next", now=NOW + timedelta(days=1))
    assert send(Line(), NOW + timedelta(days=1)) == 1


def test_what_comes_a_day_too_late_is_not_sent() -> None:
    row = left()
    assert send(Line(), NOW + timedelta(hours=25)) == 0
    assert (fresh(row).state, fresh(row).reason) == ("dropped", "too_late")


def test_a_receipt_proves_delivery_once_however_often_it_comes() -> None:
    line, row = Line(), left()
    send(line)
    back(line, Receipt("id-a", "delivered", LATER), Receipt("id-a", "delivered", LATER), now=LATER)
    back(line, Receipt("id-a", "failed", LATER, "late"), now=LATER + timedelta(hours=1))
    assert (fresh(row).state, fresh(row).delivered_at) == ("delivered", LATER)
    assert list(Delivery.objects.values_list("port_id", "outcome", "received_at")) == [("id-a", "delivered", LATER)]


def test_a_failure_is_put_right_by_a_later_proof() -> None:
    line, row = Line(), left()
    send(line)
    back(line, Receipt("id-a", "failed", LATER, "UNDELIV 001"))
    assert (fresh(row).state, fresh(row).reason) == ("failed", "undelivered")
    back(line, Receipt("id-a", "delivered", LATER))
    assert (fresh(row).state, fresh(row).reason) == ("delivered", "")


def test_a_receipt_faster_than_our_own_mark_is_not_lost() -> None:
    line, row = Line(), left()
    back(line, Receipt("id-a", "delivered", NOW), now=NOW)
    assert fresh(row).state == "waiting"
    send(line)
    assert fresh(row).state == "delivered"


def test_a_long_message_is_delivered_when_all_its_parts_are() -> None:
    line, row = Line(ids=lambda key: [f"{key}-1", f"{key}-2"]), left()
    send(line)
    back(line, Receipt("a-2", "delivered"))
    assert fresh(row).state == "sent"
    back(line, Receipt("a-1", "delivered"))
    assert fresh(row).state == "delivered"


def test_a_receipt_of_an_unknown_message_changes_nothing() -> None:
    line, row = Line(), left()
    send(line)
    back(line, Receipt("somebody-else", "failed"))
    assert fresh(row).state == "sent"


def test_somebody_who_answers_td_gets_no_more_but_calls_for_help() -> None:
    line = Line()
    left("a")
    send(line)
    back(line, Reply("+8613912345678", "TD"), Reply("13912345678", "退订"))
    assert OptOut.objects.filter(to_at=None).count() == 1
    assert Journal.objects.get(event="people.optout.record").changes["source"] == [None, "reply"]
    plain, urgent = left("b", text="下周上门"), left("c", is_urgent=True)
    assert send(line) == 1
    assert (fresh(plain).reason, fresh(urgent).state) == ("opted_out", "sent")
    back(line, Reply("13912345678", "DY"))
    again = left("d", text="再下周上门")
    assert send(line) == 1
    assert fresh(again).state == "sent"


def test_a_reply_that_asks_for_nothing_or_from_nobody_changes_nothing() -> None:
    back(Line(), Reply("13912345678", "TD"), Reply("13912345678", "好的"))
    assert not OptOut.objects.exists()


def test_an_elder_refuses_one_kind_and_takes_it_back() -> None:
    elder = make_elder()
    own = actor("elder", div="", elders=[elder])
    row = record_optout(actor=own, now=NOW, elder_id=elder.pk, kind="other")
    assert (row.source, row.div) == ("own", elder.div)
    with pytest.raises(Refused, match=r"opt_out\.twice"):
        record_optout(actor=own, now=NOW, elder_id=elder.pk, kind="other")
    refused = left("a", about=elder)
    said = Worded("appointed", {"at": "06-16 10:00"})
    to = Recipient(channel="sms", address="13900000009")
    wanted = notify(now=NOW, about=elder, to=to, key="b", title="t", template=said)
    assert send(Line()) == 1
    assert (fresh(refused).reason, fresh(wanted).state) == ("opted_out", "sent")
    end_optout(actor=own, now=LATER, optout_id=row.pk)
    with pytest.raises(NotAllowed, match=r"opt_out\.ended"):
        end_optout(actor=own, now=LATER, optout_id=row.pk)
    left("c", text="又一条", about=elder)
    assert send(Line(), LATER) == 1


def test_the_desk_notes_a_number_and_refuses_half_a_one() -> None:
    seat = actor("seat")
    with pytest.raises(Refused, match=r"opt_out\.number"):
        record_optout(actor=seat, now=NOW, number="139")
    row = record_optout(actor=seat, now=NOW, number="139 1234 5678")
    assert (row.kind, row.source, row.unseal_field("address")) == ("", "desk", REAL)
    left()
    assert send(Line()) == 0


def test_a_stranger_refuses_nothing_for_an_elder() -> None:
    elder = make_elder()
    with pytest.raises(Denied):
        record_optout(actor=actor("elder", div="", elders=[make_elder()]), now=NOW, elder_id=elder.pk)
    assert not OptOut.objects.exists()


def test_what_failed_is_sent_again_under_a_key_of_its_own() -> None:
    line, row = Line(), left()
    send(line)
    back(line, Receipt("id-a", "failed"))
    leader = actor("line_leader")
    resend_message(actor=leader, now=LATER, message_id=row.pk, reason="号码已开机")
    assert (fresh(row).state, fresh(row).round) == ("waiting", 1)
    assert send(line, LATER) == 1
    assert [one[2] for one in line.sent] == ["a", "a#1"]
    back(line, Receipt("id-a#1", "delivered"))
    assert fresh(row).state == "delivered"
    with pytest.raises(NotAllowed, match=r"state\.not_allowed"):
        resend_message(actor=leader, now=LATER, message_id=row.pk, reason="再发")
    assert Journal.objects.filter(event="accounts.message.resend", is_refused=False).get().reason == "号码已开机"


def test_nothing_is_sent_again_to_whom_it_is_not_wanted() -> None:
    row = left()
    wish = record_optout(actor=actor("seat"), now=NOW, number=REAL)
    send(Line())
    leader = actor("line_leader")
    with pytest.raises(Refused, match=r"message\.opted_out"):
        resend_message(actor=leader, now=LATER, message_id=row.pk, reason="再发")
    end_optout(actor=leader, now=LATER, optout_id=wish.pk)
    resend_message(actor=leader, now=LATER, message_id=row.pk, reason="本人要求恢复")
    assert send(Line(), LATER) == 1


def test_sending_again_needs_the_right_and_the_area() -> None:
    row = left()
    mark_failed(row, "rejected")
    for stranger in (actor("seat"), actor("line_leader", div="3201")):
        with pytest.raises(Denied):
            resend_message(actor=stranger, now=LATER, message_id=row.pk, reason="再发")
    assert fresh(row).state == "failed"


def test_the_list_holds_what_leaves_the_house_only() -> None:
    elder = make_elder()
    row = left("a", about=elder)
    notify(now=NOW, about=elder, to=Recipient(user_id=make_user().pk), key="s", title="站内", text="")
    assert list(sent_messages(WIDE)) == [row]


def test_an_identity_number_never_leaves_the_house() -> None:
    with pytest.raises(Refused, match=r"message\.id_number"):
        left(text="身份证号 32021319500101001X 或 110101199003070011")
    assert not Notice.objects.exists()


def test_a_wording_of_the_area_is_taken_and_the_default_comes_back() -> None:
    elder, admin = make_elder(), actor("city")
    to, said = Recipient(channel="sms", address=REAL), Worded("appointed", {"at": "06-16 10:00"})
    plain = notify(now=NOW, about=elder, to=to, key="a", title="t", template=said)
    assert (plain.text, plain.kind, plain.template_version) == (
        "服务人员 06-16 10:00 上门，比预约的时间有调整",
        "service",
        0,
    )
    first = write_wording(actor=admin, now=NOW, code="appointed", text="{at} 上门服务", reason="更短")
    second = write_wording(actor=admin, now=NOW, code="appointed", text="服务人员将于 {at} 到家", reason="更清楚")
    assert (first.number, second.number, MessageTemplate.objects.get(to_at=None).pk) == (1, 2, second.pk)
    own = notify(now=NOW, about=elder, to=to, key="b", title="t", template=said)
    assert (own.text, own.template_version) == ("服务人员将于 06-16 10:00 到家", 2)
    end_wording(actor=admin, now=NOW, wording_id=second.pk, reason="恢复")
    again = notify(now=NOW, about=elder, to=to, key="c", title="t", template=said)
    assert (again.text, again.template_version) == (plain.text, 0)
    with pytest.raises(NotAllowed, match=r"wording\.ended"):
        end_wording(actor=admin, now=NOW, wording_id=second.pk, reason="恢复")


@pytest.mark.parametrize(
    ("code", "text", "refusal"),
    [
        ("nothing", "x", r"wording\.code"),
        ("appointed", "{phone}", r"wording\.place"),
        ("appointed", "诊断结果", r"wording\.private"),
    ],
)
def test_a_wrong_wording_is_refused_and_nothing_changes(code: str, text: str, refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        write_wording(actor=actor("city"), now=NOW, code=code, text=text, reason="x")
    assert not MessageTemplate.objects.exists()


def test_who_has_no_right_writes_no_wording() -> None:
    with pytest.raises(Denied):
        write_wording(actor=actor("seat"), now=NOW, code="appointed", text="{at} 上门", reason="x")
    assert not MessageTemplate.objects.exists()


def test_a_fault_of_the_database_while_marking_holds_up_no_other_message() -> None:
    line = Line(ids=lambda key: ["x" * 101] if key == "a" else [f"id-{key}"])
    first, second = left("a"), left("b", "13900000002")
    assert send(line) == 1
    assert (fresh(first).state, fresh(first).try_count, fresh(second).state) == ("waiting", 1, "sent")


def test_two_receivers_of_wechat_are_never_taken_for_one() -> None:
    elder = make_elder()
    for number, address in enumerate(("oA1b2c3", "oX1y2z3")):
        to = Recipient(channel="wechat", address=address)
        notify(now=NOW, about=elder, to=to, key=f"w{number}", title="通知", text="明天上门")
    assert len(set(Notice.objects.values_list("address_index", flat=True))) == 2
