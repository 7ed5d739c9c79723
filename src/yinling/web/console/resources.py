"""The resources of an area (P11): places with what they offer, beds and people, as a list and on a map."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import CAPABILITIES, Organisation, Site, Staff
from yinling.directory.queries import sites
from yinling.kernel.period import local_date
from yinling.web.actions import action_form
from yinling.web.console.people import area_filter
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, Column, excel
from yinling.web.show import tr

MOST_EXPORTED = 20_000


def _named(rows: QuerySet[Site], text: str) -> QuerySet[Site]:
    return rows.filter(Q(name__contains=text) | Q(address__contains=text) | Q(organisation__name__contains=text))


def _listing(request: Any, rows: QuerySet[Site]) -> tuple[Listing, dict[str, str]]:
    area, names = area_filter(request)
    within = Filter(
        "area", area.label, lambda found, div: found.filter(div__gte=div, div__lt=div + ":"), "choice", area.choices
    )
    listing = Listing(
        request,
        rows,
        Filter("text", _("名称或地址"), _named),
        within,
        Filter("kind", _("类型"), lambda found, kind: found.filter(kind=kind), "choice", Organisation.KINDS),
        Filter(
            "offers",
            _("能提供的服务"),
            lambda found, one: found.filter(capabilities__contains=[one]),
            "choice",
            CAPABILITIES,
        ),
        Filter("beds", _("有床位"), lambda found, _yes: found.filter(beds__gt=0), "check"),
    )
    return listing, names


@page("directory.organisation.view")
def resources(request: Any) -> HttpResponse:
    """Places of the actor's area."""
    rows = sites(request.actor)
    if "export" in request.GET:
        return _export(rows)
    listing, names = _listing(request, rows)
    kinds = rows.order_by().values("kind").annotate(count=Count("pk"), beds=Sum("beds"))
    people = _people(request)
    points = [{"name": row.name, "stops": [{"lat": row.lat, "lon": row.lon, "text": row.address}]} for row in listing]
    return render(
        request, "console/resources.html", listing=listing, names=names, totals={row["kind"]: row for row in kinds}, people=people,
        kinds=Organisation.KINDS, staff_kinds=Staff.KINDS, offers=dict(CAPABILITIES), map_data=json.dumps(points),
    )  # fmt: skip


def _people(request: Any) -> dict[str, int]:
    """Return how many people of each kind work in the area today; nothing for who may not see staff."""
    if not request.actor.has("directory.staff.view"):
        return {}
    today = local_date(request.now)
    here = Staff.objects.visible_to(request.actor).filter(employed_from__lte=today)
    working = here.filter(Q(employed_to=None) | Q(employed_to__gt=today)).order_by()
    return dict(working.values_list("kind").annotate(count=Count("pk")))


def _export(rows: QuerySet[Site]) -> HttpResponse:
    kinds, offers = dict(Organisation.KINDS), dict(CAPABILITIES)
    heads = [
        Column(_("名称"), width=28),
        Column(_("机构"), width=28),
        Column(_("类型")),
        Column(_("区划代码")),
        Column(_("地址"), width=36),
    ]
    heads += [
        Column(_("能提供的服务"), width=36),
        Column(_("床位数"), COUNT),
        Column(_("电话")),
        Column(_("开放时间"), width=20),
    ]
    table = (
        (
            row.name, row.organisation.name, tr(kinds[row.kind]), row.div, row.address, "、".join(tr(offers[one]) for one in row.capabilities),
            row.beds, row.phone, row.hours,
        )
        for row in rows[:MOST_EXPORTED]
    )  # fmt: skip
    return excel(_("服务资源"), heads, table)


@page("directory.organisation.view")
def resource(request: Any, pk: int) -> HttpResponse:
    """One place."""
    found = sites(request.actor).filter(pk=pk).first()
    if found is None:
        raise Http404
    on_file = {name: getattr(found, name) for name in ("name", "address", "capabilities", "beds", "phone", "hours")}
    form = action_form(
        request, "update_site", on_file | {"site_id": pk, "seen": found.version}, next=f"/resources/{pk}/",
    )  # fmt: skip
    return render(request, "console/resource.html", site=found, form=form, offers=dict(CAPABILITIES))


urlpatterns = [path("resources/", resources), path("resources/<int:pk>/", resource)]
