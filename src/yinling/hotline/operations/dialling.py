"""Calls that the line did not bring: dialled by a seat, and entered after an outage."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, note_recorded, operation
from yinling.ground.parameters import parameter
from yinling.hotline import acd, rules
from yinling.hotline.models import Call, Callback, Reporter
from yinling.hotline.operations.calls import OptionalId, call_back, elder_of
from yinling.hotline.operations.line import LineKey, Number, checked_number, new_call
from yinling.hotline.operations.seats import is_talking, seat_of
from yinling.hotline.queries.line import Caller, caller_of
from yinling.hotline.states import CALL, CallState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input, Moment
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound
from yinling.kernel.words import N_
from yinling.people.models import Contact, Elder

ONE_HOUR = timedelta(hours=1)


@operation("hotline.call.dial", label=N_("外呼"))
def dial_call(
    *, actor: Actor, now: datetime, elder_id: OptionalId = None, contact_id: OptionalId = None, callback_id: OptionalId = None,
    number: Annotated[str, Input(N_("号码"), max_length=20)] = "",
) -> Call:  # fmt: skip
    """Call an elder, a contact, somebody on the list of call-backs, or a typed number of the mainland.

    The number is read here and stays here: the seat's browser dials the key of the call, the edge asks for the number behind it. Whom the
    seat cannot see is not dialled; foreign and paid numbers and too many calls an hour are refused (toll fraud).
    """
    task = _task(actor, callback_id)
    elder, digits = _whom(elder_id, contact_id, task, number)
    div = elder.div if elder else (task.div if task else actor.div or "")
    require(actor, "hotline.call.dial", div=div)
    made = Call.objects.filter(is_outbound=True, seat_id=actor.user_id, rang_at__gt=now - ONE_HOUR).count()
    most = int(parameter("line.dials_an_hour", div, local_date(now)))
    digits = acd.check_dial(digits, calls_this_hour=made, most_an_hour=most)
    seat = seat_of(actor.user_id)
    rules.check_answer(state="ringing", seat_is_talking=is_talking(actor.user_id or 0))
    call = new_call(actor, now, f"out:{uuid.uuid4().hex}", digits, Caller(elder=elder))
    call.div, call.is_outbound, call.seat_id = div, True, actor.user_id
    if seat is not None:
        call.group_id, call.provider_id = seat.group_id, seat.provider_id
        changed(seat, now=now, miss_count=0)
    call.save(force_insert=True)
    if task is not None:
        changed(task, now=now, seat_id=actor.user_id, made_id=call.pk)
        tell("callbacks", pk=task.pk, div=task.div)
    record(actor=actor, now=now, event="hotline.call.dial", subject=call, changes={"state": [None, call.state]})
    tell("calls", pk=call.pk, div=call.div)
    return call


def _task(actor: Actor, callback_id: int | None) -> Callback | None:
    if callback_id is None:
        return None
    task = locked(Callback.objects.select_related("call", "ticket__call"), callback_id)
    acd.check_open(state=task.state)
    acd.check_callback_free(seat_id=task.seat_id, actor_id=actor.user_id)
    return task


def _whom(elder_id: int | None, contact_id: int | None, task: Callback | None, number: str) -> tuple[Elder | None, str]:
    """Return whom the call is about and the number to dial: what was asked for first, then the task's own."""
    if contact_id is not None:
        contact = Contact.objects.select_related("elder").filter(pk=contact_id).first()
        if contact is None:
            raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
        return contact.elder, contact.unseal_field("phone")
    if elder_id is not None:
        elder = elder_of(elder_id)
        return elder, elder.unseal_field("phone")
    if task is None or number:
        return (elder_of(task.elder_id) if task and task.elder_id else None), number
    call = task.call or (task.ticket.call if task.ticket else None)
    known = elder_of(task.elder_id) if task.elder_id else None
    from_call = call.unseal_field("number") if call else ""
    left = Reporter.objects.filter(ticket=task.ticket_id).first() if task.ticket_id and not (call or known) else None
    return known, from_call or (known.unseal_field("phone") if known else left.unseal_field("phone") if left else "")


@operation("hotline.call.enter", label=N_("补登来电"))
def enter_late_call(
    *, actor: Actor, now: datetime, key: LineKey, number: Number = "", rang_at: Moment,
    answered_at: Annotated[datetime | None, Input(N_("接听时间"), widget="moment")] = None,
    ended_at: Moment,
    seat_id: Annotated[int | None, Input(N_("坐席"), least=1, widget="choice")] = None,
) -> Call:  # fmt: skip
    """Enter a call that the edge led to the duty seat while the platform was down; twice is once.

    Without an answer it is a missed call that somebody is to call back; answered by nobody we know, it went to the duty phone. A seat that
    is talking now is refused for the moment: enter the call again later.
    """
    require(actor, "hotline.call.enter", div=actor.div or "")
    if (known := Call.objects.filter(key=key).first()) is not None:
        note_recorded()
        return known
    acd.check_late(rang_at=rang_at, answered_at=answered_at, ended_at=ended_at, now=now)
    digits = checked_number(number)
    caller = caller_of(digits, is_doubtful=False)
    call = new_call(actor, now, key, digits, caller)
    call.rang_at, call.is_entered_late = rang_at, True
    call.rank = caller.rank(call.div, now, is_sos=False)
    call.save(force_insert=True)
    record(actor=actor, now=now, event="hotline.call.enter", subject=call, changes={"rang_at": [None, str(rang_at)]})
    _bring_to_end(actor, now, call, answered_at, ended_at, seat_id)
    tell("calls", pk=call.pk, div=call.div)
    return call


def _bring_to_end(
    actor: Actor, now: datetime, call: Call, answered_at: datetime | None, ended_at: datetime, seat_id: int | None
) -> None:
    """Lead a new row through its states as it went without us."""
    if answered_at is None:
        changed(
            call, now=now, state=CALL.target("abandon", CallState(call.state)), ended_at=ended_at, ended_by="caller"
        )
        call_back(actor, now, call, "missed")
        return
    if seat_id is None:
        values: dict[str, Any] = {"answered_at": answered_at, "ended_at": ended_at, "ended_by": "caller"}
        changed(call, now=now, state=CALL.target("divert", CallState(call.state)), **values)
        return
    seat = seat_of(seat_id)
    if seat is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    rules.check_answer(state=call.state, seat_is_talking=is_talking(seat_id))
    values = {
        "answered_at": answered_at,
        "seat_id": seat_id,
        "group_id": seat.group_id,
        "provider_id": seat.provider_id,
    }
    changed(call, now=now, state=CALL.target("answer", CallState(call.state)), **values)
    changed(call, now=now, state=CALL.target("hang_up", CallState(call.state)), ended_at=ended_at, ended_by="caller")
