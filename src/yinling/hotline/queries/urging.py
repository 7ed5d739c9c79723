"""Which tickets are to be reminded of, which belong further up, and the orders from above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from yinling.directory.queries import working_calendar
from yinling.ground.parameters import parameter
from yinling.hotline.models import Reminder, Supervision, Ticket
from yinling.hotline.rules import TOP, WORKED_ON, escalation_of, working_days_before, working_days_overdue
from yinling.kernel.actor import Actor
from yinling.kernel.period import ONE_DAY, local_date, local_midnight

MOST = 500
SUPERVISED = Exists(Supervision.objects.filter(ticket=OuterRef("pk"), answered_at=None))


@dataclass(frozen=True)
class Up:
    """A ticket that belongs further up: how far, and after how many working days."""

    ticket: Ticket
    step: int
    days: int


def to_remind_of(actor: Actor, now: datetime) -> list[tuple[Ticket, bool]]:
    """Tickets whose deadline is near or over and of which the platform has not reminded since that; with whether it is over."""
    by_system = Reminder.objects.filter(ticket=OuterRef("pk"), by="system")
    rows = Ticket.objects.visible_to(actor).filter(state__in=WORKED_ON)
    today, area = local_date(now), actor.div or ""
    over = rows.filter(due_at__lte=local_midnight(today)).exclude(
        Exists(by_system.filter(reminded_at__gte=OuterRef("due_at")))
    )
    days = int(parameter("ticket.remind_before_days", area, today))
    calendar = working_calendar()
    near = [
        row
        for row in rows.filter(due_at__gt=now, due_at__lte=now + 30 * ONE_DAY)
        .exclude(Exists(by_system))
        .exclude(level="urgent", kind="emergency")
        .order_by("due_at", "id")[:MOST]
        if working_days_before(calendar, row.due_on, days) <= today
    ]
    return [(row, True) for row in over.order_by("due_at", "id")[:MOST]] + [(row, False) for row in near]


def to_escalate(actor: Actor, now: datetime) -> list[Up]:
    """Overdue tickets that belong further up than they are."""
    today = local_date(now)
    rows = Ticket.objects.visible_to(actor).filter(state__in=WORKED_ON, due_at__lte=now, escalation__lt=TOP)
    calendar = working_calendar()
    found = []
    for row in rows.order_by("due_at", "id")[:MOST]:
        days = working_days_overdue(calendar, row.due_on, today)
        step = escalation_of(days, parameter("ticket.escalate_days", row.div, today))
        if step > row.escalation:
            found.append(Up(row, step, days))
    return found


def supervisions(actor: Actor, *, tab: str, now: datetime) -> QuerySet[Supervision]:
    """Orders of a tab: open, overdue, answered or all; the first due first."""
    conditions = {
        "open": Q(answered_at=None), "overdue": Q(answered_at=None, due_at__lte=now), "answered": Q(answered_at__isnull=False),
        "late": Q(answered_at__gt=F("due_at")), "all": Q(),
    }  # fmt: skip
    rows = Supervision.objects.visible_to(actor).filter(conditions[tab])
    order = ["due_at", "id"] if tab in ("open", "overdue") else ["-ordered_at", "-id"]
    return rows.select_related("ticket", "provider", "ordered_by", "answered_by").order_by(*order)
