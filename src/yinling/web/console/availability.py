"""Free times of providers, for whoever talks to a caller (R-CALL-11)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES
from yinling.kernel.period import SHANGHAI
from yinling.people.models import Elder
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.availability import availability, parts_ahead, providers_with


@page("dispatch.assignment.view")
def free_times(request: Any) -> HttpResponse:
    """Who has somebody free today and tomorrow; with an elder in the address each number leads to the order."""
    family = request.GET.get("family", "")
    family = family if family in dict(FAMILIES) else ""
    listing = Listing(
        request, providers_with(request.actor, family, request.now),
        Filter("family", _("服务"), lambda rows, _value: rows, "choice", FAMILIES),
        Filter("text", _("机构"), lambda rows, text: rows.filter(short_name__contains=text)),
    )  # fmt: skip
    wanted = request.GET.get("elder", "")
    rows = Elder.objects.visible_to(request.actor)
    elder = rows.filter(pk=int(wanted)).first() if wanted.isascii() and wanted.isdigit() else None
    parts = parts_ahead(request.now)
    heads = [(f"{part.from_at:%m-%d} {part.from_at:%H}–{part.to_at:%H}", "right") for part in parts]
    starts = [f"{part.from_at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}" for part in parts]
    return render(
        request, "console/line_availability.html", listing=listing, rows=availability(listing.rows, request.now), heads=heads, starts=starts,
        elder=elder, families=dict(FAMILIES),
    )  # fmt: skip


urlpatterns = [path("line/availability/", free_times)]
