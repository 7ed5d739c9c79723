"""Valhalla, ``POST /sources_to_targets``: an engine of one's own on OpenStreetMap data, in WGS-84."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from yinling.dispatch.ports import Point
from yinling.ground.parameters import parameter
from yinling.interop.travel.engine import Answer, Engine, Unplaced, number
from yinling.interop.travel.http import NoAnswer, ask
from yinling.kernel.period import local_date
from yinling.kernel.words import N_

_OK = 200
_UNPLACED = {150, 151, 152, 153, 154, 157, 158, 170, 171, 442, 443}
"""Too many or too distant places for the engine's limits, a place without a road nearby, no path."""
_SPEEDS = {"pedestrian": "walking_speed", "bicycle": "cycling_speed"}


class Valhalla(Engine):
    """``travel.costing.<mode>`` says which costing stands for a mode; who walks or rides does so at ``travel.speed_kmh.<mode>``."""

    engine = "valhalla"

    def block(self, starts: Sequence[Point], ends: Sequence[Point], mode: str, depart: datetime) -> Answer:
        """Ask for one block of the matrix."""
        day = local_date(depart)
        costing = str(parameter(f"travel.costing.{mode}", "", day))
        body: dict[str, Any] = {"sources": _places(starts), "targets": _places(ends), "costing": costing}
        if costing in _SPEEDS:
            speed = float(parameter(f"travel.speed_kmh.{mode}", "", day))
            body["costing_options"] = {costing: {_SPEEDS[costing]: speed}}
        status, answer = ask(f"{self.url}/sources_to_targets", body=body, seconds=self.timeout)
        if not isinstance(answer, dict):
            raise NoAnswer(N_("答复格式不对"))
        if status != _OK:
            if answer.get("error_code") in _UNPLACED:
                raise Unplaced
            raise NoAnswer(f"HTTP {status}: {answer.get('error_code', '')} {answer.get('error', '')}")
        return _read(answer.get("sources_to_targets"), len(starts), len(ends))


def _places(points: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lon": point.lon, "lat": point.lat} for point in points]


def _read(rows: Any, starts: int, ends: int) -> dict[tuple[int, int], float | None]:
    """Read the verbose form, a list of lists of pairs that carry their own numbers."""
    try:
        pairs = [((int(one["from_index"]), int(one["to_index"])), one["time"]) for row in rows for one in row]
    except (TypeError, KeyError, ValueError) as error:
        raise NoAnswer(N_("答复格式不对")) from error
    if any(not (0 <= start < starts and 0 <= end < ends) for (start, end), _ in pairs):
        raise NoAnswer(N_("答复格式不对"))
    return {pair: number(seconds) for pair, seconds in pairs}
