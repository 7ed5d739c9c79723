"""Calls on the line: they come, are answered and end."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from django.conf import settings

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.crypto import blind_index
from yinling.ground.live import tell
from yinling.ground.models import ClockOffset
from yinling.ground.operation import changed, explain_constraint, locked, note_recorded, operation
from yinling.hotline import rules
from yinling.hotline.models import CHANNELS, Call
from yinling.hotline.states import CALL, CallState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Key, Seen
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries import elders_by_phone

PACES = [("0", N_("关")), ("6", N_("每小时 6 个")), ("20", N_("每小时 20 个")), ("60", N_("每小时 60 个"))]


NUMBER = re.compile(r"\+?\d{5,20}", re.ASCII)


Number = Annotated[str, Input(N_("来电号码"), max_length=20)]


Channel = Annotated[str, Input(N_("渠道"), choices=CHANNELS, widget="choice")]


OptionalId = Annotated[int | None, Input(N_("编号"), least=1, widget="hidden")]


Pace = Annotated[str, Input(N_("自动来电"), choices=PACES, widget="choice")]


explain_constraint("call_one_per_seat", "call.busy", N_("您正在通话中，请先挂断当前来电"))


@operation("hotline.call.receive", label=N_("接入来电"))
def receive_call(*, actor: Actor, now: datetime, key: Key, number: Number = "", channel: Channel = "phone") -> Call:
    """Put a call on the line; the second arrival of a key is the first call. An empty number is a withheld one."""
    require(actor, "hotline.call.receive", div=actor.div or "")
    rules.check_listed(channel, CHANNELS, field="channel")
    digits = re.sub(r"[\s()-]", "", number)
    if digits and not NUMBER.fullmatch(digits):
        raise Refused("call.number", N_("号码只能是 5 到 20 位数字；没有号码请留空"), field="number")
    elders = elders_by_phone(digits) if digits else []
    elder = elders[0] if len(elders) == 1 else None
    call = Call(
        key=key, channel=channel, div=elder.div if elder else actor.div or "", elder=elder, number_last4=digits[-4:], rang_at=now,
        number_index=blind_index(digits, purpose="call") if digits else None, created_at=now, changed_at=now,
    )  # fmt: skip
    call.seal_field("number", digits)
    columns = {column.attname: getattr(call, column.attname) for column in Call._meta.concrete_fields}  # noqa: SLF001 - Django's own name
    del columns["id"], columns["key"]
    call, is_new = Call.objects.get_or_create(key=key, defaults=columns)
    if not is_new:
        note_recorded()  # the row of the first arrival stands for both
        return call
    record(actor=actor, now=now, event="hotline.call.receive", subject=call, changes={"state": [None, call.state]})
    tell("calls", pk=call.pk, div=call.div)
    return call


def _move_call(actor: Actor, now: datetime, call: Call, verb: str, **values: Any) -> Call:
    target = CALL.target(verb, CallState(call.state))
    changes = changed(call, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"hotline.call.{verb}", subject=call, changes=changes)
    tell("calls", pk=call.pk, div=call.div)
    return call


@operation("hotline.call.answer", label=N_("接听"))
def answer_call(*, actor: Actor, now: datetime, call_id: Id, seen: Seen = None) -> Call:
    """Take a ringing call; of two seats the second is refused, whatever page it saw."""
    del seen  # who comes second must hear that another answered, not that the page is old
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.answer", div=call.div)
    is_talking = Call.objects.filter(seat_id=actor.user_id, state=CallState.ANSWERED).exists()
    rules.check_answer(state=call.state, seat_is_talking=is_talking)
    return _move_call(actor, now, call, "answer", answered_at=now, seat_id=actor.user_id)


@operation("hotline.activity.set", label=N_("设置自动来电"))
def set_activity(*, actor: Actor, now: datetime, calls_an_hour: Pace) -> ClockOffset:
    """Let made-up elders call by themselves at a pace, or stop it; only a demonstration can."""
    require(actor, "hotline.activity.set")
    if not settings.DEMO:
        raise Refused("activity.not_demo", N_("只有演示环境可以模拟来电"))
    rules.check_listed(calls_an_hour, PACES, field="calls_an_hour")
    pace = int(calls_an_hour)
    row, _is_new = ClockOffset.objects.update_or_create(pk=1, defaults={"calls_an_hour": pace})
    record(actor=actor, now=now, event="hotline.activity.set", subject=row, changes={"calls_an_hour": [None, pace]})
    return row


@operation("hotline.call.hang_up", label=N_("挂断"))
def hang_up_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """End one's own call."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.hang_up", div=call.div)
    CALL.target("hang_up", CallState(call.state))
    if not actor.is_system:
        rules.check_seat(seat_id=call.seat_id, user_id=actor.user_id)
    return _move_call(actor, now, call, "hang_up", ended_at=now)


@operation("hotline.call.abandon", label=N_("记为未接"))
def abandon_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Note that the caller gave up before anybody answered."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.abandon", div=call.div)
    return _move_call(actor, now, call, "abandon", ended_at=now)


@operation("hotline.call.identify", label=N_("确认来电人"))
def identify_call(*, actor: Actor, now: datetime, call_id: Id, elder_id: Id, seen: Seen = None) -> Call:
    """Note for which elder somebody calls: an unknown number, or one that several share."""
    call = locked(Call.objects.all(), call_id, seen)
    require(actor, "hotline.call.identify", div=call.div)
    elder = elder_of(elder_id)
    changes = changed(call, now=now, elder_id=elder.pk)
    record(actor=actor, now=now, event="hotline.call.identify", subject=call, changes=changes)
    tell("calls", pk=call.pk, div=call.div)
    return call


def elder_of(elder_id: int) -> Elder:
    row = Elder.objects.filter(pk=elder_id).first()
    if row is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    return row
