"""Bills of elders and families, the way to pay, and what finance sees of payments, the channel's bills and objections."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from python_calamine import CalamineWorkbook
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    fund_order,
    make_assignment,
    make_elder,
    make_entitlement,
    make_hold,
    make_order,
    make_scheme,
    make_staff,
    make_visit,
    system,
)
from tests.screens.test_hotline import form_of, queries
from tests.settlement.paying import added, refuse_refunds

from yinling.ground.clock import business_now
from yinling.hotline.models import Ticket
from yinling.kernel.period import local_date
from yinling.orders.models import Hold, Order, PayerShare
from yinling.people.models import Representative
from yinling.settlement import channel
from yinling.settlement.models import Payment, PaymentBill, Posting, Refund
from yinling.settlement.operations import (
    ask_payment,
    decide_bill_objection,
    post,
    raise_bill_objection,
    refund_payment,
    settle_order,
    take_notice,
    take_transfer,
)
from yinling.settlement.queries.bills import bill_of
from yinling.settlement.queries.payables import payables
from yinling.settlement.rules import Side
from yinling.web.elder import bills
from yinling.web.papers import Paper

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.DEMO = True
    monkeypatch.setitem(django_settings.PORTS, "payment", "yinling.interop.payment.fake.FakePayment")


@pytest.fixture
def her(sign_in: SignIn) -> Client:
    """An elder logged in, with one served order of 80 yuan of which a voucher bears half."""
    elder = make_elder(name="王桂英")
    client = sign_in(actor("elder", elders=(elder,)))
    client.elder, client.order = elder, served(elder)  # type: ignore[attr-defined]
    return client


def served(elder: Any, state: str = "served", at: datetime | None = None) -> Order:
    system()
    order = make_order(state, elder=elder, starts_at=at or business_now() - timedelta(hours=3))
    fund_order(order, make_entitlement(elder, make_scheme(code=f"s{order.pk}")), 4000)
    PayerShare.objects.filter(order=order, payer="voucher").update(reason="消费补贴券付一半")
    return order


def month_of(order: Order) -> str:
    """The page of the month it was done in: three hours ago may be the month before."""
    return f"/e/bills/?month={local_date(order.starts_at):%Y-%m}"


def paid(order: Order) -> Payment:
    now = business_now()
    row = ask_payment(actor=actor("elder", elders=(order.elder,)), now=now, order_id=order.pk)
    return take_notice(
        actor=system(), now=now, key=row.key, number=f"N{row.pk}", amount_fen=row.amount_fen, paid_at=now, channel="demo"
    )  # fmt: skip


def top_up(elder: Any, fen: int) -> None:
    sides = [
        Side(account=account, amount=amount, business="eldercare", fund="personal", elder_id=elder.pk)
        for account, amount in (("bank", fen), ("prepaid.elder", -fen))
    ]
    post(system(), NOW, key=f"top-up:{elder.pk}", kind="top_up", text="充值", div=elder.div, sides=sides, elder=elder)


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"<[^>]+>", "", answer.content.decode())


# --- the elder


def test_a_bill_says_what_happened_who_paid_what_and_why(her: Any) -> None:
    staff = make_staff(her.order.provider, name="李梅")
    assignment = make_assignment(her.order, staff, state="accepted")
    visit = make_visit(assignment, started_at=her.order.starts_at)
    visit.state, visit.ended_at = "done", her.order.starts_at + timedelta(minutes=52)
    visit.save()
    Order.objects.filter(pk=her.order.pk).update(self_pay_consent="女儿王芳 6月15日电话同意")
    text = text_of(her, f"/e/bills/{her.order.pk}/")
    for said in (
        "李梅", "服务 52 分钟", "一共 80.00 元", "消费补贴券付 40.00 元：消费补贴券付一半", "您付 40.00 元", "您自己付 40.00 元", "要付 40.00 元",
        "去付款", "我有异议", "打电话办", "下单时问过，同意的人：女儿王芳 6月15日电话同意",
    ):  # fmt: skip
        assert said in text, said
    listed = text_of(her, month_of(her.order))
    assert "服务了 1 次，一共 80.00 元" in listed
    assert "补贴和保险替您付了 40.00 元，您自己付 40.00 元" in listed


def test_an_empty_month_says_so_and_leads_to_the_month_before(her: Any) -> None:
    html = her.get("/e/bills/?month=2019-02").content.decode()
    assert "这个月没有账单" in html
    assert "month=2019-01" in html
    for odd in ("2019-13", "x", "9999-99", "0000-00", "2019-02-31;"):
        assert her.get("/e/bills/", {"month": odd}).status_code == 200


def test_the_bill_is_paid_in_three_steps_at_the_made_up_cashier(her: Any) -> None:
    here = f"/e/bills/{her.order.pk}/"
    answer = her.post("/do/ask_payment/", form_of(her, here, "ask_payment"))
    row = Payment.objects.get()
    assert answer["Location"] == f"/e/pay/{row.pk}/"
    assert "要付 40.00 元" in text_of(her, answer["Location"])
    cashier = her.get(f"/e/pay/{row.pk}/go/")["Location"]
    assert cashier == f"/demo/pay/{row.key}/"
    assert "不会扣真的钱" in text_of(her, cashier)
    for _ in range(2):
        assert her.post(cashier)["Location"] == f"/e/pay/{row.pk}/"
    assert "已经付好" in text_of(her, f"/e/pay/{row.pk}/")
    assert "网上付了 40.00 元" in text_of(her, here)
    assert "已付清" in text_of(her, month_of(her.order))
    assert Posting.objects.filter(kind="payment").count() == 1


def test_what_was_added_after_paying_is_asked_for_on_the_same_bill(her: Any) -> None:
    paid(her.order)
    here = f"/e/bills/{her.order.pk}/"
    assert "已付清，谢谢" in text_of(her, here)
    extra = added(her.order, 1500)
    text = text_of(her, here)
    for said in (
        f"当天加做了“{extra.name}”，同意的人：本人 王桂英",
        "网上付了 40.00 元",
        "还差 15.00 元",
        "所以还要补付这些",
    ):
        assert said in text, said
    assert "付了一部分，还差 15.00 元" in text_of(her, month_of(her.order))
    answer = her.post("/do/ask_payment/", form_of(her, here, "ask_payment"))
    assert "要付 15.00 元" in text_of(her, answer["Location"])


def test_the_cashier_exists_in_demonstrations_only(her: Any, settings: Any) -> None:
    row = paid(her.order)
    settings.DEMO = False
    assert her.get(f"/demo/pay/{row.key}/").status_code == 404
    settings.DEMO = True
    assert her.get("/demo/pay/3202-nothing/").status_code == 404


def test_a_channel_that_does_not_answer_is_said_and_nothing_is_paid(her: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ask_payment(actor=her.actor, now=business_now(), order_id=her.order.pk)

    def down(*_args: Any, **_values: Any) -> None:
        raise OSError("no answer")

    monkeypatch.setattr("yinling.interop.payment.fake.FakePayment.order", down)
    answer = her.get(f"/e/pay/{row.pk}/go/")
    assert answer.status_code == 409
    assert "没有扣钱" in answer.content.decode()


def test_money_paid_in_at_the_counter_pays_with_one_button(her: Any) -> None:
    here = f"/e/bills/{her.order.pk}/"
    assert "pay_from_balance" not in her.get(here).content.decode()
    top_up(her.elder, 4000)
    her.post("/do/pay_from_balance/", form_of(her, here, "pay_from_balance"))
    assert "用预存的余额付了 40.00 元" in text_of(her, here)


def test_the_month_says_how_much_of_it_was_paid_here(her: Any) -> None:
    month = f"/e/bills/?month={local_date(her.order.starts_at):%Y-%m}"
    assert "已经在这里付了" not in text_of(her, month)
    paid(her.order)
    assert "其中已经在这里付了 40.00 元" in text_of(her, month)


def test_an_objection_freezes_the_bill_and_its_answer_is_read_there(her: Any, sign_in: SignIn) -> None:
    here = f"/e/bills/{her.order.pk}/"
    her.post("/do/raise_bill_objection/", form_of(her, here, "raise_bill_objection") | {"text": "只来了十分钟"})
    assert Ticket.objects.get().elder_id == her.elder.pk
    text = text_of(her, here)
    assert "只来了十分钟" in text
    assert "正在核查" in text
    assert "去付款" not in text
    ticket, seat = Ticket.objects.get(), sign_in("seat")
    seat.post("/do/take_ticket/", form_of(seat, f"/tickets/{ticket.pk}/", "take_ticket"))
    waiting = seat.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "写好结论后自动办结" in waiting
    assert "close_ticket" not in waiting
    finance = sign_in("finance")
    assert her.order.code in text_of(finance, "/settlement/objections/")
    there = f"/settlement/bills/{her.order.pk}/"
    values = form_of(finance, there, "decide_bill_objection") | {"result": "kept", "reason": "定位显示服务 52 分钟"}
    finance.post("/do/decide_bill_objection/", values)
    assert Hold.objects.get().to_at is not None
    assert "我们查过了，这张账单没有错：定位显示服务 52 分钟" in text_of(her, here)
    assert "我们查过了，这张账单没有错：定位显示服务 52 分钟" in text_of(her, "/e/complaint/"), (
        "where the elder asks what became of it"
    )
    assert "没有待处理的异议" in text_of(finance, "/settlement/objections/")


def test_money_paid_in_beforehand_and_a_deposit_are_said_on_the_bills(her: Any, sign_in: SignIn) -> None:
    assert "存在这里的钱" not in text_of(her, "/e/bills/")
    top_up(her.elder, 1234)
    now = business_now()
    take_transfer(
        actor=actor("finance"), now=now, elder_id=her.elder.pk, kind="deposit", amount_fen=20000, method="cash", note="YJ-1"
    )  # fmt: skip
    text = text_of(her, "/e/bills/")
    assert "预存的余额 12.34 元" in text
    assert "押金 200.00 元" in text
    daughter = sign_in(actor("family", elders=(her.elder,)))
    assert "预存的余额 12.34 元" in text_of(daughter, f"/e/bills/?elder={her.elder.pk}")


def test_many_bills_of_a_month_come_in_pages_and_the_sums_are_of_all(her: Any) -> None:
    for _ in range(21):
        served(her.elder, at=her.order.starts_at)
    here = month_of(her.order)
    html = her.get(here).content.decode()
    assert html.count('id="order-') == 20
    assert "服务了 22 次，一共 1,760.00 元" in text_of(her, here)
    assert "page=2" in html
    second = her.get(f"{here}&page=2").content.decode()
    assert second.count('id="order-') == 2
    assert "服务了 22 次" in re.sub(r"<[^>]+>", "", second)


def test_who_comes_back_from_the_cashier_before_the_notice_is_told_to_wait(her: Any) -> None:
    row = ask_payment(actor=her.actor, now=business_now(), order_id=her.order.pk)
    assert "请不要再付" not in text_of(her, f"/e/pay/{row.pk}/")
    her.get(f"/e/pay/{row.pk}/go/")
    assert "刚才已经付过的，请不要再付" in text_of(her, f"/e/pay/{row.pk}/")


def test_a_payment_that_an_objection_closed_leads_to_no_cashier(her: Any) -> None:
    row = ask_payment(actor=her.actor, now=business_now(), order_id=her.order.pk)
    her.get(f"/e/pay/{row.pk}/go/")
    here = f"/e/bills/{her.order.pk}/"
    her.post("/do/raise_bill_objection/", form_of(her, here, "raise_bill_objection") | {"text": "只来了十分钟"})
    assert "这次付款已经结束，没有扣钱" in text_of(her, f"/e/pay/{row.pk}/")
    answer = her.get(f"/e/pay/{row.pk}/go/")
    assert (answer.status_code, "已经结束" in answer.content.decode()) == (409, True)


def test_a_bill_that_was_taken_back_says_where_money_given_to_the_body_comes_from(her: Any) -> None:
    here = f"/e/bills/{her.order.pk}/"
    her.post("/do/raise_bill_objection/", form_of(her, here, "raise_bill_objection") | {"text": "没有人来"})
    decide_bill_objection(
        actor=actor("finance"), now=business_now(), order_id=her.order.pk, result="reversed", reason="没有签到"
    )
    text = text_of(her, here)
    assert "账单已取消，不收钱" in text
    assert "这张账单取消了，上面的钱都不收" in text
    assert "替您付了" not in text
    assert "直接付给服务机构的，请向机构要回" in text
    assert "去付款" not in text
    papers: list[Paper] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bills, "paper_pdf", lambda paper, _now: papers.append(paper) or HttpResponse())
        her.get(f"/e/bills/pdf/?month={local_date(her.order.starts_at):%Y-%m}")
    assert "账单已取消，不收钱" in papers[0].fields[0].text(next(iter(papers[0].rows)))
    assert papers[0].total_fen == 0


def test_the_answer_to_an_objection_is_among_the_messages_of_the_family(her: Any, sign_in: SignIn) -> None:
    daughter, finance = sign_in(actor("family", elders=(her.elder,))), sign_in("finance")
    assert "收到的消息" in text_of(daughter, "/e/")
    assert "还没有消息" in text_of(daughter, "/notices/")
    raise_bill_objection(actor=daughter.actor, now=business_now(), order_id=her.order.pk, text="多收了")  # type: ignore[attr-defined]
    there = f"/settlement/bills/{her.order.pk}/"
    assert "处理异议" in text_of(finance, there)
    assert "老人和家属会读到这句话" in finance.get(there).content.decode()
    values = form_of(finance, there, "decide_bill_objection") | {"result": "kept", "reason": "按公布的价格收的"}
    finance.post("/do/decide_bill_objection/", values)
    assert "收到的消息（1 条新）" in text_of(daughter, "/e/")
    html = daughter.get("/notices/").content.decode()
    assert "我们查过了，这张账单没有错：按公布的价格收的" in html
    assert f'href="/e/bills/{her.order.pk}/"' in html
    assert "<table" not in html


def test_payments_and_refunds_stand_in_the_order_in_which_they_happened(her: Any, sign_in: SignIn) -> None:
    first = paid(her.order)
    refund_payment(actor=actor("finance"), now=business_now(), payment_id=first.pk, amount_fen=4000, reason="付了现金")
    channel.send_refunds(system(), business_now())
    paid(her.order)
    assert [kind for kind, _row in bill_of(her.order).moves] == ["pay", "refund", "pay"]
    assert "已退款 40.00 元 付了现金" in text_of(sign_in("seat"), f"/settlement/bills/{her.order.pk}/")
    text = text_of(her, f"/e/bills/{her.order.pk}/")
    assert text.index("退还了 40.00 元：付了现金") < text.rindex("网上付了 40.00 元")


def test_paper_shows_the_sum_in_capital_characters(her: Any) -> None:
    month = f"{local_date(her.order.starts_at):%Y-%m}"
    text = text_of(her, f"/e/bills/print/?month={month}")
    assert "肆拾元整" in text
    assert "自己付 40.00" in text
    assert "服务热线 12349" in text
    answer = her.get(f"/e/bills/pdf/?month={month}")
    assert (answer.status_code, answer["Content-Type"], answer.content[:5]) == (200, "application/pdf", b"%PDF-")


def test_a_family_sees_the_bills_of_linked_elders_and_pays_only_where_it_may(sign_in: SignIn, her: Any) -> None:
    second = make_elder(name="陈阿福")
    daughter = sign_in(actor("family", elders=(her.elder, second)))
    html = daughter.get(f"/e/bills/?elder={her.elder.pk}").content.decode()
    assert "王桂英的账单" in html
    assert "陈阿福" in html
    assert "ask_payment" in daughter.get(f"/e/bills/{her.order.pk}/").content.decode()
    rows = Representative.objects.filter(user=daughter.actor.user_id, elder=her.elder)  # type: ignore[attr-defined]
    rows.update(covers_orders=False)
    html = daughter.get(f"/e/bills/{her.order.pk}/").content.decode()
    assert "ask_payment" not in html
    assert "raise_bill_objection" not in html
    rows.update(covers_bills=False)
    assert daughter.get(f"/e/bills/{her.order.pk}/").status_code == 403
    assert daughter.get(f"/e/bills/?elder={her.elder.pk}").status_code == 403


def test_nobody_reads_the_bill_of_a_stranger(sign_in: SignIn, her: Any) -> None:
    row = paid(her.order)
    stranger = sign_in(actor("family", elders=(make_elder(),)))
    for address in (
        f"/e/bills/{her.order.pk}/",
        f"/e/pay/{row.pk}/",
        f"/e/pay/{row.pk}/go/",
        f"/e/bills/?elder={her.elder.pk}",
    ):
        assert stranger.get(address).status_code == 404, address
    assert sign_in("carer").get(f"/e/bills/{her.order.pk}/").status_code in (403, 404)
    other = sign_in(actor("station", div=OTHER_DISTRICT))
    assert other.get(f"/settlement/bills/{her.order.pk}/").status_code == 404
    assert other.get(f"/elders/{her.elder.pk}/bills/").status_code == 404


def test_pages_of_bills_are_light_and_ask_the_database_little(her: Any) -> None:
    month = month_of(her.order)
    for address in (month, f"/e/bills/{her.order.pk}/"):
        assert len(gzip.compress(her.get(address).content)) < 6000
    few = queries(her, month)
    assert few <= 12
    for _ in range(3):
        served(her.elder, at=her.order.starts_at)
    assert queries(her, month) == few


# --- finance


def test_finance_finds_a_payment_gives_it_back_and_exports_the_list(sign_in: SignIn, her: Any) -> None:
    row, client = paid(her.order), sign_in("finance")
    assert "40.00" in text_of(client, "/settlement/payments/?state=paid")
    assert "没有符合条件的付款" in text_of(client, "/settlement/payments/?key=nothing")
    here = f"/settlement/payments/{row.pk}/"
    values = form_of(client, here, "refund_payment") | {
        "amount_fen": "15.00",
        "cause": "overpaid",
        "reason": "服务没做完",
    }
    assert client.post("/do/refund_payment/", values)["Location"] == here
    assert Refund.objects.get().amount_fen == 1500
    assert "退款中" in text_of(client, here)
    channel.send_refunds(system(), business_now())
    assert "15.00" in text_of(client, here)
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/settlement/payments/excel/").content))
    assert book.get_sheet_by_index(0).to_python()[-1][6:8] == [40.0, 15.0]
    for amount in ("30", "0", "-1", "1.005", "abc", "99999999999999999"):
        values = form_of(client, here, "refund_payment") | {"amount_fen": amount, "cause": "overpaid", "reason": "x"}
        assert client.post("/do/refund_payment/", values).status_code == 422
    assert Refund.objects.count() == 1


def test_a_refund_the_channel_refused_is_shown_found_and_given_to_the_balance(
    sign_in: SignIn, her: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, client = paid(her.order), sign_in("finance")
    assert "被渠道拒绝" not in text_of(client, "/settlement/payments/")
    refuse_refunds(monkeypatch)
    back = refund_payment(actor=client.actor, now=business_now(), payment_id=row.pk, amount_fen=4000, reason="没有来")  # type: ignore[attr-defined]
    assert her.order.code in text_of(client, "/settlement/payments/?refund=asked")
    channel.send_refunds(system(), business_now())
    assert "有 1 笔付款的退款被渠道拒绝" in text_of(client, "/settlement/payments/")
    for address in ("?refund=failed", f"?key={back.key}"):
        assert her.order.code in text_of(client, f"/settlement/payments/{address}")
    here = f"/settlement/payments/{row.pk}/"
    assert "超过退款期限" in text_of(client, here)
    client.post("/do/credit_refund/", form_of(client, here, "credit_refund") | {"reason": "渠道超过退款期限"})
    assert "已转入余额" in text_of(client, here)
    assert "没有符合条件的付款" in text_of(client, "/settlement/payments/?refund=failed")
    assert "把 40.00 元 转入了您预存的余额" in text_of(her, f"/e/bills/{her.order.pk}/")
    assert "预存的余额 40.00 元" in text_of(her, "/e/bills/")


def test_a_bill_of_the_channel_is_pasted_and_its_differences_are_listed(sign_in: SignIn, her: Any) -> None:
    row, client = paid(her.order), sign_in("finance")
    assert "还没有核对过" in text_of(client, "/settlement/payments/bills/")
    day = local_date(business_now()).isoformat()
    values = form_of(client, "/settlement/payments/bills/", "load_payment_bill")
    values |= {"day": day, "text": f"付款,{row.key},{row.channel_number},39.99\n"}
    answer = client.post("/do/load_payment_bill/", values)
    text = text_of(client, answer["Location"])
    assert "金额不符" in text
    assert "39.99" in text
    values = form_of(client, "/settlement/payments/bills/", "load_payment_bill") | {"day": day, "text": "付款,x"}
    answer = client.post("/do/load_payment_bill/", values)
    assert answer.status_code == 422
    assert "第 1 行看不懂" in answer.content.decode()
    assert PaymentBill.objects.get().differences


def test_the_desk_sees_an_elders_bills_and_objects_for_her(sign_in: SignIn, her: Any) -> None:
    settle_order(actor=system(), now=business_now(), order_id=her.order.pk)
    for role in ("seat", "station"):
        client = sign_in(role)
        assert her.order.code in text_of(
            client, f"/elders/{her.elder.pk}/bills/?month={local_date(her.order.starts_at):%Y-%m}"
        )
    here = f"/settlement/bills/{her.order.pk}/"
    client.post("/do/raise_bill_objection/", form_of(client, here, "raise_bill_objection") | {"text": "老人说钱不对"})
    assert Ticket.objects.get().channel == "console"


def test_what_elders_paid_here_is_owed_to_the_provider_and_put_into_one_batch(sign_in: SignIn, her: Any) -> None:
    client = sign_in("finance")
    paid(her.order)
    settle_order(actor=system(), now=business_now(), order_id=her.order.pk)
    channel.tend_payments(system(), business_now())
    mine = [one for one in payables(client.actor, "3202") if one.key.startswith("payment:")]  # type: ignore[attr-defined]
    assert [(one.provider_id, one.amount_fen, one.account, one.business) for one in mine] == [
        (her.order.provider_id, 4000, "payable.provider", "eldercare")
    ]
    assert queries(client, "/settlement/payouts/new/") <= 8
    make_hold(her.order)
    assert not [one for one in payables(client.actor, "3202") if one.key.startswith("payment:")]  # type: ignore[attr-defined]


def test_who_has_no_right_finds_no_payments(sign_in: SignIn) -> None:
    for role in ("seat", "station", "carer"):
        assert sign_in(role).get("/settlement/payments/").status_code == 403
