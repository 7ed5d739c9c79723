"""Tickets: new ones, the queue, and one ticket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import Journal
from yinling.directory.models import Organisation
from yinling.ground.kept import Given, Kept, one_of
from yinling.ground.parameters import parameter
from yinling.hotline.models import KINDS, LEVELS, Call, Ticket, TicketNote, TicketTemplate
from yinling.hotline.queries import (
    SUPERVISED,
    TABS,
    beside,
    platforms,
    queue,
    queue_counts,
    templates,
    triage_of,
    with_beside,
)
from yinling.hotline.rules import TOP, WORKED_ON
from yinling.hotline.states import CALLBACK, TICKET
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.rules import STAGE_LABELS
from yinling.orders.states import ORDER
from yinling.people.models import Elder
from yinling.people.queries import find_elders
from yinling.visits.queries import stage, with_progress
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tally, tr

FOUND = 10
TYPED = ("title", "text")
DECIDED = {"close", "merge"}
"""What is done to a ticket by the decision it awaits, and by nobody else."""
ESCALATED = {1: N_("已升级到热线班长"), 2: N_("已升级到区县"), TOP: N_("已升级到市级")}


@page("hotline.ticket.open")
def new_ticket(request: Any) -> HttpResponse:
    """P04: a ticket from a call, for an elder, or about nobody in particular; a template fills it and keeps what was typed."""
    call = row_of(Call.objects.visible_to(request.actor).select_related("elder"), request.GET.get("call"))
    elder = row_of(Elder.objects.visible_to(request.actor), request.GET.get("elder")) or (call.elder if call else None)
    text = request.GET.get("q", "").strip()
    found = find_elders(request.actor, text, limit=FOUND) if text and elder is None else []
    ready = list(templates(request.actor)[:9])
    chosen = next((one for one in ready if str(one.pk) == request.GET.get("template")), None)
    initial = {
        "call_id": call.pk if call else None, "elder_id": elder.pk if elder else None,
        "channel": call.channel if call else "console", **_filled(request, chosen),
    }  # fmt: skip
    form = action_form(
        request, "open_ticket", initial, next="/tickets/{id}/", hidden=("channel",) if call else (), done=N_("工单已登记"),
        key_hint="Ctrl+Enter", fields={"level": {"required": True}} | ({} if call else {"channel": {"required": True}}),
    )  # fmt: skip
    keep = "".join(f"&{name}={row.pk}" for name, row in (("call", call), ("elder", elder)) if row)
    return render(
        request,
        "console/ticket_new.html",
        form=form,
        call=call,
        elder=elder,
        text=text,
        found=found,
        ready=ready,
        keep=keep,
    )


def _filled(request: Any, chosen: TicketTemplate | None) -> dict[str, str]:
    """Return what the form starts with: what was typed, else the template's, else the ordinary."""
    plain = {"kind": "request", "level": "normal", "family": "", "title": "", "text": ""}
    if chosen is not None:
        plain = {name: getattr(chosen, name) for name in plain}
    typed = {name: request.GET.get(name, "")[:2000] for name in TYPED}
    return plain | {name: text for name, text in typed.items() if text.strip()}


def row_of(rows: Any, number: str | None) -> Any:
    """Return the row of a number in the address, or nothing."""
    return rows.filter(pk=int(number)).first() if number and number.isascii() and number.isdigit() else None


