"""Complete service loops a second through the HTTP API with eight clients, against pgbench writing the same rows.

One loop: ticket, taken; quote, order; proposals, assignment, accepted by the carer; check-in at the home, check-out; settlement;
evaluation; ticket closed. Twelve requests, each with the token of the person who does it. The clients run on the same machine.
"""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from yinling.bench.city import CLOCK, bench_city
from yinling.bench.figures import Figure, quantile
from yinling.bench.servers import Client, RefusedError, running
from yinling.bench.yardstick import each_loop, loops_a_second, script, written

CLIENTS = 8
REQUESTS = 12
ITEM, MINUTES = "DC01", 60
QUICK_DAYS, FULL_DAYS = 1, 4
QUICK_SECONDS, FULL_SECONDS = 10, 30
FIRST_DAY = 7
"""Days after the demo's own time: its bookings are over by then."""
LEAD = timedelta(minutes=45)
PROVIDERS = """SELECT s.provider_id, count(*) FROM directory_staff s WHERE s.kind = 'care_worker'
    AND (SELECT count(DISTINCT q.kind) FROM directory_qualification q WHERE q.staff_id = s.id AND q.kind IN ('induction', 'care_worker')
        AND q.recorded_to IS NULL AND q.valid_from <= %(on)s AND coalesce(q.valid_to, 'infinity') > %(on)s) = 2
    AND EXISTS (SELECT FROM catalogue_price p JOIN catalogue_serviceitem i ON i.id = p.item_id
        WHERE p.organisation_id = s.provider_id AND i.code = %(item)s AND p.recorded_to IS NULL)
    AND NOT EXISTS (SELECT FROM directory_suspension x WHERE x.staff_id = s.id AND x.to_at IS NULL)
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(clients)s"""
LAST_DAY = "2026-07-01"
ELDERS = """SELECT e.id, h.lon, h.lat FROM people_elder e JOIN people_household h ON h.id = e.household_id JOIN directory_organisation o
    ON o.id = %s AND left(e.div, 6) = left(o.div, 6) WHERE e.died_on IS NULL AND e.wants_sex = '' AND h.lon IS NOT NULL
    AND NOT EXISTS (SELECT FROM people_circumstance c WHERE c.elder_id = e.id AND c.kind IN ('in_hospital', 'in_institution', 'moved_away'))
    AND NOT EXISTS (SELECT FROM orders_order x WHERE x.elder_id = e.id) AND NOT e.id = ANY(%s) ORDER BY e.id LIMIT %s"""
STEPS = "SELECT steps FROM catalogue_serviceitem WHERE code = %s"


@dataclass(frozen=True)
class Elder:
    """Somebody to be served, and where."""

    pk: int
    lon: float
    lat: float


