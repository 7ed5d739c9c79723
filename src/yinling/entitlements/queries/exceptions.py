"""Who should have a purchase of the government and has none (R-PAY-11): poor, and one of the six labels, without a grant."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from yinling.directory.rules import require
from yinling.entitlements.models import Application, Entitlement, Standing
from yinling.entitlements.states import OPEN
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor

PURCHASE = "government_purchase"
PURCHASE_PAYER = "government"


def without_purchase(actor: Actor, on: date) -> QuerySet[Standing]:
    """Elders who fit the purchase scheme of their area by the nightly list and hold no purchase of the government on a day.

    Who has applied stays on the list, marked ``is_applying``, until the grant. Which labels make a person fit is the city's
    ``scheme.government_purchase.grades``.
    """
    require(actor, "entitlements.entitlement.view")
    held = Entitlement.objects.filter(in_force(on), elder=OuterRef("elder"), scheme__payer=PURCHASE_PAYER)
    asked = Application.objects.filter(
        elder=OuterRef("elder"), scheme=OuterRef("scheme"), state__in=[str(one) for one in OPEN]
    )
    rows = Standing.objects.visible_to(actor).filter(
        ~Exists(held), Q(elder__died_on=None) | Q(elder__died_on__gte=on), scheme__code=PURCHASE, grade__isnull=False,
        elder__merged_into=None,
    )  # fmt: skip
    return rows.annotate(is_applying=Exists(asked)).select_related("elder", "scheme").order_by("div", "elder_id")
