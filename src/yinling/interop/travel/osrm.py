"""OSRM, ``GET /table/v1``: an engine of one's own on OpenStreetMap data, in WGS-84, one server for each mode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from yinling.dispatch.ports import Point
from yinling.ground.parameters import parameter
from yinling.interop.travel.engine import Answer, Engine, Unplaced, number
from yinling.interop.travel.http import NoAnswer, ask
from yinling.kernel.period import local_date
from yinling.kernel.words import N_

PROFILES = {"pedestrian": "foot", "bicycle": "bike", "auto": "car"}
_UNPLACED = {"NoSegment", "NoTable", "TooBig"}


class Osrm(Engine):
    """The data of a server are prepared for one mode, so ``{profile}`` in the address (foot, bike, car) tells the servers apart."""

    engine = "osrm"

    def block(self, starts: Sequence[Point], ends: Sequence[Point], mode: str, depart: datetime) -> Answer:
        """Ask for one block of the table."""
        costing = str(parameter(f"travel.costing.{mode}", "", local_date(depart)))
        profile = PROFILES.get(costing, costing)
        places = ";".join(f"{point.lon:.6f},{point.lat:.6f}" for point in (*starts, *ends))
        first = len(starts)
        sources = ";".join(str(one) for one in range(first))
        destinations = ";".join(str(one) for one in range(first, first + len(ends)))
        base = self.url.replace("{profile}", profile)
        address = (
            f"{base}/table/v1/{profile}/{places}?sources={sources}&destinations={destinations}&annotations=duration"
        )
        status, answer = ask(address, seconds=self.timeout)
        if not isinstance(answer, dict):
            raise NoAnswer(N_("答复格式不对"))
        code = str(answer.get("code", ""))
        if code in _UNPLACED:
            raise Unplaced
        if code != "Ok":
            raise NoAnswer(f"HTTP {status}: {code} {answer.get('message', '')}")
        rows = answer.get("durations")
        if not isinstance(rows, list) or len(rows) > first:
            raise NoAnswer(N_("答复格式不对"))
        if any(not isinstance(row, list) or len(row) > len(ends) for row in rows):
            raise NoAnswer(N_("答复格式不对"))
        return {(start, end): number(seconds) for start, row in enumerate(rows) for end, seconds in enumerate(row)}
