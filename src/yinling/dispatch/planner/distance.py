"""Metres between two places, the formula of ``kernel.geo.distance_m`` for compiled code: reduced latitudes are known beforehand."""

from __future__ import annotations

from math import asin, sin, sqrt

from yinling.dispatch.planner.jit import inlined

AXIS_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
NEAR = 0.05
"""Below this angle (some 600 km) the first terms of the series are as good as the functions, and much faster."""


@inlined
def _sin(x: float) -> float:
    if abs(x) > NEAR:
        return sin(x)
    square = x * x
    return x * (1 - square / 6 * (1 - square / 20 * (1 - square / 42)))


@inlined
def _asin(x: float) -> float:
    if x > NEAR:
        return asin(min(x, 1.0))
    square = x * x
    return x * (1 + square * (1 / 6 + square * (3 / 40 + square * (15 / 336 + square * 105 / 3456))))


@inlined
def metres(
    lon1: float, low: float, sin1: float, cos1: float, lon2: float, high: float, sin2: float, cos2: float,
) -> float:  # fmt: skip
    """Return the geodesic distance of two places as ``planner.roster.place_of`` gives them; NaN where one is not known."""
    north, east = _sin((high - low) / 2), _sin((lon2 - lon1) / 2)
    haversine = north * north + cos1 * cos2 * east * east
    if haversine <= 0.0:
        return 0.0
    half = sqrt(haversine)
    angle, chord = 2 * _asin(half), 2 * half * sqrt(max(0.0, 1 - haversine))
    twice_middle = cos1 * cos2 - sin1 * sin2
    near = (angle - chord) * min(1.0, (1 - twice_middle) / 2 * (1 - north * north) / max(1 - haversine, 1e-300))
    far = (angle + chord) * min(1.0, (1 + twice_middle) / 2 * north * north / haversine)
    return AXIS_M * (angle - FLATTENING / 2 * (near + far))
