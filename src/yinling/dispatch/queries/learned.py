"""What was learned from check-ins and confirmed by a dispatcher: the only door through which plans read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from yinling.dispatch.models import Correction
from yinling.dispatch.ports import engine_name
from yinling.dispatch.samples import ALL_DAY
from yinling.dispatch.states import CorrectionState
from yinling.kernel.period import SHANGHAI

STREET, DISTRICT = 9, 6
AREAS = (STREET, DISTRICT)
"""Lengths of the divisions for which ways are learned; a street with too few samples follows its district."""


@dataclass(frozen=True)
class Learned:
    """Everything confirmed for one division, read by one query: factors on ways, and minutes of items."""

    div: str
    ways: Mapping[tuple[str, str, int, int], float] = field(default_factory=dict)
    minutes: Mapping[tuple[int, int | None, str], float] = field(default_factory=dict)

    def factor(self, mode: str, hour: int | None = None) -> float:
        """Return what estimated ways are multiplied by: street before district, the hour's band before the whole day, else 1."""
        for length in AREAS:
            bands = {
                (hour_from, hour_to): value
                for (div, own, hour_from, hour_to), value in self.ways.items()
                if div == self.div[:length] and own == mode
            }
            for (hour_from, hour_to), value in bands.items():
                if hour is not None and hour_from <= hour < hour_to and (hour_from, hour_to) != ALL_DAY:
                    return value
            if ALL_DAY in bands:
                return bands[ALL_DAY]
        return 1.0

    def factor_at(self, mode: str, at: datetime) -> float:
        """Return the factor at a moment."""
        return self.factor(mode, at.astimezone(SHANGHAI).hour)

    def minutes_of(self, item_id: int, provider_id: int, level: str = "") -> int | None:
        """Return how long an item takes a provider's people for an elder of a level, or nothing if that was not learned."""
        for key in ((item_id, provider_id, level), (item_id, provider_id, "")):
            if key in self.minutes:
                return round(self.minutes[key])
        return None


def learned(div: str, *, items: Iterable[int] = ()) -> Learned:
    """Return what is in use for the ways of a division and for some items."""
    ways = Q(kind="travel", engine=engine_name(), div__in=[div[:length] for length in AREAS])
    work = Q(kind="minutes", item_id__in=list(items))
    rows = list(Correction.objects.filter(ways | work, state=CorrectionState.USED))
    return Learned(
        div,
        {(row.div, row.mode, row.hour_from, row.hour_to): row.value for row in rows if row.kind == "travel"},
        {(row.item_id, row.provider_id, row.level): row.value for row in rows if row.kind == "minutes"},
    )


def travel_factor(div: str, mode: str, hour: int | None = None) -> float:
    """Return what estimated ways in a division are multiplied by, at an hour or over the whole day. 1 if nothing was confirmed."""
    return learned(div).factor(mode, hour)


def service_minutes(item_id: int, provider_id: int, level: str = "") -> int | None:
    """Return the confirmed minutes of an item for a provider's people, or nothing: then the booked time holds. Pay never follows it."""
    return learned("", items=[item_id]).minutes_of(item_id, provider_id, level)
