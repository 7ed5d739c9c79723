"""Reading the list of call-backs (P09)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from yinling.accounts.models import Journal
from yinling.ground.kept import KeptFor
from yinling.hotline.models import Callback
from yinling.hotline.states import CallbackState
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_

CALLBACK_TABS = (
    ("due", N_("待回拨")),
    ("later", N_("稍后再拨")),
    ("done", N_("已完成")),
    ("failed", N_("未接通")),
)


WITH = ("elder", "call", "ticket__call", "seat")
NEXT = 5


def callback_tab(tab: str, now: Any) -> Q:
    """Return the condition of a tab of the list."""
    if tab in ("done", "failed"):
        return Q(state=tab)
    is_due = Q(next_at__lte=now) if tab == "due" else Q(next_at__gt=now)
    return Q(state=CallbackState.OPEN) & is_due


def callback_list(actor: Actor, *, now: datetime, tab: str = "due") -> QuerySet[Callback]:
    """Tasks of a tab: open ones as they are to be done (rank, then deadline), finished ones newest first."""
    rows = Callback.objects.visible_to(actor).filter(callback_tab(tab, now))
    order = ["-done_at", "-pk"] if tab in ("done", "failed") else ["rank", "due_at", "pk"]
    return rows.select_related(*WITH).order_by(*order)


def callback_counts(actor: Actor, *, now: datetime) -> dict[str, int]:
    """How many open tasks each tab holds."""
    tabs = {tab: callback_tab(tab, now) for tab in ("due", "later")}
    counts: dict[str, int] = Callback.objects.visible_to(actor).counted(tabs)
    return counts


def _next(rows: QuerySet[Callback], user_id: Any, now: Any) -> QuerySet[Any]:
    own = Case(When(seat_id=user_id, then=Value(0)), default=Value(1), output_field=IntegerField())
    due = rows.filter(callback_tab("due", now)).annotate(own=own)
    return due.select_related(*WITH).order_by("own", "rank", "due_at", "pk")[:NEXT]


DUE: KeptFor[Any] = KeptFor(Callback, _next, "user_id", "now")


def next_callbacks(actor: Actor, now: datetime) -> list[Any]:
    """The tasks to be done next, one's own first: what the desk shows."""
    return DUE(actor, user_id=actor.user_id, now=now)


def overdue_callbacks(actor: Actor, now: datetime) -> list[Callback]:
    """Open tasks that should be done by now and of which the leaders have not been told."""
    rows = Callback.objects.visible_to(actor).filter(state=CallbackState.OPEN, due_at__lt=now, next_at__lte=now)
    found = list(rows.order_by("due_at", "pk")[:500])
    told = Journal.objects.filter(
        event="hotline.callback.remind", subject_type="callback", subject_id__in=[row.pk for row in found]
    )
    known = set(told.values_list("subject_id", flat=True))
    return [row for row in found if row.pk not in known]
