"""Keeping results where their elders are."""

from __future__ import annotations

from procrastinate.contrib.django import app

from yinling.assessment.operations import follow_elders
from yinling.directory.queries import cities, system_actor
from yinling.ground.scope import scope


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="assessment.follow", pass_context=False)
def follow(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Bring results to the area their elders moved to."""
    for city in list(cities()):
        with scope(system_actor(city.div)):
            follow_elders(city.div)
