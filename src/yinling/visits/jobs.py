"""Once a week: what finished visits say about ways and services is put before the dispatchers."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.dispatch.operations import propose_correction, replace_correction
from yinling.dispatch.queries.learned import Standing, standings
from yinling.dispatch.samples import verdict
from yinling.ground.clock import business_now
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.visits.measures import Measured, measured


@app.periodic(cron="40 18 * * 0")
@app.task(queueing_lock="visits.learn", pass_context=False)
def learn(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Learn in every city, in the night to Monday."""
    for div in [area.div for area in cities()]:
        learn_of(div, business_now())


def learn_of(div: str, now: datetime) -> int:
    """Propose what is new in one city and withdraw what is no longer so; return how many rows changed."""
    actor = system_actor(div)
    share = float(parameter("learned.news_share", div, local_date(now)))
    with scope(actor):
        found, known = measured(div, now), standings(div)
    return sum(_settle(actor, now, one, known.get(one.key, Standing()), share) for one in found)


def _settle(actor: Actor, now: datetime, one: Measured, standing: Standing, share: float) -> bool:
    used, proposed, rejected = (
        None if row is None else row.value for row in (standing.used, standing.proposed, standing.rejected)
    )
    before = one.booked if used is None else used
    wanted = verdict(one.summary, before=before, proposed=proposed, rejected=rejected, share=share)
    try:
        with scope(actor):
            if wanted == "propose":
                propose_correction(actor=actor, now=now, before=before, **one.as_arguments())
            elif wanted == "drop" and standing.proposed is not None:
                replace_correction(actor=actor, now=now, correction_id=standing.proposed.pk)
    except Refusal:
        return False
    return bool(wanted)
