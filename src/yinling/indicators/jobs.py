"""Computing the figures of the running and the last week and month, every night."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from yinling.directory.queries import areas_below, cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.rounds import daily
from yinling.ground.scope import scope
from yinling.indicators.operations import compute_values
from yinling.indicators.queries import MONTH, WEEK, period_around
from yinling.kernel.period import local_date


@app.periodic(cron=daily(1, 20))
@app.task(queueing_lock="compute_indicators")
def compute_indicators(timestamp: int = 0) -> int:  # noqa: ARG001 - given by the scheduler
    """Compute all values down to the streets; return for how many divisions."""
    now, done = business_now(), 0
    today = local_date(now)
    periods = {period_around(day, WEEK) for day in (today, today - timedelta(days=7))}
    periods |= {period_around(day, MONTH) for day in (today, today.replace(day=1) - timedelta(days=1))}
    for city in cities():
        actor = system_actor(city.div)
        with scope(actor):
            divs = [city.div, *areas_below(city.div).values_list("div", flat=True)]
        for div in divs:
            for first, end in sorted(periods):
                with scope(actor):
                    compute_values(actor=actor, now=now, div=div, period_from=first, period_to=end)
            done += 1
    return done
