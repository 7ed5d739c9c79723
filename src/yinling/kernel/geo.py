"""Points, coordinate systems and distances (X-GEO-01, X-SUP-01)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import asin, atan, atan2, cos, floor, hypot, isfinite, pi, radians, sin, sqrt, tan
from typing import TYPE_CHECKING, Any

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_ACCURACY_TAKEN_OFF_M = 100
_WGS84_AXIS_M = 6_378_137.0
_WGS84_FLATTENING = 1 / 298.257223563
_GCJ_AXIS_M = 6_378_245.0
_GCJ_ECCENTRICITY_2 = 0.00669342162296594323
_CHINA_LON = (72.004, 137.8347)
_CHINA_LAT = (0.8293, 55.8271)
_BD_TURN = pi * 3000 / 180
_BD_SHIFT = (0.0065, 0.006)
_ITERATIONS = 12
"""Each one divides the error by at least 50; half of them reach the last bit."""

Degrees = tuple[float, float]


class Datum(StrEnum):
    """The coordinate system a source gives. CGCS2000 is taken as WGS-84: less than a metre apart (X-GEO-01a)."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


@dataclass(frozen=True)
class Position:
    """Degrees east and north in a stated system, with the accuracy the device reported, in metres.

    Raises Refused ``geo.range`` if it is no place on earth.
    """

    lon: float
    lat: float
    datum: Datum
    accuracy_m: float | None = None

    def __post_init__(self) -> None:
        accuracy = 0 if self.accuracy_m is None else self.accuracy_m
        if not (abs(self.lon) <= 180 and abs(self.lat) <= 90 and isfinite(accuracy) and accuracy >= 0):  # noqa: PLR2004 - degrees
            raise Refused("geo.range", N_("位置的经纬度或精度不正确，请重新定位。"))


def _is_in_china(lon: float, lat: float) -> bool:
    return _CHINA_LON[0] <= lon <= _CHINA_LON[1] and _CHINA_LAT[0] <= lat <= _CHINA_LAT[1]


def _waves(x: float, *lengths_and_sizes: tuple[float, float]) -> float:
    return sum(size * sin(x * pi * turns) for turns, size in lengths_and_sizes) * 2 / 3


def _gcj02_of(lon: float, lat: float) -> Degrees:
    """Shift WGS-84 to GCJ-02 by the public algorithm (X-GEO-01)."""
    x, y = lon - 105, lat - 35
    common = _waves(x, (6, 20), (2, 20))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north += common + _waves(y, (1, 20), (1 / 3, 40), (1 / 12, 160), (1 / 30, 320))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east += common + _waves(x, (1, 20), (1 / 3, 40), (1 / 12, 150), (1 / 30, 300))
    bulge = 1 - _GCJ_ECCENTRICITY_2 * sin(radians(lat)) ** 2
    metres_north = _GCJ_AXIS_M * (1 - _GCJ_ECCENTRICITY_2) / bulge**1.5
    metres_east = _GCJ_AXIS_M / sqrt(bulge) * cos(radians(lat))
    return lon + east / radians(metres_east), lat + north / radians(metres_north)


def _bd09_of(lon: float, lat: float) -> Degrees:
    """Shift GCJ-02 to BD-09 by the public algorithm."""
    radius = hypot(lon, lat) + 0.00002 * sin(lat * _BD_TURN)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _BD_TURN)
    return radius * cos(angle) + _BD_SHIFT[0], radius * sin(angle) + _BD_SHIFT[1]


def _undo(shift: Callable[[float, float], Degrees], lon: float, lat: float) -> Degrees:
    """Find the point that ``shift`` brings here, by iteration."""
    x, y = lon, lat
    for _ in range(_ITERATIONS):
        there = shift(x, y)
        x, y = x + lon - there[0], y + lat - there[1]
    return x, y


def to_wgs84(position: Position) -> Position:
    """Bring a position to WGS-84; points outside China are not shifted (X-GEO-01b). The accuracy is kept."""
    lon, lat = position.lon, position.lat
    if _is_in_china(lon, lat):
        if position.datum is Datum.BD09:
            lon, lat = _undo(_bd09_of, lon, lat)
        if position.datum in (Datum.BD09, Datum.GCJ02):
            lon, lat = _undo(_gcj02_of, lon, lat)
    return Position(lon, lat, Datum.WGS84, position.accuracy_m)


def from_wgs84(position: Position, datum: Datum) -> Position:
    """Bring a position to the system of a map, through WGS-84 whatever it was in."""
    wgs84 = to_wgs84(position)
    lon, lat = wgs84.lon, wgs84.lat
    if _is_in_china(lon, lat):
        if datum in (Datum.BD09, Datum.GCJ02):
            lon, lat = _gcj02_of(lon, lat)
        if datum is Datum.BD09:
            lon, lat = _bd09_of(lon, lat)
    return Position(lon, lat, datum, position.accuracy_m)


