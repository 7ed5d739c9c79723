"""A register of a large city on the clone of the bench city: made up, loaded as an operator would, assessed."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from yinling.bench.catalogue import SEED
from yinling.bench.city import CLOCK, BenchCity, processes

SERVER = {"shared_buffers": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}
"""What a city would give its server at least; the yardsticks run on the same."""
ON = datetime.fromisoformat(CLOCK).date()
COPIED = ("people_household", "people_elder", "people_elderkey", "people_circumstance")
COLUMNS = """SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    AND attname <> 'id' ORDER BY attnum"""
ELDER = {"div": "e.div", "elder_id": "e.id", "seal_id": "gen_random_uuid()"}
ASSESSED = ELDER | {
    "level": "(ARRAY['intact', 'mild', 'moderate', 'severe', 'total'])[1 + e.id %% 5]",
    "assessed_on": "%(on)s::date - 100",
    "valid_from": "%(on)s::date - 100",
    "valid_to": "%(on)s::date + 630",
}
"""In what the result of one in three differs from the first one of the demo city."""
REPEATED: dict[str, dict[str, str]] = {
    "orders_order": ELDER | {"source": "''"},
    "hotline_ticket": ELDER | {"call_id": "NULL", "parent_id": "NULL"},
    "supervision_finding": ELDER | {"key": "'bench-' || t.id || '-' || g"},
    "settlement_statement": {"month": "(t.month - make_interval(months => g))::date"},
}
"""What happened in the demo city, again and again with other elders, as it would in a larger one."""
MOST_MONTHS = 100


def make_register(path: Path, count: int) -> None:
    """Write the file of a made-up city's register."""
    from yinling.bench.crowd import Community, write  # noqa: PLC0415 - needs the settings of the city
    from yinling.directory.models import Area  # noqa: PLC0415 - as above

    rows = Area.objects.filter(level="community", is_statistical=False).order_by("div")
    found = rows.values_list("div", "short_name", "lon", "lat")
    places = [Community(div, name, lon or 0.0, lat or 0.0) for div, name, lon, lat in found]
    write(path, places, count=count, seed=SEED, today=ON)


def load_register(city: BenchCity, home: Path, path: Path) -> float:
    """Load the file by the command an operator uses; return the seconds from its start to its end."""
    command = [sys.executable, "-m", "yinling", "load-registry", str(path), "--data", str(home)]
    began = time.perf_counter()
    subprocess.run(command, env=processes(city, YINLING_POOL="0"), check=True, stdout=sys.stderr)
    return time.perf_counter() - began


def copy_finished(city: BenchCity, folder: Path) -> float:
    """Copy the finished columns out and into tables with the same indexes; return the seconds of the way in."""
    with city.owner() as link:
        link.execute("DROP SCHEMA IF EXISTS bench CASCADE")
        link.execute("CREATE SCHEMA bench")
        for table in COPIED:
            link.execute(f"CREATE TABLE bench.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING INDEXES)")
            with link.cursor().copy(f"COPY public.{table} TO STDOUT") as out, (folder / table).open("wb") as file:
                for data in out:
                    file.write(data)
        with city.superuser() as settling:
            settling.execute("CHECKPOINT")
        began = time.perf_counter()
        with link.transaction():
            for table in COPIED:
                with link.cursor().copy(f"COPY bench.{table} FROM STDIN") as into, (folder / table).open("rb") as file:
                    while data := file.read(1 << 20):
                        into.write(data)
        seconds = time.perf_counter() - began
        link.execute("DROP SCHEMA bench CASCADE")
    for table in COPIED:
        (folder / table).unlink()
    return seconds


def assess(city: BenchCity) -> None:
    """Give one in three of the new elders a result."""
    with city.owner() as link:
        names, values = _columns(link, "assessment_assessment", ASSESSED)
        link.execute(
            f"INSERT INTO assessment_assessment ({names}) SELECT {values} FROM people_elder e "  # noqa: S608 - names of our own columns
            "CROSS JOIN (SELECT * FROM assessment_assessment ORDER BY id LIMIT 1) t "
            "WHERE e.id %% 3 = 0 AND NOT EXISTS (SELECT FROM assessment_assessment a WHERE a.elder_id = e.id)",
            {"on": ON},
        )
        link.execute("VACUUM ANALYZE")


def repeat_history(city: BenchCity, times: int) -> None:
    """Let what happened in the demo city happen so many times more, each time to other elders."""
    with city.owner() as link, link.transaction():
        link.execute("SELECT set_config('yinling.importing', 'on', true)")
        for table, changed in REPEATED.items():
            names, values = _columns(link, table, changed)
            rounds = min(times, MOST_MONTHS) if "month" in changed else times
            link.execute(
                f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} t CROSS JOIN generate_series(1, %(rounds)s::int) g "  # noqa: S608 - our own
                "JOIN people_elder e ON e.id = 1 + (t.id * 7919 + g * 104729) %% (SELECT max(id) FROM people_elder)",
                {"rounds": rounds},
            )
    with city.owner() as link:
        link.execute("VACUUM ANALYZE")


def _columns(link: psycopg.Connection[Any], table: str, changed: dict[str, str]) -> tuple[str, str]:
    """Return the columns of a table, and their values taken from a row ``t`` but for those changed."""
    names = [row[0] for row in link.execute(COLUMNS, [table])]
    return ", ".join(f'"{name}"' for name in names), ", ".join(changed.get(name, f't."{name}"') for name in names)


def sampled(path: Path, count: int) -> list[dict[str, str]]:
    """Return rows of the file, evenly spread."""
    with path.open(encoding="utf-8", newline="") as handle:
        total = sum(1 for _ in handle) - 1
    step = max(1, total // count)
    with path.open(encoding="utf-8", newline="") as handle:
        return [row for number, row in enumerate(csv.DictReader(handle)) if number % step == 0][:count]


def megabytes(city: BenchCity) -> float:
    """Return the size of the register with indexes and history."""
    with city.owner() as link:
        sql = (
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' AND relname LIKE 'people_%'"
        )
        return float(next(iter(link.execute(sql)))[0]) / (1 << 20)
