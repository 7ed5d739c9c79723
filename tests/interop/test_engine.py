"""What every map engine has: kept ways, blocks, and the straight line for whatever the engine does not give."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.factories import NOW, WIDE
from tests.interop.server import Asked, Reply, Server

from yinling.dispatch.jobs import forget_old_ways
from yinling.dispatch.models import TravelCache, TravelEngine
from yinling.dispatch.operations.travel import forget_ways, note_trouble
from yinling.dispatch.ports import Point, engine_name, travel_time
from yinling.dispatch.queries.travel import engine_state, engine_trouble
from yinling.ground.clock import real_now
from yinling.ground.scope import scope
from yinling.interop.travel.cells import cell_of, centre_of
from yinling.interop.travel.great_circle import GreatCircle
from yinling.interop.travel.osrm import Osrm
from yinling.kernel.geo import Datum, Position, distance_m

pytestmark = pytest.mark.django_db

PLACES = [Point(120.30 + number * 0.003, 31.56 + number * 0.002) for number in range(4)]


def seconds_apart(start: str, end: str) -> float:
    """What the stand-in of OSRM answers: a second for each 0.0001 degree, so that every pair can be told from another."""
    (a, b), (c, d) = (tuple(map(float, place.split(","))) for place in (start, end))
    return round((abs(a - c) + abs(b - d)) * 10_000, 1)


def answering(asked: Asked) -> Reply:
    places = asked.path.rpartition("/")[2].split(";")
    sources, ends = ([places[int(one)] for one in asked.query[name].split(";")] for name in ("sources", "destinations"))
    return Reply({"code": "Ok", "durations": [[seconds_apart(one, other) for other in ends] for one in sources]})


def straight(points: list[Point]) -> list[list[int]]:
    return GreatCircle().matrix(points, "ebike", NOW)


@pytest.fixture
def engine(server: Server, travel: dict[str, str]) -> Osrm:
    server.reply = answering
    return Osrm()


def test_ways_are_asked_once_and_kept(engine: Osrm, server: Server) -> None:
    first = engine.matrix(PLACES, "ebike", NOW)
    assert first[0][0] == 0
    assert first[0][1] == first[1][0] == pytest.approx(50, abs=4)
    assert (len(server.asked), TravelCache.objects.count(), engine.filled) == (1, 12, frozenset())
    assert Osrm().matrix(PLACES, "ebike", NOW) == first
    assert Osrm().matrix(PLACES[:2], "ebike", NOW, to=PLACES[2:]) == [row[2:] for row in first[:2]]
    assert len(server.asked) == 1
    Osrm().matrix(PLACES[:2], "car", NOW)
    assert len(server.asked) == 2


def test_only_what_is_not_kept_is_asked(engine: Osrm, server: Server) -> None:
    engine.matrix(PLACES[:2], "ebike", NOW)
    engine.matrix(PLACES[:1], "ebike", NOW, to=PLACES)
    assert [asked.query["destinations"] for asked in server.asked] == ["2;3", "1;2"]


def test_old_answers_are_asked_again_and_forgotten_by_the_job(engine: Osrm, server: Server) -> None:
    engine.matrix(PLACES[:2], "ebike", NOW)
    TravelCache.objects.update(fetched_at=real_now() - timedelta(days=61))
    engine.matrix(PLACES[:2], "ebike", NOW)
    assert len(server.asked) == 2
    assert forget_ways(real_now() - timedelta(days=60)) == 0
    TravelCache.objects.filter(from_cell=cell_of(PLACES[0])).update(fetched_at=real_now() - timedelta(days=61))
    forget_old_ways(0)
    assert TravelCache.objects.get().from_cell == cell_of(PLACES[1])


def test_a_big_matrix_goes_in_blocks_and_every_pair_is_right(engine: Osrm, server: Server) -> None:
    many = [Point(120.3 + number * 0.0015, 31.56) for number in range(120)]
    found = engine.matrix(many, "ebike", NOW, to=many[:70])
    assert len(server.asked) == 6
    assert [found[119][0], found[0][69], found[60][60]] == [1785, 1035, 0]
    assert all(
        len(asked.path.split(";")) <= Osrm.most_starts + Osrm.most_ends and len(asked.path) < 3000
        for asked in server.asked
    )


def test_an_engine_that_is_down_stops_no_plan_and_says_so(engine: Osrm, travel: dict[str, str], settings) -> None:
    settings.TRAVEL = travel | {"url": "http://127.0.0.1:9"}
    settings.PORTS = settings.PORTS | {"travel": "yinling.interop.travel.osrm.Osrm"}
    clock = Osrm()
    assert clock.matrix(PLACES, "ebike", NOW) == straight(PLACES)
    assert len(clock.filled) == 12
    trouble = engine_trouble()
    assert trouble is not None
    assert "连接被拒绝" in trouble.reason
    assert TravelCache.objects.count() == 0


def test_after_a_failure_the_engine_rests_and_an_answer_ends_the_trouble(
    engine: Osrm, server: Server, settings
) -> None:
    settings.PORTS = settings.PORTS | {"travel": "yinling.interop.travel.osrm.Osrm"}
    server.reply = lambda _asked: Reply({"code": "Error", "message": "boom"}, status=500)
    engine.matrix(PLACES, "ebike", NOW)
    engine.matrix(PLACES, "ebike", NOW)
    assert len(server.asked) == 1
    state = engine_state()
    assert state is not None
    since = state.failing_since
    Osrm._resting.clear()
    engine.matrix(PLACES, "ebike", NOW)
    assert (len(server.asked), TravelEngine.objects.get().failing_since) == (2, since)
    Osrm._resting.clear()
    server.reply = answering
    engine.matrix(PLACES, "ebike", NOW)
    assert engine_trouble() is None
    assert TravelEngine.objects.get().answered_at is not None


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(raw=b"<html>gateway</html>", status=502), "不是 JSON"),
        (Reply(raw=b"[" * 100_000), "不是 JSON"),
        (Reply(["list"]), "格式"),
        (Reply({"code": "Ok"}), "格式"),
        (Reply({"code": "Ok", "durations": "none"}), "格式"),
        (Reply({"code": "Ok", "durations": [[1] * 9] * 4}), "格式"),
        (Reply({"code": "Ok", "durations": [["soon"] * 4] * 4}), "不是数字"),
        (Reply({"code": "Ok", "durations": [[True] * 4] * 4}), "不是数字"),
        (Reply({"code": "Ok", "durations": [[-5] * 4] * 4}), "不合理"),
        (Reply({"code": "Ok", "durations": [[1e9] * 4] * 4}), "不合理"),
        (Reply({"code": "InvalidQuery", "message": "Query string malformed"}, status=400), "InvalidQuery"),
        (Reply({}, wait=3), "超时"),
        (Reply({"code": "Ok", "durations": []}, drip=0.1), "超时"),
    ],
)
def test_nonsense_is_replaced_by_the_straight_line(engine: Osrm, server: Server, reply: Reply, said: str) -> None:
    server.reply, engine.timeout = lambda _asked: reply, 1 if said == "超时" else engine.timeout
    assert engine.matrix(PLACES, "ebike", NOW) == straight(PLACES)
    assert said in TravelEngine.objects.get().reason
    assert TravelCache.objects.count() == 0


def test_an_engine_too_slow_for_the_whole_matrix_is_left_in_time(
    engine: Osrm, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yinling.interop.travel.engine.MOST_SECONDS", -1)
    assert engine.matrix(PLACES, "ebike", NOW) == straight(PLACES)
    assert "太慢" in TravelEngine.objects.get().reason
    assert server.asked == []


def test_no_address_and_a_wrong_one_are_said(settings, travel: dict[str, str]) -> None:
    for address in ("", "file:///etc/passwd"):
        Osrm._resting.clear()
        settings.TRAVEL = travel | {"url": address}
        assert Osrm().matrix(PLACES, "ebike", NOW) == straight(PLACES)
        assert "TRAVEL_URL" in TravelEngine.objects.get().reason


def test_half_an_answer_is_kept_the_rest_filled_and_noted(engine: Osrm, server: Server) -> None:
    server.reply = lambda asked: Reply(
        answering(asked).answer | {"durations": answering(asked).answer["durations"][:2]}
    )
    found = engine.matrix(PLACES, "ebike", NOW)
    line = straight(PLACES)
    assert found[2:] == line[2:]
    assert found[0] != line[0]
    assert engine.filled == {(2, 0), (2, 1), (2, 3), (3, 0), (3, 1), (3, 2)}
    assert "不完整" in TravelEngine.objects.get().reason
    assert TravelCache.objects.count() == 6
    server.reply = answering
    engine.matrix(PLACES, "ebike", NOW)
    assert (len(server.asked), engine.filled, TravelEngine.objects.get().reason) == (2, frozenset(), "")


def test_a_pair_without_a_way_is_filled_and_not_asked_again(engine: Osrm, server: Server) -> None:
    def island(asked: Asked) -> Reply:
        rows = answering(asked).answer["durations"]
        return Reply({"code": "Ok", "durations": [[None if 3 in (a, b) and a != b else rows[a][b] for b in range(4)] for a in range(4)]})  # fmt: skip

    server.reply = island
    found = engine.matrix(PLACES, "ebike", NOW)
    assert found[3] == straight(PLACES)[3]
    assert engine.filled == {(0, 3), (1, 3), (2, 3), (3, 0), (3, 1), (3, 2)}
    assert TravelCache.objects.filter(seconds=None).count() == 6
    assert engine.matrix(PLACES, "ebike", NOW) == found
    assert len(server.asked) == 1
    assert TravelEngine.objects.get().failing_since is None


def test_one_place_without_a_road_spoils_no_other(engine: Osrm, server: Server) -> None:
    lost = centre_of(cell_of(PLACES[2]))

    def no_segment(asked: Asked) -> Reply:
        if f"{lost.lon:.6f},{lost.lat:.6f}" in asked.path:
            message = "Could not find a matching segment for coordinate 2"
            return Reply({"code": "NoSegment", "message": message}, status=400)
        return answering(asked)

    server.reply = no_segment
    found = engine.matrix(PLACES, "ebike", NOW)
    line = straight(PLACES)
    assert found[2] == line[2]
    assert [row[2] for row in found] == [row[2] for row in line]
    assert (found[0][1], found[3][0]) == (50, 150)
    assert TravelEngine.objects.get().failing_since is None


def test_ways_are_written_after_the_end_of_the_transaction(engine: Osrm) -> None:
    with scope(WIDE):
        engine.matrix(PLACES, "ebike", NOW)
        assert TravelCache.objects.count() == 0
    assert TravelCache.objects.count() == 12


def test_a_cell_is_smaller_than_a_house_and_its_middle_lies_in_it() -> None:
    for number in range(200):
        place = Point(120.3 + number * 0.000_017, 31.56 - number * 0.000_013)
        middle = centre_of(cell_of(place))
        apart = distance_m(*(Position(one.lon, one.lat, Datum.WGS84) for one in (place, middle)))
        assert apart < 12
        assert cell_of(middle) == cell_of(place)


def test_the_straight_line_is_the_default_and_has_no_state(settings) -> None:
    assert (engine_name(), engine_state(), engine_trouble()) == ("great_circle", None, None)
    assert isinstance(travel_time(), GreatCircle)


def test_the_reason_of_a_trouble_is_cut_to_the_column() -> None:
    note_trouble("osrm", "x" * 5000, at=real_now())
    assert len(TravelEngine.objects.get().reason) == 300
