"""The general ledger as of any day, money apart from orders, and the closing of months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Organisation
from yinling.kernel.actor import Actor
from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY, add_months, local_date, local_midnight, month_start
from yinling.kernel.words import N_
from yinling.settlement.models import BUSINESSES, Closing, PayoutLine
from yinling.settlement.operations.transfers import ADVANCE_KINDS, ELDER_KINDS
from yinling.settlement.queries import (
    PAYER_NAMES,
    account_name,
    account_sums,
    advances,
    closings,
    fund_name,
    ledger_entries,
    month_figures,
    transfers,
)
from yinling.settlement.queries.ledger import FUND_CHOICES, beside
from yinling.settlement.rules import ACCOUNTS
from yinling.web.actions import action_form
from yinling.web.console.choosing import elder_choice
from yinling.web.console.people import area_filter
from yinling.web.console.settlement import MOST_EXPORTED, exported_by, settlement_tabs
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import day, moment, tr

MOST_ROWS, MOST_IN_SHEET = 500, 20_000
BUSINESS_NAMES = dict(BUSINESSES)
TRANSFER_KINDS = [*ADVANCE_KINDS, *ELDER_KINDS]
PAYOUT = "payout"
ORIGINS = {
    "distribution": ("settlement.distribution.view", "/settlement/shares/{}/"),
    "offset": ("settlement.statement.view", "/settlement/statements/{}/"),
    "order": ("settlement.order.view", "/settlement/orders/{}/"),
    PAYOUT: ("settlement.payout.view", "/settlement/payouts/{}/"),
    "reimbursement": ("settlement.reimbursement.view", "/reimbursements/{}/"),
    "subsidy": ("subsidies.subsidy.view", "/subsidies/{}/"),
}
"""By the prefix of a posting's key: the page of what it was made for, and the right that opens it."""


def _same(rows: Any, value: Any) -> Any:  # noqa: ARG001 - the sums are made with the value
    return rows


def _places() -> list[tuple[str, str]]:
    """The providers to choose from."""
    rows = Organisation.objects.filter(is_provider=True).order_by("short_name").values_list("pk", "short_name")
    return [(str(pk), name) for pk, name in rows[:1000]]


def _dimensions(request: Any) -> tuple[Filter, ...]:
    area, _names = area_filter(request)
    return (
        Filter("business", _("收支类别"), _same, "choice", BUSINESSES),
        Filter("fund", _("资金来源"), _same, "choice", FUND_CHOICES),
        replace(area, apply=_same),
        Filter("provider", _("服务商"), _same, "choice", _places()),
    )


def _narrowed(rows: Any, values: dict[str, Any]) -> Any:
    """Apply the dimensions to entries."""
    if values["business"]:
        rows = rows.filter(business=values["business"])
    if values["fund"]:
        rows = rows.filter(fund=values["fund"])
    if values["area"]:
        rows = rows.within(values["area"])
    return rows.filter(provider=int(values["provider"])) if values["provider"] else rows


def _sums(request: Any) -> tuple[Listing, date, list[dict[str, Any]]]:
    on = Filter("on", _("截至"), _same, "date")
    listing = Listing(request, [], on, *_dimensions(request))
    until = listing.values["on"] or local_date(request.now)
    chosen = listing.values
    rows = account_sums(
        request.actor, until, div=chosen["area"] or "", provider_id=int(chosen["provider"]) if chosen["provider"] else None,
        fund=chosen["fund"] or "", business=chosen["business"] or "",
    )  # fmt: skip
    listing.rows = rows[:MOST_ROWS]
    return listing, until, listing.rows


@page("settlement.ledger.view")
def ledger(request: Any) -> HttpResponse:
    """The balance of every account at the end of a day, by business and fund."""
    listing, until, rows = _sums(request)
    debit = sum(row["amount"] for row in rows if row["unit"] == "fen" and row["amount"] > 0)
    credit = -sum(row["amount"] for row in rows if row["unit"] == "fen" and row["amount"] < 0)
    query = request.GET.urlencode()
    return render(
        request, "console/ledger.html", tabs=settlement_tabs(request, "ledger"), listing=listing, until=until, debit=debit, credit=credit,
        account_name=account_name, fund_name=fund_name, businesses=BUSINESS_NAMES, query=query,
    )  # fmt: skip


