"""Rounds of the devices: deadlines of alarms every second, silence every minute. What is due stands in rows, so a stop loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from procrastinate.contrib.django import app

from yinling.devices.operations import escalate_alarm, forget_event, open_task
from yinling.devices.queries import alarm_of_call, due_alarms, unsettled_alarms
from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal

logger = logging.getLogger("yinling.devices")


@app.periodic(cron="* * * * * *")
@app.task(queue="alarms", queueing_lock="devices.sweep_alarms")
def sweep_alarms(timestamp: int = 0) -> int:  # noqa: ARG001 - given by the scheduler
    """Run the steps of alarms that are due; return for how many alarms."""
    now = business_now()
    return sum(sweep_city(system_actor(city.div), now) for city in cities())


def sweep_city(actor: Actor, now: datetime) -> int:
    """Do what is due in one city, an alarm at a time, each in a transaction of its own."""
    with scope(actor):
        due = [*due_alarms(actor.div or "", now), *unsettled_alarms(actor.div or "")]
    return _each(actor, now, dict.fromkeys(due), escalate_alarm)


def _each(actor: Actor, now: datetime, found: Iterable[int], perform: Callable[..., Any]) -> int:
    count = 0
    for pk in found:
        try:
            with scope(actor):
                perform(actor=actor, now=now, alarm_id=pk)
        except Refusal as refusal:  # one alarm must not stop the others
            logger.warning("alarm %s: %s", pk, refusal.code)
            continue
        count += 1
    return count


def take_up_alarm(actor: Actor, now: datetime, call_id: int) -> int:
    """Note at once that a seat answered an alarm's call; the sweeper would within a second. Returns how many alarms that touched."""
    alarm = alarm_of_call(call_id)
    return _each(actor, now, [alarm.pk] if alarm else [], escalate_alarm)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="devices.find_silent")
def find_silent(timestamp: int = 0) -> int:  # noqa: ARG001 - given by the scheduler
    """Open tasks about devices that fell silent; return how many."""
    now, count = business_now(), 0
    for city in cities():
        actor = system_actor(city.div)
        with scope(actor):
            count += open_task(actor=actor, now=now, div=city.div)
    return count


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="devices.forget_heartbeats")
def forget_heartbeats(timestamp: int = 0) -> int:  # noqa: ARG001 - given by the scheduler
    """Delete heartbeats whose time is over, a hundred thousand in a transaction; return how many rows went."""
    now, count = business_now(), 0
    for city in cities():
        actor, gone = system_actor(city.div), 1
        while gone:
            with scope(actor):
                gone = forget_event(actor=actor, now=now, div=city.div)
            count += gone
    return count
