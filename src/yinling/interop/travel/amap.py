"""AMap (高德), ``GET /v3/distance``: a map service on the internet, in GCJ-02, with a key, a daily quota and a rate.

It has no matrix and no batch for two wheels: up to 100 starts are asked for one end at a time; walking is answered up to 5 km; who
rides follows the driving distance at ``travel.speed_kmh.<mode>``.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings

from yinling.dispatch.ports import Point
from yinling.ground.parameters import parameter
from yinling.interop.travel.engine import Answer, Engine, Unplaced, number
from yinling.interop.travel.http import NoAnswer, ask
from yinling.kernel.geo import Datum, Position, from_wgs84
from yinling.kernel.period import local_date
from yinling.kernel.words import N_

ADDRESS = "https://restapi.amap.com"
DRIVING, WALKING = "1", "3"
_UNPLACED = {"20800", "20801", "20802", "20803"}
"""Not served, no road nearby, no route, too far."""
_TOO_FAST = {"10004", "10014", "10019", "10020", "10021"}
_TRIES = 3
METRES_PER_SECOND_OF_A_KMH = 1000 / 3600


class Amap(Engine):
    """``TRAVEL_KEY`` is the key, ``TRAVEL_SECRET`` its private part where signing is switched on, ``TRAVEL_RATE`` requests a second."""

    engine = "amap"
    most_starts = 100
    most_ends = 1
    next_at: ClassVar[float] = 0.0

    def __init__(self) -> None:
        """Start with the public address unless another is set."""
        super().__init__()
        self.url = self.url or ADDRESS
        self.key, self.secret = str(settings.TRAVEL["key"]), str(settings.TRAVEL["secret"])
        self.gap = 1 / float(settings.TRAVEL["rate"])

    def block(self, starts: Sequence[Point], ends: Sequence[Point], mode: str, depart: datetime) -> Answer:
        """Ask for the ways from up to 100 starts to one end."""
        if not self.key:
            raise NoAnswer(N_("没有设置高德的密钥（TRAVEL_KEY）"))
        costing = str(parameter(f"travel.costing.{mode}", "", local_date(depart)))
        asked = {
            "destination": _place(ends[0]), "key": self.key, "origins": "|".join(_place(point) for point in starts), "output": "JSON",
            "type": WALKING if costing == "pedestrian" else DRIVING,
        }  # fmt: skip
        results = self._results(signed(asked, self.secret))
        if costing != "bicycle":
            return {(row, 0): _value(one, "duration") for row, one in results.items()}
        speed = float(parameter(f"travel.speed_kmh.{mode}", "", local_date(depart))) * METRES_PER_SECOND_OF_A_KMH
        metres = {row: _value(one, "distance") for row, one in results.items()}
        return {(row, 0): None if far is None else far / speed for row, far in metres.items()}

    def _results(self, asked: Mapping[str, str]) -> dict[int, Any]:
        """Return the results by number of the start; some may be missing."""
        for _ in range(_TRIES):
            self._wait()
            status, answer = ask(f"{self.url}/v3/distance?{urlencode(asked)}", seconds=self.timeout)
            if not isinstance(answer, dict):
                raise NoAnswer(N_("答复格式不对"))
            code = str(answer.get("infocode", ""))
            if code in _TOO_FAST:
                Amap.next_at = time.monotonic() + 1
                continue
            if code in _UNPLACED:
                raise Unplaced
            if str(answer.get("status")) != "1":
                raise NoAnswer(f"HTTP {status}: {code} {answer.get('info', '')}")
            return _numbered(answer.get("results"))
        raise NoAnswer(N_("高德限制了每秒次数，请调低 TRAVEL_RATE"))

    def _wait(self) -> None:
        """Keep to the rate of the key, over all adapters of this process."""
        now = time.monotonic()
        time.sleep(max(0.0, min(Amap.next_at - now, self.timeout)))
        Amap.next_at = max(now, Amap.next_at) + self.gap


def signed(asked: Mapping[str, str], secret: str) -> dict[str, str]:
    """Add ``sig``: MD5 of the sorted parameters followed by the private key, as the service asks; nothing without a private key."""
    if not secret:
        return dict(asked)
    text = "&".join(f"{name}={asked[name]}" for name in sorted(asked)) + secret
    return dict(asked) | {"sig": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}


def _place(point: Point) -> str:
    there = from_wgs84(Position(point.lon, point.lat, Datum.WGS84), Datum.GCJ02)
    return f"{there.lon:.6f},{there.lat:.6f}"


def _numbered(results: Any) -> dict[int, Any]:
    try:
        return {int(one["origin_id"]) - 1: one for one in results}
    except (TypeError, KeyError, ValueError) as error:
        raise NoAnswer(N_("答复格式不对")) from error


def _value(one: Mapping[str, Any], name: str) -> float | None:
    """Return a number of one result; a result with a ``code`` says that this pair has no way."""
    if one.get("code"):
        return None
    if name not in one:
        raise NoAnswer(N_("答复格式不对"))
    return number(one[name])
