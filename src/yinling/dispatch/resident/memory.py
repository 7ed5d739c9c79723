"""What the resident ranking holds, how it is built, and how it follows the database."""

from __future__ import annotations

import logging
import resource
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import psycopg

from yinling.directory.models import Staff
from yinling.directory.queries import system_actor
from yinling.dispatch.planner.enquiry import Enquiry, Prices
from yinling.dispatch.planner.insertion import best_insertions
from yinling.dispatch.planner.roster import Roster
from yinling.dispatch.queries import carers_of_day, sent_out
from yinling.dispatch.queries.carers import booked_totals
from yinling.dispatch.rules import Carer
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.period import local_date

CHUNK = 2000
DAYS_AHEAD, MOST_DAYS = 30, 16
TOUCHED = """
SELECT subject_type, subject_id, staff_id FROM accounts_journal
WHERE NOT is_refused AND xid >= pg_snapshot_xmin(%(since)s::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot(xid::text::xid8, %(since)s::pg_snapshot)
    AND subject_type = ANY(%(kinds)s)
"""
KINDS = ("assignment", "order", "staff", "absence", "qualification", "suspension", "site")
STAFF_OF_SITES = "SELECT id FROM directory_staff WHERE site_id = ANY(%s)"
DAYS_OF = """
SELECT a.staff_id, (unnest(ARRAY[a.starts_at, o.starts_at, o.earliest_at, o.latest_at]) AT TIME ZONE 'Asia/Shanghai')::date AS day
FROM dispatch_assignment a JOIN orders_order o ON o.id = a.order_id WHERE a.id = ANY(%s) OR a.order_id = ANY(%s)
"""

logger = logging.getLogger("yinling.dispatch")


