"""What each body asks, its on-site rate with an example, and the packages: without log-in (R-PAY-08, R-ORD-16)."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import CalloutRate, Package, ServiceItem
from yinling.catalogue.queries import body_prices, public_packages, public_rates
from yinling.directory.models import Area
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import SHANGHAI, local_date
from yinling.orders.pricing import LEVELS, Asked, Callout, callout
from yinling.web.pages import Filter, Listing, public_page, render
from yinling.web.public.places import asked_place

EXAMPLE_KM, EXAMPLE_HOUR = 5, 21
"""The example that shows every part: beyond the free distance, in the evening of a working day."""


def example(rate: CalloutRate, base_fen: int = 0) -> Callout:
    """Return what a nurse's visit five kilometres beyond the free distance costs above its items, in the evening of a working day."""
    evening = datetime.combine(rate.valid_from, time(EXAMPLE_HOUR), SHANGHAI)
    visit = Asked(charges_callout=True, callout_fee_fen=base_fen, needs_qualification="nurse")
    return callout([visit], rate, starts_at=evening, distance_m=rate.free_m + EXAMPLE_KM * 1000, is_holiday=False)


@public_page
def body(request: Any, pk: int) -> HttpResponse:
    """Everything one body asks, each price with basis and document, and its on-site rate (R-ORD-16)."""
    on = meant_day(request.GET.get("day", "")) or local_date(request.now)
    found = body_prices(pk, on, request.now)
    if found is None:
        raise Http404
    base = max((fee.callout_fee_fen for item, fee in found.fees if item.charges_callout), default=0)
    shown = example(found.rate, base) if found.rate else None
    return render(
        request,
        "public/body_prices.html",
        found=found,
        rate=found.rate,
        levels=LEVELS,
        shown=shown,
        day=on,
        km=EXAMPLE_KM,
    )


def _area_filter(districts: list[Area]) -> Filter:
    return Filter("div", _("地区"), lambda rows, _div: rows, "choice", [(area.div, area.name) for area in districts])


@public_page
def rates(request: Any) -> HttpResponse:
    """The on-site rates of all bodies, each with an example (R-PAY-03)."""
    place, districts = asked_place(request)
    on = meant_day(request.GET.get("day", "")) or local_date(request.now)
    listing = Listing(
        request, public_rates(place.div, on, request.now) if place else CalloutRate.objects.none(), _area_filter(districts),
        Filter("q", _("机构"), lambda rows, text: rows.filter(organisation__short_name__contains=text)),
    )  # fmt: skip
    return render(
        request, "public/callout_rates.html", listing=listing, place=place, day=on, levels=LEVELS, km=EXAMPLE_KM,
        shown={rate.pk: example(rate) for rate in listing},
    )  # fmt: skip


@public_page
def packages(request: Any) -> HttpResponse:
    """The packages that can be signed, with their lines (R-FAM-03)."""
    place, districts = asked_place(request)
    on = meant_day(request.GET.get("day", "")) or local_date(request.now)
    listing = Listing(
        request, public_packages(place.div, on, request.now) if place else Package.objects.none(), _area_filter(districts),
        Filter("audience", _("适用人群"), lambda rows, audience: rows.filter(audience__in=(audience, "all")), "choice", Package.AUDIENCES),
        Filter("q", _("名称"), lambda rows, text: rows.filter(name__contains=text)),
    )  # fmt: skip
    codes = {line["item"] for row in listing for line in row.lines}
    return render(
        request, "public/packages.html", listing=listing, place=place, day=on, payers=dict(Package.PAYERS),
        items={item.code: item for item in ServiceItem.objects.filter(code__in=codes)},
    )  # fmt: skip


urlpatterns = [
    path("prices/<int:pk>/", body),
    path("prices/callout/", rates),
    path("prices/packages/", packages),
]
