"""Tickets going elsewhere: to another body, in part, many at once, to another line."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path

from yinling.directory.models import Grant
from yinling.directory.states import GrantState
from yinling.hotline.models import Ticket
from yinling.hotline.operations.sorting import SEAT_ROLES
from yinling.hotline.rules import MOST_AT_ONCE, WORKED_ON
from yinling.hotline.states import TICKET
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.tickets import exchange_choices, row_of
from yinling.web.options import Pairs, named
from yinling.web.pages import page, render


@named("seats")
def seat_choices(request: Any) -> Pairs:
    """Who sits on the line in the actor's area or above it."""
    div = request.actor.div or ""
    rows = Grant.objects.filter(
        role__in=SEAT_ROLES, state=GrantState.ACTIVE, user__is_active=True, from_at__lte=request.now
    )
    found = rows.exclude(to_at__lte=request.now).order_by("user__name").values_list("user_id", "user__name", "div")
    return [(str(pk), name) for pk, name, area in dict.fromkeys(found) if div.startswith(area) or area.startswith(div)]


@page("hotline.ticket.transfer")
def transfer_page(request: Any, pk: int) -> HttpResponse:
    """Give a ticket to another body, or part of it."""
    ticket = _ticket(request, pk)
    here, fields = f"/tickets/{pk}/", {"organisation_id": {"options": "organisations"}}
    initial = {"ticket_id": pk, "seen": ticket.version}
    return render(
        request, "console/ticket_transfer.html", ticket=ticket,
        transfer=action_form(request, "transfer_ticket", initial, next=here, fields=fields),
        split=action_form(request, "split_ticket", initial, next="/tickets/{id}/", fields=fields, tone=""),
    )  # fmt: skip


@page("hotline.exchange.export")
def export_page(request: Any, pk: int) -> HttpResponse:
    """Give a ticket to another line as well."""
    ticket = _ticket(request, pk)
    form = action_form(
        request, "export_ticket", {"ticket_id": pk}, next=f"/tickets/{pk}/",
        fields={"platform": {"options": exchange_choices(request), "widget": "choice"}},
    )  # fmt: skip
    return render(request, "console/ticket_export.html", ticket=ticket, form=form)


def _ticket(request: Any, pk: int) -> Ticket:
    ticket = row_of(Ticket.objects.visible_to(request.actor).select_related("provider"), str(pk))
    if ticket is None:
        raise Http404
    found: Ticket = ticket
    return found


@page("hotline.ticket.transfer")
def bulk_page(request: Any) -> HttpResponse:
    """Many tickets at once: they are listed, may still be taken out, and their number is typed to confirm."""
    numbers = [int(text) for text in request.GET.getlist("id")[:MOST_AT_ONCE] if text.isascii() and text.isdigit()]
    rows = Ticket.objects.visible_to(request.actor).filter(
        pk__in=[one for one in numbers if one < 2**63], state__in=WORKED_ON
    )
    chosen = list(rows.select_related("elder", "provider", "seat").order_by("urgency", "due_at", "id"))
    forms = [_bulk(request, name, chosen, field, source) for name, field, source in (
        ("assign_tickets", "user_id", "seats"), ("transfer_tickets", "organisation_id", "organisations"),
    )] if chosen else []  # fmt: skip
    return render(request, "console/ticket_bulk.html", chosen=chosen, forms=forms, machine=TICKET)


def _bulk(request: Any, name: str, chosen: list[Ticket], field: str, source: str) -> ActionForm:
    options = [(one.pk, f"{one.code} {one.title}") for one in chosen]
    fields = {"ticket_ids": {"options": options}, field: {"options": source}}
    initial = {"ticket_ids": [one.pk for one in chosen]}
    return action_form(request, name, initial, next="/tickets/", fields=fields, done=N_("已批量处理"), tone="")


urlpatterns = [
    path("tickets/bulk/", bulk_page),
    path("tickets/<int:pk>/transfer/", transfer_page),
    path("tickets/<int:pk>/exchange/", export_page),
]
