"""Settling what is due."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.settlement.operations import draft_recovery, lift_recovery, return_recovery, settle_order
from yinling.settlement.queries import due_orders, overpaid, unfounded_recoveries
from yinling.settlement.states import RecoveryState

MOST_A_ROUND = 200
CORRECTED = N_("去世或迁出的登记已更正")
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


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="settlement.recover", pass_context=False)
def recover(timestamp: int = 0) -> None:  # noqa: ARG001 - the timer passes it
    """Draw up and give up recovery lists in every city."""
    for city in list(cities()):
        recover_overpaid(system_actor(city.div), business_now())


def recover_overpaid(actor: Actor, now: datetime, elder_id: int | None = None) -> int:
    """List what was performed after a death or a move, in an area or of one elder, and give up lists whose cause is gone."""
    area = actor.div or ""
    with scope(actor):
        gone = unfounded_recoveries(area, elder_id)
        late = sorted({one.order.elder_id for one in overpaid(area, now, elder_id)})[:MOST_A_ROUND]
    done = 0
    for row in gone:
        give_up = lift_recovery if row.state == RecoveryState.APPROVED else return_recovery
        done += _tried(actor, now, give_up, recovery_id=row.pk, reason=CORRECTED)
    for pk in late:
        done += _tried(actor, now, draft_recovery, elder_id=pk)
    return done


def _tried(actor: Actor, now: datetime, perform: Callable[..., Any], **values: Any) -> bool:
    """Run one operation; what somebody else changed meanwhile waits for the next round."""
    try:
        with scope(actor):
            perform(actor=actor, now=now, **values)
    except Refusal as refusal:
        logger.info("%s: %s", values, refusal.code)
        return False
    return True
