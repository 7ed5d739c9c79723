"""Duty as a seat sees it: own shifts, swaps and leaves; and what an absence does to the roster before it is decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.hotline.duty import told
from yinling.hotline.models import Seat, SeatLeave, Shift, ShiftSwap
from yinling.hotline.queries import (
    absence_effect,
    candidates,
    leave_effect,
    seat_leaves,
    seat_of_user,
    seats_of_group,
    shifts_ahead,
    swaps,
)
from yinling.hotline.states import LEAVE, SWAP, LeaveState, SwapState
from yinling.kernel.period import ONE_DAY, local_date, local_midnight
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.rosters import VIEW, roster_tabs, typed
from yinling.web.pages import Filter, Listing, page, render

AHEAD = timedelta(days=62)
SHOWN = 60


def _label(seat: Seat) -> str:
    return f"{seat.number} {seat.user.name}"


@page("hotline.leave.ask")
def mine(request: Any) -> HttpResponse:
    """One's own shifts, with the way to swap each and to ask for leave."""
    seat = seat_of_user(request.actor.user_id)
    leaves = list(seat_leaves(request.actor).filter(seat=seat)[:10]) if seat else []
    return render(
        request, "console/shifts_mine.html", seat=seat, shifts=list(shifts_ahead(seat, request.now)[:SHOWN]) if seat else [],
        leaves=leaves, cancels=_cancels(request, leaves), machine=LEAVE, told=told, form=_leave_form(request, seat), kinds=SeatLeave.KINDS,
        tabs=roster_tabs(request, "/line/shifts/mine/"),
    )  # fmt: skip


def _leave_form(request: Any, seat: Seat | None) -> ActionForm | None:
    if seat is None:
        return None
    start = local_midnight(local_date(request.now) + ONE_DAY)
    initial = {"kind": "annual", "from_at": typed(start), "to_at": typed(start + ONE_DAY)}
    return action_form(
        request, "ask_leave", initial, next="/line/shifts/mine/", only=("kind", "from_at", "to_at", "reason"), done=N_("已提交请假"),
        fields={"kind": {"help": N_("今天生病选病假：立即生效，班长马上收到通知")}},
    )  # fmt: skip


def _cancels(request: Any, rows: list[SeatLeave]) -> dict[int, ActionForm]:
    """A button for each leave that can still be taken back."""
    open_ = (LeaveState.ASKED, LeaveState.GRANTED)
    return {
        row.pk: action_form(
            request, "cancel_leave", {"leave_id": row.pk, "seen": row.version}, next=request.path, only=("leave_id",), tone=""
        )
        for row in rows
        if row.state in open_ and row.to_at > request.now
    }  # fmt: skip


@page("hotline.swap.ask")
def swap_of(request: Any, pk: int) -> HttpResponse:
    """Ask a colleague to take a shift: those who are free and rested first in the list."""
    rows = Shift.objects.visible_to(request.actor).filter(pk=pk, is_live=True)
    shift = rows.select_related("seat__user", "roster__group").first()
    may_all = request.actor.has("hotline.swap.approve")
    if shift is None or (shift.seat.user_id != request.actor.user_id and not may_all):
        raise Http404
    free = candidates(shift.roster.group, shift.from_at, shift.to_at, but=[shift.seat_id])
    others = [one for one in seats_of_group(shift.roster.group) if one.pk != shift.seat_id]
    known = {one.pk for one in free}
    people = [(one.pk, f"{_label(one)}　{_('空闲')}") for one in free]
    people += [(one.pk, _label(one)) for one in others if one.pk not in known]
    backs = Shift.objects.filter(
        seat__in=others, is_live=True, from_at__gt=request.now, from_at__lt=request.now + AHEAD
    )
    theirs = backs.select_related("seat__user").order_by("seat__number", "from_at")[:200]
    options = [("", _("不换回")), *((one.pk, f"{_label(one.seat)} {told(one.from_at, one.to_at)}") for one in theirs)]
    form = action_form(
        request, "ask_swap", {"shift_id": pk}, next="/line/swaps/", hidden=("shift_id",), done=N_("已发给同事，请等待答复"),
        fields={"to_seat_id": {"options": people}, "back_id": {"options": options, "required": False}},
    )  # fmt: skip
    return render(
        request, "console/swap_ask.html", shift=shift, form=form, told=told, free=free, tabs=roster_tabs(request, "")
    )


