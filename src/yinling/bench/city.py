"""The city the benches measure: the demo city in a PostgreSQL of its own, made once and kept.

Every run works on a fresh clone of it at the same business time, so that two runs measure the same and leave nothing behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import psycopg
from django.db import connection

from yinling.bench.catalogue import DATA_MINUTES
from yinling.cli.database import DATABASE, OWNER, SUPERUSER, EmbeddedPostgres
from yinling.cli.environment import platform_environment
from yinling.cli.lock import hold
from yinling.cli.paths import ROOT, SOURCE

CITY = "wuxi-332"
CLOCK = "2026-06-15T10:00:00+08:00"
CLONE = "bench"
READY = "ready"
POOL = "2"
MAKER = Path(__file__).with_name("make_city.py")


@dataclass(frozen=True)
class BenchCity:
    """A running clone of the city: where its database is and which environment its processes get."""

    server: EmbeddedPostgres
    environment: dict[str, str]

    def owner(self) -> psycopg.Connection[Any]:
        """Return a connection that no policy applies to."""
        return psycopg.connect(self.server.url(OWNER, CLONE), autocommit=True)

    def superuser(self) -> psycopg.Connection[Any]:
        """Return a connection that may read the server's own measurements."""
        return psycopg.connect(self.server.url(SUPERUSER, CLONE), autocommit=True)


@contextlib.contextmanager
def bench_city(home: Path, **settings: str) -> Iterator[BenchCity]:
    """Start the database, make the city if need be, clone it, and set Django up on the clone as the role that serves.

    ``settings`` are those of the server, for benches that need a larger one than a demonstration.
    """
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(hold(home, "./run bench")):
        server = EmbeddedPostgres(home / "database")
        server.settings = server.settings | settings
        server.start()
        try:
            base = platform_environment(home, server.environment(), demo=True, city=CITY)
            if made_from(home) != fingerprint():
                make(home, server, base)
            clone(server)
            environment = base | server.environment(CLONE) | {"YINLING_HOSTS": "127.0.0.1,localhost,testserver"}
            # With the pool of the served pages: a new connection would know nothing of the tables yet.
            os.environ.update(environment | {"YINLING_POOL": POOL})
            django.setup()
            yield BenchCity(server, environment)
            connection.close()
        finally:
            server.stop()


def fingerprint() -> str:
    """Return what the city is made from, in short: the tables, the loader and the city's own data."""
    found = [
        *SOURCE.glob("*/migrations/*.py"),
        *(SOURCE / "demo").rglob("*.*"),
        *(ROOT / "cities" / CITY).iterdir(),
        MAKER,
    ]
    digest = hashlib.sha256(CLOCK.encode())
    for path in sorted(path for path in found if path.is_file() and path.suffix != ".pyc"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def made_from(home: Path) -> str:
    """Return the fingerprint of the city that is there, or nothing."""
    ready = home / READY
    return ready.read_text() if ready.exists() else ""


def make(home: Path, server: EmbeddedPostgres, environment: dict[str, str]) -> None:
    """Migrate and load the demo city in a process of its own; the settings are read once a process."""
    print(f"正在生成测量用城市… Making the city to measure, about {DATA_MINUTES:g} min …", file=sys.stderr, flush=True)
    (home / READY).unlink(missing_ok=True)
    shutil.rmtree(home / "files", ignore_errors=True)
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as link:
        for name in (CLONE, DATABASE):
            link.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.ensure_database(DATABASE)
    command = [sys.executable, "-m", "yinling.bench.make_city", CITY, CLOCK]
    subprocess.run(command, env=environment | {"YINLING_POOL": "0"}, check=True, stdout=sys.stderr)
    (home / READY).write_text(fingerprint())


def clone(server: EmbeddedPostgres) -> None:
    """Replace the clone and set its clock to the time the city was made for."""
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as link:
        link.execute(f"DROP DATABASE IF EXISTS {CLONE} WITH (FORCE)")
        link.execute(f"CREATE DATABASE {CLONE} TEMPLATE {DATABASE} OWNER {OWNER}")
        link.execute(f"ALTER DATABASE {CLONE} SET pg_stat_statements.track_planning = on")
    ahead = round((datetime.fromisoformat(CLOCK) - datetime.now(UTC)).total_seconds())
    with psycopg.connect(server.url(OWNER, CLONE), autocommit=True) as link:
        link.execute("UPDATE ground_clockoffset SET seconds = %s", [ahead])
        link.execute("VACUUM ANALYZE")


def forget_clone(city: BenchCity) -> None:
    """Give the disk back that a clone of a large city takes."""
    connection.close()
    with psycopg.connect(city.server.url(SUPERUSER, "postgres"), autocommit=True) as link:
        link.execute(f"DROP DATABASE IF EXISTS {CLONE} WITH (FORCE)")


def processes(city: BenchCity, **extra: str) -> dict[str, str]:
    """Return the environment of a server or worker beside this process."""
    return dict(os.environ) | city.environment | extra
