"""Reading findings and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from yinling.accounts.queries import audit_connection
from yinling.directory.models import Suspension
from yinling.directory.rules import require
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_midnight, next_month
from yinling.orders.models import Hold, Order, PayerShare
from yinling.people.stops import PERFORMED
from yinling.supervision import rows
from yinling.supervision.engine import Hit, run
from yinling.supervision.models import Finding, Round, SiteCheck
from yinling.supervision.rules import BY_HAND, RULES
from yinling.supervision.rules.rule import FACTS
from yinling.supervision.sampling import drawn, needed
from yinling.supervision.states import FindingState
from yinling.visits.models import CheckIn, Evidence, Visit

LIVE = "live"
COUNTY = 6
UNDECIDED = [FindingState.OPEN, FindingState.ACKNOWLEDGED]


@dataclass(frozen=True)
class Look:
    """What one round saw: up to which snapshot, how many orders were touched, and what the rules caught."""

    snapshot: str
    touched: int
    hits: list[Hit]


@dataclass(frozen=True)
class Fact:
    """One value behind a finding, as people read it."""

    label: str
    kind: str
    value: Any


@dataclass(frozen=True)
class FindingFile:
    """A finding with the rows a supervisor decides by."""

    finding: Finding
    facts: list[Fact]
    check_ins: list[CheckIn]
    photos: list[Evidence]
    earlier_visit: Visit | None
    earlier_photos: list[Evidence]
    hold: Hold | None
    suspension: Suspension | None


def last_round() -> Round | None:
    """How far the live supervision has come."""
    return Round.objects.filter(name=LIVE).first()


@contextmanager
def _steady() -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """The audit role in one snapshot."""
    with audit_connection() as audit, audit.transaction():
        audit.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield audit


def look(now: datetime, last: Round | None) -> Look:
    """Run every rule over the orders touched since the last round and those that time made late."""
    before = last.ran_at if last and last.ran_at else now
    with _steady() as audit:
        taken = rows.snapshot(audit)
        since = last.snapshot if last and rows.still_counts(last.snapshot, taken) else ""
        orders = rows.touched_orders(audit, since=since)
        orders |= rows.overdue_orders(audit, before=before, now=now)
        wanted = rows.with_neighbours(audit, orders)
        services, photos = (rows.services(audit, wanted, now=now), rows.photos(audit, wanted)) if wanted else ([], [])
    return Look(taken, len(orders), run(services, photos) if services else [])


def look_at_all(day_from: date, day_to: date, now: datetime) -> Look:
    """Run every rule over all orders of some days, both inclusive: the same expressions on everything."""
    with _steady() as audit:
        taken = rows.snapshot(audit)
        wanted = set(rows.orders_between(audit, day_bounds(day_from)[0], day_bounds(day_to)[1]))
        read = sorted(wanted | rows.cancelled_beside(audit, sorted(wanted)))
        services, photos = rows.services(audit, read, now=now), rows.photos(audit, sorted(wanted))
    return Look(taken, len(wanted), [hit for hit in run(services, photos) if hit.order_id in wanted])


def unknown(hits: Iterable[Hit]) -> list[Hit]:
    """Those hits that no finding stands for yet."""
    found = list(hits)
    known = set(Finding.objects.filter(key__in=[hit.key for hit in found]).values_list("key", flat=True))
    return [hit for hit in found if hit.key not in known]


def findings(actor: Actor) -> QuerySet[Finding]:
    """Findings the actor may see, newest first."""
    require(actor, "supervision.finding.view")
    rows_ = Finding.objects.visible_to(actor).select_related(
        "order", "provider", "staff", "acknowledged_by", "decided_by", "follow_up"
    )
    return rows_.order_by("-found_at", "-id")


def finding_counts(actor: Actor) -> dict[str, int]:
    """How many findings there are by state, and how many wait by severity, no further than ``MOST_COUNTED``."""
    require(actor, "supervision.finding.view")
    undecided = Q(state__in=UNDECIDED)
    tabs = {str(state.value): Q(state=state) for state in FindingState}
    tabs |= {severity: undecided & Q(severity=severity) for severity in ("block", "warning")}
    counts: dict[str, int] = Finding.objects.visible_to(actor).counted(tabs)
    return counts


def cause_of(finding: Finding) -> str:
    """The plain reference by which a finding's hold and suspension are known."""
    return f"finding:{finding.pk}"


