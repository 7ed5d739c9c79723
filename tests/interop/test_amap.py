"""What is asked of AMap, in the form its documentation gives: GCJ-02, one end at a time, signed, within rate and quota."""

from __future__ import annotations

import hashlib
import time

import pytest
from tests.factories import NOW
from tests.interop.server import Asked, Reply, Server
from tests.interop.test_engine import PLACES

from yinling.dispatch.models import TravelCache, TravelEngine
from yinling.dispatch.ports import Point
from yinling.interop.travel.amap import Amap, signed
from yinling.interop.travel.great_circle import GreatCircle
from yinling.kernel.geo import Datum, Position, distance_m, to_wgs84

pytestmark = pytest.mark.django_db


def told(asked: Asked) -> Reply:
    starts = asked.query["origins"].split("|")
    results = [
        {"origin_id": str(number), "dest_id": "1", "distance": str(1000 * number), "duration": str(60 * number)}
        for number in range(1, len(starts) + 1)
    ]
    return Reply({"status": "1", "info": "OK", "infocode": "10000", "count": str(len(results)), "results": results})


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def refused(infocode: str, info: str) -> Reply:
    return Reply({"status": "0", "info": info, "infocode": infocode})


@pytest.fixture
def amap(settings, server: Server, travel: dict[str, str]) -> Amap:
    settings.TRAVEL = travel | {"key": "k1"}
    server.reply = told
    return Amap()


@pytest.mark.req("X-GEO-01a")
def test_places_leave_in_gcj02_and_come_from_cells(amap: Amap, server: Server) -> None:
    amap.matrix(PLACES[:1], "car", NOW, to=PLACES[1:2])
    sent = Position(*map(float, server.asked[0].query["origins"].split(",")), Datum.GCJ02)
    exact = Position(PLACES[0].lon, PLACES[0].lat, Datum.WGS84)
    assert distance_m(sent, exact) < 12
    unconverted = Position(sent.lon, sent.lat, Datum.WGS84)
    assert 400 < distance_m(unconverted, exact) < 700
    back = to_wgs84(sent)
    assert (back.lon, back.lat) == pytest.approx((120.3, 31.56), abs=0.0001)


@pytest.mark.req("X-GEO-01b")
def test_places_abroad_leave_as_they_are(amap: Amap, server: Server) -> None:
    amap.matrix([Point(139.70025, 35.69025)], "car", NOW, to=[Point(139.7502, 35.69025)])
    assert server.asked[0].query["origins"] == "139.700250,35.690250"


def test_one_end_at_a_time_with_all_starts(amap: Amap, server: Server) -> None:
    found = amap.matrix(PLACES[:3], "car", NOW, to=PLACES[3:])
    assert found == [[60], [120], [180]]
    (asked,) = server.asked
    assert asked.path == "/v3/distance"
    assert (asked.query["type"], asked.query["key"], asked.query["output"]) == ("1", "k1", "JSON")
    assert asked.query["origins"].count("|") == 2
    assert "sig" not in asked.query


def test_more_than_a_hundred_starts_go_in_parts(amap: Amap, server: Server) -> None:
    many = [Point(120.3 + number * 0.0015, 31.56) for number in range(130)]
    amap.matrix(many, "car", NOW, to=PLACES[1:3])
    assert [asked.query["origins"].count("|") + 1 for asked in server.asked] == [100, 100, 30, 30]


def test_walking_is_asked_as_walking_and_riding_follows_the_distance(amap: Amap, server: Server) -> None:
    assert amap.matrix(PLACES[:1], "walk", NOW, to=PLACES[1:2]) == [[60]]
    assert amap.matrix(PLACES[:1], "ebike", NOW, to=PLACES[1:2]) == [[240]]
    assert [asked.query["type"] for asked in server.asked] == ["3", "1"]


def test_requests_are_signed_where_there_is_a_private_key(amap: Amap, settings, server: Server) -> None:
    settings.TRAVEL = settings.TRAVEL | {"secret": "s3cret"}
    Amap().matrix(PLACES[:1], "car", NOW, to=PLACES[1:2])
    query = dict(server.asked[0].query)
    sent = query.pop("sig")
    text = "&".join(f"{name}={query[name]}" for name in sorted(query))
    assert sent == md5(f"{text}s3cret")
    assert signed({"b": "2", "a": "1"}, "") == {"b": "2", "a": "1"}
    assert signed({"b": "2", "a": "1"}, "k")["sig"] == md5("a=1&b=2k")


