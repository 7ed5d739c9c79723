"""Settling what is due."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal
from yinling.settlement.operations import settle_order
from yinling.settlement.queries import due_orders

MOST_A_ROUND = 200
logger = logging.getLogger("yinling.settlement")


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="settle_due", pass_context=False)
def settle_due(timestamp: int = 0) -> int:  # noqa: ARG001 - the timer passes it
    """Settle orders whose waiting time after the service is over; return how many."""
    done = 0
    now = business_now()
    for city in cities():
        actor = system_actor(city.div)
        with scope(actor):
            due = list(due_orders(city.div, now).values_list("pk", flat=True)[:MOST_A_ROUND])
        for order_id in due:
            with scope(actor):
                try:
                    settle_order(actor=actor, now=now, order_id=order_id)
                    done += 1
                except Refusal as refusal:
                    logger.info("order %s: %s", order_id, refusal.code)
    return done
