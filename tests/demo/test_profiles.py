"""The six profiles load, each into a database of its own, and a made-up city can be lived in wherever its tree has three or four levels."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from pytest_django import DjangoDbBlocker
from tests.databases import OWN, OWNER, drop, recreate
from tests.demo.fixtures import serving

from yinling.catalogue.models import ServiceItem
from yinling.demo import load
from yinling.demo.logins import LOGINS, actor_of
from yinling.demo.profile import Profile, validate
from yinling.directory.models import Area
from yinling.directory.queries import cities, city_of, coverage_gaps, parent_of, system_actor
from yinling.entitlements.models import Scheme
from yinling.ground.clock import real_now
from yinling.ground.scope import scope
from yinling.kernel.geo import Datum, Position, distance_m, inside
from yinling.kernel.period import local_date
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.visits.models import Visit

PROFILES = {
    "wuxi-332": ("3202", 7, 88, 1254),
    "zhenjiang-yyjh": ("3211", 7, 60, 769),
    "chongqing-shilaohua-2020": ("50", 38, 1031, 11270),
    "shanwei-jujia": ("4415", 4, 63, 907),
    "qidong-jujia": ("320681", 0, 18, 339),
    "generic-2023": ("99", 2, 4, 12),
}
LIVED_IN = ("zhenjiang-yyjh", "qidong-jujia")
BARE = [code for code in PROFILES if code not in (*LIVED_IN, "wuxi-332")]
TINY = load.Sizes(elders=120, organisations=60, staff=90, days=14, visits_a_day=5)
LONGEST_S = 60
"""An ordinary machine needs a few; this one may be doing other things."""
FAR_M = 9000
"""Of a home from the listed point of its street: streets are given by one point each, and communities lie about it."""


@pytest.fixture(scope="module")
def profile_database(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, float]]:  # fmt: skip
    """Load the profile asked for into a copy of the empty database; yield its code, the database, and the seconds it took."""
    code = request.param
    name = f"{OWN}_profile"
    recreate(name)
    files = tmp_path_factory.mktemp(code)
    with django_db_blocker.unblock(), serving(name, OWNER), override_settings(DATA=files):
        started = time.perf_counter()
        if code in LIVED_IN:
            load.main(code, sizes=TINY, quiet=True)
        else:
            load.city_only(code)
        took = time.perf_counter() - started
    yield code, name, took
    drop(name)


@pytest.fixture
def loaded(db: None, profile_database: tuple[str, str, float]) -> Iterator[Profile]:
    """The profile, its database in use."""
    code, name, _ = profile_database
    with serving(name, OWNER):
        yield validate(code)


def test_the_profiles_that_ship_are_these() -> None:
    assert {path.parent.name for path in settings.CITIES.glob("*/city.yaml")} == set(PROFILES)


@pytest.mark.parametrize("profile_database", BARE, indirect=True)
def test_profile_loads_whole_and_its_codes_are_ranges(
    loaded: Profile, profile_database: tuple[str, str, float]
) -> None:
    area, districts, streets, communities = PROFILES[loaded.code]
    levels = Counter(Area.objects.values_list("level", flat=True))
    assert (levels["city"], levels["district"], levels["street"], levels["community"]) == (
        1,
        districts,
        streets,
        communities,
    )
    assert not Area.objects.exclude(div__gte=area, div__lt=area + ":").exists()
    for row in Area.objects.filter(parent__isnull=False).order_by("?")[:200]:
        assert row.div.startswith(row.parent_id)
        assert (city_of(row.div), parent_of(row.div)) == (area, row.parent_id)
    assert [city.div for city in cities()] == [area]
    assert Scheme.objects.filter(div=area).count() == len(loaded.schemes)
    assert ServiceItem.objects.count() == len(loaded.items)
    assert profile_database[2] < LONGEST_S


@pytest.mark.parametrize("profile_database", LIVED_IN, indirect=True)
def test_elders_live_where_people_live(loaded: Profile) -> None:
    statistical = {area.div for area in loaded.areas if area.is_statistical}
    assert statistical
    with scope(system_actor(loaded.area)):
        homes = list(Elder.objects.values_list("div", "household__lon", "household__lat"))
    # Two are on file twice and one came by the import of a sheet: these three have no position yet.
    assert len(homes) == TINY.elders + 3
    homes = [home for home in homes if home[1] is not None]
    assert len(homes) >= TINY.elders
    for div, lon, lat in homes:
        home = Position(lon, lat, Datum.WGS84)
        assert not {div, div[:9], div[:6]} & statistical
        # A street point lies on land by hand; without one a home could lie in the Yangtze, which the outlines include.
        assert distance_m(home, Position(*loaded.street_points[div[:9]], Datum.WGS84)) < FAR_M
        outline = loaded.outlines.get(div[:6]) or loaded.outlines[loaded.area]
        assert inside(home, outline["geometry"])


@pytest.mark.parametrize("profile_database", LIVED_IN, indirect=True)
def test_city_can_be_lived_in(loaded: Profile) -> None:
    now = real_now()
    for login in LOGINS:
        actor = actor_of(login.username, now)
        assert actor.role == login.role
        assert actor.div is None or actor.div.startswith(loaded.area)
    assert actor_of("city", now).div == loaded.area
    families = {item["family"] for item in loaded.items}
    for family in families:
        coverage = coverage_gaps(family, local_date(now), loaded.area)
        assert (coverage.gaps, coverage.overlaps) == ([], []), family
    with scope(system_actor(loaded.area)):
        assert set(Order.objects.values_list("state", flat=True)) >= {"assigned", "settled"}
        assert Visit.objects.exists()
        assert not Elder.objects.filter(dialect="无锡话").exists()


@pytest.mark.parametrize("code", PROFILES)
def test_street_points_are_of_streets_where_people_live(code: str) -> None:
    profile = validate(code)
    living = {area.div for area in profile.areas if area.level == "street" and not area.is_statistical}
    assert set(profile.street_points) <= living or Path(settings.CITIES / code).name == "wuxi-332"
    if code in LIVED_IN:
        assert set(profile.street_points) == living
