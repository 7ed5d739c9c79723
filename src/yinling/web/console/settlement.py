"""P14: what waits for settlement, what was settled, what is held, and the statements that two persons approve."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.masks import mask_name
from yinling.kernel.money import capital
from yinling.kernel.period import ONE_DAY, local_date, local_midnight, month_start
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import ORDER
from yinling.settlement.models import Statement
from yinling.settlement.queries import (
    PAYER_NAMES,
    STATEMENT_PAYERS,
    account_name,
    fund_name,
    held_orders,
    order_account,
    order_totals,
    settled_orders,
    statement_lines,
    statement_totals,
    statements,
    waiting_orders,
)
from yinling.settlement.states import STATEMENT
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import day, moment, tr

VIEW = "settlement.statement.view"
VERBS = ("review", "approve", "return")


def settlement_tabs(request: Any, here: str) -> list[tuple[str, str, int | None, bool]]:
    """The lists of settlement, as far as the role may open them."""
    tabs = (
        ("statements", _("对账单"), "/settlement/"),
        ("waiting", _("待结算"), "/settlement/waiting/"),
        ("settled", _("已结算"), "/settlement/settled/"),
        ("held", _("管制中"), "/settlement/held/"),
        ("objections", _("账单异议"), "/settlement/objections/"),
        *([("payments", _("付款"), "/settlement/payments/")] if request.actor.has("settlement.payment.view") else []),
        ("recoveries", _("追回清单"), "/settlement/recoveries/"),
    )
    shown = tabs if request.actor.has("settlement.recovery.view") else tabs[:-1]
    return [(label, address, None, name == here) for name, label, address in shown]


def _in_month(rows: Any, value: Any) -> Any:
    return rows.filter(month=month_start(value))


@page(VIEW)
def statement_list(request: Any) -> HttpResponse:
    """Statements with their totals, and the form that draws one up."""
    rows = statements(request.actor)
    filters = (
        Filter("payer", _("付费方"), lambda found, value: found.filter(payer=value), "choice", STATEMENT_PAYERS),
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", STATEMENT.choices),
        Filter("month", _("月份（任一天）"), _in_month, "date"),
    )
    listing = Listing(request, rows, *filters)
    for entry in filters:
        if listing.values[entry.name] is not None:
            rows = entry.apply(rows, listing.values[entry.name])
    draft = action_form(
        request, "draft_statement", {"month": month_start(local_date(request.now))}, next="/settlement/statements/{id}/", done=N_("对账单已生成"),
        fields={
            "organisation_id": {"options": "providers", "widget": "choice"},
            "month": {"label": N_("月份"), "help": N_("选该月任意一天；以前月份尚未列入的费用一并列入")},
        },
    )  # fmt: skip
    return render(
        request, "console/settlement.html", tabs=settlement_tabs(request, "statements"), listing=listing, machine=STATEMENT,
        payers=PAYER_NAMES, draft=draft, totals=statement_totals(rows),
    )  # fmt: skip


def _orders(request: Any, here: str, rows: Any) -> HttpResponse:
    listing = Listing(
        request, rows, Filter("since", _("服务日期从"), lambda found, value: found.filter(starts_at__gte=local_midnight(value)), "date"),
        Filter("until", _("到"), lambda found, value: found.filter(starts_at__lt=local_midnight(value + ONE_DAY)), "date"),
    )  # fmt: skip
    for entry in listing.filters:
        if listing.values[entry.name] is not None:
            rows = entry.apply(rows, listing.values[entry.name])
    return render(
        request,
        "console/settlement_orders.html",
        tabs=settlement_tabs(request, here),
        here=here,
        listing=listing,
        machine=ORDER,
        totals=order_totals(rows),
    )


@page(VIEW)
def waiting_list(request: Any) -> HttpResponse:
    """Served orders on their way to the ledger."""
    return _orders(request, "waiting", waiting_orders(request.actor))


@page(VIEW)
def settled_list(request: Any) -> HttpResponse:
    """Orders that were charged."""
    return _orders(request, "settled", settled_orders(request.actor))


@page(VIEW)
def held_list(request: Any) -> HttpResponse:
    """Orders whose settlement is stopped, with the cause."""
    listing = Listing(request, held_orders(request.actor))
    return render(request, "console/settlement_held.html", tabs=settlement_tabs(request, "held"), listing=listing)


@page("settlement.order.view")
def order_ledger(request: Any, pk: int) -> HttpResponse:
    """What one order left in the ledger, and what can be done about it."""
    order = Order.objects.visible_to(request.actor).select_related("provider").filter(pk=pk).first()
    if order is None:
        raise Http404
    account = order_account(order)
    here = f"/settlement/orders/{pk}/"
    can_settle = account.live is None and order.state in ("served", "settled", "closed")
    settle = action_form(
        request,
        "settle_order",
        {"order_id": pk},
        next=here,
        done=N_("已结算"),
        submit=N_("重新结算") if account.postings else "",
    )
    reverse = action_form(request, "reverse_order", {"order_id": pk}, next=here, tone="danger", done=N_("已冲正"))
    return render(
        request, "console/settlement_order.html", order=order, account=account, machine=ORDER, statement_machine=STATEMENT,
        account_name=account_name, fund_name=fund_name, settle=settle if can_settle else None, reverse=reverse if account.live else None,
    )  # fmt: skip


def _statement(request: Any, pk: int) -> Statement:
    row = statements(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@page(VIEW)
def statement_page(request: Any, pk: int) -> HttpResponse:
    """One statement with its lines and what may be done next."""
    row = _statement(request, pk)
    here = f"/settlement/statements/{pk}/"
    forms: dict[str, ActionForm] = {
        verb: action_form(
            request, f"{verb}_statement", {"statement_id": pk, "seen": row.version}, next=here, tone="danger" if verb == "return" else "primary"
        )
        for verb in VERBS if STATEMENT.allows(verb, row.state)
    }  # fmt: skip
    is_own = request.actor.user_id in (row.drafted_by_id, row.reviewed_by_id)
    return render(
        request, "console/statement.html", row=row, listing=Listing(request, statement_lines(row)), machine=STATEMENT, payers=PAYER_NAMES,
        forms=forms, bar=_bar(row), needs_other=row.state == "reviewed" and is_own,
    )  # fmt: skip


def _bar(row: Statement) -> list[tuple[str, str, str]]:
    persons = [
        (_("起草"), row.drafted_by, row.drafted_at), (_("初审"), row.reviewed_by, row.reviewed_at), (_("复核"), row.approved_by, row.approved_at)
    ]  # fmt: skip
    steps, is_next = [], row.state != "returned"
    for label, person, at in persons:
        stage = "done" if person else "now" if is_next else "todo"
        is_next = is_next and bool(person)
        steps.append((label, stage, f"{person.name} {moment(at)}" if person else ""))
    return steps


@page(VIEW)
def statement_print(request: Any, pk: int) -> HttpResponse:
    """The statement on paper: totals in figures and in capital characters, places for signatures."""
    row = _statement(request, pk)
    lines = list(statement_lines(row))
    return render(request, "console/statement_print.html", row=row, lines=lines, payers=PAYER_NAMES, machine=STATEMENT)


@page(VIEW)
def statement_excel(request: Any, pk: int) -> HttpResponse:
    """The statement as a workbook."""
    row = _statement(request, pk)
    columns = [
        Column(_("序号"), COUNT, 6), Column(_("订单号"), width=16), Column(_("服务日期"), width=12), Column(_("老年人"), width=10),
        Column(_("项目"), width=22), Column(_("付费方"), width=14), Column(_("金额（元）"), YUAN, 14), Column(_("凭证"), width=18),
    ]  # fmt: skip
    lines = [
        (
            number, line.charge.order.code, day(line.charge.service_day), mask_name(line.charge.order.elder_name), line.charge.line.name,
            tr(PAYER_NAMES[line.charge.payer]), line.charge.amount_fen, line.charge.posting.key,
        )
        for number, line in enumerate(statement_lines(row), 1)
    ]  # fmt: skip
    above = [
        f"{row.code} {row.provider.name}", _("付费方：%(payer)s　月份：%(month)s　状态：%(state)s") % {
            "payer": tr(PAYER_NAMES[row.payer]), "month": f"{row.month:%Y-%m}", "state": tr(row.get_state_display()),
        },
        _("合计（大写）：%(amount)s") % {"amount": capital(row.total_fen)},
    ]  # fmt: skip
    below = (None, _("合计"), None, None, None, None, row.total_fen, None)
    return excel(row.code, columns, lines, above=above, below=below)


urlpatterns = [
    path("settlement/", statement_list),
    path("settlement/waiting/", waiting_list),
    path("settlement/settled/", settled_list),
    path("settlement/held/", held_list),
    path("settlement/orders/<int:pk>/", order_ledger),
    path("settlement/statements/<int:pk>/", statement_page),
    path("settlement/statements/<int:pk>/print/", statement_print),
    path("settlement/statements/<int:pk>/excel/", statement_excel),
]
