"""Loading a checked profile: areas, calendar, service list and schemes. What is there already stays as it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from random import Random

from yinling.catalogue.models import ServiceItem
from yinling.demo.profile import AreaRow, Profile
from yinling.demo.rows import insert
from yinling.directory.models import Area, OldArea
from yinling.entitlements.models import Scheme
from yinling.ground.models import CalendarDay
from yinling.kernel.geo import Datum, Position, inside

EARLIEST = datetime.combine(date(2015, 1, 1), time(), UTC)
STREET_SPREAD = 0.011
"""Degrees, about a kilometre: how far the homes of a street lie from its point."""
DISTRICT_SPREAD = 0.04
TRIES = 60

Point = tuple[float, float]


def load_city(profile: Profile, random: Random) -> None:
    """Load what every city needs before its first day, demonstration or not."""
    load_areas(profile, random)
    load_calendar(profile)
    load_catalogue(profile)


def load_areas(profile: Profile, random: Random) -> None:
    """Load the tree with outlines, a point for each area, and the old codes."""
    if Area.objects.filter(pk=profile.area).exists():
        return
    points = area_points(profile, random)
    source, valid_from = profile.city["areas"]["source"], profile.city["areas"]["valid_from"]
    insert([_area(profile, row, points[row.div], source, valid_from) for row in profile.areas])
    known = set(OldArea.objects.values_list("code", "name"))
    insert(
        [
            OldArea(
                code=row["code"], name=row["name"], first_year=int(row["first_year"] or 0), last_year=int(row["last_year"] or 0) or None,
                status=row["status"], now_codes=row["now_code"], note=row["note"][:200],
            )
            for row in profile.old_codes if (row["code"], row["name"]) not in known
        ]
    )  # fmt: skip


def _area(profile: Profile, row: AreaRow, point: Point, source: str, valid_from: date) -> Area:
    feature = profile.outlines.get(row.div)
    return Area(
        div=row.div, code=row.code, name=row.name, short_name=row.short_name, level=row.level, kind=row.kind, parent_id=row.parent,
        is_statistical=row.is_statistical, lon=round(point[0], 6), lat=round(point[1], 6), outline=feature["geometry"] if feature else None,
        source=source[:200], valid_from=valid_from,
    )  # fmt: skip


def area_points(profile: Profile, random: Random) -> dict[str, Point]:
    """Return a point for every area: the label point of a district, the listed point of a street, near it for a community."""
    labels = {div: tuple(feature["properties"]["label_point"]) for div, feature in profile.outlines.items()}
    middle = next(iter(labels.values()))
    points: dict[str, Point] = {}
    for row in profile.areas:
        if row.div in labels:
            points[row.div] = (labels[row.div][0], labels[row.div][1])
        elif row.div in profile.street_points:
            points[row.div] = profile.street_points[row.div]
        elif row.parent is None:
            points[row.div] = (middle[0], middle[1])
        else:
            spread = STREET_SPREAD if row.level == "community" else DISTRICT_SPREAD
            points[row.div] = near(points[row.parent], spread, outline_of(profile, row.div), random)
    return points


def outline_of(profile: Profile, div: str) -> dict[str, object] | None:
    """Return the geometry of the nearest outlined area that holds a division."""
    feature = next((profile.outlines[div[:size]] for size in (12, 9, 6, 4, 2) if div[:size] in profile.outlines), None)
    return feature["geometry"] if feature else None


def near(centre: Point, spread: float, outline: dict[str, object] | None, random: Random) -> Point:
    """Return a point scattered about a centre, inside the outline; the centre itself if no try hits."""
    for _ in range(TRIES):
        lon, lat = random.gauss(centre[0], spread), random.gauss(centre[1], spread * 0.85)
        if outline is None or inside(Position(lon, lat, Datum.WGS84), outline):
            return lon, lat
    return centre


def load_calendar(profile: Profile) -> None:
    """Load the official days that no list has given yet."""
    known = set(CalendarDay.objects.values_list("day", flat=True))
    source = profile.calendar_source
    insert(
        [
            CalendarDay(day=day, kind=kind, name=name, source=source)
            for day, kind, name in profile.calendar
            if day not in known
        ]
    )


def load_catalogue(profile: Profile) -> None:
    """Load items and schemes that are not there yet."""
    known = set(ServiceItem.objects.values_list("code", flat=True))
    insert(
        [
            ServiceItem(created_at=EARLIEST, changed_at=EARLIEST, **item)
            for item in profile.items
            if item["code"] not in known
        ]
    )
    schemes = set(Scheme.objects.values_list("code", "div"))
    rows = [Scheme(**({"div": profile.area} | scheme)) for scheme in profile.schemes]
    insert([row for row in rows if (row.code, row.div) not in schemes])
