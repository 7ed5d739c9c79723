"""What the API reads: one table. Noun, right, rows, fields, filters; names, numbers and health texts masked as on the screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from yinling.accounts.models import Journal, Notice
from yinling.accounts.queries import journal
from yinling.catalogue.models import Price, PriceList, ServiceItem
from yinling.directory.models import ApiToken, Area, Grant, Organisation, Qualification, Site, Staff
from yinling.dispatch.models import Assignment
from yinling.entitlements.models import Entitlement
from yinling.ground.models import in_force
from yinling.hotline.models import Call, Ticket
from yinling.indicators.models import Value
from yinling.kernel.actor import Actor
from yinling.kernel.masks import mask_name
from yinling.kernel.period import day_bounds
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.models import Circumstance, Elder
from yinling.settlement.models import Charge, Statement
from yinling.supervision.models import Finding
from yinling.visits.models import Evaluation, Visit

Rows = QuerySet[Any]
Narrow = Callable[[Rows, str], Rows]


@dataclass(frozen=True)
class Resource:
    """One noun: ``fields`` are attributes, ``more`` computes others, ``filters`` narrow the list by a value of the address."""

    noun: str
    model: type[Model]
    right: str
    rows: Callable[[Actor], Rows]
    fields: tuple[str, ...]
    filters: Mapping[str, Narrow] = field(default_factory=dict)
    more: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    detail: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    order: str = "-pk"
    with_rows: tuple[str, ...] = ()


def wrong(name: str) -> Refused:
    """Return the refusal of a filter's value."""
    return Refused("filter.invalid", N_("筛选条件 %(name)s 的值不正确"), field=name, name=name)


def number(name: str, lookup: str) -> Narrow:
    """Narrow by a whole number."""

    def narrow(rows: Rows, text: str) -> Rows:
        if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 - digits of a bigint
            raise wrong(name)
        return rows.filter(**{lookup: int(text)})

    return narrow


def equal(lookup: str) -> Narrow:
    """Narrow by a text; several values are separated by commas."""
    return lambda rows, text: rows.filter(**{f"{lookup}__in": text.split(",")})


def within(column: str = "div") -> Narrow:
    """Narrow to a division and all below it."""
    return lambda rows, text: rows.filter(**{f"{column}__gte": text, f"{column}__lt": text + ":"})


def on_day(name: str, column: str) -> Narrow:
    """Narrow to the moments of one local day."""

    def narrow(rows: Rows, text: str) -> Rows:
        try:
            start, end = day_bounds(date.fromisoformat(text))
        except ValueError as error:
            raise wrong(name) from error
        return rows.filter(**{f"{column}__gte": start, f"{column}__lt": end})

    return narrow


def holding_on(rows: Rows, text: str) -> Rows:
    """Narrow dated facts to those that hold on a day."""
    try:
        return rows.filter(in_force(date.fromisoformat(text)))
    except ValueError as error:
        raise wrong("on") from error


def visible(model: Any, *related: str) -> Callable[[Actor], Rows]:
    """Return the rows an actor may see."""
    return lambda actor: model.objects.visible_to(actor).select_related(*related)


def everything(model: Any, *related: str) -> Callable[[Actor], Rows]:
    """Return all rows of a table that belongs to nobody in particular."""
    return lambda actor: model.objects.select_related(*related)  # noqa: ARG005 - one signature for all


def _grants(actor: Actor) -> Rows:
    div = actor.div or ""
    return Grant.objects.filter(Q(div__gte=div, div__lt=div + ":") | Q(div="")).select_related("user")


def _lines(order: Order) -> list[dict[str, Any]]:
    return [
        {"id": line.pk, "kind": line.kind, "name": line.name, "item_id": line.item_id, "minutes": line.minutes, "amount_fen": line.amount_fen}
        for line in order.lines.all()
    ]  # fmt: skip