class Resident:
    """Rosters by day, and how far the journal was followed."""

    def __init__(self, audit: psycopg.Connection[dict[str, Any]], areas: Iterable[str]) -> None:
        self.audit = audit
        self.areas = list(areas)
        self.rosters: dict[date, Roster] = {}
        self.snapshot = self._snapshot()
        self.missing: set[date] = set()
        self.took: dict[date, float] = {}

    def build(self) -> None:
        """Load today and tomorrow, and compile the scan on them."""
        for day in self.near_days():
            self.load(day)
        self.warm_up()

    def near_days(self) -> list[date]:
        """Return the days that are always held."""
        today = self.today()
        return [today, today + timedelta(days=1)]

    def today(self) -> date:
        """Return the business day."""
        return local_date(business_now())

    def load(self, day: date) -> None:
        """Read everything of one day."""
        began, roster = time.perf_counter(), Roster(day)
        for area in self.areas:
            with self._seeing(area) as rows:
                numbers = list(rows.order_by("pk").values_list("pk", flat=True))
                for first in range(0, len(numbers), CHUNK):
                    roster.put(self._carers(day, rows, numbers[first : first + CHUNK]))
        self.rosters[day] = roster
        self.missing.discard(day)
        self.took[day] = took = time.perf_counter() - began
        logger.info(
            "resident ranking: %s, %s carers, %s stops, %.1f s", day, len(roster.provider_of), roster.stop_count, took
        )

    def follow(self) -> int:
        """Read anew whoever was touched by what was committed since the last time; return how many days of carers."""
        with self.audit.transaction():
            self.audit.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            taken = self._snapshot()
            if int(taken.partition(":")[0]) < int(self.snapshot.partition(":")[0]):
                raise RuntimeError("the numbers of transactions began anew")
            touched = self._touched()
        self.snapshot = taken
        for day, staff_ids in touched.items():
            self._reload(day, staff_ids)
        for day in [*self.near_days(), *self.missing]:
            if day not in self.rosters:
                self.load(day)
        self._forget()
        return sum(map(len, touched.values()))

    def _touched(self) -> dict[date, set[int]]:
        named: dict[str, set[int]] = defaultdict(set)
        everywhere: set[int] = set()
        for row in self.audit.execute(TOUCHED, {"since": self.snapshot, "kinds": list(KINDS)}):
            named[row["subject_type"]].add(row["subject_id"])
            if row["staff_id"] and row["subject_type"] not in {"assignment", "order"}:
                everywhere.add(row["staff_id"])
        everywhere |= named["staff"]
        if named["site"]:
            everywhere |= {row["id"] for row in self.audit.execute(STAFF_OF_SITES, [list(named["site"])])}
        found: dict[date, set[int]] = {day: set(everywhere) for day in self.rosters if everywhere}
        if named["assignment"] or named["order"]:
            for row in self.audit.execute(DAYS_OF, [list(named["assignment"]), list(named["order"])]):
                if row["day"] in self.rosters:
                    found.setdefault(row["day"], set()).add(row["staff_id"])
        return found

    def _reload(self, day: date, staff_ids: Iterable[int]) -> None:
        gone, roster = set(staff_ids), self.rosters[day]
        for area in self.areas:
            with self._seeing(area) as rows:
                carers = self._carers(day, rows, sorted(gone))
            roster.put(carers)
            gone -= {one.staff_id for one in carers}
        roster.drop(gone)

    def reconcile(self) -> list[date]:
        """Compare the totals of every day with the database; load anew, and return, those that differ."""
        self.follow()
        wrong = [day for day, roster in self.rosters.items() if self._totals(day) != roster.totals()]
        for day in wrong:
            logger.warning("resident ranking: %s differed from the database and was loaded anew", day)
            self.load(day)
        return wrong

    def _totals(self, day: date) -> tuple[int, int, int]:
        found = (0, 0, 0)
        for area in self.areas:
            with self._seeing(area) as rows:
                staff_ids = list(rows.values_list("pk", flat=True))
                found = tuple(map(sum, zip(found, (len(staff_ids), *booked_totals(day, staff_ids)), strict=True)))  # type: ignore[assignment]
        return found

    def _forget(self) -> None:
        today = self.today()
        kept = sorted(day for day in self.rosters if day >= today)[:MOST_DAYS]
        self.rosters = {day: self.rosters[day] for day in kept}

    def _carers(self, day: date, rows: Any, numbers: list[int]) -> list[Carer]:
        return carers_of_day(day, rows.filter(pk__in=numbers))

    @contextmanager
    def _seeing(self, area: str) -> Iterator[Any]:
        """The carers of an area, as the system sees them."""
        with scope(system_actor(area)):
            yield sent_out(Staff.objects.within(area))

    def _snapshot(self) -> str:
        row = self.audit.execute("SELECT pg_current_snapshot()::text AS snapshot").fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM answers with one row
        return str(row["snapshot"])

    def warm_up(self) -> None:
        """Have the scan compiled, or read from the disk, before anybody waits for it."""
        day = min(self.rosters)
        noon = self.rosters[day].time_of(12 * 3_600_000_000).isoformat()
        prices = Prices(1, 1, 1, 1, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), "walk")
        for carers_needed in (1, 2):
            asked = Enquiry(
                0,
                day.isoformat(),
                "",
                None,
                None,
                noon,
                noon,
                noon,
                60,
                (),
                "",
                "",
                prices,
                carers_needed=carers_needed,
            )
            self.answer({"rank": asked.as_dict()})

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer one question: ``rank`` an order, or the ``state`` of the process."""
        if "rank" not in question:
            held = {
                str(day): [len(one.provider_of), one.stop_count, one.byte_count, self.took[day]]
                for day, one in self.rosters.items()
            }
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            return {"days": held, "snapshot": self.snapshot, "most_bytes": most}
        began = time.process_time()
        asked = Enquiry.of(question["rank"])
        day = date.fromisoformat(asked.day)
        if day not in self.rosters:
            today = self.today()
            if today <= day <= today + timedelta(days=DAYS_AHEAD):
                self.missing.add(day)
            return {"later": asked.day}
        found = best_insertions(self.rosters[day], asked).as_dict()
        return {"found": found, "cpu_ms": (time.process_time() - began) * 1e3}
