"""Who answers for which services where (R-ORD-04): gaps and overlaps, as lists, on a map and as a sheet."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Area, Organisation, ServiceArea
from yinling.directory.queries import Coverage, coverage_gaps
from yinling.kernel.period import local_date
from yinling.people.queries import Homes, homes_by_body
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import page, render
from yinling.web.sheets import Column, excel
from yinling.web.show import tr

MOST_LISTED = 200
MOST_DRAWN = 300


@page("directory.area.view")
def coverage_page(request: Any) -> HttpResponse:
    """Who answers for a family of services; where nobody does, and where several do. Both lists are to be empty."""
    today, family = local_date(request.now), request.GET.get("family", FAMILIES[0][0])
    if family not in dict(FAMILIES):
        family = FAMILIES[0][0]
    report = coverage_gaps(family, today, request.actor.div or "")
    homes = homes_by_body(request.actor, report.areas)
    if "export" in request.GET:
        return _export(family, report, homes)
    shares: dict[Organisation, int] = {}
    for body in report.resolved.values():
        shares[body] = shares.get(body, 0) + 1
    here = f"/coverage/?family={family}"
    form = action_form(
        request, "assign_service_area", {"family": family, "valid_from": today}, next=here, tone="",
        fields={
            "family": {"options": FAMILIES}, "organisation_id": {"options": "providers"}, "div": {"options": "streets"},
        },
    )  # fmt: skip
    return render(
        request, "console/coverage.html", family=family, families=FAMILIES, report=report, form=form, most=MOST_LISTED, homes=homes,
        names=report.names, shares=sorted(shares.items(), key=lambda one: (-one[1], one[0].name)), grids=_grids(request, report, here),
        map_data=json.dumps(_drawn(report), ensure_ascii=False),
    )  # fmt: skip


def _grids(request: Any, report: Coverage, here: str) -> list[tuple[ServiceArea, ActionForm | None]]:
    """The grids with the form that ends each."""
    today = local_date(request.now)
    found = []
    for row in report.grids:
        mine = request.actor.covers(row.div)
        form = action_form(request, "end_service_area", {"service_area_id": row.pk, "until": today}, next=here, tone="")
        found.append((row, form if mine else None))
    return found


def _drawn(report: Coverage) -> list[dict[str, Any]]:
    """What the map shows: the borders of the grids, and the middle of each community by its body; gaps and overlaps by themselves."""
    shapes = [
        {"name": f"{row.name} {row.organisation.short_name}", "stops": [], "rings": _rings(row)} for row in report.grids
    ]
    trouble = [*report.gaps, *(area for area, _bodies in report.overlaps)]
    points = [
        {"lat": area.lat, "lon": area.lon, "text": area.short_name} for area in trouble[:MOST_DRAWN] if area.lat is not None
    ]  # fmt: skip
    return [*shapes, *([{"name": _("无人负责或重复负责"), "stops": points, "dots": True}] if points else [])]


def _rings(row: ServiceArea) -> list[list[list[float]]]:
    """Return the outer borders as latitude and longitude, as the map wants them."""
    polygons = row.outline["coordinates"] if row.outline else []
    return [[[lat, lon] for lon, lat in rings[0]] for rings in polygons]


def _export(family: str, report: Coverage, homes: Homes) -> HttpResponse:
    """Return the sheet: every community with its body, or what is wrong with it."""
    label = tr(dict(FAMILIES)[family])
    rows = [_line(area, _("无人负责"), "") for area in report.gaps]
    rows += [_line(area, _("重复负责"), "、".join(one.name for one in bodies)) for area, bodies in report.overlaps]
    for word, counts in ((_("有住户无人负责"), homes.uncovered), (_("有住户重复负责"), homes.doubled)):
        rows += [(div, "", "", word, str(count)) for div, count in sorted(counts.items())]
    clear = Area.objects.filter(pk__in=report.resolved).select_related("parent").defer("outline", "parent__outline")
    rows += [_line(area, _("唯一"), report.resolved[area.div].name) for area in clear.order_by("div")]
    heads = [
        Column(_("区划代码")), Column(_("街道（镇）"), width=20), Column(_("社区（村）"), width=24), Column(_("结果"), width=18),
        Column(_("责任机构"), width=36),
    ]  # fmt: skip
    return excel(_("责任区_%(family)s") % {"family": label}, heads, rows)


def _line(area: Area, result: str, bodies: str) -> tuple[str, str, str, str, str]:
    return area.div, area.parent.name if area.parent else "", area.name, result, bodies


urlpatterns = [path("coverage/", coverage_page)]
