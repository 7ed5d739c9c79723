"""The line under load: sipp on the trunk and at a hundred seats, the real edge, line process, pages and database, a city's register.

From a call's arrival to the ring that the caller hears; from the notice of the offer to the whole pop page; a burst of 240 calls.
"""

from __future__ import annotations

import http.client
import json
import select
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from yinling.bench.city import BenchCity, bench_city, forget_clone, processes
from yinling.bench.figures import Figure, quantile
from yinling.bench.pages import DEMO_ELDERS, SERVER, session_of
from yinling.bench.register import load_register, make_register
from yinling.bench.servers import HOST, running
from yinling.bench.sipline import BYE, PAUSE, RINGS, TO_THE_END, Caller, Sipp, Stage, seat_answers, wait_until
from yinling.cli.supervisor import Child, Supervisor
from yinling.interop.telephony.sip_kamailio import files

QUICK_ELDERS, FULL_ELDERS = 100_000, 1_900_000
SEATS = 100
RATE = 5
QUICK_CALLS, FULL_CALLS = 100, 400
BURST, BURST_RATE = 240, 30
RING_MS, POP_MS = 300.0, 200.0
HEARD = (RINGS, '<recv response="200" rrs="true" timeout="$patience"/>' + TO_THE_END, PAUSE, BYE)
FIRST_NUMBER = 8_100


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Return the figures of the line."""
    path, elders = home / "register.csv", QUICK_ELDERS if quick else FULL_ELDERS
    with bench_city(home, **SERVER) as city, tempfile.TemporaryDirectory(prefix="yl") as folder:
        try:
            make_register(path, elders - DEMO_ELDERS)
            load_register(city, home, path)
            with line(city, Path(folder)) as (stage, port):
                seat_up(stage)
                numbers = callers(FULL_CALLS + BURST)
                figures = steady(stage, city, port, numbers, QUICK_CALLS if quick else FULL_CALLS, elders)
                figures += burst(stage, numbers)
        finally:
            path.unlink(missing_ok=True)
            forget_clone(city)
    return figures


@contextmanager
def line(city: BenchCity, folder: Path) -> Iterator[tuple[Stage, int]]:
    """Run the edge, the line process and the pages; yield where sipp plays, and the port of the pages."""
    edge = files.free_ports(files.Edge(folder=folder / "hotline", rate=1000))
    files.write(edge)
    supervisor = Supervisor(sys.stderr)
    with running(city, "pages") as port, ExitStack() as ending:
        ending.callback(supervisor.stop)
        environment = processes(city, YINLING_DATA=str(folder), YINLING_POOL="0")
        supervisor.start(Child("media", files.rtpengine_argv(edge), is_ready=lambda: files.is_media_ready(edge)))
        supervisor.start(
            Child("edge", files.kamailio_argv(edge), is_ready=lambda: not files.is_free(edge.host, edge.events_port))
        )
        supervisor.start(Child("line", [sys.executable, "-m", "yinling.interop.telephony.line"], environment))
        wait_until(lambda: is_at_work(city), 60, "the line process is at work")
        stage = Stage(folder, edge)
        ending.callback(stage.stop)
        yield stage, port


def is_at_work(city: BenchCity) -> bool:
    """Whether the line process holds the lock of its area, which it takes before it talks to the edge."""
    held = "SELECT 1 FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE application_name = 'yinling line' AND locktype = 'advisory' AND granted"
    with city.superuser() as link:
        found = link.execute(held).fetchone() is not None
    time.sleep(0.5)
    return found


def seat_up(stage: Stage) -> None:
    """Sign a hundred seats in: rows, one telephone that answers for all of them, a registration each."""
    from yinling.accounts.models import User  # noqa: PLC0415 - needs the settings of the city
    from yinling.directory.queries import cities, system_actor  # noqa: PLC0415 - as above
    from yinling.ground.clock import business_now  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.hotline.models import Seat, SeatGroup  # noqa: PLC0415 - as above
    from yinling.interop.telephony.sip_kamailio.follow import seat_name  # noqa: PLC0415 - as above

    now, city = business_now(), cities()[0].div
    users = User.objects.bulk_create(
        User(username=f"bench-seat-{place}", name=f"坐席{place}") for place in range(SEATS)
    )
    with scope(system_actor(city)):
        group = SeatGroup.objects.get(is_first=True)
        rows = [
            Seat(
                div=city, user=user, group=group, number=str(FIRST_NUMBER + place), idle_since=now, created_at=now, changed_at=now
            )
            for place, user in enumerate(users)
        ]  # fmt: skip
        Seat.objects.bulk_create(rows)
        Seat.objects.filter(pk__in=[row.pk for row in rows]).update(state="ready")
    phone = files.free_ports(files.Edge(folder=stage.folder, trunk_port=26_000)).trunk_port
    stage.seat(*seat_answers(), port=phone, count=100_000, timeout=900)
    for user in users:
        stage.register(seat_name(user.pk), phone)
    wait_until(lambda: registered(city) >= SEATS, 60, "all seats are registered")


def registered(city: str) -> int:
    """Return how many telephones the platform knows of."""
    from yinling.directory.queries import system_actor  # noqa: PLC0415 - needs the settings of the city
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.hotline.models import Seat  # noqa: PLC0415 - as above

    with scope(system_actor(city)):
        return Seat.objects.filter(registered_until__isnull=False).count()


def callers(count: int) -> list[str]:
    """Return the numbers of so many elders from all over the register."""
    from yinling.directory.queries import cities, system_actor  # noqa: PLC0415 - needs the settings of the city
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.people.models import Elder  # noqa: PLC0415 - as above

    with scope(system_actor(cities()[0].div)):
        rows = Elder.objects.filter(phone_index__isnull=False, died_on=None).order_by("pk")
        first = rows.first()
        step = max(1, rows.count() // count)
        assert first is not None  # noqa: S101 - the city has people
        found = Elder.objects.filter(pk__in=range(first.pk, first.pk + step * count, step), phone_index__isnull=False)
        numbers = [one.unseal_field("phone") for one in found]
    return (numbers * (count // len(numbers) + 1))[:count]


def call(stage: Stage, numbers: Sequence[str], rate: int, talk_ms: int) -> Sipp:
    """Let these numbers call, so many a second."""
    text = Caller(parts=HEARD, number="[field0]", talk_ms=talk_ms).text()
    to = f"{stage.edge.host}:{stage.edge.trunk_port}"
    return stage.run("caller", text, to, count=len(numbers), rate=rate, timeout=300, numbers=numbers)


def steady(stage: Stage, city: BenchCity, port: int, numbers: Sequence[str], count: int, elders: int) -> list[Figure]:
    """Five calls a second for a while, and what the pop page takes meanwhile."""
    popped: list[float] = []
    is_over = threading.Event()
    watcher = threading.Thread(target=watch, args=(city, port, is_over, popped))
    watcher.start()
    run = call(stage, numbers[:count], RATE, 2000)
    failed = run.end(count / RATE + 120)
    is_over.set()
    watcher.join()
    if failed:
        raise RuntimeError(f"not every call went as written: {run.log()[:600]}")
    rings = [one * 1e3 for one in run.seconds()]
    note = f"{count} calls, {RATE} a second, {SEATS} seats, {elders:,} elders"
    return [
        Figure("calls.ring_p50", round(quantile(rings, 0.5)), "ms", f"INVITE to 180: {note}"),
        Figure("calls.ring_p95", round(quantile(rings, 0.95)), "ms", "as above", most=RING_MS),
        Figure(
            "calls.pop_p50",
            round(quantile(popped, 0.5)),
            "ms",
            f"notice of the offer to the whole page, {len(popped)} pops",
        ),
        Figure("calls.pop_p95", round(quantile(popped, 0.95)), "ms", "as above", most=POP_MS),
    ]


def watch(city: BenchCity, port: int, is_over: threading.Event, taken: list[float]) -> None:
    """Open the pop of each call at once when the live channel tells of it, as a seat's browser does."""
    from yinling.ground.live import CHANNEL  # noqa: PLC0415 - needs the settings of the city

    cookie = session_of("seat", city)
    link = http.client.HTTPConnection(HOST, port, timeout=30)
    seen: set[int] = set()
    with psycopg.connect(city.server.url("yl_owner", "bench"), autocommit=True) as notices:
        notices.execute(f"LISTEN {CHANNEL}")
        while not is_over.is_set():
            if not select.select([notices], [], [], 0.2)[0]:
                continue
            for notice in notices.notifies(timeout=0):
                told = json.loads(notice.payload)
                if told.get("topic") != "ring" or told["id"] in seen:
                    continue
                seen.add(told["id"])
                began = time.perf_counter()
                taken.append(open_page(link, cookie, told["id"], began))


