"""Ranking one order among 20,000 carers with five stops each: in the process, through HTTP with the write, and in SQL.

The carers belong to one provider, so that every one of them is looked at; the processes are those of ``./run``. The same in SQL has the
gaps of all days in a table of their own, every attribute beside them, with an index on the time of the gap, and runs on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from yinling.bench.city import CLOCK, BenchCity, bench_city, forget_clone
from yinling.bench.figures import Figure, quantile
from yinling.bench.rankdata import DAY, Made, make
from yinling.bench.servers import Client, RefusedError, running

CARERS = 20_000
QUICK_ORDERS, FULL_ORDERS = 300, 1000
QUICK_PAIRS, FULL_PAIRS = 50, 200
QUICK_SENT, FULL_SENT = 100, 400
WARM = 20
"""Orders sent before any is counted: until then the connections keep no plans, and the code has not been run."""
CPU_MS, HTTP_MS, RATIO, BUILD_S = 2.0, 20.0, 20.0, 10.0
MEGABYTE = 1e6

GAPS = """
CREATE UNLOGGED TABLE bench_gap AS
WITH stop AS (
    SELECT a.staff_id, a.starts_at, a.ends_at, o.lon, o.lat FROM dispatch_assignment a JOIN orders_order o ON o.id = a.order_id
    WHERE a.provider_id = %(provider)s AND a.state IN ('offered', 'accepted', 'done') AND a.starts_at >= %(day)s
        AND a.starts_at < %(day)s + interval '1 day'),
load AS (SELECT staff_id, sum(extract(epoch FROM ends_at - starts_at) / 60)::int AS booked FROM stop GROUP BY staff_id),
edge AS (
    SELECT staff_id, ends_at AS free_from, lead(starts_at) OVER w AS free_to, lon AS a_lon, lat AS a_lat,
        lead(lon) OVER w AS b_lon, lead(lat) OVER w AS b_lat, false AS is_first
    FROM stop WINDOW w AS (PARTITION BY staff_id ORDER BY starts_at)
    UNION ALL
    (SELECT DISTINCT ON (staff_id) staff_id, NULL::timestamptz, starts_at, NULL::float8, NULL::float8, lon, lat, true
    FROM stop ORDER BY staff_id, starts_at))
SELECT s.id AS staff_id, s.sex, s.dialects, s.most_minutes_a_day AS most,
    load.booked,
    %(day)s + s.day_from::interval AS day_from, %(day)s + s.day_to::interval AS day_to,
    1.35 / (CASE s.mode WHEN 'walk' THEN 4.5 WHEN 'car' THEN 22 ELSE 15 END / 3.6) AS pace,
    EXISTS (SELECT FROM directory_qualification q WHERE q.staff_id = s.id AND q.kind = 'care_worker' AND q.recorded_to IS NULL) AS is_trained,
    tstzrange(e.free_from, e.free_to) AS free, e.free_from, e.free_to, coalesce(e.a_lon, s.home_lon) AS a_lon,
    coalesce(e.a_lat, s.home_lat) AS a_lat, e.b_lon, e.b_lat, e.is_first
FROM directory_staff s JOIN load ON load.staff_id = s.id JOIN edge e ON e.staff_id = s.id WHERE s.provider_id = %(provider)s
"""
INDEX = "CREATE INDEX bench_gap_free ON bench_gap USING gist (free)"
WAY = """ceil(12742017.6 * asin(sqrt(power(sin(radians({b}_lat - {a}_lat) / 2), 2)
    + cos(radians({a}_lat)) * cos(radians({b}_lat)) * power(sin(radians({b}_lon - {a}_lon) / 2), 2))) * pace)"""
SQL = f"""
WITH o AS MATERIALIZED (
    SELECT starts_at, latest_at, ends_at - starts_at AS length, lon AS o_lon, lat AS o_lat, wants_sex, dialect,
        extract(epoch FROM ends_at - starts_at) / 60 AS minutes, elder_id FROM orders_order WHERE id = %s),
way AS (
    SELECT g.*, o.*, {WAY.format(a="a", b="o")} AS to_s, coalesce({WAY.format(a="o", b="b")}, 0) AS on_s,
        coalesce({WAY.format(a="a", b="b")}, 0) AS cut_s
    FROM bench_gap g, o WHERE g.free && tstzrange(o.starts_at, o.latest_at + o.length) AND g.is_trained
        AND (o.wants_sex = '' OR o.wants_sex = g.sex) AND g.booked + o.minutes <= g.most)
