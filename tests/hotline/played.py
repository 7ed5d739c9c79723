"""Calls that are over, as figures, recordings and quality checks find them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.factories import CITY, NOW, actor, make_call, make_group, make_organisation, make_seat, system

from yinling.directory.models import Organisation
from yinling.ground.scope import scope
from yinling.hotline.models import Call, LineContract, Recording, Seat
from yinling.hotline.operations import store_recording
from yinling.kernel.actor import Actor

SOUND = b"RIFF" + bytes(range(256)) * 8


def talk(
    seat: Actor | None, *, at: datetime = NOW, wait_s: int = 10, talk_s: int = 60, state: str = "ended", **values: Any
) -> Call:
    """A call that came, waited and was answered, or ended otherwise."""
    call = make_call(rang_at=at, **values)
    if state == "ended":
        call.seat_id = seat.user_id if seat else None
        call.state, call.answered_at = "answered", at + timedelta(seconds=wait_s)
        call.save()
    if state != "ringing":
        length = wait_s + (talk_s if state == "ended" else 0)
        call.state, call.ended_at = state, at + timedelta(seconds=length)
        call.ended_by = "seat" if state == "ended" else "caller"
        call.save()
    return call


def recorded(call: Call, *, content: bytes = SOUND, now: datetime = NOW, **values: Any) -> Recording:
    """The sound of a call, stored by the line."""
    robot = system()
    with scope(robot):
        return store_recording(
            actor=robot, now=now, call_id=call.pk, content=content, started_at=call.answered_at or NOW, seconds=60, **values
        )  # fmt: skip


def company_line(name: str = "") -> tuple[Organisation, Actor, Seat, Actor]:
    """A company with a seat of its own group and the login that looks after it: company, seat's person, seat, manager."""
    company = make_organisation(**({"name": name, "short_name": name[:10]} if name else {}))
    person = actor("seat")
    seat = make_seat(person, group=make_group(provider=company, is_first=False))
    return company, person, seat, actor("line_operator", organisation=company)


def contract(company: Organisation, **values: Any) -> LineContract:
    """Ten thousand yuan a month and two yuan a call, half a per cent for each point short, at most five."""
    chosen = {
        "div": CITY, "number": f"热线〔2026〕{company.pk}号", "valid_from": date(2026, 1, 1), "valid_to": date(2027, 1, 1),
        "monthly_fen": 1_000_000, "per_call_fen": 200, "deduct_bp_per_point": 50, "most_deduct_bp": 500, "created_at": NOW,
        "changed_at": NOW, **values,
    }  # fmt: skip
    return LineContract.objects.create(provider=company, **chosen)
