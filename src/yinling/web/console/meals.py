"""Meals one comes for that wait for the word of the canteen: the list of today and before, confirming many, the paper for the counter."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.ground.parameters import parameter
from yinling.kernel.period import day_bounds, local_date
from yinling.kernel.refusals import Refusal
from yinling.orders.models import MEAL_CHANNELS, Order, OrderLine
from yinling.orders.operations import deliver_orders
from yinling.orders.payers import MEALS
from yinling.orders.queries import meals_to_confirm
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import refusal_text, tr

RIGHT = "orders.order.deliver"
LONGEST_NUMBER = 18
MOST_PRINTED = 500


def _of_meal(rows: QuerySet[Order], meal: str) -> QuerySet[Order]:
    lines = OrderLine.objects.filter(order=OuterRef("pk"), item__units__contains=[meal], dropped_at=None)
    return rows.filter(Exists(lines))


def _of_day(rows: QuerySet[Order], day: date) -> QuerySet[Order]:
    first, end = day_bounds(day)
    return rows.filter(starts_at__gte=first, starts_at__lt=end)


def _listing(request: Any, size: int) -> Listing:
    lines = OrderLine.objects.filter(kind="item", dropped_at=None).select_related("item").order_by("pk")
    rows = meals_to_confirm(Order.objects.visible_to(request.actor), local_date(request.now))
    rows = rows.select_related("provider").prefetch_related(Prefetch("lines", lines, to_attr="dishes"))
    return Listing(
        request,
        rows.order_by("starts_at", "elder_name", "pk"),
        Filter("meal", _("餐别"), _of_meal, "choice", list(MEALS.items())),
        Filter("day", _("日期"), _of_day, "date"),
        Filter("channel", _("供餐渠道"), lambda found, code: found.filter(meal_channel=code), "choice", MEAL_CHANNELS),
        size=size,
    )


def _meals(row: Any) -> str:
    """Which meals an order brings, in words."""
    found = {unit for line in row.dishes for unit in line.item.units}
    return "、".join(tr(name) for meal, name in MEALS.items() if meal in found)


def _left(row: Order, today: date) -> int:
    """How many days the meal can still be confirmed after today."""
    days = int(parameter("meal.confirm_days", row.div, today))
    return max(0, days - (today - local_date(row.starts_at)).days)


@page(RIGHT)
def meals(request: Any) -> HttpResponse:
    """Meals of today and before that nobody has confirmed; those that are ticked were had."""
    problem, status = "", 200
    chosen = {int(one) for one in request.POST.getlist("order_ids") if one.isdecimal() and len(one) <= LONGEST_NUMBER}
    if request.method == "POST":
        try:
            deliver_orders(actor=request.actor, now=request.now, order_ids=sorted(chosen))
        except Refusal as refusal:
            problem, status = refusal_text(refusal), refusal.status
        else:
            return HttpResponseRedirect(request.get_full_path())
    listing, today = _listing(request, 50), local_date(request.now)
    return render(
        request, "console/meals.html", status=status, problem=problem, listing=listing, chosen=chosen, meals_of=_meals,
        is_all=request.GET.get("all") == "1", today=today, left={row.pk: _left(row, today) for row in listing},
    )  # fmt: skip


@page(RIGHT)
def meals_print(request: Any) -> HttpResponse:
    """The same list on paper, for signatures at the counter."""
    listing = _listing(request, MOST_PRINTED)
    return render(request, "console/meals_print.html", listing=listing, meals_of=_meals, today=local_date(request.now))


urlpatterns = [path("meals/", meals), path("meals/print/", meals_print)]
