"""Who is not sent to whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from yinling.dispatch.models import LIVE, Assignment, Avoidance
from yinling.dispatch.states import AssignmentState
from yinling.ground.models import in_force
from yinling.orders.models import Order


def with_avoidance(rows: QuerySet[Assignment], day: date) -> QuerySet[Any]:
    """Assignments with the avoidance in force between their elder and their carer, if there is one (``avoidance_id``)."""
    kept = Avoidance.objects.filter(in_force(day), elder_id=OuterRef("elder_id"), staff_id=OuterRef("staff_id"))
    return rows.annotate(avoidance_id=Subquery(kept.order_by("pk").values("pk")[:1]))


def given_to(orders: Iterable[Order], day: date) -> dict[int, list[Any]]:
    """Return who goes or went to each order, first and second carer, each with the avoidance: one query."""
    rows = Assignment.objects.filter(order__in=list(orders), state__in=[*LIVE, AssignmentState.DONE])
    found: dict[int, list[Any]] = {}
    for row in with_avoidance(rows, day).order_by("slot", "pk"):
        found.setdefault(row.order_id, []).append(row)
    return found
