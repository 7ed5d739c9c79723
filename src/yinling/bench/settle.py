"""Visits settled a second, as a nightly batch and one by one, against the bare inserts; and balances of a ledger of 20 million entries.

The visits are copies of served ones of the demo city at other times: an order with its lines and payers, the assignment, the visit at the
door, the counter that was reserved. The ledger is filled by SQL as an owner would import one; its totals are those the trigger makes, merged
and rolled up. A rate per core counts the CPU of this process and of its server process, so that it holds on a machine that does other things too.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from yinling.bench.catalogue import SEED
from yinling.bench.city import BenchCity, bench_city, forget_clone
from yinling.bench.figures import Figure, quantile
from yinling.bench.settledata import LEDGER_DAYS, fill_ledger, roll_ledger, serve_visits
from yinling.bench.yardstick import each_loop, loops_a_second, script, written

QUICK_VISITS, FULL_VISITS = 3_000, 20_000
QUICK_SINGLE, FULL_SINGLE = 200, 1_000
QUICK_ENTRIES, FULL_ENTRIES = 1_000_000, 20_000_000
QUICK_SECONDS, FULL_SECONDS = 5, 20
WARM = 20
"""Settled before anything is measured, as pages are opened before: imports, and statements that the server prepares at their fifth run."""
BALANCES = 300
A_DAY, MINUTES, CORES = 60_000, 10, 2
SERVER = {"shared_buffers": "1GB", "maintenance_work_mem": "512MB", "max_wal_size": "8GB"}


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Return rates of settling and times of balances."""
    visits, single = (QUICK_VISITS, QUICK_SINGLE) if quick else (FULL_VISITS, FULL_SINGLE)
    with bench_city(home, **SERVER) as city:
        try:
            figures = settling(city, visits, single, QUICK_SECONDS if quick else FULL_SECONDS)
            return figures + asking(city, QUICK_ENTRIES if quick else FULL_ENTRIES)
        finally:
            forget_clone(city)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what takes how long."""
    began = time.perf_counter()
    yield
    print(f"  {name}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)


def settling(city: BenchCity, visits: int, single: int, seconds: int) -> list[Figure]:
    """Settle visits as the job does, and some one by one as a person does; compare with the same inserts without any of our code."""
    with city.owner() as link:
        with step("造服务 making visits"):
            numbers = serve_visits(link, visits + single + WARM)
        one_by_one(numbers[:WARM])
        singly = taken(lambda: one_by_one(numbers[WARM : single + WARM]))
        before = written(link)
        batch = taken(lambda: by_the_job(visits))
        rows = each_loop(before, written(link), visits)
        alone = loops_a_second(city, script(link, rows, 1), clients=1, seconds=seconds)
    reckoned = A_DAY / batch.per_core / 60 / CORES
    return [
        Figure("settle.batch", round(batch.per_core), "visits/s/core", f"{visits:,} visits, the nightly job; process and server", least=200),
        Figure("settle.batch_clock", round(batch.rate), "visits/s", "the same by the clock, 1 process"),
        Figure("settle.day", round(reckoned, 1), "min", f"{A_DAY:,} visits of a city day on {CORES} cores, as reckoned", most=MINUTES),
        Figure("settle.operations", round(singly.per_core), "visits/s/core", f"{single:,} times settle_order", least=40),
        Figure("settle.operations_clock", round(singly.rate), "visits/s", "the same by the clock, 1 process"),
        Figure("settle.rows", sum(one.inserted for one in rows.values()), "rows", "inserted by one visit"),
        Figure(
            "settle.ratio", round(alone / batch.rate, 2), "x", f"by the clock; pgbench, the same inserts, 1 client: {alone:.0f} visits/s"
        ),
    ]  # fmt: skip


def system() -> Any:
    """Return the system of the city as an actor, and the time."""
    from yinling.directory.queries import cities, system_actor  # noqa: PLC0415 - needs the settings of the city

    return system_actor(next(iter(cities())).div)


@dataclass(frozen=True)
class Took:
    """How long something took, and how much CPU of this process and of its server process."""

    count: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """By the clock, with whatever else the machine does."""
        return self.count / self.seconds

    @property
    def per_core(self) -> float:
        """Per second of one core."""
        return self.count / self.cpu


def server_cpu() -> float:
    """Return the CPU seconds that the server spent on this connection."""
    from django.db import connection  # noqa: PLC0415 - needs the settings of the city

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number = cursor.fetchone()[0]
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def taken(act: Callable[[], int]) -> Took:
    """Measure an act that says how much it did. It must stay on one connection."""
    from django.db import connection  # noqa: PLC0415 - needs the settings of the city

    with connection.cursor():
        before, own, began = server_cpu(), time.process_time(), time.perf_counter()
        count = act()
        seconds, cpu = time.perf_counter() - began, time.process_time() - own
        return Took(count, seconds, cpu + server_cpu() - before)


def one_by_one(numbers: list[int]) -> int:
    """Settle orders one by one, each in its transaction."""
    from yinling.ground.clock import business_now  # noqa: PLC0415 - needs the settings of the city
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.settlement.operations import settle_order  # noqa: PLC0415 - as above

    actor, now = system(), business_now()
    for number in numbers:
        with scope(actor):
            settle_order(actor=actor, now=now, order_id=number)
    return len(numbers)


def by_the_job(expected: int) -> int:
    """Let the job settle everything that is due."""
    from yinling.ground.clock import business_now  # noqa: PLC0415 - needs the settings of the city
    from yinling.settlement.jobs import settle_area  # noqa: PLC0415 - as above

    actor, now, done = system(), business_now(), 0
    while some := settle_area(actor, now):
        done += some
    if done < expected:
        message = f"{done} of {expected} visits were settled"
        raise RuntimeError(message)
    return done


def asking(city: BenchCity, entries: int) -> list[Figure]:
    """Ask balances of random accounts as of random days, with and without further dimensions."""
    with city.superuser() as link:
        with step(f"造账 {entries:,} entries"):
            fill_ledger(link, entries)
        with step("汇总 rolling up"):
            roll_ledger(link)
        counted = "SELECT (SELECT count(*) FROM settlement_ledgertotal), (SELECT count(*) FROM settlement_areatotal)"
        totals, areas = next(iter(link.execute(counted)))
        wrong = disagreeing(link)
    times = {name: timed(questions) for name, questions in asked(city).items()}
    figures = [
        Figure(f"settle.balance.{name}.p95", round(quantile(each, 0.95) * 1000, 1), "ms", f"{BALANCES} balances, {entries:,} entries", most=50)
        for name, each in times.items()
    ]  # fmt: skip
    figures.append(Figure("settle.totals", totals, "rows", "of the ledger's totals, merged"))
    figures.append(Figure("settle.area_totals", areas, "rows", "of the areas' totals by day and by month"))
    return [
        *figures,
        Figure("settle.totals_wrong", wrong, "accounts", "whose totals are not the sum of their entries", most=0),
    ]


def disagreeing(link: psycopg.Connection[Any]) -> int:
    """Return how many accounts have totals that are not the sum of their entries."""
    query = """SELECT count(*) FROM (SELECT account, sum(amount) AS amount, count(*) AS count FROM settlement_ledgerentry GROUP BY 1) e
        FULL JOIN (SELECT account, sum(amount) AS amount, sum(entry_count) AS count FROM settlement_ledgertotal GROUP BY 1) t USING (account)
        FULL JOIN (SELECT account, sum(amount) AS amount, sum(entry_count) AS count FROM settlement_areatotal WHERE per = 'month' GROUP BY 1) a
            USING (account)
        WHERE e.amount IS DISTINCT FROM t.amount OR e.count IS DISTINCT FROM t.count
            OR e.amount IS DISTINCT FROM a.amount OR e.count IS DISTINCT FROM a.count"""
    return int(next(iter(link.execute(query)))[0])


def asked(city: BenchCity) -> dict[str, list[dict[str, Any]]]:
    """Return questions: an account of the whole city, of a street, of a provider; each as of some day."""
    with city.owner() as link:
        providers = [
            row[0]
            for row in link.execute(
                "SELECT DISTINCT provider_id FROM settlement_ledgertotal WHERE provider_id IS NOT NULL"
            )
        ]
        streets = [
            row[0] for row in link.execute("SELECT DISTINCT div FROM settlement_ledgertotal WHERE length(div) = 9")
        ]
        accounts = [row[0] for row in link.execute("SELECT DISTINCT account FROM settlement_ledgertotal")]
    rng = random.Random(SEED)
    found: dict[str, list[dict[str, Any]]] = {"city": [], "street": [], "provider": []}
    for name, questions in found.items():
        for _ in range(BALANCES):
            question: dict[str, Any] = {
                "account": rng.choice(accounts), "on": date.fromisoformat("2026-06-15") - timedelta(days=rng.randrange(LEDGER_DAYS))
            }  # fmt: skip
            if name == "street":
                question["div"] = rng.choice(streets)
            if name == "provider":
                question["provider_id"] = rng.choice(providers)
            questions.append(question)
    return found


def timed(questions: list[dict[str, Any]]) -> list[float]:
    """Ask, each in a scope of its own as a page does; return the seconds of each."""
    from yinling.ground.scope import scope  # noqa: PLC0415 - needs the settings of the city
    from yinling.settlement.queries import balance  # noqa: PLC0415 - as above

    actor, seconds = system(), []
    for question in questions:
        with scope(actor):
            began = time.perf_counter()
            balance(**question)
            seconds.append(time.perf_counter() - began)
    return seconds
