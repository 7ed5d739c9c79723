"""Travel time without a road map: the straight line, a detour factor and a speed for each mode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.ports import STRAIGHT_LINE, Point
from yinling.ground.parameters import parameter
from yinling.kernel.period import local_date

METRES_PER_SECOND_OF_A_KMH = 1000 / 3600
AXIS_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
Metres = NDArray[np.float64]


class GreatCircle:
    """Geodesic distance x ``travel.detour`` at ``travel.speed_kmh.<mode>``; works offline and everywhere."""

    engine = STRAIGHT_LINE

    def matrix(
        self, points: Sequence[Point], mode: str, depart: datetime, *, to: Sequence[Point] | None = None
    ) -> list[list[int]]:
        """Return whole seconds, rounded up. The hour of leaving makes no difference here; its day chooses the parameters."""
        day = local_date(depart)
        speed = float(parameter(f"travel.speed_kmh.{mode}", "", day)) * METRES_PER_SECOND_OF_A_KMH
        pace = float(parameter("travel.detour", "", day)) / speed
        seconds: list[list[int]] = (
            np.ceil(metres(points, points if to is None else to) * pace).astype(np.int64).tolist()
        )
        return seconds


def metres(starts: Sequence[Point], ends: Sequence[Point]) -> Metres:
    """Return the geodesic distances from each place to each other: ``kernel.geo.distance_m`` for a whole street at once."""
    lon1, low = _radians(starts)
    lon2, high = _radians(ends)
    lon1, low = lon1[:, None], low[:, None]
    north = np.sin((high - low) / 2) ** 2
    haversine = np.minimum(1.0, north + np.cos(low) * np.cos(high) * np.sin((lon2 - lon1) / 2) ** 2)
    angle = 2 * np.arcsin(np.sqrt(haversine))
    is_apart = haversine > 0
    safe = np.where(is_apart, haversine, 1.0)
    opposite = np.maximum(1 - haversine, np.finfo(float).tiny)
    middle, half = (low + high) / 2, (high - low) / 2
    near = (angle - np.sin(angle)) * np.minimum(1.0, (np.sin(middle) * np.cos(half)) ** 2 / opposite)
    far = (angle + np.sin(angle)) * np.minimum(1.0, (np.cos(middle) * np.sin(half)) ** 2 / safe)
    found: Metres = np.where(is_apart, AXIS_M * (angle - FLATTENING / 2 * (near + far)), 0.0)
    return found


def _radians(points: Sequence[Point]) -> tuple[Metres, Metres]:
    """Return longitudes and reduced latitudes."""
    lon = np.radians(np.array([point.lon for point in points], dtype=np.float64))
    lat = np.radians(np.array([point.lat for point in points], dtype=np.float64))
    return lon, np.arctan((1 - FLATTENING) * np.tan(lat))
