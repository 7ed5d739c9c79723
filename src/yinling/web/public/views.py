"""What anybody may read without log-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse

from yinling.catalogue.models import PriceList
from yinling.catalogue.queries import PublicFamily, public_list
from yinling.directory.queries import areas_below, communities, distances_from, listed_for_home_medical
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.visits.queries import FEWEST_RATINGS, Rating, ratings
from yinling.web.pages import Listing, public_page, render
from yinling.web.public.places import city_of_reader

RATED_DAYS = 365
RATINGS_KEPT = 3600
"""Seconds: the average of a year does not change by the minute."""


@public_page
def catalogue(request: Any) -> HttpResponse:
    """The 5+X list with guide, standard, fee and support policy, each with its effective date (R-ORD-10); made to be printed.

    Beside each price stand the rating of the provider and, for who picks a community, how far it is (R-ORD-02). Nothing is kept of that.
    """
    city = city_of_reader(request)
    districts = list(areas_below(city.div)) if city else []
    wanted = request.GET.get("div", "")
    place = next((area for area in districts if area.div == wanted), city)
    on = _day(request.GET.get("day", ""), local_date(request.now))
    homes = list(communities(place.div)) if place and place != city else []
    near = next((area for area in homes if area.div == request.GET.get("near", "")), None)
    distances = distances_from(near, city.div) if city and near else {}
    text, basis = request.GET.get("q", "").strip()[:20], request.GET.get("basis", "")
    basis = basis if basis in dict(PriceList.BASES) else ""
    families = public_list(place.div, on, request.now, text=text, basis=basis) if place else []
    return render(
        request, "public/catalogue.html", city=city, districts=districts, place=place, day=on, homes=homes, near=near,
        families=_nearest_first(families, distances), distances=distances,
        ratings=_ratings(city.div, request.now) if city else {}, fewest=FEWEST_RATINGS, text=text, basis=basis,
        bases=PriceList.BASES,
    )  # fmt: skip


def _nearest_first(families: list[PublicFamily], distances: dict[int, float]) -> list[PublicFamily]:
    """Order the providers of each item by distance, where one is asked for; else by price, as they come."""
    if not distances:
        return families
    far = float("inf")

    def sorted_by(item: Any) -> Any:
        fees = sorted(item.fees, key=lambda fee: distances.get(fee.organisation_id, far))
        return replace(item, fees=tuple(fees))

    return [replace(family, items=tuple(sorted_by(item) for item in family.items)) for family in families]


def _ratings(div: str, now: datetime) -> dict[int, Rating]:
    key = f"ratings:{div}:{local_date(now)}"
    found: dict[int, Rating] | None = cache.get(key)
    if found is None:
        found = ratings(div, now - timedelta(days=RATED_DAYS))
        cache.set(key, found, RATINGS_KEPT)
    return found


@public_page
def home_medical(request: Any) -> HttpResponse:
    """The bodies that may do medical care at home, made from their filings (R-STF-04)."""
    city = city_of_reader(request)
    listing = Listing(request, listed_for_home_medical(city.div if city else "", local_date(request.now)))
    return render(request, "public/home_medical.html", city=city, listing=listing)


def _day(text: str, today: date) -> date:
    return meant_day(text) or today
