"""Donations: what was given, its numbered receipt, and what it was used for."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Sum, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.entitlements.models import PURPOSES, BudgetLine
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.queries.names import reader
from yinling.programmes.subsidies.models import Donation
from yinling.programmes.subsidies.queries.funds import donations_shown, goods_totals, handouts_of
from yinling.web.actions import action_form
from yinling.web.console.funds import fund_tabs, years
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import day, tr

VIEW = "subsidies.donation.view"
EXPORTED = 5000


@named("donation_lines")
def donation_lines(request: Any) -> list[tuple[str, str]]:
    """Approved lines of donated money."""
    rows = BudgetLine.objects.visible_to(request.actor).filter(approved_fen__isnull=False, fund="donation")
    return [
        (str(row.pk), f"{row.year} {row.name}（{tr(row.get_purpose_display())}）")
        for row in rows.order_by("-year", "name")[:300]
    ]


def _listing(request: Any) -> Listing:
    filters = (
        Filter(
            "year", _("年度"), lambda rows, value: rows.filter(received_on__year=int(value)), "choice", years(request)
        ),
        Filter("kind", _("种类"), lambda rows, value: rows.filter(kind=value), "choice", Donation.KINDS),
        Filter("purpose", _("用途"), lambda rows, value: rows.filter(purpose=value), "choice", PURPOSES),
        Filter("donor", _("捐赠人"), lambda rows, value: rows.filter(donor__contains=value)),
    )
    return Listing(request, donations_shown(request.actor), *filters)


def _totals(rows: Any) -> dict[str, Any]:
    """Count and sum of money that was not taken back."""
    found: dict[str, Any] = (
        rows.filter(back_at=None, kind=Donation.MONEY)
        .order_by()
        .aggregate(count=Count("pk"), fen=Coalesce(Sum("amount_fen"), Value(0)))
    )
    return found


@page(VIEW)
def donation_list(request: Any) -> HttpResponse:
    """Donations with their sum, and the form that registers one."""
    listing = _listing(request)
    form = action_form(
        request, "register_donation", {"received_on": local_date(request.now)}, next="/donations/{id}/print/", done=N_("已登记，请打印收据"),
        fields={"line_id": {"options": "donation_lines", "widget": "choice"}},
    )  # fmt: skip
    goods = action_form(
        request, "receive_donation", {"received_on": local_date(request.now), "div": request.actor.div or ""}, next="/donations/{id}/",
        done=N_("已登记，请打印收据"), tone="", fields={"div": {"options": "own_areas", "widget": "choice"}},
    )  # fmt: skip
    return render(
        request, "console/donations.html", tabs=fund_tabs(request, "donations"), listing=listing, form=form, goods=goods,
        totals=_totals(listing.every), in_kind=goods_totals(listing.every),
        excel=listing.address(page=None).replace("/donations/", "/donations/excel/", 1),
    )  # fmt: skip


@page(VIEW)
def donations_excel(request: Any) -> HttpResponse:
    """The list as a workbook, with who wants not to be named in public."""
    found = _listing(request).every
    columns = [
        Column(_("收据号"), width=16), Column(_("到账日期"), width=12), Column(_("捐赠人"), width=24), Column(_("不公开姓名"), width=10),
        Column(_("金额（元）"), YUAN), Column(_("用途"), width=16), Column(_("捐赠意愿"), width=30), Column(_("列入资金"), width=24),
        Column(_("凭证"), width=14), Column(_("撤销"), width=12), Column(_("实物"), width=24), Column(_("估价（元），不入账"), YUAN),
        Column(_("数量"), COUNT), Column(_("单位"), width=8), Column(_("已发放"), COUNT), Column(_("剩余"), COUNT),
    ]  # fmt: skip
    lines = [
        (
            row.receipt_number, day(row.received_on), row.donor, _("是") if row.is_anonymous else "",
            row.amount_fen if row.line else None, tr(row.get_purpose_display()), row.wish, row.line.name if row.line else "",
            row.posting.code if row.posting else "", day(row.back_at) if row.back_at else "",
            *((None,) * 6 if row.line else (row.goods, row.amount_fen, row.quantity, row.unit, row.handed_quantity, row.left)),
        )
        for row in found[:EXPORTED]
    ]  # fmt: skip
    total = _totals(found)["fen"]
    return excel(
        _("捐赠"),
        columns,
        lines,
        below=(
            _("合计（不含已撤销）"),
            None,
            None,
            None,
            total,
            *(None,) * 6,
            goods_totals(found)["fen"],
            *(None,) * 4,
        ),
    )


def _row(request: Any, pk: int) -> Any:
    row = donations_shown(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@page(VIEW)
def donation_page(request: Any, pk: int) -> HttpResponse:
    """One donation: what was given for what, its receipt, and whether it was taken back; by another person than who entered it."""
    row, back = _row(request, pk), None
    if row.back_at is None and row.entered_by_id != request.actor.user_id:
        back = action_form(
            request, "withdraw_donation", {"donation_id": pk, "seen": row.version}, next="/donations/", tone="danger", done=N_("已撤销")
        )  # fmt: skip
    here = f"/donations/{pk}/"
    hand = None
    if row.kind == Donation.GOODS and row.back_at is None:
        hand = action_form(
            request, "record_handout", {"donation_id": pk, "handed_on": local_date(request.now)}, next=here, done=N_("已登记发放"),
            fields={"provider_id": {"options": "local_bodies", "widget": "choice", "required": False}},
        )  # fmt: skip
    with scope(reader(row.div)):
        listing = Listing(request, handouts_of(row))
    return render(request, "console/donation.html", row=row, back=back, here=here, hand=hand, listing=listing)


@page(VIEW)
def donation_receipt(request: Any, pk: int) -> HttpResponse:
    """The receipt on paper, amount in figures and in capital characters."""
    return render(request, "console/donation_receipt.html", row=_row(request, pk))


urlpatterns = [
    path("donations/", donation_list),
    path("donations/excel/", donations_excel),
    path("donations/<int:pk>/", donation_page),
    path("donations/<int:pk>/print/", donation_receipt),
]
