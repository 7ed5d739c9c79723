"""Ten main pages at 5,000 elders, in process through the WSGI application, as the role that serves and under its policies.

CPU is that of the thread that answers (ours, the driver's and the templates'); database time is the server's own for planning and running
the statements (pg_stat_statements); waiting is what the thread spends in ``execute`` without working. The yardstick is the same SQL alone
on the same connection.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from yinling.bench.city import BenchCity, bench_city, forget_clone
from yinling.bench.figures import Figure, quantile
from yinling.bench.register import SERVER, assess, load_register, make_register, repeat_history
from yinling.cli.database import APP

DEMO_ELDERS, FLAT = 5000, 1.5
QUERIES, CPU_MS, DATABASE_MS, PAGE_MS = 8, 12.0, 3.0, 1000.0
WARM, QUICK_ROUNDS, FULL_ROUNDS = 5, 40, 300
SERVER_TIME = """SELECT sum(total_exec_time + total_plan_time) FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
    WHERE r.rolname = %s"""
SCOPE = "set_config('yinling.scope'"


@dataclass(frozen=True)
class Page:
    """A page: its address (an id comes from the query), who opens it, and whether it is a list of 20."""

    name: str
    address: str
    role: str
    row: str = ""
    is_list: bool = True


PAGES = (
    Page("desk", "/desk/", "seat", is_list=False),
    Page("tickets", "/tickets/", "seat"),
    Page(
        "ticket",
        "/tickets/{}/",
        "seat",
        "SELECT max(ticket_id) FROM orders_order WHERE ticket_id IS NOT NULL",
        is_list=False,
    ),
    Page("elders", "/elders/", "seat"),
    Page(
        "elder",
        "/elders/{}/",
        "seat",
        "SELECT elder_id FROM orders_order GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
        is_list=False,
    ),
    Page("orders", "/orders/", "dispatcher"),
    Page(
        "order", "/orders/{}/", "dispatcher", "SELECT max(id) FROM orders_order WHERE state = 'served'", is_list=False
    ),
    Page(
        "dispatch", "/dispatch/", "dispatcher", is_list=False
    ),  # beside the list it ranks the carers of the first order
    Page("findings", "/findings/", "supervisor"),
    Page("settlement", "/settlement/", "finance"),
)


@dataclass
class Taken:
    """What the requests of one page took, in milliseconds, and the statements of the last."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    statements: list[tuple[str, Any]] = field(default_factory=list)
    sql_alone: list[float] = field(default_factory=list)
    database: float = 0.0

    @property
    def queries(self) -> int:
        """Statements sent, without the one that sets the scope."""
        return sum(SCOPE not in sql for sql, _params in self.statements)


def measure(home: Path, *, quick: bool, elders: int = 0) -> list[Figure]:
    """Return the figures of every page and the middle of the ratios; or how flat the lists are with so many elders."""
    rounds = QUICK_ROUNDS if quick else FULL_ROUNDS
    if elders:
        return flatness(home, rounds, elders)
    with bench_city(home) as city:
        taken = {page: measured(page, city, rounds) for page in PAGES}
    figures = list(itertools.chain.from_iterable(figures_of(page, taken[page]) for page in PAGES))
    ratio = statistics.median(statistics.median(one.wall) / statistics.median(one.sql_alone) for one in taken.values())
    return [*figures, Figure("pages.ratio", round(ratio, 2), "x", "median page / the same SQL alone")]


