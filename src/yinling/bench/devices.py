"""Three hundred messages a second of 18,000 devices through a real broker into the database, and how soon a call for help is on the desk.

Signed messages by MQTT (QoS 1) to mosquitto, the gateway as `./run` starts it, pages and the sweeper of alarms beside it. From the publishing
of a call for help to the notice that its alarm is committed, and on to the answer of the desk's live part. Then as many messages as it takes.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import select
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from yinling.bench.broker import CARRIER, PLATFORM, Broker, broker
from yinling.bench.city import BenchCity, bench_city, forget_clone, processes
from yinling.bench.figures import Figure, quantile
from yinling.bench.pages import SERVER, session_of
from yinling.bench.servers import HOST, running
from yinling.bench.sipline import wait_until
from yinling.bench.yardstick import each_loop, loops_a_second, script, written
from yinling.cli.supervisor import Child, Supervisor

DEVICES, RATE, KEY = 18_000, 300, "the-key-of-every-device-of-the-bench"
QUICK_SECONDS, FULL_SECONDS = 20, 120
QUICK_FLOOD, FULL_FLOOD = 6_000, 18_000
ALARM_EVERY = RATE
ALARM_MS, LAG_S, YARD_SECONDS = 1000.0, 1.0, 5
PATIENCE = 120.0


@dataclass(frozen=True)
class Sent:
    """A signed message on its way: where to, what, and from which device."""

    topic: str
    text: str
    device: int


@dataclass
class Heard:
    """When each alarm after an earlier one was committed and on the desk, by its number (seconds of the counter)."""

    after: int
    told: dict[int, float] = field(default_factory=dict)
    shown: dict[int, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Return the figures of the devices."""
    seconds, flood = (QUICK_SECONDS, QUICK_FLOOD) if quick else (FULL_SECONDS, FULL_FLOOD)
    with bench_city(home, **SERVER) as city, tempfile.TemporaryDirectory(prefix="yl") as folder:
        try:
            fleet = register()
            with (
                broker(Path(folder)) as post,
                running(city, "pages", "alarms") as port,
                gateway(city, post) as process,
                carrier(post) as client,
                city.owner() as link,
            ):
                numbers = itertools.count(1)
                first = made(fleet, numbers, 1)
                wait_until(lambda: is_at_work(client, link, first), 120, "the gateway is at work")
                figures = steady(city, port, client, link, made(fleet, numbers, seconds * RATE, ALARM_EVERY))
                return figures + capacity(city, post, client, link, made(fleet, numbers, flood), process)
        finally:
            forget_clone(city)


def register() -> list[tuple[int, str]]:
    """Give the elders of the city devices in use; return row and serial of each, the devices of different elders first."""
    from yinling.devices.models import Device  # noqa: PLC0415 - needs the settings of the city
    from yinling.directory.queries import cities, system_actor  # noqa: PLC0415 - as above
    from yinling.ground.clock import business_now  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.people.models import Elder  # noqa: PLC0415 - as above

    now = business_now()
    with scope(system_actor(cities()[0].div)):
        elders = list(Elder.objects.filter(died_on=None).order_by("pk").values_list("pk", "div"))
        rows = [
            Device(
                div=div, elder_id=elder, serial=f"BENCH-{place:06d}", kind="button", funding="state", interval_s=60, last_seen_at=now,
                installed_on=now.date() - timedelta(days=90), created_at=now, changed_at=now,
            )
            for place, (elder, div) in zip(range(DEVICES), itertools.cycle(elders), strict=False)
        ]  # fmt: skip
        for row in rows:
            row.seal_field("key", KEY)
        Device.objects.bulk_create(rows, batch_size=1000)
        Device.objects.filter(serial__startswith="BENCH-").update(state="active")
    return [(row.pk, row.serial) for row in rows]


@contextmanager
def gateway(city: BenchCity, post: Broker) -> Iterator[int]:
    """Run the gateway as a process of its own; yield its number."""
    supervisor = Supervisor(sys.stderr)
    command = [sys.executable, "-m", "yinling.interop.mqtt.gateway"]
    child = Child("mqtt", command, processes(city, MQTT_URL=post.url(PLATFORM), YINLING_POOL="0"))
    supervisor.start(child)
    try:
        yield child.process.pid if child.process else 0
    finally:
        supervisor.stop()


