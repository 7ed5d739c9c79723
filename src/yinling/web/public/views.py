"""What anybody may read without log-in."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse

from yinling.catalogue.queries import public_list
from yinling.directory.models import Area
from yinling.directory.queries import areas_below, cities
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.web.pages import public_page, render


@public_page
def catalogue(request: Any) -> HttpResponse:
    """The 5+X list with guide, standard, fee and support policy, each with its effective date (R-ORD-10); made to be printed."""
    city = _city(request)
    districts = list(areas_below(city.div)) if city else []
    wanted = request.GET.get("div", "")
    place = next((area for area in districts if area.div == wanted), city)
    on = _day(request.GET.get("day", ""), local_date(request.now))
    families = public_list(place.div, on, request.now) if place else []
    return render(
        request, "public/catalogue.html", city=city, districts=districts, place=place, day=on, families=families
    )


def _city(request: Any) -> Area | None:
    """The city of the reader, else the first."""
    found = list(cities())
    own = request.actor.div or ""
    return next((area for area in found if own.startswith(area.div)), found[0] if found else None)


def _day(text: str, today: date) -> date:
    return meant_day(text) or today
