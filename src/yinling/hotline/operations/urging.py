"""What is done about a ticket that takes too long: reminders, escalation, and numbered orders from above."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from django.db import connection

from yinling.accounts.operations import Recipient, notify, record
from yinling.directory.models import Grant
from yinling.directory.queries import ancestors, managers_of
from yinling.directory.rules import known_choice, require, required_text
from yinling.directory.states import GrantState
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.hotline import rules
from yinling.hotline.models import Reminder, Supervision, Ticket
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import ONE_DAY, SHANGHAI, local_date, local_midnight
from yinling.kernel.words import N_

ABOVE = {1: ("line_leader", 12), 2: ("district", 6), 3: ("city", 4)}
"""Whom each step of the escalation reaches: the role, and how much of the division code its area may have."""
DISTRICT = 6
PLACES = {1: N_("热线班长"), 2: N_("区县"), 3: N_("市级")}

By = Annotated[str, Input(N_("催办人"), choices=Reminder.BY[:2], widget="radio")]
Words = Annotated[str, Input(N_("催办内容"), max_length=500, widget="area")]
Answer = Annotated[str, Input(N_("督办答复"), max_length=500, widget="area")]
Step = Annotated[int | None, Input(N_("升级到"), least=1, most=3, widget="hidden")]

explain_constraint(
    "supervision_one_open", "supervision.open", N_("这张工单有一次督办还没有答复，请等答复后再督办，或直接催办")
)


@operation("hotline.ticket.remind", label=N_("催办"))
def remind_ticket(*, actor: Actor, now: datetime, ticket_id: Id, text: Words, by: By = "caller") -> Ticket:
    """Ask whoever has the ticket to hurry; the deadline stays. The platform's own reminders say ``system``."""
    row = locked(Ticket.objects.all(), ticket_id)
    require(actor, "hotline.ticket.remind", div=row.div, provider_id=row.provider_id)
    rules.check_urged(row.state)
    if not actor.is_system:
        known_choice(by, Reminder.BY[:2], "by")
    return note_reminder(actor, now, row, by=by, text=required_text(text, "text", most=500))


def note_reminder(actor: Actor, now: datetime, row: Ticket, *, by: str, text: str) -> Ticket:
    """Write a reminder of a locked ticket and tell who has it. Plain: the caller has checked the right."""
    reminder = Reminder.objects.create(
        div=row.div, ticket=row, provider_id=row.provider_id, by=by, text=text, reminded_at=now, reminded_by_id=actor.user_id
    )  # fmt: skip
    changes = changed(row, now=now, reminder_count=row.reminder_count + 1)
    record(actor=actor, now=now, event="hotline.ticket.remind", subject=row, changes=changes, reason=text)
    tell("tickets", pk=row.pk, div=row.div)
    _tell(now, row, handlers(row, now), key=f"reminder:{reminder.pk}", title=N_("工单催办"), text=text)
    return row


def handlers(row: Ticket, now: datetime) -> list[int]:
    """Return the logins in whose hands a ticket is: the managers of the body, else the seat, else the leaders of the line."""
    if row.provider_id is not None:
        return managers_of(row.provider_id, now)
    return [row.seat_id] if row.seat_id is not None else above(row.div, 1, now)


def above(div: str, step: int, now: datetime) -> list[int]:
    """Return the logins that a step of the escalation reaches for a ticket of a division."""
    role, most = ABOVE[step]
    areas = [area for area in ancestors(div) if len(area) <= most]
    rows = Grant.objects.filter(
        role=role, div__in=areas, state=GrantState.ACTIVE, from_at__lte=now, user__is_active=True
    )
    found = rows.exclude(to_at__lte=now).values_list("user_id", flat=True)
    return sorted(set(found))


def _tell(now: datetime, row: Ticket, users: Iterable[int], *, key: str, title: str, text: str) -> None:
    for user_id in users:
        notify(
            now=now, about=row, to=Recipient(user_id=user_id), key=f"{key}:{user_id}", title=title,
            text=f"{row.code} {row.title}：{text}"[:500], link=f"/tickets/{row.pk}/",
        )  # fmt: skip


