"""The line when parts of it are dead: no call is lost. Two seeds for each victim, twenty in ``./run prove sip.outages``."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.factories import WIDE, make_area_tree, make_group, system
from tests.sip.conftest import Line, RunningEdge, free_port, served

from yinling.bench.sipline import ANSWERED, CANCEL, RINGS, WAIT_FOR_BYE, Stage, seat_rings, wait_until
from yinling.cli.database import EmbeddedPostgres
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.operations import hang_up_call

CALLERS = 8
SEEDS, PROVED = 2, 20
PATIENCE = 40


def seeds(config: pytest.Config) -> range:
    return range(PROVED if config.getoption("--hypothesis-profile", default=None) == "prove" else SEEDS)


def assert_no_call_is_lost(line: Line, runs: list[Any], before: int) -> None:
    """Every caller was answered, and every call has a row that has ended, or somebody is to call back."""
    assert [run.end(PATIENCE) for run in runs] == [0] * len(runs)
    calls = line.wait_over(before + len(runs), PATIENCE)
    assert len(calls) == before + len(runs)
    called_back = {one.call_id for one in line.callbacks()}
    for call in calls:
        assert call.answered_at is not None or call.pk in called_back, (call.pk, call.state)
    assert all(one.ended_at is not None for one in line.offers())


def callers(line: Line, chance: random.Random) -> list[Any]:
    """Callers who come within two seconds, more than there are seats."""
    runs = []
    for _ in range(CALLERS):
        runs.append(line.caller(talk_ms=chance.randrange(300, 1500), patience_ms=25000, timeout=35))
        time.sleep(chance.uniform(0.02, 0.3))
    return runs


@pytest.mark.slow
def test_no_call_is_lost_when_the_line_process_is_killed(line: Line, request: pytest.FixtureRequest) -> None:
    line.start_apart()
    for _ in range(3):
        line.seat()
    line.wait_duty()
    before = 0
    for seed in seeds(request.config):
        chance = random.Random(seed)
        first = callers(line, chance)
        time.sleep(chance.uniform(0, 0.5))
        line.kill()
        time.sleep(chance.uniform(0, 1))
        runs = first + callers(line, chance)
        line.start_apart()
        assert_no_call_is_lost(line, runs, before)
        before += len(runs)


@pytest.mark.slow
def test_no_call_is_lost_when_the_web_process_is_killed(line: Line, request: pytest.FixtureRequest) -> None:
    line.start_apart()
    for _ in range(3):
        line.seat()
    before = 0
    for seed in seeds(request.config):
        chance = random.Random(seed)
        port = str(free_port())
        argv = [
            sys.executable,
            "-m",
            "granian",
            "--log-level",
            "warning",
            "--interface",
            "wsgi",
            "--port",
            port,
            "yinling.wsgi:application",
        ]
        web = subprocess.Popen(argv, env=dict(os.environ) | {"DATABASE_URL": served()}, start_new_session=True)
        runs = callers(line, chance)
        os.killpg(web.pid, 9)
        web.wait(10)
        runs += callers(line, chance)
        assert_no_call_is_lost(line, runs, before)
        before += len(runs)


@contextmanager
def own_server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test alone, with the tables of the tests' database; the tests look into it."""
    folder = Path(tempfile.mkdtemp(prefix="yl-sip-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    dump = subprocess.run(
        [str(server.binaries / "pg_dump"), "--schema-only", "-d", as_owner()], capture_output=True, check=True
    )
    psql = [str(server.binaries / "psql"), "-q", "-d", server.url("postgres")]
    subprocess.run(psql, input=dump.stdout, capture_output=True, check=True)
    values = {name: connection.settings_dict[name] for name in ("NAME", "HOST", "PORT")}
    connection.close()
    connection.settings_dict.update(NAME="yinling", HOST=str(server.socket), PORT="")
    try:
        yield server
    finally:
        connection.close()
        connection.settings_dict.update(values)
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def as_owner() -> str:
    return served().replace("yl_app@", "yl_owner@")


@pytest.mark.slow
def test_no_call_is_lost_when_the_database_is_killed(
    transactional_db: None,
    running_edge: RunningEdge,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    with own_server() as server:
        with scope(WIDE):
            make_area_tree()
            group = make_group()
        line = Line(running_edge, Stage(tmp_path, running_edge.edge), group)
        try:
            line.url = server.url("yl_app")
            line.start_apart()
            for _ in range(3):
                line.seat()
            line.wait_duty()
            before = 0
            for seed in seeds(request.config):
                chance = random.Random(seed)
                runs = callers(line, chance)
                connection.close()
                kill_server(server)
                time.sleep(chance.uniform(0, 1))
                runs += callers(line, chance)
                server.start()
                assert_no_call_is_lost(line, runs, before)
                before += len(runs)
        finally:
            line.stop()
            line.stage.stop()
            running_edge.forget()


def kill_server(server: EmbeddedPostgres) -> None:
    """Kill the server and all its processes at once."""
    pid = server.pid()
    assert pid is not None
    os.killpg(os.getpgid(pid), 9)
    wait_until(
        lambda: (
            server.pid() is None or not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()
        ),
        5,
    )


def test_without_a_line_process_the_edge_calls_the_duty_seat_and_the_call_is_entered_afterwards(line: Line) -> None:
    line.start()
    seat = line.seat()
    line.wait_duty()
    line.stop()
    runs = [line.caller(number="13911110001", talk_ms=300), line.caller(number="13911110002", talk_ms=300)]
    assert [run.end() for run in runs] == [0, 0]
    assert line.calls() == []
    line.start()
    calls = line.wait_over(2)
    assert {(one.number_last4, one.seat_id, one.state, one.is_entered_late) for one in calls} == {
        ("0001", seat.user_id, "ended", True),
        ("0002", seat.user_id, "ended", True),
    }
    assert all(one.rang_at <= one.answered_at <= one.ended_at for one in calls)


def test_who_gives_up_during_an_outage_is_called_back(line: Line) -> None:
    line.start()
    line.seat(*seat_rings())
    line.wait_duty()
    line.stop()
    assert line.caller(RINGS, '<pause milliseconds="500"/>', CANCEL).end() == 0
    line.start()
    (call,) = line.wait_over()
    assert (call.state, call.is_entered_late) == ("abandoned", True)
    assert [one.kind for one in line.callbacks()] == ["missed"]


def test_who_waits_when_the_line_process_dies_is_led_to_the_duty_phone(line: Line) -> None:
    with scope(WIDE):
        line.group.seal_field("duty", "05108888888")
        line.group.duty_last4 = "8888"
        line.group.save()
    line.start()
    line.seat()
    line.listens(line.gateway_port)
    talking = line.caller(ANSWERED, WAIT_FOR_BYE, patience_ms=90_000, timeout=100)
    line.wait(1, state="answered")
    waiting = line.caller(talk_ms=300, patience_ms=30000)
    line.wait(1, state="ringing")
    line.stop()
    assert waiting.end() == 0
    line.start()
    with scope(system()):
        hang_up_call(actor=system(), now=business_now(), call_id=line.calls()[0].pk, by="seat")
    assert talking.end() == 0
    first, second = line.wait_over(2)
    assert (first.state, second.state) == ("ended", "diverted")
