"""Whom a ticket is proposed to: the rules of the area, and the nearest body of each kind they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from yinling.directory.models import Organisation
from yinling.directory.queries import ancestors, responsible_body
from yinling.ground.parameters import parameter
from yinling.hotline.models import Ticket
from yinling.hotline.triage import RESPONSIBLE, Body, Proposed, read_rules, triage


@dataclass(frozen=True)
class ProposedBody:
    """A body that is there, why it is proposed, and the word that said so."""

    organisation: Organisation
    reason: str
    word: str


@dataclass(frozen=True)
class TicketTriage:
    """The bodies proposed for a ticket and the urgency its words ask for; what was asked for but is not there stands in ``missing``."""

    bodies: tuple[ProposedBody, ...]
    level: str
    missing: tuple[Proposed, ...]


def triage_of(ticket: Ticket, on: date) -> TicketTriage:
    """Return the proposal for a ticket: two queries, however many bodies."""
    rules = read_rules(parameter("ticket.triage", ticket.div, on))
    said = triage(rules, kind=ticket.kind, family=ticket.family, text=f"{ticket.title}\n{ticket.text}")
    areas = ancestors(ticket.div)
    kinds = {one.body.kind for one in said.proposed} - {RESPONSIBLE}
    working = Q(valid_to=None) | Q(valid_to__gt=on)
    rows = list(Organisation.objects.filter(working, kind__in=kinds, div__in=areas).order_by("id")) if kinds else []
    found: dict[int, ProposedBody] = {}
    missing = []
    for one in said.proposed:
        body = _answering(ticket, on) if one.body.kind == RESPONSIBLE else _nearest(rows, one.body, areas)
        if body is None:
            missing.append(one)
        else:
            found.setdefault(body.pk, ProposedBody(body, one.reason, one.word))
    return TicketTriage(tuple(found.values()), said.level, tuple(missing))


def _answering(ticket: Ticket, on: date) -> Organisation | None:
    return responsible_body(ticket.family, ticket.div, on) if ticket.family else None


def _nearest(rows: Sequence[Organisation], body: Body, areas: Sequence[str]) -> Organisation | None:
    """Return the body of a kind in the narrowest area; with a name asked for, the one that carries it."""
    fitting = [
        row for row in rows if row.kind == body.kind and (body.named in row.name or body.named in row.short_name)
    ]
    return min(fitting, key=lambda row: areas.index(row.div), default=None)
