"""The register of devices, tasks about them, and who may do what."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from tests.devices.makers import KEY, agree_to_position, make_device, message, pos
from tests.devices.test_intake import contents, platform, report
from tests.factories import (
    CITY,
    COMMUNITY,
    NEIGHBOUR,
    NOW,
    OTHER_DISTRICT,
    STREET,
    TODAY,
    actor,
    make_elder,
    make_household,
    make_organisation,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal
from yinling.devices.jobs import find_silent
from yinling.devices.models import Alarm, Device, DeviceTask
from yinling.devices.operations import (
    close_task,
    fence_device,
    import_device,
    install_device,
    locate_device,
    open_task,
    pause_device,
    register_device,
    rekey_device,
    remove_device,
    update_device,
)
from yinling.devices.queries import facilities, fundings, open_alarms_of, times
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=4)


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def run(who: Actor, verb: Any, at: Any = NOW, **values: Any) -> Any:
    with scope(who):
        return verb(actor=who, now=at, **values)


def entered(who: Actor, **values: Any) -> Device:
    chosen = {"serial": "BTN-001", "kind": "button", "funding": "state", **values}
    device: Device = run(who, register_device, **chosen)
    return device


@pytest.mark.req("R-IOT-01", "R-IOT-05")
def test_a_device_is_entered_with_its_funding_and_a_key_shown_once(wide: Any) -> None:
    worker, elder = actor("community", COMMUNITY), make_elder()
    device = entered(worker, elder_id=elder.pk, sim="199-0000-8811", place="卧室床头", funding="lottery")
    assert (device.state, device.div, device.elder_id, device.funding) == ("registered", COMMUNITY, elder.pk, "lottery")
    key = device.plain
    kept = Device.objects.get()
    assert (kept.unseal_field("key"), kept.unseal_field("sim"), kept.sim_last4) == (key, "19900008811", "8811")
    assert len(key) > 40
    assert not hasattr(kept, "plain")
    assert key not in str(Journal.objects.get(event="devices.device.register").changes)
    run(worker, install_device, device_id=device.pk)
    kept.refresh_from_db()
    assert (kept.state, kept.installed_on) == ("active", TODAY)


@pytest.mark.req("R-IOT-05")
def test_who_paid_is_counted(wide: Any) -> None:
    for funding in ("state", "state", "self", "donation"):
        make_device(make_elder(), funding=funding)
    make_device(make_elder(), state="removed")
    assert {one.funding: one.count for one in fundings(actor("district", "320213"))} == {
        "state": 2,
        "self": 1,
        "donation": 1,
    }


@pytest.mark.parametrize(
    ("values", "kind", "code"),
    [
        ({}, Refused, "device.owner"), ({"elder_id": 10**9}, NotFound, "row.not_found"), ({"provider_id": 10**9}, Refused, "device.provider"),
        ({"kind": "drone"}, Refused, "choice.unknown"), ({"funding": "magic"}, Refused, "choice.unknown"),
        ({"serial": " "}, Refused, "text.missing"), ({"sim": "12"}, Refused, "phone.format"), ({"site_id": 10**9}, Refused, "device.site"),
    ],
)  # fmt: skip
def test_what_is_no_device(wide: Any, values: dict[str, Any], kind: type[Refusal], code: str) -> None:
    worker, elder = actor("community", COMMUNITY), make_elder()
    if values and not {"elder_id", "provider_id"} & values.keys():
        values = values | {"elder_id": elder.pk}
    with refused(worker, kind, code):
        register_device(actor=worker, now=NOW, **({"serial": "B", "kind": "button", "funding": "self"} | values))


def test_a_number_stands_once(wide: Any) -> None:
    worker, elder = actor("community", COMMUNITY), make_elder()
    entered(worker, elder_id=elder.pk)
    with refused(worker, Refused, "device.serial_twice"):
        register_device(actor=worker, now=NOW, serial="BTN-001", kind="button", funding="self", elder_id=elder.pk)


@pytest.mark.req("R-IOT-03")
def test_a_facility_enters_its_own_devices_and_sees_them_in_a_group(wide: Any) -> None:
    home, other = make_organisation(kind="care_home"), make_organisation(kind="care_home")
    manager = actor("provider_manager", organisation=home)
    device = entered(manager, provider_id=home.pk, kind="smoke", place="二楼走廊")
    run(manager, install_device, device_id=device.pk)
    make_device(provider=home, kind="bed", last_seen_at=NOW - timedelta(days=2))
    make_device(provider=other, kind="bed")
    with refused(manager, Denied, "right.outside"):
        register_device(actor=manager, now=NOW, serial="X", kind="bed", funding="self", provider_id=other.pk)
    with scope(manager):
        (group,) = facilities(manager, NOW)
    assert (group.organisation_id, group.count, group.silent, dict(group.kinds)) == (
        home.pk,
        2,
        1,
        {"smoke": 1, "bed": 1},
    )


def test_nobody_enters_a_device_elsewhere(wide: Any) -> None:
    worker, elder = actor("community", NEIGHBOUR), make_elder()
    with refused(worker, NotFound, "row.not_found"):
        register_device(actor=worker, now=NOW, serial="B", kind="button", funding="self", elder_id=elder.pk)
    seat = actor("seat")
    with refused(seat, Denied, "right.missing"):
        register_device(actor=seat, now=NOW, serial="B", kind="button", funding="self", elder_id=elder.pk)


def test_a_device_is_changed_paused_and_removed_with_reasons(wide: Any) -> None:
    worker, device = actor("street", STREET), make_device(make_elder(), lon=120.3, lat=31.57, positioned_at=NOW)
    run(
        worker,
        update_device,
        device_id=device.pk,
        funding="self",
        place="客厅",
        interval_s=600,
        sim="19900008812",
        seen=0,
    )
    with refused(worker, Stale, "row.stale"):
        update_device(actor=worker, now=NOW, device_id=device.pk, funding="self", seen=0)
    with refused(worker, Refused, "text.missing"):
        pause_device(actor=worker, now=NOW, device_id=device.pk, reason="")
    run(worker, pause_device, device_id=device.pk, reason="送修")
    run(worker, install_device, device_id=device.pk)
    run(worker, remove_device, device_id=device.pk, reason="老人迁出")
    device.refresh_from_db()
    assert (device.state, device.place, device.sim_last4, device.lon, device.removed_on) == (
        "removed",
        "客厅",
        "8812",
        None,
        TODAY,
    )
    with refused(worker, NotAllowed, "state.not_allowed"):
        install_device(actor=worker, now=NOW, device_id=device.pk)


def test_a_new_key_ends_the_old_one(wide: Any) -> None:
    who, worker, device = platform(), actor("street", STREET), make_device(make_elder())
    new = run(worker, rekey_device, device_id=device.pk, reason="密钥外泄").plain
    with refused(who, Denied, "event.refused"):
        report(who, message(device, key=KEY))
    assert report(who, message(device, key=new)).outcomes[0]["outcome"] == "alarm"


@pytest.mark.req("R-IOT-06")
def test_a_fence_stands_around_the_home_with_consent(wide: Any) -> None:
    worker, elder = actor("street", STREET), make_elder()
    band = make_device(elder, kind="band")
    with refused(worker, Refused, "fence.no_consent"):
        fence_device(actor=worker, now=NOW, device_id=band.pk, radius_m=500)
    agree_to_position(elder)
    run(worker, fence_device, device_id=band.pk, radius_m=500)
    band.refresh_from_db()
    assert (band.fence_lon, band.fence_lat, band.fence_radius_m) == (120.30, 31.57, 500)
    run(worker, fence_device, device_id=band.pk, radius_m=300, lon=120.31, lat=31.58, datum="gcj02")
    band.refresh_from_db()
    assert band.fence_radius_m == 300
    assert band.fence_lon is not None
    assert 120.3 < band.fence_lon < 120.31
    with refused(worker, Refused, "geo.half"):
        fence_device(actor=worker, now=NOW, device_id=band.pk, radius_m=300, lon=120.31)
    run(worker, fence_device, device_id=band.pk, radius_m=0)
    band.refresh_from_db()
    assert (band.fence_radius_m, band.fence) == (None, None)
    homeless = make_elder(household=make_household(lon=None, lat=None))
    agree_to_position(homeless)
    other = make_device(homeless, kind="band")
    with refused(worker, Refused, "fence.no_home"):
        fence_device(actor=worker, now=NOW, device_id=other.pk, radius_m=300)


def test_where_a_device_is_takes_a_reason_that_stays_on_file(wide: Any) -> None:
    seat, elder = actor("seat"), make_elder()
    agree_to_position(elder)
    band = make_device(elder, kind="band")
    with refused(seat, Refused, "device.no_position"):
        locate_device(actor=seat, now=NOW, device_id=band.pk, reason="家属报走失")
    who = platform()
    report(who, message(band, "geo", pos=pos(120.31, 31.58)))
    with refused(seat, Refused, "text.missing"):
        locate_device(actor=seat, now=NOW, device_id=band.pk, reason=" ")
    found = run(seat, locate_device, device_id=band.pk, reason="家属报走失")
    assert list(found.values())[:2] == ["120.310000", "31.580000"]
    row = Journal.objects.get(event="devices.device.locate", is_refused=False)
    assert (row.elder_id, row.reason, row.user_id) == (elder.pk, "家属报走失", seat.user_id)
    worker = actor("community", COMMUNITY)
    with refused(worker, Denied, "right.missing"):
        locate_device(actor=worker, now=NOW, device_id=band.pk, reason="看看")


HEAD = "serial,kind,funding,elder,place,sim,interval_s,key"


def test_a_list_of_devices_is_entered_whole_or_not_at_all(wide: Any) -> None:
    worker = actor("street", STREET)
    one, other = make_elder(), make_elder(name="沈桂英")
    numbers = [elder.unseal_field("id_number") for elder in (one, other)]
    lines = [f"L-1,button,state,{numbers[0]},床头,19900008813,600,{KEY}", f"L-2,smoke,self,{numbers[1]},,,,{KEY}"]
    with refused(worker, Refused, "import.line"):
        import_device(actor=worker, now=NOW, text="\n".join([HEAD, *lines, "L-3,button,state,nobody,,,,short"]))
    with refused(worker, Refused, "import.columns"):
        import_device(actor=worker, now=NOW, text="serial,kind\nL-1,button")
    with refused(worker, Refused, "import.count"):
        import_device(actor=worker, now=NOW, text=HEAD)
    rows = run(worker, import_device, text="﻿" + "\n".join([HEAD, *lines]))
    assert [(row.serial, row.elder_id, row.interval_s) for row in rows] == [
        ("L-1", one.pk, 600),
        ("L-2", other.pk, 3600),
    ]
    assert not hasattr(rows[0], "plain")
    assert Device.objects.get(serial="L-2").unseal_field("key") == KEY


@pytest.mark.req("R-IOT-01")
def test_silent_devices_are_found_and_their_tasks_end_when_they_speak(wide: Any) -> None:
    who, line = platform(), system()
    quiet = make_device(make_elder(), last_seen_at=NOW - timedelta(hours=4))
    make_device(make_elder(), last_seen_at=NOW - timedelta(hours=2))
    make_device(make_elder(), last_seen_at=NOW - timedelta(days=9), state="paused")
    assert run(line, open_task, div=CITY) == 1
    assert run(line, open_task, div=CITY) == 0
    task = DeviceTask.objects.get()
    assert (task.kind, task.device_id, task.state, Alarm.objects.count()) == ("silent", quiet.pk, "open", 0)
    report(who, message(quiet, "hb", at=NOW + timedelta(minutes=1)), now=NOW + timedelta(minutes=1))
    run(line, open_task, at=NOW + timedelta(minutes=2), div=CITY)
    task.refresh_from_db()
    assert (task.state, task.done_by_id) == ("done", None)


def test_many_silent_at_once_are_one_incident(wide: Any) -> None:
    line = system()
    fleet = [make_device(make_elder(), last_seen_at=NOW - timedelta(hours=4)) for _ in range(21)]
    assert run(line, open_task, div=CITY) == 1
    assert [(row.kind, row.count, row.div) for row in DeviceTask.objects.all()] == [("incident", 21, "320213")]
    Device.objects.filter(pk__in=[row.pk for row in fleet[:19]]).update(last_seen_at=NOW)
    assert run(line, open_task, div=CITY) == 2
    assert sorted(DeviceTask.objects.values_list("kind", "state")) == [
        ("incident", "done"),
        ("silent", "open"),
        ("silent", "open"),
    ]


def test_the_round_runs_in_every_city(wide: Any) -> None:
    platform()
    device = make_device(make_elder(), last_seen_at=None)
    Device.objects.filter(pk=device.pk).update(changed_at=NOW - timedelta(days=400))
    assert find_silent(0) == 1


def test_somebody_says_what_was_done_about_a_device(wide: Any) -> None:
    worker, line = actor("community", COMMUNITY), system()
    make_device(make_elder(), last_seen_at=NOW - timedelta(days=1))
    run(line, open_task, div=CITY)
    task = DeviceTask.objects.get()
    with refused(worker, Refused, "text.missing"):
        close_task(actor=worker, now=NOW, task_id=task.pk, note="")
    done = run(worker, close_task, task_id=task.pk, note="已换电池")
    assert (done.state, done.done_by_id, done.note) == ("done", worker.user_id, "已换电池")
    with refused(worker, NotAllowed, "state.not_allowed"):
        close_task(actor=worker, now=NOW, task_id=task.pk, note="再来")
    stranger = actor("community", OTHER_DISTRICT + "100200")
    with refused(stranger, NotFound, "row.not_found"):
        close_task(actor=stranger, now=NOW, task_id=task.pk, note="x")


@pytest.mark.req("R-IOT-04")
def test_the_time_from_alarm_to_contact_is_measured(wide: Any) -> None:
    seat = actor("seat")
    for seconds in (20, 50, 300, None):
        device = make_device(make_elder())
        at = NOW + timedelta(seconds=seconds or 0)
        Alarm.objects.create(
            div=device.div, device=device, elder_id=device.elder_id, kind="sos", level=0, raised_at=NOW, received_at=NOW, latest_at=NOW,
            created_at=NOW, changed_at=NOW,
        )  # fmt: skip
        if seconds:
            Alarm.objects.filter(device=device).update(
                state="acknowledged", acknowledged_at=NOW + timedelta(seconds=5), contacted_at=at
            )
    with scope(seat):
        found = times(seat, NOW - timedelta(days=1))
    assert (found.count, found.contacted, found.acknowledge_s, found.contact_s) == (4, 3, 5, 50)


def test_the_open_alarms_of_an_elder(wide: Any) -> None:
    who, seat, elder = platform(), actor("seat"), make_elder()
    device = make_device(elder)
    report(who, message(device, "water", 1), message(device, "sos", 2))
    with scope(seat):
        assert [row.kind for row in open_alarms_of(seat, elder.pk)] == ["sos", "water"]
