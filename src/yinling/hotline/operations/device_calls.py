"""Calls that a device makes for an elder: they stand in the one queue, and carry no voice of their own. Called by later contexts."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.ground.live import tell
from yinling.ground.operation import changed
from yinling.hotline.models import Call
from yinling.hotline.operations.calls import end_offers, end_talk, move_call, put_through
from yinling.hotline.operations.line import receive_call
from yinling.hotline.states import CallState
from yinling.kernel.actor import Actor


def ring_for_device(
    *, actor: Actor, now: datetime, key: str, number: str, elder_id: int | None, div: str, rank: int
) -> Call:
    """Put a device's call into the queue, for the elder whose device it is, whatever its number says; twice is once."""
    call = receive_call(actor=actor, now=now, key=key, number=number, channel="device")
    if (call.elder_id, call.div, call.rank) != (elder_id, div, rank):
        changes = changed(call, now=now, elder_id=elder_id, div=div, rank=rank)
        record(actor=actor, now=now, event="hotline.call.identify", subject=call, changes=changes)
        tell("calls", pk=call.pk, div=call.div)
    return call


def settle_device_call(*, actor: Actor, now: datetime, call: Call, seat_id: int | None) -> Call:
    """Take a locked device call out of the queue: answered by the seat that took up its alarm, given up if nobody did.

    The seat's ear is free at once, so that it can dial the elder: the call itself had no voice. A call with a voice goes on.
    """
    if call.leg or call.state not in (CallState.RINGING, CallState.ANSWERED):
        return call
    is_talking = Call.objects.filter(seat_id=seat_id, state=CallState.ANSWERED).exclude(pk=call.pk).exists()
    if call.state == CallState.RINGING and seat_id is not None and not is_talking:
        put_through(actor, now, call, seat_id, verb="answer")
    if call.state == CallState.ANSWERED:
        return end_talk(actor, now, call, by="platform", verb="hang_up")
    end_offers(now, call)
    return move_call(actor, now, call, "abandon", ended_at=now, ended_by="platform")
