"""P14: what waits for settlement, what was settled, what is held, and what one order left in the ledger."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY, local_midnight
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import ORDER
from yinling.settlement.queries import (
    account_name,
    fund_name,
    held_orders,
    order_account,
    order_totals,
    settled_orders,
    waiting_orders,
)
from yinling.settlement.queries.orders import paid_here
from yinling.settlement.states import STATEMENT
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render, sorting
from yinling.web.sheets import YUAN, Column, excel
from yinling.web.show import day, moment, tr

VIEW = "settlement.statement.view"
RECEIVED = "received"
MOST_EXPORTED = 5_000
NUMBER = re.compile(r"(?:^|[A-Z]-\d{4,6}-)(\d{1,15})(?:-\d{1,3})?$", re.IGNORECASE)


def settlement_tabs(request: Any, here: str) -> list[tuple[str, str, int | None, bool]]:
    """The lists of settlement, as far as the role may open them."""
    tabs = (
        ("statements", _("对账单"), "/settlement/", VIEW),
        ("purchase", _("支付清单"), "/settlement/purchase/", VIEW),
        ("claims", _("申报"), "/settlement/claims/", "settlement.claim.view"),
        ("payouts", _("拨付"), "/settlement/payouts/", "settlement.payout.view"),
        ("received", _("收到的拨付"), "/settlement/received/", RECEIVED),
        ("arrivals", _("到账"), "/settlement/arrivals/", "settlement.transfer.view"),
        ("accounts", _("收款账户"), "/settlement/accounts/", "settlement.account.view"),
        ("month", _("月度核对"), "/settlement/month/", VIEW),
        ("transfers", _("预付和押金"), "/settlement/transfers/", "settlement.transfer.view"),
        ("ledger", _("总账"), "/settlement/ledger/", "settlement.ledger.view"),
        ("closings", _("结账"), "/settlement/closings/", "settlement.closing.view"),
        ("waiting", _("待结算"), "/settlement/waiting/", VIEW),
        ("settled", _("已结算"), "/settlement/settled/", VIEW),
        ("held", _("管制中"), "/settlement/held/", VIEW),
        ("objections", _("账单异议"), "/settlement/objections/", "settlement.order.view"),
        ("payments", _("付款"), "/settlement/payments/", "settlement.payment.view"),
        ("recoveries", _("追回清单"), "/settlement/recoveries/", "settlement.recovery.view"),
    )
    return [
        (label, address, None, name == here) for name, label, address, right in tabs if _is_open(request.actor, right)
    ]


def _is_open(actor: Any, right: str) -> bool:
    """Whether a tab is for the actor; what a body received is for bodies, who do not see the batches."""
    return bool(actor.organisation_id and actor.has(VIEW)) if right == RECEIVED else actor.has(right)


def exported_by(request: Any) -> list[str]:
    """What stands above a list that somebody took away as a workbook."""
    values = {"who": request.actor.name, "when": moment(request.now), "most": MOST_EXPORTED}
    return [_("导出人 %(who)s，%(when)s；最多%(most)s行") % values]


def of_provider(rows: Any, text: str) -> Any:
    """Keep the rows with the number that people read aloud (``S-2611-0042``), and those of the providers that are called so."""
    return rows.filter(numbered(text) | called(text))


def by_amount(field: str) -> Filter:
    """Return the choice of an order of a list of money: the newest first, or the greatest or smallest amounts."""
    return sorting(
        _("最新在前"), ("most", _("金额由大到小"), (f"-{field}", "-id")), ("least", _("金额由小到大"), (field, "-id"))
    )


def called(text: str) -> Q:
    """Return the condition that a row's provider is called so."""
    return Q(provider__name__icontains=text) | Q(provider__short_name__icontains=text)


def numbered(text: str) -> Q:
    """Return the condition that a row has the number that people read aloud, or its last digits."""
    found = NUMBER.search(text.strip())
    return Q(pk=int(found[1])) if found else Q(pk__in=[])


def _listing(request: Any, rows: Any) -> Listing:
    return Listing(
        request, rows, Filter("q", _("订单号或服务商"), of_provider),
        Filter("since", _("服务日期从"), lambda found, value: found.filter(starts_at__gte=local_midnight(value)), "date"),
        Filter("until", _("到"), lambda found, value: found.filter(starts_at__lt=local_midnight(value + ONE_DAY)), "date"),
    )  # fmt: skip


def _orders(request: Any, here: str, rows: Any) -> HttpResponse:
    listing = _listing(request, rows)
    return render(
        request,
        "console/settlement_orders.html",
        tabs=settlement_tabs(request, here),
        here=here,
        listing=listing,
        machine=ORDER,
        totals=order_totals(listing.every),
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
def order_sheet(request: Any, here: str) -> HttpResponse:
    """A list of orders as a workbook, to be compared with the books of the body."""
    name, rows = (_("已结算"), settled_orders) if here == "settled" else (_("待结算"), waiting_orders)
    columns = [
        Column(_("订单"), width=16), Column(_("服务日期"), width=12), Column(_("老年人"), width=10), Column(_("服务商"), width=18),
        Column(_("状态"), width=10), Column(_("总金额（元）"), YUAN), Column(_("其他付费方（元）"), YUAN), Column(_("个人自付（元）"), YUAN),
        Column(_("平台代收（元）"), YUAN), Column(_("结算时间"), width=18), Column(_("管制"), width=10),
    ]  # fmt: skip
    listing = _listing(request, rows(request.actor))
    lines = [
        (
            row.code, day(row.starts_at), mask_name(row.elder_name), row.provider.short_name, _standing(row, here), row.total_fen,
            row.total_fen - row.self_fen, row.self_fen, row.paid_fen, moment(row.settled_at) if row.settled_at else "",
            _("管制中") if row.is_held else "",
        )
        for row in listing.every[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(name, columns, lines, above=exported_by(request))


def _standing(row: Any, here: str) -> str:
    """The state of an order of a list; of one whose settlement was taken back, that."""
    return _("已冲正") if here == "settled" and not row.is_charged else tr(row.get_state_display())


@page(VIEW)
def held_list(request: Any) -> HttpResponse:
    """Orders whose settlement is stopped, with the cause."""
    listing = Listing(request, held_orders(request.actor))
    return render(request, "console/settlement_held.html", tabs=settlement_tabs(request, "held"), listing=listing)


@page("settlement.order.view")
def order_ledger(request: Any, pk: int) -> HttpResponse:
    """What one order left in the ledger, and what can be done about it."""
    rows = Order.objects.visible_to(request.actor).select_related("provider").annotate(paid_fen=paid_here())
    order = rows.filter(pk=pk).first()
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


urlpatterns = [
    path("settlement/waiting/", waiting_list),
    path("settlement/waiting/excel/", order_sheet, {"here": "waiting"}),
    path("settlement/settled/", settled_list),
    path("settlement/settled/excel/", order_sheet, {"here": "settled"}),
    path("settlement/held/", held_list),
    path("settlement/orders/<int:pk>/", order_ledger),
]
