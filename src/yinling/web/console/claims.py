"""The orders that carers may take themselves, as the desk sees them: a tab where the area allows it, and the provider's switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from yinling.directory.models import Organisation
from yinling.dispatch.models import LIVE, Assignment, ClaimStop
from yinling.ground.parameters import parameter
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine
from yinling.web.actions import ActionForm, action_form


@dataclass(frozen=True)
class Claims:
    """What the actor's area allows, and for a provider the form that opens or closes it."""

    is_allowed: bool
    families: tuple[str, ...] = ()
    urgent_too: bool = False
    switch: ActionForm | None = None
    stopped: str = ""

    def narrow(self, orders: QuerySet[Order]) -> QuerySet[Any]:
        """Keep the orders that a carer may take: of these families, lacking one person, of a provider that lets its carers."""
        if not self.is_allowed:
            return orders.none()
        lines = OrderLine.objects.filter(order=OuterRef("pk"), kind="item").exclude(item__family__in=self.families)
        stopped = ClaimStop.objects.filter(provider=OuterRef("provider_id"))
        live = Assignment.objects.filter(order=OuterRef("pk"), state__in=LIVE).order_by().values("order")
        taken = Coalesce(Subquery(live.annotate(count=Count("pk")).values("count")[:1]), 0)
        rows = orders.alias(taken=taken).filter(~Exists(lines), ~Exists(stopped), carers_needed=F("taken") + 1)
        return rows if self.urgent_too else rows.filter(is_urgent=False)


def _area(request: Any) -> str:
    """Where the actor works: the area of the grant, else that of the organisation, read once a request."""
    if "claim_area" not in request.__dict__:
        own = Organisation.objects.filter(pk=request.actor.organisation_id).values_list("div", flat=True)
        request.claim_area = request.actor.div or own.first() or ""
    return str(request.claim_area)


def claims_allowed(request: Any) -> bool:
    """Whether the area lets carers take open orders."""
    return bool(parameter("dispatch.claim_allowed", _area(request), local_date(request.now)))


def claims_shown(request: Any) -> Claims:
    """Return what holds today where the actor works."""
    own, div, day = request.actor.organisation_id, _area(request), local_date(request.now)
    if not claims_allowed(request):
        return Claims(is_allowed=False)
    stop = ClaimStop.objects.filter(provider_id=own).first() if own else None
    switch = _switch(request, own, is_stopped=stop is not None) if own and request.GET.get("tab") == "open" else None
    return Claims(
        is_allowed=True, families=tuple(parameter("dispatch.claim_families", div, day)), switch=switch,
        urgent_too=bool(parameter("dispatch.claim_urgent", div, day)), stopped=stop.reason if stop else "",
    )  # fmt: skip


def _switch(request: Any, own: int, *, is_stopped: bool) -> ActionForm:
    here = "/dispatch/?tab=open"
    if is_stopped:
        return action_form(
            request, "allow_claims", {"provider_id": own}, next=here, submit=N_("开放本机构抢单"), done=N_("已开放")
        )
    return action_form(
        request, "stop_claims", {"provider_id": own}, next=here, submit=N_("关闭本机构抢单"), tone="", done=_("已关闭，只由派单员派单")
    )  # fmt: skip
