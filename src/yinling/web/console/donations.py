"""Donations: what was given, its numbered receipt, and what it was used for."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Sum
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.entitlements.models import PURPOSES, BudgetLine
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.programmes.subsidies.queries.funds import donations_shown
from yinling.web.actions import action_form
from yinling.web.console.funds import fund_tabs, years
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tr

VIEW = "subsidies.donation.view"


@named("donation_lines")
def donation_lines(request: Any) -> list[tuple[str, str]]:
    """Approved lines of donated money."""
    rows = BudgetLine.objects.visible_to(request.actor).filter(approved_fen__isnull=False, fund="donation")
    return [
        (str(row.pk), f"{row.year} {row.name}（{tr(row.get_purpose_display())}）")
        for row in rows.order_by("-year", "name")[:300]
    ]


@page(VIEW)
def donation_list(request: Any) -> HttpResponse:
    """Donations with their sum, and the form that registers one."""
    filters = (
        Filter(
            "year", _("年度"), lambda rows, value: rows.filter(received_on__year=int(value)), "choice", years(request)
        ),
        Filter("purpose", _("用途"), lambda rows, value: rows.filter(purpose=value), "choice", PURPOSES),
        Filter("donor", _("捐赠人"), lambda rows, value: rows.filter(donor__contains=value)),
    )
    listing = Listing(request, donations_shown(request.actor), *filters)
    form = action_form(
        request, "register_donation", {"received_on": local_date(request.now)}, next="/donations/{id}/print/", done=N_("已登记，请打印收据"),
        fields={"line_id": {"options": "donation_lines", "widget": "choice"}},
    )  # fmt: skip
    return render(
        request, "console/donations.html", tabs=fund_tabs(request, "donations"), listing=listing, form=form,
        totals=listing.every.order_by().aggregate(count=Count("pk"), fen=Sum("amount_fen")),
    )  # fmt: skip


@page(VIEW)
def donation_receipt(request: Any, pk: int) -> HttpResponse:
    """The receipt on paper, amount in figures and in capital characters."""
    row = donations_shown(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return render(request, "console/donation_receipt.html", row=row)


urlpatterns = [
    path("donations/", donation_list),
    path("donations/<int:pk>/print/", donation_receipt),
]
