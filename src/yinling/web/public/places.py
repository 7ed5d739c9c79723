"""Which city a reader without log-in means."""

from __future__ import annotations

from typing import Any

from yinling.directory.models import Area
from yinling.directory.queries import areas_below, cities


def city_of_reader(request: Any) -> Area | None:
    """The city of the reader, else the first."""
    found = list(cities())
    own = request.actor.div or ""
    return next((area for area in found if own.startswith(area.div)), found[0] if found else None)


def asked_place(request: Any) -> tuple[Area | None, list[Area]]:
    """The area asked for, the city without one; and its districts to choose from."""
    city = city_of_reader(request)
    districts = list(areas_below(city.div)) if city else []
    return next((area for area in districts if area.div == request.GET.get("div", "")), city), districts
