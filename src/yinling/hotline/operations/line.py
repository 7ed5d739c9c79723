"""The line's own work: calls come in, are offered to seats, passed on, and go further when nobody is there.

``seat_id`` of a call and of an offer is the person (User) at the seat, as in the rows.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, require
from yinling.ground.crypto import blind_index
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, note_recorded, operation
from yinling.ground.parameters import parameter
from yinling.hotline import acd, rules
from yinling.hotline.models import CHANNELS, Call, CallOffer, Seat
from yinling.hotline.operations.calls import Channel, call_back, end_offers, move_call, put_through, rest
from yinling.hotline.operations.seats import is_talking, note_miss, seat_of
from yinling.hotline.queries.line import Caller, caller_of, first_group, free_seats, next_group, waiting_calls
from yinling.hotline.states import CallState, SeatState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_

NUMBER = re.compile(r"\+?\d{5,20}", re.ASCII)
MOST_TRIES = 20
"""Pairs looked at in one go: whoever is locked by another worker is being served."""

LineKey = Annotated[str, Input(N_("线路呼叫标识"), max_length=128, widget="hidden")]
Number = Annotated[str, Input(N_("来电号码"), max_length=20)]
SeatPerson = Annotated[int, Input(N_("坐席"), least=1, widget="choice")]
Outcome = Annotated[str, Input(N_("结果"), choices=CallOffer.OUTCOMES, widget="choice")]

explain_constraint("offer_one_of_call", "offer.call", N_("这通来电正在另一位坐席处振铃"))
explain_constraint("offer_one_of_seat", "offer.seat", N_("这位坐席处已有来电振铃"))


@operation("hotline.call.receive", label=N_("接入来电"))
def receive_call(
    *, actor: Actor, now: datetime, key: LineKey, number: Number = "", channel: Channel = "phone",
    leg: Annotated[str, Input(N_("线路侧标识"), max_length=200, widget="hidden")] = "",
    is_number_doubtful: Annotated[bool, Input(N_("号码存疑"), widget="check")] = False,
    called: Annotated[str, Input(N_("被叫号码"), max_length=20, widget="hidden")] = "",
) -> Call:  # fmt: skip
    """Put a call on the line; the second arrival of a key is the first call. An empty number is a withheld one.

    A doubtful number, one of several people, and one of somebody who has died name nobody by themselves.
    """
    require(actor, "hotline.call.receive", div=actor.div or "")
    rules.check_listed(channel, CHANNELS, field="channel")
    digits = checked_number(number)
    if (known := Call.objects.filter(key=key).first()) is not None:
        note_recorded()  # the row of the first arrival stands for both
        return known
    caller = caller_of(digits, is_doubtful=is_number_doubtful)
    call = new_call(actor, now, key, digits, caller)
    is_sos = channel == "device" or called in parameter("line.sos_numbers", call.div, local_date(now))
    call.channel, call.leg, call.is_number_doubtful = "device" if is_sos else channel, leg, is_number_doubtful
    call.rank, call.skills = caller.rank(call.div, now, is_sos=is_sos), caller.skills(call.div, now)
    call.group = first_group(call.div)
    call.provider_id = call.group.provider_id if call.group else None
    columns = {column.attname: getattr(call, column.attname) for column in Call._meta.concrete_fields}  # noqa: SLF001 - Django's own name
    del columns["id"], columns["key"]
    call, is_new = Call.objects.get_or_create(key=key, defaults=columns)
    if not is_new:
        note_recorded()
        return call
    record(actor=actor, now=now, event="hotline.call.receive", subject=call, changes={"state": [None, call.state]})
    tell("calls", pk=call.pk, div=call.div)
    return call


def checked_number(number: str) -> str:
    """Return the digits of a number; refuse what is none."""
    digits = re.sub(r"[\s()-]", "", number)
    if digits and not NUMBER.fullmatch(digits):
        raise Refused("call.number", N_("号码只能是 5 到 20 位数字；没有号码请留空"), field="number")
    return acd.plain_number(digits)


def new_call(actor: Actor, now: datetime, key: str, digits: str, caller: Caller) -> Call:
    """Return a call that is not saved yet, its number sealed."""
    elder = caller.elder
    call = Call(
        key=key, div=elder.div if elder else actor.div or "", elder=elder, number_last4=digits[-4:], rang_at=now,
        number_index=blind_index(digits, purpose="call") if digits else None, created_at=now, changed_at=now,
    )  # fmt: skip
    call.seal_field("number", digits)
    return call


@operation("hotline.call.offer", label=N_("分配来电"))
def offer_call(*, actor: Actor, now: datetime) -> CallOffer | None:
    """Let the head of the queue ring at its best seat; nothing when nobody waits or nobody is free.

    Head and seat are locked with SKIP LOCKED and looked at again under the lock, so that workers beside each other neither wait nor
    choose twice; two partial unique indexes stand behind that.
    """
    require(actor, "hotline.call.offer", div=actor.div or "")
    refused: set[int] = set()
    waiting_now = waiting_calls(actor, now)
    pairs = acd.pairs(waiting_now, free_seats(actor, now) if waiting_now else [], now)
    for tries, (waiting, free) in enumerate(pairs):
        if tries >= MOST_TRIES:
            break
        if waiting.call_id in refused:
            continue
        call = _lock_waiting(waiting.call_id)
        if call is None:
            refused.add(waiting.call_id)
            continue
        seat = _lock_free(free.seat_id)
        if seat is not None:
            return _ring(actor, now, call, seat)
    note_recorded()  # nothing happened
    return None


def _lock_waiting(call_id: int) -> Call | None:
    """Lock a call if it still waits: nobody else is serving it, and it rings nowhere."""
    rows = Call.objects.select_for_update(of=("self",), skip_locked=True)
    call = rows.filter(pk=call_id, state=CallState.RINGING).first()
    if call is None or CallOffer.objects.filter(call=call, ended_at=None).exists():
        return None
    return call


def _lock_free(seat_id: int) -> Seat | None:
    """Lock a seat if it is still free: whoever makes a seat busy locks it first, so this second look is certain."""
    rows = Seat.objects.select_for_update(of=("self",), skip_locked=True)
    seat = rows.filter(pk=seat_id, state=SeatState.READY, left_on=None).first()
    if (
        seat is None
        or is_talking(seat.user_id)
        or CallOffer.objects.filter(seat_id=seat.user_id, ended_at=None).exists()
    ):
        return None
    return seat


def _ring(actor: Actor, now: datetime, call: Call, seat: Seat, *, is_transfer: bool = False) -> CallOffer:
    seconds = int(parameter("line.ring_seconds", call.div, local_date(now)))
    offer = CallOffer.objects.create(
        div=call.div, call=call, seat_id=seat.user_id, group_id=seat.group_id, is_transfer=is_transfer, offered_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )  # fmt: skip
    if not is_transfer:
        changed(call, now=now, offer_count=call.offer_count + 1)
    event = "hotline.call.transfer" if is_transfer else "hotline.call.offer"
    record(actor=actor, now=now, event=event, subject=call, changes={"offered_to": [None, seat.user_id]})
    tell("ring", pk=call.pk, div=call.div, user_id=seat.user_id)
    tell("calls", pk=call.pk, div=call.div)
    return offer


@operation("hotline.offer.end", label=N_("结束分配"))
def end_offer(*, actor: Actor, now: datetime, offer_id: Id, outcome: Outcome) -> CallOffer:
    """Note what became of a ring at a seat: nobody answered, declined, not delivered, or the caller hung up. The second end is the first.

    Two misses in a row put the seat on a break. That somebody answered is said by ``connect_call``.
    """
    known_choice(outcome, [one for one in CallOffer.OUTCOMES if one[0] != "answered"], "outcome")
    found = CallOffer.objects.filter(pk=offer_id).first()
    if found is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    call = locked(Call.objects.all(), found.call_id)
    offer = locked(CallOffer.objects.all(), offer_id)
    require(actor, "hotline.offer.end", div=offer.div)
    if not actor.is_system:
        acd.check_own_seat(user_id=offer.seat_id, actor_id=actor.user_id, is_leader=actor.has("hotline.seat.move"))
    if offer.ended_at is not None:
        note_recorded()
        return offer
    changes = changed(offer, now=now, ended_at=now, outcome=outcome)
    record(actor=actor, now=now, event="hotline.offer.end", subject=call, changes=changes)
    seat = seat_of(offer.seat_id)
    if seat is not None and outcome != "cancelled":
        note_miss(actor, now, seat)
    tell("calls", pk=call.pk, div=call.div)
    return offer


@operation("hotline.call.connect", label=N_("接通"))
def connect_call(*, actor: Actor, now: datetime, call_id: Id, seat_id: SeatPerson) -> Call:
    """Note that a person's seat took the call (``seat_id`` as in ``Call.seat_id``); told twice is once. A call passed on changes hands."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.connect", div=call.div)
    if call.state == CallState.ANSWERED and call.seat_id == seat_id:
        note_recorded()
        return call
    passed_on = CallOffer.objects.filter(call=call, seat_id=seat_id, is_transfer=True, ended_at=None).exists()
    if call.state == CallState.ANSWERED and passed_on:
        return _change_hands(actor, now, call, seat_id)
    return put_through(actor, now, call, seat_id, verb="connect")


