"""Sorting tickets: who gets a new one, two of the same matter made one, and many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.models import Grant
from yinling.directory.queries import ancestors
from yinling.directory.rules import require, required_text
from yinling.directory.states import GrantState
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.hotline import rules
from yinling.hotline.models import Call, Ticket
from yinling.hotline.operations.tickets import (
    OrganisationId,
    hand_over,
    move_ticket,
    organisation_for,
    split_off,
    ticket_for,
)
from yinling.hotline.states import TicketState
from yinling.hotline.triage import LEVELS, higher_level
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_

SEAT_ROLES = ("seat", "line_leader")
MOST_BODIES = 5

Bodies = Annotated[list[int], Input(N_("承办机构"), widget="check")]
Level = Annotated[str, Input(N_("紧急程度"), max_length=8, widget="hidden")]
IntoId = Annotated[int, Input(N_("并入的工单"), help=N_("填写工单号末尾的数字"), least=1, widget="number")]
TicketIds = Annotated[list[int], Input(N_("工单"), widget="check")]
SeatId = Annotated[int, Input(N_("坐席"), least=1, widget="choice")]
Count = Annotated[int, Input(N_("张数"), help=N_("填写所选工单的张数确认"), least=1, most=rules.MOST_AT_ONCE)]


@operation("hotline.ticket.triage", label=N_("按建议分派"))
def triage_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, organisation_ids: Bodies, reason: Reason, level: Level = "", seen: Seen = None
) -> Ticket:  # fmt: skip
    """Give a ticket to one body, or split it to several at once, each with the whole text (R-CALL-05). Urgency rises, never falls."""
    row = ticket_for(actor, "triage", ticket_id, seen)
    rules.check_split(row.state)
    text = required_text(reason, "reason", most=500)
    if level and level not in LEVELS:
        raise Refused("choice.unknown", N_("没有这个选项，请从列表中选择"), field="level")
    numbers = list(dict.fromkeys(organisation_ids))
    if not 1 <= len(numbers) <= MOST_BODIES:
        raise Refused(
            "triage.bodies", N_("请选择 1 到 %(most)s 家承办机构"), field="organisation_ids", most=MOST_BODIES
        )
    bodies = [organisation_for(number, now) for number in numbers]
    wanted = higher_level(row.level, level)
    if len(bodies) == 1:
        hand_over(actor, now, row, bodies[0], text, level=wanted)
    else:
        state = TicketState.HANDLING if row.state == TicketState.OPEN else TicketState(row.state)
        changes = changed(row, now=now, level=wanted, state=state, seat_id=row.seat_id or actor.user_id)
        for body in bodies:
            split_off(actor, now, row, body, row.title, row.text, reason=text)
        record(actor=actor, now=now, event="hotline.ticket.triage", subject=row, changes=changes, reason=text)
        tell("tickets", pk=row.pk, div=row.div)
    return row


@operation("hotline.ticket.merge", label=N_("并案"))
def merge_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, into_id: IntoId, reason: Reason, seen: Seen = None
) -> Ticket:
    """End a ticket in favour of another of the same elder or caller, which goes on with the earlier deadline of the two."""
    first, second = sorted((ticket_id, into_id))
    rows = {
        number: locked(Ticket.objects.all(), number, seen if number == ticket_id else None)
        for number in (first, second)
    }
    row, into = rows[ticket_id], rows[into_id]
    require(actor, "hotline.ticket.merge", div=row.div)
    require(actor, "hotline.ticket.merge", div=into.div)
    text = required_text(reason, "reason", most=500)
    children = Ticket.objects.filter(parent=row).exclude(state=TicketState.CLOSED).count()
    rules.check_awaited(row.awaits)
    rules.check_merge(
        same_row=row.pk == into.pk, target_state=into.state, is_child=row.parent_id is not None or into.parent_id == row.pk,
        open_children=children, same_person=_same_person(row, into),
    )  # fmt: skip
    move_ticket(
        actor, now, row, "merge", reason=text, merged_into_id=into.pk, closed_at=now, result=f"并入 {into.code}"
    )
    earlier = {"due_at": row.due_at, "is_due_provisional": row.is_due_provisional} if row.due_at < into.due_at else {}
    changes = changed(into, now=now, level=higher_level(into.level, row.level), **earlier)
    told = {**changes, "merged": [None, row.code]}
    record(actor=actor, now=now, event="hotline.ticket.merge", subject=into, changes=told, reason=text)
    tell("tickets", pk=into.pk, div=into.div)
    return row


def _same_person(row: Ticket, into: Ticket) -> bool:
    """Whether two tickets are of one elder, or came from one number."""
    if row.elder_id is not None and row.elder_id == into.elder_id:
        return True
    calls = Call.objects.filter(pk__in=[one for one in (row.call_id, into.call_id) if one is not None])
    numbers = [bytes(found) for found in calls.values_list("number_index", flat=True) if found is not None]
    same_call = row.call_id is not None and row.call_id == into.call_id
    return same_call or (len(numbers) == 2 and numbers[0] == numbers[1])  # noqa: PLR2004 - a pair


@operation("hotline.ticket.assign", label=N_("批量指派"))
def assign_tickets(*, actor: Actor, now: datetime, ticket_ids: TicketIds, user_id: SeatId, count: Count) -> Ticket:
    """Put tickets in the name of a seat, all or none; who does so says how many."""
    rows = _chosen(actor, "assign", ticket_ids, count)
    if not _is_seat(user_id, rows, now):
        raise Refused("assign.seat", N_("请选择本辖区的一位坐席"), field="user_id")
    for row in rows:
        rules.check_split(row.state)
        changes = changed(row, now=now, seat_id=user_id)
        record(actor=actor, now=now, event="hotline.ticket.assign", subject=row, changes=changes)
        tell("tickets", pk=row.pk, div=row.div)
    return rows[0]


@operation("hotline.ticket.transfer", label=N_("批量转办"))
def transfer_tickets(
    *, actor: Actor, now: datetime, ticket_ids: TicketIds, organisation_id: OrganisationId, reason: Reason, count: Count
) -> Ticket:
    """Give tickets to another body, all or none; who does so says how many."""
    rows = _chosen(actor, "transfer", ticket_ids, count)
    text = required_text(reason, "reason", most=500)
    target = organisation_for(organisation_id, now)
    for row in rows:
        hand_over(actor, now, row, target, text)
    return rows[0]


def _chosen(actor: Actor, verb: str, ticket_ids: Sequence[int], count: int) -> list[Ticket]:
    """Return the chosen tickets, locked in the order of their numbers."""
    numbers = sorted(set(ticket_ids))
    require(actor, f"hotline.ticket.{verb}")
    rules.check_count(given=count, found=len(numbers))
    rows = list(Ticket.objects.select_for_update(of=("self",)).filter(pk__in=numbers).order_by("pk"))
    if len(rows) != len(numbers):
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    for row in rows:
        require(actor, f"hotline.ticket.{verb}", div=row.div, provider_id=row.provider_id)
    return rows


def _is_seat(user_id: int, rows: Sequence[Ticket], now: datetime) -> bool:
    """Whether a login sits on the line for all these tickets."""
    held = Grant.objects.filter(
        user_id=user_id, role__in=SEAT_ROLES, state=GrantState.ACTIVE, from_at__lte=now, user__is_active=True
    )
    areas = set(held.exclude(to_at__lte=now).values_list("div", flat=True))
    return all(areas & set(ancestors(row.div)) for row in rows)
