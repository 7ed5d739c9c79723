"""Loops of the hotline."""

from __future__ import annotations

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.hotline.operations import recount_ticket
from yinling.hotline.queries import recountable_tickets
from yinling.kernel.actor import Actor


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="recount_deadlines")
def recount_deadlines(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Count provisional deadlines again once their calendar is there; return how many changed."""
    return sum(recount_area(system_actor(city.div)) for city in cities())


def recount_area(actor: Actor) -> int:
    """Count again in one city, one operation each."""
    now = business_now()
    with scope(actor):
        rows = recountable_tickets(actor)
        for row in rows:
            recount_ticket(actor=actor, now=now, ticket_id=row.pk)
    return len(rows)
