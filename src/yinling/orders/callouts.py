"""Reading what the on-site fee is reckoned from: the rate published by the moment of placing, the way, and the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from yinling.catalogue.models import CalloutRate, Price, ServiceItem
from yinling.catalogue.queries import callout_rate_for
from yinling.directory.models import Organisation, Site
from yinling.directory.queries import ancestors, is_holiday, point_at
from yinling.ground.parameters import parameter
from yinling.kernel.geo import Datum, Position, distance_m
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.pricing import Asked, Callout, callout
from yinling.people.models import Elder

METHODS = {
    "straight_line": N_("服务站点到住址的直线距离"), "table": N_("机构公布的里程表"), "unknown": N_("住址没有位置，不计里程"),
}  # fmt: skip
NO_CALENDAR = N_("%(year)s年的放假安排尚未载入，上门费没有计算法定节假日加收")


@dataclass(frozen=True)
class VisitFee:
    """The on-site fee of a visit, and the way it was reckoned from."""

    callout: Callout
    distance_m: int | None
    distance_method: str
    notes: tuple[str, ...] = ()
    """What whoever is told the fee should know too."""


def fee_distance(
    provider: Organisation, elder: Elder, item: ServiceItem, rate: CalloutRate | None, starts_at: datetime
) -> tuple[int | None, str]:
    """Return the metres that the fee counts, and by which method (R-PAY-03).

    The published table of the provider, for the narrowest division it names; else the straight line from the provider's site nearest to
    the home, times the dated factor of the area. Metres are None, method ``unknown`` if either end has no position.
    """
    if rate is not None and (metres := _published(rate.distances, elder.div)) is not None:
        return metres, "table"
    home = point_at(elder.household.lon, elder.household.lat)
    sites = Site.objects.filter(organisation=provider).values_list("lon", "lat") if item.charges_callout else ()
    ways = [distance_m(home, Position(lon, lat, Datum.WGS84)) for lon, lat in sites] if home else []
    if not ways:
        return None, "unknown"
    factor = parameter("callout.distance_factor", elder.div, local_date(starts_at))
    return round(min(ways) * float(factor)), "straight_line"


def _published(distances: Mapping[str, int], div: str) -> int | None:
    return next((distances[one] for one in ancestors(div) if one in distances), None)


def visit_fee(
    *, provider: Organisation, elder: Elder, priced: Sequence[tuple[ServiceItem, Price]], starts_at: datetime, placed_at: datetime
) -> VisitFee:  # fmt: skip
    """Return the one on-site fee of a visit, by the rate in force on its day among those published by the moment of placing (D-18)."""
    charging = next((item for item, _price in priced if item.charges_callout), None)
    if charging is None:
        return VisitFee(Callout(0, ()), None, "")
    day = local_date(starts_at)
    rate = callout_rate_for(provider, day, placed_at)
    metres, method = fee_distance(provider, elder, charging, rate, starts_at)
    asked = [Asked(item.charges_callout, price.callout_fee_fen, item.needs_qualification) for item, price in priced]
    is_off = is_holiday(day) if rate is not None and rate.holiday_fen else False
    fee = callout(asked, rate, starts_at=starts_at, distance_m=metres, is_holiday=bool(is_off))
    notes = (NO_CALENDAR % {"year": day.year},) if is_off is None else ()
    return VisitFee(fee, metres, method, notes)
