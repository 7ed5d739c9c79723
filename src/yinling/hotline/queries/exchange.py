"""What waits to be sent to other lines, and how the exchange stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery

from yinling.ground.parameters import parameter
from yinling.hotline.exchange import FAILED, REFUSED, SENT, moment_text, wait
from yinling.hotline.models import Exchange, ExchangeMessage
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date

MOST_SENT = 200
"""In one round: the next minute goes on."""


@dataclass(frozen=True)
class Outgoing:
    """A state to be told to another line: under which key it counts once there, how often it was tried, and the message."""

    exchange: Exchange
    state: str
    key: str
    try_key: str
    message: dict[str, Any]


def exchanges(actor: Actor, *, only_errors: bool = False) -> QuerySet[Exchange]:
    """Exchanged tickets, last changed first."""
    rows = Exchange.objects.visible_to(actor)
    return (rows.exclude(error="") if only_errors else rows).select_related("ticket").order_by("-changed_at", "-id")


def platforms(div: str, now: datetime) -> dict[str, str]:
    """Return the other lines of an area, code and name."""
    found: dict[str, str] = parameter("exchange.platforms", div, local_date(now))
    return found


def outgoing(actor: Actor, now: datetime) -> list[Outgoing]:
    """Return what is to be sent now: where the other line does not know our state, and the pause after a try in vain is over."""
    day, area = local_date(now), actor.div or ""
    words: dict[str, dict[str, str]] = parameter("exchange.states_out", area, day)
    kinds: dict[str, dict[str, str]] = parameter("exchange.kinds_in", area, day)
    most, minutes = int(parameter("exchange.tries", area, day)), int(parameter("exchange.wait_minutes", area, day))
    found = []
    for row in _unknown_there(actor, words)[:MOST_SENT]:
        counted: Any = row
        if row.error and (counted.last_outcome == REFUSED or counted.in_vain >= most):
            continue
        if row.error and counted.last_at is not None and now < counted.last_at + wait(counted.in_vain, minutes):
            continue
        state = words[row.platform][str(row.ticket.state)]
        key = f"{row.pk}-{counted.sent_count}"
        back = {ours: theirs for theirs, ours in kinds.get(row.platform, {}).items()}
        try_key = f"{key}-{counted.in_vain_ever + 1}"
        found.append(Outgoing(row, state, key, try_key, message_of(row, state, key, back.get(row.ticket.kind, ""))))
    return found


def _unknown_there(actor: Actor, words: dict[str, dict[str, str]]) -> QuerySet[Exchange]:
    news = Q(pk__in=[])
    for platform, states in words.items():
        for ours, theirs in states.items():
            news |= Q(platform=platform, ticket__state=ours) & ~Q(sent_state=theirs)
    out = Q(messages__direction="out")
    last = ExchangeMessage.objects.filter(exchange=OuterRef("pk"), direction="out").order_by("-pk")
    since = Q(sent_at=None) | Q(messages__at__gt=F("sent_at"))
    rows = Exchange.objects.visible_to(actor).filter(news).select_related("ticket")
    return rows.annotate(
        sent_count=Count("messages", filter=out & Q(messages__outcome=SENT)),
        in_vain=Count("messages", filter=out & Q(messages__outcome=FAILED) & since),
        in_vain_ever=Count("messages", filter=out & ~Q(messages__outcome=SENT)),
        last_at=Max("messages__at", filter=out),
        last_outcome=Subquery(last.values("outcome")[:1]),
    ).order_by("changed_at", "pk")


def message_of(row: Exchange, state: str, key: str, kind: str) -> dict[str, Any]:
    """Return the message about a ticket: no name, no number; whoever must reach the caller asks the line."""
    ticket = row.ticket
    return {
        "platform": row.platform, "key": key, "number": row.foreign_number, "code": ticket.code, "state": state, "kind": kind,
        "title": ticket.title, "text": ticket.text, "result": ticket.result, "opened_at": moment_text(ticket.opened_at),
        "due_at": moment_text(ticket.due_at), "changed_at": moment_text(ticket.changed_at),
    }  # fmt: skip
