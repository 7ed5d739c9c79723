"""Orders that nobody will serve: of the dead and departed, and those a provider took and forgot. Old settled ones are closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.orders.operations import cancel_order, close_order, return_silent_order
from yinling.orders.queries import orders_of_the_departed, settled_long_ago, silent_orders

MOST_A_ROUND = 500


@app.periodic(cron="*/2 * * * *")
@app.task(queueing_lock="orders.sweep", pass_context=False)
def sweep(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Run a round in every city."""
    for div in [area.div for area in cities()]:
        sweep_city(div, business_now())


def sweep_city(div: str, now: datetime) -> int:
    """Do what is due in one city; return how many orders changed. A row somebody else changed meanwhile waits for the next round."""
    actor = system_actor(div)
    return (
        _each(actor, now, orders_of_the_departed, cancel_order, reason=N_("老人已去世或迁出"))
        + _each(actor, now, silent_orders, return_silent_order)
        + _each(actor, now, settled_long_ago, close_order)
    )


def _each(
    actor: Actor,
    now: datetime,
    due: Callable[[str, datetime], QuerySet[Any]],
    perform: Callable[..., Any],
    **values: str,
) -> int:
    with scope(actor):
        found = list(due(actor.div or "", now).values_list("pk", flat=True)[:MOST_A_ROUND])
    count = 0
    for pk in found:
        try:
            with scope(actor):
                perform(actor=actor, now=now, order_id=pk, **values)
        except Refusal:
            continue
        count += 1
    return count
