"""Reading tickets: the queue, deadlines, an elder's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from yinling.directory.queries import working_calendar
from yinling.ground.parameters import parameter
from yinling.hotline.models import Callback, Exchange, Supervision, Ticket
from yinling.hotline.rules import UNFINISHED, due
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.queries import find_elders

LAST_TICKETS = 5


TABS = (
    ("open", N_("待受理")),
    ("handling", N_("办理中")),
    ("overdue", N_("已超期")),
    ("resolved", N_("待办结")),
    ("closed", N_("已办结")),
    ("all", N_("全部")),
)


def due_of(kind: str, div: str, received_at: datetime) -> tuple[datetime, bool]:
    """Return by when a ticket of a kind is due in an area, and whether that is provisional."""
    days = int(parameter(f"ticket.due_days.{kind}", div, local_date(received_at)))
    return due(working_calendar(), received_at, days)


def received_at(ticket: Ticket) -> datetime:
    """Return when the clock of a ticket began: that of the ticket it was split from, if any."""
    while ticket.parent is not None:
        ticket = ticket.parent
    return ticket.opened_at


def recountable_tickets(actor: Actor) -> list[Ticket]:
    """Unfinished tickets with a provisional deadline that the calendars loaded now would give otherwise."""
    rows = Ticket.objects.visible_to(actor).filter(is_due_provisional=True, state__in=UNFINISHED)
    calendar = working_calendar()
    found = []
    for row in rows.select_related("parent__parent").order_by("due_at", "id"):
        start = received_at(row)
        days = int(parameter(f"ticket.due_days.{row.kind}", row.div, local_date(start)))
        if due(calendar, start, days) != (row.due_at, True):
            found.append(row)
    return found


def tickets_of(actor: Actor, elder_id: int) -> QuerySet[Ticket]:
    """Tickets of an elder, newest first."""
    rows = Ticket.objects.visible_to(actor).filter(elder_id=elder_id)
    return rows.select_related("provider").order_by("-opened_at", "-id")


def queue_tab(tab: str, now: datetime) -> Q:
    """Return the condition of a tab of the queue."""
    if tab == "overdue":
        return Q(state__in=UNFINISHED, due_at__lte=now)
    return Q() if tab == "all" else Q(state=tab)


def queue(
    actor: Actor,
    *,
    now: datetime,
    tab: str = "open",
    kind: str = "",
    level: str = "",
    text: str = "",
    mine: bool = False,
) -> QuerySet[Ticket]:
    """Tickets of a tab, urgent ones first, then by deadline; a text is a number of a ticket or what finds an elder."""
    rows = Ticket.objects.visible_to(actor).filter(queue_tab(tab, now))
    if kind:
        rows = rows.filter(kind=kind)
    if level:
        rows = rows.filter(level=level)
    if mine:
        rows = rows.filter(seat_id=actor.user_id)
    if text.strip():
        rows = rows.filter(_found(actor, text.strip()))
    orders = {"closed": ["-closed_at", "-id"], "all": ["-opened_at", "-id"]}
    return rows.select_related("elder", "provider", "seat").order_by(*orders.get(tab, ["urgency", "due_at", "id"]))


def _found(actor: Actor, text: str) -> Q:
    if number := re.fullmatch(r"[Tt]-\d{6}-(\d{4,12})", text):
        return Q(pk=int(number[1]))
    return Q(elder__in=[row.pk for row in find_elders(actor, text, limit=20)])


def queue_counts(actor: Actor, *, now: datetime) -> dict[str, int]:
    """How many tickets each tab of unfinished ones holds, no further than ``MOST_COUNTED``; those that are over are not counted."""
    tabs = {tab: queue_tab(tab, now) for tab, _ in TABS if tab not in ("closed", "all")}
    counts: dict[str, int] = Ticket.objects.visible_to(actor).counted(tabs)
    return counts


@dataclass(frozen=True)
class Beside:
    """What stands beside a ticket: one order from above, call-back or exchange, as its columns say."""

    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        """Return a column; moments as such."""
        value = self.values[name]
        return datetime.fromisoformat(value) if name.endswith("_at") and value else value

    @property
    def due_on(self) -> date:
        """The last day in time: a deadline is the end of a day."""
        return local_date(self.due_at - timedelta(microseconds=1))


BESIDE: dict[str, tuple[Any, tuple[str, ...]]] = {
    "orders_from_above": (Supervision, ("id", "version", "number", "reason", "due_at", "answer", "answered_at")),
    "callbacks": (Callback, ("id", "kind", "state", "due_at", "done_at", "score", "note")),
    "exchanged": (
        Exchange,
        ("id", "version", "platform", "direction", "foreign_number", "foreign_state", "sent_state", "error"),
    ),
}


def with_beside(rows: QuerySet[Ticket]) -> QuerySet[Any]:
    """Read what stands beside tickets along with them, in the same query."""
    made = {}
    for name, (model, columns) in BESIDE.items():
        parts = model.objects.filter(ticket=OuterRef("pk")).order_by("id")
        made[f"own_{name}"] = ArraySubquery(parts.values_list(JSONObject(**{one: one for one in columns}), flat=True))
    return rows.annotate(**made)


def beside(ticket: Any, name: str) -> list[Beside]:
    """Return what stands beside a ticket read by ``with_beside``."""
    return [Beside(values) for values in getattr(ticket, f"own_{name}")]
