"""What the tests of map engines share: a server that answers as told, the settings, and engines that have rested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.interop.server import Server, fake_server

from yinling.interop.travel.amap import Amap
from yinling.interop.travel.engine import Engine


@pytest.fixture
def server() -> Iterator[Server]:
    with fake_server() as running:
        yield running


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """A failure in one test must not keep the engine from the next."""
    Engine._resting.clear()
    Amap.next_at = 0
    yield
    Engine._resting.clear()


@pytest.fixture
def travel(settings, server: Server) -> dict[str, str]:
    """The settings of the engine, which a test may change."""
    settings.TRAVEL = {"url": server.address, "key": "", "secret": "", "timeout": "30", "rate": "1000"}
    return settings.TRAVEL