@contextmanager
def carrier(post: Broker, name: str = CARRIER) -> Iterator[Client]:
    """Return somebody who speaks for all devices at once."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(name, name)
    client.max_inflight_messages_set(2000)
    client.connect(HOST, post.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def made(fleet: Sequence[tuple[int, str]], numbers: Iterator[int], count: int, alarm_every: int = 0) -> list[Sent]:
    """Sign so many messages, each of the next device: heartbeats, one in a hundred a measure of the body, one in so many a call for help."""
    from yinling.devices.envelopes import sign  # noqa: PLC0415 - needs the settings of the city
    from yinling.ground.clock import business_now  # noqa: PLC0415 - as above

    began, found = business_now(), []
    for place in range(count):
        number = next(numbers)
        is_alarm = bool(alarm_every) and place % alarm_every == alarm_every // 2
        # Calls for help come from different elders: a second one of the same elder would join the first alarm.
        device, serial = fleet[place // alarm_every if is_alarm else number % len(fleet)]
        kind = "sos" if is_alarm else "vital" if number % 100 == 0 else "hb"
        at = began + timedelta(seconds=place / RATE)
        words = {
            "v": 1, "dev": serial, "msg_id": f"{serial}-{number}", "boot": 1, "seq": number, "ts_dev": int(at.timestamp() * 1000),
            "kind": kind, "data": {"battery": 80} if kind != "vital" else {"pulse": 72},
        }  # fmt: skip
        found.append(Sent(f"up/{serial}/{kind}", sign(words, KEY), device))
    return found


def publish(client: Client, messages: Sequence[Sent], rate: float = 0) -> dict[int, float]:
    """Hand messages to the broker, evenly if there is a rate; return when each device's call for help went."""
    began, when = time.perf_counter(), {}
    for place, one in enumerate(messages):
        if rate and (early := began + place / rate - time.perf_counter()) > 0:
            time.sleep(early)
        if one.topic.endswith("/sos"):
            when[one.device] = time.perf_counter()
        client.publish(one.topic, one.text, qos=1)
    return when


def is_at_work(client: Client, link: psycopg.Connection[Any], first: Sequence[Sent]) -> bool:
    """Whether a message comes through; the broker keeps none for a gateway that has never joined."""
    publish(client, first)
    time.sleep(0.5)
    return arrived(link) == len(first)


def newest_alarm(link: psycopg.Connection[Any]) -> int:
    """Return the number of the last alarm of the demonstration."""
    return int(link.execute("SELECT coalesce(max(id), 0) FROM devices_alarm").fetchone()[0])  # type: ignore[index]


def arrived(link: psycopg.Connection[Any]) -> int:
    """Return how many messages of these devices are in the database."""
    return int(link.execute("SELECT count(*) FROM devices_deviceevent WHERE msg_id LIKE 'BENCH-%'").fetchone()[0])  # type: ignore[index]


def steady(
    city: BenchCity, port: int, client: Client, link: psycopg.Connection[Any], messages: Sequence[Sent]
) -> list[Figure]:
    """The city's ordinary minute: so many a second, one call for help each second."""
    heard, is_over, before = Heard(newest_alarm(link)), threading.Event(), arrived(link)
    watcher = threading.Thread(target=watch, args=(city, port, is_over, heard))
    watcher.start()
    began = time.perf_counter()
    sent = publish(client, messages, RATE)
    last = time.perf_counter()
    wait_until(lambda: arrived(link) - before == len(messages), PATIENCE, "every message is in the database")
    lag = time.perf_counter() - last
    time.sleep(2)
    is_over.set()
    watcher.join()
    if heard.problems:
        raise RuntimeError(heard.problems[0])
    of = {pk: device for pk, device in link.execute("SELECT id, device_id FROM devices_alarm") if pk in heard.told}
    told = [(at - sent[of[pk]]) * 1e3 for pk, at in heard.told.items()]
    shown = [(at - sent[of[pk]]) * 1e3 for pk, at in heard.shown.items()]
    note = f"{len(messages):,} messages of {DEVICES:,} devices at {RATE}/s, {len(told)} alarms"
    return [
        Figure(
            "devices.rate", round(len(messages) / (last + lag - began), 1), "messages/s", f"published at {RATE}/s to all committed",
            least=RATE * 0.97,
        ),
        Figure("devices.lag", round(lag, 2), "s", "from the last one published to all committed", most=LAG_S),
        Figure("devices.alarm_p50", round(quantile(told, 0.5)), "ms", f"published to committed: {note}"),
        Figure("devices.alarm_p95", round(quantile(told, 0.95)), "ms", "as above", most=ALARM_MS),
        Figure("devices.desk_p50", round(quantile(shown, 0.5)), "ms", "published to the desk's part answered over HTTP"),
        Figure("devices.desk_p95", round(quantile(shown, 0.95)), "ms", "as above", most=ALARM_MS),
    ]  # fmt: skip


