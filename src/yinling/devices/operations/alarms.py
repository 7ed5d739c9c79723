"""Alarms: they open by themselves, and people say what they do about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.devices import rules
from yinling.devices.models import Alarm, Device, DeviceEvent
from yinling.devices.operations.chain import end_steps, hasten_rescue, lay_steps, run_steps
from yinling.devices.queries import OPEN, number_of
from yinling.devices.states import ALARM, AlarmState
from yinling.directory.queries import city_of, system_actor
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.hotline.models import MARKED, SOS, Call
from yinling.hotline.operations.device_calls import ring_for_device, settle_device_call
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.words import N_
from yinling.people.models import Elder

AlarmNote = Annotated[str, Input(N_("备注"), max_length=500, widget="area")]
explain_constraint("alarm_one_open", "alarm.open", N_("这位老人已有同类报警未结束"))
explain_constraint("alarm_one_open_of_device", "alarm.open", N_("这台设备已有同类报警未结束"))


def raise_alarm(
    *, actor: Actor, now: datetime, device: Device, elder: Elder | None, event: DeviceEvent, level: int, place: rules.Place
) -> Alarm:  # fmt: skip
    """Open an alarm with its call and chain, or join the open one. The caller has locked device and elder."""
    same = Alarm.objects.filter(kind=event.kind, state__in=OPEN)
    same = same.filter(elder=elder) if elder else same.filter(elder=None, device=device)
    alarm = same.select_for_update(of=("self",)).first()
    if alarm is not None:
        return _join(now, alarm, event, place)
    alarm = Alarm(
        div=elder.div if elder else device.div, device=device, elder=elder, provider_id=device.provider_id, kind=event.kind, level=level,
        raised_at=event.ts_eff, received_at=now, latest_at=event.ts_eff, is_late=event.is_late, is_skewed=event.is_skewed,
        address=_address(device, elder), created_at=now, changed_at=now, **_placed(event, place),
    )  # fmt: skip
    alarm.save(force_insert=True)
    lay_steps(alarm, now)
    system = system_actor(city_of(alarm.div) or alarm.div)
    number = (elder.unseal_field("phone") if elder else "") or device.unseal_field("sim")
    call = ring_for_device(
        actor=system, now=now, key=f"alarm:{alarm.pk}", number=number, elder_id=elder.pk if elder else None, div=alarm.div,
        rank=MARKED if level == rules.ATTENTION else SOS,
    )  # fmt: skip
    changes = {"state": [None, str(alarm.state)], "kind": [None, alarm.kind], "level": [None, level]}
    changes |= changed(alarm, now=now, call_id=call.pk)
    run_steps(alarm, now)
    record(actor=actor, now=now, event="devices.alarm.raise", subject=alarm, changes=changes)
    tell("alarms", pk=alarm.pk, div=alarm.div)
    return alarm


def _address(device: Device, elder: Elder | None) -> str:
    home = elder.household.address if elder else (device.provider.address if device.provider else "")
    return f"{home} {device.place}".strip()[:200]


def _placed(event: DeviceEvent, place: rules.Place) -> dict[str, Any]:
    at = event.ts_eff if place.position else None
    return {
        "lon": place.lon, "lat": place.lat, "datum": place.datum, "accuracy_m": place.accuracy_m, "place_problem": place.problem,
        "placed_at": at,
    }  # fmt: skip


def _join(now: datetime, alarm: Alarm, event: DeviceEvent, place: rules.Place) -> Alarm:
    """Add a message to an open alarm: what it says does not hang on the order in which messages arrive."""
    values: dict[str, Any] = {
        "message_count": alarm.message_count + 1, "latest_at": max(alarm.latest_at, event.ts_eff),
        "raised_at": min(alarm.raised_at, event.ts_eff),
    }  # fmt: skip
    late = timedelta(seconds=number_of("device.late_s", alarm.div, now))
    values["is_late"] = alarm.received_at - values["raised_at"] > late
    if place.position and (alarm.placed_at is None or event.ts_eff < alarm.placed_at):
        values |= _placed(event, place)
    changed(alarm, now=now, **values)
    tell("alarms", pk=alarm.pk, div=alarm.div)
    return alarm


def _alarm(actor: Actor, verb: str, alarm_id: int, seen: int | None = None) -> Alarm:
    rows = Alarm.objects.select_related("device", "elder", "provider", "acknowledged_by")
    row = locked(rows, alarm_id, seen)
    require(actor, f"devices.alarm.{verb}", div=row.div, provider_id=row.provider_id, elder_id=row.elder_id)
    return row


def _write(actor: Actor, now: datetime, row: Alarm, verb: str, **values: Any) -> Alarm:
    changes = changed(row, now=now, **values)
    record(actor=actor, now=now, event=f"devices.alarm.{verb}", subject=row, changes=changes)
    tell("alarms", pk=row.pk, div=row.div)
    return row


def _taken(actor: Actor, now: datetime, row: Alarm) -> dict[str, Any]:
    """Return the columns of who took an alarm up, if nobody had."""
    if row.acknowledged_at is not None:
        return {}
    return {"acknowledged_at": now, "acknowledged_by_id": actor.user_id}


def _call(row: Alarm) -> Call | None:
    """Lock the call of an alarm, if it has one that the actor may see."""
    rows = Call.objects.select_for_update(of=("self",))
    return rows.filter(pk=row.call_id).first() if row.call_id else None


def _settle(actor: Actor, now: datetime, row: Alarm) -> None:
    """Take the alarm's call out of the queue; who may not see calls leaves it to the sweeper."""
    call = _call(row)
    if call is not None:
        seat_id = actor.user_id if actor.has("hotline.call.answer") and not actor.is_system else None
        settle_device_call(actor=actor, now=now, call=call, seat_id=call.seat_id or seat_id)


