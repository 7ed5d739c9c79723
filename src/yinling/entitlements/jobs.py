"""Tidying up after elders who died or moved, and what goes on by itself with applications and budgets."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor, working_calendar
from yinling.entitlements.operations import (
    call_up_application,
    follow_elders,
    follow_grades,
    free_ended,
    next_in_line,
    recount_application,
    remind_of_end,
    stop_after_leaving,
    stop_application,
)
from yinling.entitlements.operations.standings import reckon_standings
from yinling.entitlements.queries import to_be_stopped
from yinling.entitlements.queries.applications import budgets_with_waiters, expiring, left_behind, provisional
from yinling.entitlements.queries.procedures import procedure_of
from yinling.entitlements.queries.sets import active_schemes
from yinling.ground.clock import business_now
from yinling.ground.rounds import daily
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal

MOST_A_ROUND = 500
LONGEST_NOTICE = 120
"""Days; no scheme reminds earlier."""


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="entitlements.follow", pass_context=False)
def follow(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """End entitlements of the dead and the moved away, and bring the others to the elder's new area."""
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            now = business_now()
            follow_elders(city.div)
        stop_entitlements(actor, now)


def stop_entitlements(actor: Actor, now: datetime, elder_id: int | None = None) -> int:
    """End the entitlements of the dead and the moved away of an area, or of one elder; return how many."""
    with scope(actor):
        due = list(to_be_stopped(actor.div or "", local_date(now), elder_id)[:MOST_A_ROUND])
    count = 0
    for row in due:
        try:
            with scope(actor):
                count += stop_after_leaving(actor, now, row) is not None
        except Refusal:
            continue
    return count


@app.periodic(cron="3-59/5 * * * *")
@app.task(queueing_lock="entitlements.go_on", pass_context=False)
def go_on(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Withdraw the applications of those who left, give free places to who waits, remind of ends, count provisional deadlines again."""
    for city in list(cities()):
        actor = system_actor(city.div)
        now = business_now()
        with scope(actor):
            for row in left_behind(city.div, local_date(now))[:MOST_A_ROUND]:
                stop_application(actor, now, row)
            free_ended(city.div, local_date(now))
            recount(actor, now)
        call_up(actor, now)
        with scope(actor):
            remind(city.div, now)


def recount(actor: Actor, now: datetime) -> None:
    """Count last days again whose years have a calendar since (X-CAL-03)."""
    calendar = working_calendar()
    for row in provisional(actor.div or "")[:MOST_A_ROUND]:
        if row.due_on is not None and not calendar.is_provisional(row.due_on):
            recount_application(actor=actor, now=now, application_id=row.pk)


def call_up(actor: Actor, now: datetime) -> int:
    """Give the places of each budget to those who wait, in their order, as long as there is room; return how many."""
    with scope(actor):
        budgets = [row.pk for row in budgets_with_waiters(actor.div or "")]
    count = 0
    for pk in budgets:
        for _ in range(MOST_A_ROUND):
            with scope(actor):
                row = next_in_line(pk, now)
                if row is None:
                    break
                call_up_application(actor=actor, now=now, application_id=row.pk)
            count += 1
    return count


def remind(div: str, now: datetime) -> None:
    """Tell the elder side before an entitlement runs out, as long before as the scheme says."""
    today = local_date(now)
    for row in expiring(div, today, LONGEST_NOTICE):
        procedure = procedure_of(row.scheme.code, row.div, today)
        if procedure and row.valid_to and (row.valid_to - today).days <= procedure.remind_days:
            remind_of_end(now, row)


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="entitlements.reckon", pass_context=False)
def reckon(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Reckon the lists of every scheme anew, once a day: at the first tick of the day, also after the clock was moved."""
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            today = local_date(business_now())
            if any(scheme.reckoned_on != today for scheme in active_schemes(city.div)):
                reckon_standings(city.div, today)


@app.periodic(cron=daily(1, 20))
@app.task(queueing_lock="entitlements.follow_grades", pass_context=False)
def grades(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Let what an insurance gives follow the grades on record, each night."""
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            now = business_now()
        follow_grades(actor, now)
