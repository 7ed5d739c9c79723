"""P07: the board of one version: rounds on a time axis and on the map, what is left out, moving a visit, locks, sheets and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import Journal
from yinling.directory.models import Staff
from yinling.dispatch.models import DayPlan
from yinling.dispatch.queries import Board, Effect, LeftRow, RouteRow, StopRow, effect_of_move, plan_board
from yinling.dispatch.states import ASSIGNMENT, DAY_PLAN, PlanState
from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.web.actions import ActionForm, action_form
from yinling.web.console import board as shapes
from yinling.web.console.dispatch_plans import UNDER_WAY, VIEW, plan_of, seconds_left, with_versions
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import clock, tr

STANDING = (PlanState.READY, PlanState.PUBLISHED)
UNDO_FOR = timedelta(seconds=10)
SHEETS = 20
MOST_VERSIONS = 20


@page(VIEW)
def board_page(request: Any, pk: int) -> HttpResponse:
    """The board; while the plan is computed its progress, and why if it failed."""
    plan, versions = with_versions(request, pk)
    common: dict[str, Any] = {"plan": plan, "machine": DAY_PLAN, "forms": _plan_forms(request, plan)}
    if plan.state in UNDER_WAY or plan.state == PlanState.FAILED:
        return render(request, "console/dispatch_progress.html", **common, left=seconds_left(plan))
    board = plan_board(request.actor, plan)
    listing = _lanes(request, board, plan)
    editable = plan.state == PlanState.READY and request.asked is None and request.actor.has("dispatch.plan.move")
    today = local_date(request.now) == plan.day
    return render(
        request, "console/dispatch_board.html", **common, board=board, listing=listing, hours=shapes.hours_of(board, plan.day),
        editable=editable, answers=ASSIGNMENT, versions=versions[:MOST_VERSIONS], left=board.left[: shapes.MOST_LEFT],
        map_data=shapes.map_data(listing, board.left), now_spot=shapes.spot(request.now, request.now, plan.day) if today else "",
        window_of=lambda row: f"{clock(row.earliest_at)}–{clock(row.latest_at)}",
    )  # fmt: skip


def _lanes(request: Any, board: Board, plan: DayPlan) -> Listing:
    """The rounds of a page, by name; who has no visit comes last."""
    routes = sorted(board.routes, key=lambda route: not route.stops)
    lanes = shapes.lanes_of(routes, plan.day, shapes.partners(board.routes))
    return Listing(
        request,
        lanes,
        Filter("q", _("人员、老年人或订单号"), shapes.with_text),
        Filter("show", _("只看"), lambda rows, mark: [lane for lane in rows if shapes.holds(lane, mark)], "choice", list(shapes.SHOWN.items())),
    )  # fmt: skip


def _plan_forms(request: Any, plan: DayPlan) -> dict[str, ActionForm]:
    """What may be done with the whole version."""
    initial = {"plan_id": plan.pk, "seen": plan.version}
    forms: dict[str, ActionForm] = {}
    if plan.state in UNDER_WAY and not plan.is_stop_wanted and plan.state != PlanState.QUEUED:
        forms["stop"] = action_form(
            request, "stop_plan", initial, submit=N_("停止，保留目前最好的"), tone="", done=N_("正在停止")
        )
    if DAY_PLAN.allows("discard", plan.state):
        forms["discard"] = action_form(
            request, "discard_plan", initial, next="/dispatch/plans/", tone="", confirm=N_("弃用这个版本？弃用后不能发布。")
        )  # fmt: skip
    if plan.state == PlanState.FAILED:
        again = {"provider_id": plan.provider_id, "div": plan.div, "day": plan.day}
        forms["again"] = action_form(
            request,
            "request_plan",
            again,
            next="/dispatch/plans/{id}/",
            hidden=("day",),
            only=("day",),
            submit=N_("重新生成"),
        )
    if plan.state in (PlanState.PUBLISHED, PlanState.SUPERSEDED):
        forms["copy"] = action_form(
            request,
            "copy_plan",
            initial,
            next="/dispatch/plans/{id}/",
            tone="",
            submit=N_("复制调整"),
            done=N_("已复制，可以调整后重新发布"),
        )
    return forms


@dataclass(frozen=True)
class Wish:
    """Where a visit shall go: a carer and a place in the round (from 0), or a time of day; ``staff_id`` 0 takes it out."""

    staff_id: int
    position: int | None
    at: datetime | None

    @property
    def carer(self) -> int | None:
        """The carer as operations and queries name one."""
        return self.staff_id or None


def _wish(request: Any, plan: DayPlan) -> Wish | None:
    """Read what is asked in the address; nothing if no carer is named or the values make no sense."""
    staff, position, at = (request.GET.get(name, "").strip() for name in ("staff", "position", "at"))
    if not (staff.isascii() and staff.isdigit()):
        return None
    when = None
    try:
        when = datetime.combine(plan.day, time.fromisoformat(at), SHANGHAI) if at else None
    except ValueError:
        return None
    place = int(position) if when is None and position.isascii() and position.isdigit() else None
    return Wish(int(staff), place, when)


@page(VIEW)
def visit(request: Any, pk: int, order_id: int, slot: int) -> HttpResponse:
    """One visit of the plan: what it is, what a move would do, and the forms that move or lock it."""
    plan = plan_of(request, pk)
    board = plan_board(request.actor, plan)
    found = shapes.find(board, order_id, slot)
    if found is None:
        raise Http404
    route, row = found
    editable = plan.state == PlanState.READY and request.asked is None and request.actor.has("dispatch.plan.move")
    wish = _wish(request, plan) if editable else None
    effect = (
        effect_of_move(request.actor, plan, order_id, slot, wish.carer, wish.position, wish.at) if wish else None
    )  # fmt: skip
    goal = next((one for one in board.routes if wish and one.staff_id == wish.staff_id), None)
    aim = goal or (route if not wish else None)
    return render(
        request, "console/dispatch_visit.html", plan=plan, route=route, row=row, is_left=isinstance(row, LeftRow), board=board,
        partner=shapes.partners(board.routes).get((order_id, slot), ""), editable=editable, wish=wish, effect=effect, goal=goal,
        places=_places(aim, order_id, slot), here=f"/dispatch/plans/{pk}/{order_id}-{slot}/", answers=ASSIGNMENT,
        spot=_preview(plan, row, effect), names=_names(board), move=_move(request, plan, row, wish, effect),
        locks=_locks(request, plan, route, row) if plan.state in STANDING and isinstance(row, StopRow) else [],
    )  # fmt: skip


def _places(route: RouteRow | None, order_id: int, slot: int) -> list[tuple[int, str]]:
    """The places of a round in words, the visit itself not counted."""
    if route is None:
        return []
    others = [row for row in route.stops if (row.order_id, row.slot) != (order_id, slot)]
    after = [
        (number, _("在 %(time)s %(name)s 之后") % {"time": clock(row.starts_at), "name": row.elder_name})
        for number, row in enumerate(others, 1)
    ]
    return [(0, _("最先")), *after]


def _preview(plan: DayPlan, row: StopRow | LeftRow, effect: Effect | None) -> str:
    if effect is None or effect.starts_at is None:
        return ""
    length = timedelta(minutes=row.minutes) if isinstance(row, LeftRow) else row.ends_at - row.starts_at
    place = shapes.spot(effect.starts_at, effect.starts_at + length, plan.day)
    return place if effect.feasible else f"{place} no"


def _names(board: Board) -> Mapping[int, str]:
    return {row.order_id: row.elder_name for route in board.routes for row in route.stops}


def _move(request: Any, plan: DayPlan, row: Any, wish: Wish | None, effect: Effect | None) -> ActionForm | None:
    if wish is None or effect is None or not effect.feasible:
        return None
    initial: dict[str, Any] = {"plan_id": plan.pk, "order_id": row.order_id, "slot": row.slot, "seen": plan.version}
    initial |= {"staff_id": wish.carer or "", "position": "" if wish.position is None else wish.position}
    if wish.at:
        initial["starts_at"] = f"{wish.at:%Y-%m-%dT%H:%M}"
    hidden = ("starts_at", "staff_id", "position")
    return action_form(
        request, "move_visit", initial, hidden=hidden, only=("starts_at",), done=N_("已移动"),
        submit=N_("移到这里") if wish.carer else N_("移出计划"),
    )  # fmt: skip


def _locks(request: Any, plan: DayPlan, route: RouteRow | None, row: StopRow) -> list[ActionForm]:
    common = {"plan_id": plan.pk, "seen": plan.version}
    forms = [
        action_form(
            request, "lock_visit", {**common, "order_id": row.order_id, "is_locked": not row.is_locked}, hidden=("is_locked",), only=("is_locked",),
            tone="", submit=N_("解锁这次上门") if row.is_locked else N_("锁定这次上门"), key_hint="L",
            done=N_("已解锁") if row.is_locked else N_("已锁定"),
        )
    ]  # fmt: skip
    return [*forms, _lock_staff(request, plan, route)] if route else forms


def _lock_staff(request: Any, plan: DayPlan, route: RouteRow) -> ActionForm:
    values = {"plan_id": plan.pk, "seen": plan.version, "staff_id": route.staff_id, "is_locked": not route.is_locked}
    return action_form(
        request, "lock_staff", values, hidden=("is_locked",), only=("is_locked",), tone="",
        submit=N_("解锁整条路线") if route.is_locked else N_("锁定整条路线"),
        done=N_("已解锁") if route.is_locked else N_("已锁定"),
    )  # fmt: skip


@page(VIEW)
def carer(request: Any, pk: int, staff_id: int) -> HttpResponse:
    """One carer's round: hours, what is too much, the lock, and the way to plan anew without the carer."""
    plan = plan_of(request, pk)
    board = plan_board(request.actor, plan)
    route = next((one for one in board.routes if one.staff_id == staff_id), None)
    if route is None:
        raise Http404
    lane = shapes.lanes_of([route], plan.day, shapes.partners(board.routes))[0]
    return render(
        request, "console/dispatch_carer.html", plan=plan, lane=lane, route=route, answers=ASSIGNMENT,
        lock=_lock_staff(request, plan, route) if plan.state in STANDING and route.stops else None,
        may_replan=plan.state in STANDING and request.asked is None and request.actor.has("dispatch.plan.replan"),
    )  # fmt: skip


