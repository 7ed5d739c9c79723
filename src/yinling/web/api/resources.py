"""What the API reads: one table. Noun, model, right, rows, fields, filters; names, numbers and health texts masked as on the screens."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from yinling.accounts.models import Journal, Notice
from yinling.accounts.queries import journal
from yinling.assessment.models import Assessment, Form
from yinling.catalogue.models import Price, PriceList, ServiceItem
from yinling.catalogue.queries import price_lists
from yinling.directory.models import (
    Absence,
    ApiToken,
    Area,
    Grant,
    Organisation,
    Policy,
    Qualification,
    ServiceArea,
    Site,
    Staff,
    Suspension,
)
from yinling.dispatch.models import Assignment, Avoidance, Correction, DayPlan, PlannedVisit
from yinling.entitlements.models import Application, Entitlement, Objection, Paper, PublicNotice, Recheck
from yinling.ground.models import CalendarDay
from yinling.indicators.models import Value
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import meant_day
from yinling.kernel.masks import mask_name
from yinling.orders.models import Order
from yinling.orders.queries import in_form
from yinling.people.health import OPEN
from yinling.people.models import (
    Campaign,
    Circumstance,
    Consent,
    Contact,
    Elder,
    HealthFact,
    Household,
    Merge,
    Representative,
    SurveyAnswer,
)
from yinling.people.queries import campaigns, health_facts
from yinling.supervision.models import Finding
from yinling.visits.models import Evaluation, Visit
from yinling.web.api.device_resources import DEVICES
from yinling.web.api.line_resources import LINE
from yinling.web.api.money_resources import MONEY
from yinling.web.api.resource import (
    DATED,
    VERSIONED,
    Resource,
    Rows,
    equal,
    everything,
    hidden,
    holding_on,
    ids,
    in_year,
    number,
    on_day,
    plain_value,
    texts,
    visible,
    within,
    wrong,
)


def _grants(actor: Actor) -> Rows:
    div = actor.div or ""
    return Grant.objects.filter(Q(div__gte=div, div__lt=div + ":") | Q(div="")).select_related("user")


def _of_day(rows: Rows, text: str) -> Rows:
    day = meant_day(text)
    if day is None:
        raise wrong("day")
    return rows.filter(day=day)


def _lines(order: Order) -> list[dict[str, Any]]:
    return [
        {"id": line.pk, "kind": line.kind, "name": line.name, "item_id": line.item_id, "minutes": line.minutes,
        "amount_fen": line.amount_fen}
        for line in order.lines.all()
    ]  # fmt: skip


def _shares(order: Order) -> list[dict[str, Any]]:
    return [
        {"line_id": share.line_id, "payer": share.payer, "entitlement_id": share.entitlement_id,
        "amount_fen": share.amount_fen, "reason": share.reason}
        for share in order.shares.all()
    ]  # fmt: skip


def _holds(order: Order) -> list[dict[str, Any]]:
    return [
        {"cause": hold.cause, "reason": hold.reason, "from_at": plain_value(hold.from_at),
        "to_at": plain_value(hold.to_at)}
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


def _published(_actor: Actor) -> Rows:
    return Price.objects.filter(price_list__state="published").select_related("item")


def _price_lists(actor: Actor) -> Rows:
    """What is published, and the drafts of the own body or area: what others prepare is nobody's business."""
    return PriceList.objects.filter(Q(state="published") | Q(pk__in=price_lists(actor).values("pk")))


def _tokens(actor: Actor) -> Rows:
    return ApiToken.objects.filter(user_id=actor.user_id or 0)


def _notices(actor: Actor) -> Rows:
    return Notice.objects.filter(user_id=actor.user_id or 0)


def _refused(rows: Rows, text: str) -> Rows:
    return rows.filter(is_refused=text == "1")


