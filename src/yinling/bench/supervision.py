"""How soon a far check-in is a finding, with the real pages and the real worker; and how fast one round of the rules is."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from yinling.bench.catalogue import SEED
from yinling.bench.city import CLOCK, bench_city
from yinling.bench.figures import Figure, quantile
from yinling.bench.loop import LEAD, Story, free_carers, open_day, shared_out
from yinling.bench.servers import Client, running

FINDING_SECONDS = 60
QUICK_CHECK_INS, FULL_CHECK_INS = 8, 40
QUICK_ROUNDS, FULL_ROUNDS = 5, 30
FAR_DEGREES = 0.02
"""About two kilometres."""
LONGEST_WAIT = 90
ROUND_SECONDS = 5
MOST_PROVIDERS = 60
FOUND = "SELECT order_id FROM supervision_finding WHERE order_id = ANY(%s) AND severity = 'block'"


@dataclass(frozen=True)
class Seen:
    """How many orders a round looked at, how many rules hit, and how long it took."""

    orders: int
    hits: int
    seconds: float


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Return the delay of findings and the speed of a round."""
    with bench_city(home) as city, city.owner() as link:
        rounds = [whole_history() for _ in range(QUICK_ROUNDS if quick else FULL_ROUNDS)]
        free_carers(link)
        open_day(link, 0)
        with running(city, "pages", "worker") as port:
            delays = late_findings(link, port, QUICK_CHECK_INS if quick else FULL_CHECK_INS)
    one = sorted(rounds, key=lambda seen: seen.seconds)[len(rounds) // 2]
    return [
        Figure(
            "supervision.delay_p50",
            round(quantile(delays, 0.5), 2),
            "s",
            f"{len(delays)} far check-ins, round every {ROUND_SECONDS} s",
        ),
        Figure(
            "supervision.delay_p95",
            round(quantile(delays, 0.95), 2),
            "s",
            "check-in answered to finding committed",
            most=FINDING_SECONDS,
        ),
        Figure(
            "supervision.round",
            round(one.seconds * 1e3, 1),
            "ms",
            f"all rules over {one.orders} orders, {one.hits} hits",
        ),
        Figure(
            "supervision.rows", round(one.orders / one.seconds), "orders/s", "reading, DuckDB and hits of one round"
        ),
    ]


def whole_history() -> Seen:
    """Let the expression of the live round look at the orders of the last two weeks."""
    from datetime import timedelta  # noqa: PLC0415 - beside what needs the settings of the city

    from yinling.ground.clock import business_now  # noqa: PLC0415 - needs the settings of the city
    from yinling.supervision.queries import look_at_all  # noqa: PLC0415 - as above

    now = business_now()
    began = time.perf_counter()
    seen = look_at_all(now.date() - timedelta(days=14), now.date(), now)
    return Seen(seen.touched, len(seen.hits), time.perf_counter() - began)


def late_findings(link: psycopg.Connection[Any], port: int, count: int) -> list[float]:
    """Check in far from the home at odd moments; return after how many seconds each was found."""
    draw = random.Random(SEED)
    client, starts_at = Client(port), datetime.fromisoformat(CLOCK) + LEAD
    work = shared_out(link, loops=count, providers=MOST_PROVIDERS)
    delays: list[float] = []
    for number in range(count):
        one, place = work[number % len(work)], number // len(work)
        time.sleep(draw.uniform(0, ROUND_SECONDS / 5))
        story = Story(client, one.provider, starts_at)
        story.up_to_the_door(one.elders[place], one.elders[place].lon + FAR_DEGREES)
        delays.append(waited(link, story.order))
    return delays


def waited(link: psycopg.Connection[Any], order: int) -> float:
    """Return the seconds until the finding is there."""
    began = time.perf_counter()
    while not list(link.execute(FOUND, [[order]])):
        if time.perf_counter() - began > LONGEST_WAIT:
            print(f"  order {order}: no finding after {LONGEST_WAIT} s", file=sys.stderr)
            return float(LONGEST_WAIT)
        time.sleep(0.05)
    return time.perf_counter() - began
