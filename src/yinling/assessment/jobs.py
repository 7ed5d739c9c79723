"""Keeping results where their elders are, and taking back the applications of those who died."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

from yinling.assessment.operations import follow_elders, grade_health, withdraw_request
from yinling.assessment.queries import due_for_grading, requests_of_dead
from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_

MOST_A_ROUND = 500


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="assessment.follow", pass_context=False)
def follow(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Bring results to the area their elders moved to; withdraw what was applied for the dead."""
    now = business_now()
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            follow_elders(city.div)
        withdraw_of_dead(actor, now)


def withdraw_of_dead(actor: Actor, now: datetime) -> int:
    """Withdraw the applications of those who died before anybody assessed them; return how many."""
    with scope(actor):
        due = list(requests_of_dead(actor.div or "").values_list("pk", flat=True)[:MOST_A_ROUND])
    count = 0
    for pk in due:
        try:
            with scope(actor):
                withdraw_request(actor=actor, now=now, request_id=pk, reason=N_("老人已登记去世"))
                count += 1
        except Refusal:
            continue
    return count


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="assessment.grade", pass_context=False)
def grade(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Reckon the grades of health management that news has made old."""
    now = business_now()
    for city in list(cities()):
        grade_city(system_actor(city.div), now)


def grade_city(actor: Actor, now: datetime) -> int:
    """Reckon what is due in one city; return how many grades were given."""
    with scope(actor):
        due = list(due_for_grading(actor.div or "", local_date(now)).values_list("pk", flat=True)[:MOST_A_ROUND])
    count = 0
    for pk in due:
        try:
            with scope(actor):
                grade_health(actor=actor, now=now, elder_id=pk)
                count += 1
        except Refusal:
            continue
    return count