@pytest.mark.parametrize(
    ("code", "info"),
    [("10001", "INVALID_USER_KEY"), ("10003", "DAILY_QUERY_OVER_LIMIT"), ("10044", "USER_DAILY_QUERY_OVER_LIMIT"),
     ("10007", "INVALID_USER_SIGNATURE"), ("20003", "UNKNOWN_ERROR")],
)  # fmt: skip
def test_a_quota_used_up_is_said_and_the_straight_line_goes_on(
    amap: Amap, server: Server, code: str, info: str
) -> None:
    server.reply = lambda _asked: refused(code, info)
    assert amap.matrix(PLACES, "car", NOW) == GreatCircle().matrix(PLACES, "car", NOW)
    assert info in TravelEngine.objects.get().reason
    assert len(server.asked) == 1


def test_a_quota_used_up_in_the_middle_keeps_what_was_given(amap: Amap, server: Server) -> None:
    server.reply = lambda asked: told(asked) if len(server.asked) < 3 else refused("10003", "DAILY_QUERY_OVER_LIMIT")
    amap.matrix(PLACES, "car", NOW)
    assert TravelCache.objects.count() == 6
    assert len(amap.filled) == 6


def test_too_many_a_second_waits_and_asks_again(amap: Amap, server: Server) -> None:
    server.reply = lambda asked: (
        told(asked) if len(server.asked) > 1 else refused("10021", "CUQPS_HAS_EXCEEDED_THE_LIMIT")
    )
    began = time.monotonic()
    assert amap.matrix(PLACES[:1], "car", NOW, to=PLACES[1:2]) == [[60]]
    assert time.monotonic() - began > 0.9
    assert TravelEngine.objects.get().failing_since is None


def test_the_rate_of_the_key_is_kept(amap: Amap, settings, server: Server) -> None:
    settings.TRAVEL = settings.TRAVEL | {"rate": "10"}
    began = time.monotonic()
    Amap().matrix(PLACES[:1], "car", NOW, to=PLACES[1:])
    assert len(server.asked) == 3
    assert time.monotonic() - began >= 0.2


def test_a_pair_without_a_road_and_a_missing_result_are_filled(amap: Amap, server: Server) -> None:
    def half(asked: Asked) -> Reply:
        answer = told(asked).answer
        answer["results"][1] = {"origin_id": "2", "dest_id": "1", "code": "1", "info": "NO_ROAD"}
        del answer["results"][2:]
        return Reply(answer)

    server.reply = half
    found = amap.matrix(PLACES[:3], "car", NOW, to=PLACES[3:])
    line = GreatCircle().matrix(PLACES[:3], "car", NOW, to=PLACES[3:])
    assert found == [[60], line[1], line[2]]
    assert amap.filled == {(1, 0), (2, 0)}
    assert TravelCache.objects.filter(seconds=None).count() == 1
    assert "不完整" in TravelEngine.objects.get().reason


def test_too_far_to_walk_spoils_only_the_pair(amap: Amap, server: Server) -> None:
    server.reply = lambda asked: (
        told(asked) if "|" not in asked.query["origins"] else refused("20803", "OVER_DIRECTION_RANGE")
    )
    assert amap.matrix(PLACES[:2], "walk", NOW, to=PLACES[2:3]) == [[60], [60]]


@pytest.mark.parametrize(
    "answer",
    [{"status": "1", "infocode": "10000"}, {"status": "1", "results": [{"dest_id": "1"}]}, {"status": "1", "results": 7},
     {"status": "1", "results": [{"origin_id": "1"}]}, {"status": "1", "results": [{"origin_id": "1", "duration": []}]}],
)  # fmt: skip
def test_an_answer_in_another_form_is_replaced(amap: Amap, server: Server, answer: dict[str, object]) -> None:
    server.reply = lambda _asked: Reply(answer)
    places = PLACES[:2]
    assert amap.matrix(places, "car", NOW) == GreatCircle().matrix(places, "car", NOW)
    assert TravelEngine.objects.get().failing_since is not None


def test_without_a_key_nothing_is_asked(settings, server: Server, travel: dict[str, str]) -> None:
    assert Amap().matrix(PLACES, "car", NOW) == GreatCircle().matrix(PLACES, "car", NOW)
    assert server.asked == []
    assert "TRAVEL_KEY" in TravelEngine.objects.get().reason


def test_the_key_stands_in_no_reason(settings, travel: dict[str, str]) -> None:
    settings.TRAVEL = travel | {"url": "http://127.0.0.1:9", "key": "very-secret-key"}
    Amap().matrix(PLACES, "car", NOW)
    assert "very-secret-key" not in TravelEngine.objects.get().reason
