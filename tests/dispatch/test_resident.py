"""The resident ranking: built from the database, following it, killed and started again; and eight desks that want the same carer."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time as clock
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import conninfo_to_dict
from tests.factories import (
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    WIDE,
    actor,
    make_absence,
    make_area_tree,
    make_elder,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
)

from yinling.accounts.queries import audit_connection
from yinling.directory.models import Staff
from yinling.directory.operations import report_absence, suspend_staff
from yinling.dispatch.models import LIVE, Assignment
from yinling.dispatch.operations import assign_order, refuse_assignment
from yinling.dispatch.queries import RankingView, carers_of_day, ranking, sent_out, with_needs
from yinling.dispatch.ranker import exchange, socket_for
from yinling.dispatch.resident.memory import Resident
from yinling.ground.clock import real_now
from yinling.ground.models import ClockOffset
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order

START = NOW + timedelta(days=1, hours=1)
DAY = TODAY + timedelta(days=1)
pytestmark = pytest.mark.django_db(transaction=True)


class City:
    """A provider of some carers around one elder, and orders of the next day; everything committed."""

    def __init__(self) -> None:
        make_area_tree()
        self.price = make_price(make_item(needs_qualification="", family="care"), make_organisation())
        self.body = self.price.organisation
        self.carers = [make_staff(self.body, qualified=("induction",)) for _ in range(6)]
        self.dispatcher = actor("dispatcher")
        self.seat = actor("seat")

    def wanted(self, starts_at: Any = START, *, lon: float = 120.30, width: int = 0, **values: Any) -> Order:
        elder = make_elder(household=make_household(lon=lon, lat=31.57))
        window = {"earliest_at": starts_at, "latest_at": starts_at + timedelta(minutes=width)}
        return make_order("placed", price=self.price, elder=elder, starts_at=starts_at, **window, **values)

    def assign(self, order: Order, staff: Staff, **values: Any) -> Assignment:
        with scope(self.dispatcher):
            return assign_order(
                actor=self.dispatcher, now=NOW, order_id=order.pk, staff_id=staff.pk, choice_reason="测试", **values
            )

    def ranking(self, order: Order, who: Actor | None = None, limit: int = 10) -> RankingView:
        with scope(who or self.dispatcher):
            return ranking(actor=who or self.dispatcher, order=Order.objects.get(pk=order.pk), now=NOW, limit=limit)


@pytest.fixture
def city(settings: Any) -> City:
    settings.DEMO = True
    with scope(WIDE):
        ClockOffset.objects.update_or_create(pk=1, defaults={"seconds": round((NOW - real_now()).total_seconds())})
        return City()


@pytest.fixture
def resident(city: City) -> Iterator[Resident]:
    with audit_connection() as audit:
        audit.autocommit = True
        made = Resident(audit, ["3202"])
        made.load(DAY)
        yield made


def held(resident: Resident, day: date = DAY) -> tuple[int, int, int]:
    return resident.rosters[day].totals()


def in_database(city: City) -> tuple[int, int]:
    with scope(WIDE):
        carers = carers_of_day(DAY, sent_out(Staff.objects.filter(provider=city.body)))
    return len(carers), sum(len(one.booked) for one in carers)


def test_what_is_committed_is_followed_without_any_notice(city: City, resident: Resident) -> None:
    assert held(resident)[:2] == in_database(city) == (6, 0)
    with scope(WIDE):
        first, second = city.wanted(), city.wanted(START + timedelta(hours=3))
    row = city.assign(first, city.carers[0])
    city.assign(second, city.carers[0])
    assert held(resident)[:2] == (6, 0)
    assert resident.follow() == 1
    assert held(resident)[:2] == in_database(city) == (6, 2)
    with scope(city.seat):
        cancel_order(actor=city.seat, now=NOW, order_id=second.pk, reason="改期")
    boss = actor_of(city)
    with scope(boss):
        refuse_assignment(actor=boss, now=NOW, assignment_id=row.pk, reason="没空")
    resident.follow()
    assert held(resident)[:2] == in_database(city) == (6, 0)
    assert resident.follow() == 0


def actor_of(city: City) -> Actor:
    with scope(WIDE):
        return actor("provider_manager", organisation=city.body)


def test_people_are_followed_too(city: City, resident: Resident) -> None:
    boss = actor_of(city)
    with scope(WIDE):
        ill, stopped = city.carers[:2]
        suspend_staff(actor=city.dispatcher, now=NOW, staff=stopped, cause="finding:1", reason="核查")
    with scope(boss):
        report_absence(actor=boss, now=NOW, staff_id=ill.pk, kind="sick", from_at=START - timedelta(hours=4), reason="")
    resident.follow()
    columns = resident.rosters[DAY].columns
    by_staff = {int(carer.staff): gate for carer, gate in zip(columns.carers, columns.gates, strict=True)}
    assert (by_staff[ill.pk].away, by_staff[stopped.pk].against != 0) == (1, True)


def test_what_no_journal_tells_is_found_by_comparing_totals(city: City, resident: Resident) -> None:
    with scope(WIDE):
        order = city.wanted()
    row = city.assign(order, city.carers[0])
    assert resident.reconcile() == []
    with scope(WIDE):
        Assignment.objects.filter(pk=row.pk).update(starts_at=row.starts_at + timedelta(minutes=1))
        make_staff(city.body)
    assert set(resident.reconcile()) == {TODAY, DAY}
    assert held(resident)[:2] == (7, 1)
    assert resident.reconcile() == []


def test_days_are_held_as_they_are_asked_and_forgotten_when_over(city: City, resident: Resident) -> None:
    today = resident.today()
    asked = {
        "provider_id": 1,
        "day": "",
        "div": "",
        "lon": None,
        "lat": None,
        "seconds": 60,
        "needs": [],
        "wants_sex": "",
        "dialect": "",
    }
    asked |= dict.fromkeys(("earliest", "latest", "wish"), f"{today + timedelta(days=3)}T08:00:00+08:00")
    asked["prices"] = {
        "travel_minute": 1, "new_face": 1, "other_dialect": 1, "workload_hour": 1, "pace": [1, 1, 1], "factor": [1, 1, 1], "mode": "car"
    }  # fmt: skip
    far, soon = today + timedelta(days=99), today + timedelta(days=3)
    assert resident.answer({"rank": asked | {"day": far.isoformat()}}) == {"later": far.isoformat()}
    assert resident.answer({"rank": asked | {"day": soon.isoformat()}}) == {"later": soon.isoformat()}
    resident.rosters[today - timedelta(days=1)] = resident.rosters[DAY]
    resident.follow()
    assert set(resident.near_days()) | {soon} <= set(resident.rosters)
    assert today - timedelta(days=1) not in resident.rosters
    assert resident.answer({"rank": asked | {"day": soon.isoformat()}})["found"]["counts"] == {"free": 0}


@pytest.fixture
def started(
    city: City, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start the process beside the tests, on their database and clock."""
    folder = Path("/tmp") / f"yl-{os.getpid()}"  # noqa: S108 - the path of a socket must be short
    folder.mkdir(mode=0o700, exist_ok=True)
    path = str(folder / "r.sock")
    settings.DISPATCH_SOCKETS = {"": path}
    monkeypatch.setattr("yinling.dispatch.ranker.PATIENCE_S", 60)
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        environment = dict(os.environ) | {"DATABASE_URL": served(), "YINLING_DISPATCH": path, "YINLING_DEMO": "1"}
        running.append(subprocess.Popen([sys.executable, "-m", "yinling.dispatch.resident"], env=environment))
        deadline = clock.monotonic() + 90
        while exchange({"state": {}}) is None:
            assert running[-1].poll() is None
            assert clock.monotonic() < deadline
            clock.sleep(0.1)
        return running[-1]

    yield start
    for process in running:
        process.terminate()
        process.wait(10)
    Path(path).unlink(missing_ok=True)
    folder.rmdir()


