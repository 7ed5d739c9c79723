"""What the elders of a home have and what comes to them: entitlements in force and the next services."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import OuterRef, QuerySet, Subquery

from yinling.entitlements.models import Entitlement
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.orders.models import Order, OrderLine

COMING = ("placed", "accepted", "assigned", "in_service")
MOST = 20


def home_benefits(elder_ids: list[int], on: date) -> list[Entitlement]:
    """Entitlements of these elders in force on a day."""
    rows = Entitlement.objects.filter(in_force(on), elder_id__in=elder_ids).select_related("scheme")
    return list(rows.order_by("elder_id", "scheme__name"))


def home_visits(actor: Actor, elder_ids: list[int], now: datetime) -> QuerySet[Order]:
    """The next services of these elders, the soonest first, with the name of the first item as ``item_name``."""
    first = OrderLine.objects.filter(order=OuterRef("pk"), kind="item").order_by("id").values("name")[:1]
    rows = Order.objects.visible_to(actor).filter(elder_id__in=elder_ids, state__in=COMING, ends_at__gte=now)
    return rows.select_related("provider").annotate(item_name=Subquery(first)).order_by("starts_at", "id")[:MOST]
