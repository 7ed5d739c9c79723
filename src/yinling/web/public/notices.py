"""Public notices of applications: for everybody, masked, to be read here and to be hung on the notice board."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path

from yinling.directory.models import Area
from yinling.directory.queries import areas_below, cities
from yinling.entitlements.models import PublicNotice
from yinling.entitlements.queries.applications import notices_hanging
from yinling.ground.parameters import parameter
from yinling.kernel.period import local_date
from yinling.web.pages import Listing, public_page, render


def _number(div: str, request: Any) -> str:
    return str(parameter("hotline.number", div, local_date(request.now)))


@public_page
def notice_list(request: Any) -> HttpResponse:
    """Notices that hang today, by district; objections go to the hotline or to the street, which take them down sealed."""
    city = cities().first()
    districts = list(areas_below(city.div)) if city else []
    wanted = request.GET.get("div", "")
    div = wanted if wanted in {area.div for area in districts} else ""
    listing = Listing(request, notices_hanging(local_date(request.now), div))
    names = dict(Area.objects.filter(pk__in={row.div for row in listing}).values_list("div", "name"))
    number = _number(city.div, request) if city else ""
    return render(
        request, "public/notices.html", listing=listing, names=names, districts=districts, div=div, number=number
    )


@public_page
def notice_page(request: Any, pk: int) -> HttpResponse:
    """One notice as it hangs on the board. When its days are over, only the staff of the area reads it."""
    row = PublicNotice.objects.select_related("scheme").filter(pk=pk).first()
    if row is None:
        raise Http404
    hangs = row.from_on <= local_date(request.now) <= row.last_day
    if not hangs and not (request.actor.covers(row.div) and request.actor.has("entitlements.application.view")):
        raise Http404
    place = Area.objects.filter(pk=row.div).values_list("name", flat=True).first() or row.div
    return render(request, "public/notice.html", row=row, place=place, number=_number(row.div, request))


urlpatterns = [
    path("public/notices/", notice_list),
    path("public/notices/<int:pk>/", notice_page),
]