@page("settlement.ledger.view")
def ledger_excel(request: Any) -> HttpResponse:
    """The same as a workbook."""
    _listing, until, rows = _sums(request)
    columns = [
        Column(_("科目"), width=28), Column(_("收支类别"), width=10), Column(_("资金来源"), width=18), Column(_("笔数"), COUNT, 10),
        Column(_("借方余额（元）"), YUAN, 16), Column(_("贷方余额（元）"), YUAN, 16),
    ]  # fmt: skip
    found = [
        (
            tr(account_name(row["account"])), tr(BUSINESS_NAMES[row["business"]]), tr(fund_name(row["fund"])), row["count"],
            max(row["amount"], 0), max(-row["amount"], 0),
        )
        for row in rows if row["unit"] == "fen"
    ]  # fmt: skip
    below = (
        _("合计"),
        None,
        None,
        sum(one[3] for one in found),
        sum(one[4] for one in found),
        sum(one[5] for one in found),
    )
    return excel(_("总账"), columns, found, above=[_("截至%(day)s") % {"day": day(until)}], below=below)


def _entries(request: Any, account: str) -> tuple[Any, tuple[Filter, ...]]:
    """Return the entries of an account as filtered, and the filters that a list shows."""
    if account not in ACCOUNTS:
        raise Http404
    filters = (
        Filter("since", _("入账从"), _same, "date"),
        Filter("until", _("到"), _same, "date"),
        *_dimensions(request),
    )
    values = Listing(request, [], *filters).values
    rows = _narrowed(ledger_entries(request.actor).filter(account=account), values)
    if values["since"]:
        rows = rows.filter(booked_on__gte=values["since"])
    if values["until"]:
        rows = rows.filter(booked_on__lte=values["until"])
    return rows, filters


@page("settlement.ledger.view")
def account_page(request: Any, account: str) -> HttpResponse:
    """The entries of one account, newest first; what was booked in a later month than that of its service is marked as a correction."""
    rows, filters = _entries(request, account)
    with beside(request.actor):  # what the city received for a district lies there, its voucher with the city
        listing = Listing(request, rows, *filters)
    return render(
        request, "console/ledger_account.html", listing=listing, account=account, account_name=account_name,
        fund_name=fund_name, businesses=BUSINESS_NAMES, query=request.GET.urlencode(), is_late=is_late,
        origins=origins_of(request.actor, listing.rows),
    )  # fmt: skip


def origins_of(actor: Actor, rows: Sequence[Any]) -> dict[int, str]:
    """Return the page of what each posting was made for, by posting, as far as the actor may open it: an amount is followed back to its cause."""
    causes = {}
    for posting in {row.posting_id: row.posting for row in rows}.values():
        prefix, _colon, rest = posting.key.partition(":")
        number = rest.partition(":")[0]
        cause = ("order", posting.order_id) if posting.order_id else (prefix, int(number) if number.isdigit() else 0)
        if cause[0] in ORIGINS and cause[1] and actor.has(ORIGINS[cause[0]][0]) and actor.covers(posting.div):
            causes[posting.pk] = cause
    in_batch = [number for prefix, number in causes.values() if prefix == PAYOUT]
    batches = dict(PayoutLine.objects.filter(pk__in=in_batch).values_list("pk", "payout_id"))
    return {
        pk: ORIGINS[prefix][1].format(batches.get(number, 0) if prefix == PAYOUT else number)
        for pk, (prefix, number) in causes.items()
    }


def is_late(row: Any) -> bool:
    """Whether an entry of an order was booked in a later month than that of its service."""
    return row.line_id is not None and row.service_day is not None and month_start(row.service_day) < row.period


