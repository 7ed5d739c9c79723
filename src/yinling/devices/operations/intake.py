"""What devices report: signed envelopes, kept as they came, each once; calls for help become alarms whatever clock and position say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.db import connection

from yinling.accounts.operations import record
from yinling.devices import envelopes, rules
from yinling.devices.envelopes import Message
from yinling.devices.models import Delivery, Device, DeviceEvent, DeviceTask
from yinling.devices.operations.alarms import raise_alarm
from yinling.devices.queries import next_verdict_before, number_of
from yinling.devices.states import DeviceState, DeviceTaskState
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, note_recorded, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries import consent_withdrawn, consents_of

MOST = 500
POSITION, GEO = "position", "geo"
FULL = 100
STATE = (
    "div", "last_seen_at", "newest_at", "newest_boot", "newest_seq", "has_wrong_clock", "battery", "lon", "lat", "datum", "accuracy_m",
    "positioned_at",
)  # fmt: skip
"""What messages change of a device."""
WELL = N_("设备已恢复正常")
SENTENCE = N_("消息都没有被接受：%(codes)s。请核对设备编号、密钥和格式")


@dataclass
class Round:
    """One batch being taken: who sent it when, the devices it names (locked), and what is known of their messages."""

    actor: Actor
    now: datetime
    devices: dict[str, Device]
    elders: dict[int, Elder]
    known: dict[tuple[int, int, int], list[bytes]]
    alarms: list[int] = field(default_factory=list)
    unwritten: list[tuple[DeviceEvent, dict[str, Any]]] = field(default_factory=list)
    """Messages taken, each with what is told of it, until they are written in one statement."""
    touched: dict[int, Device] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def number(self, key: str, div: str) -> int:
        """Return a parameter, looked up once."""
        if (key, div) not in self.numbers:
            self.numbers[key, div] = number_of(key, div, self.now)
        return self.numbers[key, div]


@operation("devices.event.report", label=N_("上报设备消息"))
def report_event(
    *, actor: Actor, now: datetime,
    messages: Annotated[list[str], Input(N_("消息"), help=N_("每条是设备签名的 JWS：header.payload.signature"), widget="area")],
) -> Delivery:  # fmt: skip
    """Take a batch of signed messages. Each stands once; forged and unknown ones are refused and on record.

    Nothing but forged, unknown or unreadable messages: the whole batch is refused.
    """
    require(actor, "devices.event.report", div=actor.div or "")
    rules.check_batch(len(messages), MOST)
    read = [envelopes.read(text) for text in messages]
    devices = _devices(read)
    faults = [_fault(devices.get(one.dev), one) for one in read]
    if all(faults):
        raise Denied("event.refused", SENTENCE, codes="、".join(sorted(set(faults))), count=len(faults))
    good = [(place, one) for place, one in enumerate(read) if not faults[place]]
    batch = Round(actor, now, devices, _elders(devices), _known(devices, [one for _place, one in good]))
    good.sort(key=lambda pair: (pair[1].at or now, pair[1].boot, pair[1].seq))
    taken = {place: _take(batch, one) for place, one in good}
    _write_events(batch)
    outcomes = [
        {"dev": one.dev, "msg_id": one.msg_id, **taken.get(place, {"outcome": faults[place]})}
        for place, one in enumerate(read)
    ]
    return _close(batch, outcomes, sorted({fault for fault in faults if fault}))


def _devices(read: list[Message]) -> dict[str, Device]:
    """Lock the devices named, in one order, so that two batches wait for each other instead of meeting head-on."""
    serials = {one.dev for one in read if one.dev}
    rows = Device.objects.filter(serial__in=serials).select_for_update(of=("self",)).select_related("provider")
    return {row.serial: row for row in rows.order_by("pk")}


def _elders(devices: dict[str, Device]) -> dict[int, Elder]:
    ids = {row.elder_id for row in devices.values() if row.elder_id}
    rows = Elder.objects.filter(pk__in=ids).select_for_update(of=("self",), no_key=True).select_related("household")
    return {row.pk: row for row in rows.order_by("pk")}


def _fault(device: Device | None, message: Message) -> str:
    """Say why a message is not taken. A removed device is not heard any more, but for a call for help."""
    if message.fault:
        return message.fault
    if device is None:
        return "event.unknown_device"
    if not message.is_signed_with(device.unseal_field("key")):
        return "event.forged"
    is_gone = device.state == DeviceState.REMOVED
    return "event.removed" if is_gone and rules.level_of(message.kind, message.facts) is None else ""


def _known(devices: dict[str, Device], good: list[Message]) -> dict[tuple[int, int, int], list[bytes]]:
    """Return the messages on record with the numbers of these."""
    found: dict[tuple[int, int, int], list[bytes]] = {}
    rows = DeviceEvent.objects.filter(
        device__in=[row.pk for row in devices.values()], seq__in={one.seq for one in good}, boot__in={one.boot for one in good}
    )  # fmt: skip
    for pk, boot, seq, digest in rows.order_by("copy").values_list("device_id", "boot", "seq", "digest"):
        found.setdefault((pk, boot, seq), []).append(bytes(digest))
    return found


def _take(batch: Round, message: Message) -> dict[str, Any]:
    """Keep one message and do what it asks; the second of a message is the first."""
    device = batch.devices[message.dev]
    number = (device.pk, message.boot, message.seq)
    before = batch.known.setdefault(number, [])
    if message.digest in before:
        return {"outcome": "repeated"}
    event, place = _event(batch, device, message, copy=len(before))
    before.append(message.digest)
    told: dict[str, Any] = {"outcome": "taken"}
    batch.unwritten.append((event, told))
    _note_state(batch, device, message, event, place)
    level = rules.level_of(message.kind, message.facts)
    if message.kind == GEO:
        _write_events(batch)  # what the fence said before is asked of the table
        level = rules.HAZARD if _goes_out(device, event) else level
    if level is not None:
        alarm = raise_alarm(
            actor=batch.actor, now=batch.now, device=device, elder=batch.elders.get(device.elder_id or 0), event=event, level=level, place=place
        )  # fmt: skip
        batch.alarms.append(alarm.pk)
        told |= {"outcome": "alarm", "alarm": alarm.pk}
    return told


def _write_events(batch: Round) -> None:
    """Write the messages taken so far, and note their numbers."""
    for row, told in zip(
        DeviceEvent.objects.bulk_create([event for event, _told in batch.unwritten]), (told for _event, told in batch.unwritten), strict=True
    ):  # fmt: skip
        told["event"] = row.pk
    batch.unwritten.clear()


def _event(batch: Round, device: Device, message: Message, *, copy: int) -> tuple[DeviceEvent, rules.Place]:
    """Return the row of a message, with the time that counts and the position it may keep."""
    now, div = batch.now, device.div
    at, is_skewed = rules.effective(
        message.at,
        now,
        ahead_s=batch.number("device.ahead_s", div),
        oldest_days=batch.number("device.oldest_days", div),
    )
    late = timedelta(seconds=batch.number("device.late_s", div))
    is_alarm = rules.level_of(message.kind, message.facts) is not None
    withheld = message.pos is not None and not _may_keep(device, now, is_alarm=is_alarm)
    place = rules.Place(problem="withheld") if withheld else rules.place_of(message.pos)
    row = DeviceEvent(
        div=device.div, device=device, elder_id=device.elder_id, provider_id=device.provider_id, msg_id=message.msg_id,
        boot=message.boot, seq=message.seq, copy=copy, kind=message.kind, ts_dev=message.at, ts_rx=now, ts_eff=at, is_skewed=is_skewed,
        is_late=not is_skewed and now - at > late, facts={} if message.kind == "vital" else message.facts,
        pos=None if withheld else message.pos, verdict=_verdict(device, place, now) if message.kind == GEO else "", digest=message.digest,
    )  # fmt: skip
    if message.kind == "vital":
        row.seal_field("facts", envelopes.written(message.facts))
    return row, place


def _may_keep(device: Device, now: datetime, *, is_alarm: bool) -> bool:
    """Whether a position may be kept: with the elder's consent; in an emergency unless it was withdrawn (X-PIP-04, X-PIP-06)."""
    if device.elder_id is None:
        return True
    today = local_date(now)
    if is_alarm:
        return not consent_withdrawn(device.elder_id, POSITION, today)
    return POSITION in consents_of(device.elder_id, today)


