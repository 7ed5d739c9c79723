"""M06: hours and income of the person: what was done by month, and each share with its points, inputs and formula (R-STF-22)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path

from yinling.kernel.period import local_date
from yinling.settlement.distributing import GRADES
from yinling.settlement.queries import own_months, own_shares
from yinling.settlement.states import DISTRIBUTION
from yinling.web.console.distributions import months_of, rate
from yinling.web.pages import Listing, page, render

MONTHS_SHOWN = 3
SHARES_SHOWN = 6


@page("settlement.income.view")
def income(request: Any) -> HttpResponse:
    """Own hours of this month and two before, and own shares: nobody else's."""
    months = own_months(request.actor, local_date(request.now), MONTHS_SHOWN)
    listing = Listing(request, own_shares(request.actor), size=SHARES_SHOWN)
    return render(
        request, "mobile/income.html", months=months, listing=listing, machine=DISTRIBUTION, rate=rate, months_of=months_of, grades=dict(GRADES)
    )  # fmt: skip


urlpatterns = [path("m/income/", income)]
