"""P10: the duty rosters of the line: list, the sheet of one with its holes, single shifts, print and workbook."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.hotline.duty import FAULTS, hours_told, told
from yinling.hotline.models import Roster, SeatGroup, Shift
from yinling.hotline.queries import (
    covered_until,
    groups_running_out,
    published_holes,
    rosters,
    seats_of_group,
    shifts_of,
)
from yinling.hotline.states import ROSTER, RosterState
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import SHANGHAI, add_months, local_date, local_midnight, month_start, week_start
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.rosters import Sheet, days_of, sheet, slot_name, week_of
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import tr

VIEW = "hotline.roster.view"
VIEWS = (("week", N_("按周")), ("month", N_("全期")), ("hours", N_("按半小时")), ("shares", N_("工时")))
WEEKDAYS = "一二三四五六日"
SHORTEST = timedelta(days=7)
"""A new roster that would end sooner is proposed to the end of the month after."""


def roster_tabs(request: Any, here: str) -> list[tuple[str, str, None, bool]]:
    """The pages around the roster that a person may open."""
    pages = [
        (N_("排班表"), "/line/rosters/", VIEW), (N_("我的班次"), "/line/shifts/mine/", "hotline.leave.ask"),
        (N_("换班"), "/line/swaps/", VIEW), (N_("请假"), "/line/leaves/", VIEW), (N_("坐席需求预测"), "/line/forecast/", "hotline.forecast.view"),
    ]  # fmt: skip
    return [(_(label), path_, None, path_ == here) for label, path_, right in pages if request.actor.has(right)]


def typed(moment: datetime) -> str:
    """A moment as a field for date and time takes it."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


def group_choices(request: Any) -> list[tuple[int, str]]:
    """The groups in use that a person sees."""
    rows = SeatGroup.objects.visible_to(request.actor).filter(is_active=True).order_by("-is_first", "name")
    return list(rows.values_list("pk", "name"))


