"""A SIP edge on free loopback ports, a line process beside it, seats and callers of sipp; everything committed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import conninfo_to_dict
from tests.factories import CITY, WIDE, actor, make_area_tree, make_group, make_seat, serial

from yinling.bench.sipline import Caller, Sipp, Stage, seat_answers, wait_until
from yinling.ground.scope import scope
from yinling.hotline.models import Call, Callback, CallOffer, Seat
from yinling.interop.telephony.line import LineProcess
from yinling.interop.telephony.sip_kamailio import files
from yinling.interop.telephony.sip_kamailio.events import EdgeLink
from yinling.interop.telephony.sip_kamailio.follow import seat_name

START_SECONDS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(str(item.fspath)).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.sip)


class RunningEdge:
    """rtpengine and Kamailio of this test run."""

    def __init__(self, folder: Path, **values: Any) -> None:
        start = random.Random(os.getpid()).randrange(20000, 29000, 20)
        names = ("trunk_port", "seat_port", "events_port", "media_port", "ws_port")
        ports = {name: start + place for place, name in enumerate(names)}
        media = 30000 + (os.getpid() % 15) * 2000
        edge = files.Edge(
            folder=folder, media_from=media, media_to=media + 1900, gateway=f"127.0.0.1:{start + 15}", **ports, **values
        )
        self.edge = files.free_ports(edge)
        files.write(self.edge)
        self.log = (folder / "log").open("wb")
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for argv in (files.rtpengine_argv(self.edge), files.kamailio_argv(self.edge)):
            process = subprocess.Popen(
                argv, stdout=self.log, stderr=self.log, start_new_session=True, cwd=self.edge.folder
            )
            self.processes.append(process)
            wait_until(lambda: files.is_media_ready(self.edge), START_SECONDS, "rtpengine answers")
        wait_until(lambda: files.is_listening(self.edge), START_SECONDS, "Kamailio listens")

    def forget(self) -> None:
        """Take away what a test has left."""
        with suppress(OSError):
            link = EdgeLink("127.0.0.1", self.edge.events_port, self.edge.secret)
            messages: list[dict[str, Any]] = []
            while not any(one.get("event") == "synced" for one in messages):
                messages += link.heard()
            for one in messages:
                if one.get("event") == "call":
                    link.tell(op="done", call=one["call"])
            link.tell(op="duty", seats="", phone="")
            time.sleep(0.1)
            link.close()

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.log.close()

    def text(self) -> str:
        return (self.edge.folder / "log").read_text("utf-8", "replace")


@pytest.fixture(scope="session")
def running_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEdge]:
    edge = RunningEdge(tmp_path_factory.mktemp("edge"))
    edge.start()
    yield edge
    edge.stop()


@dataclass
class Line:
    """The line of one test."""

    running: RunningEdge
    stage: Stage
    group: Any
    seats: list[Seat] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    thread: threading.Thread | None = None
    inside: LineProcess | None = None
    url: str = ""
    starts: int = 0

    @property
    def edge(self) -> files.Edge:
        return self.running.edge

    def start(self) -> None:
        """Run the line process inside this one."""
        self.inside = LineProcess(self.edge.folder, CITY)
        self.thread = threading.Thread(target=self.inside.run)
        self.thread.start()
        assert self.inside.is_at_work.wait(START_SECONDS), "the line process is at work"

    def start_apart(self) -> None:
        """Run it as a process that can be killed."""
        environment = dict(os.environ) | {
            "DATABASE_URL": self.url or served(),
            "YINLING_DATA": str(self.edge.folder.parent),
        }
        link = self.edge.folder.parent / "hotline"
        if not link.exists():
            link.symlink_to(self.edge.folder)
        argv = [sys.executable, "-m", "yinling.interop.telephony.line", "--area", CITY]
        log = (self.edge.folder / "line.log").open("ab" if self.starts else "wb")
        self.process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
        self.wait_up()

    def wait_up(self) -> None:
        """Wait until a process that was started apart is connected to the edge."""
        self.starts += 1
        log = self.edge.folder / "line.log"
        wait_until(
            lambda: log.read_text("utf-8").count("at work") >= self.starts, START_SECONDS, "the line process is at work"
        )
        time.sleep(0.2)

    def wait_duty(self) -> None:
        """Wait until the edge knows whom to call when it is alone."""
        names = {seat_name(one.user_id) for one in self.seats}
        path = self.edge.folder / files.DUTY
        wait_until(lambda: path.is_file() and set(json.loads(path.read_text())["seats"]) == names, 20, "duty is told")

    def kill(self) -> None:
        """As the machine would: no farewell."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.inside is not None and self.thread is not None:
            self.inside.is_ending.set()
            self.thread.join(START_SECONDS)
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(START_SECONDS)

    def seat(self, *parts: str, **values: Any) -> Seat:
        """A signed-in seat whose telephone does the same with every call."""
        with scope(WIDE):
            row = make_seat(actor("seat"), group=self.group, **values)
        self.phone(row, *parts)
        self.seats.append(row)
        return row

    def phone(self, row: Seat, *parts: str) -> Sipp:
        port = free_port()
        run = self.listens(port, *parts, timeout=900)
        self.stage.register(seat_name(row.user_id), port)
        return run

    def listens(self, port: int, *parts: str, **values: Any) -> Sipp:
        """A telephone on a port, that of a seat or what stands behind the gateway, as soon as it can be called."""
        run = self.stage.seat(*(parts or seat_answers()), port=port, **values)
        wait_until(lambda: is_taken(port), START_SECONDS, f"a telephone listens on {port}")
        return run

    @property
    def gateway_port(self) -> int:
        """Where calls to the outside go."""
        return int(self.edge.gateway.rpartition(":")[2])

    def caller(self, *parts: str, **values: Any) -> Sipp:
        """Somebody calls from a number of their own."""
        options = {name: values.pop(name) for name in ("count", "rate", "timeout", "host") if name in values}
        values.setdefault("number", f"139{serial():08d}")
        return self.stage.caller(Caller(**({"parts": parts} if parts else {}), **values), **options)

    def calls(self, **values: Any) -> list[Call]:
        with scope(WIDE):
            return list(Call.objects.filter(**values).order_by("pk"))

    def offers(self, **values: Any) -> list[CallOffer]:
        with scope(WIDE):
            return list(CallOffer.objects.filter(**values).order_by("pk"))

    def callbacks(self) -> list[Callback]:
        with scope(WIDE):
            return list(Callback.objects.order_by("pk"))

    def wait(self, count: int, within: float = 30, **values: Any) -> list[Call]:
        """Wait until so many calls are as described."""
        wait_until(lambda: len(self.calls(**values)) >= count, within, f"{count} calls with {values}: {self.calls()}")
        return self.calls(**values)

    def wait_over(self, count: int = 1, within: float = 30) -> list[Call]:
        return self.wait(count, within, ended_at__isnull=False)


@pytest.fixture
def line(transactional_db: None, running_edge: RunningEdge, tmp_path: Path) -> Iterator[Line]:
    with scope(WIDE):
        make_area_tree()
        group = make_group()
    one = Line(running_edge, Stage(tmp_path, running_edge.edge), group)
    yield one
    one.stop()
    one.stage.stop()
    running_edge.forget()
    connection.close()


def served() -> str:
    parts = conninfo_to_dict(settings.DATABASE_URL)
    name = connection.settings_dict
    return f"postgresql://{name['USER']}@/{name['NAME']}?host={parts.get('host', '')}&port={parts.get('port', '')}"


def is_taken(port: int) -> bool:
    """Whether somebody listens on a UDP port. Trying to bind it could keep the very telephone from it that is about to."""
    rows = Path("/proc/net/udp").read_text("ascii").splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") for row in rows)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