@page("dispatch.plan.move")
def undo(request: Any, pk: int) -> HttpResponse:
    """For ten seconds after one's own move: the way back. Empty before and after."""
    plan = plan_of(request, pk)
    last = Journal.objects.filter(subject_type="dayplan", subject_id=pk, is_refused=False).order_by("-pk").first()
    form, text = None, ""
    fresh = last is not None and last.user_id == request.actor.user_id and request.now - last.business_at < UNDO_FOR
    if last is not None and fresh and "rounds" in last.changes and plan.state == PlanState.READY:
        form, text = _back(request, plan, last.changes)
    return render(request, "console/dispatch_undo.html", block="plan_undo", plan=plan, form=form, text=text)


def _back(request: Any, plan: DayPlan, changes: Mapping[str, Any]) -> tuple[ActionForm | None, str]:
    """The form that puts a visit back to where the journal says it was, and what was done in words."""
    order_id, slot = changes["order"][0], changes["slot"][0]
    before, after = changes["staff"]
    names = dict(Staff.objects.filter(pk__in=[one for one in (before, after) if one]).values_list("pk", "name"))
    elder = Order.objects.filter(pk=order_id).values_list("elder_name", flat=True).first() or ""
    values: dict[str, Any] = {
        "plan_id": plan.pk,
        "order_id": order_id,
        "slot": slot,
        "staff_id": before or "",
        "is_undo": True,
        "seen": plan.version,
    }
    form = action_form(
        request, "move_visit", values, hidden=("staff_id", "is_undo"), only=("is_undo",), submit=N_("撤销"), tone="",
        key_hint="U", done=N_("已撤销"),
    )  # fmt: skip
    goal = names.get(after) or _("未排入")
    return form, _("%(elder)s 已移到 %(goal)s") % {"elder": elder, "goal": goal}


