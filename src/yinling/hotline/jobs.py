"""Loops of the hotline."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.utils.module_loading import import_string
from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.models import ClockOffset
from yinling.ground.scope import scope
from yinling.hotline.operations import abandon_call, recount_ticket
from yinling.hotline.ports import Telephony
from yinling.hotline.queries import STREAM_KEY, made_up_callers, recountable_tickets, simulated_calls_waiting
from yinling.hotline.rules import rings_in_minute
from yinling.kernel.actor import Actor

PATIENCE = timedelta(seconds=50)
CALLERS = 500


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


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="simulated_calls")
def simulated_calls(timestamp: int) -> int:
    """Let the calls of this minute ring, if a demonstration has switched its stream on; who waited long has given up."""
    if not settings.DEMO:
        return 0
    pace = ClockOffset.objects.filter(pk=1).values_list("calls_an_hour", flat=True).first() or 0
    count = rings_in_minute(timestamp // 60, pace)
    return sum(ring_in_area(system_actor(city.div), count, timestamp) for city in cities())


def ring_in_area(actor: Actor, count: int, timestamp: int) -> int:
    """Give up the calls nobody took, then ring for some made-up elders; a tick repeated rings nobody twice."""
    line: Telephony = import_string(settings.PORTS["telephony"])()
    now = business_now()
    with scope(actor):
        for call in simulated_calls_waiting(actor, now - PATIENCE):
            abandon_call(actor=actor, now=now, call_id=call.pk)
        callers = made_up_callers(actor, CALLERS) if count else []
        for place in range(count if callers else 0):
            number = secrets.choice(callers).unseal_field("phone")
            line.ring(number, actor=actor, now=now, key=f"{STREAM_KEY}{timestamp}:{place}")
    return count if callers else 0
