"""Reading what an elder may have and what is left of it."""

from __future__ import annotations

from datetime import date

from django.db.models import F, Q, QuerySet

from yinling.entitlements.models import Entitlement, Quota, Scheme
from yinling.entitlements.queries.stops import resting_payers
from yinling.entitlements.rules import Funding, in_payer_order
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.period import month_start
from yinling.people.queries import circumstances_on


def entitlements_of(actor: Actor, elder_id: int) -> QuerySet[Entitlement]:
    """Every entitlement of an elder on record, the newest first."""
    rows = Entitlement.objects.visible_to(actor).filter(elder_id=elder_id, recorded_to=None)
    return rows.select_related("scheme").order_by("-valid_from", "id")


def funding_for(elder_id: int, family: str, on: date) -> list[Funding]:
    """Return what may pay for a family of services on a day, in the order of payers; nothing after death or moving away.

    While the elder is in hospital or in a home, the payers named by ``stops.resting`` rest.
    """
    held = circumstances_on(elder_id, on)
    if "moved_away" in held:
        return []
    alive = Q(elder__died_on=None) | Q(elder__died_on__gte=on)
    rows = Entitlement.objects.filter(in_force(on), alive, elder_id=elder_id, scheme__is_active=True)
    fitting = [
        row
        for row in rows.select_related("scheme")
        if family in row.scheme.families and row.scheme.payer not in resting_payers(held, row.div, on)
    ]
    left = remaining([row.pk for row in fitting], on)
    return in_payer_order(
        Funding(
            entitlement_id=row.pk,
            scheme_id=row.scheme_id,
            scheme_code=row.scheme.code,
            scheme_name=row.scheme.name,
            payer=row.scheme.payer,
            fund=row.scheme.fund,
            share_bp=row.share_bp,
            remaining_fen=None if row.monthly_cap_fen is None else left.get(row.pk, row.monthly_cap_fen),
        )
        for row in fitting
    )


def remaining(entitlement_ids: list[int], on: date) -> dict[int, int]:
    """Return what is left in the month of a day, for the entitlements that have a counter for it."""
    rows = Quota.objects.filter(entitlement_id__in=entitlement_ids, unit="fen", per="month", from_on=month_start(on))
    return dict(rows.values_list("entitlement_id").annotate(left=F("cap") - F("reserved") - F("used")))


def schemes(div: str) -> QuerySet[Scheme]:
    """The active schemes of an area and of those above it."""
    above = [div[:size] for size in (12, 9, 6, 4, 2) if len(div) >= size]
    return Scheme.objects.filter(is_active=True, div__in=[*above, ""]).order_by("code")
