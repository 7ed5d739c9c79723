"""Reading applications, their notices, objections and rechecks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from yinling.accounts.models import Notice
from yinling.directory.queries import ancestors
from yinling.entitlements.models import Application, Budget, Entitlement, Objection, PublicNotice
from yinling.entitlements.states import OPEN, ApplicationState
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.people.models import Circumstance

RECOUNTABLE = (ApplicationState.APPLIED, ApplicationState.RETURNED, ApplicationState.REVIEWED, ApplicationState.NOTICED)


def applications(actor: Actor) -> QuerySet[Application]:
    """Applications the actor may see, the newest first."""
    return Application.objects.visible_to(actor).select_related("elder", "scheme").order_by("-pk")


def overdue(rows: QuerySet[Application], on: date) -> QuerySet[Application]:
    """Those whose last day to act has passed."""
    return rows.filter(due_on__lt=on, state__in=[str(state) for state in OPEN])


def application_file(actor: Actor, pk: int, on: date) -> Any | None:
    """One application with everybody who had a hand in it, and with the day after the last of what is held of the scheme (``held_until``)."""
    rows = Application.objects.visible_to(actor).select_related(
        "elder", "scheme", "notice", "applied_by", "reviewed_by", "decided_by", "assessment"
    )
    held = _running(OuterRef("elder"), OuterRef("scheme"), on).values("valid_to")[:1]
    return rows.filter(pk=pk).annotate(held_until=Subquery(held)).first()


def objections_of(actor: Actor, application_id: int) -> QuerySet[Objection]:
    """Objections to an application, in their order; what they say stays sealed."""
    rows = Objection.objects.visible_to(actor).filter(application_id=application_id)
    return rows.select_related("entered_by", "decided_by").order_by("pk")


def messages_about(actor: Actor, application_id: int) -> QuerySet[Notice]:
    """Messages that were sent about an application, in their order."""
    rows = Notice.objects.visible_to(actor).filter(key__startswith=f"application:{application_id}:")
    return rows.order_by("pk")


def given_by(actor: Actor, application_id: int) -> Entitlement | None:
    """The entitlement that an application led to."""
    return Entitlement.objects.visible_to(actor).filter(application_id=application_id, recorded_to=None).first()


def running_of(elder_id: int, scheme_id: int, on: date) -> Entitlement | None:
    """What an elder holds of a scheme on a day, or from later on."""
    return _running(elder_id, scheme_id, on).first()


def _running(elder_id: Any, scheme_id: Any, on: date) -> QuerySet[Entitlement]:
    rows = Entitlement.objects.filter(elder_id=elder_id, scheme_id=scheme_id, recorded_to=None)
    return rows.filter(Q(valid_to=None) | Q(valid_to__gt=on)).order_by("-valid_from")


def notices_hanging(on: date, div: str = "") -> QuerySet[PublicNotice]:
    """Notices that everybody may read on a day, of an area and all below it."""
    rows = PublicNotice.objects.filter(from_on__lte=on, last_day__gte=on).select_related("scheme")
    return (rows.within(div) if div else rows).order_by("-from_on", "-pk")


def waiting_list(budget: Budget) -> QuerySet[Application]:
    """Who waits for a budget of an area, in the order in which places are given: who goes first by the scheme, then by date."""
    rows = Application.objects.within(budget.div).filter(scheme_id=budget.scheme_id, state="waiting")
    return rows.select_related("elder", "scheme").order_by("rank", "queued_at", "pk")


def rechecks_due(actor: Actor, until: date) -> QuerySet[Entitlement]:
    """Entitlements somebody has to look at again by a day, the oldest first."""
    rows = Entitlement.objects.visible_to(actor).filter(recheck_on__lte=until, recorded_to=None)
    later = Q(valid_to=None) | Q(valid_to__gt=until)
    return rows.filter(later).select_related("elder", "scheme").order_by("recheck_on", "pk")


def expiring(div: str, on: date, days: int) -> QuerySet[Entitlement]:
    """Entitlements by application that run out within so many days."""
    rows = Entitlement.objects.within(div).filter(application__isnull=False, recorded_to=None, ended_reason="")
    return (
        rows.filter(valid_to__gt=on, valid_to__lte=on + timedelta(days=days))
        .select_related("elder", "scheme")
        .order_by("pk")
    )


def left_behind(div: str, on: date) -> QuerySet[Application]:
    """Open applications of elders who died or moved away."""
    away = Circumstance.objects.within(div).filter(in_force(on), kind="moved_away").values("elder_id")
    rows = Application.objects.within(div).filter(state__in=[str(state) for state in OPEN])
    return rows.filter(Q(elder__died_on__lt=on) | Q(elder_id__in=away)).select_related("elder").order_by("pk")


def provisional(div: str) -> QuerySet[Application]:
    """Applications whose last day was counted without the calendar of its year."""
    rows = Application.objects.within(div).filter(
        is_due_provisional=True, state__in=[str(state) for state in RECOUNTABLE]
    )
    return rows.order_by("pk")


def budgets_shown(actor: Actor) -> QuerySet[Budget]:
    """Budgets of the actor's area, and of those above it that bear its people."""
    above = Q(div__in=ancestors(actor.div)) if actor.div else Q(pk__in=[])
    own = Q(div__gte=actor.div, div__lt=actor.div + ":") if actor.div else Q(pk__in=[])
    return (
        Budget.objects.filter(own | above)
        .select_related("scheme", "proposed_by", "confirmed_by")
        .order_by("-year", "scheme__name", "div")
    )


def budgets_with_waiters(div: str) -> QuerySet[Budget]:
    """Budgets in force of an area for whose scheme somebody waits."""
    waiting = Application.objects.within(div).filter(state="waiting").values("scheme_id")
    return Budget.objects.within(div).filter(is_in_force=True, scheme_id__in=waiting).order_by("year", "pk")


def nearest_budget(scheme_id: int, div: str, year: int) -> Budget | None:
    """Return the budget in force that bears a scheme in an area and year: the nearest up the tree."""
    rows = Budget.objects.filter(scheme_id=scheme_id, div__in=ancestors(div), year=year, is_in_force=True)
    return max(rows.select_related("line"), key=lambda one: len(one.div), default=None)