@operation("devices.alarm.acknowledge", label=N_("受理报警"))
def acknowledge_alarm(*, actor: Actor, now: datetime, alarm_id: Id, note: AlarmNote = "", seen: Seen = None) -> Alarm:
    """Take an alarm up; of two the second hears who was first. Its call leaves the queue, and the ear is free to dial."""
    del seen  # who comes second must hear that another was first, not that the page is old
    row = _alarm(actor, "acknowledge", alarm_id)
    rules.check_acknowledge(state=row.state, by=row.acknowledged_by.name if row.acknowledged_by else "")
    target = ALARM.target("acknowledge", AlarmState(row.state))
    _write(actor, now, row, "acknowledge", state=target, note=note, **_taken(actor, now, row))
    _settle(actor, now, row)
    return row


@operation("devices.alarm.contact", label=N_("登记联系结果"))
def contact_alarm(
    *, actor: Actor, now: datetime, alarm_id: Id,
    contact: Annotated[str, Input(N_("联系结果"), choices=rules.CONTACTS, widget="radio")],
    note: AlarmNote = "", seen: Seen = None,
) -> Alarm:  # fmt: skip
    """Say whether somebody spoke with the elder. Nobody speaking at the other end asks for the emergency services at once."""
    row = _alarm(actor, "contact", alarm_id, seen)
    rules.check_open(row.state)
    rules.check_contact(contact=contact, is_contacted=row.contacted_at is not None)
    values: dict[str, Any] = {"contact": contact, **_taken(actor, now, row)}
    if row.state == AlarmState.RAISED:
        values["state"] = ALARM.target("acknowledge", AlarmState.RAISED)
    if note:
        values["note"] = note
    if contact == "reached":
        values["contacted_at"] = now
    _write(actor, now, row, "contact", **values)
    if contact == "no_speech":
        hasten_rescue(row, now)
    run_steps(row, now)
    _settle(actor, now, row)
    return row


@operation("devices.alarm.depart", label=N_("登记出发"))
def depart_alarm(
    *, actor: Actor, now: datetime, alarm_id: Id,
    helper: Annotated[str, Input(N_("谁去现场"), help=N_("姓名和单位，如：王芳（女儿）、公园社区网格员"), max_length=100)],
    seen: Seen = None,
) -> Alarm:  # fmt: skip
    """Note who is on the way to the elder."""
    row = _alarm(actor, "depart", alarm_id, seen)
    target = ALARM.target("depart", AlarmState(row.state))
    who = required_text(helper, "helper", most=100)
    _write(actor, now, row, "depart", state=target, departed_at=now, helper=who, **_taken(actor, now, row))
    _settle(actor, now, row)
    return row


Result = Annotated[str, Input(N_("处置结果"), help=N_("老人情况如何，做了什么"), max_length=500, widget="area")]


def _end(actor: Actor, now: datetime, alarm_id: int, verb: str, result: str, seen: int | None) -> Alarm:
    row = _alarm(actor, verb, alarm_id, seen)
    target = ALARM.target(verb, AlarmState(row.state))
    why = required_text(result, "result", most=500)
    _write(actor, now, row, verb, state=target, ended_at=now, ended_by_id=actor.user_id, result=why)
    end_steps(row, now)
    _settle(actor, now, row)
    return row


@operation("devices.alarm.resolve", label=N_("处置完毕"))
def resolve_alarm(*, actor: Actor, now: datetime, alarm_id: Id, result: Result, seen: Seen = None) -> Alarm:
    """End an alarm with what was found and done."""
    return _end(actor, now, alarm_id, "resolve", result, seen)


@operation("devices.alarm.dismiss", label=N_("认定误报"))
def dismiss_alarm(
    *, actor: Actor, now: datetime, alarm_id: Id,
    result: Annotated[str, Input(N_("误报原因"), help=N_("如何确认老人平安"), max_length=500, widget="area")],
    seen: Seen = None,
) -> Alarm:  # fmt: skip
    """End an alarm that was none, with the reason."""
    return _end(actor, now, alarm_id, "dismiss", result, seen)


@operation("devices.alarm.escalate")
def escalate_alarm(*, actor: Actor, now: datetime, alarm_id: Id) -> Alarm:
    """Do what is due for an alarm: note that a seat answered its call, run the steps of the chain, settle its call."""
    row = _alarm(actor, "escalate", alarm_id)
    call = _call(row)
    if row.state == AlarmState.RAISED and call is not None and call.answered_at is not None:
        target = ALARM.target("acknowledge", AlarmState.RAISED)
        _write(
            actor, now, row, "acknowledge", state=target, acknowledged_at=call.answered_at, acknowledged_by_id=call.seat_id
        )  # fmt: skip
    done = run_steps(row, now)
    if row.state != AlarmState.RAISED and call is not None:
        settle_device_call(actor=actor, now=now, call=call, seat_id=call.seat_id)
    steps = [[step.number, step.outcome, step.told_count] for step in done]
    record(actor=actor, now=now, event="devices.alarm.escalate", subject=row, changes={"steps": steps})
    tell("alarms", pk=row.pk, div=row.div)
    return row
