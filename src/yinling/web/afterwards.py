"""What a screen runs at once after some operations: the steps of later contexts that a job would run within minutes.

A context never knows later ones, so it cannot stop their rows itself. Each later context has a puller for its own part
(``orders.jobs.stop_orders`` and its like); here they are called one after the other for one elder, in the same transaction as the
screen's operation. A later programme with plans of its own (outreach, home beds) adds its puller to ``STEPS``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from yinling.devices.jobs import take_up_alarm
from yinling.directory.queries import system_actor
from yinling.dispatch.jobs import inform_carers, withdraw_orphans
from yinling.entitlements.jobs import stop_entitlements
from yinling.hotline.models import Call
from yinling.kernel.actor import Actor
from yinling.orders.jobs import stop_orders
from yinling.people.models import Circumstance, Elder
from yinling.people.stops import STOPPING
from yinling.settlement.jobs import recover_overpaid

STEPS: tuple[Callable[[Actor, datetime, int], int], ...] = (
    stop_orders,
    withdraw_orphans,
    inform_carers,
    stop_entitlements,
    recover_overpaid,
)
OF_ELDERS = frozenset({"bury_elder", "correct_death", "relocate_elder"})
PROVINCE = 2
"""Orders and entitlements may lie in another city of the province than the elder."""


def follow_up(name: str, result: Any, now: datetime) -> None:
    """Stop, or take up again, what a death, a move or a stay away from home touches (R-PEO-03); take up the alarm whose call was answered."""
    if isinstance(result, Elder) and name in OF_ELDERS:
        run_stops(result.pk, result.div, now)
    elif isinstance(result, Circumstance) and result.kind in STOPPING:
        run_stops(result.elder_id, result.div, now)
    elif isinstance(result, Call) and name == "answer_call":
        take_up_alarm(system_actor(result.div[:PROVINCE]), now, result.pk)


def run_stops(elder_id: int, div: str, now: datetime) -> int:
    """Run every step for one elder; return how many rows changed."""
    actor = system_actor(div[:PROVINCE])
    return sum(step(actor, now, elder_id) for step in STEPS)