@page(VIEW)
def swap_list(request: Any) -> HttpResponse:
    """Wishes to swap: what each person may answer stands beside it."""
    found = Listing(
        request,
        swaps(request.actor),
        Filter("state", _("状态"), lambda rows, state: rows.filter(state=state), "choice", SWAP.choices),
    )
    return render(
        request, "console/swaps.html", listing=found, machine=SWAP, told=told, tabs=roster_tabs(request, "/line/swaps/"),
        forms={row.pk: _answers(request, row) for row in found},
    )  # fmt: skip


def _answers(request: Any, row: ShiftSwap) -> list[ActionForm]:
    ids = {"swap_id": row.pk, "seen": row.version}
    user_id, leads = request.actor.user_id, request.actor.has("hotline.swap.approve")
    asked, agreed = row.state == SwapState.ASKED, row.state == SwapState.AGREED
    forms = []
    if asked and (leads or row.to_seat.user_id == user_id):
        forms.append(action_form(request, "agree_swap", ids, next="/line/swaps/"))
    if agreed and leads:
        forms.append(action_form(request, "approve_swap", ids, next="/line/swaps/"))
    if (asked or agreed) and (leads or row.to_seat.user_id == user_id):
        forms.append(action_form(request, "refuse_swap", ids, next="/line/swaps/", tone=""))
    if (asked or agreed) and (leads or row.shift.seat.user_id == user_id):
        forms.append(action_form(request, "cancel_swap", ids, next="/line/swaps/", only=("swap_id",), tone=""))
    return forms


@page(VIEW)
def leave_list(request: Any) -> HttpResponse:
    """Leaves: all for the leader, one's own for a seat."""
    rows = seat_leaves(request.actor)
    if not request.actor.has("hotline.leave.grant"):
        rows = rows.filter(seat__user_id=request.actor.user_id)
    found = Listing(
        request,
        rows,
        Filter("state", _("状态"), lambda rows_, state: rows_.filter(state=state), "choice", LEAVE.choices),
    )
    return render(
        request, "console/leaves.html", listing=found, machine=LEAVE, told=told, tabs=roster_tabs(request, "/line/leaves/"),
        kinds=SeatLeave.KINDS,
    )  # fmt: skip


@page(VIEW)
def leave(request: Any, pk: int) -> HttpResponse:
    """One leave with what granting it does: holes, and whom to call."""
    row = seat_leaves(request.actor).filter(pk=pk).first()
    leads = request.actor.has("hotline.leave.grant")
    if row is None or (row.seat.user_id != request.actor.user_id and not leads):
        raise Http404
    ids, here = {"leave_id": row.pk, "seen": row.version}, f"/line/leaves/{pk}/"
    forms = []
    if row.state == LeaveState.ASKED:
        forms = [
            action_form(request, "grant_leave", ids, next=here),
            action_form(request, "refuse_leave", ids, next=here, tone=""),
        ]
    if row.state in (LeaveState.ASKED, LeaveState.GRANTED) and row.to_at > request.now:
        forms.append(action_form(request, "cancel_leave", ids, next=here, only=("leave_id",), tone=""))
    effect = leave_effect(row, request.now) if row.state == LeaveState.ASKED else None
    return render(
        request, "console/leave.html", leave=row, effect=effect, forms=forms, machine=LEAVE, told=told, kinds=SeatLeave.KINDS,
        tabs=roster_tabs(request, "/line/leaves/"), label=_label,
    )  # fmt: skip


@page("hotline.seat.end")
def leaving(request: Any, pk: int) -> HttpResponse:
    """What ending a seat does to the published rosters, before it is done."""
    seat = Seat.objects.visible_to(request.actor).filter(pk=pk, left_on=None).select_related("user", "group").first()
    if seat is None:
        raise Http404
    effect = absence_effect(seat, request.now, request.now + 10 * AHEAD, request.now)
    form = action_form(
        request, "end_seat", {"seat_id": seat.pk, "seen": seat.version}, next="/line/rosters/", tone="danger"
    )
    return render(
        request, "console/seat_leaving.html", seat=seat, effect=effect, form=form, told=told, label=_label,
        tabs=roster_tabs(request, ""),
    )  # fmt: skip


urlpatterns = [
    path("line/shifts/mine/", mine),
    path("line/shifts/<int:pk>/swap/", swap_of),
    path("line/swaps/", swap_list),
    path("line/leaves/", leave_list),
    path("line/leaves/<int:pk>/", leave),
    path("line/seats/<int:pk>/leaving/", leaving),
]
