"""Filling an empty database with a city of made-up people. The same seed gives the same city; a filled database stays as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction

from yinling.demo.agreements import load_agreements
from yinling.demo.applications import load_applications
from yinling.demo.assessing import load_assessing
from yinling.demo.bodies import load_bodies, load_policies, load_prices, load_staff
from yinling.demo.city import load_city
from yinling.demo.devices import load_alarms, load_devices
from yinling.demo.elders import load_elders
from yinling.demo.finance import load_finance
from yinling.demo.history import load_history
from yinling.demo.line import load_line
from yinling.demo.logins import load_grants, load_users, system_user
from yinling.demo.names import Names
from yinling.demo.profile import Profile, validate
from yinling.demo.records import load_records
from yinling.directory.queries import system_actor
from yinling.entitlements.operations.standings import reckon_standings
from yinling.ground.clock import real_now
from yinling.ground.models import ClockOffset
from yinling.kernel.period import SHANGHAI, local_date
from yinling.people.models import Elder
from yinling.supervision.jobs import draw_city

SEED = 332


@dataclass(frozen=True)
class Sizes:
    """How large the made-up city is."""

    elders: int = 5000
    organisations: int = 60
    staff: int = 400
    days: int = 14
    visits_a_day: int = 36


FULL = Sizes()
SMALL = Sizes(elders=160, organisations=60, staff=90, days=14, visits_a_day=6)


def main(city: str, clock: datetime | str | None = None, *, sizes: Sizes = FULL, quiet: bool = False) -> None:
    """Load the profile and, once, its made-up people; set the business clock. Raises ProfileError, ParameterError."""
    profile = validate(city)
    require_owner()
    moved = set_clock(clock)
    now = moved or real_now()
    if Elder.objects.exists():
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('yinling.importing', 'on', true)")
        fill(profile, now.replace(second=0, microsecond=0), sizes, quiet=quiet)
    analyse()


def analyse() -> None:
    """Let the server look at what was loaded: without, it plans for empty tables and takes ten times as long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = current_schema()"
        )
        cursor.execute(f"ANALYZE {cursor.fetchone()[0]}")


def require_owner() -> None:
    """Refuse to load as the role that serves: COPY and first states other than the start are the owner's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = 'people_elder'::regclass"
        )
        (is_owner,) = cursor.fetchone()
    if not is_owner:
        raise PermissionError(
            "演示数据须以数据库所有者身份载入，请设置 DATABASE_OWNER_URL。 Load as the owner: set DATABASE_OWNER_URL."
        )


def set_clock(clock: datetime | str | None) -> datetime | None:
    """Move the business clock to a moment; without one it stays as it is. Returns the business time it shows now."""
    if isinstance(clock, str):
        clock = datetime.fromisoformat(clock)
    if clock is None:
        row, _ = ClockOffset.objects.get_or_create(pk=1)
        return real_now() + timedelta(seconds=row.seconds) if row.seconds else None
    if clock.tzinfo is None:
        clock = clock.replace(tzinfo=SHANGHAI)
    seconds = round((clock - real_now()).total_seconds())
    ClockOffset.objects.update_or_create(pk=1, defaults={"seconds": seconds})
    return clock


@contextmanager
def step(name: str, *, quiet: bool) -> Iterator[None]:
    """Print a step and its time."""
    started = time.perf_counter()
    yield
    if not quiet:
        print(f"  {name:<24}{time.perf_counter() - started:6.1f} s", flush=True)  # noqa: T201 - progress of a command


def fill(profile: Profile, now: datetime, sizes: Sizes, *, quiet: bool) -> None:
    """Run the steps in the order of the layers."""
    random = Random(SEED)
    names = Names(random)
    if not quiet:
        print(f"正在载入演示城市 Loading the demo city: {profile.name}", flush=True)  # noqa: T201 - progress of a command
    with step("区划与清单 map, catalogue", quiet=quiet):
        load_city(profile, random)
    with step("机构与人员 organisations", quiet=quiet):
        users = load_users(now)
        bodies = load_bodies(profile, random, most=sizes.organisations)
        load_prices(bodies, profile, random, users["city"], users["city2"])
        load_agreements(bodies, local_date(now))
        load_policies(bodies, now)
        load_staff(bodies, names, random, now, most=sizes.staff, dialect=profile.dialect)
    with step("老年人 elders", quiet=quiet):
        people = load_elders(profile, bodies, names, random, now, count=sizes.elders)
        load_grants(users, bodies, people, profile.area)
        analyse()
    with step("两周记录 two weeks of history", quiet=quiet):
        load_devices(people, bodies, now)
        load_history(profile, bodies, people, users, random, now, days=sizes.days, visits_a_day=sizes.visits_a_day)
        load_line(users, bodies, profile.area, now)
        load_alarms(people, now)
        load_applications(people, now)
        load_assessing(bodies, people, users, profile.area, now)
        load_records(people, profile.area, now)
        load_finance(people, bodies, profile.area, now)
        draw_city(system_actor(profile.area), now)
        reckon_standings(profile.area, local_date(now))


def city_only(city: str) -> None:
    """Load a profile without made-up people: its map, calendar, list and schemes. Raises ProfileError, ParameterError."""
    profile = validate(city)
    require_owner()
    with transaction.atomic():
        load_city(profile, Random(SEED))
        system_user()
