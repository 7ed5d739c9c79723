"""Which city a reader without log-in means."""

from __future__ import annotations

from typing import Any

from yinling.directory.models import Area
from yinling.directory.queries import cities


def city_of_reader(request: Any) -> Area | None:
    """The city of the reader, else the first."""
    found = list(cities())
    own = request.actor.div or ""
    return next((area for area in found if own.startswith(area.div)), found[0] if found else None)
