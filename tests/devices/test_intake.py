"""What devices report: each message once, in any order, with any clock; forged ones never; a call for help always."""

import random
import threading
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from tests.devices.makers import agree_to_position, envelope, make_device, message, pos
from tests.factories import (
    CITY,
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    WIDE,
    actor,
    make_area_tree,
    make_elder,
    make_organisation,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.devices.envelopes import sign
from yinling.devices.models import Alarm, AlarmStep, Delivery, Device, DeviceEvent, DeviceTask
from yinling.devices.operations import report_event
from yinling.ground.scope import scope
from yinling.hotline.models import MARKED, SOS, Call
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refusal, Refused

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


def platform() -> Actor:
    make_area_tree()
    system()
    return actor("device_platform")


def report(who: Actor, *messages: str, now: datetime = NOW) -> Delivery:
    with scope(who):
        return report_event(actor=who, now=now, messages=list(messages))


def outcomes(delivery: Delivery) -> list[str]:
    return [one["outcome"] for one in delivery.outcomes]


def contents() -> dict[str, list[dict[str, Any]]]:
    models = (Device, DeviceEvent, Delivery, Alarm, AlarmStep, DeviceTask, Call, Notice)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def end_state() -> list[Any]:
    """What is left of messages, whatever their order of arrival: alarms and devices without their row numbers."""
    alarm_names = (
        "kind",
        "state",
        "raised_at",
        "latest_at",
        "message_count",
        "is_late",
        "lon",
        "lat",
        "datum",
        "level",
    )
    device_names = ("serial", "battery", "newest_at", "newest_boot", "newest_seq", "lon", "lat", "positioned_at")
    alarms = Alarm.objects.order_by("device__serial", "kind").values_list("device__serial", *alarm_names)
    return [
        list(alarms), list(Device.objects.order_by("serial").values_list(*device_names)), DeviceEvent.objects.count(),
        Call.objects.count(), sorted(DeviceTask.objects.filter(state="open").values_list("device__serial", "kind")),
    ]  # fmt: skip


@pytest.mark.req("R-IOT-02", "R-CALL-14")
def test_a_call_for_help_stands_in_the_one_queue_before_ordinary_calls(wide: Any) -> None:
    who, elder = platform(), make_elder()
    device = make_device(elder, place="卧室床头")
    delivery = report(who, message(device, pos=pos(acc_m=8)))
    alarm = Alarm.objects.get()
    assert (outcomes(delivery), delivery.outcomes[0]["alarm"]) == (["alarm"], alarm.pk)
    assert (alarm.state, alarm.kind, alarm.level, alarm.elder_id, alarm.div) == (
        "raised",
        "sos",
        0,
        elder.pk,
        COMMUNITY,
    )
    assert (alarm.lon, alarm.lat, alarm.datum, alarm.accuracy_m, alarm.placed_at) == (120.3, 31.57, "wgs84", 8, NOW)
    assert alarm.address == f"{elder.household.address} 卧室床头"
    call = alarm.call
    assert call is not None
    assert (call.state, call.channel, call.rank, call.elder_id, call.div) == (
        "ringing",
        "device",
        SOS,
        elder.pk,
        COMMUNITY,
    )
    assert Journal.objects.filter(event="devices.alarm.raise", elder_id=elder.pk).count() == 1


@pytest.mark.req("R-IOT-02")
def test_the_coordinate_system_of_the_position_is_kept(wide: Any) -> None:
    who = platform()
    gcj, unknown = make_device(make_elder()), make_device(make_elder())
    report(who, message(gcj, pos=pos(crs="GCJ-02")), message(unknown, pos=pos(crs="")))
    one, other = Alarm.objects.get(device=gcj), Alarm.objects.get(device=unknown)
    assert one.datum == "gcj02"
    assert one.lon != 120.30
    assert (other.lon, other.place_problem) == (None, "no_crs")
    assert DeviceEvent.objects.get(device=gcj).pos == pos(crs="GCJ-02")


def test_twice_is_once(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    text = message(device)
    assert outcomes(report(who, text, text)) == ["alarm", "repeated"]
    before = end_state()
    assert outcomes(report(who, text, now=LATER)) == ["repeated"]
    assert end_state() == before
    assert (Alarm.objects.get().message_count, DeviceEvent.objects.count()) == (1, 1)


def test_the_order_of_arrival_changes_nothing(wide: Any) -> None:
    """Messages of six devices, sent one to three times and shuffled, leave what the same messages leave in order."""
    who, dice = platform(), random.Random(5)
    elders = [make_elder() for _ in range(6)]
    for elder in elders:
        agree_to_position(elder)
    fenced = {"fence_lon": 120.30, "fence_lat": 31.57, "fence_radius_m": 300}
    fleet = [make_device(elder, **fenced) for elder in elders]
    sent: list[str] = []
    for device in fleet:
        for seq in range(40):
            kind = dice.choice(["hb", "hb", "batt", "geo", "geo", "sos", "fall", "smoke"])
            at = NOW - timedelta(seconds=4 * (41 - seq))
            where = pos(lon=120.30 + dice.choice([0, 0, 0.02]), acc_m=dice.choice([5, 300]))
            boot, count = (1, seq) if seq < 25 else (2, seq - 25)
            more = {"boot": boot, "data": {"battery": dice.randrange(5, 100)}, "pos": where}
            sent.append(message(device, kind, count, at, **more))
    with transaction.atomic():
        report(who, *sent)
        wanted = end_state()
        assert wanted[2] == len(sent)
        transaction.set_rollback(True)
    shuffled = [text for text in sent for _ in range(dice.randint(1, 3))]
    dice.shuffle(shuffled)
    for start in range(0, len(shuffled), 7):
        report(who, *shuffled[start : start + 7])
    assert end_state() == wanted
    assert Alarm.objects.filter(kind="geo").count() > 0


def test_a_flood_is_one_alarm(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    for start in range(0, 300, 100):
        report(who, *[message(device, seq=seq) for seq in range(start, start + 100)])
    assert (Alarm.objects.get().message_count, Call.objects.count()) == (300, 1)


@pytest.mark.parametrize("at", [datetime(1970, 1, 2, tzinfo=UTC), NOW + timedelta(days=400), None, "later", 0])
def test_no_clock_drops_a_call_for_help(wide: Any, at: Any) -> None:
    who, device = platform(), make_device(make_elder())
    report(who, message(device, at=at))
    alarm, event = Alarm.objects.get(), DeviceEvent.objects.get()
    assert (alarm.raised_at, alarm.is_late, alarm.is_skewed) == (NOW, False, True)
    assert (event.ts_rx, event.ts_eff, event.is_skewed) == (NOW, NOW, True)
    assert DeviceTask.objects.get().kind == "clock"


@pytest.mark.parametrize("where", [{"lon": 999, "lat": 0, "crs": "WGS84"}, {"lon": "?"}, {}, "here", {"crs": "\x00"}])
def test_no_position_drops_a_call_for_help(wide: Any, where: Any) -> None:
    who, device = platform(), make_device(make_elder())
    assert outcomes(report(who, message(device, pos=where))) == ["alarm"]
    assert Alarm.objects.get().lon is None


def test_a_late_call_for_help_opens_an_alarm_and_is_marked(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    report(who, message(device, at=NOW - timedelta(hours=2)))
    alarm = Alarm.objects.get()
    assert (alarm.is_late, alarm.raised_at, alarm.received_at) == (True, NOW - timedelta(hours=2), NOW)
    assert set(alarm.steps.values_list("due_at", flat=True)) == {NOW + timedelta(seconds=s) for s in (0, 60, 120, 180)}


def test_a_device_that_lost_its_count_is_heard(wide: Any) -> None:
    """After a restart it begins with number 1 of boot 1 again: another message, not the old one."""
    who, device = platform(), make_device(make_elder())
    report(who, message(device, "hb", 1))
    assert outcomes(report(who, message(device, "sos", 1, LATER), now=LATER)) == ["alarm"]
    assert outcomes(report(who, message(device, "sos", 1, LATER), now=LATER)) == ["repeated"]
    assert list(DeviceEvent.objects.order_by("copy").values_list("kind", "copy")) == [("hb", 0), ("sos", 1)]


def test_a_reboot_counts_on(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    report(who, message(device, "hb", 900, data={"battery": 50}), now=NOW)
    report(who, message(device, "hb", 1, LATER, boot=2, data={"battery": 90}), now=LATER)
    report(who, message(device, "hb", 901, NOW - timedelta(minutes=1), data={"battery": 51}), now=LATER)
    device.refresh_from_db()
    assert (device.battery, device.newest_boot, device.newest_seq, device.last_seen_at) == (90, 2, 1, LATER)


def test_a_forged_message_and_an_unknown_device_are_refused(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    with refused(who, Denied, "event.refused"):
        report_event(actor=who, now=NOW, messages=[message(device, key="guessed")])
    unknown = envelope(device) | {"dev": "NOBODY"}
    with refused(who, Denied, "event.refused"):
        report_event(actor=who, now=NOW, messages=[sign(unknown, "x"), "rubbish"])


def test_what_is_forged_among_others_is_left_out_and_on_record(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    delivery = report(who, message(device, seq=1, key="guessed"), message(device, seq=2))
    assert outcomes(delivery) == ["event.forged", "alarm"]
    row = Journal.objects.get(event="devices.event.report")
    assert row.changes["refused"] == ["event.forged"]
    assert DeviceEvent.objects.get().seq == 2


def test_a_platform_sees_no_devices_of_another_city(wide: Any) -> None:
    who, device = platform(), make_device(make_elder(div=OTHER_COMMUNITY))
    elsewhere = actor("device_platform", div="320213")
    with refused(elsewhere, Denied, "event.refused"):
        report_event(actor=elsewhere, now=NOW, messages=[message(device)])
    assert outcomes(report(who, message(device))) == ["alarm"]


def test_no_messages_and_too_many_are_refused(wide: Any) -> None:
    who = platform()
    with refused(who, Refused, "event.none"):
        report_event(actor=who, now=NOW, messages=[])
    with refused(who, Refused, "event.too_many"):
        report_event(actor=who, now=NOW, messages=["x"] * 501)


def test_only_a_platform_reports(wide: Any) -> None:
    seat, device = actor("seat"), make_device(make_elder())
    with refused(seat, Denied, "right.missing"):
        report_event(actor=seat, now=NOW, messages=[message(device)])


def test_a_removed_device_is_heard_when_it_calls_for_help(wide: Any) -> None:
    who, device = platform(), make_device(make_elder(), state="removed")
    with refused(who, Denied, "event.refused"):
        report_event(actor=who, now=NOW, messages=[message(device, "hb")])
    assert outcomes(report(who, message(device, "sos", 2))) == ["alarm"]


@pytest.mark.req("R-IOT-07")
@pytest.mark.parametrize(
    ("kind", "data", "rank"),
    [
        ("smoke", {}, SOS),
        ("gas", {}, SOS),
        ("water", {}, SOS),
        ("motion", {"alarm": True}, MARKED),
        ("sos", {}, SOS),
        ("fall", {}, SOS),
    ],
)
def test_every_kind_of_watch_raises_its_alarm(wide: Any, kind: str, data: dict[str, Any], rank: int) -> None:
    who, device = platform(), make_device(make_elder())
    report(who, message(device, kind, data=data))
    assert list(Alarm.objects.values_list("kind", "call__rank")) == [(kind, rank)]


def test_a_sensor_that_is_well_again_raises_none(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    assert outcomes(report(who, message(device, "smoke", data={"state": "clear"}))) == ["taken"]
    assert not Alarm.objects.exists()


def test_kinds_have_alarms_of_their_own_and_devices_of_an_elder_share_them(wide: Any) -> None:
    who, elder = platform(), make_elder()
    button, phone = make_device(elder), make_device(elder, kind="phone")
    report(who, message(button, "sos"), message(phone, "sos"), message(phone, "fall", 2))
    assert sorted(Alarm.objects.values_list("kind", "message_count")) == [("fall", 1), ("sos", 2)]


@pytest.mark.req("R-IOT-03")
def test_a_device_of_a_facility_raises_an_alarm_of_the_facility(wide: Any) -> None:
    who, home = platform(), make_organisation(kind="care_home")
    smoke, other = (make_device(provider=home, kind="smoke", place=place) for place in ("二楼走廊", "厨房"))
    report(who, message(smoke, "smoke"), message(other, "smoke"))
    assert list(Alarm.objects.order_by("pk").values_list("elder", "provider", "div")) == [(None, home.pk, home.div)] * 2
    assert [call.elder_id for call in Call.objects.all()] == [None, None]


def test_a_low_battery_is_a_task_and_no_alarm(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    report(who, message(device, "batt", 1, data={"battery": 12}))
    report(who, message(device, "batt", 2, LATER, data={"battery": 11}), now=LATER)
    task = DeviceTask.objects.get()
    assert (task.kind, task.state, Alarm.objects.count()) == ("battery", "open", 0)
    report(who, message(device, "batt", 3, LATER, data={"battery": 100}), now=LATER)
    task.refresh_from_db()
    assert (task.state, task.done_at) == ("done", LATER)


def test_what_a_body_measured_is_sealed(wide: Any) -> None:
    who, device = platform(), make_device(make_elder(), kind="band")
    report(who, message(device, "vital", data={"heart": 131, "alarm": True}))
    event = DeviceEvent.objects.get()
    assert (event.facts, event.unseal_field("facts")) == ({}, '{"heart": 131, "alarm": true}')
    assert Alarm.objects.get().kind == "vital"


def test_positions_are_kept_with_consent_or_in_an_emergency(wide: Any) -> None:
    who, elder = platform(), make_elder()
    device = make_device(elder, kind="band")
    report(who, message(device, "geo", 1, pos=pos()), message(device, "sos", 2, pos=pos()))
    kinds = dict(DeviceEvent.objects.values_list("kind", "pos"))
    assert kinds == {"geo": None, "sos": pos()}
    assert Alarm.objects.get().lon == 120.3
    agree_to_position(elder)
    report(who, message(device, "geo", 3, pos=pos()))
    assert DeviceEvent.objects.get(seq=3).pos == pos()


def test_who_withdrew_the_consent_is_not_located_even_then(wide: Any) -> None:
    who, elder = platform(), make_elder()
    consent = agree_to_position(elder)
    type(consent).objects.filter(pk=consent.pk).update(valid_to=NOW.date() - timedelta(days=1))
    report(who, message(make_device(elder), pos=pos()))
    alarm = Alarm.objects.get()
    assert (alarm.lon, alarm.place_problem, DeviceEvent.objects.get().pos) == (None, "withheld", None)


@pytest.mark.req("R-IOT-06")
def test_leaving_the_fence_is_an_alarm_once(wide: Any) -> None:
    who, elder = platform(), make_elder()
    agree_to_position(elder)
    band = make_device(elder, kind="band", fence_lon=120.30, fence_lat=31.57, fence_radius_m=500)
    way = [(0, 10), (540, 10), (900, 10), (1200, 10), (1300, 300), (520, 10), (200, 10), (900, 10)]
    said = []
    for seq, (east_m, accuracy) in enumerate(way):
        at = NOW + timedelta(minutes=seq)
        text = message(band, "geo", seq, at, pos=pos(120.30 + east_m / 95_050, acc_m=accuracy))
        said.append(outcomes(report(who, text, now=at))[0])
        if seq == 3:
            Alarm.objects.update(state="acknowledged", acknowledged_at=at)
            Alarm.objects.update(state="resolved", ended_at=at, result="家属接回")
    assert said == ["taken", "taken", "alarm", "alarm", "taken", "taken", "taken", "alarm"]
    assert list(Alarm.objects.order_by("pk").values_list("kind", "level", "state")) == [
        ("geo", 1, "resolved"),
        ("geo", 1, "raised"),
    ]


def test_a_device_follows_its_elder_to_another_home(wide: Any) -> None:
    who, elder = platform(), make_elder()
    device = make_device(elder)
    type(elder).objects.filter(pk=elder.pk).update(div=OTHER_COMMUNITY)
    report(who, message(device))
    device.refresh_from_db()
    assert (device.div, Alarm.objects.get().div) == (OTHER_COMMUNITY, OTHER_COMMUNITY)


@pytest.mark.django_db(transaction=True)
def test_two_batches_at_once_make_one_alarm() -> None:
    with scope(WIDE):
        who, elder = platform(), make_elder()
        fleet = [make_device(elder), make_device(elder)]
    gate, faults = threading.Barrier(2), []

    def send(order: list[Device]) -> None:
        try:
            gate.wait()
            for seq in range(5):
                report(who, *[message(device, seq=seq + 10 * device.pk) for device in order])
        except Exception as error:  # noqa: BLE001 - told by the main thread
            faults.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=send, args=[order]) for order in (fleet, fleet[::-1])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
    with scope(WIDE):
        assert [row.message_count for row in Alarm.objects.all()] == [10]
        assert Call.objects.filter(div__startswith=CITY).count() == 1
