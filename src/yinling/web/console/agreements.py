"""Agreements of payers with providers: what is bought from whom, how much of the month is used, what ends soon (R-LTC-05, R-PAY-09, R-PAY-17)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES, ServiceItem
from yinling.entitlements.models import PAYERS, Agreement
from yinling.entitlements.queries import agreements, ending_agreements, purchases
from yinling.ground.models import in_force
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import ONE_DAY, local_date, month_start
from yinling.kernel.words import N_
from yinling.web.actions import action_form
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import day, label_of, moment, tr

VIEW = "entitlements.agreement.view"
ENDING = [
    ("now", N_("有效")), ("30", N_("30天内到期")), ("60", N_("60天内到期")), ("90", N_("90天内到期")), ("0", N_("已经到期")),
]  # fmt: skip
MOST_EXPORTED = 2_000


@named("items")
def item_choices(request: Any) -> list[tuple[str, str]]:  # noqa: ARG001 - one signature for all lists
    """Every active item by family."""
    families = dict(FAMILIES)
    rows = ServiceItem.objects.filter(is_active=True).order_by("family", "code").values_list("code", "name", "family")
    return [(code, f"{tr(families[family])} {name}") for code, name, family in rows]


def _filters(today: date) -> tuple[Filter, ...]:
    def ending(rows: Any, value: str) -> Any:
        return rows.filter(in_force(today)) if value == "now" else ending_agreements(rows, today, int(value))

    return (
        Filter("ends", _("期限"), ending, "choice", ENDING),
        Filter("kind", _("类别"), lambda rows, value: rows.filter(kind=value), "choice", Agreement.KINDS),
        Filter("payer", _("付费方"), lambda rows, value: rows.filter(payer=value), "choice", PAYERS),
        Filter(
            "source",
            _("资金来源"),
            lambda rows, value: rows.filter(sources__contains=[value]),
            "choice",
            Agreement.SOURCES,
        ),
        Filter("q", _("机构或编号"), _found),
    )


def _found(rows: Any, text: str) -> Any:
    return rows.filter(organisation__name__icontains=text) | rows.filter(number__icontains=text)


@page(VIEW)
def agreement_list(request: Any) -> HttpResponse:
    """Agreements with what ends when and, of those that buy, what this month used."""
    today = local_date(request.now)
    listing = Listing(request, agreements(request.actor), *_filters(today))
    lines = purchases(request.actor, listing.rows, today)
    return render(
        request,
        "console/agreements.html",
        listing=listing,
        lines=lines,
        payers=PAYERS,
        sources=Agreement.SOURCES,
        today=today,
        one_day=ONE_DAY,
    )


@page(VIEW)
def agreement_sheet(request: Any) -> HttpResponse:
    """The agreements found as a workbook."""
    today = local_date(request.now)
    rows = agreements(request.actor)
    for entry in _filters(today):
        value = entry.value(request.GET.get(entry.name, ""))
        rows = rows if value is None else entry.apply(rows, value)
    columns = [
        Column(_("编号"), width=20), Column(_("机构"), width=28), Column(_("合作机构"), width=20), Column(_("类别")), Column(_("付费方")),
        Column(_("资金来源"), width=28), Column(_("生效")), Column(_("截止")), Column(_("每月次数"), COUNT), Column(_("本月已用"), COUNT),
        Column(_("每月金额（元）"), YUAN), Column(_("本月金额（元）"), YUAN),
    ]  # fmt: skip
    table = [
        (
            one.agreement.number, one.agreement.organisation.name, one.agreement.partner.short_name if one.agreement.partner else "",
            tr(one.agreement.get_kind_display()), label_of(one.agreement.payer, PAYERS) if one.agreement.payer else "",
            "、".join(label_of(source, Agreement.SOURCES) for source in one.agreement.sources), day(one.agreement.valid_from), _last(one.agreement),
            one.agreement.monthly_count, one.times, one.agreement.monthly_fen, one.fen,
        )
        for one in purchases(request.actor, rows[:MOST_EXPORTED], today)
    ]  # fmt: skip
    values = {"who": request.actor.name, "when": moment(request.now), "most": MOST_EXPORTED}
    above = [_("导出人 %(who)s，%(when)s；最多%(most)s行") % values]
    return excel(_("服务协议"), columns, table, above=above)


def _last(row: Agreement) -> str:
    return day(row.valid_to - ONE_DAY) if row.valid_to else _("长期")


@page("entitlements.agreement.sign")
def agreement_new(request: Any) -> HttpResponse:
    """Enter an agreement."""
    form = action_form(
        request, "sign_agreement", {"valid_from": local_date(request.now)}, next="/agreements/{id}/", done=N_("协议已登记"),
        fields={
            "organisation_id": {"options": "organisations", "widget": "choice"}, "partner_id": {"options": "organisations", "widget": "choice"},
            "items": {"options": "items"},
        },
    )  # fmt: skip
    return render(request, "console/agreement_new.html", form=form)


@page(VIEW)
def agreement_page(request: Any, pk: int) -> HttpResponse:
    """One agreement: between whom, for what, until when, and what was bought in a month by item."""
    row = agreements(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    today = local_date(request.now)
    month = meant_day(f"{request.GET.get('month', '')[:7]}-01") or month_start(today)
    (purchase,) = purchases(request.actor, [row], month)
    items = {
        one.code: one for one in ServiceItem.objects.filter(code__in={*row.items, *(use.code for use in purchase.uses)})
    }
    end = action_form(
        request, "end_agreement", {"agreement_id": pk, "valid_to": today}, next="/agreements/", tone="danger", done=N_("协议已终止")
    ) if row.valid_to is None or row.valid_to > today else None  # fmt: skip
    return render(
        request, "console/agreement.html", row=row, purchase=purchase, uses={use.code: use for use in purchase.uses}, items=items, end=end,
        payers=PAYERS, sources=Agreement.SOURCES, families=FAMILIES, month=month, today=today, last=_last(row),
    )  # fmt: skip


urlpatterns = [
    path("agreements/", agreement_list),
    path("agreements/excel/", agreement_sheet),
    path("agreements/new/", agreement_new),
    path("agreements/<int:pk>/", agreement_page),
]
