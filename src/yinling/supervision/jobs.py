"""Live supervision: every five seconds the rules look at what was touched since the last round. Monthly samples for a look on site."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.rounds import daily, tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import ONE_DAY, local_date, month_start
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order
from yinling.supervision.engine import Hit
from yinling.supervision.operations import draw_site_checks, note_round, write_finding
from yinling.supervision.queries import last_round, look, look_at_all, to_check, unknown

logger = logging.getLogger("yinling.supervision")


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="live_round")
def live_round(timestamp: int = 0) -> int:  # noqa: ARG001 - given by the scheduler
    """Look at what changed or became late, write what the rules catch; return how many findings are new."""
    return run_round(business_now())


@app.periodic(cron=daily(4, 35))
@app.task(queueing_lock="supervision.site_checks", pass_context=False)
def site_checks(timestamp: int) -> int:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Draw each night what is still to be looked at on site of the month before; return in how many cities something was drawn."""
    now = business_now()
    return sum(draw_city(system_actor(city.div), now) for city in list(cities()))


def draw_city(actor: Actor, now: datetime) -> bool:
    """Draw what one city still lacks of the month before."""
    month = month_start(month_start(local_date(now)) - ONE_DAY)
    with scope(actor):
        is_due = bool(to_check(actor.div or "", month))
    return is_due and tried(actor, now, draw_site_checks, month=month)


def run_round(now: datetime) -> int:
    """One round at a moment of the business clock."""
    began = time.monotonic()
    seen = look(now, last_round())
    found = write_all(seen.hits, now=now)
    note_round(now=now, seen=seen, took_ms=int((time.monotonic() - began) * 1000), found=found)
    return found


def run_all(day_from: date, day_to: date) -> int:
    """Run every rule over all orders of some days and write what is new; return how many."""
    now = business_now()
    return write_all(look_at_all(day_from, day_to, now).hits, now=now)


def write_all(hits: Iterable[Hit], *, now: datetime) -> int:
    """Write the hits that no finding stands for, each in a transaction of its own."""
    waiting = list(hits)
    if not waiting:
        return 0
    return sum(write_city(system_actor(city.div), waiting, now=now) for city in cities())


def write_city(actor: Actor, hits: list[Hit], *, now: datetime) -> int:
    """Write the hits about orders of one city."""
    with scope(actor):
        ours = set(
            Order.objects.within(str(actor.div))
            .filter(pk__in={hit.order_id for hit in hits})
            .values_list("pk", flat=True)
        )
        fresh = unknown(hit for hit in hits if hit.order_id in ours)
    for hit in fresh:
        with scope(actor):
            write_hit(actor, hit, now=now)
    return len(fresh)


def write_hit(actor: Actor, hit: Hit, *, now: datetime) -> None:
    """Write one hit; one that is refused does not stop the others."""
    try:
        write_finding(
            actor=actor, now=now, order_id=hit.order_id, rule=hit.rule.code, key=hit.key, visit_id=hit.visit_id, staff_id=hit.staff_id,
            happened_at=datetime.fromtimestamp(hit.happened_at, UTC), facts=hit.facts,
        )  # fmt: skip
    except Refusal as refusal:
        logger.warning("finding %s: %s", hit.key, refusal.code)
