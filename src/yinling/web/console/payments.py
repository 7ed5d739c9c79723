"""What elders paid through the platform: payments and refunds, the channels' bills beside ours, objections, and an elder's bills."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.rules import require
from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY, local_date, local_midnight, next_month
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.settlement.models import Refund
from yinling.settlement.paying import DIFFERENCES, KINDS
from yinling.settlement.queries.bills import bill_of, bills_of, how_paid, month_sum, orders_billed
from yinling.settlement.queries.payments import (
    OBJECTION,
    balance_of,
    objection_of,
    open_objections,
    payment_bills,
    payment_totals,
    payments,
    stuck_refunds,
)
from yinling.settlement.states import PAYMENT, REFUND, RefundState
from yinling.web.actions import action_form
from yinling.web.console.settlement import MOST_EXPORTED, exported_by, settlement_tabs
from yinling.web.elder.bills import month_of
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import YUAN, Column, excel
from yinling.web.show import moment, tr

VIEW = "settlement.payment.view"
BILLS = "settlement.order.view"
REFUND_CHOICES = [("failed", N_("退款失败，待处理")), ("asked", N_("退款中"))]


def _filters() -> tuple[Filter, ...]:
    return (
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", PAYMENT.choices),
        Filter(
            "key",
            _("商户单号或渠道单号"),
            lambda found, value: found.filter(
                Q(key=value) | Q(channel_number=value) | Q(pk__in=Refund.objects.filter(key=value).values("payment"))
            ),
        ),
        Filter("refund", _("退款"), _refunding, "choice", REFUND_CHOICES),
        Filter(
            "since", _("发起日期从"), lambda found, value: found.filter(asked_at__gte=local_midnight(value)), "date"
        ),
        Filter(
            "until", _("到"), lambda found, value: found.filter(asked_at__lt=local_midnight(value + ONE_DAY)), "date"
        ),
    )


def _refunding(found: Any, value: str) -> Any:
    rows = stuck_refunds() if value == "failed" else Refund.objects.filter(state=RefundState.ASKED)
    return found.filter(Exists(rows.filter(payment=OuterRef("pk"))))


def _listing(request: Any) -> Listing:
    return Listing(request, payments(request.actor), *_filters())


@page(VIEW)
def payment_list(request: Any) -> HttpResponse:
    """Payments with their sums."""
    listing = _listing(request)
    return render(
        request, "console/payments.html", tabs=settlement_tabs(request, "payments"), listing=listing, totals=payment_totals(listing.every),
        machine=PAYMENT, how_paid=how_paid, stuck=_refunding(payments(request.actor), "failed").count(),
    )  # fmt: skip


@page(VIEW)
def payment_excel(request: Any) -> HttpResponse:
    """The same list as a workbook."""
    columns = [
        Column(_("商户单号"), width=40), Column(_("渠道单号"), width=30), Column(_("订单号"), width=16), Column(_("老年人"), width=10),
        Column(_("服务商"), width=18), Column(_("状态"), width=10), Column(_("金额（元）"), YUAN, 12), Column(_("已退（元）"), YUAN, 12),
        Column(_("支付时间"), width=18),
    ]  # fmt: skip
    lines = [
        (
            row.key, row.channel_number, row.order.code, mask_name(row.order.elder_name), row.provider.short_name, tr(row.get_state_display()),
            row.amount_fen, row.refunded_fen, moment(row.paid_at) if row.paid_at else "",
        )
        for row in _listing(request).every[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("付款"), columns, lines, above=exported_by(request))


@page(VIEW)
def payment_page(request: Any, pk: int) -> HttpResponse:
    """One payment with its refunds, and what can be done."""
    row = payments(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    here = f"/settlement/payments/{pk}/"
    forms = {}
    if PAYMENT.allows("refund", row.state):
        forms["refund"] = action_form(
            request, "refund_payment", {"payment_id": pk, "seen": row.version, "amount_fen": row.left_fen}, next=here, tone="danger",
            done=N_("退款已提交渠道"),
            fields={"cause": {"required": True}, "amount_fen": {"help": N_("整张账单都错的（没来人、没做），请登记异议并处理")}},
        )  # fmt: skip
    if PAYMENT.allows("close", row.state):
        forms["close"] = action_form(
            request, "close_payment", {"payment_id": pk, "seen": row.version}, next=here, tone=""
        )
    refunds = Refund.objects.filter(payment=row).select_related("asked_by").order_by("id")
    credit = {
        one.pk: action_form(
            request, "credit_refund", {"refund_id": one.pk, "seen": one.version}, next=here, tone="", done=N_("已转入老年人的预存余额")
        )
        for one in stuck_refunds().filter(payment=row)
    }  # fmt: skip
    return render(
        request, "console/payment.html", row=row, refunds=refunds, credit=credit, machine=PAYMENT, refund_machine=REFUND, forms=forms,
        how_paid=how_paid,
    )  # fmt: skip


@page(VIEW)
def bill_list(request: Any) -> HttpResponse:
    """Days compared with the channel, and the form that compares another."""
    listing = Listing(request, payment_bills(request.actor))
    yesterday = local_date(request.now) - ONE_DAY
    form = action_form(
        request, "load_payment_bill", {"day": yesterday}, next="/settlement/payments/bills/{id}/", done=N_("已核对")
    )
    return render(
        request, "console/payment_bills.html", tabs=settlement_tabs(request, "payments"), listing=listing, form=form
    )


@page(VIEW)
def bill_page(request: Any, pk: int) -> HttpResponse:
    """One day: what differs."""
    row = payment_bills(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return render(
        request,
        "console/payment_bill.html",
        row=row,
        listing=Listing(request, row.differences),
        kinds=KINDS,
        words=DIFFERENCES,
    )


@page("settlement.order.view")
def objection_list(request: Any) -> HttpResponse:
    """Objections that wait for a decision."""
    listing = Listing(request, open_objections(request.actor))
    tickets = {hold.pk: int(hold.cause.removeprefix(OBJECTION)) for hold in listing.rows}
    return render(
        request,
        "console/objections.html",
        tabs=settlement_tabs(request, "objections"),
        listing=listing,
        tickets=tickets,
    )


@page(BILLS)
def elder_bills(request: Any, pk: int) -> HttpResponse:
    """The bills of one elder, month by month, as the elder sees them."""
    elder = _elder(request, pk)
    month = month_of(request)
    bills = bills_of(list(orders_billed(pk, month)))
    return render(
        request, "console/elder_bills.html", elder=elder, tab="bills", bills=bills, sums=month_sum(bills), month=month,
        before=(month - ONE_DAY).replace(day=1), after=next_month(month), balance_fen=balance_of(pk, elder.div),
    )  # fmt: skip


def _elder(request: Any, pk: int) -> Elder:
    elder = Elder.objects.visible_to(request.actor).filter(pk=pk).first()
    if elder is None:
        raise Http404
    require(request.actor, BILLS, div=elder.div, elder_id=elder.pk)
    return elder


@page(BILLS)
def elder_bill(request: Any, pk: int) -> HttpResponse:
    """One bill for whoever helps the elder with it: pay from the balance, object, decide an objection."""
    order = Order.objects.visible_to(request.actor).select_related("provider").filter(pk=pk).first()
    if order is None or not request.actor.covers(order.div):
        raise Http404
    bill, hold = bill_of(order), objection_of(order)
    here = f"/settlement/bills/{pk}/"
    initial = {"order_id": pk}
    forms = {}
    if bill.can_pay and balance_of(order.elder_id, order.div) >= bill.left_fen:
        forms["balance"] = action_form(request, "pay_from_balance", initial, next=here, done=N_("已付清"))
    if hold is not None:
        forms["decide"] = action_form(
            request, "decide_bill_objection", initial, next=here, done=N_("异议已处理，答复已发给老人和家属"),
            fields={"reason": {"help": N_("老人和家属会读到这句话，手机上也会收到：请用平常的话写查到了什么")}},
        )  # fmt: skip
    elif order.state in ("served", "settled", "closed"):
        forms["object"] = action_form(
            request,
            "raise_bill_objection",
            initial,
            next=here,
            submit=N_("登记异议"),
            tone="",
            done=N_("异议已登记，订单已冻结"),
        )
    ticket = int(hold.cause.removeprefix(OBJECTION)) if hold else None
    return render(
        request, "console/elder_bill.html", order=order, bill=bill, forms=forms, ticket=ticket, how_paid=how_paid
    )


urlpatterns = [
    path("settlement/payments/", payment_list),
    path("settlement/payments/excel/", payment_excel),
    path("settlement/payments/<int:pk>/", payment_page),
    path("settlement/payments/bills/", bill_list),
    path("settlement/payments/bills/<int:pk>/", bill_page),
    path("settlement/objections/", objection_list),
    path("settlement/bills/<int:pk>/", elder_bill),
    path("elders/<int:pk>/bills/", elder_bills),
]
