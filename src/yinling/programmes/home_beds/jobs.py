"""Following elders, and billing the bed-days of months that are over."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.rounds import daily, tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.programmes.home_beds.operations import bill_stay, follow_beds, follow_stays, stop_after_leaving
from yinling.programmes.home_beds.queries import stays_with_bills_due


@app.periodic(cron="4-59/5 * * * *")
@app.task(queueing_lock="home_beds.follow", pass_context=False)
def follow(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Close beds of the dead and the moved away, and bring beds and stays to the elder's new area."""
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            now = business_now()
            follow_beds(city.div)
            follow_stays(city.div)
        stop_after_leaving(actor, now)


@app.periodic(cron=daily(3, 40))
@app.task(queueing_lock="home_beds.bill", pass_context=False)
def bill(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Bill each night what is over of the stays of each city."""
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            now = business_now()
        bill_stays(actor, now)


def bill_stays(actor: Actor, now: datetime) -> int:
    """Bill every stay of the actor's area of which a month is over; one that cannot be billed waits for the next night. Return how many."""
    with scope(actor):
        due = stays_with_bills_due(actor.div or "", local_date(now))
    return sum(tried(actor, now, bill_stay, stay_id=row.pk) for row in due)
