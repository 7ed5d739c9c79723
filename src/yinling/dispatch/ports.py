"""What dispatch needs of the outside: how long the way takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Point:
    """A place in WGS-84."""

    lon: float
    lat: float


class TravelTime(Protocol):
    """Travel times between places. Adapters live in ``interop/travel/``.

    An adapter has a name, ``engine``. One that asks a server keeps in ``filled`` the (row, column) pairs of its last matrix that the
    server did not give and the straight line did.
    """

    def matrix(
        self, points: Sequence[Point], mode: str, depart: datetime, *, to: Sequence[Point] | None = None
    ) -> list[list[int]]:
        """Return seconds from each point to each of ``to`` (without it, to each point) when leaving at ``depart``."""
        ...


def travel_time() -> TravelTime:
    """Return the adapter chosen in the settings."""
    adapter: TravelTime = import_string(settings.PORTS["travel"])()
    return adapter


STRAIGHT_LINE = "great_circle"
"""Name of the adapter that asks nobody."""


def engine_name() -> str:
    """Return the name under which ways and what was learned about them are kept: what one engine estimates says nothing of another's."""
    path = settings.PORTS["travel"]
    return str(getattr(import_string(path), "engine", path.rpartition(".")[2]))
