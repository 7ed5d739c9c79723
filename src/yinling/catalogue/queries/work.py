"""Reading what those work on who keep the list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from yinling.catalogue.models import Package, Price, PriceList, ServiceItem
from yinling.catalogue.queries.prices import holding_on, known_at
from yinling.kernel.actor import Actor


def active_items() -> QuerySet[ServiceItem]:
    """The items in use, in the order of the list."""
    return ServiceItem.objects.filter(is_active=True).order_by("family", "code")


def price_lists(actor: Actor) -> QuerySet[PriceList]:
    """The price lists an actor may work on: of the own organisation, or of organisations and groups in the own area."""
    mine = Q(pk__in=[])
    if actor.organisation_id:
        mine |= Q(organisation_id=actor.organisation_id)
    if actor.div:
        end = actor.div + ":"
        mine |= Q(organisation__div__gte=actor.div, organisation__div__lt=end)
        mine |= Q(organisation=None, div__gte=actor.div, div__lt=end)
    rows = PriceList.objects.filter(mine).select_related("organisation", "drafted_by", "published_by")
    return rows.annotate(line_count=Count("prices")).order_by("-id")


def prices_until(row: PriceList, drafted: Sequence[Price], now: datetime) -> dict[int, Price]:
    """By item, what the owner of a draft asks so far on the draft's first day: what its prices are going to replace."""
    if not drafted:
        return {}
    whose = (
        Q(organisation=row.organisation_id)
        if row.organisation_id
        else Q(organisation=None, price_group=row.price_group, div=row.div)
    )
    rows = Price.objects.filter(
        known_at(now), holding_on(drafted[0].valid_from), whose, item__in=[one.item_id for one in drafted]
    )
    return {one.item_id: one for one in rows}


def packages(actor: Actor) -> QuerySet[Package]:
    """The packages of the own area, drafts and published ones, the newest first; of what was replaced, what is on record."""
    div = actor.div or "none"
    rows = Package.objects.filter(div__gte=div, div__lt=div + ":")
    rows = rows.filter(Q(published_at=None) | Q(recorded_to=None))
    return rows.select_related("drafted_by", "published_by").order_by("-id")
