"""Heartbeats go after their time; calls for help, what proves a silence, and everything refused stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from tests.devices.makers import make_device, message
from tests.devices.test_intake import platform, report
from tests.factories import CITY, actor, make_elder, system

from yinling.accounts.models import Journal
from yinling.devices.jobs import forget_heartbeats
from yinling.devices.models import Alarm, Delivery, DeviceEvent, DeviceTask
from yinling.devices.operations import forget_event, open_task
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def at(days: float) -> datetime:
    """So many days ago, by the clock of the business."""
    return timezone.now() - days * DAY


def forget(now: datetime | None = None, **values: Any) -> int:
    line = system()
    with scope(line):
        return forget_event(actor=line, now=now or timezone.now(), div=CITY, **values)


def kept() -> list[tuple[str, int]]:
    return list(DeviceEvent.objects.order_by("pk").values_list("kind", "seq"))


def test_heartbeats_go_after_their_time_and_nothing_else(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    for seq, (kind, days) in enumerate(
        [("hb", 40), ("batt", 31), ("vital", 40), ("sos", 40), ("geo", 40), ("hb", 29), ("hb", 0)]
    ):
        report(who, message(device, kind, seq, at(days)), now=at(days))
    before = device.__class__.objects.get(pk=device.pk)
    assert forget() == 6  # two heartbeats, and the deliveries of these, of the body's measure and of the position
    assert kept() == [("vital", 2), ("sos", 3), ("geo", 4), ("hb", 5), ("hb", 6)]
    assert [row.outcomes[0]["outcome"] for row in Delivery.objects.order_by("pk")] == ["alarm", "taken", "taken"]
    assert Alarm.objects.get().message_count == 1
    device.refresh_from_db()
    assert (device.last_seen_at, device.newest_at, device.newest_seq) == (before.last_seen_at, before.newest_at, 6)
    told = Journal.objects.get(event="devices.event.forget")
    assert (told.changes["heartbeats"], told.changes["deliveries"], told.div) == (2, 4, CITY)
    assert forget() == 0
    assert Journal.objects.filter(event="devices.event.forget").count() == 1


def test_a_delivery_with_a_refused_message_stays(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    report(
        who,
        message(device, "hb", 1, at(40)),
        message(device, "hb", 2, at(40), key="another-key-of-somebody"),
        now=at(40),
    )
    assert forget() == 1
    assert kept() == []
    assert [one["outcome"] for one in Delivery.objects.get().outcomes] == ["taken", "event.forged"]


def test_what_proves_a_silence_outlives_the_heartbeats(wide: Any) -> None:
    who, line, device = platform(), system(), make_device(make_elder(), last_seen_at=None)
    never = make_device(make_elder(), last_seen_at=None)
    heard = at(40)
    report(who, message(device, "hb", 1, heard), now=heard)
    with scope(line):
        open_task(actor=line, now=heard + DAY, div=CITY)
    report(who, message(device, "hb", 2, heard + 2 * DAY), now=heard + 2 * DAY)
    with scope(line):
        open_task(actor=line, now=heard + 2 * DAY, div=CITY)
    forget()
    assert kept() == []
    task = DeviceTask.objects.get(device=device)
    assert (task.kind, task.state, task.heard_at, task.opened_at, task.done_at) == (
        "silent", "done", heard, heard + DAY, heard + 2 * DAY
    )  # fmt: skip
    assert [row.heard for row in DeviceTask.objects.filter(device=never)] in ([], [{never.serial: None}])


def test_an_incident_names_who_was_silent_since_when(wide: Any) -> None:
    line, seen = system(), at(1)
    fleet = [make_device(make_elder(), last_seen_at=seen) for _ in range(21)]
    with scope(line):
        open_task(actor=line, now=timezone.now(), div=CITY)
        late = make_device(make_elder(), last_seen_at=seen)
        open_task(actor=line, now=timezone.now(), div=CITY)
    task = DeviceTask.objects.get()
    assert task.heard == {row.serial: seen.isoformat() for row in [*fleet, late]}
    assert (task.count, task.heard_at) == (22, None)


def test_nobody_else_deletes_and_never_what_is_younger_than_a_week(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    report(who, message(device, "hb", 1, at(6)), message(device, "sos", 2, at(40)), now=at(6))
    assert forget(timezone.now() + 1000 * DAY) == 0
    assert len(kept()) == 2
    for change in (
        "DELETE FROM devices_deviceevent WHERE kind = 'sos'",
        "UPDATE devices_deviceevent SET seq = 9 WHERE kind = 'hb'",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)
    with pytest.raises(Denied), scope(actor("seat")) as _seat:
        forget_event(actor=actor("seat"), now=timezone.now(), div=CITY)


def test_a_heartbeat_that_comes_again_after_its_time_shows_itself_by_its_clock(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    again = message(device, "hb", 1, at(40))
    report(who, again, now=at(40))
    forget()
    report(who, again, now=timezone.now())
    assert DeviceTask.objects.get(state="open").kind == "clock"


def test_a_city_forgets_its_own_in_portions(wide: Any) -> None:
    who, device = platform(), make_device(make_elder())
    report(who, *[message(device, "hb", seq, at(40)) for seq in range(5)], now=at(40))
    assert forget(most=2) == 3
    assert len(kept()) == 3
    assert forget_heartbeats(0) >= 3
    assert kept() == []
