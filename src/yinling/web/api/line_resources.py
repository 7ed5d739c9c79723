"""What the API reads of the line: calls, seats, rosters, tickets, knowledge, quality."""

from __future__ import annotations

from typing import Any

from yinling.ground.clock import business_now
from yinling.hotline.models import (
    Article,
    Call,
    Callback,
    CallOffer,
    Emergency,
    Exchange,
    LineContract,
    OperatorStatement,
    QualitySample,
    Recording,
    Reminder,
    Roster,
    Seat,
    SeatGroup,
    SeatLeave,
    SeatTraining,
    Shift,
    ShiftSwap,
    Supervision,
    Ticket,
    TicketTemplate,
)
from yinling.hotline.queries import operator_statements, readable_articles, samples
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.web.api.resource import (
    VERSIONED,
    Resource,
    Rows,
    first_of_month,
    hidden,
    ids,
    number,
    on_day,
    plain_value,
    texts,
    visible,
    within,
)


def _notes(ticket: Ticket) -> list[dict[str, Any]]:
    rows = ticket.notes.order_by("pk")
    return [
        {"id": row.pk, "text": row.text, "is_internal": row.is_internal, "written_as": row.written_as,
        "written_at": plain_value(row.written_at)}
        for row in rows
    ]  # fmt: skip


def _articles(actor: Actor) -> Rows:
    return readable_articles(actor, local_date(business_now()))


LINE = [
    Resource(
        "calls", Call, "hotline.call.view", visible(Call),
        f"key div state channel elder_id seat_id rang_at answered_at ended_at {VERSIONED}",
        ids("elder") | texts("state") | {"day": on_day("day", "rang_at")},
        more={"number": lambda row: hidden(row.number_last4)},
    ),
    Resource(
        "tickets", Ticket, "hotline.ticket.view", visible(Ticket),
        "code div call_id parent_id elder_id provider_id seat_id state kind level channel family title text opened_at "
        f"due_at is_due_provisional closed_at merged_into_id reminder_count escalation reopen_count result {VERSIONED}",
        ids("elder", "provider") | texts("state", "kind", "level") | {"div": within()},
        detail={"notes": _notes},
    ),
    Resource(
        "emergencies", Emergency, "hotline.call.view", visible(Emergency),
        f"div call_id elder_id service what handed_over_at contacts_told_at arrived_at ended_at outcome {VERSIONED}",
        {"call": number("call", "call_id")} | ids("elder"),
    ),
    Resource(
        "call-offers", CallOffer, "hotline.call.view", visible(CallOffer),
        "div call_id seat_id group_id is_transfer offered_at expires_at ended_at outcome", ids("call", "seat") | texts("outcome"),
    ),
    Resource(
        "callbacks", Callback, "hotline.callback.view", visible(Callback),
        f"div kind state call_id ticket_id elder_id seat_id made_id rank due_at next_at try_count done_at score note {VERSIONED}",
        ids("call", "ticket", "elder") | texts("kind", "state") | {"div": within()},
    ),
    Resource(
        "recordings", Recording, "hotline.recording.listen", visible(Recording),
        "div call_id elder_id kind started_at seconds keep_until deleted_at", ids("call", "elder") | texts("kind"),
    ),
    Resource(
        "seat-groups", SeatGroup, "hotline.group.view", visible(SeatGroup),
        f"div name provider_id skills overflow_id is_first is_active {VERSIONED}", {"div": within()},
    ),
    Resource(
        "seats", Seat, "hotline.seat.view", visible(Seat),
        f"div user_id group_id provider_id number skills state reason idle_since miss_count is_leader left_on {VERSIONED}",
        ids("group") | texts("state") | {"div": within()},
    ),
    Resource(
        "seat-trainings", SeatTraining, "hotline.training.view", visible(SeatTraining),
        "div seat_id title body topic held_on minutes score is_passed", ids("seat"),
    ),
    Resource(
        "rosters", Roster, "hotline.roster.view", visible(Roster),
        f"div group_id state from_at to_at least published_at published_by_id {VERSIONED}", ids("group") | texts("state"),
    ),
    Resource(
        "shifts", Shift, "hotline.roster.view", visible(Shift),
        f"div roster_id seat_id from_at to_at is_live is_out came_at missed_at {VERSIONED}",
        ids("roster", "seat") | {"day": on_day("day", "from_at")},
    ),
    Resource(
        "shift-swaps", ShiftSwap, "hotline.roster.view", visible(ShiftSwap),
        f"div shift_id to_seat_id back_id state reason answer {VERSIONED}", ids("shift") | texts("state"),
    ),
    Resource(
        "seat-leaves", SeatLeave, "hotline.roster.view", visible(SeatLeave), f"div seat_id kind state from_at to_at answer {VERSIONED}",
        ids("seat") | texts("state"),
    ),
    Resource(
        "reminders", Reminder, "hotline.ticket.view", visible(Reminder), "div ticket_id provider_id by text reminded_at reminded_by_id",
        ids("ticket"),
    ),
    Resource(
        "ticket-supervisions", Supervision, "hotline.supervision.view", visible(Supervision),
        f"div ticket_id provider_id number reason due_at ordered_at ordered_by_id answer answered_at {VERSIONED}", ids("ticket"),
    ),
    Resource(
        "ticket-templates", TicketTemplate, "hotline.ticket.view", visible(TicketTemplate),
        f"div name kind level family title text is_active {VERSIONED}", {"div": within()},
    ),
    Resource(
        "articles", Article, "hotline.article.view", _articles,
        f"div title text family words source valid_from valid_to state use_count published_at {VERSIONED}",
        texts("state", "family") | {"div": within()},
    ),
    Resource(
        "exchanges", Exchange, "hotline.exchange.view", visible(Exchange),
        f"div ticket_id platform direction foreign_number foreign_state sent_state sent_at heard_at error {VERSIONED}",
        ids("ticket") | texts("platform", "direction"),
    ),
    Resource(
        "quality-samples", QualitySample, "hotline.sample.view", samples,
        f"div call_id seat_id provider_id state drawn_at points total comment scored_at scored_by_id objection answer {VERSIONED}",
        ids("seat", "provider") | texts("state"),
    ),
    Resource(
        "line-contracts", LineContract, "hotline.line_contract.view", visible(LineContract),
        f"div provider_id number valid_from valid_to monthly_fen per_call_fen deduct_bp_per_point most_deduct_bp {VERSIONED}", ids("provider"),
    ),
    Resource(
        "operator-statements", OperatorStatement, "hotline.operator_statement.view", operator_statements,
        f"div contract_id provider_id month state figures base_fen calls_fen deduction_fen total_fen reasons approved_at {VERSIONED}",
        ids("provider", "contract") | texts("state") | {"month": first_of_month},
    ),
]  # fmt: skip
"""Calls first, then who takes them, what becomes of them, and how well."""