@dataclass
class Work:
    """What one client has to do and what became of it."""

    provider: int
    elders: list[Elder]
    seconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Return loops a second, their time, and the ratio to the database alone."""
    days, seconds = (QUICK_DAYS, QUICK_SECONDS) if quick else (FULL_DAYS, FULL_SECONDS)
    with bench_city(home) as city, city.owner() as link:
        free_carers(link)
        work = shared_out(link, loops=carers_of(link))
        steps = next(iter(link.execute(STEPS, [ITEM])))[0]
        before = written(link)
        took, done = 0.0, 0
        with running(city, "pages", "dispatch") as port:
            for day in range(days):
                starts_at = open_day(link, FIRST_DAY + day)
                took += play(port, work, steps, starts_at)
        done = sum(len(one.seconds) for one in work)
        rows = each_loop(before, written(link), done)
        alone = loops_a_second(city, script(link, rows, REQUESTS), clients=CLIENTS, seconds=seconds)
    return figures_of(work, took, alone, sum(one.inserted for one in rows.values()))


def figures_of(work: Sequence[Work], took: float, alone: float, rows: int) -> list[Figure]:
    """Turn what was taken into figures."""
    each = [one for client in work for one in client.seconds]
    refused = [one for client in work for one in client.refused]
    for text in refused[:3]:
        print(f"  {text}", file=sys.stderr)
    rate = len(each) / took
    return [
        Figure(
            "loop.rate",
            round(rate, 2),
            "loops/s",
            f"{len(each)} loops, {CLIENTS} clients, 1 process of 4 threads",
        ),
        Figure("loop.requests", round(rate * REQUESTS, 1), "requests/s", f"{REQUESTS} a loop"),
        Figure("loop.p50", round(quantile(each, 0.5), 2), "s", "one whole loop"),
        Figure("loop.p95", round(quantile(each, 0.95), 2), "s", "one whole loop"),
        Figure("loop.refused", len(refused), "loops", "not carried through", most=len(each) // 50),
        Figure("loop.rows", rows, "rows", "inserted by one loop"),
        Figure("loop.ratio", round(alone / rate, 1), "x", f"pgbench, the same inserts: {alone:.0f} loops/s"),
    ]


def free_carers(link: psycopg.Connection[Any]) -> None:
    """Let the carers of the clone work all day: the loop is measured, not their hours. Who is at a door already stays out of it."""
    at_a_door = "SELECT staff_id FROM visits_visit WHERE state = 'on_site'"
    link.execute(f"UPDATE directory_staff SET kind = 'office' WHERE id IN ({at_a_door})")  # noqa: S608 - our own words
    link.execute(
        "UPDATE directory_staff SET day_from = '00:00', day_to = '23:59', most_minutes_a_day = 1440 WHERE kind = 'care_worker'"
    )


def carers_of(link: psycopg.Connection[Any]) -> int:
    """Return how many loops a provider can carry in a day: one for each carer."""
    return min(count for _pk, count in providers_of(link, CLIENTS))


def providers_of(link: psycopg.Connection[Any], most: int) -> list[tuple[int, int]]:
    """Return the providers with the most carers who may go, and how many those are."""
    return list(link.execute(PROVIDERS, {"item": ITEM, "on": LAST_DAY, "clients": most}))


def shared_out(link: psycopg.Connection[Any], *, loops: int, providers: int = CLIENTS) -> list[Work]:
    """Give each client a provider of its own with elders near it, so that no two clients want the same carer or elder."""
    work: list[Work] = []
    taken: list[int] = []
    for provider, _count in providers_of(link, providers):
        elders = [Elder(*row) for row in link.execute(ELDERS, [provider, taken, loops])]
        taken += [elder.pk for elder in elders]
        work.append(Work(provider, elders))
    return work


def open_day(link: psycopg.Connection[Any], day: int) -> datetime:
    """Move the clock to the next morning and return when its visits are booked."""
    morning = datetime.fromisoformat(CLOCK) + timedelta(days=day)
    link.execute("UPDATE ground_clockoffset SET seconds = extract(epoch FROM %s - now())::bigint", [morning])
    return morning + LEAD


def play(port: int, work: Sequence[Work], steps: list[str], starts_at: datetime) -> float:
    """Have every client carry through one loop for each of its elders; return the seconds until the last is done."""
    threads = [threading.Thread(target=client_of, args=(port, one, steps, starts_at)) for one in work]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def client_of(port: int, work: Work, steps: list[str], starts_at: datetime) -> None:
    """Carry through one loop after the other over one connection."""
    client = Client(port)
    for elder in work.elders:
        began = time.perf_counter()
        try:
            visit = Story(client, work.provider, starts_at).up_to_the_door(elder, elder.lon)
            visit.to_the_end(steps)
        except RefusedError as refusal:
            work.refused.append(str(refusal))
        else:
            work.seconds.append(time.perf_counter() - began)


class Story:
    """One service, step by step as people do it."""

    def __init__(self, client: Client, provider: int, starts_at: datetime) -> None:
        self.client = client
        self.provider = provider
        self.starts_at = starts_at.isoformat()
        self.ticket = self.order = self.visit = 0
        self.carer = ""

    def up_to_the_door(self, elder: Elder, lon: float) -> Story:
        """From the ticket to the check-in at a longitude."""
        post, get = self.client.post, self.client.get
        opened = post(
            "bench-seat",
            "/api/v1/tickets/open",
            elder_id=elder.pk,
            kind="request",
            title="需要生活照料",
            channel="phone",
        )
        self.ticket = opened["id"]
        post("bench-seat", f"/api/v1/tickets/{self.ticket}/take")
        wanted = {"elder_id": elder.pk, "item_code": ITEM, "starts_at": self.starts_at, "provider_id": self.provider}
        offer = get("bench-seat", f"/api/v1/orders/quote?{urlencode(wanted)}")
        placed = post(
            "bench-seat",
            "/api/v1/orders/place",
            **wanted,
            quoted_total_fen=offer["total_fen"],
            ticket_id=self.ticket,
            self_pay_consent="bench" if offer["beyond_fen"] else "",
        )
        self.order = placed["id"]
        best = get("bench-dispatcher", f"/api/v1/orders/{self.order}/proposals")["items"]
        if not best:
            raise RefusedError("proposals", 200, {"code": "nobody"})
        sent = post("bench-dispatcher", f"/api/v1/orders/{self.order}/assign", staff_id=best[0]["staff_id"])
        self.carer = f"bench-{best[0]['staff_id']}"
        post(self.carer, f"/api/v1/assignments/{sent['id']}/accept")
        started = post(
            self.carer, "/api/v1/visits/start", assignment_id=sent["id"], key=uuid.uuid4().hex, lon=lon, lat=elder.lat, accuracy_m=10
        )  # fmt: skip
        self.visit = started["id"]
        return self

    def to_the_end(self, steps: list[str]) -> None:
        """From the check-out to the closed ticket."""
        post = self.client.post
        post(
            self.carer,
            f"/api/v1/visits/{self.visit}/finish",
            key=uuid.uuid4().hex,
            tasks=steps,
            signed_by="本人",
            signed_as="self",
        )
        post("bench-finance", f"/api/v1/orders/{self.order}/settle")
        post("bench-seat", "/api/v1/visits/evaluate", order_id=self.order, score=5, comment="", by="follow_up")
        post("bench-seat", f"/api/v1/tickets/{self.ticket}/close", result="已服务，老人满意")
