"""One timeline of an elder: what was done by the journal, and what happened by the rows of every context that have no journal row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, DateTimeField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast

from yinling.accounts.models import Journal
from yinling.directory.rights import RIGHTS
from yinling.ground.kept import Given, Kept
from yinling.hotline.models import Call, Ticket
from yinling.hotline.states import CALL, TICKET
from yinling.kernel.actor import Actor
from yinling.kernel.machine import Machine
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine
from yinling.orders.states import ORDER
from yinling.people.queries import merged_numbers
from yinling.visits.models import Evaluation, Visit
from yinling.visits.states import VISIT

EVENTS = {
    "assessment.form.return": N_("评估表退回"),
    "assessment.request.submit": N_("评估表已提交"),
    "devices.alarm.raise": N_("设备报警"),
    "dispatch.assignment.expire": N_("派单超时未接"),
    "dispatch.assignment.finish": N_("派单完成"),
    "dispatch.assignment.offer": N_("派单"),
    "dispatch.assignment.withdraw": N_("派单撤回"),
    "orders.order.appoint": N_("另约上门时间"),
    "orders.order.assign": N_("已派单"),
    "orders.order.hold": N_("冻结结算"),
    "orders.order.mark_accepted": N_("已接单"),
    "orders.order.mark_failed": N_("服务未完成"),
    "orders.order.mark_served": N_("服务完成"),
    "orders.order.mark_settled": N_("已结算"),
    "orders.order.mark_started": N_("服务开始"),
    "orders.order.release": N_("解除结算冻结"),
    "orders.order.return": N_("退回待派"),
}
"""Steps that another operation's right covers; all others are named as their right."""

GROUPS: dict[str, tuple[str, str, Machine[Any] | None]] = {
    "call": (N_("来电"), "/calls/", CALL),
    "ticket": (N_("工单"), "/tickets/", TICKET),
    "order": (N_("订单"), "/orders/", ORDER),
    "visit": (N_("上门服务"), "", VISIT),
    "evaluation": (N_("服务评价"), "", None),
}  # fmt: skip
SEEN_WITH = {
    "devices": "devices.alarm.view",
    "people.health": "people.health.view",
    "people.campaign": "people.campaign.view",
    "hotline": "hotline.ticket.view",
    "orders": "orders.order.view",
    "dispatch": "orders.order.view",
    "visits": "visits.visit.view",
    "settlement": "settlement.order.view",
    "supervision": "supervision.finding.view",
    "entitlements": "entitlements.entitlement.view",
    "call": "hotline.call.view",
    "ticket": "hotline.ticket.view",
    "order": "orders.order.view",
    "visit": "visits.visit.view",
    "evaluation": "visits.visit.view",
}
"""The right with which a context's journal, or a kind of row, is shown; all others with the file itself."""
PAGES = {"alarm": "/alarms/", "call": "/calls/", "ticket": "/tickets/", "order": "/orders/"}
MOST = 60


@dataclass(frozen=True)
class Entry:
    """One line of the timeline: when, what, by whom, with which words, and where more of it stands."""

    at: datetime
    kind: str
    label: str
    text: str = ""
    who: str = ""
    address: str = ""
    is_refused: bool = False


def timeline(actor: Actor, elder_id: int, limit: int = MOST) -> list[Entry]:
    """Return what was done and what happened, the latest first, as far as the role may see it. Two queries."""
    hidden = {kind for kind, right in SEEN_WITH.items() if not actor.has(right)}
    done = Journal.objects.visible_to(actor).filter(elder_id__in=merged_numbers(elder_id))
    for context in hidden:
        done = done.exclude(event__startswith=f"{context}.")
    journal = list(done.order_by("-id")[:limit])
    told = {(row.subject_type, row.subject_id) for row in journal}
    names = ("kind", "pk", "at", "text", "state", "order")
    happened = [dict(zip(names, row, strict=True)) for row in HAPPENED.rows(elder_id=elder_id)[:limit]]
    rows = [row for row in happened if row["kind"] not in hidden]
    entries = [_done(row, hidden) for row in journal]
    entries += [_happened(row) for row in rows if (row["kind"], row["pk"]) not in told]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def _done(row: Journal, hidden: Collection[str]) -> Entry:
    label = EVENTS.get(row.event) or RIGHTS.get(row.event) or row.event
    base = PAGES.get(row.subject_type, "") if row.subject_id and row.subject_type not in hidden else ""
    return Entry(
        at=row.business_at,
        kind=row.event.split(".")[0],
        label=label,
        text=row.reason,
        who=row.user_name,
        address=f"{base}{row.subject_id}/" if base else "",
        is_refused=row.is_refused,
    )


def _happened(row: dict[str, Any]) -> Entry:
    label, base, machine = GROUPS[row["kind"]]
    address = f"{base}{row['pk']}/" if base else (f"/orders/{row['order']}/" if row["order"] else "")
    return Entry(at=row["at"], kind=row["kind"], label=label, text=_words(row, machine), address=address)


def _words(row: dict[str, Any], machine: Machine[Any] | None) -> str:
    state = machine.states(row["state"]).label if machine else row["state"]
    return " · ".join(part for part in (row["text"], state) if part)


def _happened_to() -> QuerySet[Any]:
    """Calls, tickets, orders, visits and evaluations in one statement, the latest first."""
    first = OrderLine.objects.filter(order=OuterRef("pk"), kind="item").order_by("id").values("name")[:1]
    nothing = Value(None, output_field=CharField())
    calls = _part(_own(Call), "call", at=F("rang_at"), text=Value(""), order=nothing)
    parts = [
        _part(_own(Ticket), "ticket", at=F("opened_at"), text=F("title"), order=nothing),
        _part(_own(Order), "order", at=F("starts_at"), text=Subquery(first), order=nothing),
        _part(_own(Visit).filter(started_at__isnull=False), "visit", at=F("started_at"), text=F("findings")),
        _part(
            _own(Evaluation), "evaluation", at=F("evaluated_at"), text=F("comment"), state=Cast("score", CharField())
        ),
    ]
    found: QuerySet[Any] = calls.union(*parts, all=True).order_by("-at_")[:MOST]
    return found


def _own(model: Any) -> Any:
    return model.objects.filter(elder_id=Given("elder_id"))


def _part(rows: QuerySet[Any], kind: str, *, at: Any, text: Any, state: Any = None, order: Any = None) -> Any:
    """Return the columns all parts share."""
    return (
        rows.annotate(
            kind_=Value(kind, output_field=CharField()),
            at_=Cast(at, DateTimeField()),
            text_=Cast(text, CharField()),
            state_=Cast(F("state") if state is None else state, CharField()),
            order_=Cast(F("order_id") if order is None else order, CharField()),
        )
        .order_by()
        .values_list("kind_", "id", "at_", "text_", "state_", "order_")
    )


HAPPENED: Kept[Any] = Kept(_happened_to)