@page("hotline.ticket.view")
def tickets(request: Any) -> HttpResponse:
    """P05: the queue. The list stays where it is; what came since is counted above it."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in dict(TABS) else "open"
    text, mine = request.GET.get("q", "").strip()[:40], request.GET.get("mine") == "1"
    narrowed = queue(request.actor, now=request.now, tab=tab, text=text, mine=mine).annotate(is_supervised=SUPERVISED)
    if since := _since(request):
        fresh = list(narrowed.filter(pk__gt=since)[:FOUND])
        frame = _queue_frame(request, tab)
        return render(request, "console/tickets.html", block="ticket_news", since=since, fresh=fresh, tab=tab, **frame)
    listing = Listing(
        request, narrowed, Filter("q", _("工单号、姓名、电话"), lambda rows, _value: rows),
        Filter("kind", _("类别"), lambda rows, value: rows.filter(kind=value), "choice", KINDS),
        Filter("level", _("级别"), lambda rows, value: rows.filter(level=value), "choice", LEVELS),
        Filter("body", _("承办机构"), lambda rows, value: rows.filter(provider__short_name__icontains=value)),
        Filter("mine", _("只看我的"), lambda rows, _value: rows, "check"),
        Filter("supervised", _("督办中"), lambda rows, _value: rows.filter(is_supervised=True), "check"),
        Filter("reminded", _("被催办"), lambda rows, _value: rows.filter(reminder_count__gt=0), "check"),
        Filter("escalated", _("已升级"), lambda rows, _value: rows.filter(escalation__gt=0), "check"),
    )  # fmt: skip
    stages = stages_of(request, [ticket.pk for ticket in listing])
    newest = max((ticket.pk for ticket in listing), default=0) if listing.page == 1 else 0
    may_bulk = request.actor.has("hotline.ticket.assign") or request.actor.has("hotline.ticket.transfer")
    return render(
        request, "console/tickets.html", listing=listing, stages=stages, since=newest or _newest(request), fresh=[], tab=tab,
        machine=TICKET, may_bulk=may_bulk and tab not in ("closed", "resolved"), escalated=ESCALATED, **_queue_frame(request, tab),
    )  # fmt: skip


def _newest(request: Any) -> int:
    return Ticket.objects.visible_to(request.actor).order_by("-pk").values_list("pk", flat=True).first() or 1


def _since(request: Any) -> int:
    number = request.GET.get("since", "")
    return int(number) if request.htmx and number.isascii() and number.isdigit() else 0


def _queue_frame(request: Any, tab: str) -> dict[str, Any]:
    counts = queue_counts(request.actor, now=request.now)
    tabs = [(tr(label), f"/tickets/?tab={name}", tally(counts.get(name)), name == tab) for name, label in TABS]
    return {"tabs": tabs, "address": request.get_full_path()}


WITH = ("elder", "provider", "seat", "parent", "call", "merged_into", "reporter")
TICKETS: Kept[Any] = Kept(lambda: with_beside(Ticket.objects.filter(pk=Given("pk")).select_related(*WITH)))
OF_TICKETS = Kept(lambda: with_progress(Order.objects.filter(one_of("ticket_id", "numbers"))).order_by("pk"))


def stages_of(request: Any, numbers: list[int]) -> dict[int, list[tuple[Order, str]]]:
    """Return the orders of tickets with their stages, in one query."""
    found: dict[int, list[tuple[Order, str]]] = defaultdict(list)
    for order in OF_TICKETS(numbers=numbers):
        if order.is_visible_to(request.actor):
            found[order.ticket_id or 0].append((order, tr(STAGE_LABELS[stage(order)])))
    return found


@dataclass(frozen=True)
class Entry:
    """One line of a ticket's timeline."""

    at: datetime
    who: str
    what: str
    text: str = ""
    note: TicketNote | None = None


@page("hotline.ticket.view")
def ticket_page(request: Any, pk: int) -> HttpResponse:
    """P06: one ticket with its steps, its timeline and what can be done now; beside the queue only its detail."""
    ticket = next(iter(TICKETS(pk=pk)), None)
    if ticket is None or not ticket.is_visible_to(request.actor):
        raise Http404
    related = Ticket.objects.visible_to(request.actor).filter(Q(parent=ticket) | Q(merged_into=ticket))
    relatives = list(related.select_related("provider").order_by("pk"))
    children = [one for one in relatives if one.parent_id == pk]
    verbs = {transition.verb for transition in TICKET.verbs(ticket.state)} - (DECIDED if ticket.awaits else set())
    orders, exchanged = beside(ticket, "orders_from_above"), beside(ticket, "exchanged")
    asked = [one for one in beside(ticket, "callbacks") if one.kind == "satisfaction"]
    return render(
        request, "console/ticket.html", ticket=ticket, machine=TICKET, order_machine=ORDER, callback_machine=CALLBACK, bar=_bar(ticket),
        forms=_forms(request, ticket, verbs, asked) | _urging(request, ticket, orders), entries=_timeline(ticket), children=children,
        merged=[one for one in relatives if one.merged_into_id == pk], orders=stages_of(request, [pk])[pk], supervisions=orders,
        asked=asked, exchanged=exchanged, escalated=ESCALATED.get(ticket.escalation, ""), reporter=_reporter(request, ticket),
        can_transfer="transfer" in verbs and request.actor.has("hotline.ticket.transfer"), proposal=_proposal(request, ticket, children),
        can_export=ticket.state in WORKED_ON and not exchanged and request.actor.has("hotline.exchange.export"),
        annotate=action_form(request, "annotate_ticket", {"ticket_id": pk}, next=f"/tickets/{pk}/", tone=""),
    )  # fmt: skip