@page(VIEW)
def table(request: Any, pk: int) -> HttpResponse:
    """The whole version as a workbook: one line a visit, carer by carer, then what is left out."""
    plan = plan_of(request, pk)
    board = plan_board(request.actor, plan)
    columns = [
        Column(_("服务人员"), width=12), Column(_("次序"), COUNT, 6), Column(_("开始"), width=8),
        Column(_("结束"), width=8), Column(_("老年人"), width=12),
        Column(_("地址"), width=30), Column(_("项目"), width=20), Column(_("可上门时段"), width=14), Column(_("路上（分）"), COUNT, 10),
        Column(_("迟到（分）"), COUNT, 10), Column(_("同去人员"), width=12), Column(_("锁定"), width=6),
        Column(_("提示"), width=30), Column(_("订单号"), width=16),
    ]  # fmt: skip
    pairs = shapes.partners(board.routes)
    rows: list[tuple[Any, ...]] = [
        (
            route.name, row.number, clock(row.starts_at), clock(row.ends_at), row.elder_name, row.address, tr(row.item), _window(row),
            row.way_minutes, row.late_minutes, pairs.get((row.order_id, row.slot), ""), _("是") if row.is_locked else "",
            "；".join(tr(text) for text in row.warnings), row.code,
        )
        for route in board.routes for row in route.stops
    ]  # fmt: skip
    rows += [
        (
            _("未排入"), None, "", "", row.elder_name, row.address, tr(row.item), _window(row), None, None, "", "",
            "；".join(tr(text) for text in row.reasons), row.code,
        )
        for row in board.left
    ]  # fmt: skip
    return excel(str(_title(plan)), columns, rows, above=[_title(plan), tr(plan.get_state_display())])


def _window(row: StopRow | LeftRow) -> str:
    return f"{clock(row.earliest_at)}–{clock(row.latest_at)}"


def _title(plan: DayPlan) -> str:
    return _("%(day)s %(provider)s 排班第 %(number)s 版") % {
        "day": plan.day,
        "provider": plan.provider.short_name,
        "number": plan.number,
    }


@page(VIEW)
def sheets(request: Any, pk: int) -> HttpResponse:
    """A sheet a carer, to be printed: twenty at a time, or one carer's alone."""
    plan = plan_of(request, pk)
    board = plan_board(request.actor, plan)
    wanted = request.GET.get("staff", "")
    routes = [route for route in board.routes if route.stops and wanted in ("", str(route.staff_id))]
    listing = Listing(request, shapes.lanes_of(routes, plan.day, shapes.partners(board.routes)), size=SHEETS)
    return render(request, "console/dispatch_sheets.html", plan=plan, listing=listing)


urlpatterns = [
    path("dispatch/plans/<int:pk>/", board_page),
    path("dispatch/plans/<int:pk>/<int:order_id>-<int:slot>/", visit),
    path("dispatch/plans/<int:pk>/staff/<int:staff_id>/", carer),
    path("dispatch/plans/<int:pk>/undo/", undo),
    path("dispatch/plans/<int:pk>/excel/", table),
    path("dispatch/plans/<int:pk>/sheets/", sheets),
]
