"""Bills of elders and their families: what happened, what it cost, who paid what and why, and how to say that it is wrong (F01)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path

from yinling.directory.queries import city_of, system_actor
from yinling.directory.rules import require
from yinling.kernel.inputs import EARLIEST, LATEST, meant_day
from yinling.kernel.money import yuan
from yinling.kernel.period import add_months, local_date, month_start, next_month
from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.settlement.channel import link_of
from yinling.settlement.models import Payment
from yinling.settlement.ports import payment_channel
from yinling.settlement.queries.bills import Bill, Line, bill_of, bills_of, how_paid, month_sum, orders_billed
from yinling.settlement.queries.ledger import elder_balances
from yinling.settlement.queries.payments import balance_of
from yinling.settlement.rules import DEPOSIT, PREPAID, SELF
from yinling.settlement.states import PAYMENT, PaymentState
from yinling.web.actions import action_form
from yinling.web.elder.views import Person, _person, _show
from yinling.web.pages import Listing, page
from yinling.web.papers import Field, Paper, paper_pdf
from yinling.web.sheets import YUAN
from yinling.web.show import day, tr

VIEW = "settlement.order.view"
BILLS_SHOWN = 20


def month_of(request: Any) -> date:
    """Return the month named in the address, else this one."""
    asked = meant_day(f"{request.GET.get('month', '')[:7]}-01")
    return month_start(asked or local_date(request.now))


def _month(request: Any, person: Person, *, whole: bool) -> dict[str, Any]:
    require(request.actor, VIEW, div=person.elder.div, elder_id=person.elder.pk)
    month = month_of(request)
    bills = bills_of(list(orders_billed(person.elder.pk, month)), whole=whole)
    following = next_month(month)
    return {
        "bills": bills, "month": month, "sums": month_sum(bills), "before": add_months(month, -1) if month > EARLIEST else None,
        "after": following if following <= min(month_start(local_date(request.now)), LATEST) else None,
    }  # fmt: skip


@page(VIEW)
def bill_list(request: Any) -> HttpResponse:
    """The services of a month with what they cost, and what the elder has paid in beforehand."""
    person = _person(request)
    found = _month(request, person, whole=False)
    held = elder_balances(person.elder.pk, person.elder.div)
    return _show(
        request, "bills", person, **found, listing=Listing(request, found["bills"], size=BILLS_SHOWN), prepaid_fen=-held.get(PREPAID, 0),
        deposit_fen=-held.get(DEPOSIT, 0),
    )  # fmt: skip


@page(VIEW)
def bill_print(request: Any) -> HttpResponse:
    """The month on paper, with the sum in capital characters."""
    person = _person(request)
    return _show(request, "bills_print", person, **_month(request, person, whole=True))


@page(VIEW)
def bill_pdf(request: Any) -> HttpResponse:
    """The same paper as PDF."""
    person = _person(request)
    found = _month(request, person, whole=True)
    sums, month = found["sums"], found["month"]
    paper = Paper(
        f"bill-{month:%Y-%m}", "养老服务账单",
        (
            Field("day", "日期", _when, width=12), Field("item", "服务", lambda row: row[1].name, width=18),
            Field("who", "谁来的", lambda row: "、".join(dict.fromkeys(one.name for one in row[0].came)), width=12),
            Field("amount", "金额（元）", lambda row: row[1].amount_fen, YUAN, 12), Field("payers", "谁付多少，为什么", _payers, width=44),
        ),
        [(bill, line) for bill in found["bills"] for line in bill.lines],
        facts=(("姓名", person.elder.name), ("月份", f"{month:%Y-%m}"), ("打印日期", day(request.now))),
        sums=(("total", "合计（已取消的不算）", sums.total_fen), ("others", "补贴和保险付", sums.others_fen), ("own", "自己付", sums.own_fen),
              ("paid", "其中网上已付", sums.paid_fen)), total="own",
    )  # fmt: skip
    return paper_pdf(paper, request.now)


def _when(row: tuple[Bill, Line]) -> str:
    """The day of a line, and what else has to be known of its bill."""
    bill = row[0]
    return day(bill.order.starts_at) + (f" {tr(bill.standing)}" if bill.is_reversed or bill.is_checked else "")


def _payers(row: tuple[Bill, Line]) -> str:
    """Who bears how much of a line, and why."""
    found = []
    for share in row[1].shares:
        name = "自己" if share.payer == SELF else tr(share.label)
        said = f"{name}付 {yuan(share.amount_fen)}" if share.amount_fen else "不收钱"
        found.append(said + (f"（{tr(share.reason)}）" if share.reason else ""))
    return "；".join(found)


def _order(request: Any, pk: int) -> tuple[Order, Person]:
    rows = (
        Order.objects.visible_to(request.actor).filter(elder_id__in=request.actor.elder_ids).select_related("provider")
    )
    order = rows.filter(pk=pk).first()
    if order is None:
        raise Http404
    require(request.actor, VIEW, div=order.div, elder_id=order.elder_id)
    return order, _person(request, str(order.elder_id))


@page(VIEW)
def bill_page(request: Any, pk: int) -> HttpResponse:
    """One bill, how to pay it, and how to object."""
    order, person = _order(request, pk)
    bill = bill_of(order)
    here = f"/e/bills/{pk}/"
    may_act = request.actor.acts_for(order.elder_id, "settlement.payment.ask")
    forms = {}
    if may_act and bill.can_pay:
        if payment_channel().name:
            forms["pay"] = action_form(
                request,
                "ask_payment",
                {"order_id": pk},
                next="/e/pay/{id}/",
                submit="去付款",
                done=N_("请核对金额后付款"),
            )
        balance = balance_of(order.elder_id, order.div)
        if balance >= bill.left_fen:
            forms["balance"] = action_form(
                request,
                "pay_from_balance",
                {"order_id": pk},
                next=here,
                submit="用预存的余额付",
                done=N_("已付清"),
                tone="",
            )
    if may_act and order.state in ("served", "settled", "closed") and not bill.is_objected:
        forms["object"] = action_form(
            request,
            "raise_bill_objection",
            {"order_id": pk},
            next=here,
            submit="我有异议",
            tone="",
            done=N_("已收到，查清以前先不收钱"),
        )
    return _show(request, "bill", person, bill=bill, order=order, forms=forms, how_paid=how_paid)


def _payment(request: Any, pk: int) -> Payment:
    rows = (
        Payment.objects.visible_to(request.actor)
        .filter(elder_id__in=request.actor.elder_ids)
        .select_related("order", "provider")
    )
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    require(request.actor, VIEW, div=row.div, elder_id=row.elder_id)
    return row


@page(VIEW)
def pay_page(request: Any, pk: int) -> HttpResponse:
    """One payment: what it is for, and the way to the channel."""
    row = _payment(request, pk)
    is_open = row.state == PaymentState.ASKED and row.expires_at > request.now
    person = _person(request, str(row.elder_id))
    return _show(request, "pay", person, row=row, is_open=is_open, machine=PAYMENT)


@page("settlement.payment.ask")
def go_and_pay(request: Any, pk: int) -> HttpResponse:
    """On to the channel, which is asked for its page now if it was not yet."""
    row = _payment(request, pk)
    require(request.actor, "settlement.payment.ask", div=row.div, elder_id=row.elder_id)
    try:
        link = link_of(system_actor(city_of(row.div)), request.now, pk, f"养老服务 {row.order.code}")
    except OSError as fault:
        raise NotAllowed("payment.channel", N_("付款渠道暂时连不上，没有扣钱。请过一会儿再试，或打电话办")) from fault
    return HttpResponseRedirect(link)


urlpatterns = [
    path("e/bills/", bill_list),
    path("e/bills/print/", bill_print),
    path("e/bills/pdf/", bill_pdf),
    path("e/bills/<int:pk>/", bill_page),
    path("e/pay/<int:pk>/", pay_page),
    path("e/pay/<int:pk>/go/", go_and_pay),
]