def _forms(request: Any, ticket: Ticket, verbs: set[str], asked: list[Any]) -> dict[str, ActionForm]:
    """Return the steps of the ticket's own states. Who was not content is offered to have it worked on again, the reason filled in."""
    here = f"/tickets/{ticket.pk}/"
    initial: dict[str, Any] = {"ticket_id": ticket.pk, "seen": ticket.version, "result": ticket.result}
    poor = int(parameter("ticket.unsatisfied_score", ticket.div, local_date(request.now)))
    unhappy = next((one for one in asked if one.state == "done" and one.score and one.score <= poor), None)
    if unhappy is not None:
        initial["reason"] = (_("回访不满意：%(note)s") % {"note": unhappy.note})[:500]
    forms: dict[str, ActionForm] = {
        verb: action_form(request, f"{verb}_ticket", initial, next=here, tone="primary" if verb == "take" else "")
        for verb in ("take", "resolve", "close", "reopen") if verb in verbs
    }  # fmt: skip
    if ticket.merged_into_id is not None:
        forms["unmerge"] = action_form(
            request, "reopen_ticket", initial | {"reason": _("撤销并案")}, next=here, hidden=("reason",), submit=N_("撤销并案"), tone="",
            done=N_("已撤销并案"),
        )  # fmt: skip
        forms.pop("reopen", None)
    elif "merge" in verbs and ticket.parent_id is None:
        forms["merge"] = action_form(
            request, "merge_ticket", initial, next="/tickets/{id}/", tone="", done=N_("已并案，可在本页撤销")
        )
    if unhappy is not None and "reopen" in forms:
        forms["again"] = forms.pop("reopen")
    return forms


def _urging(request: Any, ticket: Ticket, orders: list[Any]) -> dict[str, ActionForm]:
    """Return what is done about a ticket that takes too long."""
    here, initial = f"/tickets/{ticket.pk}/", {"ticket_id": ticket.pk, "by": "caller"}
    forms: dict[str, ActionForm] = {}
    unanswered = next((one for one in orders if not one.answered_at), None)
    if unanswered is not None:
        values = {"supervision_id": unanswered.id, "seen": unanswered.version}
        forms["answer"] = action_form(request, "answer_supervision", values, next=here)
    if ticket.state not in WORKED_ON:
        return forms
    forms["remind"] = action_form(request, "remind_ticket", initial, next=here, tone="", key_hint="")
    if unanswered is None:
        forms["supervise"] = action_form(
            request,
            "supervise_ticket",
            initial,
            next=here,
            tone="",
            fields={"reason": {"label": N_("督办要求"), "help": ""}},
        )
    if ticket.escalation < TOP:
        forms["escalate"] = action_form(
            request, "escalate_ticket", initial | {"seen": ticket.version}, next=here, tone=""
        )
    return forms


@dataclass(frozen=True)
class Proposal:
    """Who the rules would give the ticket to, with a form that does it by one key, and what they ask for that is not there."""

    form: ActionForm | None
    reasons: tuple[Any, ...]
    missing: tuple[Any, ...]
    level: str


