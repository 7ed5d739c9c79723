"""Looks on site at services that vouchers paid for: what was drawn of a month, what is done of it, and the result of each (X-PAY-04)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.period import ONE_DAY, local_date, month_start
from yinling.orders.models import PayerShare
from yinling.supervision.models import SiteCheck
from yinling.supervision.queries import site_check_figures, site_checks
from yinling.visits.models import Visit
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render

RIGHT = "supervision.site_check.view"
OPEN = "open"


def _month(request: Any) -> date:
    """The month asked for; the one before, while nothing is."""
    return month_start(month_start(local_date(request.now)) - ONE_DAY)


@page(RIGHT)
def check_list(request: Any) -> HttpResponse:
    """What was drawn of a month, with the share that is done by county."""
    results = [(OPEN, _("待核查")), *SiteCheck.RESULTS]
    listing = Listing(
        request,
        site_checks(request.actor),
        Filter("month", _("服务月份"), lambda found, month: found.filter(month=month_start(month)), "month"),
        Filter(
            "result",
            _("核查结果"),
            lambda found, value: found.filter(result="" if value == OPEN else value),
            "choice",
            results,
        ),
    )
    month = month_start(listing.values["month"] or _month(request))
    return render(
        request,
        "console/site_checks.html",
        listing=listing,
        month=month,
        figures=site_check_figures(request.actor, month),
    )


@page(RIGHT)
def check_page(request: Any, pk: int) -> HttpResponse:
    """One service: where and when it was, who came, what was charged, and what the look on site found."""
    row = site_checks(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    shares = (
        PayerShare.objects.filter(order=row.order_id, amount_fen__gt=0).select_related("line").order_by("line_id", "pk")
    )
    form = action_form(
        request, "record_site_check", {"check_id": row.pk, "seen": row.version, "checked_on": local_date(request.now)}, next=f"/site-checks/{pk}/"
    )  # fmt: skip
    return render(
        request, "console/site_check.html", row=row, shares=shares, form=None if row.result else form,
        visits=Visit.objects.filter(order=row.order_id).select_related("staff").order_by("started_at"),
    )  # fmt: skip


urlpatterns = [path("site-checks/", check_list), path("site-checks/<int:pk>/", check_page)]
