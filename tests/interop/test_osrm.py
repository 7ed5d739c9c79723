"""What is asked of OSRM, in the form its documentation gives."""

from __future__ import annotations

import pytest
from tests.factories import NOW
from tests.interop.server import Reply, Server
from tests.interop.test_engine import PLACES, answering

from yinling.interop.travel.great_circle import GreatCircle
from yinling.interop.travel.osrm import Osrm

pytestmark = pytest.mark.django_db


def test_the_table_is_asked_for_starts_and_ends(server: Server, travel: dict[str, str]) -> None:
    server.reply = answering
    found = Osrm().matrix(PLACES[:2], "walk", NOW, to=PLACES[2:3])
    (asked,) = server.asked
    path, _, places = asked.path.rpartition("/")
    assert path == "/table/v1/foot"
    assert places.split(";")[2] == "120.306000,31.564050"
    assert asked.query == {"sources": "0;1", "destinations": "2", "annotations": "duration"}
    assert found == [[101], [51]]


def test_each_mode_has_a_server_of_its_own(server: Server, settings, travel: dict[str, str]) -> None:
    server.reply = answering
    settings.TRAVEL = travel | {"url": f"{server.address}/{{profile}}/"}
    for mode in ("walk", "ebike", "car"):
        Osrm().matrix(PLACES[:1], mode, NOW, to=PLACES[1:2])
    assert [asked.path.rpartition("/")[0] for asked in server.asked] == [
        "/foot/table/v1/foot", "/bike/table/v1/bike", "/car/table/v1/car",
    ]  # fmt: skip


def test_a_server_with_a_lower_limit_gets_smaller_blocks(server: Server, travel: dict[str, str]) -> None:
    def small(asked):
        places = asked.path.count(";") + 1
        return answering(asked) if places <= 3 else Reply({"code": "TooBig", "message": "Too many"}, status=400)

    server.reply = small
    clock = Osrm()
    found = clock.matrix(PLACES, "walk", NOW)
    assert clock.filled == frozenset()
    assert found[0][3] == 150
    assert found != GreatCircle().matrix(PLACES, "walk", NOW)
