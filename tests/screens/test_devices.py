"""Alarms and devices on the screen: the queue with its sound, one alarm with its chain, the register, tasks, facilities."""

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.devices.makers import agree_to_position, make_device, message, pos
from tests.devices.test_intake import platform, report
from tests.factories import NOW, OTHER_DISTRICT, actor, make_elder, make_organisation, make_seat

from yinling.accounts.models import Journal
from yinling.devices.models import Alarm, Device, DeviceTask
from yinling.ground import models
from yinling.hotline.models import Handover
from yinling.kernel.actor import Actor

SignIn = Callable[..., Client]
MOST = 8
DESK_ALARMS = {"HX-Request": "true", "HX-Target": "desk-alarms"}


def body(client: Client, where: str, **headers: str) -> str:
    answer = client.get(where, headers=headers)
    assert answer.status_code == 200, where
    return answer.content.decode()


def raised(elder: Any = None, **values: Any) -> Alarm:
    device = make_device(elder or make_elder(), **values)
    report(platform(), message(device, pos=pos(120.31, 31.57, 12)), now=timezone.now())
    return Alarm.objects.get(device=device)


def queries(client: Client, where: str) -> int:
    with CaptureQueriesContext(connection) as found:
        body(client, where)
    own = [
        one
        for one in found
        if "set_config" not in one["sql"] and "SAVEPOINT" not in one["sql"] and "django_session" not in one["sql"]
    ]
    return len(own)


@pytest.mark.req("R-IOT-01")
def test_the_alarm_page_calls_until_somebody_takes_it_up(sign_in: SignIn) -> None:
    seat = sign_in("seat")
    assert "这里没有报警" in body(seat, "/alarms/")
    alarm = raised()
    text = body(seat, "/alarms/")
    assert 'data-alarm="1"' in text
    assert "王秀英" in text
    assert "/do/acknowledge_alarm/" in text
    answer = seat.post("/do/acknowledge_alarm/", {"alarm_id": alarm.pk, "note": "正在拨打", "_key": "k1"})
    assert answer.status_code == 302
    text = body(seat, "/alarms/")
    assert "data-alarm" not in text
    assert seat.actor.name in text
    assert "正在拨打" in text


def test_an_alarm_shows_position_chain_and_what_to_do(sign_in: SignIn) -> None:
    seat, alarm = sign_in("seat"), raised()
    text = body(seat, f"/alarms/{alarm.pk}/")
    for words in (
        "120.310000, 31.570000 (WGS-84)",
        "距住处 949 米",
        "坐席、家属",
        "由坐席拨打120",
        "受理报警",
        "拨打老人电话",
        "登记联系结果",
    ):
        assert words in text, words
    assert "hand_over_call" not in text
    seat.post("/do/acknowledge_alarm/", {"alarm_id": alarm.pk, "_key": "k1"})
    assert "/do/hand_over_call/" in body(seat, f"/alarms/{alarm.pk}/")
    alarm.refresh_from_db()
    seat.post("/do/resolve_alarm/", {"alarm_id": alarm.pk, "result": "老人平安", "_key": "k2"})
    text = body(seat, f"/alarms/{alarm.pk}/")
    assert "报警已结束，不再显示位置" in text
    assert "120.310000" not in text
    assert "老人平安" in text


@pytest.mark.req("R-IOT-01")
def test_an_alarm_rings_on_the_desk_until_somebody_takes_it_up(sign_in: SignIn) -> None:
    seat = sign_in("seat")
    assert "data-alarm" not in body(seat, "/desk/", **DESK_ALARMS)
    alarm = raised()
    part = body(seat, "/desk/", **DESK_ALARMS)
    assert "<html" not in part
    for words in ('data-alarm="1"', "王秀英", f"/alarms/{alarm.pk}/#where", "/do/acknowledge_alarm/"):
        assert words in part, words
    assert "alarm.js" in body(seat, "/desk/")
    seat.post("/do/acknowledge_alarm/", {"alarm_id": alarm.pk, "_key": "k1"})
    assert "data-alarm" not in body(seat, "/desk/", **DESK_ALARMS)