def watch(city: BenchCity, port: int, is_over: threading.Event, heard: Heard) -> None:
    """Ask for the desk's alarms whenever the live channel tells of one, as a seat's browser does."""
    from yinling.ground.live import CHANNEL  # noqa: PLC0415 - needs the settings of the city
    from yinling.ground.models import MOST_COUNTED  # noqa: PLC0415 - as above

    cookie, link = session_of("seat", city), http.client.HTTPConnection(HOST, port, timeout=30)
    headers = {"Cookie": cookie, "HX-Request": "true", "HX-Target": "desk-alarms"}
    with psycopg.connect(city.server.url("yl_owner", "bench"), autocommit=True) as notices:
        notices.execute(f"LISTEN {CHANNEL}")
        while not is_over.is_set():
            if not select.select([notices], [], [], 0.2)[0]:
                continue
            for notice in notices.notifies(timeout=0):
                told = json.loads(notice.payload)
                if told.get("topic") != "alarms" or told["id"] <= heard.after or told["id"] in heard.told:
                    continue
                heard.told[told["id"]] = time.perf_counter()
                link.request("GET", "/desk/", headers=headers)
                answer = link.getresponse()
                count = re.search(rb'data-alarm="(\d+)"', answer.read())
                if (
                    answer.status != http.client.OK
                    or count is None
                    or int(count[1]) < min(len(heard.told), MOST_COUNTED)
                ):
                    heard.problems.append(f"the desk does not show alarm {told['id']}: {answer.status} {count}")
                heard.shown[told["id"]] = time.perf_counter()


def capacity(
    city: BenchCity, post: Broker, client: Client, link: psycopg.Connection[Any], messages: Sequence[Sent], process: int
) -> list[Figure]:
    """As many as it takes; beside it the broker alone, and the same rows written by pgbench without any of our code."""
    before, rows = arrived(link), written(link)
    used, began = cpu_seconds(link, process), time.perf_counter()
    publish(client, messages)
    wait_until(lambda: arrived(link) - before == len(messages), PATIENCE, "the flood is in the database")
    rate, used = len(messages) / (time.perf_counter() - began), cpu_seconds(link, process) - used
    each = each_loop(rows, written(link), len(messages))
    alone = loops_a_second(city, script(link, each, 1), clients=1, seconds=YARD_SECONDS)
    return [
        Figure("devices.capacity", round(rate), "messages/s", f"{len(messages):,} at once, one gateway, pages and sweeper beside it", least=RATE),
        Figure("devices.per_core", round(len(messages) / used), "messages/s/core", "the same by CPU: gateway and server processes", least=RATE),
        Figure("devices.ratio", round(alone / rate, 2), "x", f"pgbench, the same rows a message, 1 client: {alone:.0f} messages/s"),
        Figure("devices.broker", round(echo(post, messages)), "messages/s", "the broker alone: published to received by a client that keeps nothing"),
    ]  # fmt: skip


def cpu_seconds(link: psycopg.Connection[Any], process: int) -> float:
    """Return the CPU seconds of the gateway and of the server's processes for this database, but the one that asks."""
    asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    found = 0
    for number in [process, *(pid for (pid,) in link.execute(asked))]:
        with suppress(FileNotFoundError):
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            found += int(fields[11]) + int(fields[12])
    return found / os.sysconf("SC_CLK_TCK")


def echo(post: Broker, messages: Sequence[Sent]) -> float:
    """Return how many messages a second go through the broker to somebody who only counts them."""
    count, is_done = itertools.count(1), threading.Event()

    def hear(*_given: Any) -> None:
        if next(count) == len(messages):
            is_done.set()

    with carrier(post) as client, carrier(post, PLATFORM) as listener:
        joined = threading.Event()
        listener.on_subscribe = lambda *_given: joined.set()
        listener.on_message = hear
        listener.subscribe("up/+/alone/echo", qos=1)
        joined.wait(PATIENCE)
        began = time.perf_counter()
        for one in messages:
            client.publish(f"up/{one.device}/alone/echo", one.text, qos=1)
        is_done.wait(PATIENCE)
        return len(messages) / (time.perf_counter() - began)
