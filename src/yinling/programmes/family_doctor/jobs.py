"""Following elders: contracts of those who died or moved away end, the others go where their elders go."""

from __future__ import annotations

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.programmes.family_doctor.operations import follow_elders, stop_after_leaving


@app.periodic(cron="2-59/5 * * * *")
@app.task(queueing_lock="family_doctor.follow", pass_context=False)
def follow(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """End contracts of the dead and the moved away, and bring the others to the elder's new area."""
    for city in list(cities()):
        actor = system_actor(city.div)
        with scope(actor):
            now = business_now()
            follow_elders(city.div)
        stop_after_leaving(actor, now)
