"""The adapter against the real engine on a made-up town, and against answers the real one gives rarely."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.factories import NOW
from tests.interop.network import EAST_STEP, ISLAND, crossing, serving
from tests.interop.server import Asked, Reply, Server

from yinling.dispatch.models import TravelCache, TravelEngine
from yinling.dispatch.ports import Point, travel_time
from yinling.interop.travel.great_circle import GreatCircle
from yinling.interop.travel.valhalla import Valhalla
from yinling.kernel.geo import Datum, Position, distance_m

pytestmark = pytest.mark.django_db

SPEEDS = {"walk": 4.5, "ebike": 15.0}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(Path(tmp_path_factory.mktemp("valhalla"))) as address:
        yield address


@pytest.fixture
def real(settings, town: str) -> Valhalla:
    settings.TRAVEL = {"url": town, "key": "", "secret": "", "timeout": "20", "rate": "3"}
    settings.PORTS = settings.PORTS | {"travel": "yinling.interop.travel.valhalla.Valhalla"}
    return travel_time()  # type: ignore[return-value]


def grid_metres(start: tuple[int, int], end: tuple[int, int]) -> float:
    """Along the rows and columns: no street of the town runs slantwise."""

    def metres(one: Point, other: Point) -> float:
        return distance_m(Position(one.lon, one.lat, Datum.WGS84), Position(other.lon, other.lat, Datum.WGS84))

    corner = crossing(end[0], start[1])
    return metres(crossing(*start), corner) + metres(corner, crossing(*end))


@pytest.mark.parametrize("mode", list(SPEEDS))
def test_the_real_engine_says_what_the_grid_says(real: Valhalla, mode: str) -> None:
    corners = [(0, 0), (11, 0), (5, 7), (11, 11), (2, 9)]
    found = real.matrix([crossing(*one) for one in corners], mode, NOW)
    for row, start in enumerate(corners):
        for column, end in enumerate(corners):
            seconds = grid_metres(start, end) / SPEEDS[mode] * 3.6
            assert found[row][column] == pytest.approx(seconds, rel=0.06, abs=2)
    assert real.filled == frozenset()
    assert TravelEngine.objects.get().failing_since is None


def test_a_car_takes_the_same_streets_faster(real: Valhalla) -> None:
    ways = {mode: real.matrix([crossing(0, 0)], mode, NOW, to=[crossing(9, 9)])[0][0] for mode in ("walk", "car")}
    assert 0 < ways["car"] < ways["walk"] / 3


def test_every_crossing_to_every_crossing_in_blocks(real: Valhalla) -> None:
    everywhere = [(column, row) for row in range(12) for column in range(12)]
    found = real.matrix([crossing(*one) for one in everywhere], "walk", NOW)
    assert TravelCache.objects.count() == 144 * 143
    seconds = grid_metres((0, 0), (11, 11)) / 4.5 * 3.6
    assert found[0][143] == pytest.approx(seconds, rel=0.06)
    assert found[143][0] == pytest.approx(seconds, rel=0.06)
    assert [found[number][number] for number in range(144)] == [0] * 144


def test_an_island_and_a_home_far_from_any_road_are_filled_by_the_straight_line(real: Valhalla) -> None:
    nowhere = Point(121.4, 31.56)
    places = [crossing(0, 0), crossing(3, 0), ISLAND, nowhere]
    found, line = real.matrix(places, "walk", NOW), GreatCircle().matrix(places, "walk", NOW)
    assert found[0][1] == pytest.approx(grid_metres((0, 0), (3, 0)) / 4.5 * 3.6, rel=0.06)
    assert (found[0][2], found[2][1], found[3]) == (line[0][2], line[2][1], line[3])
    assert [row[3] for row in found] == [row[3] for row in line]
    assert len(real.filled) == 10
    assert TravelEngine.objects.get().failing_since is None


def test_a_home_beside_the_street_counts_from_the_street(real: Valhalla) -> None:
    beside = Point(crossing(4, 4).lon + EAST_STEP / 2, crossing(4, 4).lat + 0.0003)
    found = real.matrix([beside], "walk", NOW, to=[crossing(8, 4)])[0][0]
    assert found == pytest.approx(3.5 / 4 * grid_metres((4, 4), (8, 4)) / 4.5 * 3.6, rel=0.08)


def told(asked: Asked) -> Reply:
    rows = [
        [{"from_index": row, "to_index": column, "time": 60 * (row + 1), "distance": 1} for column in range(len(asked.body["targets"]))]
        for row in range(len(asked.body["sources"]))
    ]  # fmt: skip
    return Reply({"sources_to_targets": rows})


def test_speed_and_costing_follow_the_parameters(server: Server, travel: dict[str, str]) -> None:
    server.reply = told
    for mode in ("walk", "ebike", "car"):
        Valhalla().matrix([crossing(0, 0)], mode, NOW, to=[crossing(1, 1)])
    assert [asked.path for asked in server.asked] == ["/sources_to_targets"] * 3
    assert [(asked.body["costing"], asked.body.get("costing_options")) for asked in server.asked] == [
        ("pedestrian", {"pedestrian": {"walking_speed": 4.5}}),
        ("bicycle", {"bicycle": {"cycling_speed": 15.0}}),
        ("auto", None),
    ]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply({"error_code": 125, "error": "No costing method found"}, status=400), "No costing method found"),
        (Reply({"error_code": 299, "error": "Unknown"}, status=500), "Unknown"),
        (Reply({"sources_to_targets": None}), "格式"),
        (Reply({"sources_to_targets": [[{"time": 5}]]}), "格式"),
        (Reply({"sources_to_targets": [[{"from_index": 7, "to_index": 0, "time": 5}]]}), "格式"),
        (Reply({"sources_to_targets": [[]]}), "不完整"),
    ],
)
def test_a_wrong_answer_is_replaced(server: Server, travel: dict[str, str], reply: Reply, said: str) -> None:
    server.reply = lambda _asked: reply
    places = [crossing(0, 0), crossing(1, 1)]
    assert Valhalla().matrix(places, "walk", NOW) == GreatCircle().matrix(places, "walk", NOW)
    assert said in TravelEngine.objects.get().reason
