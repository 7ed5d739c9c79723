"""Devices of the made-up city, and what a few of them reported: played through the operations, signed like everything else."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from yinling.demo.applications import Clerks
from yinling.demo.bodies import Bodies
from yinling.demo.elders import People
from yinling.demo.rows import insert
from yinling.devices.envelopes import sign
from yinling.devices.models import Alarm, Device
from yinling.devices.operations import (
    acknowledge_alarm,
    contact_alarm,
    depart_alarm,
    dismiss_alarm,
    report_event,
    resolve_alarm,
)
from yinling.devices.states import DeviceState
from yinling.kernel.period import local_date
from yinling.people.models import Elder

SHARE = 0.09
"""Of the elders who are alive: just below the tenth that a plan asks for."""
KINDS = ("button", "button", "button", "phone", "smoke", "band", "infrared", "gas", "fall", "bed")
FUNDINGS = ("state", "state", "lottery", "self", "donation")
PLACES = {"button": "卧室床头", "smoke": "厨房", "gas": "厨房", "bed": "卧室", "infrared": "客厅", "fall": "卫生间"}
HALL = (
    ("smoke", "一楼大厅"),
    ("smoke", "二楼走廊"),
    ("button", "201 床头"),
    ("button", "202 床头"),
    ("water", "开水间"),
)
MINUTE = 1 / 1440


def demo_key(serial: str) -> str:
    """The key of a made-up device, so that anybody can try to sign for it."""
    return f"yinling-demo-key-{serial}"


def load_devices(people: People, bodies: Bodies, now: datetime) -> None:
    """Give some elders a device each, the demonstration's own elder two, and a care home its own; a few are silent or run low."""
    assert people.demo is not None  # noqa: S101 - made by the step before
    dice = Random(11)
    rows: list[Device] = []
    alive = [one for one in people.elders if one.died_on is None and one is not people.demo]
    chosen = dice.sample(alive, round(len(alive) * SHARE))
    for place, elder in enumerate(chosen):
        rows.append(_device(dice, now, KINDS[place % len(KINDS)], len(rows), elder=elder))
    for kind in ("button", "band"):
        rows.append(_device(dice, now, kind, len(rows), elder=people.demo))
        rows[-1].last_seen_at, rows[-1].battery = now - timedelta(minutes=9), 76
    home = next((body for body in bodies.all if body.kind in ("care_home", "nursing_home", "care_centre")), None)
    for kind, spot in HALL:
        if home is not None:
            rows.append(_device(dice, now, kind, len(rows)))
            rows[-1].provider, rows[-1].div, rows[-1].place, rows[-1].funding = home, home.div, spot, "provider"
    for row in rows:
        row.seal_field("key", demo_key(row.serial))
    insert(rows)


def _device(dice: Random, now: datetime, kind: str, number: int, *, elder: Elder | None = None) -> Device:
    is_silent = number % 37 == 5  # noqa: PLR2004 - a few
    seen = now - (timedelta(hours=dice.randint(6, 60)) if is_silent else timedelta(minutes=dice.randint(2, 58)))
    long_ago = now - timedelta(days=dice.randint(40, 600))
    row = Device(
        div=elder.div if elder else "", serial=f"YL-{kind[:3].upper()}-{number + 1:05d}", kind=kind, state=DeviceState.ACTIVE, elder=elder,
        maker="示例厂家（虚构）", funding=FUNDINGS[number % len(FUNDINGS)], place=PLACES.get(kind, ""), interval_s=3600,
        installed_on=local_date(long_ago), last_seen_at=seen, newest_at=seen, newest_seq=1, created_at=long_ago, changed_at=long_ago,
        battery=12 if number % 41 == 7 else dice.randint(35, 100),  # noqa: PLR2004 - a few run low
    )  # fmt: skip
    if kind in ("phone", "band"):
        row.set_sim(f"1990000{9000 + number % 500:04d}")
    return row


def load_alarms(people: People, now: datetime) -> None:
    """Leave alarms in several states: resolved, false, and one that somebody is on the way for."""
    clerks = Clerks(now)
    near = Device.objects.filter(elder__isnull=False, state=DeviceState.ACTIVE).exclude(elder=people.demo)
    buttons = list(near.filter(kind="button").order_by("pk")[:2])
    falls = list(near.filter(kind__in=["fall", "smoke"]).order_by("pk")[:1])
    ends = ((3.2, resolve_alarm, "老人头晕，已联系女儿陪同就医"), (1.4, dismiss_alarm, "老人整理床铺时误按，声音正常"))
    for (days, verb, said), device in zip(ends, buttons, strict=False):
        alarm = _raised(clerks, device, "sos", days)
        clerks.act("seat", days - 0.3 * MINUTE, acknowledge_alarm, alarm_id=alarm.pk, note="正在拨打老人电话")
        clerks.act("seat", days - MINUTE, contact_alarm, alarm_id=alarm.pk, contact="reached")
        clerks.act("seat", days - 12 * MINUTE, verb, alarm_id=alarm.pk, result=said)
    for device in falls:
        alarm = _raised(clerks, device, "fall" if device.kind == "fall" else "smoke", 6 * MINUTE)
        clerks.act("seat", 5.7 * MINUTE, acknowledge_alarm, alarm_id=alarm.pk, note="电话无人接听，通知社区")
        clerks.act("seat", 5 * MINUTE, contact_alarm, alarm_id=alarm.pk, contact="reached")
        clerks.act("seat", 4 * MINUTE, depart_alarm, alarm_id=alarm.pk, helper="社区网格员（虚构）")


def _raised(clerks: Clerks, device: Device, kind: str, days_ago: float) -> Alarm:
    at = clerks.now - timedelta(days=days_ago)
    envelope = {
        "v": 1, "dev": device.serial, "msg_id": f"{device.serial}-2", "seq": 2, "boot": 1, "ts_dev": int(at.timestamp() * 1000), "kind": kind,
        "data": {"battery": device.battery},
    }  # fmt: skip
    clerks.act("device_platform", days_ago, report_event, messages=[sign(envelope, demo_key(device.serial))])
    alarm: Alarm = Alarm.objects.filter(device=device).latest("pk")
    return alarm
