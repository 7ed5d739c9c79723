"""Which medical body an emergency goes to, and what a body has been handed."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from yinling.directory.models import Organisation
from yinling.hotline.models import Handover
from yinling.kernel.actor import Actor

SIZES = (12, 9, 6, 4)


def nearest_health_centre(div: str, on: date) -> Organisation | None:
    """Return the working health centre whose seat shares most of the address: of the community, else street, district, city."""
    working = Q(valid_to=None) | Q(valid_to__gt=on)
    rows = Organisation.objects.filter(working, kind="health_centre", valid_from__lte=on)
    for size in SIZES:
        if (
            size <= len(div)
            and (found := rows.within(div[:size]).order_by("-does_home_medical", "pk").first()) is not None
        ):
            return found  # type: ignore[no-any-return]
    return None


def handovers(actor: Actor) -> QuerySet[Handover]:
    """Emergencies announced to the actor's body, or of the actor's area, newest first."""
    rows = Handover.objects.visible_to(actor).select_related("provider", "accepted_by", "elder")
    return rows.order_by("-notified_at", "-id")