@page("settlement.ledger.view")
def account_excel(request: Any, account: str) -> HttpResponse:
    """The newest entries of an account as a workbook."""
    rows, _filters = _entries(request, account)
    columns = [
        Column(_("入账日期"), width=12), Column(_("会计月份"), width=10), Column(_("服务日期"), width=12), Column(_("凭证"), width=20),
        Column(_("摘要"), width=24), Column(_("收支类别"), width=10), Column(_("资金来源"), width=18), Column(_("服务商"), width=20),
        Column(_("金额（元）"), YUAN, 14), Column(_("更正"), width=8),
    ]  # fmt: skip
    with beside(request.actor):  # as on the page
        rows = list(rows[:MOST_IN_SHEET])
    found = [
        (
            day(row.booked_on), f"{row.period:%Y-%m}", day(row.service_day) if row.service_day else "", row.posting.code, row.posting.text,
            tr(BUSINESS_NAMES[row.business]), tr(fund_name(row.fund)), row.provider.short_name if row.provider else "", row.amount,
            _("更正") if is_late(row) else "",
        )
        for row in rows
    ]  # fmt: skip
    below = (_("合计"), None, None, None, None, None, None, None, sum(one[8] for one in found), None)
    above = (
        [_("分录超过 %(most)s 笔，这里只有最近的；请按日期分几次导出") % {"most": MOST_IN_SHEET}]
        if len(found) == MOST_IN_SHEET
        else []
    )
    return excel(tr(account_name(account)), columns, found, above=above, below=below)


def _transfers(request: Any) -> Listing:
    filters = (
        Filter("kind", _("种类"), lambda found, value: found.filter(kind=value), "choice", TRANSFER_KINDS),
        Filter("since", _("日期从"), lambda found, value: found.filter(proposed_at__gte=local_midnight(value)), "date"),
        Filter("until", _("到"), lambda found, value: found.filter(proposed_at__lt=local_midnight(value + ONE_DAY)), "date"),
        Filter("note", _("凭证"), lambda found, text: found.filter(note__icontains=text)),
    )  # fmt: skip
    with beside(request.actor):  # an elder who has moved away since is still named
        return Listing(request, transfers(request.actor), *filters)


@page("settlement.transfer.view")
def transfer_sheet(request: Any) -> HttpResponse:
    """Advances, deposits and top-ups as a workbook; names masked."""
    columns = [
        Column(_("时间"), width=18), Column(_("种类"), width=14), Column(_("对象"), width=24), Column(_("付费方"), width=16),
        Column(_("收支类别"), width=10), Column(_("金额（元）"), YUAN), Column(_("凭证"), width=24), Column(_("提出")), Column(_("确认")),
        Column(_("状态"), width=14),
    ]  # fmt: skip
    kinds = dict(TRANSFER_KINDS)
    with beside(request.actor):  # as on the page
        rows = list(_transfers(request).every[:MOST_EXPORTED])
    lines = [
        (
            moment(row.proposed_at), tr(kinds[row.kind]), row.provider.name if row.provider else mask_name(row.elder.name),
            tr(PAYER_NAMES[row.payer]), tr(BUSINESS_NAMES[row.business]), row.amount_fen, row.note, row.proposed_by.name,
            row.booked_by.name if row.booked_by else "", _("已入账") if row.posting_id else _("待另一人确认"),
        )
        for row in rows
    ]  # fmt: skip
    return excel(_("收付记录"), columns, lines, above=exported_by(request))


@page("settlement.transfer.view")
def transfer_list(request: Any) -> HttpResponse:
    """Advances, deposits and top-ups, and what is left of every advance (R-PAY-16)."""
    listing = _transfers(request)
    here = "/settlement/transfers/"
    options = {"provider_id": {"options": "providers", "widget": "choice"}}
    propose = action_form(
        request,
        "propose_transfer",
        {"business": "eldercare"},
        next=here,
        done=N_("已提出，请另一位财务人员确认"),
        fields=options,
    )
    who = elder_choice(request)
    take = action_form(
        request, "take_transfer", {"elder_id": who.elder.pk}, next=here, done=N_("已入账"), hidden=("elder_id",)
    ) if who.elder else None  # fmt: skip
    book = {
        row.pk: action_form(request, "book_transfer", {"transfer_id": row.pk, "seen": row.version}, next=here, done=N_("已入账"))
        for row in listing if row.posting_id is None and row.proposed_by_id != request.actor.user_id
    }  # fmt: skip
    back = {
        row.pk: action_form(request, "withdraw_transfer", {"transfer_id": row.pk, "seen": row.version}, next=here, done=N_("已撤回"), tone="danger")
        for row in listing if row.posting_id is None
    }  # fmt: skip
    return render(
        request, "console/transfers.html", tabs=settlement_tabs(request, "transfers"), listing=listing, propose=propose, who=who, take=take,
        book=book, back=back, monitor=advances(request.actor), payers=PAYER_NAMES, businesses=BUSINESS_NAMES, kinds=dict(TRANSFER_KINDS),
    )  # fmt: skip


