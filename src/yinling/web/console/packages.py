"""Packages of services: drafted by one person, published by another (R-FAM-03)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import Package, ServiceItem
from yinling.catalogue.queries import packages
from yinling.directory.models import Area
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render

HERE = "/catalogue/packages/"
MOST_DIGITS = 18
"""More digits are no number of a row."""
STANDING = [("draft", N_("草稿")), ("published", N_("已公布"))]


@page("catalogue.package.draft")
def package_list(request: Any) -> HttpResponse:
    """The packages of the own area."""
    listing = Listing(
        request, packages(request.actor),
        Filter("state", _("状态"), lambda rows, state: rows.filter(published_at__isnull=state == "draft"), "choice", STANDING),
        Filter("audience", _("适用人群"), lambda rows, audience: rows.filter(audience=audience), "choice", Package.AUDIENCES),
    )  # fmt: skip
    names = dict(Area.objects.filter(pk__in={row.div for row in listing}).values_list("pk", "short_name"))
    return render(request, "console/packages.html", listing=listing, names=names)


@page("catalogue.package.draft")
def package_new(request: Any) -> HttpResponse:
    """The form of a new package or a new version; the one named in the address fills it in."""
    form = action_form(
        request, "draft_package", _as_draft(request) | {"valid_from": local_date(request.now)}, next=HERE + "{id}/",
        fields={"div": {"options": "own_areas", "widget": "choice"}},
    )  # fmt: skip
    return render(request, "console/package_new.html", form=form)


def _as_draft(request: Any) -> dict[str, Any]:
    """What the form begins with: an older version, or the own area."""
    text = request.GET.get("like", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < MOST_DIGITS
    row = packages(request.actor).filter(pk=text).first() if is_number else None
    if row is None:
        return {"div": request.actor.div}
    shown = {"item": "项目", "visit": "整次"}
    lines = "\n".join(f"{line['item']}, {line['count']}, {shown[line['funds']]}" for line in row.lines)
    same = {name: getattr(row, name) for name in ("code", "name", "div", "audience", "price_fen", "payers", "document")}
    return same | {"lines": lines}


@page("catalogue.package.draft")
def package_page(request: Any, pk: int) -> HttpResponse:
    """One package with its lines, and what another person does about it."""
    row = packages(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    items = {item.code: item for item in ServiceItem.objects.filter(code__in=[line["item"] for line in row.lines])}
    return render(
        request, "console/package.html", row=row, items=items, payers=dict(Package.PAYERS), area=Area.objects.filter(pk=row.div).first(),
        forms=_acts(request, row),
    )  # fmt: skip


def _acts(request: Any, row: Package) -> list[ActionForm]:
    if row.published_at is not None:
        return []
    base = {"package_id": row.pk, "seen": row.version}
    forms = [action_form(request, "discard_package", base, next=HERE, tone="danger")]
    if row.drafted_by_id != request.actor.user_id:
        forms.insert(0, action_form(request, "publish_package", base, next=f"{HERE}{row.pk}/"))
    return forms


urlpatterns = [
    path("catalogue/packages/", package_list),
    path("catalogue/packages/new/", package_new),
    path("catalogue/packages/<int:pk>/", package_page),
]