def open_page(link: http.client.HTTPConnection, cookie: str, number: int, began: float) -> float:
    """Return the milliseconds until the page is there."""
    link.request("GET", f"/calls/{number}/", headers={"Cookie": cookie})
    response = link.getresponse()
    body = response.read()
    if response.status != http.client.OK or not body:
        raise RuntimeError(f"/calls/{number}/ answered {response.status}")
    return (time.perf_counter() - began) * 1e3


def burst(stage: Stage, numbers: Sequence[str]) -> list[Figure]:
    """Many calls at once: every one is answered, talked and ended by its caller."""
    from yinling.directory.queries import cities, system_actor  # noqa: PLC0415 - needs the settings of the city
    from yinling.ground.clock import business_now  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.hotline.models import Call  # noqa: PLC0415 - as above

    began = business_now()
    run = call(stage, numbers[-BURST:], BURST_RATE, 1500)
    run.end(BURST / BURST_RATE + 200)
    rings = [one * 1e3 for one in run.seconds()]
    with scope(system_actor(cities()[0].div)):
        wait_until(
            lambda: not Call.objects.filter(rang_at__gte=began, ended_at=None).exists(), 60, "all calls have an end"
        )
        whole = Call.objects.filter(rang_at__gte=began, state="ended", ended_by="caller").count()
    return [
        Figure(
            "calls.burst",
            whole,
            "calls",
            f"of {BURST} at {BURST_RATE} a second answered and ended by the caller",
            least=BURST,
        ),
        Figure("calls.burst_p95", round(quantile(rings, 0.95)), "ms", "INVITE to 180 in the burst"),
    ]