def roster_of(request: Any, pk: int) -> Roster:
    """Return a roster that the person may see."""
    row = rosters(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row  # type: ignore[no-any-return]


@page(VIEW)
def listing(request: Any) -> HttpResponse:
    """All rosters, newest first; above them what is uncovered and what ends soon."""
    groups = group_choices(request)
    found = Listing(
        request,
        rosters(request.actor),
        Filter(
            "group",
            _("班组"),
            lambda rows, pk: rows.filter(group_id=pk),
            "choice",
            [(str(pk), name) for pk, name in groups],
        ),
        Filter("state", _("状态"), lambda rows, state: rows.filter(state=state), "choice", ROSTER.choices),
    )
    return render(
        request, "console/rosters.html", listing=found, tabs=roster_tabs(request, "/line/rosters/"), machine=ROSTER, told=told,
        alarms=published_holes(request.actor, request.now), ending=groups_running_out(request.actor, request.now),
        form=_draft_form(request, groups), has_groups=bool(groups),
    )  # fmt: skip


def _draft_form(request: Any, groups: list[tuple[int, str]]) -> ActionForm | None:
    """The form of a new roster: by default it follows the published ones to the end of a month, or is the next month."""
    if not request.actor.has("hotline.roster.draft") or not groups:
        return None
    until = covered_until(SeatGroup.objects.get(pk=groups[0][0]), request.now)
    start = until or local_midnight(add_months(month_start(local_date(request.now)), 1))
    end = local_midnight(add_months(month_start(local_date(start + SHORTEST)), 1))
    initial = {"group_id": groups[0][0], "from_at": typed(start), "to_at": typed(end), "least": 1, "rotation": "3x8"}
    return action_form(
        request, "draft_roster", initial, next="/line/rosters/{id}/", submit=N_("编制排班表"), done=N_("已编制，请核对后发布"),
        only=("group_id", "from_at", "to_at", "least", "rotation"), fields={"group_id": {"options": groups, "widget": "choice"}},
    )  # fmt: skip


@page(VIEW)
def roster(request: Any, pk: int) -> HttpResponse:
    """One roster: by week, as a whole, by half hour, or by share; its holes and what else stands against it."""
    row = roster_of(request, pk)
    view = request.GET.get("view", "week")
    view = view if view in dict(VIEWS) else "week"
    asked = meant_day(request.GET.get("day", "")) or local_date(request.now)
    days = days_of(row) if view in ("month", "shares") else week_of(row, asked)
    rows, seats = list(shifts_of(row)), list(seats_of_group(row.group))
    found = sheet(row, rows, seats, days)
    here = f"/line/rosters/{pk}/"
    return render(
        request, "console/roster.html", roster=row, sheet=found, view=view, tabs=roster_tabs(request, "/line/rosters/"),
        views=[(_(label), f"{here}?view={code}&day={days[0]}", None, code == view) for code, label in VIEWS],
        weeks=_weeks(row, days, view, here) if view in ("week", "hours") else [], forms=_forms(request, row, found), machine=ROSTER,
        told=told, faults=FAULTS, hours_told=hours_told, slot_name=slot_name, weekdays=WEEKDAYS, here=here,
        editable=row.state != RosterState.WITHDRAWN and request.actor.has("hotline.shift.move") and request.asked is None,
    )  # fmt: skip


def _weeks(row: Roster, days: list[Any], view: str, here: str) -> list[tuple[str, str, None, bool]]:
    """One tab a week of the roster."""
    mondays = sorted({week_start(day) for day in days_of(row)})
    shown = week_start(days[0])
    return [
        (f"{monday:%m-%d}", f"{here}?view={view}&day={max(monday, local_date(row.from_at))}", None, monday == shown)
        for monday in mondays
    ]


def _forms(request: Any, row: Roster, found: Sheet) -> dict[str, ActionForm]:
    """What may be done with a roster in its state."""
    here, ids = f"/line/rosters/{row.pk}/", {"roster_id": row.pk, "seen": row.version}
    forms = {"copy": action_form(
        request, "copy_roster", {"roster_id": row.pk}, next="/line/rosters/{id}/", tone="", done=N_("已复制为下一期的草稿")
    )}  # fmt: skip
    if row.state == RosterState.DRAFT:
        forms["publish"] = action_form(request, "publish_roster", ids, next=here, key_hint="P")
    if row.state != RosterState.WITHDRAWN:
        if row.state == RosterState.DRAFT or row.from_at > request.now:
            forms["withdraw"] = action_form(request, "withdraw_roster", ids, next=here, tone="danger")
        hole = found.holes[0] if found.holes else None
        start = hole.start if hole else row.from_at
        end = min(hole.end, start + timedelta(hours=8)) if hole else min(row.to_at, start + timedelta(hours=8))
        initial = {"roster_id": row.pk, "from_at": typed(start), "to_at": typed(end)}
        forms["add"] = action_form(
            request, "add_shift", initial, next=here, fields={"seat_id": {"options": _seat_options(found)}}, submit=N_("添加班次"), tone=""
        )  # fmt: skip
    return forms


def _seat_options(found: Sheet) -> list[tuple[int, str]]:
    return [(line.seat.pk, f"{line.seat.number} {line.seat.user.name}") for line in found.lines]


@page(VIEW)
def shift(request: Any, pk: int, shift_id: int) -> HttpResponse:
    """One shift: change its time or its person, or take it out."""
    roster_ = roster_of(request, pk)
    row = shifts_of(roster_).filter(pk=shift_id).first()
    if row is None:
        raise Http404
    seats = [(one.pk, f"{one.number} {one.user.name}") for one in seats_of_group(roster_.group)]
    here = f"/line/rosters/{pk}/?day={local_date(row.from_at)}"
    initial = {
        "shift_id": row.pk, "seat_id": row.seat_id, "from_at": typed(row.from_at), "to_at": typed(row.to_at), "seen": row.version,
    }  # fmt: skip
    open_ = roster_.state != RosterState.WITHDRAWN and not (row.is_live and row.from_at <= request.now)
    move = (
        action_form(request, "move_shift", initial, next=here, fields={"seat_id": {"options": seats}})
        if open_
        else None
    )
    remove = action_form(
        request, "remove_shift", {"shift_id": row.pk, "seen": row.version}, next=here, tone="danger"
    ) if open_ else None  # fmt: skip
    return render(
        request, "console/roster_shift.html", roster=roster_, shift=row, move=move, remove=remove, told=told, machine=ROSTER, here=here
    )  # fmt: skip


@page(VIEW)
def printed(request: Any, pk: int) -> HttpResponse:
    """The whole roster on paper."""
    row = roster_of(request, pk)
    found = sheet(row, list(shifts_of(row)), list(seats_of_group(row.group)), days_of(row))
    return render(
        request,
        "console/roster_print.html",
        roster=row,
        sheet=found,
        told=told,
        hours_told=hours_told,
        machine=ROSTER,
        weekdays=WEEKDAYS,
    )


@page(VIEW)
def workbook(request: Any, pk: int) -> HttpResponse:
    """The same as a workbook: a line a person, a column a day, and the shares."""
    row = roster_of(request, pk)
    found = sheet(row, list(shifts_of(row)), list(seats_of_group(row.group)), days_of(row))
    heads = [Column(_("坐席"), width=8), Column(_("姓名"), width=12)]
    heads += [Column(f"{day:%m-%d} {_('周')}{WEEKDAYS[day.weekday()]}", width=12) for day in found.days]
    heads += [
        Column(_("班次"), COUNT),
        Column(_("工时（小时）"), COUNT),
        Column(_("夜班"), COUNT),
        Column(_("节假日工时"), COUNT),
    ]
    body = [
        [
            line.seat.number, line.seat.user.name, *(_spans(line.days.get(day, [])) for day in found.days), line.share.shifts,
            line.share.minutes / 60, line.share.nights, line.share.off_minutes / 60,
        ]
        for line in found.lines
    ]  # fmt: skip
    title = _("排班表")
    above = [f"{row.group.name} {told(row.from_at, row.to_at)} {tr(ROSTER.states(row.state).label)}"]
    return excel(f"{title}_{local_date(row.from_at)}", heads, body, above=above)


def _spans(rows: list[Shift]) -> str:
    return " ".join(hours_told(row.from_at, row.to_at) for row in rows)


urlpatterns = [
    path("line/rosters/", listing),
    path("line/rosters/<int:pk>/", roster),
    path("line/rosters/<int:pk>/shifts/<int:shift_id>/", shift),
    path("line/rosters/<int:pk>/print/", printed),
    path("line/rosters/<int:pk>/excel/", workbook),
]