SELECT staff_id, to_s, greatest(starts_at, day_from, free_from + CASE WHEN is_first THEN 0 ELSE to_s END * interval '1 second') AS start,
    (to_s + on_s - cut_s) / 60 + CASE WHEN EXISTS (SELECT FROM dispatch_assignment k WHERE k.staff_id = way.staff_id
        AND k.elder_id = way.elder_id AND k.state = 'done') THEN 0 ELSE 15 END
    + CASE WHEN dialect = '' OR strpos(dialects, dialect) > 0 THEN 0 ELSE 10 END + booked / 60.0 * 4 AS cost
FROM way WHERE greatest(starts_at, day_from, free_from + CASE WHEN is_first THEN 0 ELSE to_s END * interval '1 second')
    <= least(latest_at, day_to - length, free_to - length - on_s * interval '1 second')
ORDER BY cost, staff_id LIMIT 10
"""  # noqa: S608 - our own words


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Return the figures of the process, of HTTP and of SQL."""
    orders, pairs, sent = (QUICK_ORDERS, QUICK_PAIRS, QUICK_SENT) if quick else (FULL_ORDERS, FULL_PAIRS, FULL_SENT)
    with bench_city(home) as city, city.superuser() as link:
        try:
            with step("造数 making carers"):
                made = make(link, carers=CARERS, waiting=orders + WARM, doubles=pairs)
            ready = time.monotonic()
            with running(city, "pages", "dispatch") as port:
                state = resident_state()
                figures = building(state, time.monotonic() - ready)
                with step("进程内 in the process"):
                    own, both = asked(made.singles[:orders]), asked(made.doubles)
                with step("经 HTTP through HTTP"):
                    through_http(port, made.singles[-WARM:])
                    looked, wrote, refused = through_http(port, made.singles[:sent])
            with step("SQL"):
                plain = in_sql(city, link, made)
        finally:
            forget_clone(city)
    return [*figures, *figures_of(own, both, plain), *figures_of_http(looked, wrote, refused)]


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what takes how long."""
    began = time.perf_counter()
    yield
    print(f"  {name}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)


def resident_state() -> dict[str, Any]:
    """Wait for the resident process and return what it says of itself."""
    from yinling.dispatch.ranker import exchange  # noqa: PLC0415 - needs the settings of the city

    deadline = time.monotonic() + 180
    while (state := exchange({"state": {}})) is None:
        if time.monotonic() > deadline:
            raise RuntimeError("the resident ranking did not start")
        time.sleep(0.1)
    return state


def building(state: dict[str, Any], until_ready: float) -> list[Figure]:
    """Return how long it took to load the day and how much it holds."""
    carers, stops, held, seconds = state["days"][DAY.date().isoformat()]
    return [
        Figure(
            "rank.build", round(seconds, 1), "s", f"{carers:,} carers, {stops:,} stops from the database", most=BUILD_S
        ),
        Figure(
            "rank.ready", round(until_ready, 1), "s", "from start to first answer: two days, compiled code read or made"
        ),
        Figure("rank.held", round(held / MEGABYTE, 1), "MB", "one day in memory"),
        Figure("rank.process", round(state["most_bytes"] / MEGABYTE), "MB", "the whole process"),
    ]


def asked(numbers: Sequence[int]) -> list[float]:
    """Return the CPU milliseconds that the resident took for each order: the question read, every carer looked at, the best sorted."""
    from yinling.directory.queries import cities, system_actor  # noqa: PLC0415 - needs the settings of the city
    from yinling.dispatch.queries.insertions import MOST_SHOWN, SPARE, enquiry_of  # noqa: PLC0415 - as above
    from yinling.dispatch.ranker import exchange  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.orders.models import Order  # noqa: PLC0415 - as above

    now, taken = datetime.fromisoformat(CLOCK), []
    with scope(system_actor(cities()[0].div)):
        questions = [
            enquiry_of(order, now, limit=MOST_SHOWN + SPARE)
            for order in Order.objects.filter(pk__in=numbers).order_by("pk")
        ]
    for one in questions:
        answer = exchange({"rank": one.as_dict()})
        if answer is None or "found" not in answer:
            raise RuntimeError(f"no answer: {answer}")
        taken.append(answer["cpu_ms"])
    return taken


def through_http(port: int, numbers: Sequence[int]) -> tuple[list[float], list[float], list[str]]:
    """Look at the proposals of each order and assign the best, as a desk does; return the milliseconds of both, and what was refused."""
    client, looked, wrote, refused = Client(port), [], [], []
    for number in numbers:
        began = time.perf_counter()
        shown = client.get("bench-dispatcher", f"/api/v1/orders/{number}/proposals")
        between = time.perf_counter()
        looked.append((between - began) * 1e3)
        if not shown["is_live"]:
            refused.append(f"{number}: the resident ranking was not asked")
        if not shown["items"]:  # an hour and a half fits into no full day
            continue
        best = shown["items"][0]
        values = {name: best[name] for name in ("staff_id", "starts_at", "route")}
        began = time.perf_counter()
        try:
            client.post("bench-dispatcher", f"/api/v1/orders/{number}/assign", **values)
        except RefusedError as refusal:
            refused.append(str(refusal))
        else:
            wrote.append((time.perf_counter() - began) * 1e3)
    for text in refused[:3]:
        print(f"  {text}", file=sys.stderr)
    return looked, wrote, refused


def in_sql(city: BenchCity, link: Any, made: Made) -> list[float]:
    """Return the milliseconds that the same question takes in SQL, prepared, on one core."""
    link.execute(GAPS, {"provider": made.provider_id, "day": DAY})
    link.execute(INDEX)
    link.execute("VACUUM ANALYZE bench_gap")
    taken = []
    with city.superuser() as alone:
        alone.execute("SET max_parallel_workers_per_gather = 0")
        alone.execute("SET jit = off")
        for number in made.singles[:QUICK_ORDERS]:
            began = time.perf_counter()
            alone.execute(SQL, [number], prepare=True).fetchall()
            taken.append((time.perf_counter() - began) * 1e3)
    return taken


def figures_of(own: Sequence[float], both: Sequence[float], plain: Sequence[float]) -> list[Figure]:
    """Compare the process with SQL."""
    middle, most = quantile(own, 0.5), quantile(own, 0.99)
    sql_middle, sql_most = quantile(plain, 0.5), quantile(plain, 0.99)
    return [
        Figure("rank.cpu_p50", round(middle, 2), "ms", f"{len(own):,} orders, windows of 0 to 4 hours"),
        Figure("rank.cpu_p99", round(most, 2), "ms", "CPU in the process, question to answer", most=CPU_MS),
        Figure(
            "rank.pairs_p99", round(quantile(both, 0.99), 2), "ms", f"the best ten pairs, {len(both)} orders for two"
        ),
        Figure("rank.sql_p50", round(sql_middle, 1), "ms", f"gaps in a table, GiST on their time, {len(plain)} orders"),
        Figure("rank.sql_p99", round(sql_most, 1), "ms", "as above"),
        Figure(
            "rank.ratio", round(sql_most / most, 1), "x", f"p99 / p99; medians {sql_middle / middle:.0f}", least=RATIO
        ),
    ]


def figures_of_http(looked: Sequence[float], wrote: Sequence[float], refused: Sequence[str]) -> list[Figure]:
    """Return what a desk waits for."""
    return [
        Figure("rank.proposals_p50", round(quantile(looked, 0.5), 1), "ms", "GET of the three best with reasons"),
        Figure("rank.proposals_p99", round(quantile(looked, 0.99), 1), "ms", "as above"),
        Figure(
            "rank.assign_p50",
            round(quantile(wrote, 0.5), 1),
            "ms",
            "POST: ranked anew, checked, written, journalled, told",
        ),
        Figure(
            "rank.assign_p99",
            round(quantile(wrote, 0.99), 1),
            "ms",
            f"as above, {len(wrote)} orders after {WARM} others",
            most=HTTP_MS,
        ),
        Figure(
            "rank.refused",
            len(refused),
            "orders",
            "the day changed, or the resident ranking was not asked",
            most=len(wrote) // 10,
        ),
    ]