def _verdict(device: Device, place: rules.Place, now: datetime) -> str:
    middle, seen = device.fence, place.position
    if middle is None or seen is None or device.fence_radius_m is None:
        return ""
    return rules.verdict(
        middle, seen, radius_m=device.fence_radius_m, margin_m=number_of("fence.margin_m", device.div, now),
        most_accuracy_m=number_of("fence.most_accuracy_m", device.div, now),
    )  # fmt: skip


def _goes_out(device: Device, event: DeviceEvent) -> bool:
    """Whether a position is an alarm: outside, after none or one inside; or outside still, while the alarm about it is open."""
    if event.verdict != rules.OUT:
        return False
    before = next_verdict_before(device, (event.ts_eff, event.boot, event.seq))
    return before != rules.OUT or device.alarms.filter(kind=GEO, ended_at=None).exists()


def _note_state(batch: Round, device: Device, message: Message, event: DeviceEvent, place: rules.Place) -> None:
    """Let battery, clock and position follow the newest message in the device's own order, not the last to arrive. Not written yet."""
    values: dict[str, Any] = {"last_seen_at": batch.now}
    elder = batch.elders.get(device.elder_id or 0)
    if elder is not None and elder.div != device.div:
        values["div"] = elder.div
    newest = (device.newest_at, device.newest_boot, device.newest_seq)
    if device.newest_at is None or (event.ts_eff, event.boot, event.seq) > newest:
        values |= {"newest_at": event.ts_eff, "newest_boot": event.boot, "newest_seq": event.seq}
        values["has_wrong_clock"] = event.is_skewed
        battery = message.facts.get("battery")
        if isinstance(battery, int) and not isinstance(battery, bool) and 0 <= battery <= FULL:
            values["battery"] = battery
        if place.position:
            values |= {
                "lon": place.lon, "lat": place.lat, "datum": place.datum, "accuracy_m": place.accuracy_m, "positioned_at": event.ts_eff
            }  # fmt: skip
    for name, value in values.items():
        setattr(device, name, value)
    batch.touched[device.pk] = device


