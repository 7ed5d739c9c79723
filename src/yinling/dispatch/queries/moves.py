"""What moving one visit in a plan would do, asked live while it is dragged."""

from __future__ import annotations

from datetime import datetime

from yinling.dispatch.models import DayPlan
from yinling.dispatch.queries.boards import Effect
from yinling.kernel.actor import Actor


def effect_of_move(
    actor: Actor, plan: DayPlan, order_id: int, slot: int, staff_id: int | None, position: int | None = None,
    starts_at: datetime | None = None,
) -> Effect:  # fmt: skip
    """Return the effect of giving a visit to a carer at a place in the round (from 0) or at a time; ``staff_id`` None takes it out."""
    return Effect(feasible=False)
