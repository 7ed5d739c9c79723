"""The register at the size of a city: how fast it loads, how fast one of many is found, how fast it is known who may have what.

The load is the operator's command on a file of made-up people; its yardstick is COPY of the finished columns (without history) into
tables with the same indexes. A look-up is a call of the page's function under row-level security as a seat of the city; its yardstick
is the same statements, prepared, on the same connection. Eligibility is one statement for all elders and schemes, without parallel
workers, so that its rate is that of one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from yinling.bench.catalogue import SEED
from yinling.bench.city import BenchCity, bench_city, forget_clone
from yinling.bench.figures import Figure, quantile
from yinling.bench.pages import recorded
from yinling.bench.register import ON, SERVER, assess, copy_finished, load_register, make_register, megabytes, sampled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yinling.kernel.actor import Actor

QUICK, FULL = 50_000, 1_900_000
QUICK_LOOKUPS, FULL_LOOKUPS = 150, 500
LOAD_RATIO, LOOKUP_RATIO, ELDERS_A_SECOND, SAMPLE = 4.0, 3.0, 20_000, 2000
WAYS = ("caller", "id", "name", "pinyin", "one_wrong")


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Return the figures of load, look-ups and eligibility."""
    count = QUICK if quick else FULL
    path = home / "register.csv"
    with bench_city(home, **SERVER) as city:
        try:
            with step("造数 making people"):
                make_register(path, count)
            figures = loading(city, home, path, count)
            with step("评估 assessing"):
                assess(city)
            figures += looking_up(path, QUICK_LOOKUPS if quick else FULL_LOOKUPS)
            figures += reckoning(count)
        finally:
            path.unlink(missing_ok=True)
            forget_clone(city)
    return figures


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what takes how long."""
    began = time.perf_counter()
    yield
    print(f"  {name}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)


def loading(city: BenchCity, home: Path, path: Path, count: int) -> list[Figure]:
    """Load and compare."""
    seconds = load_register(city, home, path)
    with step("对照 COPY"):
        copied = copy_finished(city, home)
    return [
        Figure("registry.load", round(seconds, 1), "s", f"{count:,} elders, command to end, checks and seals included"),
        Figure("registry.load_rate", round(count / seconds), "elders/s", "2 processes"),
        Figure("registry.copy", round(copied, 1), "s", "COPY of the finished columns, same indexes, no history"),
        Figure("registry.load_ratio", round(seconds / copied, 2), "x", "load / COPY", most=LOAD_RATIO),
        Figure("registry.size", round(megabytes(city)), "MB", "register with keys, indexes and history"),
    ]


def seat() -> Actor:
    """Return the seat of the city as an actor."""
    from yinling.directory.models import Grant  # noqa: PLC0415 - needs the settings of the city
    from yinling.directory.queries import actor_from  # noqa: PLC0415 - as above

    grant = Grant.objects.select_related("user").filter(role="seat", state="active").order_by("id")[0]
    return actor_from(grant.user, grant, elder_ids=(), staff_id=None)


def looking_up(path: Path, count: int) -> list[Figure]:
    """Find people by each way, and send the same statements without our code around them."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - loads slowly

    from yinling.people.queries import elders_by_phone, find_elders  # noqa: PLC0415 - needs the settings of the city

    actor, rows, random = seat(), sampled(path, count), Random(SEED)
    rare = sorted({row["name"][-1] for row in rows})
    asked: dict[str, tuple[Callable[[str], Sequence[Any]], list[str]]] = {
        "caller": (elders_by_phone, [row["phone"] for row in rows]),
        "id": (lambda text: find_elders(actor, text), [row["id_number"] for row in rows]),
        "name": (lambda text: find_elders(actor, text), [row["name"] for row in rows]),
        "pinyin": (lambda text: find_elders(actor, text), ["".join(lazy_pinyin(row["name"])) for row in rows]),
        "one_wrong": (
            lambda text: find_elders(actor, text),
            [row["name"][:-1] + random.choice(rare) for row in rows if len(row["name"]) > 2],  # noqa: PLR2004 - surname and two
        ),
    }
    figures = []
    for way in WAYS:
        find, texts = asked[way]
        with step(way):
            ours, alone = timed(find, texts, actor)
        middle, bare = quantile(ours, 0.99), quantile(alone, 0.99)
        figures += [
            Figure(
                f"registry.{way}.p50",
                round(quantile(ours, 0.5), 2),
                "ms",
                f"{len(texts)} look-ups; SQL alone {quantile(alone, 0.5):.2f}",
            ),
            Figure(f"registry.{way}.p99", round(middle, 2), "ms", f"the same SQL alone: {bare:.2f} ms"),
            Figure(
                f"registry.{way}.ratio",
                round(middle / bare, 2),
                "x",
                "p99 / p99 of the same SQL alone",
                most=LOOKUP_RATIO,
            ),
        ]
    return figures


