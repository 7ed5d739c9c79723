"""Calls at a seat: answered, held, ended, and for whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.conf import settings

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.models import ClockOffset
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.hotline import acd, rules
from yinling.hotline.models import CHANNELS, Call, Callback, CallOffer, Seat
from yinling.hotline.operations.callbacks import note_try, open_callback, settle_callbacks
from yinling.hotline.operations.seats import seat_of
from yinling.hotline.states import CALL, CallbackState, CallState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder

PACES = [("0", N_("关")), ("6", N_("每小时 6 个")), ("20", N_("每小时 20 个")), ("60", N_("每小时 60 个"))]


Number = Annotated[str, Input(N_("来电号码"), max_length=20)]


Channel = Annotated[str, Input(N_("渠道"), choices=CHANNELS, widget="choice")]


OptionalId = Annotated[int | None, Input(N_("编号"), least=1, widget="hidden")]


Pace = Annotated[str, Input(N_("自动来电"), choices=PACES, widget="choice")]


explain_constraint("call_one_per_seat", "call.busy", N_("您正在通话中，请先挂断当前来电"))


def move_call(actor: Actor, now: datetime, call: Call, verb: str, **values: Any) -> Call:
    """Write the new state of a locked call. Plain: the caller has checked the right."""
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
    return put_through(actor, now, call, actor.user_id or 0, verb="answer")


def put_through(actor: Actor, now: datetime, call: Call, user_id: int, *, verb: str) -> Call:
    """Join a locked call and a seat: close what rings, free nobody else. Plain: the caller has checked the right."""
    end_offers(now, call, answered_by=user_id)
    seat = seat_of(user_id)
    busy = Call.objects.filter(seat_id=user_id, state=CallState.ANSWERED).exclude(pk=call.pk).exists()
    rules.check_answer(state=call.state, seat_is_talking=busy)
    if call.is_outbound:
        acd.check_same_call(answered_by=call.seat_id, seat_id=user_id)
    values: dict[str, Any] = {"answered_at": now, "seat_id": user_id}
    if seat is not None:
        values |= {"provider_id": seat.provider_id, "group_id": seat.group_id}
        changed(seat, now=now, miss_count=0)
        tell("seats", pk=seat.pk, div=seat.div)
    target = CALL.target("answer", CallState(call.state))
    changes = changed(call, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"hotline.call.{verb}", subject=call, changes=changes)
    settle_callbacks(actor=actor, now=now, call=call)
    tell("calls", pk=call.pk, div=call.div)
    return call


def end_offers(now: datetime, call: Call, *, answered_by: int | None = None) -> None:
    """Close what rings for a locked call: answered where somebody took it, cancelled elsewhere."""
    for offer in CallOffer.objects.filter(call=call, ended_at=None):
        outcome = "answered" if offer.seat_id == answered_by else "cancelled"
        changed(offer, now=now, ended_at=now, outcome=outcome)


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
def hang_up_call(
    *, actor: Actor, now: datetime, call_id: Id,
    by: Annotated[str, Input(N_("挂断方"), choices=Call.ENDED_BY, widget="hidden")] = "seat",
) -> Call:  # fmt: skip
    """End one's own call; the line ends any, and says who hung up."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.hang_up", div=call.div)
    rules.check_listed(by, Call.ENDED_BY, field="by")
    CALL.target("hang_up", CallState(call.state))
    if not actor.is_system:
        rules.check_seat(seat_id=call.seat_id, user_id=actor.user_id)
    return end_talk(actor, now, call, by=by if actor.is_system else "seat", verb="hang_up")


def end_talk(actor: Actor, now: datetime, call: Call, *, by: str, verb: str) -> Call:
    """End a conversation and rest the seat. Plain: the caller has checked the right."""
    end_offers(now, call)
    target = CALL.target("hang_up", CallState(call.state))
    changes = changed(call, now=now, state=target, ended_at=now, ended_by=by, held_at=None)
    record(actor=actor, now=now, event=f"hotline.call.{verb}", subject=call, changes=changes)
    rest(now, seat_of(call.seat_id))
    tell("calls", pk=call.pk, div=call.div)
    return call


def rest(now: datetime, seat: Seat | None) -> None:
    """Count a seat as idle again, after the pause that the area gives it for writing things down."""
    if seat is not None and seat.idle_since is not None:
        pause = int(parameter("line.rest_seconds", seat.div, local_date(now)))
        changed(seat, now=now, idle_since=now + timedelta(seconds=pause))
        tell("seats", pk=seat.pk, div=seat.div)


@operation("hotline.call.abandon", label=N_("记为未接"))
def abandon_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Note that the caller gave up before anybody answered: somebody will call back. Of a seat's own call: that nobody took it."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.abandon", div=call.div)
    CALL.target("abandon", CallState(call.state))
    end_offers(now, call)
    move_call(actor, now, call, "abandon", ended_at=now, ended_by="seat" if call.is_outbound else "caller")
    if not call.is_outbound:
        call_back(actor, now, call, "missed")
        return call
    rest(now, seat_of(call.seat_id))
    for task in Callback.objects.select_for_update(of=("self",)).filter(made=call, state=CallbackState.OPEN):
        changed(task, now=now, made_id=None)
        note_try(actor, now, task)
    return call


def call_back(actor: Actor, now: datetime, call: Call, kind: str) -> None:
    """Have a caller called back, as soon as the rank of the call asks for; a withheld number of nobody known cannot be."""
    if call.elder_id is None and call.number_index is None:
        return
    key = {"cut": "callback.cut_minutes"}.get(
        kind, "callback.sos_minutes" if call.rank == acd.SOS else "callback.minutes"
    )
    due_at = now + timedelta(minutes=int(parameter(key, call.div, local_date(now))))
    open_callback(actor=actor, now=now, kind=kind, call=call, due_at=due_at, rank=call.rank)


@operation("hotline.call.cut", label=N_("登记断线"))
def cut_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Note that a conversation broke off by itself (the net, the seat's browser): the person is called back at once."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.cut", div=call.div)
    end_talk(actor, now, call, by="network", verb="cut")
    call_back(actor, now, call, "cut")
    return call


@operation("hotline.call.hold", label=N_("保持"))
def hold_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Let the caller wait with music; the call stays one's own."""
    call = _own_call(actor, "hold", call_id)
    if call.held_at is not None:
        raise NotAllowed("call.held", N_("这通来电已在保持中"))
    return _hold(actor, now, call, "hold", now)


@operation("hotline.call.resume", label=N_("恢复通话"))
def resume_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Talk to the caller again."""
    call = _own_call(actor, "resume", call_id)
    if call.held_at is None:
        raise NotAllowed("call.not_held", N_("这通来电没有保持，可以直接通话"))
    return _hold(actor, now, call, "resume", None)


def _own_call(actor: Actor, verb: str, call_id: int) -> Call:
    call = locked(Call.objects.all(), call_id)
    require(actor, f"hotline.call.{verb}", div=call.div)
    rules.check_talking(call.state)
    if not actor.is_system:
        acd.check_same_call(answered_by=call.seat_id, seat_id=actor.user_id or 0)
    return call


def _hold(actor: Actor, now: datetime, call: Call, verb: str, held_at: datetime | None) -> Call:
    changes = changed(call, now=now, held_at=held_at)
    record(actor=actor, now=now, event=f"hotline.call.{verb}", subject=call, changes=changes)
    tell("calls", pk=call.pk, div=call.div)
    return call


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
