"""Devices over the API: a platform reports with its token, and reads what became of each message."""

from typing import Any

import pytest
from tests.api.conftest import Api
from tests.devices.makers import make_device, message, pos
from tests.factories import make_elder, system

from yinling.devices.models import Alarm, DeviceEvent
from yinling.hotline.models import Call


@pytest.mark.req("R-IOT-01", "R-IOT-02", "R-CALL-14")
def test_a_platform_reports_and_hears_what_became_of_each_message(api: Any) -> None:
    system()
    program: Api = api("device_platform")
    device = make_device(make_elder())
    texts = [
        message(device, "hb", 1, data={"battery": 80}),
        message(device, "sos", 2, pos=pos()),
        message(device, key="forged", seq=3),
    ]
    answer = program.post("/events/report", {"messages": texts})
    assert answer.status_code == 201, answer.content
    outcomes = answer.json()["outcomes"]
    assert [one["outcome"] for one in outcomes] == ["taken", "alarm", "event.forged"]
    assert Call.objects.get().channel == "device"
    again = program.post("/events/report", {"messages": texts})
    assert [one["outcome"] for one in again.json()["outcomes"]] == ["repeated", "repeated", "event.forged"]
    assert (DeviceEvent.objects.count(), Alarm.objects.count()) == (2, 1)


def test_what_is_forged_only_is_refused(api: Any) -> None:
    program: Api = api("device_platform")
    device = make_device(make_elder())
    answer = program.post("/events/report", {"messages": [message(device, key="forged")]})
    assert (answer.status_code, answer.json()["code"]) == (403, "event.refused")
    assert not DeviceEvent.objects.exists()


def test_a_platform_reads_no_elders_devices_or_alarms(api: Any) -> None:
    program: Api = api("device_platform")
    for where in ("/elders", "/devices", "/alarms", "/events"):
        assert program.get(where).status_code == 403


def test_a_seat_reads_the_position_of_an_open_alarm_only(api: Any) -> None:
    system()
    device = make_device(make_elder())
    api("device_platform").post("/events/report", {"messages": [message(device, pos=pos())]})
    seat: Api = api("seat")
    alarm = Alarm.objects.get()
    shown = seat.get(f"/alarms/{alarm.pk}").json()
    assert (shown["position"]["lon"], shown["position"]["datum"], len(shown["steps"])) == (120.3, "wgs84", 4)
    assert seat.post(f"/alarms/{alarm.pk}/acknowledge").status_code == 200
    assert seat.post(f"/alarms/{alarm.pk}/resolve", {"result": "平安"}).status_code == 200
    assert seat.get(f"/alarms/{alarm.pk}").json()["position"] is None
    assert "lon" not in seat.get("/devices").json()["items"][0]