def _shares(order: Order) -> list[dict[str, Any]]:
    return [
        {"line_id": share.line_id, "payer": share.payer, "entitlement_id": share.entitlement_id, "amount_fen": share.amount_fen, "reason": share.reason}
        for share in order.shares.all()
    ]  # fmt: skip


def _holds(order: Order) -> list[dict[str, Any]]:
    return [
        {"cause": hold.cause, "reason": hold.reason, "from_at": plain_value(hold.from_at), "to_at": plain_value(hold.to_at)}
        for hold in order.holds.all()
    ]  # fmt: skip


def _check_ins(visit: Visit) -> list[dict[str, Any]]:
    names = ("kind", "lon", "lat", "datum", "accuracy_m", "distance_m", "by_door_code", "device_at", "received_at")
    return [{name: plain_value(getattr(row, name)) for name in names} for row in visit.check_ins.all()]


def _evidence(visit: Visit) -> list[dict[str, Any]]:
    return [
        {"id": row.pk, "kind": row.kind, "sha256": bytes(row.sha256).hex(), "taken_at": plain_value(row.taken_at)}
        for row in visit.evidence.all()
    ]  # fmt: skip


VERSIONED = ("version", "created_at", "changed_at")
DATED = ("valid_from", "valid_to", "recorded_from", "recorded_to")
LIST = [
    Resource(
        "areas", Area, "directory.area.view", everything(Area), ("div", "code", "name", "short_name", "level", "parent_id", "lon", "lat", "source"),
        {"level": equal("level"), "parent": equal("parent_id"), "div": within("div")}, order="pk",
    ),
    Resource(
        "organisations", Organisation, "directory.organisation.view", everything(Organisation),
        ("id", "name", "short_name", "credit_code", "kind", "div", "address", "phone", "is_provider", "valid_from", "valid_to", *VERSIONED),
        {"kind": equal("kind"), "div": within()},
    ),
    Resource(
        "sites", Site, "directory.organisation.view", everything(Site), ("id", "organisation_id", "name", "kind", "div", "address", "lon", "lat", *VERSIONED),
        {"organisation": number("organisation", "organisation_id"), "div": within()},
    ),
    Resource(
        "staff", Staff, "directory.staff.view", visible(Staff),
        ("id", "div", "provider_id", "site_id", "name", "kind", "sex", "skill_level", "dialects", "day_from", "day_to", "most_minutes_a_day", *VERSIONED),
        {"provider": number("provider", "provider_id"), "kind": equal("kind"), "div": within()},
    ),
    Resource(
        "qualifications", Qualification, "directory.staff.view", visible(Qualification),
        ("id", "staff_id", "provider_id", "kind", "issuer", *DATED), {"staff": number("staff", "staff_id"), "on": holding_on},
    ),
    Resource(
        "elders", Elder, "people.elder.view", visible(Elder, "household"),
        ("id", "div", "household_id", "sex", "born_on", "id_type", "dialect", "wants_sex", "is_resident", "died_on", *VERSIONED),
        {"div": within(), "household": number("household", "household_id")},
        more={"name": lambda row: mask_name(row.name), "phone": lambda row: f"****{row.phone_last4}" if row.phone_last4 else ""},
        detail={"name": lambda row: row.name, "address": lambda row: row.household.address},
    ),
    Resource(
        "circumstances", Circumstance, "people.elder.view", visible(Circumstance), ("id", "div", "elder_id", "kind", "body", "evidence", *DATED),
        {"elder": number("elder", "elder_id"), "kind": equal("kind"), "on": holding_on},
    ),
    Resource(
        "entitlements", Entitlement, "entitlements.entitlement.view", visible(Entitlement, "scheme"),
        ("id", "div", "elder_id", "scheme_id", "share_bp", "monthly_cap_fen", "basis", *DATED, *VERSIONED),
        {"elder": number("elder", "elder_id"), "on": holding_on}, more={"scheme": lambda row: row.scheme.code},
    ),
    Resource(
        "items", ServiceItem, "catalogue.item.view", everything(ServiceItem),
        ("id", "code", "family", "name", "description", "standard", "standard_minutes", "steps", "needs_qualification", "carers_needed", "is_medical",
         "charges_callout", "department", "guide", "support_policy", "is_active", *VERSIONED),
        {"family": equal("family"), "code": equal("code")},
    ),
    Resource(
        "price-lists", PriceList, "catalogue.item.view", everything(PriceList),
        ("id", "organisation_id", "state", "basis", "document", "drafted_by_id", "published_by_id", "published_at", *VERSIONED),
        {"organisation": number("organisation", "organisation_id"), "state": equal("state")},
    ),
    Resource(
        "prices", Price, "catalogue.item.view", lambda _actor: Price.objects.filter(price_list__state="published").select_related("item"),
        ("id", "price_list_id", "organisation_id", "item_id", "amount_fen", "callout_fee_fen", "unit", *DATED),
        {"organisation": number("organisation", "organisation_id"), "item": number("item", "item_id"), "code": equal("item__code"), "on": holding_on},
        more={"code": lambda row: row.item.code},
    ),
    Resource(
        "calls", Call, "hotline.call.view", visible(Call),
        ("id", "key", "div", "state", "channel", "elder_id", "seat_id", "rang_at", "answered_at", "ended_at", *VERSIONED),
        {"state": equal("state"), "elder": number("elder", "elder_id"), "day": on_day("day", "rang_at")},
        more={"number": lambda row: f"****{row.number_last4}" if row.number_last4 else ""},
    ),
    Resource(
        "tickets", Ticket, "hotline.ticket.view", visible(Ticket),
        ("id", "code", "div", "call_id", "parent_id", "elder_id", "provider_id", "seat_id", "state", "kind", "level", "channel", "family", "title", "text",
         "opened_at", "due_at", "is_due_provisional", "closed_at", "result", *VERSIONED),
        {"state": equal("state"), "kind": equal("kind"), "level": equal("level"), "elder": number("elder", "elder_id"), "div": within(),
         "provider": number("provider", "provider_id")},
    ),
    Resource(
        "orders", Order, "orders.order.view", visible(Order),
        ("id", "code", "div", "ticket_id", "elder_id", "elder_name", "provider_id", "state", "channel", "address", "starts_at", "ends_at", "is_urgent", "note",
         "placed_at", "accept_due_at", "accepted_at", "served_at", "settled_at", "total_fen", "self_fen", "cancel_reason", *VERSIONED),
        {"state": equal("state"), "elder": number("elder", "elder_id"), "provider": number("provider", "provider_id"), "div": within(),
         "ticket": number("ticket", "ticket_id"), "day": on_day("day", "starts_at")},
        more={"lines": _lines, "shares": _shares, "holds": _holds}, with_rows=("lines", "shares", "holds"),
    ),
    Resource(
        "assignments", Assignment, "dispatch.assignment.view", visible(Assignment),
        ("id", "div", "order_id", "elder_id", "provider_id", "staff_id", "staff_name", "state", "starts_at", "ends_at", "offered_at", "accept_due_at",
         "accepted_at", "ended_at", "assigned_by_id", "rank", "reasons", "choice_reason", "end_reason", *VERSIONED),
        {"order": number("order", "order_id"), "staff": number("staff", "staff_id"), "state": equal("state"), "day": on_day("day", "starts_at")},
    ),
    Resource(
        "visits", Visit, "visits.visit.view", visible(Visit),
        ("id", "div", "order_id", "assignment_id", "elder_id", "provider_id", "staff_id", "state", "departed_at", "started_at", "ended_at", "tasks", "signed_as",
         "abort_reason", *VERSIONED),
        {"order": number("order", "order_id"), "staff": number("staff", "staff_id"), "elder": number("elder", "elder_id"), "state": equal("state"),
         "day": on_day("day", "started_at")},
        more={"check_ins": _check_ins, "evidence": _evidence}, with_rows=("check_ins", "evidence"),
    ),
    Resource(
        "evaluations", Evaluation, "visits.visit.view", visible(Evaluation), ("id", "div", "order_id", "elder_id", "provider_id", "score", "comment", "by", "evaluated_at"),
        {"order": number("order", "order_id"), "provider": number("provider", "provider_id")},
    ),
    Resource(
        "charges", Charge, "settlement.order.view", visible(Charge),
        ("id", "div", "posting_id", "order_id", "line_id", "elder_id", "provider_id", "payer", "entitlement_id", "amount_fen", "service_day"),
        {"order": number("order", "order_id"), "provider": number("provider", "provider_id"), "payer": equal("payer")},
    ),
    Resource(
        "statements", Statement, "settlement.statement.view", visible(Statement),
        ("id", "code", "div", "provider_id", "payer", "month", "state", "total_fen", "line_count", "drafted_at", "drafted_by_id", "reviewed_by_id", "reviewed_at",
         "approved_by_id", "approved_at", "return_reason", *VERSIONED),
        {"state": equal("state"), "provider": number("provider", "provider_id"), "payer": equal("payer"), "month": equal("month")},
    ),
    Resource(
        "findings", Finding, "supervision.finding.view", visible(Finding),
        ("id", "div", "rule", "severity", "state", "order_id", "visit_id", "elder_id", "provider_id", "staff_id", "title", "facts", "happened_at", "found_at",
         "acknowledged_by_id", "acknowledged_at", "decided_by_id", "decided_at", "decision_reason", *VERSIONED),
        {"state": equal("state"), "rule": equal("rule"), "severity": equal("severity"), "order": number("order", "order_id"), "div": within()},
    ),
    Resource(
        "values", Value, "indicators.value.view", visible(Value),
        ("id", "div", "code", "period_from", "period_to", "numerator", "denominator", "version", "computed_at"), {"code": equal("code"), "div": within()},
    ),
    Resource(
        "grants", Grant, "directory.grant.view", _grants,
        ("id", "user_id", "role", "organisation_id", "div", "state", "reason", "from_at", "to_at", "proposed_by_id", "confirmed_by_id", "ended_by_id", *VERSIONED),
        {"user": number("user", "user_id"), "role": equal("role"), "state": equal("state")}, more={"user": lambda row: row.user.name},
    ),
    Resource(
        "tokens", ApiToken, "directory.token.issue", lambda actor: ApiToken.objects.filter(user_id=actor.user_id),
        ("id", "name", "grant_id", "created_at", "expires_at", "ended_at"),
    ),
    Resource(
        "journal", Journal, "accounts.journal.view", journal,
        ("id", "at", "business_at", "user_id", "user_name", "role", "event", "subject_type", "subject_id", "div", "provider_id", "elder_id", "staff_id", "changes",
         "reason", "request_id", "is_refused", "code"),
        {"user": number("user", "user_id"), "event": equal("event"), "subject_type": equal("subject_type"), "subject_id": number("subject_id", "subject_id"),
         "elder": number("elder", "elder_id"), "day": on_day("day", "at"), "refused": lambda rows, text: rows.filter(is_refused=text == "1")},
    ),
    Resource(
        "notices", Notice, "accounts.notice.read", lambda actor: Notice.objects.filter(user_id=actor.user_id),
        ("id", "channel", "title", "text", "link", "created_at", "sent_at", "read_at"),
    ),
]  # fmt: skip
RESOURCES = {resource.noun: resource for resource in LIST}
BY_MODEL = {resource.model: resource for resource in LIST}


def plain_value(value: Any) -> Any:
    """Return a value as JSON has it: moments with the local offset, days as ISO, decimals as text."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def shown(resource: Resource, row: Any, *, in_full: bool = True) -> dict[str, Any]:
    """Return a row as the API shows it; ``in_full`` adds what a list leaves out."""
    found = {name: plain_value(getattr(row, name)) for name in resource.fields}
    found |= {name: make(row) for name, make in resource.more.items()}
    if in_full:
        found |= {name: make(row) for name, make in resource.detail.items()}
    return {"id": row.pk, **found}