def timed(find: Callable[[str], Sequence[Any]], texts: Sequence[str], actor: Actor) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each look-up, and of its statements alone, taken in turn; each once before to be warm."""
    from django.db import connection  # noqa: PLC0415 - needs the settings of the city

    from yinling.ground.scope import scope  # noqa: PLC0415 - as above

    ours, alone, missed = [], [], 0
    for text in texts:
        with recorded() as record, scope(actor):
            missed += not find(text)
        began = time.perf_counter()
        with scope(actor):
            find(text)
        ours.append((time.perf_counter() - began) * 1e3)
        connection.ensure_connection()
        link = connection.connection
        began = time.perf_counter()
        with link.transaction(), link.cursor() as cursor:
            for sql, params in record.statements:
                cursor.execute(sql, params, prepare=True)
                if cursor.description:
                    cursor.fetchall()
        alone.append((time.perf_counter() - began) * 1e3)
    if missed:
        print(f"  {missed} of {len(texts)} not found", file=sys.stderr)
    return ours, alone


def reckoning(count: int) -> list[Figure]:
    """Let the server say who may have what, and compare a sample with the rule asked one by one."""
    from django.db import connection  # noqa: PLC0415 - needs the settings of the city

    from yinling.directory.queries import cities, system_actor  # noqa: PLC0415 - as above
    from yinling.entitlements.queries.sets import active_schemes, eligible_all  # noqa: PLC0415 - as above
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above

    area = cities()[0].div
    with scope(system_actor(area)), step("资格 eligibility"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('max_parallel_workers_per_gather', '0', true)")
            cursor.execute("SELECT set_config('work_mem', '256MB', true)")
        began = time.perf_counter()
        found = eligible_all(area, ON)
        seconds = time.perf_counter() - began
        schemes = active_schemes(area)
        wrong = differing(found)
    fitting = sum(map(len, found.values()))
    return [
        Figure(
            "registry.eligibility", round(count / seconds), "elders/s",
            f"one core, {len(schemes)} schemes as of {ON}, {fitting:,} hits, {seconds:.1f} s", least=ELDERS_A_SECOND,
        ),
        Figure("registry.eligibility_differing", wrong, "answers", f"of {SAMPLE:,} elders, against the rule itself", most=0),
    ]  # fmt: skip


def differing(found: dict[str, dict[int, int]]) -> int:
    """Ask the pure rule about some elders; return how many answers differ from the statement's."""
    from yinling.entitlements.queries.eligibility import answer, schemes_for, situations  # noqa: PLC0415 - needs the settings of the city
    from yinling.people.models import Elder  # noqa: PLC0415 - as above

    highest = Elder.objects.order_by("-id").values_list("id", flat=True)[0]
    chosen = Random(SEED).sample(range(1, highest + 1), min(SAMPLE, highest))
    elders = list(Elder.objects.filter(pk__in=chosen))
    known, wrong = situations(elders, ON), 0
    for elder in elders:
        for scheme in schemes_for(elder.div):
            wrong += answer(scheme, known[elder.pk]).place != found.get(scheme.code, {}).get(elder.pk)
    return wrong