def _proposal(request: Any, ticket: Ticket, children: list[Ticket]) -> Proposal | None:
    fresh = ticket.state in WORKED_ON and ticket.provider_id is None and ticket.parent_id is None and not children
    if not fresh or not request.actor.has("hotline.ticket.triage"):
        return None
    found = triage_of(ticket, local_date(request.now))
    if not found.bodies:
        return Proposal(None, (), found.missing, found.level)
    reason = "；".join(dict.fromkeys(f"{one.reason}（{one.word}）" if one.word else one.reason for one in found.bodies))
    initial = {
        "ticket_id": ticket.pk, "seen": ticket.version, "level": found.level, "reason": reason[:500],
        "organisation_ids": [one.organisation.pk for one in found.bodies],
    }  # fmt: skip
    options = [(one.organisation.pk, f"{one.organisation.short_name}：{one.reason}") for one in found.bodies]
    form = action_form(
        request, "triage_ticket", initial, next=f"/tickets/{ticket.pk}/", fields={"organisation_ids": {"options": options}}, key_hint="A",
        done=N_("已按建议分派"),
    )  # fmt: skip
    return Proposal(form, found.bodies, found.missing, found.level)


def _reporter(request: Any, ticket: Any) -> tuple[str, str] | None:
    """Return name and number of who reported, for who answers the line; bodies that handle the ticket never learn it."""
    row = getattr(ticket, "reporter", None)
    if row is None or not request.actor.has("hotline.call.view"):
        return None
    return row.unseal_field("name"), row.unseal_field("phone")


def _bar(ticket: Ticket) -> list[tuple[str, str, str]]:
    states = [state for state, _label in TICKET.choices]
    here = states.index(ticket.state)
    stages = (
        "done" if place < here or ticket.state == "closed" else "now" if place == here else "todo"
        for place in range(len(states))
    )
    return [(tr(label), word, "") for (_state, label), word in zip(TICKET.choices, stages, strict=True)]


def _timeline(ticket: Ticket) -> list[Entry]:
    """What happened to a ticket, newest first: journal and notes, two queries, a third for the names of bodies."""
    steps = list(
        Journal.objects.filter(subject_type="ticket", subject_id=ticket.pk)
        .exclude(event__endswith=".annotate")
        .order_by("pk")
    )
    names = _names(pair[1] for row in steps if (pair := row.changes.get("provider_id")))
    entries = [Entry(row.business_at, row.user_name, *_told(row, names)) for row in steps]
    entries += [Entry(note.written_at, note.written_as, "", note.text, note) for note in ticket.notes.order_by("pk")]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _names(numbers: Iterable[Any]) -> dict[int, str]:
    wanted = {number for number in numbers if number}
    return dict(Organisation.objects.filter(pk__in=wanted).values_list("pk", "short_name")) if wanted else {}


VERBS = {
    "open": N_("登记"), "take": N_("受理"), "transfer": N_("转办"), "split": N_("由主工单分流"), "resolve": N_("办理完毕"),
    "close": N_("办结"), "reopen": N_("重新办理"), "recount": N_("重算时限"), "remind": N_("催办"), "escalate": N_("升级"),
    "merge": N_("并案"), "triage": N_("分流"), "assign": N_("指派"), "order": N_("督办"), "answer": N_("答复督办"),
    "export": N_("转出到其他热线"), "import": N_("收到对方消息"), "note": N_("已告知对方"), "retry": N_("重新发送"),
}  # fmt: skip
SAID = ("result", "number", "merged", "platform")


def _told(row: Journal, names: dict[int, str]) -> tuple[str, str]:
    last = row.event.rsplit(".", 1)[-1]
    verb = tr(VERBS.get(last, row.event))
    if row.is_refused:
        return _("未能“%(verb)s”") % {"verb": verb}, ""
    target = names.get((row.changes.get("provider_id") or [None, 0])[1], "")
    said = [str((row.changes.get(name) or ["", ""])[1] or "") for name in SAID]
    if ".exchange." in row.event:
        said.append(str((row.changes.get("state") or ["", ""])[1] or ""))
    words = [f"→ {target}" if target else "", row.reason, *said]
    return verb, " ".join(word for word in words if word)


def exchange_choices(request: Any) -> list[tuple[str, str]]:
    """The other lines of the actor's area."""
    return list(platforms(request.actor.div or "", request.now).items())


urlpatterns = [
    path("tickets/", tickets),
    path("tickets/new/", new_ticket),
    path("tickets/<int:pk>/", ticket_page),
]
