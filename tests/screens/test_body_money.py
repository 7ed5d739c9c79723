"""What a body needs to compare our figures with its own books: what elders paid here, and what was paid to its account."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from python_calamine import CalamineWorkbook
from tests.factories import actor, make_elder, make_organisation, system
from tests.screens.test_bills import paid, served
from tests.screens.test_settlement import queries
from tests.settlement.stated import LATER, approved, exported, sent, with_account

from yinling.ground.clock import business_now
from yinling.orders.models import Order
from yinling.settlement import bankfile
from yinling.settlement.models import Payout, PayoutLine
from yinling.settlement.operations import answer_payout, settle_order

SignIn = Callable[..., Client]
MONEY = '<td class="right"><span class="money">{}</span></td>'


@pytest.fixture(autouse=True)
def _channel(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.DEMO = True
    monkeypatch.setitem(django_settings.PORTS, "payment", "yinling.interop.payment.fake.FakePayment")


def rows_of(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def settled_and_paid() -> Order:
    order = served(make_elder())
    paid(order)
    return settle_order(actor=system(), now=business_now(), order_id=order.pk)


def answered(row: Payout, *words: str) -> None:
    lines = PayoutLine.objects.filter(payout=row).order_by("pk")
    said = [
        (row.code, line.pk, f"{line.amount_fen / 100:.2f}", word, "户名不符")
        for line, word in zip(lines, words, strict=True)
    ]
    answer_payout(actor=actor("finance"), now=LATER, payout_id=row.pk, content=sent(*said, heads=bankfile.RETURN_HEADS))


# --- what elders paid through the platform


@pytest.mark.parametrize("here", ["waiting", "settled"])
def test_a_body_sees_which_elders_have_paid_through_the_platform(sign_in: SignIn, here: str) -> None:
    order = settled_and_paid() if here == "settled" else served(make_elder())
    if here == "waiting":
        paid(order)
    client = sign_in(actor("provider_manager", organisation=order.provider))
    html = client.get(f"/settlement/{here}/").content.decode()
    assert html.count(MONEY.format("40.00 元")) == 3  # others, own, of that through the platform
    assert "自付中平台代收</span><b>40.00 元" in html
    assert "其中平台代收" in client.get(f"/settlement/orders/{order.pk}/").content.decode()


def test_the_list_of_orders_is_the_same_on_the_screen_and_in_the_workbook(sign_in: SignIn) -> None:
    order = settled_and_paid()
    client = sign_in(actor("provider_manager", organisation=order.provider))
    assert (
        f"/settlement/settled/excel/?q={order.code}"
        in client.get("/settlement/settled/", {"q": order.code}).content.decode()
    )
    rows = rows_of(client.get("/settlement/settled/excel/", {"q": order.code}).content)
    assert rows[1][5:9] == ["总金额（元）", "其他付费方（元）", "个人自付（元）", "平台代收（元）"]
    assert (rows[2][0], rows[2][5:9]) == (order.code, [80.0, 40.0, 40.0, 40.0])
    assert len(rows_of(client.get("/settlement/settled/excel/", {"q": "没有这家"}).content)) == 2
    stranger = sign_in(actor("provider_manager", organisation=make_organisation()))
    assert len(rows_of(stranger.get("/settlement/settled/excel/").content)) == 2
    assert client.get("/settlement/waiting/excel/").status_code == 200


# --- what was paid to the body


def test_a_body_sees_what_was_paid_to_it_and_its_receipt(sign_in: SignIn) -> None:
    row, other = approved(payer="government"), approved(payer="government")
    with_account(row.provider)
    with_account(other.provider, "6222020200012345670")
    answered(exported([f"statement:{row.pk}", f"statement:{other.pk}"]), "成功", "失败")
    line, failed = PayoutLine.objects.order_by("pk")
    client = sign_in(actor("provider_manager", organisation=row.provider))
    html = client.get("/settlement/received/").content.decode()
    assert f'<a href="/settlement/statements/{row.pk}/">{line.text}</a>' in html
    assert "已付款</span><b>80.00 元" in html
    assert f"/settlement/receipts/{line.pk}/" in html
    assert other.code not in html
    assert 'href="/settlement/received/"' in client.get("/settlement/").content.decode()
    assert 'href="/settlement/received/"' in client.get(f"/settlement/receipts/{line.pk}/").content.decode()
    assert rows_of(client.get("/settlement/received/excel/").content)[2][:4] == [line.text, "政府购买", 80.0, "已付款"]
    theirs = sign_in(actor("provider_manager", organisation=other.provider))
    html = theirs.get("/settlement/received/").content.decode()
    assert "银行退回</span><b>80.00 元" in html
    assert f"/settlement/receipts/{failed.pk}/" not in html


def test_a_batch_that_was_given_up_is_no_payment(sign_in: SignIn) -> None:
    row = approved(payer="government")
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    client = sign_in(actor("provider_manager", organisation=row.provider))
    assert "待付款</span><b>80.00 元" in client.get("/settlement/received/").content.decode()
    PayoutLine.objects.filter(payout=made).update(is_live=False)
    assert "还没有付给本机构的钱" in client.get("/settlement/received/").content.decode()


def test_who_sees_whole_batches_has_no_page_of_one_body(sign_in: SignIn) -> None:
    client = sign_in("finance")
    assert client.get("/settlement/received/").status_code == 404
    assert client.get("/settlement/received/excel/").status_code == 404
    assert "/settlement/received/" not in client.get("/settlement/").content.decode()


def test_the_payments_of_a_body_ask_no_more_with_more_rows(sign_in: SignIn) -> None:
    first = approved(payer="government")
    with_account(first.provider)
    client = sign_in(actor("provider_manager", organisation=first.provider))
    answered(exported([f"statement:{first.pk}"]), "成功")
    one = queries(client, "/settlement/received/")
    for payer in ("employer", "veteran"):
        answered(exported([f"statement:{approved(payer=payer, body=first.provider).pk}"]), "成功")
    assert queries(client, "/settlement/received/") == one <= 8


# --- back from an entry of the ledger to what it was made for


def test_an_entry_of_the_ledger_leads_to_its_order_or_its_batch(sign_in: SignIn) -> None:
    row = approved(payer="government")
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    answered(made, "成功")
    auditor = sign_in("auditor")
    html = auditor.get("/settlement/ledger/payable.provider/").content.decode()
    order = row.lines.order_by("pk")[0].charge.order_id
    for address in (f"/settlement/payouts/{made.pk}/", f"/settlement/orders/{order}/"):
        assert f'<a href="{address}">J-' in html
        assert auditor.get(address).status_code == 200
    assert (
        f"/settlement/payouts/{made.pk}/"
        not in sign_in(actor("auditor", div="320213")).get("/settlement/ledger/payable.provider/").content.decode()
    )