def _close(batch: Round, outcomes: list[dict[str, Any]], faults: list[str]) -> Delivery:
    """Keep what became of each message; tasks about batteries and clocks; journal what is more than routine."""
    actor, now = batch.actor, batch.now
    _write_devices(batch.touched.values())
    row = Delivery(
        div=actor.div or "", sent_by_id=actor.user_id, received_at=now, count=len(outcomes), outcomes=outcomes
    )
    row.save(force_insert=True)
    _tasks(batch)
    if batch.alarms or faults:
        told = {"alarms": sorted(set(batch.alarms)), "refused": faults, "count": len(outcomes)}
        record(actor=actor, now=now, event="devices.event.report", subject=row, changes=told)
    else:
        note_recorded()  # heartbeats: the rows of the messages stand for themselves
    tell("devices", pk=row.pk, div=row.div)
    return row


def _write_devices(devices: Iterable[Device]) -> None:
    """Write what the messages of a batch changed of their devices, which are locked: a row each, in one trip to the database."""
    values = [[*(getattr(row, name) for name in STATE), row.pk] for row in devices]
    columns = ", ".join(f"{name} = %s" for name in STATE)
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE devices_device SET {columns} WHERE id = %s", values)  # noqa: S608 - names of our own columns


def _tasks(batch: Round) -> None:
    """A low battery and a wrong clock are tasks, no alarms; a device that is well again ends them."""
    now, devices = batch.now, list(batch.devices.values())
    tasks = DeviceTask.objects.select_for_update(of=("self",)).filter(
        device__in=devices, state=DeviceTaskState.OPEN, kind__in=["battery", "clock"]
    )
    known = {(row.device_id, row.kind): row for row in tasks}
    for device in devices:
        low = batch.number("device.low_battery", device.div)
        wanted = {"battery": device.battery is not None and device.battery <= low, "clock": device.has_wrong_clock}
        for kind, is_wanted in wanted.items():
            row = known.get((device.pk, kind))
            if is_wanted and row is None and device.state == DeviceState.ACTIVE:
                _open_task(device, kind, now)
            elif row is not None and not is_wanted:
                changed(row, now=now, state=DeviceTaskState.DONE, done_at=now, note=WELL)


def _open_task(device: Device, kind: str, now: datetime) -> None:
    DeviceTask.objects.create(
        div=device.div, kind=kind, device=device, elder_id=device.elder_id, provider_id=device.provider_id, opened_at=now, created_at=now,
        changed_at=now,
    )  # fmt: skip