LIST = [
    Resource(
        "areas", Area, "directory.area.view", everything(Area),
        "div code name short_name level parent_id lon lat source",
        texts("level") | {"parent": equal("parent_id"), "div": within()}, order="pk",
    ),
    Resource(
        "organisations", Organisation, "directory.organisation.view", everything(Organisation),
        f"name short_name credit_code kind div address phone is_provider valid_from valid_to {VERSIONED}",
        texts("kind") | {"div": within()},
    ),
    Resource(
        "sites", Site, "directory.organisation.view", everything(Site),
        f"organisation_id name kind div address lon lat capabilities beds phone hours {VERSIONED}", ids("organisation") | {"div": within()},
    ),
    Resource(
        "service-areas", ServiceArea, "directory.organisation.view", everything(ServiceArea), f"organisation_id family div {DATED}",
        ids("organisation") | texts("family") | {"div": within(), "on": holding_on},
    ),
    Resource(
        "calendar-days", CalendarDay, "directory.area.view", everything(CalendarDay), "day kind name source",
        texts("kind") | {"year": in_year}, order="day",
    ),
    Resource(
        "staff", Staff, "directory.staff.view", visible(Staff),
        f"div provider_id site_id name kind sex skill_level dialects day_from day_to most_minutes_a_day {VERSIONED}",
        ids("provider") | texts("kind") | {"div": within()},
    ),
    Resource(
        "qualifications", Qualification, "directory.staff.view", visible(Qualification),
        f"staff_id provider_id kind issuer {DATED}", ids("staff") | {"on": holding_on},
    ),
    Resource(
        "suspensions", Suspension, "directory.staff.view", visible(Suspension),
        "div staff_id provider_id reason cause from_at to_at released_by_id release_reason", ids("staff", "provider"),
    ),
    Resource(
        "absences", Absence, "directory.staff.view", visible(Absence), f"div staff_id provider_id kind from_at to_at {VERSIONED}",
        ids("staff", "provider") | texts("kind"),
    ),
    Resource(
        "policies", Policy, "directory.organisation.view", everything(Policy), f"organisation_id kind insurer number {DATED}",
        ids("organisation") | texts("kind") | {"on": holding_on},
    ),
    Resource(
        "elders", Elder, "people.elder.view", visible(Elder, "household"),
        f"div household_id sex born_on id_type dialect wants_sex is_resident hukou_div died_on verified_on merged_into_id {VERSIONED}",
        ids("household") | {"div": within()},
        more={"name": lambda row: mask_name(row.name), "phone": lambda row: hidden(row.phone_last4)},
        detail={
            "name": lambda row: row.name, "address": lambda row: row.household.address, "lon": lambda row: row.household.lon,
            "lat": lambda row: row.household.lat,
        },
    ),
    Resource(
        "households", Household, "people.elder.view", visible(Household), f"div address lon lat source_datum door_code {VERSIONED}",
        {"div": within()},
    ),
    Resource(
        "merges", Merge, "people.elder.merge", visible(Merge), "div kept_id gone_id reason moved merged_at merged_by_id undone_at undone_by_id",
        ids("kept", "gone"),
    ),
    Resource(
        "circumstances", Circumstance, "people.elder.view", visible(Circumstance), f"div elder_id kind detail body evidence {DATED}",
        ids("elder") | texts("kind") | {"on": holding_on},
    ),
    Resource(
        "contacts", Contact, "people.elder.view", visible(Contact), f"div elder_id kind rank {VERSIONED}", ids("elder"),
        more={"name": lambda row: mask_name(row.name)}, detail={"name": lambda row: row.name}, order="rank",
    ),
    Resource(
        "representatives", Representative, "people.elder.view", visible(Representative),
        "div elder_id user_id capacity covers_orders covers_signing covers_bills covers_applications covers_health proof "
        f"{DATED}", ids("elder") | {"on": holding_on},
    ),
    Resource(
        "consents", Consent, "people.elder.view", visible(Consent), f"div elder_id purpose text_version given_by {DATED}",
        ids("elder") | {"on": holding_on},
    ),
    Resource(
        "assessments", Assessment, "people.elder.view", visible(Assessment),
        f"div elder_id provider_id scale level points assessed_on {DATED}", ids("elder") | {"on": holding_on},
    ),
    Resource(
        "forms", Form, "assessment.request.view", visible(Form),
        f"div request_id elder_id provider_id scale scale_version state level assessed_on submitted_at {VERSIONED}", ids("elder"),
    ),
    Resource(
        "applications", Application, "entitlements.application.view", visible(Application, "scheme"),
        "div elder_id scheme_id state applied_at applied_by_id applied_as signed_by declared verdict grade assessment_id scale_version share_bp "
        "monthly_cap_fen once_fen stage_on due_on is_due_provisional reviewed_by_id reviewed_at notice_id rank queued_at decided_by_id "
        f"decided_at decision reason appeal_until {VERSIONED}",
        ids("elder", "scheme") | texts("state") | {"div": within()},
        more={"code": lambda row: row.code, "scheme": lambda row: row.scheme.code},
    ),
    Resource(
        "papers", Paper, "entitlements.application.view", visible(Paper), "div application_id elder_id title added_by_id added_at",
        ids("application", "elder"),
    ),
    Resource(
        "public-notices", PublicNotice, "entitlements.application.view", visible(PublicNotice),
        "div scheme_id place from_on last_day lines published_at published_by_id", ids("scheme") | {"div": within()},
        more={"code": lambda row: row.code},
    ),
    Resource(
        "objections", Objection, "entitlements.objection.reveal", visible(Objection),
        f"div application_id state raised_at entered_by_id due_on decided_by_id decided_at answer {VERSIONED}", ids("application") | texts("state"),
    ),
    Resource(
        "rechecks", Recheck, "entitlements.application.view", visible(Recheck),
        "div entitlement_id elder_id due_on outcome findings checked_by_id checked_at", ids("entitlement", "elder"),
    ),
    Resource(
        "entitlements", Entitlement, "entitlements.entitlement.view", visible(Entitlement, "scheme"),
        f"div elder_id scheme_id share_bp monthly_cap_fen once_fen basis application_id recheck_on ended_reason {DATED} {VERSIONED}",
        ids("elder") | {"on": holding_on}, more={"scheme": lambda row: row.scheme.code},
    ),
    Resource(
        "health-facts", HealthFact, "people.health.view", health_facts, f"div elder_id kind body rule {DATED}",
        ids("elder") | texts("kind") | {"on": holding_on},
        more={"item": lambda row: row.item if row.kind in OPEN else "", "content": lambda _row: "****"},
    ),
    Resource(
        "campaigns", Campaign, "people.campaign.view", campaigns, f"div name kind item least_age starts_on ends_on {VERSIONED}",
        texts("kind"),
    ),
    Resource(
        "survey-answers", SurveyAnswer, "people.campaign.view", visible(SurveyAnswer),
        "div campaign_id elder_id outcome asked_by_id asked_at", ids("campaign", "elder") | texts("outcome"),
    ),
    Resource(
        "items", ServiceItem, "catalogue.item.view", everything(ServiceItem),
        "code family kind scales name description standard standard_minutes steps needs_qualification carers_needed is_medical "
        f"charges_callout department guide support_policy is_active {VERSIONED}", texts("family", "code"),
    ),
    Resource(
        "price-lists", PriceList, "catalogue.item.view", _price_lists,
        f"organisation_id state basis document drafted_by_id published_by_id published_at {VERSIONED}",
        ids("organisation") | texts("state"),
    ),
    Resource(
        "prices", Price, "catalogue.item.view", _published,
        f"price_list_id organisation_id item_id amount_fen callout_fee_fen unit {DATED}",
        ids("organisation", "item") | {"code": equal("item__code"), "on": holding_on}, more={"code": lambda row: row.item.code},
    ),
    *LINE,
    Resource(
        "orders", Order, "orders.order.view", visible(Order),
        "code div ticket_id elder_id elder_name elder_sex dialect wants_sex provider_id state channel address lon lat starts_at "
        "ends_at earliest_at latest_at carers_needed needs_visit meal_channel is_urgent note placed_at "
        f"accept_due_at accepted_at served_at settled_at total_fen self_fen cancel_reason {VERSIONED}",
        ids("elder", "provider", "ticket") | texts("state", "meal_channel")
        | {"div": within(), "day": on_day("day", "starts_at"), "meal_form": in_form},
        more={"lines": _lines, "shares": _shares, "holds": _holds}, with_rows=("lines", "shares", "holds"),
    ),
    Resource(
        "assignments", Assignment, "dispatch.assignment.view", visible(Assignment),
        "div order_id elder_id provider_id staff_id staff_name slot is_claimed state starts_at ends_at offered_at accept_due_at accepted_at "
        f"ended_at assigned_by_id rank reasons choice_reason end_reason {VERSIONED}",
        ids("order", "staff") | texts("state") | {"day": on_day("day", "starts_at")},
    ),
    Resource(
        "avoidances", Avoidance, "dispatch.assignment.view", visible(Avoidance),
        f"div elder_id staff_id staff_name provider_id asked_by {DATED}", ids("elder", "staff") | {"on": holding_on},
    ),
    Resource(
        "plans", DayPlan, "dispatch.plan.view", visible(DayPlan),
        "div provider_id day number state cause base_id locked_staff cost notes progress is_stop_wanted reason requested_by_id "
        f"published_by_id published_at {VERSIONED}",
        ids("provider", "base") | texts("state", "cause") | {"div": within(), "day": _of_day},
    ),
    Resource(
        "planned-visits", PlannedVisit, "dispatch.plan.view", visible(PlannedVisit),
        "div plan_id order_id elder_id provider_id slot staff_id starts_at ends_at way_minutes late_minutes is_locked reasons",
        ids("plan", "order", "staff"),
    ),
    Resource(
        "corrections", Correction, "dispatch.correction.view", visible(Correction),
        "kind div provider_id mode engine hour_from hour_to item_id level state value before low high sample_count distribution "
        f"measured_from computed_on decided_by_id decided_at reason {VERSIONED}",
        ids("provider", "item") | texts("kind", "state") | {"div": within()},
    ),
    Resource(
        "visits", Visit, "visits.visit.view", visible(Visit),
        "div order_id assignment_id elder_id provider_id staff_id state departed_at started_at ended_at tasks signed_as "
        f"abort_reason {VERSIONED}",
        ids("order", "staff", "elder") | texts("state") | {"day": on_day("day", "started_at")},
        more={"check_ins": _check_ins, "evidence": _evidence}, with_rows=("check_ins", "evidence"),
    ),
    Resource(
        "evaluations", Evaluation, "visits.visit.view", visible(Evaluation),
        "div order_id elder_id provider_id score comment by evaluated_at", ids("order", "provider"),
    ),
    Resource(
        "findings", Finding, "supervision.finding.view", visible(Finding),
        "div rule severity state order_id visit_id elder_id provider_id staff_id title facts happened_at found_at "
        f"acknowledged_by_id acknowledged_at decided_by_id decided_at decision_reason {VERSIONED}",
        ids("order") | texts("state", "rule", "severity") | {"div": within()},
    ),
    Resource(
        "values", Value, "indicators.value.view", visible(Value),
        "div code period_from period_to numerator denominator version computed_at", texts("code") | {"div": within()},
    ),
    Resource(
        "grants", Grant, "directory.grant.view", _grants,
        "user_id role organisation_id div state reason from_at to_at proposed_by_id confirmed_by_id ended_by_id "
        f"{VERSIONED}", ids("user") | texts("role", "state"), more={"user": lambda row: row.user.name},
    ),
    Resource("tokens", ApiToken, "directory.token.issue", _tokens, "name grant_id created_at expires_at ended_at"),
    Resource(
        "journal", Journal, "accounts.journal.view", journal,
        "at business_at user_id user_name role event subject_type subject_id div provider_id elder_id staff_id changes reason "
        "request_id is_refused code",
        ids("user", "elder") | texts("event", "subject_type")
        | {"subject_id": number("subject_id", "subject_id"), "day": on_day("day", "at"), "refused": _refused},
    ),
    Resource("notices", Notice, "accounts.notice.read", _notices, "channel title text link created_at sent_at read_at"),
    *DEVICES,
    *MONEY,
]  # fmt: skip
RESOURCES = {resource.noun: resource for resource in LIST}
BY_MODEL = {resource.model: resource for resource in LIST}
