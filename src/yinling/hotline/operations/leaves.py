"""Leaves of seats: asked for, granted where nobody is missing; illness of today counts at once and raises the alarm."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import Message, Recipient, notify_each, record
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.hotline import duty
from yinling.hotline.models import Seat, SeatLeave
from yinling.hotline.operations.rosters import FromAt, ToAt, free_seat, lock_rosters, lock_seats
from yinling.hotline.queries.rosters import leaders_of, leave_effect
from yinling.hotline.states import LEAVE, LeaveState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, OptionalReason, Reason, Seen
from yinling.kernel.period import local_date, local_midnight
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_

LeaveKind = Annotated[str, Input(N_("请假类别"), choices=SeatLeave.KINDS, widget="radio")]
LeaveSeat = Annotated[int | None, Input(N_("为谁请假"), help=N_("不填：本人"), least=1, widget="choice")]
NAMED = 5

explain_constraint("leave_once", "leave.twice", N_("这段时间已有一份请假，请先取消它"))


@operation("hotline.leave.ask", label=N_("申请请假"))
def ask_leave(
    *, actor: Actor, now: datetime, kind: LeaveKind, from_at: FromAt, to_at: ToAt, reason: Reason, seat_id: LeaveSeat = None
) -> SeatLeave:  # fmt: skip
    """Ask for a leave, or the leader for somebody. Illness that begins today needs nobody's consent: it holds at once."""
    seat = _seat(actor, seat_id)
    require(actor, "hotline.leave.ask", div=seat.div)
    known_choice(kind, SeatLeave.KINDS, "kind")
    duty.check_span(from_at, to_at)
    required_text(reason, "reason", most=500)
    if to_at <= now or from_at < local_midnight(local_date(now)):
        raise Refused("leave.past", N_("请假应从今天或以后开始，过去的时间不能补请"), field="from_at")
    leave = SeatLeave(
        div=seat.div, seat=seat, kind=kind, from_at=from_at, to_at=to_at, reason=reason, created_at=now, changed_at=now
    )
    leave.save(force_insert=True)
    asked = {"kind": [None, kind], "from_at": [None, str(from_at)], "to_at": [None, str(to_at)]}
    record(actor=actor, now=now, event="hotline.leave.ask", subject=leave, changes=asked, reason=reason)
    if kind == "sick" and local_date(from_at) == local_date(now):
        _hold(actor, now, leave)
        _tell(now, leave, leaders_of(seat.group), N_("今日病假，已生效"))
    else:
        _tell(now, leave, leaders_of(seat.group), N_("请假待批准"))
    return leave


def _seat(actor: Actor, seat_id: int | None) -> Seat:
    """Return one's own seat, or for the leader any."""
    rows = Seat.objects.filter(left_on=None).select_related("group", "user")
    seat: Seat | None = rows.filter(pk=seat_id).first() if seat_id else rows.filter(user_id=actor.user_id or 0).first()
    if seat is None:
        raise Refused("leave.seat", N_("没有这位坐席，请从列表中选择"), field="seat_id")
    _check_own(actor, seat)
    return seat


def _check_own(actor: Actor, seat: Seat) -> None:
    if seat.user_id != actor.user_id and not actor.has("hotline.leave.grant"):
        raise Denied("leave.other", N_("只能办理自己的请假，别人的请由本人或班长办理"))


def _hold(actor: Actor, now: datetime, leave: SeatLeave) -> None:
    """Let a leave hold: the person is taken off duty, and holes raise the alarm."""
    target = LEAVE.target("grant", LeaveState(leave.state))
    changes = changed(leave, now=now, state=target)
    record(actor=actor, now=now, event="hotline.leave.grant", subject=leave, changes=changes)
    free_seat(actor, now, leave.seat, leave.from_at, leave.to_at)


def _tell(now: datetime, leave: SeatLeave, user_ids: list[int], title: str) -> None:
    text = f"{leave.seat.number} {leave.seat.user.name} {duty.told(leave.from_at, leave.to_at)}"
    notify_each(now=now, messages=[
        Message(leave, Recipient(user_id=user_id), f"leave:{leave.pk}:{leave.state}:{user_id}", title, text, "/line/leaves/")
        for user_id in sorted(set(user_ids))
    ])  # fmt: skip
    tell("rosters", pk=leave.pk, div=leave.div)


def _locked_leave(actor: Actor, verb: str, leave_id: int, seen: int | None) -> SeatLeave:
    leave = locked(SeatLeave.objects.select_related("seat__group", "seat__user"), leave_id, seen)
    require(actor, f"hotline.leave.{verb}", div=leave.div)
    return leave


@operation("hotline.leave.grant", label=N_("批准请假"))
def grant_leave(*, actor: Actor, now: datetime, leave_id: Id, seen: Seen = None) -> SeatLeave:
    """Grant a leave. One that can be planned is refused while it leaves a hole; illness holds, with the alarm."""
    leave = _locked_leave(actor, "grant", leave_id, seen)
    LEAVE.target("grant", LeaveState(leave.state))
    if leave.seat.user_id == actor.user_id:
        raise Denied("leave.self", N_("不能批准自己的请假，请由另一位班长办理"))
    touched = leave_effect(leave, now).shifts
    lock_rosters(shift.roster_id for shift in touched)
    lock_seats([leave.seat_id])
    found = leave_effect(leave, now)
    if found.holes and leave.kind != "sick":
        hole = found.holes[0]
        raise Refused(
            "leave.hole", N_("批准后 %(span)s 缺%(missing)s人。可顶班的坐席：%(seats)s。请先调班，再批准"), span=duty.told(hole.start, hole.end),
            missing=hole.missing, seats="、".join(seat.number for seat in found.callable[:NAMED]) or "—",
        )  # fmt: skip
    _hold(actor, now, leave)
    _tell(now, leave, [leave.seat.user_id], N_("请假已批准"))
    return leave


def _move(actor: Actor, now: datetime, leave: SeatLeave, verb: str, *, reason: str, **values: Any) -> SeatLeave:
    target = LEAVE.target(verb, LeaveState(leave.state))
    changes = changed(leave, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"hotline.leave.{verb}", subject=leave, changes=changes, reason=reason)
    return leave


@operation("hotline.leave.refuse", label=N_("不批准"))
def refuse_leave(*, actor: Actor, now: datetime, leave_id: Id, reason: Reason, seen: Seen = None) -> SeatLeave:
    """Say no, with the reason."""
    leave = _locked_leave(actor, "refuse", leave_id, seen)
    LEAVE.target("refuse", LeaveState(leave.state))
    required_text(reason, "reason", most=500)
    _move(actor, now, leave, "refuse", reason=reason, answer=reason)
    _tell(now, leave, [leave.seat.user_id], N_("请假未获批准"))
    return leave


@operation("hotline.leave.cancel", label=N_("取消请假"))
def cancel_leave(
    *, actor: Actor, now: datetime, leave_id: Id, reason: OptionalReason = "", seen: Seen = None
) -> SeatLeave:
    """Take a leave back. Shifts that it took away do not return by themselves: the leader has planned without them."""
    leave = _locked_leave(actor, "cancel", leave_id, seen)
    LEAVE.target("cancel", LeaveState(leave.state))
    _check_own(actor, leave.seat)
    if leave.to_at <= now:
        raise NotAllowed("leave.over", N_("这次请假已经结束，不能取消"))
    _move(actor, now, leave, "cancel", reason=reason, answer=reason)
    _tell(now, leave, leaders_of(leave.seat.group), N_("请假已取消，请核对排班"))
    return leave