@page("settlement.closing.view")
def closing_list(request: Any) -> HttpResponse:
    """Months of books and who closed them."""
    listing = Listing(request, closings(request.actor))
    propose = action_form(
        request, "propose_closing",
        {"month": add_months(month_start(local_date(request.now)), -1), "div": (request.actor.div or "")[:4]},
        next="/settlement/closings/{id}/", done=N_("已提出，请另一位财务人员核对后结账"), hidden=("div",),
        fields={"month": {"widget": "month", "label": N_("月份")}},
    )  # fmt: skip
    return render(
        request, "console/closings.html", tabs=settlement_tabs(request, "closings"), listing=listing, propose=propose
    )


def _closing(request: Any, pk: int) -> Closing:
    row = closings(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _compared(row: Closing) -> list[dict[str, Any]]:
    """The figures as kept beside what the books say now."""
    names = ("account", "business", "fund", "unit")
    live = {tuple(one[name] for name in names): one for one in month_figures(row.div, row.month)}
    kept = {tuple(one[name] for name in names): one for one in row.figures}
    nothing = {"moved": 0, "balance": 0, "count": 0}
    found = []
    for key in dict.fromkeys([*kept, *live]):
        before, after = kept.get(key, nothing), live.get(key, nothing)
        found.append(
            {**dict(zip(names, key, strict=True)), **{name: before[name] for name in nothing}, "live": after["balance"],
             "is_same": all(before[name] == after[name] for name in nothing)}
        )  # fmt: skip
    return found


@page("settlement.closing.view")
def closing_page(request: Any, pk: int) -> HttpResponse:
    """One month: its figures as kept, compared with the books now, and closing it."""
    row = _closing(request, pk)
    close = action_form(
        request, "close_closing", {"closing_id": pk, "seen": row.version}, next=f"/settlement/closings/{pk}/", done=N_("已结账"),
        confirm=N_("结账后这个月不能再入账，确定吗？"),
    )  # fmt: skip
    is_own = request.actor.user_id == row.proposed_by_id
    figures = _compared(row)
    return render(
        request, "console/closing.html", tabs=settlement_tabs(request, "closings"), row=row, figures=figures,
        close=close if row.closed_at is None and not is_own else None, is_own=is_own, account_name=account_name, fund_name=fund_name,
        businesses=BUSINESS_NAMES, differs=any(not one["is_same"] for one in figures), sums=_totals(row.figures),
    )  # fmt: skip


def _totals(figures: Sequence[dict[str, Any]]) -> dict[str, int]:
    fen = [one for one in figures if one["unit"] == "fen"]
    return {
        "count": sum(one["count"] for one in figures),
        "debit": sum(one["moved"] for one in fen if one["moved"] > 0),
        "credit": -sum(one["moved"] for one in fen if one["moved"] < 0),
    }


@page("settlement.closing.view")
def closing_excel(request: Any, pk: int) -> HttpResponse:
    """The figures of a month as a workbook."""
    row = _closing(request, pk)
    columns = [
        Column(_("科目"), width=28), Column(_("收支类别"), width=10), Column(_("资金来源"), width=18), Column(_("笔数"), COUNT, 10),
        Column(_("本月发生（元）"), YUAN, 16), Column(_("月末余额（元）"), YUAN, 16),
    ]  # fmt: skip
    found = [
        (
            tr(account_name(one["account"])), tr(BUSINESS_NAMES[one["business"]]), tr(fund_name(one["fund"])), one["count"], one["moved"],
            one["balance"],
        )
        for one in row.figures if one["unit"] == "fen"
    ]  # fmt: skip
    below = (
        _("合计"),
        None,
        None,
        sum(one[3] for one in found),
        sum(one[4] for one in found),
        sum(one[5] for one in found),
    )
    return excel(f"{row.div} {row.month:%Y-%m}", columns, found, below=below)


urlpatterns = [
    path("settlement/ledger/", ledger),
    path("settlement/ledger/excel/", ledger_excel),
    path("settlement/ledger/<str:account>/", account_page),
    path("settlement/ledger/<str:account>/excel/", account_excel),
    path("settlement/transfers/", transfer_list),
    path("settlement/transfers/excel/", transfer_sheet),
    path("settlement/closings/", closing_list),
    path("settlement/closings/<int:pk>/", closing_page),
    path("settlement/closings/<int:pk>/excel/", closing_excel),
]
