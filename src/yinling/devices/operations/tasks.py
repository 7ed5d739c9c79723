"""Tasks about devices: who fell silent is found by a round, and somebody sees to it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.devices.models import Device, DeviceTask
from yinling.devices.queries import newly_silent, number_of, spoken_again
from yinling.devices.states import DEVICE_TASK, DeviceTaskState
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, note_recorded, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.words import N_

DISTRICT = 6
SPOKEN = N_("设备已重新上报")


@operation("devices.task.open")
def open_task(*, actor: Actor, now: datetime, div: Annotated[str, Input(N_("区划"), max_length=12)]) -> int:
    """Look for devices of an area that fell silent: a task each, or one incident where many did at once; end tasks of those heard again."""
    require(actor, "devices.task.open", div=div)
    ended = spoken_again(div)
    for task in ended:
        changed(task, now=now, state=DeviceTaskState.DONE, done_at=now, note=SPOKEN)
    by_district: dict[str, list[Device]] = defaultdict(list)
    for device in newly_silent(div, now, number_of("device.silent_factor", div, now)):
        by_district[device.div[:DISTRICT]].append(device)
    opened = sum(_of_district(district, rows, now) for district, rows in sorted(by_district.items()))
    ended_incidents = _end_incidents(div, by_district, now)
    if opened or ended or ended_incidents:
        row = DeviceTask.objects.within(div).latest("pk")
        changes = {"opened": opened, "ended": len(ended) + ended_incidents}
        record(actor=actor, now=now, event="devices.task.open", subject=row, changes=changes)
        tell("devices", pk=row.pk, div=div)
    else:
        note_recorded()  # a round that found nothing
    return opened


def _of_district(district: str, rows: list[Device], now: datetime) -> int:
    """Open what the silence of some devices of a district asks for; return how many tasks are new."""
    if len(rows) < number_of("device.incident_least", district, now):
        DeviceTask.objects.bulk_create(
            DeviceTask(
                div=row.div, kind="silent", device=row, elder_id=row.elder_id, provider_id=row.provider_id, opened_at=now, created_at=now,
                changed_at=now, heard=_heard([row]),
            )
            for row in rows
        )  # fmt: skip
        return len(rows)
    incident = DeviceTask.objects.filter(div=district, kind="incident", state=DeviceTaskState.OPEN).first()
    if incident is None:
        DeviceTask.objects.create(
            div=district, kind="incident", count=len(rows), opened_at=now, created_at=now, changed_at=now, heard=_heard(rows)
        )  # fmt: skip
        return 1
    heard = _heard(rows) | incident.heard  # whoever was part of it stays named
    if incident.count != len(rows) or incident.heard != heard:
        changed(incident, now=now, count=len(rows), heard=heard)
    return 0


def _heard(rows: list[Device]) -> dict[str, str | None]:
    """When each device had last been heard, by its number: what proves the silence when the heartbeats are gone."""
    return {row.serial: row.last_seen_at.isoformat() if row.last_seen_at else None for row in rows}


def _end_incidents(div: str, by_district: dict[str, list[Device]], now: datetime) -> int:
    """End incidents of districts where not many are silent any more."""
    count = 0
    for row in DeviceTask.objects.within(div).filter(kind="incident", state=DeviceTaskState.OPEN):
        if len(by_district.get(row.div, ())) < number_of("device.incident_least", row.div, now):
            changed(row, now=now, state=DeviceTaskState.DONE, done_at=now, note=SPOKEN)
            count += 1
    return count


@operation("devices.task.close", label=N_("处理完毕"))
def close_task(
    *, actor: Actor, now: datetime, task_id: Id,
    note: Annotated[str, Input(N_("处理结果"), help=N_("如：已换电池、老人外出、已报修"), max_length=500, widget="area")],
    seen: Seen = None,
) -> DeviceTask:  # fmt: skip
    """Say what was done about a device."""
    row = locked(DeviceTask.objects.all(), task_id, seen)
    require(actor, "devices.task.close", div=row.div, provider_id=row.provider_id)
    target = DEVICE_TASK.target("close", DeviceTaskState(row.state))
    why = required_text(note, "note", most=500)
    changes = changed(row, now=now, state=target, done_at=now, done_by_id=actor.user_id, note=why)
    record(actor=actor, now=now, event="devices.task.close", subject=row, changes=changes)
    tell("devices", pk=row.pk, div=row.div)
    return row
