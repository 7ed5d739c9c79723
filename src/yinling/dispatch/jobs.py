"""Offers nobody answered, and carers named for orders that were cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.dispatch.operations import expire_assignment, withdraw_orphan
from yinling.dispatch.queries import orphans, overdue_offers
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal

MOST_A_ROUND = 500


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="dispatch.expire_offers", pass_context=False)
def expire_offers(timestamp: int) -> None:  # noqa: ARG001 - the time of the tick, which a lost tick makes wrong
    """Run a round in every city."""
    for div in [area.div for area in cities()]:
        expire_offers_of(div, business_now())


def expire_offers_of(div: str, now: datetime) -> int:
    """Do what is due in one city; return how many assignments ended. A row somebody else changed waits for the next round."""
    actor = system_actor(div)
    with scope(actor):
        due = list(overdue_offers(div, now).values_list("pk", flat=True)[:MOST_A_ROUND])
    return _each(actor, now, due, expire_assignment) + withdraw_orphans(actor, now)


def withdraw_orphans(actor: Actor, now: datetime, elder_id: int | None = None) -> int:
    """Free the carers of the area, or of one elder, whose order was cancelled or suspended."""
    with scope(actor):
        rows = orphans(actor.div or "")
        if elder_id is not None:
            rows = rows.filter(elder_id=elder_id)
        due = list(rows.values_list("pk", flat=True)[:MOST_A_ROUND])
    return _each(actor, now, due, withdraw_orphan)


def _each(actor: Actor, now: datetime, found: Iterable[int], perform: Callable[..., Any]) -> int:
    count = 0
    for pk in found:
        try:
            with scope(actor):
                perform(actor=actor, now=now, assignment_id=pk)
        except Refusal:
            continue
        count += 1
    return count