def test_the_desk_shows_the_first_alarms_and_counts_them_to_a_hundred(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = sign_in("seat")
    for _ in range(7):
        raised()
    text = body(seat, "/desk/", **DESK_ALARMS)
    assert text.count("/#where") == 5
    assert "有 7 个报警没有人受理" in text
    monkeypatch.setattr(models.ScopedQuerySet, "counted", lambda _rows, tabs: dict.fromkeys(tabs, models.MOST_COUNTED))
    assert "有 99+ 个报警没有人受理" in body(seat, "/desk/", **DESK_ALARMS)
    assert "有 99+ 个报警没有人受理" in body(seat, "/alarms/")


def test_a_seat_of_another_area_hears_nothing(sign_in: SignIn) -> None:
    raised()
    assert "data-alarm" not in body(sign_in(actor("seat", div=OTHER_DISTRICT)), "/desk/", **DESK_ALARMS)


def test_the_map_has_the_place_and_the_home_while_the_alarm_is_open(sign_in: SignIn) -> None:
    seat, alarm = sign_in("seat"), raised()
    text = html.unescape(body(seat, f"/alarms/{alarm.pk}/"))
    told = json.loads(re.search(r"data-routes='([^']*)'|data-routes=\"(\[.*?\])\"", text)[2])  # type: ignore[index]
    assert [one["name"] for one in told] == ["报警时的位置", "住处"]
    assert told[0]["stops"][0] | {"text": ""} == {"lat": 31.57, "lon": 120.31, "text": ""}
    assert 'id="where"' in text
    seat.post("/do/acknowledge_alarm/", {"alarm_id": alarm.pk, "_key": "k1"})
    seat.post("/do/resolve_alarm/", {"alarm_id": alarm.pk, "result": "老人平安", "_key": "k2"})
    text = html.unescape(body(seat, f"/alarms/{alarm.pk}/"))
    assert 'data-routes="[]"' in text
    assert 'id="where"' not in text


def test_a_live_notice_redraws_the_list_alone(sign_in: SignIn) -> None:
    seat, _alarm = sign_in("seat"), raised()
    part = body(seat, "/alarms/", **{"HX-Request": "true", "HX-Target": "alarm-list"})
    assert "<html" not in part
    assert "王秀英" in part


def test_the_second_seat_reads_who_was_first(sign_in: SignIn) -> None:
    one, other, alarm = sign_in("seat"), sign_in("seat"), raised()
    one.post("/do/acknowledge_alarm/", {"alarm_id": alarm.pk, "_key": "k1"})
    answer = other.post("/do/acknowledge_alarm/", {"alarm_id": alarm.pk, "_key": "k2"})
    assert answer.status_code == 409
    assert f"这个报警已由{one.actor.name}受理" in answer.content.decode()


@pytest.mark.parametrize("where", ["/alarms/", "/devices/", "/devices/tasks/", "/devices/facilities/"])
def test_lists_take_the_same_few_queries_for_one_and_for_three_rows(sign_in: SignIn, where: str) -> None:
    seat = sign_in("city")
    raised()
    home = make_organisation(kind="care_home")
    first = make_device(provider=home, kind="smoke")
    task = {"div": first.div, "kind": "silent", "opened_at": NOW, "created_at": NOW, "changed_at": NOW}
    DeviceTask.objects.create(device=first, **task)
    body(seat, where)
    one = queries(seat, where)
    for _ in range(2):
        raised()
        DeviceTask.objects.create(device=make_device(provider=home, kind="smoke"), **task)
    assert queries(seat, where) == one
    assert one <= MOST


@pytest.mark.req("R-IOT-03", "R-IOT-05")
def test_the_register_shows_funding_batteries_silence_and_facilities(sign_in: SignIn) -> None:
    seat = sign_in("city")
    assert "还没有登记设备" in body(seat, "/devices/")
    now = timezone.now()
    elder = make_elder(name="钱阿婆")
    quiet = make_device(elder, funding="lottery", last_seen_at=now - timedelta(days=3))
    low = make_device(make_elder(name="孙老伯"), battery=9, last_seen_at=now)
    home = make_organisation(kind="care_home", short_name="福寿院")
    make_device(provider=home, kind="smoke", last_seen_at=now)
    text = body(seat, "/devices/")
    assert "福彩公益金" in text
    assert "失联" in text
    only = {
        name: body(seat, f"/devices/?{name}")
        for name in ("silent=1", "low=1", f"q={quiet.serial}", "q=孙老伯", f"elder={elder.pk}")
    }
    listed = {
        name: [one.serial for one in (quiet, low) if f"/devices/{one.pk}/" in text] for name, text in only.items()
    }
    assert listed == {
        "silent=1": [quiet.serial], "low=1": [low.serial], f"q={quiet.serial}": [quiet.serial], "q=孙老伯": [low.serial],
        f"elder={elder.pk}": [quiet.serial],
    }  # fmt: skip
    assert "福寿院" in body(seat, "/devices/facilities/")


def test_a_device_is_entered_from_the_file_of_an_elder(sign_in: SignIn) -> None:
    worker, elder = sign_in("city"), make_elder()
    assert f'href="/devices/?elder={elder.pk}"' in body(worker, f"/elders/{elder.pk}/")
    assert elder.name in body(worker, f"/devices/new/?elder={elder.pk}")
    assert elder.name in body(worker, "/devices/new/?q=王秀英")
    values = {
        "serial": "BTN-9",
        "kind": "button",
        "funding": "self",
        "elder_id": elder.pk,
        "interval_s": 3600,
        "_key": "k1",
    }
    answer = worker.post("/do/register_device/", values)
    assert answer.status_code == 200
    device = Device.objects.get(serial="BTN-9")
    assert device.unseal_field("key") in answer.content.decode()
    text = body(worker, f"/devices/{device.pk}/")
    assert "安装启用" in text
    assert device.unseal_field("key") not in text


def test_a_position_is_shown_for_a_reason_only(sign_in: SignIn) -> None:
    seat, elder = sign_in("seat"), make_elder()
    agree_to_position(elder)
    band = make_device(elder, kind="band")
    report(platform(), message(band, "geo", pos=pos(120.31, 31.58)))
    assert "120.31" not in body(seat, f"/devices/{band.pk}/")
    answer = seat.post("/do/locate_device/", {"device_id": band.pk, "reason": "家属报走失", "_key": "k1"})
    assert "120.310000" in answer.content.decode()
    assert Journal.objects.filter(event="devices.device.locate", elder_id=elder.pk).count() == 1


def test_a_task_is_closed_on_its_page(sign_in: SignIn) -> None:
    worker, device = sign_in("city"), make_device(make_elder())
    task = DeviceTask.objects.create(
        div=device.div, device=device, kind="battery", opened_at=NOW, created_at=NOW, changed_at=NOW
    )
    assert "电量低" in body(worker, "/devices/tasks/")
    worker.post("/do/close_task/", {"task_id": task.pk, "note": "已换电池", "_key": "k1"})
    assert "已换电池" not in body(worker, "/devices/tasks/")
    assert "已换电池" in body(worker, "/devices/tasks/?done=1")


@pytest.mark.parametrize("where", ["/alarms/", "/devices/", "/devices/new/", "/devices/tasks/", "/devices/facilities/"])
def test_without_the_right_there_is_no_page(sign_in: SignIn, where: str) -> None:
    assert sign_in("finance").get(where).status_code == 403


def test_what_is_elsewhere_is_not_found(sign_in: SignIn) -> None:
    stranger: Actor = actor("seat", "320281")
    alarm = raised()
    client = sign_in(stranger)
    assert client.get(f"/alarms/{alarm.pk}/").status_code == 404
    assert client.get(f"/devices/{alarm.device_id}/").status_code == 404


def test_an_alarm_stands_on_the_desk_before_ordinary_calls(sign_in: SignIn) -> None:
    seat = sign_in("seat")
    make_seat(seat.actor)  # type: ignore[attr-defined]
    alarm = raised()
    assert f"/calls/{alarm.call_id}/" in body(seat, "/desk/")


def test_answering_on_the_desk_takes_the_alarm_up_at_once(sign_in: SignIn) -> None:
    seat, alarm = sign_in("seat"), raised()
    make_seat(seat.actor)
    seat.post("/do/answer_call/", {"call_id": alarm.call_id, "_key": "k1"})
    alarm.refresh_from_db()
    assert (alarm.state, alarm.acknowledged_by_id) == ("acknowledged", seat.actor.user_id)
    assert alarm.call is not None
    assert alarm.call.state == "ended"


def test_the_family_sees_what_is_going_on(sign_in: SignIn) -> None:
    elder = make_elder()
    kin = sign_in(actor("family", elders=(elder,)))
    assert "设备报警" not in body(kin, "/e/")
    alarm, seat = raised(elder), sign_in("seat")
    raised()
    text = body(kin, "/e/")
    assert (text.count("设备报警"), "正在通知坐席" in text) == (1, True)
    seat.post("/do/depart_alarm/", {"alarm_id": alarm.pk, "helper": "网格员小王", "_key": "k1"})
    assert "网格员小王 正在赶来" in body(kin, "/e/")


@pytest.mark.req("R-REF-02")
def test_the_health_centre_opens_accepts_and_the_seat_sees_it(sign_in: SignIn) -> None:
    centre = make_organisation(kind="health_centre", div="320213021", short_name="崇安卫生", insured=False)
    doctor, seat, elder = sign_in(actor("doctor", organisation=centre)), sign_in("seat"), make_elder()
    alarm = raised(elder)
    assert "这里没有急救转接" in body(doctor, "/green/")
    seat.post("/do/acknowledge_alarm/", {"alarm_id": alarm.pk, "_key": "k1"})
    seat.post("/do/hand_over_call/", {"call_id": alarm.call_id, "service": "green", "what": "胸痛", "_key": "k2"})
    assert "胸痛" in body(doctor, "/green/")
    row = Handover.objects.get()
    assert elder.name not in body(doctor, f"/green/{row.pk}/")
    answer = doctor.post("/do/open_handover/", {"handover_id": row.pk, "_key": "k3"})
    assert elder.name in answer.content.decode()
    doctor.post("/do/accept_handover/", {"handover_id": row.pk, "answer": "救护车已出发", "_key": "k4"})
    assert f"/green/?call={alarm.call_id}" in body(seat, f"/calls/{alarm.call_id}/")
    assert "救护车已出发" in body(seat, f"/green/?call={alarm.call_id}")
    assert sign_in(actor("doctor", organisation=make_organisation())).get(f"/green/{row.pk}/").status_code == 404
