"""A made-up town of 12 x 12 crossings, written as OpenStreetMap data, and a real Valhalla that serves it on this machine."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import osmium
import valhalla
from osmium.osm import mutable

from yinling.dispatch.ports import Point

SIDE = 12
"""Crossings in a row."""
WEST, SOUTH = 120.300, 31.560
EAST_STEP, NORTH_STEP = 0.0021, 0.0018
"""About 200 m each at this latitude."""
ISLAND = Point(120.340, 31.560)
"""The west end of a street that no bridge joins to the town, long enough to count as a place of its own."""
ISLAND_NODES = 80
BINARIES = Path(valhalla.__file__).parent / "bin"


def crossing(column: int, row: int) -> Point:
    return Point(WEST + column * EAST_STEP, SOUTH + row * NORTH_STEP)


def write_town(path: Path) -> None:
    """Streets along every row and column, and one street apart."""
    writer = osmium.SimpleWriter(str(path))
    try:
        for number in range(SIDE * SIDE):
            place = crossing(number % SIDE, number // SIDE)
            writer.add_node(mutable.Node(id=number + 1, location=(place.lon, place.lat), version=1))
        apart = list(range(1001, 1001 + ISLAND_NODES))
        for number, node in enumerate(apart):
            writer.add_node(mutable.Node(id=node, location=(ISLAND.lon + number * 0.0005, ISLAND.lat), version=1))
        ways = [[row * SIDE + column + 1 for column in range(SIDE)] for row in range(SIDE)]
        ways += [[row * SIDE + column + 1 for row in range(SIDE)] for column in range(SIDE)]
        ways += [list(pair) for pair in pairwise(apart)]
        for number, nodes in enumerate(ways, 1):
            writer.add_way(mutable.Way(id=number, nodes=nodes, tags={"highway": "residential"}, version=1))
    finally:
        writer.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Build the tiles of the town and serve them; yield the address."""
    write_town(folder / "town.osm.pbf")
    (folder / "tiles").mkdir()
    port = free_port()
    settings = valhalla.get_config(tile_extract="", tile_dir=str(folder / "tiles"), verbose=False)
    settings["mjolnir"].pop("tile_extract", None)
    settings["httpd"]["service"] |= {"listen": f"tcp://127.0.0.1:{port}"} | {
        name: f"ipc://{folder}/{name}" for name in ("loopback", "interrupt")
    }
    for part in ("loki", "thor", "odin"):
        settings[part]["service"]["proxy"] = f"ipc://{folder}/{part}"
    (folder / "valhalla.json").write_text(json.dumps(settings), "utf-8")
    words = [str(BINARIES / "valhalla_build_tiles"), "-c", str(folder / "valhalla.json"), str(folder / "town.osm.pbf")]
    subprocess.run(words, check=True, capture_output=True, cwd=folder)
    service = subprocess.Popen(
        [str(BINARIES / "valhalla_service"), str(folder / "valhalla.json"), "1"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/status", service)
        yield address
    finally:
        service.kill()  # asked kindly it waits half a minute for callers
        service.wait(timeout=10)


def wait_for(address: str, service: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if service.poll() is not None:
            raise RuntimeError(f"the engine ended with {service.returncode}")
        try:
            with urlopen(address, timeout=1):  # noqa: S310 - our own address
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError("the engine does not answer")
