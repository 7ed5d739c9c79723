"""Keeping the list: price lists that one person drafts and another publishes, and the texts of the items."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES, Price, PriceList, ServiceItem
from yinling.catalogue.queries import price_lists
from yinling.catalogue.states import PRICE_LIST, PriceListState
from yinling.directory.models import Organisation
from yinling.web.actions import ActionForm, action_form
from yinling.web.options import Pairs, named
from yinling.web.pages import Filter, Listing, page, render

SHOWN_TEXTS = (
    "name",
    "description",
    "standard",
    "standard_minutes",
    "needs_qualification",
    "guide",
    "support_policy",
    "is_active",
)


@named("price_organisations")
def organisation_choices(request: Any) -> Pairs:
    """The organisations for which an actor may draft prices."""
    rows = Organisation.objects.filter(is_provider=True)
    if request.actor.div:
        rows = rows.filter(div__gte=request.actor.div, div__lt=request.actor.div + ":")
    else:
        rows = rows.filter(pk=request.actor.organisation_id)
    return [(str(pk), name) for pk, name in rows.order_by("short_name").values_list("pk", "short_name")[:1000]]


@page("catalogue.price_list.draft")
def lists(request: Any) -> HttpResponse:
    """The price lists of one's organisations, and the form for a new one."""
    listing = Listing(
        request,
        price_lists(request.actor),
        Filter("state", _("状态"), lambda rows, state: rows.filter(state=state), "choice", PRICE_LIST.choices),
    )
    form = action_form(
        request, "draft_price_list", {"organisation_id": request.actor.organisation_id}, next="/price-lists/{id}/",
        fields={"organisation_id": {"options": "price_organisations", "widget": "choice"}},
    )  # fmt: skip
    return render(request, "console/price_lists.html", listing=listing, form=form, machine=PRICE_LIST)


@page("catalogue.price_list.draft")
def price_list(request: Any, pk: int) -> HttpResponse:
    """One price list with its lines, and what another person does about it."""
    row = price_lists(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    prices = Price.objects.filter(price_list=row).select_related("item").order_by("item__code", "valid_from", "pk")
    return render(
        request,
        "console/price_list.html",
        row=row,
        prices=_once(list(prices)),
        machine=PRICE_LIST,
        forms=_acts(request, row),
    )


def _once(prices: list[Price]) -> list[Price]:
    """Leave out the earlier records of a price whose days were shortened by a later publication."""
    latest = {
        (price.item_id, price.valid_from): price for price in sorted(prices, key=lambda price: price.recorded_from)
    }
    return list(latest.values())


def _acts(request: Any, row: PriceList) -> list[ActionForm]:
    if row.state != PriceListState.DRAFT:
        return []
    base = {"price_list_id": row.pk, "seen": row.version}
    forms = [action_form(request, "withdraw_price_list", base, next="/price-lists/", tone="danger")]
    if row.drafted_by_id != request.actor.user_id:
        forms.insert(0, action_form(request, "publish_price_list", base, next=f"/price-lists/{row.pk}/"))
    return forms


@page("catalogue.item.update")
def items(request: Any) -> HttpResponse:
    """Every item of the list, in use or not."""
    listing = Listing(
        request,
        ServiceItem.objects.order_by("family", "code"),
        Filter("family", _("类别"), lambda rows, family: rows.filter(family=family), "choice", FAMILIES),
        Filter("q", _("编号"), lambda rows, text: rows.filter(code__gte=text, code__lt=text + chr(0x10FFFF))),
    )
    return render(request, "console/items.html", listing=listing, families=FAMILIES)


@page("catalogue.item.update")
def item(request: Any, pk: int) -> HttpResponse:
    """One item with the form of its texts."""
    row = ServiceItem.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    initial = {name: getattr(row, name) for name in SHOWN_TEXTS} | {
        "item_id": row.pk,
        "seen": row.version,
        "steps": "\n".join(row.steps),
    }
    return render(
        request,
        "console/item.html",
        row=row,
        families=FAMILIES,
        form=action_form(request, "update_item", initial, next=f"/items/{row.pk}/"),
    )


urlpatterns = [
    path("price-lists/", lists),
    path("price-lists/<int:pk>/", price_list),
    path("items/", items),
    path("items/<int:pk>/", item),
]
