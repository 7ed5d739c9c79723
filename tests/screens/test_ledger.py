"""The general ledger, money apart from orders, and the closing of a month on screen."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    actor,
    fund_order,
    make_area_tree,
    make_entitlement,
    make_order,
    make_organisation,
    make_scheme,
    system,
)
from tests.screens.test_papers import by_api
from tests.screens.test_settlement import form_of
from tests.settlement.stated import approved
from tests.settlement.test_two_districts import both
from tests.settlement.test_two_districts import came as city_receives

from yinling.accounts.models import Journal
from yinling.orders.models import Order
from yinling.settlement.arriving import HEADS
from yinling.settlement.models import Closing, Posting, Transfer
from yinling.settlement.operations import (
    book_transfer,
    close_closing,
    post,
    propose_closing,
    propose_transfer,
    receive_transfer,
    settle_order,
)
from yinling.settlement.rules import Side

SignIn = Callable[..., Client]
LATER, NEXT_MONTH = NOW + timedelta(days=3), NOW + timedelta(days=30)
ADDRESSES = (
    "/settlement/ledger/",
    "/settlement/ledger/bank/",
    "/settlement/transfers/",
    "/settlement/arrivals/",
    "/settlement/closings/",
)


def settled() -> Order:
    order = make_order("served")
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"v{order.pk}")), 4000)
    return settle_order(actor=system(), now=LATER, order_id=order.pk)


def advance() -> Transfer:
    row = propose_transfer(
        actor=actor("finance"), now=NOW, kind="advance", provider_id=make_organisation(short_name="安心护理").pk, payer="ltci", amount_fen=123_456,
        business="eldercare", note="凭证 9",
    )  # fmt: skip
    return book_transfer(actor=actor("finance"), now=NOW, transfer_id=row.pk)


def came(fen: int, note: str) -> Transfer:
    asked = {"payer": "government", "fund": "general", "on": date(2026, 6, 15), "div": CITY}
    return receive_transfer(actor=actor("finance"), now=NOW, amount_fen=fen, note=note, **asked)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def sheet(client: Client, address: str) -> list[list[object]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize("address", ADDRESSES)
def test_empty_pages_say_what_comes_first_and_strangers_are_refused(sign_in: SignIn, address: str) -> None:
    assert 'class="empty"' in text(sign_in("finance"), address)
    assert sign_in("seat").get(address).status_code == 403


@pytest.mark.req("R-PAY-05")
def test_the_ledger_shows_balances_as_of_a_day_by_business_and_fund_and_drills_down(sign_in: SignIn) -> None:
    order = settled()
    client = sign_in("auditor")
    html = text(client, "/settlement/ledger/")
    assert "应付服务商款" in html
    assert "40.00" in html
    assert "应付服务商款" not in text(client, "/settlement/ledger/?on=2026-06-17")
    assert "应付服务商款" not in text(client, "/settlement/ledger/?business=medical")
    entries = text(client, "/settlement/ledger/payable.provider/?business=eldercare&area=320213")
    number = Posting.objects.get(order=order).code
    assert number in entries
    assert number not in text(client, "/settlement/ledger/payable.provider/?until=2026-06-17")
    assert client.get("/settlement/ledger/nothing/").status_code == 404


def test_a_district_finds_among_its_entries_what_the_city_received_for_it(sign_in: SignIn) -> None:
    make_area_tree()
    both()
    city_receives(CITY, 8000, "回单 1")
    client = sign_in(actor("finance", DISTRICT))
    for account, fen in (("bank", 40.0), ("receivable.government", -40.0)):
        assert "回单 1" in text(client, f"/settlement/ledger/{account}/"), account
        assert fen in [row[8] for row in sheet(client, f"/settlement/ledger/{account}/excel/")], account
        found = by_api(client, "/ledger-entries", size="100")["items"]
        assert fen * 100 in [row["amount"] for row in found], account


def test_ledger_and_its_workbook_agree_to_the_fen(sign_in: SignIn) -> None:
    settled()
    client = sign_in("finance")
    rows = sheet(client, "/settlement/ledger/excel/")
    assert rows[-4][:2] == ["应付服务商款", "养老"] or any(row[0] == "应付服务商款" and row[5] == 40.0 for row in rows)
    assert rows[-1][4] == rows[-1][5] == 80.0
    entries = sheet(client, "/settlement/ledger/payable.provider/excel/")
    assert [row[8] for row in entries[1:]] == [-40.0, -40.0]


@pytest.mark.req("R-PAY-16")
def test_the_monitor_shows_what_was_given_and_what_is_left(sign_in: SignIn) -> None:
    advance()
    html = text(sign_in("finance"), "/settlement/transfers/")
    assert "安心护理" in html
    assert html.count("1,234.56") == 3


@pytest.mark.req("R-PAY-16")
def test_an_advance_is_proposed_and_booked_by_two_from_the_page(sign_in: SignIn) -> None:
    body = make_organisation()
    first, second = sign_in("finance"), sign_in("finance")
    values = {
        "kind": "advance",
        "provider_id": str(body.pk),
        "payer": "ltci",
        "amount_fen": "500.00",
        "business": "eldercare",
        "note": "凭证 1",
    }
    assert first.post("/do/propose_transfer/", values | {"_key": "a" * 32}).status_code in (200, 302)
    row = Transfer.objects.get()
    assert row.amount_fen == 50_000
    assert "待另一人确认" in text(first, "/settlement/transfers/")
    assert 'data-action="book_transfer"' in text(second, "/settlement/transfers/")


@pytest.mark.req("R-PAY-16")
def test_a_proposal_is_withdrawn_from_the_page_and_stays_in_the_journal(sign_in: SignIn) -> None:
    row = propose_transfer(
        actor=actor("finance"), now=NOW, kind="advance", provider_id=make_organisation().pk, payer="ltci", amount_fen=5, business="eldercare",
        note="凭证 2",
    )  # fmt: skip
    client = sign_in("finance")
    sent = form_of(client, "/settlement/transfers/", "withdraw_transfer")
    assert client.post("/do/withdraw_transfer/", sent | {"reason": ""}).status_code == 422
    assert client.post("/do/withdraw_transfer/", sent | {"reason": "金额填错", "_key": "b"}).status_code == 302
    assert "凭证 2" not in text(client, "/settlement/transfers/")
    kept = Journal.objects.get(event="settlement.transfer.withdraw", is_refused=False)
    assert (kept.subject_id, kept.reason, kept.changes["amount_fen"]) == (row.pk, "金额填错", [5, None])
    booked = advance()
    assert 'data-action="withdraw_transfer"' not in text(client, "/settlement/transfers/")
    answer = client.post("/do/withdraw_transfer/", {"transfer_id": str(booked.pk), "reason": "再次", "_key": "c"})
    assert answer.status_code == 409
    assert Transfer.objects.get().posting_id


@pytest.mark.req("R-PAY-12")
def test_money_that_arrived_is_registered_from_the_row_of_what_is_open_and_taken_back(sign_in: SignIn) -> None:
    make_area_tree()
    row = approved(payer="government")
    client = sign_in("finance")
    for address in ("/settlement/", "/settlement/month/?month=2026-06", "/settlement/arrivals/"):
        html = text(client, address)
        assert "80.00 元" in html, address
        assert "/settlement/arrivals/?payer=government&amp;fund=general&amp;amount_fen=8000" in html, address
    assert row.code in html
    address = "/settlement/arrivals/?payer=government&fund=general&amount_fen=8000"
    html = text(client, address)
    assert re.search(r'name="amount_fen"[^>]*value="80.00"', html)
    sent = form_of(client, address, "receive_transfer") | {
        "payer": "government", "fund": "general", "amount_fen": "80.00", "on": "2026-06-15", "note": "回单 88", "div": CITY, "statements": "",
    }  # fmt: skip
    assert client.post("/do/receive_transfer/", sent | {"on": "2199-01-01", "_key": "b"}).status_code == 422
    assert client.post("/do/receive_transfer/", sent)["Location"] == "/settlement/arrivals/"
    assert client.post("/do/receive_transfer/", sent | {"_key": "c"}).status_code == 422
    html = text(client, "/settlement/arrivals/")
    assert "回单 88" in html
    assert "没有未到账的款项" in html
    assert 'id="open"' not in text(client, "/settlement/")
    back = form_of(client, "/settlement/arrivals/", "reverse_transfer")
    assert client.post("/do/reverse_transfer/", back | {"reason": "不是这笔"}).status_code == 302
    html = text(client, "/settlement/arrivals/")
    assert "已冲正" in html
    assert row.code in html
    assert 'data-action="receive_transfer"' not in text(sign_in("auditor"), "/settlement/arrivals/")


@pytest.mark.req("R-PAY-12")
def test_receipts_of_a_file_are_read_first_and_booked_with_one_button(sign_in: SignIn) -> None:
    make_area_tree()
    row = approved(payer="government")
    client, address = sign_in("finance"), "/settlement/arrivals/new/"
    assert f'href="{address}"' in text(client, "/settlement/arrivals/")
    form = client.get(f"{address}csv/").content.decode("utf-8-sig").splitlines()
    assert form == [",".join(HEADS), f",,政府购买,一般公共预算,80.00,{CITY},"]

    def sent(*rows: str, **more: str) -> str:
        file = SimpleUploadedFile("六月.csv", "\n".join([form[0], *rows]).encode("gb18030"))
        return client.post(address, {"file": file, **more}).content.decode()

    wrong = sent("2026-06-15,回单 1,政府,一般公共预算,80.00,,")
    assert "没有这个名称" in wrong
    assert "确认入账" not in wrong
    html = sent("2026-06-15,回单 1,政府购买,一般公共预算,50.00,,", "2026-06-15,回单 2,政府购买,一般公共预算,50.00,,")
    for said in (row.code, "与 回单 1 同日同额", "留存", "有 1 行须核对", "六月.csv"):
        assert said in html, said
    assert not Transfer.objects.exists()
    kept = dict(re.findall(r'name="(content|name|then)" value="([^"]*)"', html))
    assert client.post(address, kept)["Location"] == "/settlement/arrivals/"
    assert sorted(Transfer.objects.values_list("note", flat=True)) == ["回单 1", "回单 2"]
    again = client.post(address, kept)
    assert again.status_code == 409
    assert "没有新的到账" in again.content.decode()
    known = sent("2026-06-15,回单 1,政府购买,一般公共预算,50.00,,")
    assert "已登记" in known
    more = sent("2026-06-15,回单 3,政府购买,一般公共预算,90.00,,")
    assert "超过审定未付，先留存" in more, "what is more than owed is said to be kept"
    assert "付以后审定的对账单" in more
    assert "确认入账" not in known
    assert client.post(address, {"file": SimpleUploadedFile("x.csv", b"")}).status_code == 422
    assert sign_in("auditor").get(address).status_code == 403


def test_no_form_is_offered_for_a_payer_whose_money_is_booked_from_its_answers(sign_in: SignIn) -> None:
    make_area_tree()
    approved(payer="ltci")
    client = sign_in("finance")
    for address in ("/settlement/", "/settlement/month/?month=2026-06", "/settlement/arrivals/"):
        html = text(client, address)
        assert 'id="open-1"' in html, address
        assert "?payer=ltci" not in html, address


@pytest.mark.req("R-FUN-10")
def test_a_closing_shows_its_figures_beside_the_books_and_as_a_workbook(sign_in: SignIn) -> None:
    make_area_tree()
    sides = [Side("bank", 700, "eldercare", "general"), Side("donation.received", -700, "eldercare", "general")]
    post(system(), NOW, key="d:1", kind="donation", text="", div=COMMUNITY, sides=sides)
    row = propose_closing(actor=actor("finance", CITY), now=NEXT_MONTH, month=date(2026, 6, 1), div=CITY)
    client = sign_in(actor("finance", CITY))
    address = f"/settlement/closings/{row.pk}/"
    html = text(client, address)
    assert "逐项相等" in html
    assert 'data-action="close_closing"' in html
    post(system(), NOW, key="d:2", kind="donation", text="", div=COMMUNITY, sides=sides)
    assert "须重新提出" in text(client, address)
    propose_closing(actor=actor("finance", CITY), now=NEXT_MONTH, month=date(2026, 6, 1), div=CITY)
    close_closing(actor=client.actor, now=NEXT_MONTH, closing_id=row.pk)  # type: ignore[attr-defined]
    assert Closing.objects.get().closed_at == NEXT_MONTH
    assert "已结账" in text(client, "/settlement/closings/")
    assert sheet(client, f"{address}excel/")[1] == ["银行存款", "养老", "一般公共预算", 2.0, 14.0, 14.0]
    assert client.get("/settlement/closings/999999/").status_code == 404


@pytest.mark.parametrize("address", ADDRESSES)
def test_one_and_three_rows_take_the_same_queries(sign_in: SignIn, address: str) -> None:
    make_area_tree()
    client = sign_in("finance")
    advance()
    came(1, "回单 0")
    counts = []
    for _ in range(2):
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            client.get(address)
        counts.append(
            sum(1 for one in seen.captured_queries if "set_config" not in one["sql"] and "SAVEPOINT" not in one["sql"])
        )
        advance()
        advance()
        came(1, f"回单 {len(counts)}")
    assert counts[0] == counts[1]
    assert counts[0] <= 8
