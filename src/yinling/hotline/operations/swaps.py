"""Swapping shifts: a colleague agrees, the leader approves, and the roster holds as before (R-CALL-03)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import Message, Recipient, notify_each, record
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.hotline import duty
from yinling.hotline.models import Roster, Seat, Shift, ShiftSwap
from yinling.hotline.operations.rosters import check_shifts, lock_rosters, lock_seats, tell_seats
from yinling.hotline.queries.rosters import leaders_of, shifts_of
from yinling.hotline.states import SWAP, SwapState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, OptionalReason, Reason, Seen
from yinling.kernel.refusals import Denied, Refused
from yinling.kernel.words import N_

SwapShift = Annotated[int, Input(N_("要换出的班次"), least=1, widget="choice")]
Colleague = Annotated[int, Input(N_("请谁顶班"), least=1, widget="choice")]
Back = Annotated[int | None, Input(N_("换回哪个班次"), help=N_("不填：只请对方顶班，不换回"), least=1, widget="choice")]

explain_constraint("swap_one_open", "swap.open", N_("这个班次已有一份换班申请在办，请先取消它"))


@operation("hotline.swap.ask", label=N_("申请换班"))
def ask_swap(
    *, actor: Actor, now: datetime, shift_id: SwapShift, to_seat_id: Colleague, back_id: Back = None, reason: Reason
) -> ShiftSwap:
    """Ask a colleague to take one's own shift, perhaps for one of theirs. Refused at once if it cannot be."""
    shift = _live_shift(shift_id, now, "shift_id")
    require(actor, "hotline.swap.ask", div=shift.div)
    _check_own(actor, shift.seat)
    required_text(reason, "reason", most=500)
    seat = Seat.objects.filter(pk=to_seat_id, div=shift.div, left_on=None).exclude(pk=shift.seat_id).first()
    if seat is None:
        raise Refused("swap.colleague", N_("请从列表中选择一位同事"), field="to_seat_id")
    back = _live_shift(back_id, now, "back_id") if back_id else None
    if back is not None and back.seat_id != seat.pk:
        raise Refused("swap.back", N_("换回的班次应是这位同事的班次，请重新选择"), field="back_id")
    swap = ShiftSwap(div=shift.div, shift=shift, to_seat=seat, back=back, reason=reason, created_at=now, changed_at=now)
    _check_possible(swap, now)
    swap.save(force_insert=True)
    asked = {"to_seat_id": [None, seat.pk], "back_id": [None, back_id]}
    record(actor=actor, now=now, event="hotline.swap.ask", subject=swap, changes=asked, reason=reason)
    _tell(now, swap, [seat.user_id], N_("同事请您换班，请答复"))
    return swap


def _live_shift(shift_id: int, now: datetime, field: str) -> Shift:
    shift: Shift | None = (
        Shift.objects.select_for_update(of=("self",)).select_related("seat", "roster__group").filter(pk=shift_id, is_live=True).first()
    )  # fmt: skip
    if shift is None:
        raise Refused("swap.shift", N_("没有这个班次，或者它还没有发布，请从列表中选择"), field=field)
    duty.check_not_begun(shift.from_at, now)
    return shift


def _check_own(actor: Actor, seat: Seat) -> None:
    """One's own shifts only; the leader may act for anybody."""
    if seat.user_id != actor.user_id and not actor.has("hotline.swap.approve"):
        raise Denied("swap.other", N_("只能办理自己的换班，别人的请由本人或班长办理"))


def _parts(swap: ShiftSwap) -> list[tuple[Shift, Seat]]:
    """Which shift goes to whom."""
    parts = [(swap.shift, swap.to_seat)]
    return parts if swap.back is None else [*parts, (swap.back, swap.shift.seat)]


def _check_possible(swap: ShiftSwap, now: datetime) -> None:
    """Refuse a swap after which somebody is in two posts, not rested, on leave, or somebody is missing."""
    parts = _parts(swap)
    rosters = {shift.roster_id: shift.roster for shift, _seat in parts}
    for roster in rosters.values():
        before = list(shifts_of(roster))
        going = {shift.pk: seat for shift, seat in parts if shift.roster_id == roster.pk}
        after = [_as_of(row, going.get(row.pk)) for row in before]
        _check_after(roster, swap, before, after, now)


def _as_of(row: Shift, seat: Seat | None) -> Shift:
    """Return the shift as it would be with another person, not written."""
    if seat is None:
        return row
    return Shift(
        pk=row.pk, div=row.div, roster_id=row.roster_id, seat=seat, from_at=row.from_at, to_at=row.to_at, is_live=True
    )


def _check_after(
    roster: Roster, swap: ShiftSwap, before: Sequence[Shift], after: Sequence[Shift], now: datetime
) -> None:
    def posts(rows: Sequence[Shift]) -> list[duty.Post]:
        return [duty.Post(row.from_at, row.to_at, row.seat_id, row.pk) for row in rows]

    start = max(roster.from_at, now)
    if start < roster.to_at:
        duty.check_change(duty.worse(posts(before), posts(after), start, roster.to_at, roster.least))
    leaving = [shift.pk for shift, _seat in _parts(swap)]
    check_shifts(roster, after, only=[swap.to_seat_id, swap.shift.seat_id], moving=leaving)