def distance_m(a: Position, b: Position) -> float:
    """Geodesic distance on WGS-84 in metres, after bringing both to it (X-SUP-01).

    Lambert's formula: haversine on reduced latitudes with a correction for the flattening; within 0.001 % of the exact
    geodesic at the distances of a city, and far better than 0.5 % anywhere but nearly opposite on the globe.
    """
    a, b = to_wgs84(a), to_wgs84(b)
    low, high = (atan((1 - _WGS84_FLATTENING) * tan(radians(place.lat))) for place in (a, b))
    haversine = sin((high - low) / 2) ** 2 + cos(low) * cos(high) * sin(radians(b.lon - a.lon) / 2) ** 2
    angle = 2 * asin(min(1.0, sqrt(haversine)))
    if angle == 0:
        return 0.0
    middle, half = (low + high) / 2, (high - low) / 2
    near = (angle - sin(angle)) * min(1.0, (sin(middle) * cos(half) / cos(angle / 2)) ** 2)
    far = (angle + sin(angle)) * min(1.0, (cos(middle) * sin(half) / sin(angle / 2)) ** 2)
    return _WGS84_AXIS_M * (angle - _WGS84_FLATTENING / 2 * (near + far))


def checkin_distance_m(home: Position, seen: Position) -> int:
    """Distance of a check-in from the home in whole metres, half up (X-SUP-01).

    The accuracy reported with ``seen`` is taken off, at most 100 m of it; never below 0.
    """
    taken_off = min(seen.accuracy_m or 0, MOST_ACCURACY_TAKEN_OFF_M)
    return floor(max(0.0, distance_m(home, seen) - taken_off) + 0.5)


def _crosses(lon: float, lat: float, ring: Sequence[Sequence[float]]) -> bool:
    """Whether a ray to the east leaves the ring an odd number of times."""
    is_odd = False
    x1, y1 = ring[-1][:2]
    for corner in ring:
        x2, y2 = corner[0], corner[1]
        if (y1 > lat) != (y2 > lat) and lon < x1 + (lat - y1) / (y2 - y1) * (x2 - x1):
            is_odd = not is_odd
        x1, y1 = x2, y2
    return is_odd


def _polygons(geometry: Mapping[str, Any]) -> Sequence[Sequence[Sequence[Sequence[float]]]]:
    match geometry["type"]:
        case "Polygon":
            return [geometry["coordinates"]]
        case "MultiPolygon":
            polygons: Sequence[Sequence[Sequence[Sequence[float]]]] = geometry["coordinates"]
            return polygons
        case kind:
            raise ValueError(f"a {kind} has no inside")


def inside(point: Position, geometry: Mapping[str, Any]) -> bool:
    """Whether a GeoJSON Polygon or MultiPolygon (WGS-84, RFC 7946) holds the point; holes do not count.

    Of areas that share a border exactly, each point of the border belongs to one.
    ValueError for another kind of geometry.
    """
    place = to_wgs84(point)
    return any(sum(_crosses(place.lon, place.lat, ring) for ring in rings) % 2 == 1 for rings in _polygons(geometry))


Edge = tuple[float, float, float, float]
_SLIVER = 1e-7
"""Degrees, a centimetre: what two outlines share by rounding only."""


def _edges(geometry: Mapping[str, Any]) -> list[Edge]:
    """Return the sides of all rings, each from south to north."""
    found = []
    for rings in _polygons(geometry):
        for ring in rings:
            for (x1, y1, *_), (x2, y2, *_) in zip(ring, [*ring[1:], ring[0]], strict=True):
                if y1 != y2:
                    found.append((x1, y1, x2, y2) if y1 < y2 else (x2, y2, x1, y1))
    return found


def _meeting(one: Edge, other: Edge) -> float | None:
    """Return the latitude at which two sides cross, if they do."""
    low, high = max(one[1], other[1]), min(one[3], other[3])
    if low >= high:
        return None
    apart = [_lon_at(one, lat) - _lon_at(other, lat) for lat in (low, high)]
    if apart[0] * apart[1] >= 0:
        return None
    return low + (high - low) * apart[0] / (apart[0] - apart[1])


def _lon_at(edge: Edge, lat: float) -> float:
    return edge[0] + (edge[2] - edge[0]) * (lat - edge[1]) / (edge[3] - edge[1])


def _spans(edges: Sequence[Edge], lat: float) -> list[Degrees]:
    """Return from where to where a line of latitude lies inside (even-odd rule)."""
    crossings = sorted(_lon_at(edge, lat) for edge in edges if edge[1] < lat < edge[3])
    return list(zip(crossings[::2], crossings[1::2], strict=False))


def overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two GeoJSON areas have more in common than a border: exact, by strips between all corners and crossings."""
    first, second = _edges(one), _edges(other)
    lats = {lat for edge in (*first, *second) for lat in (edge[1], edge[3])}
    lats |= {lat for a in first for b in second if (lat := _meeting(a, b)) is not None}
    ordered = sorted(lats)
    for low, high in pairwise(ordered):
        if high - low < _SLIVER:
            continue
        middle = (low + high) / 2
        for west, east in _spans(first, middle):
            if any(min(east, e) - max(west, w) > _SLIVER for w, e in _spans(second, middle)):
                return True
    return False
