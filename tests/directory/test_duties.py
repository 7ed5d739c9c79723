"""Grids, lists of villages, and one body for each address (R-ORD-04)."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories import (
    CITY,
    COMMUNITY,
    LONG_AGO,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_household,
    make_organisation,
    make_service_area,
)

from yinling.accounts.models import Journal
from yinling.directory.models import Organisation, ServiceArea
from yinling.directory.operations import assign_service_area, end_service_area
from yinling.directory.queries import coverage_gaps, responsible_body
from yinling.directory.rules import Duty, bodies_at, outline_from
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.geo import Datum, Position, overlap
from yinling.kernel.refusals import Refusal
from yinling.people.queries import Homes, homes_by_body

pytestmark = pytest.mark.usefixtures("wide")
WEST = "120.29,31.56\n120.30,31.56\n120.30,31.58\n120.29,31.58"
EAST = "120.30,31.56\n120.31,31.56\n120.31,31.58\n120.30,31.58"
ACROSS = "120.295,31.56\n120.305,31.56\n120.305,31.58\n120.295,31.58"


@pytest.fixture
def city_actor() -> Iterator[Actor]:
    make_area_tree()
    one = actor("city")
    with scope(one):
        yield one


def assign(who: Actor, body: Organisation, **values: Any) -> ServiceArea:
    asked = {"organisation_id": body.pk, "family": "bathing", "div": STREET, "valid_from": TODAY, **values}
    return assign_service_area(actor=who, now=NOW, **asked)


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [corners]}


def homes_of(who: Actor) -> Homes:
    return homes_by_body(who, coverage_gaps("bathing", TODAY, CITY).areas)


@pytest.mark.req("R-ORD-04")
def test_an_address_belongs_to_the_grid_it_lies_in_and_else_to_the_division(city_actor: Actor) -> None:
    wide, west, east = (make_organisation() for _ in range(3))
    assign(city_actor, wide, div=CITY)
    assign(city_actor, west, name="西网格", outline=WEST)
    assign(city_actor, east, name="东网格", outline=EAST)
    at = {
        place: responsible_body("bathing", COMMUNITY, TODAY, lon=lon, lat=31.57)
        for place, lon in (("west", 120.295), ("border", 120.30), ("east", 120.305), ("outside", 120.32))
    }
    assert at == {"west": west, "border": east, "east": east, "outside": wide}
    assert responsible_body("bathing", COMMUNITY, TODAY) == wide, "without a position the division answers"
    assert responsible_body("bathing", OTHER_COMMUNITY, TODAY, lon=120.295, lat=31.57) == wide, (
        "a grid ends with its division"
    )
    assert responsible_body("bathing", COMMUNITY, TODAY - timedelta(days=1), lon=120.295, lat=31.57) is None


@pytest.mark.req("R-ORD-04")
def test_the_reports_show_homes_outside_every_grid_and_are_empty_when_all_is_covered(city_actor: Actor) -> None:
    west, east = make_organisation(), make_organisation()
    make_household(COMMUNITY, lon=120.295, lat=31.57)
    far = make_household(COMMUNITY, lon=120.305, lat=31.57)
    unplaced = make_household(NEIGHBOUR, lon=None, lat=None)
    assign(city_actor, west, name="西网格", outline=WEST)
    report, homes = coverage_gaps("bathing", TODAY, STREET), homes_of(city_actor)
    assert [area.div for area in report.gaps] == [COMMUNITY, NEIGHBOUR], "their middle lies on the border, outside"
    assert (homes.looked_at, homes.uncovered, homes.doubled) == (3, {COMMUNITY: 1, NEIGHBOUR: 1}, {})
    assign(city_actor, east, name="东网格", outline=EAST)
    report, homes = coverage_gaps("bathing", TODAY, STREET), homes_of(city_actor)
    assert (report.gaps, report.overlaps, homes.uncovered) == ([], [], {NEIGHBOUR: 1})
    assign(city_actor, east, villages=["学前社区"])
    homes = homes_of(city_actor)
    assert (homes.uncovered, homes.doubled, homes.by_body) == ({}, {}, {west: 1, east: 2})
    assert far.div == COMMUNITY
    assert unplaced.div == NEIGHBOUR


@pytest.mark.req("R-ORD-04")
def test_a_list_of_villages_is_assigned_at_once(city_actor: Actor) -> None:
    first, second = make_organisation(), make_organisation()
    make_service_area(first, "bathing", CITY)
    row = assign(city_actor, second, villages=["公园社区", NEIGHBOUR, "公园社区"])
    assert sorted(ServiceArea.objects.filter(organisation=second).values_list("div", flat=True)) == [
        COMMUNITY,
        NEIGHBOUR,
    ]
    assert responsible_body("bathing", NEIGHBOUR, TODAY) == second
    assert responsible_body("bathing", OTHER_COMMUNITY, TODAY) == first
    entry = Journal.objects.get(event="directory.service_area.assign")
    assert (entry.subject_id, entry.changes["areas"]) == (row.pk, [None, [COMMUNITY, NEIGHBOUR]])


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"villages": ["没有的村"]}, "area.unknown", "villages"),
        ({"villages": ["利城村"]}, "area.unknown", "villages"),
        ({"outline": ACROSS, "name": "中网格"}, "service_area.grid_overlap", "outline"),
        ({"outline": ACROSS, "name": "中网格", "div": CITY}, "service_area.grid_overlap", "outline"),
        ({"outline": EAST, "name": ""}, "text.missing", "name"),
        ({"outline": EAST, "name": "东", "villages": ["公园社区"]}, "service_area.either", "villages"),
        ({"outline": "120.1,31.5\n120.2,31.5", "name": "东"}, "outline.format", "outline"),
        ({"outline": '{"type": "Point", "coordinates": [1, 2]}', "name": "东"}, "outline.format", "outline"),
        ({"outline": "{", "name": "东"}, "outline.format", "outline"),
        ({"outline": "300,31\n120,31\n120,32", "name": "东"}, "geo.range", "outline"),
        (
            {"outline": "\n".join(f"120.{n:05d},3{n % 2}.5" for n in range(1001)), "name": "东"},
            "outline.size",
            "outline",
        ),
        ({"outline": EAST, "name": "东", "datum": "mars"}, "choice.unknown", "datum"),
    ],
)
def test_wrong_areas_are_refused(city_actor: Actor, values: dict[str, Any], code: str, field: str) -> None:
    body = make_organisation()
    assign(city_actor, body, name="西网格", outline=WEST)
    with pytest.raises(Refusal) as refused:
        assign(city_actor, body, **values)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert ServiceArea.objects.count() == 1


def test_a_grid_is_drawn_anew_under_its_name_and_ended(city_actor: Actor) -> None:
    first, second = make_organisation(), make_organisation()
    old = assign(city_actor, first, name="西网格", outline=WEST, valid_from=LONG_AGO)
    new = assign(city_actor, second, name="西网格", outline=ACROSS)
    old.refresh_from_db()
    assert old.valid_to == TODAY
    assert responsible_body("bathing", COMMUNITY, TODAY, lon=120.302, lat=31.57) == second
    end_service_area(
        actor=city_actor, now=NOW, service_area_id=new.pk, until=TODAY + timedelta(days=5), reason="撤网格"
    )
    assert responsible_body("bathing", COMMUNITY, TODAY + timedelta(days=5), lon=120.302, lat=31.57) is None
    with pytest.raises(Refusal) as refused:
        end_service_area(
            actor=city_actor, now=NOW, service_area_id=new.pk, until=TODAY + timedelta(days=6), reason="再撤"
        )
    assert refused.value.code == "service_area.over"


def test_a_body_that_stopped_answers_no_longer(city_actor: Actor) -> None:
    body = make_organisation(valid_to=TODAY)
    make_service_area(body, "bathing", CITY)
    assert responsible_body("bathing", COMMUNITY, TODAY) is None
    assert responsible_body("bathing", COMMUNITY, TODAY - timedelta(days=1)) == body
    assert city_actor.div == CITY


def test_an_outline_is_read_from_geojson_and_from_corners() -> None:
    corners = "120.1 31.5\n120.2，31.5\n120.2,31.6"
    plain = outline_from(corners, "wgs84")
    assert plain == {
        "type": "MultiPolygon",
        "coordinates": [[[[120.1, 31.5], [120.2, 31.5], [120.2, 31.6], [120.1, 31.5]]]],
    }
    polygon = '{"type": "Polygon", "coordinates": [[[120.1, 31.5], [120.2, 31.5], [120.2, 31.6], [120.1, 31.5]]]}'
    for text in (polygon, f'{{"type": "Feature", "geometry": {polygon}}}'):
        assert outline_from(text, "wgs84") == plain
    listed = f'{{"type": "FeatureCollection", "features": [{{"type": "Feature", "geometry": {polygon}}}]}}'
    assert outline_from(listed, "wgs84") == plain
    shifted = outline_from(corners, "gcj02")
    assert shifted is not None
    assert abs(shifted["coordinates"][0][0][0][0] - 120.1) > 0.003
    assert outline_from("  ", "wgs84") is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (box(0, 0, 1, 1), box(1, 0, 2, 1), False),
        (box(0, 0, 2, 1), box(1, 0, 3, 1), True),
        (box(0, 0, 3, 3), box(1, 1, 2, 2), True),
        (box(0, 0, 1, 1), box(0, 0, 1, 1), True),
        (box(0, 0, 1, 1), box(1, 1, 2, 2), False),
        (box(0, 0, 1, 1), box(5, 5, 6, 6), False),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [0, 2]]]}, {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2]]]}, False),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [0, 2]]]}, {"type": "Polygon", "coordinates": [[[0, 1], [2, 1], [1, 0]]]}, True),
    ],
)  # fmt: skip
def test_areas_overlap_if_they_share_ground(one: dict[str, Any], other: dict[str, Any], *, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


STEPS = st.integers(0, 12)


@pytest.mark.req("R-ORD-04")
@settings(max_examples=300, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 11), unique=True, max_size=4),
    wholes=st.lists(st.sampled_from(["3202", "320213", "320213021", COMMUNITY]), unique=True, max_size=3),
    lon=st.one_of(st.none(), st.integers(-1, 13), st.floats(-1, 13)),
    lat=st.floats(-0.5, 1.5),
)
def test_each_address_resolves_to_exactly_one_body(
    cuts: list[int], wholes: list[str], lon: float | None, lat: float
) -> None:
    """Grids that do not overlap, over any divisions with a body each, above one for the whole city: one body, whatever the address."""
    borders = [0, *sorted(cuts), 12]
    grids = [Duty(STREET, 100 + n, box(west, 0, east, 1)) for n, (west, east) in enumerate(pairwise(borders))]
    duties = [*grids, *(Duty(div, n) for n, div in enumerate({"32", *wholes}))]
    point = None if lon is None else Position(lon, lat, Datum.WGS84)
    found = bodies_at(COMMUNITY, point, duties)
    assert len(found) == 1
    is_drawn = lon is not None and 0 <= lon < 12 and 0 <= lat < 1
    assert (found[0] >= 100) is is_drawn