def _change_hands(actor: Actor, now: datetime, call: Call, user_id: int) -> Call:
    end_offers(now, call, answered_by=user_id)
    seats = {one.user_id: one for one in _seats_in_order({user_id, call.seat_id or 0})}
    new = seats.get(user_id)
    values: dict[str, Any] = {"seat_id": user_id, "held_at": None}
    if new is not None:
        values |= {"group_id": new.group_id, "provider_id": new.provider_id}
        changed(new, now=now, miss_count=0)
        tell("seats", pk=new.pk, div=new.div)
    former = seats.get(call.seat_id or 0)
    changes = changed(call, now=now, **values)
    record(actor=actor, now=now, event="hotline.call.connect", subject=call, changes=changes)
    rest(now, former)
    tell("calls", pk=call.pk, div=call.div)
    return call


def _seats_in_order(users: set[int]) -> list[Seat]:
    """Lock seats by number, so that two workers never wait for each other."""
    rows = Seat.objects.select_for_update(of=("self",)).filter(user_id__in=users, left_on=None)
    return list(rows.order_by("pk"))


@operation("hotline.call.transfer", label=N_("转接"))
def transfer_call(
    *, actor: Actor, now: datetime, call_id: Id,
    to_seat_id: Annotated[int, Input(N_("转给"), least=1, widget="choice")],
) -> Call:  # fmt: skip
    """Let one's call ring at a colleague (``to_seat_id`` is the person); it stays one's own until the colleague answers."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.transfer", div=call.div)
    rules.check_talking(call.state)
    if not actor.is_system:
        acd.check_same_call(answered_by=call.seat_id, seat_id=actor.user_id or 0)
    seat = seat_of(to_seat_id)
    acd.check_transfer(
        is_free=seat is not None and seat.state == SeatState.READY and not is_talking(seat.user_id),
        is_near=seat is not None and call.div.startswith(seat.div), is_same=to_seat_id == call.seat_id,
    )  # fmt: skip
    if seat is not None:
        _ring(actor, now, call, seat, is_transfer=True)
    return call


@operation("hotline.call.overflow", label=N_("溢出"))
def overflow_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Send a waiting call to the next group of its chain."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.overflow", div=call.div)
    rules.check_waiting(call.state)
    group = next_group(call)
    if group is None:
        raise Refused("group.no_overflow", N_("没有下一个班组，请转值班电话或留言"))
    end_offers(now, call)
    changes = changed(call, now=now, group_id=group.pk, provider_id=group.provider_id)
    record(actor=actor, now=now, event="hotline.call.overflow", subject=call, changes=changes)
    tell("calls", pk=call.pk, div=call.div)
    return call


@operation("hotline.call.divert", label=N_("转值班电话"))
def divert_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Note that a waiting call goes to the duty phone (``queries.duty_number``); our part ends there."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.divert", div=call.div)
    rules.check_waiting(call.state)
    end_offers(now, call)
    return move_call(actor, now, call, "divert", ended_at=now, ended_by="platform")


@operation("hotline.call.leave", label=N_("留言"))
def leave_message(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Note that a waiting caller leaves a message: somebody hears it and calls back."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.leave", div=call.div)
    rules.check_waiting(call.state)
    end_offers(now, call)
    move_call(actor, now, call, "leave", ended_at=now, ended_by="caller")
    call_back(actor, now, call, "message")
    return call
