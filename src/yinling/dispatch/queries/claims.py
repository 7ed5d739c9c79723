"""Open orders that a carer may take: only street, item and time, until the order is the carer's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from yinling.directory.models import Staff
from yinling.dispatch.models import LIVE, Assignment, ClaimStop
from yinling.dispatch.offers import ClaimTerms, may_claim
from yinling.dispatch.queries.assignments import carers_of
from yinling.dispatch.queries.carers import avoidances_on, carers_for, jobs_of, with_needs
from yinling.dispatch.rules import Carer, Job, compatibility
from yinling.dispatch.states import AssignmentState
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import day_bounds, local_date
from yinling.orders.models import Order, OrderLine
from yinling.orders.queries import in_dispatch_order

STREET = 9
MOST_SHOWN = 30
ENDED = (AssignmentState.REFUSED, AssignmentState.EXPIRED, AssignmentState.RELEASED)


@dataclass(frozen=True)
class OpenOrder:
    """What a carer sees of an order before taking it: neither who nor the address."""

    order_id: int
    version: int
    items: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    street: str
    is_urgent: bool
    carers_needed: int


def claim_terms(div: str, provider_id: int, now: datetime) -> ClaimTerms:
    """Return what holds today in an area for the carers of a provider."""
    day = local_date(now)

    def value(name: str) -> Any:
        return parameter(f"dispatch.{name}", div, day)

    is_allowed = bool(value("claim_allowed")) and not ClaimStop.objects.filter(provider_id=provider_id).exists()
    return ClaimTerms(
        is_allowed=is_allowed, families=tuple(value("claim_families")), urgent_too=bool(value("claim_urgent")),
        most_open=int(value("claim_most")), release_hours=int(value("release_hours")), most_releases=int(value("release_most")),
        release_days=int(value("release_days")),
    )  # fmt: skip


def claims_open(div: str, now: datetime) -> bool:
    """Whether an area lets carers take orders; a provider may still have closed it for its own."""
    return bool(parameter("dispatch.claim_allowed", div, local_date(now)))


def claims_of(staff: Staff) -> QuerySet[Assignment]:
    """The orders a carer took without the desk and has not done yet."""
    return Assignment.objects.filter(staff=staff, is_claimed=True, state__in=LIVE)


def releases_of(staff: Staff, terms: ClaimTerms, now: datetime) -> int:
    """How many orders a carer gave back of late."""
    since = now - timedelta(days=terms.release_days)
    return Assignment.objects.filter(staff=staff, state=AssignmentState.RELEASED, ended_at__gt=since).count()


def is_claimable(order: Order, terms: ClaimTerms) -> bool:
    """Whether an order is open to be taken by a carer."""
    families = [line.item.family for line in order.lines.all() if line.kind == "item"]
    taken = len(carers_of([order]).get(order.pk, ()))
    return may_claim(
        terms, families=families, is_urgent=order.is_urgent, carers_needed=order.carers_needed, taken=taken
    )


def open_orders(actor: Actor, day: date, now: datetime) -> list[OpenOrder]:
    """The orders of a day that the actor may take: of the own organisation, allowed in their area, and nothing against going.

    The way is left out here; it is asked when the order is taken.
    """
    staff = Staff.objects.filter(pk=actor.staff_id or 0).first()
    if staff is None:
        return []
    found = _candidates(staff, day, now)
    if not found:
        return []
    jobs = jobs_of(found)
    person = carers_for(jobs[0], Staff.objects.filter(pk=staff.pk))[0]
    avoided = avoidances_on(day, [job.elder_id for job in jobs])
    pairs = zip(found, jobs, strict=True)
    return [_shown(order) for order, job in pairs if not compatibility(job, _for(person, job, avoided))][:MOST_SHOWN]


def _for(person: Carer, job: Job, avoided: dict[tuple[int, int], str]) -> Carer:
    """Return a carer loaded for one order of the day as another order sees it."""
    return replace(person, declined="", avoided=avoided.get((job.elder_id, person.staff_id), ""))


def _candidates(staff: Staff, day: date, now: datetime) -> list[Any]:
    start, end = day_bounds(day)
    lines = Prefetch("lines", OrderLine.objects.filter(kind="item").select_related("item").order_by("pk"))
    mine = Assignment.objects.filter(staff=staff, order=OuterRef("pk"), state__in=[*LIVE, *ENDED])
    rows = Order.objects.filter(~Exists(mine), provider_id=staff.provider_id, starts_at__gt=now)
    rows = rows.filter(starts_at__gte=start, starts_at__lt=end)
    waiting = list(with_needs(in_dispatch_order(rows)).prefetch_related(lines)[: 4 * MOST_SHOWN])
    named = carers_of(waiting)
    terms = {div: claim_terms(div, staff.provider_id, now) for div in {row.div for row in waiting}}
    return [
        row
        for row in waiting
        if may_claim(
            terms[row.div], families=[line.item.family for line in row.lines.all()], is_urgent=row.is_urgent,
            carers_needed=row.carers_needed, taken=len(named.get(row.pk, ())),
        )
    ]  # fmt: skip


def _shown(order: Any) -> OpenOrder:
    return OpenOrder(
        order_id=order.pk, version=order.version, items=tuple(order.items), starts_at=order.starts_at, ends_at=order.ends_at,
        street=order.div[:STREET], is_urgent=order.is_urgent, carers_needed=order.carers_needed,
    )  # fmt: skip