def flatness(home: Path, rounds: int, elders: int) -> list[Figure]:
    """Measure the pages on the demo city, then with a city's number of elders, orders, tickets, findings and statements."""
    path = home / "register.csv"
    with bench_city(home, **SERVER) as city:
        try:
            small = {page: measured(page, city, rounds) for page in PAGES}
            make_register(path, elders - DEMO_ELDERS)
            load_register(city, home, path)
            assess(city)
            repeat_history(city, elders // DEMO_ELDERS - 1)
            large = {page: measured(page, city, rounds) for page in PAGES}
        finally:
            path.unlink(missing_ok=True)
            forget_clone(city)
    return list(itertools.chain.from_iterable(growth(page, small[page], large[page], elders) for page in PAGES))


def growth(page: Page, small: Taken, large: Taken, elders: int) -> list[Figure]:
    """Return what a page takes in a large city, and how much more that is; lists must stay flat."""
    stem, middle, before = f"pages.{page.name}", statistics.median(large.wall), statistics.median(small.wall)
    most = FLAT if page.is_list else None
    return [
        Figure(f"{stem}.large", round(middle, 2), "ms", f"{page.address} as {page.role}, {elders:,} elders, median"),
        Figure(f"{stem}.large_database", round(large.database, 2), "ms", f"server; at 5,000 {small.database:.2f} ms"),
        Figure(f"{stem}.large_queries", large.queries, "statements", "without the scope's", most=QUERIES),
        Figure(f"{stem}.growth", round(middle / before, 2), "x", f"at 5,000 {before:.2f} ms", most=most),
    ]


def figures_of(page: Page, taken: Taken) -> list[Figure]:
    """Turn what was taken into figures; the limits of CPU and database are for lists of 20."""
    stem = f"pages.{page.name}"
    alone = statistics.median(taken.sql_alone)
    middle = statistics.median(taken.wall)
    cpu, database = CPU_MS if page.is_list else None, DATABASE_MS if page.is_list else None
    return [
        Figure(f"{stem}.p50", round(middle, 2), "ms", f"{page.address} as {page.role}"),
        Figure(f"{stem}.p95", round(quantile(taken.wall, 0.95), 2), "ms", "ux: page, server p95", most=PAGE_MS),
        Figure(f"{stem}.queries", taken.queries, "statements", "without the scope's", most=QUERIES),
        Figure(f"{stem}.cpu", round(statistics.median(taken.cpu), 2), "ms", "thread CPU, median", most=cpu),
        Figure(
            f"{stem}.database",
            round(taken.database, 2),
            "ms",
            "planning and running on the server, mean",
            most=database,
        ),
        Figure(f"{stem}.waiting", round(statistics.median(taken.waited), 2), "ms", "waiting in execute, median"),
        Figure(f"{stem}.ratio", round(middle / alone, 2), "x", f"the same SQL alone: {alone:.2f} ms"),
    ]


def measured(page: Page, city: BenchCity, rounds: int) -> Taken:
    """Open a page again and again."""
    from yinling.wsgi import application  # noqa: PLC0415 - needs the settings of the city

    address = page.address
    if page.row:
        with city.owner() as link:
            address = address.format(next(iter(link.execute(page.row)))[0])
    cookie = session_of(page.role, city)
    taken = Taken()
    for number in range(WARM + rounds):
        if number == WARM:
            forget(city)
        with recorded() as record:
            wall, cpu = time.perf_counter(), time.thread_time()
            body = answer(application, address, cookie)
            took = (time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3
        if number >= WARM:
            taken.wall.append(took[0])
            taken.cpu.append(took[1])
            taken.waited.append(record.waited * 1e3)
    taken.statements = record.statements
    taken.database = on_the_server(city) / rounds
    print(f"  {address}: {len(body) / 1024:.0f} KB", file=sys.stderr, flush=True)
    taken.sql_alone = replayed(taken.statements, rounds)
    return taken


def forget(city: BenchCity) -> None:
    """Have the server measure from here on."""
    with city.superuser() as link:
        link.execute("SELECT pg_stat_statements_reset()")


def on_the_server(city: BenchCity) -> float:
    """Return the milliseconds the server spent for the role that serves since it was asked to forget."""
    with city.superuser() as link:
        return float(next(iter(link.execute(SERVER_TIME, [APP])))[0])


def session_of(role: str, city: BenchCity) -> str:
    """Return the cookie of a demo person in a role, logged in."""
    from django.conf import settings  # noqa: PLC0415 - needs the settings of the city
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415 - as above
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415 - as above

    from yinling.accounts.models import User  # noqa: PLC0415 - as above

    sql = "SELECT user_id FROM directory_grant WHERE role = %s AND state = 'active' ORDER BY length(div), id LIMIT 1"
    with city.owner() as link:
        user = User.objects.get(pk=next(iter(link.execute(sql, [role])))[0])
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def answer(application: Callable[..., Any], address: str, cookie: str) -> bytes:
    """Send one GET through the WSGI application; anything but a page is an error."""
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1", "HTTP_COOKIE": cookie,
        "wsgi.url_scheme": "http", "wsgi.input": BytesIO(), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0),
        "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    said: list[str] = []
    body = application(environ, lambda status, _headers, *_rest: said.append(status))
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    if not said[0].startswith("200"):
        message = f"{address}: {said[0]}"
        raise RuntimeError(message)
    return content


@dataclass
class Record:
    """The statements of one request and the time waited for them."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    waited: float = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django calls it so
        self.statements.append((sql, params))
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return execute(sql, params, many, context)
        finally:
            self.waited += max(0.0, time.perf_counter() - wall - (time.thread_time() - cpu))


@contextmanager
def recorded() -> Iterator[Record]:
    """Record what Django sends."""
    from django.db import connection  # noqa: PLC0415 - needs the settings of the city

    record = Record()
    with connection.execute_wrapper(record):
        yield record


def replayed(statements: Sequence[tuple[str, Any]], rounds: int) -> list[float]:
    """Send the same statements without Django around them; return the milliseconds of each round."""
    from django.db import connection  # noqa: PLC0415 - needs the settings of the city

    connection.ensure_connection()
    link = connection.connection
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        with link.transaction(force_rollback=True), link.cursor() as cursor:
            for sql, params in statements:
                cursor.execute(sql, params)
                if cursor.description:
                    cursor.fetchall()
        took.append((time.perf_counter() - began) * 1e3)
    connection.close()
    return took
