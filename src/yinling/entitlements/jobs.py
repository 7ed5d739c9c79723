"""Tidying up after elders who died or moved."""

from __future__ import annotations

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.entitlements.operations import follow_elders, stop_after_leaving
from yinling.entitlements.queries import to_be_stopped
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.period import local_date


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="entitlements.follow", pass_context=False)
def follow(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """End entitlements of the dead and the moved away, and bring the others to the elder's new area."""
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            now = business_now()
            follow_elders(city.div)
            for row in to_be_stopped(city.div, local_date(now)):
                stop_after_leaving(actor, now, row)
