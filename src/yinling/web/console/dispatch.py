"""P07: the orders that wait, the three best carers with reasons, why not another, and the carers' day as list and map."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.dispatch.models import Assignment
from yinling.dispatch.queries import (
    BEST,
    MOST_SHOWN,
    Asked,
    Proposal,
    asked_about,
    assignments_of,
    carers_of_order,
    carers_on,
    dispatched,
    ranking,
    waiting,
    why_not,
    with_carer,
    with_needs,
)
from yinling.dispatch.states import ASSIGNMENT
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import ORDER
from yinling.web.actions import ActionForm, action_form
from yinling.web.console import dispatch_board, dispatch_learned, dispatch_plans
from yinling.web.console.claims import Claims, claims_shown
from yinling.web.console.dispatch_plans import desk_tabs
from yinling.web.options import provider_choices
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import clock, tr

Pairs = list[tuple[int, str]]
ASSIGNED, OPEN = "assigned", "open"
MOST_FOUND = 5


@dataclass(frozen=True)
class Shown:
    """A proposal on its card: the parts of its cost as (label, minutes, from, width) of a line of a hundred, and its form."""

    proposal: Proposal
    parts: tuple[tuple[str, float, float, float], ...]
    form: ActionForm | None


@page("dispatch.order.assign")
def dispatch(request: Any) -> HttpResponse:
    """Waiting orders beside the proposals for the one chosen; without a choice, for the first."""
    tab = request.GET.get("tab", "")
    tab = tab if tab in (ASSIGNED, OPEN) else ""
    claims = claims_shown(request)
    listing = Listing(request, with_carer(with_needs(_rows(request, tab, claims))))
    chosen = _chosen(request, listing, tab, claims)
    here = f"/dispatch/?tab={tab}" if tab else "/dispatch/"
    return render(
        request, "console/dispatch.html", listing=listing, chosen=chosen, tabs=desk_tabs(request, here), tab=tab,
        is_assigned=tab == ASSIGNED, machine=ORDER, answers=ASSIGNMENT, claims=claims,
        **(_panel(request, chosen, is_assigned=tab == ASSIGNED) if chosen else NO_PANEL),
    )  # fmt: skip


def _rows(request: Any, tab: str, claims: Claims) -> QuerySet[Order]:
    if tab == ASSIGNED:
        return dispatched(request.actor)
    return claims.narrow(waiting(request.actor)) if tab == OPEN else waiting(request.actor)


def _chosen(request: Any, listing: Listing, tab: str, claims: Claims) -> Order | None:
    wanted = request.GET.get("order", "")
    if wanted.isascii() and wanted.isdigit():
        if found := next((row for row in listing if str(row.pk) == wanted), None):
            return found  # type: ignore[no-any-return]
        return with_carer(with_needs(_rows(request, tab, claims))).filter(pk=int(wanted)).first()
    return listing.rows[0] if listing.rows else None


NO_PANEL: dict[str, Any] = {
    "best": [], "more": False, "view": None, "manual": None, "asked": "", "found": [], "answer": None,
}  # fmt: skip


def _panel(request: Any, order: Order, *, is_assigned: bool) -> dict[str, Any]:
    """The best with a button each, the form of another choice, and why a carer who is named is not among them."""
    more = "more" in request.GET
    staff = carers_of_order(actor=request.actor, order=order)
    about = asked_about(order, request.now, staff)
    view = ranking(actor=request.actor, order=order, now=request.now, limit=MOST_SHOWN if more else BEST, asked=about)
    best = [Shown(one, _parts(one), None if is_assigned else _assign(request, order, one)) for one in view.proposals]
    people = [(row.pk, row.name) for row in staff]
    manual = _reassign(request, order, people) if is_assigned else _other(request, order, people)
    return {"best": best, "view": view, "more": more, "manual": manual, **_why(request, order, people, about)}


def _parts(one: Proposal) -> tuple[tuple[str, float, float, float], ...]:
    """The drawbacks as stretches of one line, in proportion."""
    whole = sum(max(minutes, 0) for _label, minutes in one.parts) or 1
    found, start = [], 0.0
    for label, minutes in one.parts:
        width = round(max(minutes, 0) * 100 / whole, 1)
        found.append((label, minutes, round(start, 1), width))
        start += width
    return tuple(found)


def _initial(order: Order) -> dict[str, Any]:
    return {"order_id": order.pk, "seen": order.version}


def _assign(request: Any, order: Order, one: Proposal) -> ActionForm:
    values = _initial(order) | {"staff_id": one.staff_id}
    if one.starts_at != order.starts_at:
        values["starts_at"] = f"{one.starts_at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"
    names = one.name
    if one.second:
        values["second_id"], names = one.second[0], f"{one.name}、{one.second[1]}"
    is_first = one.rank == 1
    return action_form(
        request, "assign_order", values, next="/dispatch/", hidden=tuple(values), only=tuple(values), submit=_("派给%(name)s") % {"name": names},
        key_hint="D" if is_first else "", done=N_("已派单，等待服务人员接受"), tone="primary" if is_first else "",
    )  # fmt: skip


def _other(request: Any, order: Order, people: Pairs) -> ActionForm | None:
    """Anybody else, with a reason; of an order for two, both."""
    if not people:
        return None
    fields: dict[str, dict[str, Any]] = {
        "staff_id": {"options": people, "widget": "choice"},
        "choice_reason": {"required": True},
    }
    only = ["staff_id", "choice_reason"]
    if order.carers_needed > 1:
        fields["second_id"] = {"options": people, "widget": "choice"}
        only.insert(1, "second_id")
    if order.earliest_at != order.latest_at:
        fields["starts_at"] = {
            "help": _("可选 %(span)s 之间，不填按预约时间")
            % {"span": f"{clock(order.earliest_at)}–{clock(order.latest_at)}"}
        }
        only.append("starts_at")
    return action_form(
        request, "assign_order", _initial(order), next="/dispatch/", fields=fields, only=tuple(only), tone=""
    )


def _reassign(request: Any, order: Order, people: Pairs) -> ActionForm | None:
    if not people:
        return None
    fields: dict[str, dict[str, Any]] = {"staff_id": {"options": people, "widget": "choice"}}
    only = ["staff_id", "reason"]
    if order.carers_needed > 1:
        fields["slot"] = {"options": [("1", _("第一位")), ("2", _("第二位"))], "widget": "choice", "required": True}
        only.insert(0, "slot")
    return action_form(
        request, "reassign_order", _initial(order), next=f"/dispatch/?tab={ASSIGNED}", fields=fields, only=tuple(only)
    )


def _why(request: Any, order: Order, people: Pairs, about: Asked) -> dict[str, Any]:
    """What speaks against a carer who is asked for by name; several of the same name are offered to choose from."""
    asked = request.GET.get("who", "").strip()[:40]
    found = [(pk, name) for pk, name in people if asked and (asked in name or asked == f"#{pk}")][:MOST_FOUND]
    answer = (
        why_not(actor=request.actor, order=order, staff_id=found[0][0], now=request.now, asked=about)
        if len(found) == 1
        else None
    )
    return {"asked": asked, "found": found, "answer": answer}


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
    *dispatch_learned.urlpatterns,
    *dispatch_plans.urlpatterns,
    *dispatch_board.urlpatterns,
]