def _locked_swap(actor: Actor, verb: str, swap_id: int, seen: int | None) -> ShiftSwap:
    swap = locked(
        ShiftSwap.objects.select_related("shift__seat", "shift__roster__group", "to_seat", "back__seat", "back__roster__group"), swap_id, seen
    )  # fmt: skip
    require(actor, f"hotline.swap.{verb}", div=swap.div)
    return swap


def _move(actor: Actor, now: datetime, swap: ShiftSwap, verb: str, *, reason: str = "", **values: Any) -> ShiftSwap:
    target = SWAP.target(verb, SwapState(swap.state))
    changes = changed(swap, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"hotline.swap.{verb}", subject=swap, changes=changes, reason=reason)
    tell("rosters", pk=swap.shift.roster_id, div=swap.div)
    return swap


def _tell(now: datetime, swap: ShiftSwap, user_ids: Sequence[int], title: str) -> None:
    text = duty.told(swap.shift.from_at, swap.shift.to_at)
    notify_each(now=now, messages=[
        Message(swap, Recipient(user_id=user_id), f"swap:{swap.pk}:{swap.state}:{user_id}", title, text, "/line/swaps/")
        for user_id in sorted(set(user_ids))
    ])  # fmt: skip


@operation("hotline.swap.agree", label=N_("同意换班"))
def agree_swap(*, actor: Actor, now: datetime, swap_id: Id, seen: Seen = None) -> ShiftSwap:
    """The colleague takes the shift; the leader decides."""
    swap = _locked_swap(actor, "agree", swap_id, seen)
    SWAP.target("agree", SwapState(swap.state))
    _check_own(actor, swap.to_seat)
    _check_still(swap, now)
    _move(actor, now, swap, "agree")
    _tell(now, swap, leaders_of(swap.shift.roster.group), N_("换班申请待批准"))
    return swap


def _check_still(swap: ShiftSwap, now: datetime) -> None:
    """The shifts must still stand, be to come and be exchangeable."""
    for shift, _seat in _parts(swap):
        if not shift.is_live:
            raise Refused("swap.gone", N_("班次已变动，请取消这份申请后重新办理"))
        duty.check_not_begun(shift.from_at, now)
    if swap.back is not None and swap.back.seat_id != swap.to_seat_id:
        raise Refused("swap.gone", N_("班次已变动，请取消这份申请后重新办理"))
    _check_possible(swap, now)


@operation("hotline.swap.approve", label=N_("批准换班"))
def approve_swap(*, actor: Actor, now: datetime, swap_id: Id, seen: Seen = None) -> ShiftSwap:
    """Exchange the shifts: the old ones go out, new ones in their place."""
    swap = _locked_swap(actor, "approve", swap_id, seen)
    SWAP.target("approve", SwapState(swap.state))
    parts = _parts(swap)
    _lock(parts)
    _check_still(swap, now)
    users = [swap.shift.seat.user_id, swap.to_seat.user_id]
    for shift, _seat in parts:
        changed(shift, now=now, is_out=True, is_live=False)
    for shift, seat in parts:
        Shift.objects.create(
            div=shift.div, roster_id=shift.roster_id, seat=seat, from_at=shift.from_at, to_at=shift.to_at, is_live=True, created_at=now,
            changed_at=now,
        )  # fmt: skip
    _move(actor, now, swap, "approve")
    for shift, _seat in parts:
        tell_seats(now, shift, users, N_("换班已批准，请按新的班次到岗"))
    return swap


def _lock(parts: Sequence[tuple[Shift, Seat]]) -> None:
    """Planners of the same rosters and people wait for each other, always in the same order."""
    lock_rosters(shift.roster_id for shift, _seat in parts)
    lock_seats({seat.pk for _shift, seat in parts} | {shift.seat_id for shift, _seat in parts})


@operation("hotline.swap.refuse", label=N_("不同意"))
def refuse_swap(*, actor: Actor, now: datetime, swap_id: Id, reason: Reason, seen: Seen = None) -> ShiftSwap:
    """The colleague or the leader says no, with the reason."""
    swap = _locked_swap(actor, "refuse", swap_id, seen)
    SWAP.target("refuse", SwapState(swap.state))
    _check_own(actor, swap.to_seat)
    required_text(reason, "reason", most=500)
    _move(actor, now, swap, "refuse", reason=reason, answer=reason)
    _tell(now, swap, [swap.shift.seat.user_id], N_("换班申请未获同意"))
    return swap


@operation("hotline.swap.cancel", label=N_("取消换班申请"))
def cancel_swap(
    *, actor: Actor, now: datetime, swap_id: Id, reason: OptionalReason = "", seen: Seen = None
) -> ShiftSwap:
    """Take one's own wish back."""
    swap = _locked_swap(actor, "cancel", swap_id, seen)
    SWAP.target("cancel", SwapState(swap.state))
    _check_own(actor, swap.shift.seat)
    _move(actor, now, swap, "cancel", reason=reason, answer=reason)
    _tell(now, swap, [swap.to_seat.user_id], N_("换班申请已取消"))
    return swap
