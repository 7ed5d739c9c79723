"""Keeping the list: price lists that one person drafts and another publishes, and the texts of the items."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES, CalloutRate, Price, PriceList, ServiceItem
from yinling.catalogue.queries import price_lists, prices_until
from yinling.catalogue.states import PRICE_LIST, PriceListState
from yinling.directory.models import Area, Organisation
from yinling.kernel.money import yuan
from yinling.kernel.period import local_date
from yinling.orders.pricing import LEVELS
from yinling.web.actions import ActionForm, action_form
from yinling.web.console import packages
from yinling.web.console.tickets import row_of
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

RATE_FIELDS = ("base_fen", "free_m", "km_fen", "night_fen", "night_from", "night_to", "holiday_fen")
SHARED_FIELDS = ("basis", "document", "document_on", "valid_from", "prices")
GROUP_FIELDS = ("price_group", "div", *SHARED_FIELDS)
BODY_FIELDS = (
    "organisation_id", *SHARED_FIELDS, "callout_base", "callout_free_m", "callout_km", "callout_night", "callout_night_from",
    "callout_night_to", "callout_holiday", "callout_doctor", "callout_nurse", "callout_care_worker", "callout_distances",
)  # fmt: skip


@named("price_organisations")
def organisation_choices(request: Any) -> Pairs:
    """The organisations for which an actor may draft prices."""
    rows = Organisation.objects.filter(is_provider=True)
    if request.actor.div:
        rows = rows.filter(div__gte=request.actor.div, div__lt=request.actor.div + ":")
    else:
        rows = rows.filter(pk=request.actor.organisation_id)
    return [(str(pk), name) for pk, name in rows.order_by("short_name").values_list("pk", "short_name")[:1000]]


def _of_body(rows: Any, text: str) -> Any:
    return rows.filter(
        Q(organisation__name__icontains=text)
        | Q(organisation__short_name__icontains=text)
        | Q(document__icontains=text)
    )


@page("catalogue.price_list.draft")
def lists(request: Any) -> HttpResponse:
    """The price lists of one's organisations, and the form for a new one."""
    listing = Listing(
        request,
        price_lists(request.actor),
        Filter("state", _("状态"), lambda rows, state: rows.filter(state=state), "choice", PRICE_LIST.choices),
        Filter("basis", _("定价依据"), lambda rows, basis: rows.filter(basis=basis), "choice", PriceList.BASES),
        Filter("q", _("机构或文号"), _of_body),
    )
    return render(request, "console/price_lists.html", listing=listing, machine=PRICE_LIST)


@page("catalogue.price_list.draft")
def price_list_new(request: Any) -> HttpResponse:
    """The form of a new list: of one organisation with its on-site rate, or of a price group in an area."""
    like = row_of(price_lists(request.actor), request.GET.get("like"))
    is_group = bool(like.price_group) if like else request.GET.get("whose") == "group" and bool(request.actor.div)
    started = {"valid_from": local_date(request.now)} | (_as_draft(like) if like else {})
    if is_group:
        form = action_form(
            request, "draft_price_list", {"div": request.actor.div} | started, next="/price-lists/{id}/", only=GROUP_FIELDS,
            fields={"price_group": {"required": True}, "div": {"options": "own_areas", "widget": "choice", "required": True}},
        )  # fmt: skip
    else:
        form = action_form(
            request, "draft_price_list", {"organisation_id": request.actor.organisation_id} | started, next="/price-lists/{id}/",
            only=BODY_FIELDS, fields={"organisation_id": {"options": "price_organisations", "widget": "choice", "required": True, "help": ""}},
        )  # fmt: skip
    here = "/price-lists/new/"
    tabs = [(_("一家机构"), here, None, not is_group), (_("一类机构"), f"{here}?whose=group", None, is_group)]
    return render(
        request, "console/price_list_new.html", form=form, is_group=is_group, tabs=tabs if request.actor.div else []
    )


def _as_draft(row: PriceList) -> dict[str, Any]:
    """What the form of a list that begins like another one shows: all but the days."""
    lines = [f"{one.item.code}, {_plain(one.amount_fen)}, {_plain(one.callout_fee_fen)}" for one in _prices(row)]
    found = {
        name: getattr(row, name)
        for name in ("organisation_id", "price_group", "div", "basis", "document", "document_on")
    }
    rate = _rate(row)
    if rate is not None:
        found |= {f"callout_{name.removesuffix('_fen')}": getattr(rate, name) for name in RATE_FIELDS}
        found |= {f"callout_{level}": rate.level_fen.get(level) for level in ("doctor", "nurse", "care_worker")}
        found["callout_distances"] = "\n".join(f"{div}, {metres}" for div, metres in rate.distances.items())
    return found | {"prices": "\n".join(lines)}


def _plain(fen: int) -> str:
    """Write an amount as a line of a price list has it: its commas part the cells."""
    return yuan(fen).replace(",", "")


def _prices(row: PriceList) -> list[Price]:
    rows = Price.objects.filter(price_list=row).select_related("item").order_by("item__code", "valid_from", "pk")
    return _once(list(rows))


def _rate(row: PriceList) -> CalloutRate | None:
    return CalloutRate.objects.filter(price_list=row).order_by("-recorded_from", "-pk").first()


@page("catalogue.price_list.draft")
def price_list(request: Any, pk: int) -> HttpResponse:
    """One price list with its lines, and what another person does about it."""
    row = price_lists(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    prices = _prices(row)
    return render(
        request,
        "console/price_list.html",
        row=row,
        prices=prices,
        before=prices_until(row, prices, request.now) if row.state == PriceListState.DRAFT else None,
        rate=_rate(row),
        levels=LEVELS,
        area=Area.objects.filter(pk=row.div).first(),
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
        Filter(
            "q", _("名称或编号"), lambda rows, text: rows.filter(Q(code__istartswith=text) | Q(name__icontains=text))
        ),
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
    *packages.urlpatterns,
    path("price-lists/", lists),
    path("price-lists/new/", price_list_new),
    path("price-lists/<int:pk>/", price_list),
    path("items/", items),
    path("items/<int:pk>/", item),
]