@operation("hotline.ticket.escalate", label=N_("升级"))
def escalate_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, reason: Reason, step: Step = None, seen: Seen = None
) -> Ticket:
    """Bring a ticket before the leader of the line, then the district, then the city; they are told."""
    row = locked(Ticket.objects.all(), ticket_id, seen)
    require(actor, "hotline.ticket.escalate", div=row.div, provider_id=row.provider_id)
    rules.check_urged(row.state)
    wanted = step or row.escalation + 1
    rules.check_escalation(present=row.escalation, wanted=wanted)
    text = required_text(reason, "reason", most=500)
    before = row.escalation
    changes = changed(row, now=now, escalation=wanted)
    record(actor=actor, now=now, event="hotline.ticket.escalate", subject=row, changes=changes, reason=text)
    tell("tickets", pk=row.pk, div=row.div)
    for level in range(before + 1, wanted + 1):
        key = f"ticket:{row.pk}:escalated:{level}:{row.version}"
        _tell(now, row, above(row.div, level, now), key=key, title=N_("工单升级"), text=text)
    return row


@operation("hotline.supervision.order", label=N_("督办"))
def supervise_ticket(*, actor: Actor, now: datetime, ticket_id: Id, reason: Reason, due_on: Day) -> Supervision:
    """Order in writing that a ticket be settled and answered for by a day; the order has a number of its own."""
    row = locked(Ticket.objects.all(), ticket_id)
    require(actor, "hotline.supervision.order", div=row.div)
    rules.check_urged(row.state)
    text = required_text(reason, "reason", most=500)
    rules.check_order_day(due_on=due_on, today=local_date(now))
    order = Supervision(
        div=row.div, ticket=row, provider_id=row.provider_id, number=_next_number(row.div, now), reason=text,
        due_at=local_midnight(due_on + ONE_DAY), ordered_at=now, ordered_by_id=actor.user_id or 0, created_at=now, changed_at=now,
    )  # fmt: skip
    order.save(force_insert=True)
    changes = {"number": [None, order.number], "due_at": [None, str(order.due_at)]}
    record(actor=actor, now=now, event="hotline.supervision.order", subject=row, changes=changes, reason=text)
    tell("tickets", pk=row.pk, div=row.div)
    told = f"{order.number} {text}"
    _tell(now, row, handlers(row, now), key=f"supervision:{order.pk}", title=N_("工单督办"), text=told)
    return order


def _next_number(div: str, now: datetime) -> str:
    """Return the next number of the district's year, all of which its orderers see; two orders at once wait for each other."""
    stem = f"{div[:DISTRICT]}督〔{now.astimezone(SHANGHAI).year}〕"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [stem])
    serials = [
        int(number.removeprefix(stem).removesuffix("号"))
        for number in Supervision.objects.filter(number__startswith=stem).values_list("number", flat=True)
    ]
    return f"{stem}{max(serials, default=0) + 1}号"


@operation("hotline.supervision.answer", label=N_("答复督办"))
def answer_supervision(
    *, actor: Actor, now: datetime, supervision_id: Id, answer: Answer, seen: Seen = None
) -> Supervision:
    """Answer an order: what was done and why it took so long. Whoever ordered is told."""
    row = locked(Supervision.objects.select_related("ticket"), supervision_id, seen)
    require(actor, "hotline.supervision.answer", div=row.div, provider_id=row.provider_id)
    rules.check_unanswered(answered=row.answered_at is not None)
    text = required_text(answer, "answer", most=500)
    changes = changed(row, now=now, answer=text, answered_at=now, answered_by_id=actor.user_id)
    record(actor=actor, now=now, event="hotline.supervision.answer", subject=row.ticket, changes=changes, reason=text)
    tell("tickets", pk=row.ticket_id, div=row.div)
    key = f"supervision:{row.pk}:answered"
    _tell(now, row.ticket, [row.ordered_by_id], key=key, title=N_("督办已答复"), text=f"{row.number} {text}")
    return row
