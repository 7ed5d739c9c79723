"""Orders that nobody will serve: of the dead and departed, and those a provider took and forgot. Old settled ones are closed.

Bodies are reminded of meals that wait for their word; those that got none end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.rounds import tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.orders.operations import (
    close_order,
    lapse_order,
    readdress_order,
    remind_of_meals,
    resume_order,
    return_silent_order,
    stop_order,
    suspend_order,
)
from yinling.orders.queries import (
    bodies_to_remind,
    lapsed_meals,
    orders_to_readdress,
    orders_to_resume,
    orders_to_stop,
    settled_long_ago,
    silent_orders,
)

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
    with scope(actor):
        silent = list(silent_orders(div, now).values_list("pk", flat=True)[:MOST_A_ROUND])
        old = list(settled_long_ago(div, now).values_list("pk", flat=True)[:MOST_A_ROUND])
        meals = list(lapsed_meals(div, now).values_list("pk", flat=True)[:MOST_A_ROUND])
        bodies = bodies_to_remind(div, now)
    remind = [tried(actor, now, remind_of_meals, organisation_id=pk) for pk in bodies]
    return (
        stop_orders(actor, now) + _each(actor, now, silent, return_silent_order) + _each(actor, now, old, close_order)
        + _each(actor, now, meals, lapse_order) + sum(remind)
    )  # fmt: skip


def stop_orders(actor: Actor, now: datetime, elder_id: int | None = None) -> int:
    """Cancel, suspend, resume and readdress the orders of the area, or of one elder, as circumstances and home ask (R-PEO-03)."""
    div = actor.div or ""
    with scope(actor):
        due = orders_to_stop(div, now, elder_id)[:MOST_A_ROUND]
        home = orders_to_resume(div, now, elder_id)[:MOST_A_ROUND]
        moved = list(orders_to_readdress(div, now, elder_id).values_list("pk", flat=True)[:MOST_A_ROUND])
    return (
        _each(actor, now, [row.pk for row, fate in due if fate.verb == "cancel"], stop_order)
        + _each(actor, now, [row.pk for row, fate in due if fate.verb == "suspend"], suspend_order)
        + _each(actor, now, [row.pk for row in home], resume_order)
        + _each(actor, now, moved, readdress_order)
    )


def _each(actor: Actor, now: datetime, found: Iterable[int], perform: Callable[..., Any]) -> int:
    return sum(tried(actor, now, perform, order_id=pk) for pk in found)
