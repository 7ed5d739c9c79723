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
from yinling.ground.rounds import daily
from yinling.ground.scope import scope
from yinling.hotline.loops import exchange_area, urge_area
from yinling.hotline.operations import (
    abandon_call,
    check_shift,
    delete_recording,
    divert_call,
    end_offer,
    leave_message,
    offer_call,
    overflow_call,
    recount_ticket,
    remind_callback,
    report_broken,
    warn_of_end,
)
from yinling.hotline.ports import Telephony
from yinling.hotline.queries import (
    STREAM_KEY,
    broken_recordings,
    due_recordings,
    due_steps,
    groups_running_out,
    made_up_callers,
    overdue_callbacks,
    recountable_tickets,
    simulated_calls_waiting,
    unchecked_shifts,
)
from yinling.hotline.rules import rings_in_minute
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date

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


DELETED_AT_ONCE = 500


@app.periodic(cron=daily(3, 25))
@app.task(queueing_lock="delete_due_recordings")
def delete_due_recordings(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Delete the sound of recordings whose time is over; return how many."""
    return sum(delete_in_area(system_actor(city.div)) for city in cities())


def delete_in_area(actor: Actor) -> int:
    """Delete in one city, one operation each; what is left waits for the next night."""
    now = business_now()
    with scope(actor):
        rows = due_recordings(actor, local_date(now), DELETED_AT_ONCE)
        for row in rows:
            delete_recording(actor=actor, now=now, recording_id=row.pk)
    return len(rows)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="check_shifts")
def check_shifts(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Ask of every shift that began whether the seat came; return how many were asked about."""
    return sum(check_shifts_in_area(system_actor(city.div)) for city in cities())


def check_shifts_in_area(actor: Actor) -> int:
    """Ask in one city, one operation each."""
    now = business_now()
    with scope(actor):
        rows = unchecked_shifts(actor, now)
        for row in rows:
            check_shift(actor=actor, now=now, shift_id=row.pk)
    return len(rows)


@app.periodic(cron=daily(8, 10))
@app.task(queueing_lock="warn_of_ending_rosters")
def warn_of_ending_rosters(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Remind the leaders once a day of groups whose published rosters end soon; return how many groups."""
    return sum(warn_in_area(system_actor(city.div)) for city in cities())


def warn_in_area(actor: Actor) -> int:
    """Remind in one city, one operation each."""
    now = business_now()
    with scope(actor):
        rows = groups_running_out(actor, now)
        for row in rows:
            warn_of_end(actor=actor, now=now, group_id=row.pk)
    return len(rows)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="urge_tickets")
def urge_tickets(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Remind of tickets near or beyond their deadline and bring up those long overdue."""
    return sum(urge_area(system_actor(city.div), business_now()) for city in cities())


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="send_exchanges")
def send_exchanges(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Tell other lines of the states they do not know yet."""
    return sum(exchange_area(system_actor(city.div), business_now()) for city in cities())


@app.periodic(cron="* * * * * */5")
@app.task(queue="alarms", queueing_lock="work_the_line")
def work_the_line(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Serve the queue of a line that has no process of its own; return how many steps were taken."""
    if hasattr(import_string(settings.PORTS["telephony"]), "seat_credentials"):
        return 0  # the process beside the SIP edge does it, together with the telephone side of each step
    return sum(work_in_area(system_actor(city.div)) for city in cities())


STEPS = {"overflow": overflow_call, "divert": divert_call, "message": leave_message}


def work_in_area(actor: Actor) -> int:
    """Take the steps that are due in one city, then let calls ring at seats as long as somebody is free."""
    now, taken = business_now(), 0
    with scope(actor):
        for step in due_steps(actor, now):
            if step.verb == "expire":
                end_offer(actor=actor, now=now, offer_id=step.offer_id, outcome="no_answer")
            else:
                STEPS[step.verb](actor=actor, now=now, call_id=step.call_id)
            taken += 1
        while offer_call(actor=actor, now=now) is not None:
            taken += 1
    return taken


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="remind_callbacks")
def remind_callbacks(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Tell the leaders of call-backs whose time is over; return how many."""
    return sum(remind_in_area(system_actor(city.div)) for city in cities())


def remind_in_area(actor: Actor) -> int:
    """Remind in one city, each task once."""
    now = business_now()
    with scope(actor):
        rows = overdue_callbacks(actor, now)
        for row in rows:
            remind_callback(actor=actor, now=now, callback_id=row.pk)
    return len(rows)


CHECKED = 200


@app.periodic(cron=daily(3, 55))
@app.task(queueing_lock="check_recordings")
def check_recordings(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """See whether the newest recordings are still what was stored; return how many are not."""
    return sum(check_in_area(system_actor(city.div)) for city in cities())


def check_in_area(actor: Actor) -> int:
    """Check in one city."""
    now = business_now()
    with scope(actor):
        rows = broken_recordings(actor, CHECKED)
        for row in rows:
            report_broken(actor=actor, now=now, recording=row)
    return len(rows)
