"""Reading what a seat's soft-phone shows: the seat, its call, whom it can pass the call on to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from yinling.hotline.models import Call, CallOffer, Seat
from yinling.hotline.states import CallState, SeatState
from yinling.kernel.actor import Actor

TALKING, RINGING, DIALLING = "talking", "ringing", "dialling"


@dataclass(frozen=True)
class PhoneNow:
    """What happens at a seat now. ``phase`` is talking, ringing (offered to this seat), dialling (an own call going out) or empty."""

    seat: Seat | None
    call: Call | None = None
    phase: str = ""
    is_transfer: bool = False
    colleagues: tuple[Seat, ...] = ()


def seat_of(user_id: int | None) -> Seat | None:
    """Return a person's place on the line, if there is one today."""
    rows = Seat.objects.select_related("user", "group")
    return rows.filter(user_id=user_id, left_on=None).first() if user_id else None


def phone_now(actor: Actor, now: datetime) -> PhoneNow:
    """Return what a seat's phone shows: three queries, a fourth for the colleagues while it talks."""
    seat = seat_of(actor.user_id)
    if seat is None:
        return PhoneNow(None)
    calls = Call.objects.select_related("elder")
    own = calls.filter(seat_id=seat.user_id, state__in=(CallState.ANSWERED, CallState.RINGING)).order_by("-pk").first()
    if own is not None and own.state == CallState.ANSWERED:
        return PhoneNow(seat, own, TALKING, colleagues=ready_colleagues(seat, now))
    offer = CallOffer.objects.filter(seat_id=seat.user_id, ended_at=None).select_related("call__elder").first()
    if offer is not None:
        return PhoneNow(seat, offer.call, RINGING, is_transfer=offer.is_transfer)
    return PhoneNow(seat, own, DIALLING) if own is not None and own.is_outbound else PhoneNow(seat)


def ready_colleagues(seat: Seat, now: datetime) -> tuple[Seat, ...]:
    """Return who could take over a call of a seat now: ready, phone on the line, not talking, own group first."""
    rows = (
        Seat.objects.filter(state=SeatState.READY, left_on=None, registered_until__gt=now)
        .exclude(pk=seat.pk)
        .exclude(user_id__in=Call.objects.filter(state=CallState.ANSWERED, seat_id__isnull=False).values("seat_id"))
        .exclude(user_id__in=CallOffer.objects.filter(ended_at=None).values("seat_id"))
        .select_related("user", "group")
    )
    return tuple(sorted(rows, key=lambda one: (one.group_id != seat.group_id, one.number)))