def finding_file(actor: Actor, finding: Finding) -> FindingFile:
    """Everything a supervisor decides a finding by."""
    require(actor, "supervision.finding.view", div=finding.div, provider_id=finding.provider_id)
    visit_id, earlier_id = finding.visit_id, finding.facts.get("earlier_visit_id")
    evidence = Evidence.objects.filter(visit_id__in=[one for one in (visit_id, earlier_id) if one], kind="photo")
    shown = list(evidence.select_related("file").order_by("received_at", "id"))
    if digest := finding.facts.get("sha256"):
        shown = [one for one in shown if bytes(one.sha256).hex() == digest]
    return FindingFile(
        finding=finding,
        facts=[fact(name, value) for name, value in finding.facts.items()],
        check_ins=list(CheckIn.objects.filter(visit_id=visit_id).order_by("id")) if visit_id else [],
        photos=[one for one in shown if one.visit_id == visit_id],
        earlier_visit=Visit.objects.filter(pk=earlier_id).select_related("staff", "order").first() if earlier_id else None,
        earlier_photos=[one for one in shown if one.visit_id != visit_id],
        hold=Hold.objects.filter(order_id=finding.order_id, cause=cause_of(finding)).first(),
        suspension=Suspension.objects.filter(staff_id=finding.staff_id, cause=cause_of(finding)).first() if finding.staff_id else None,
    )  # fmt: skip


def fact(name: str, value: Any) -> Fact:
    """Return a stored value with its label; moments as moments."""
    label, kind = FACTS.get(name, (name, "text"))
    return Fact(label, kind, datetime.fromtimestamp(value, UTC) if kind == "moment" else value)


def suspended(actor: Actor) -> QuerySet[Suspension]:
    """Carers who get no orders now, the longest first."""
    require(actor, "supervision.finding.view")
    return (
        Suspension.objects.visible_to(actor)
        .filter(to_at=None)
        .select_related("staff", "provider")
        .order_by("from_at", "id")
    )


def funded_services(div: str, month: date) -> QuerySet[Any]:
    """The services of a month that vouchers paid for, each with its county: what is drawn for a look on site comes from these."""
    payers = parameter("site_check.payers", div, month)
    paid = PayerShare.objects.filter(order=OuterRef("pk"), payer__in=payers, amount_fen__gt=0)
    rows = Order.objects.within(div).filter(
        Exists(paid), state__in=PERFORMED, starts_at__gte=local_midnight(month), starts_at__lt=local_midnight(next_month(month))
    )  # fmt: skip
    return rows.order_by().annotate(county=Substr("div", 1, COUNTY))


def to_check(div: str, month: date) -> dict[str, list[int]]:
    """Return by county the services that are still to be drawn of a month; the same for whoever asks."""
    services: dict[str, list[int]] = {}
    for pk, county in funded_services(div, month).values_list("pk", "county"):
        services.setdefault(county, []).append(pk)
    known: dict[str, list[int]] = {}
    for pk, own in SiteCheck.objects.within(div).filter(month=month).values_list("order_id", "div"):
        known.setdefault(own[:COUNTY], []).append(pk)
    found = {
        county: drawn(
            numbers, known=known.get(county, ()), share=Decimal(parameter("site_check.share", county, month)), seed=f"{county}:{month:%Y-%m}"
        )
        for county, numbers in sorted(services.items())
    }  # fmt: skip
    return {county: numbers for county, numbers in found.items() if numbers}


def site_checks(actor: Actor) -> QuerySet[SiteCheck]:
    """What was drawn for a look on site, the newest month first; what nobody has looked at comes first within it."""
    require(actor, "supervision.site_check.view")
    rows = SiteCheck.objects.visible_to(actor).select_related("order", "order__provider", "checked_by", "finding")
    return rows.order_by("-month", F("checked_on").asc(nulls_first=True), "pk")


@dataclass(frozen=True)
class CheckFigures:
    """How many services of a month vouchers paid for in a county, how many were drawn, looked at, and did not fit."""

    county: str
    services: int
    drawn: int
    checked: int
    differing: int
    share: Decimal

    @property
    def is_enough(self) -> bool:
        """Whether the share that must be looked at was."""
        return self.checked >= needed(self.services, self.share)


def site_check_figures(actor: Actor, month: date) -> list[CheckFigures]:
    """Return the figures of a month by county of the actor's area."""
    require(actor, "supervision.site_check.view")
    div = actor.div or ""
    rows_of = funded_services(div, month).values_list("county").annotate(count=Count("pk"))
    services: dict[str, int] = dict(rows_of)
    counts: dict[str, list[int]] = {county: [0, 0, 0] for county in services}
    rows = SiteCheck.objects.visible_to(actor).filter(month=month)
    for own, result in rows.values_list("div", "result"):
        one = counts.setdefault(own[:COUNTY], [0, 0, 0])
        one[0] += 1
        one[1] += bool(result)
        one[2] += result == SiteCheck.DIFFERS
    found = []
    for county, (drawn_, checked, differing) in sorted(counts.items()):
        share = Decimal(parameter("site_check.share", county, month))
        found.append(CheckFigures(county, services.get(county, 0), drawn_, checked, differing, share))
    return found


def basis_of(code: str) -> str:
    """The law or document a rule rests on."""
    return RULES[code].basis if code in RULES else BY_HAND[code].basis if code in BY_HAND else ""
