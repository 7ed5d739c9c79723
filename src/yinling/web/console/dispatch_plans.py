"""P07: the versions of a day's plan, two of them side by side, publishing one, and planning anew around a carer who does not come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Staff
from yinling.directory.queries import absences_on
from yinling.dispatch.models import DayPlan, PlannedVisit
from yinling.dispatch.queries import compare, plan_board, plans_of
from yinling.dispatch.states import DAY_PLAN, PlanState
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import SHANGHAI, day_bounds, local_date
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.claims import claims_allowed
from yinling.web.options import options
from yinling.web.pages import Filter, Listing, page, render

VIEW = "dispatch.plan.view"
NOON = 12
ASK_FROM = 20
COUNTS = {
    "visits": N_("上门"),
    "left": N_("未排入"),
    "way_minutes": N_("路上（分钟）"),
    "late_minutes": N_("迟到（分钟）"),
}
UNDER_WAY = (PlanState.QUEUED, PlanState.RUNNING)
CAUSES = {"day": "grey", "absence": "orange", "hand": "blue", "border": "grey"}


def desk_tabs(request: Any, here: str) -> list[tuple[str, str, None, bool]]:
    """The pages of the dispatch desk; open orders only where the area lets carers take them."""
    pages = [(N_("待派单"), "/dispatch/"), (N_("已派单，可改派"), "/dispatch/?tab=assigned")]
    pages += [(N_("可抢单"), "/dispatch/?tab=open")] if claims_allowed(request) else []
    pages += [(N_("排班计划"), "/dispatch/plans/"), (N_("人员日程"), "/dispatch/day/")]
    return [(_(label), address, None, address == here) for label, address in pages]


def plan_of(request: Any, pk: int) -> DayPlan:
    """Return a version that the person may see."""
    rows = DayPlan.objects.visible_to(request.actor).select_related("provider", "base", "requested_by", "published_by")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row  # type: ignore[no-any-return]


def counted(plans: QuerySet[DayPlan]) -> QuerySet[Any]:
    """Versions with the number of visits planned and left out."""

    def number(**only: Any) -> Any:
        rows = PlannedVisit.objects.filter(plan=OuterRef("pk"), **only).order_by().values("plan")
        return Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count")), 0)

    return plans.annotate(visit_count=number(staff__isnull=False), left_count=number(staff=None))


def usual_day(now: datetime) -> date:
    """In the morning the desk plans today, from noon on tomorrow."""
    today = local_date(now)
    return today if now.astimezone(SHANGHAI).hour < NOON else today + timedelta(days=1)


@page(VIEW)
def plans(request: Any) -> HttpResponse:
    """The versions of a day, newest first, with what is being computed; and the form that asks for a new one."""
    day = meant_day(request.GET.get("day", "")) or usual_day(request.now)
    areas, providers = options("streets", request), options("providers", request)
    listing = Listing(
        request,
        counted(plans_of(request.actor, None, request.actor.div or "", day)),
        Filter("div", _("街道"), lambda rows, div: rows.within(div), "choice", areas),
        Filter("provider", _("机构"), lambda rows, pk: rows.filter(provider_id=pk), "choice", providers),
        Filter("state", _("状态"), lambda rows, state: rows.filter(state=state), "choice", DAY_PLAN.choices),
    )
    running = {row.pk: _stop(request, row) for row in listing if row.state in UNDER_WAY}
    here = listing.address(day=day.isoformat())
    return render(
        request, "console/dispatch_plans.html", listing=listing, tabs=desk_tabs(request, "/dispatch/plans/"), day=day, machine=DAY_PLAN,
        days={"before": day - timedelta(days=1), "after": day + timedelta(days=1)}, running=running, tones=CAUSES,
        left_of=seconds_left, ask=_ask(request, listing, day, here), ask_all=_ask_all(request, day, here),
        waits=sum(row.state == PlanState.READY for row in listing),
    )  # fmt: skip


def _stop(request: Any, row: DayPlan) -> ActionForm | None:
    if row.state == PlanState.QUEUED:
        return action_form(
            request, "discard_plan", {"plan_id": row.pk, "seen": row.version}, submit=N_("取消"), tone=""
        )
    if row.is_stop_wanted:
        return None
    return action_form(
        request, "stop_plan", {"plan_id": row.pk, "seen": row.version}, submit=N_("停止，保留目前最好的"), tone="",
        done=N_("正在停止，保留目前最好的结果"),
    )  # fmt: skip


def seconds_left(row: DayPlan) -> int:
    """How long a computation still takes, by its share done and the seconds it was given."""
    return round(float(row.settings.get("seconds") or 0) * (100 - row.progress) / 100)


def _ask(request: Any, listing: Listing, day: date, here: str) -> ActionForm:
    chosen = {name: listing.values[name] for name in ("provider", "div")}
    own = request.actor.organisation_id
    initial = {"day": day, "div": chosen["div"] or "", "provider_id": chosen["provider"] or own}
    fields: dict[str, dict[str, Any]] = {
        "div": {"options": "streets", "widget": "choice", "label": N_("街道")},
        "day": {"help": N_("排这一天等待派单和已派单的全部上门")},
    }
    if own is None:
        fields["provider_id"] = {"options": "providers", "widget": "choice"}
    return action_form(
        request, "request_plan", initial, next=here, fields=fields, submit=N_("生成排班"), done=N_("已开始排班，可以继续做别的事")
    )  # fmt: skip


def _ask_all(request: Any, day: date, here: str) -> ActionForm:
    return action_form(
        request, "plan_city", {"day": day, "div": request.actor.div}, hidden=("day",), only=("day",), next=here, tone="", submit=N_("全部街道一起排"),
        confirm=N_("为您负责的每条街道、每家机构各生成一个计划，在后台计算。已锁定的不动。开始吗？"), done=N_("已开始，各街道算完一个显示一个"),
    )  # fmt: skip


def with_versions(request: Any, pk: int) -> tuple[DayPlan, list[DayPlan]]:
    """Return a version and the others of the same provider, area and day that have a result, newest first: one query."""
    same = DayPlan.objects.filter(pk=pk, provider=OuterRef("provider"), div=OuterRef("div"), day=OuterRef("day"))
    rows = DayPlan.objects.visible_to(request.actor).filter(Exists(same))
    found = list(rows.select_related("provider", "base", "requested_by", "published_by").order_by("-number"))
    plan = next((row for row in found if row.pk == pk), None)
    if plan is None:
        raise Http404
    return plan, [row for row in found if row.pk != pk and row.state not in (*UNDER_WAY, PlanState.FAILED)]


@page(VIEW)
def comparison(request: Any, pk: int, other: int) -> HttpResponse:
    """Two versions side by side: cost part by part, and every visit that another carer makes or at another time."""
    plan, before = plan_of(request, pk), plan_of(request, other)
    if (plan.provider_id, plan.div, plan.day) != (before.provider_id, before.div, before.day):
        raise Http404
    found = compare(request.actor, before, plan)
    listing = Listing(
        request,
        found.changed,
        Filter("q", _("老年人、人员或订单号"), lambda rows, text: [
            row for row in rows if text in row.elder_name or text in (row.carer_before + "、" + row.carer_after) or text == row.code
        ]),
        Filter("what", _("变化"), lambda rows, what: [row for row in rows if _is(row, what)], "choice", CHANGES),
    )  # fmt: skip
    return render(
        request, "console/dispatch_compare.html", plan=plan, before=before, found=found, listing=listing, machine=DAY_PLAN, names=COUNTS,
        may_publish=plan.state == PlanState.READY and request.actor.has("dispatch.plan.publish") and request.asked is None,
    )  # fmt: skip


CHANGES = [
    ("carer", N_("换人")), ("time", N_("只改时间")), ("new", N_("新排入")), ("lost", N_("不再排入")),
]  # fmt: skip


def _is(row: Any, what: str) -> bool:
    has = (bool(row.carer_before), bool(row.carer_after))
    kind = {(False, True): "new", (True, False): "lost"}.get(has) or (
        "time" if row.carer_before == row.carer_after else "carer"
    )
    return kind == what


@page("dispatch.plan.publish")
def publication(request: Any, pk: int) -> HttpResponse:
    """What publishing will do, before it is done: visits, carers told, changes against the version in force."""
    plan, others = with_versions(request, pk)
    board = plan_board(request.actor, plan)
    in_force = next((row for row in others if row.state == PlanState.PUBLISHED), None)
    found = compare(request.actor, in_force, plan) if in_force else None
    busy = [route for route in board.routes if route.stops]
    told = _told(found, len(busy))
    asks = board.totals.visits > ASK_FROM
    counted_help = _("超过 20 次须核对：本计划共 %(n)s 次") % {"n": board.totals.visits}
    form = action_form(
        request, "publish_plan", {"plan_id": plan.pk, "seen": plan.version}, next=f"/dispatch/plans/{pk}/", key_hint="",
        only=("count",) if asks else ("plan_id",),
        fields={"count": {"required": True, "label": N_("请填写要发布的上门次数"), "help": counted_help}},
        submit=N_("发布"), done=N_("已发布，正在通知服务人员"),
    ) if plan.state == PlanState.READY else None  # fmt: skip
    return render(
        request, "console/dispatch_publish.html", plan=plan, board=board, in_force=in_force, found=found, told=told, form=form,
        machine=DAY_PLAN,
    )  # fmt: skip


def _told(found: Any, everybody: int) -> int:
    """How many carers get a notice: all, or those whose round differs from the one they have."""
    if found is None:
        return everybody
    names = {
        name
        for row in found.changed
        for text in (row.carer_before, row.carer_after)
        for name in text.split("、")
        if name
    }
    return len(names)


@page("dispatch.plan.replan")
def absence(request: Any, pk: int, staff_id: int) -> HttpResponse:
    """A carer does not come: the absence first, then the visits that have to go to others."""
    plan = plan_of(request, pk)
    person = Staff.objects.visible_to(request.actor).filter(pk=staff_id, provider_id=plan.provider_id).first()
    if person is None:
        raise Http404
    start, end = day_bounds(plan.day)
    away = next(iter(absences_on(plan.day, [staff_id]).get(staff_id, ())), None)
    touched = PlannedVisit.objects.filter(plan=plan, staff=person).select_related("order").order_by("starts_at")
    here = f"/dispatch/plans/{pk}/absence/{staff_id}/"
    begin = max(request.now, start)
    report = action_form(
        request, "report_absence", {"staff_id": staff_id, "kind": "sick", "from_at": _typed(begin), "to_at": _typed(end)}, next=here,
        submit=N_("登记缺勤"),
    ) if away is None else None  # fmt: skip
    again = action_form(
        request, "replan", {"plan_id": pk, "staff_id": staff_id, "seen": plan.version}, next=f"/dispatch/plans/{{id}}/compare/{pk}/",
        submit=N_("重新安排这些上门"), done=N_("已重排，请核对变化后发布"),
    )  # fmt: skip
    return render(
        request, "console/dispatch_absence.html", plan=plan, person=person, away=away, touched=list(touched), report=report, again=again,
        kinds=dict(type(away).KINDS) if away else {},
    )  # fmt: skip


def _typed(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


urlpatterns = [
    path("dispatch/plans/", plans),
    path("dispatch/plans/<int:pk>/compare/<int:other>/", comparison),
    path("dispatch/plans/<int:pk>/publish/", publication),
    path("dispatch/plans/<int:pk>/absence/<int:staff_id>/", absence),
]