def served() -> str:
    parts = conninfo_to_dict(settings.DATABASE_URL)
    name = connection.settings_dict
    return f"postgresql://{name['USER']}@/{name['NAME']}?host={parts.get('host', '')}&port={parts.get('port', '')}"


def eventually(check: Callable[[], bool]) -> bool:
    deadline = clock.monotonic() + 60
    while not check() and clock.monotonic() < deadline:
        clock.sleep(0.02)
    return check()


@pytest.mark.slow
@pytest.mark.req("R-ORD-06")
def test_the_process_answers_as_the_database_does_and_survives_being_killed(city: City, started: Any) -> None:
    with scope(WIDE):
        orders = [
            city.wanted(START + timedelta(minutes=20 * number), lon=120.3 + number / 100, width=90)
            for number in range(5)
        ]
        make_absence(city.carers[3], from_at=START)
    silent = [city.ranking(order) for order in orders]
    assert not any(view.is_live for view in silent)
    process = started()
    live = [city.ranking(order) for order in orders]
    assert all(view.is_live for view in live)
    assert [view.proposals for view in live] == [view.proposals for view in silent]
    best = live[0].proposals[0]
    city.assign(orders[0], Staff(pk=best.staff_id), starts_at=best.starts_at, route=best.route)
    wanted = orders[1]
    assert eventually(lambda: city.ranking(wanted).is_live and stops() == 1)
    after = city.ranking(wanted)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    alone = city.ranking(wanted)
    assert (alone.is_live, alone.proposals, alone.counts) == (False, after.proposals, after.counts)
    started()
    again = city.ranking(wanted)
    assert (again.is_live, again.proposals, again.counts) == (True, after.proposals, after.counts)
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(socket_for(""))
        link.sendall(b"what?\n")
        assert link.recv(10) == b""
    assert exchange({"state": {}}) is not None


