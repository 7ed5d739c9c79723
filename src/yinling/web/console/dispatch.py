"""P07: the orders that wait, the three best carers with reasons, why not another, and the carers' day as list and map."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.dispatch.models import Assignment
from yinling.dispatch.planner.ranking import Plan
from yinling.dispatch.queries import (
    BEST,
    assignments_of,
    carers_on,
    dispatched,
    plan_for,
    proposal,
    waiting,
    with_carer,
    with_needs,
)
from yinling.dispatch.states import ASSIGNMENT
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import ORDER
from yinling.web.actions import ActionForm, action_form
from yinling.web.options import provider_choices
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import clock, tr

ASSIGNED = "assigned"


@page("dispatch.order.assign")
def dispatch(request: Any) -> HttpResponse:
    """Waiting orders beside the proposals for the one chosen; without a choice, for the first."""
    is_assigned = request.GET.get("tab") == ASSIGNED
    rows = dispatched(request.actor) if is_assigned else waiting(request.actor)
    listing = Listing(request, with_carer(with_needs(rows)))
    chosen = _chosen(request, listing, is_assigned=is_assigned)
    plan = plan_for(chosen) if chosen else None
    tabs = [
        (_("待派单"), "/dispatch/", None, not is_assigned),
        (_("已派单，可改派"), f"/dispatch/?tab={ASSIGNED}", None, is_assigned),
        (_("人员日程"), "/dispatch/day/", None, False),
    ]
    shown = (
        _panel(request, chosen, plan, is_assigned=is_assigned)
        if chosen and plan
        else {"best": [], "others": [], "manual": None}
    )
    return render(
        request, "console/dispatch.html", listing=listing, chosen=chosen, tabs=tabs, is_assigned=is_assigned, machine=ORDER,
        answers=ASSIGNMENT, **shown,
    )  # fmt: skip


def _chosen(request: Any, listing: Listing, *, is_assigned: bool) -> Order | None:
    wanted = request.GET.get("order", "")
    if wanted.isascii() and wanted.isdigit():
        if found := next((row for row in listing if str(row.pk) == wanted), None):
            return found  # type: ignore[no-any-return]
        rows = dispatched(request.actor) if is_assigned else waiting(request.actor)
        return with_carer(with_needs(rows)).filter(pk=int(wanted)).first()
    return listing.rows[0] if listing.rows else None


def _panel(request: Any, order: Order, plan: Plan, *, is_assigned: bool) -> dict[str, Any]:
    """The best with a button each, the others with what speaks against them, and the form of a manual choice."""
    best = [proposal(place, one) for place, one in enumerate(plan.ranked[:BEST], 1)]
    later = [(one.carer, [part.reason for part in one.parts], True) for one in plan.ranked[BEST:]]
    later += [(one.carer, [reason.reason for reason in one.against], not one.is_final) for one in plan.excluded]
    possible = [(carer.staff_id, carer.name) for carer, _reasons, may_go in later if may_go]
    if is_assigned:
        possible = [*[(one.staff_id, one.name) for one in best], *possible]
        forms: list[ActionForm | None] = [None for _one in best]
        manual = _form(request, "reassign_order", order, possible)
    else:
        forms = [_assign(request, order, one.staff_id, one.name, is_first=one.rank == 1) for one in best]
        manual = _form(request, "assign_order", order, possible)
    return {"best": list(zip(best, forms, strict=True)), "others": later, "manual": manual}


def _assign(request: Any, order: Order, staff_id: int, name: str, *, is_first: bool) -> ActionForm:
    return action_form(
        request, "assign_order", {"order_id": order.pk, "seen": order.version, "staff_id": staff_id}, next="/dispatch/", hidden=("staff_id",),
        only=("staff_id",), submit=_("派给%(name)s") % {"name": name}, key_hint="D" if is_first else "", done=N_("已派单，等待服务人员接受"),
        tone="primary" if is_first else "",
    )  # fmt: skip


def _form(request: Any, name: str, order: Order, possible: list[tuple[int, str]]) -> ActionForm | None:
    if not possible:
        return None
    fields = {"staff_id": {"options": possible, "widget": "choice"}}
    if name == "assign_order":
        fields["choice_reason"] = {"required": True}  # type: ignore[dict-item]
    initial = {"order_id": order.pk, "seen": order.version}
    next_page = "/dispatch/" if name == "assign_order" else f"/dispatch/?tab={ASSIGNED}"
    return action_form(request, name, initial, next=next_page, fields=fields)


@page("dispatch.assignment.view")
def day(request: Any) -> HttpResponse:
    """The day of the carers: each one's stops in order, as list and on a map."""
    chosen = _day(request.GET.get("day", ""), local_date(request.now))
    listing = Listing(
        request,
        carers_on(request.actor, chosen),
        Filter(
            "provider", _("机构"), lambda rows, pk: rows.filter(provider_id=pk), "choice", provider_choices(request)
        ),
        Filter("q", _("姓名"), lambda rows, text: rows.filter(name__gte=text, name__lt=text + chr(0x10FFFF))),
    )
    stops: dict[int, list[Assignment]] = defaultdict(list)
    for row in assignments_of(request.actor, chosen).filter(staff_id__in=[person.pk for person in listing]):
        stops[row.staff_id].append(row)
    routes = [(person, stops[person.pk]) for person in listing]
    days = {"before": chosen - timedelta(days=1), "after": chosen + timedelta(days=1)}
    return render(
        request, "console/dispatch_day.html", listing=listing, routes=routes, day=chosen, days=days, answers=ASSIGNMENT,
        map_data=json.dumps([_route(person, found) for person, found in routes], ensure_ascii=False),
    )  # fmt: skip


def _day(text: str, today: date) -> date:
    return meant_day(text) or today


def _route(person: Any, stops: list[Assignment]) -> dict[str, Any]:
    """What the map draws; the list beside it says the same in words."""
    places = [
        {"lon": row.order.lon, "lat": row.order.lat, "text": f"{place} {clock(row.starts_at)} {row.order.elder_name}"}
        for place, row in enumerate(stops, 1)
        if row.order.lon is not None
    ]
    start = {"lon": person.site.lon, "lat": person.site.lat, "text": f"{tr(N_('站点'))} {person.site.name}"}
    return {"name": person.name, "stops": [start, *places]}


urlpatterns = [
    path("dispatch/", dispatch),
    path("dispatch/day/", day),
]
