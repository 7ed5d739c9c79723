"""Travel time without a road map: the straight line, a detour factor and a speed for each mode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from yinling.dispatch.ports import Point
from yinling.ground.parameters import parameter
from yinling.kernel.geo import Datum, Position, distance_m
from yinling.kernel.period import local_date

METRES_PER_SECOND_OF_A_KMH = 1000 / 3600


class GreatCircle:
    """Geodesic distance x ``travel.detour`` at ``travel.speed_kmh.<mode>``; works offline and everywhere."""

    engine = "great_circle"

    def matrix(
        self, points: Sequence[Point], mode: str, depart: datetime, *, to: Sequence[Point] | None = None
    ) -> list[list[int]]:
        """Return whole seconds, rounded up. The hour of leaving makes no difference here; its day chooses the parameters."""
        day = local_date(depart)
        speed = float(parameter(f"travel.speed_kmh.{mode}", "", day)) * METRES_PER_SECOND_OF_A_KMH
        pace = float(parameter("travel.detour", "", day)) / speed
        ends = [_position(point) for point in (points if to is None else to)]
        return [[ceil(distance_m(start, end) * pace) for end in ends] for start in map(_position, points)]


def _position(point: Point) -> Position:
    return Position(point.lon, point.lat, Datum.WGS84)