def stops() -> int:
    state = exchange({"state": {}}) or {}
    return sum(day[1] for day in state["days"].values())


def test_rights_and_scope_hold_whatever_the_resident_knows(city: City) -> None:
    with scope(WIDE):
        order = with_needs(Order.objects.filter(pk=city.wanted().pk)).get()
        stranger = actor("provider_manager", organisation=make_organisation(div=OTHER_COMMUNITY))
        assert len(ranking(actor=city.dispatcher, order=order, now=NOW).proposals) == len(city.carers)
    with scope(stranger):
        assert ranking(actor=stranger, order=order, now=NOW).proposals == ()


@pytest.mark.req("R-ORD-06")
def test_of_eight_desks_that_want_the_same_carer_by_what_they_saw_one_wins(city: City) -> None:
    with scope(WIDE):
        orders = [city.wanted(START + timedelta(minutes=70 * number - 170), width=5) for number in range(8)]
    seen = {order.pk: city.ranking(order).proposals for order in orders}
    wanted = seen[orders[0].pk][0].staff_id
    chosen = {pk: next(one for one in shown if one.staff_id == wanted) for pk, shown in seen.items()}
    answers: list[str] = []
    gate = threading.Barrier(len(orders))

    def choose(order: Order) -> None:
        one = chosen[order.pk]
        try:
            gate.wait(60)
            city.assign(order, Staff(pk=wanted), starts_at=one.starts_at, route=one.route)
            answers.append("won")
        except Refusal as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=choose, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["dispatch.route_changed"] * 7 + ["won"]
    with scope(WIDE):
        assert Assignment.objects.filter(staff_id=wanted, state__in=LIVE).count() == 1


def test_of_several_residents_the_narrowest_area_answers(settings: Any) -> None:
    settings.DISPATCH_SOCKETS = {"3202": "/city", "320213": "/district"}
    assert [socket_for(div) for div in ("320213021", "320281", "3302")] == ["/district", "/city", ""]
