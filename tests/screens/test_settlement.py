"""Settlement pages: lists with totals, the two buttons of two persons, paper and spreadsheet."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    fund_order,
    make_entitlement,
    make_hold,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    system,
)

from yinling.accounts.models import Journal
from yinling.directory.models import Organisation
from yinling.orders.models import Order
from yinling.settlement.models import Posting, Statement
from yinling.settlement.operations import draft_statement, settle_order

SignIn = Callable[..., Client]
LATER = NOW + timedelta(days=3)
SCOPE = "set_config('yinling.scope'"


def settled(organisation: Organisation | None = None) -> Order:
    order = make_order("served", price=make_price(organisation=organisation))
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"v{order.pk}")), 4000)
    return settle_order(actor=system(), now=LATER, order_id=order.pk)


def statement(count: int = 1) -> Statement:
    body = make_organisation()
    for _ in range(count):
        settled(body)
    return draft_statement(
        actor=actor("finance"), now=LATER, organisation_id=body.pk, payer="voucher", month=date(2026, 6, 1)
    )


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    html = client.get(address).content.decode()
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(1 for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"])


def test_finance_draws_up_a_statement_from_the_page(sign_in: SignIn) -> None:
    order, client = settled(), sign_in("finance")
    sent = form_of(client, "/settlement/", "draft_statement")
    sent |= {"organisation_id": str(order.provider_id), "payer": "voucher", "month": "2026-06-10"}
    answer = client.post("/do/draft_statement/", sent)
    row = Statement.objects.get()
    assert answer["Location"] == f"/settlement/statements/{row.pk}/"
    html = client.get("/settlement/").content.decode()
    assert row.code in html
    assert "40.00 元" in html


def test_a_statement_needs_two_persons_and_says_so(sign_in: SignIn) -> None:
    row = statement()
    address = f"/settlement/statements/{row.pk}/"
    first, second = sign_in("finance"), sign_in("finance")
    client_of_drafter = sign_in("finance")
    client_of_drafter.post("/do/review_statement/", form_of(client_of_drafter, address, "review_statement"))
    html = client_of_drafter.get(address).content.decode()
    assert "请由另一位有权限的人员复核" in html
    assert 'data-action="approve_statement"' not in html
    sent = form_of(first, address, "approve_statement")
    sent_by_reviewer = client_of_drafter.post("/do/approve_statement/", sent | {"_key": "again"})
    assert sent_by_reviewer.status_code == 422
    assert Statement.objects.get().state == "reviewed"
    assert second.post("/do/approve_statement/", sent)["Location"] == address
    assert Statement.objects.get().state == "approved"
    assert "已审定" in first.get(address).content.decode()


def test_a_return_without_reason_comes_back_with_its_sentence(sign_in: SignIn) -> None:
    row, client = statement(), sign_in("finance")
    sent = form_of(client, f"/settlement/statements/{row.pk}/", "return_statement")
    answer = client.post("/do/return_statement/", sent | {"reason": ""})
    assert answer.status_code == 422
    assert Statement.objects.get().state == "draft"


def test_a_stale_page_and_a_double_click_change_nothing_twice(sign_in: SignIn) -> None:
    row, client = statement(), sign_in("finance")
    address = f"/settlement/statements/{row.pk}/"
    sent = form_of(client, address, "review_statement")
    assert client.post("/do/review_statement/", sent).status_code == 302
    assert client.post("/do/review_statement/", sent).status_code == 302
    assert client.post("/do/review_statement/", sent | {"_key": "other"}).status_code == 409
    assert Statement.objects.get().version == 1


def test_paper_shows_the_total_in_capital_characters(sign_in: SignIn) -> None:
    row, client = statement(2), sign_in("auditor")
    html = client.get(f"/settlement/statements/{row.pk}/print/").content.decode()
    assert "捌拾元整" in html
    assert "80.00" in html
    assert html.count("<tr>") == 6
    assert "王秀英" not in html


@pytest.mark.req("R-PAY-12")
def test_the_workbook_has_text_for_codes_numbers_for_money_and_no_formula(sign_in: SignIn) -> None:
    row, client = statement(2), sign_in("finance")
    answer = client.get(f"/settlement/statements/{row.pk}/excel/")
    assert answer["Content-Type"].startswith("application/vnd.openxmlformats")
    assert row.code in answer["Content-Disposition"]
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert sheet[0][0] == f"养老服务费用对账单 {row.code}"
    assert sheet[1][0] == f"服务商：{row.provider.name}"
    assert "捌拾元整" in sheet[6][0]
    assert [line[5] for line in sheet[8:]] == [40.0, 40.0, 80.0, 80.0]
    assert all(isinstance(line[1], str) for line in sheet[8:10])
    assert b"<f>" not in answer.content


def test_the_ledger_of_an_order_is_settled_and_reversed_from_its_page(sign_in: SignIn) -> None:
    order, client = make_order("served"), sign_in("finance")
    address = f"/settlement/orders/{order.pk}/"
    assert "还没有入账" in client.get(address).content.decode()
    assert client.post("/do/settle_order/", form_of(client, address, "settle_order"))["Location"] == address
    html = client.get(address).content.decode()
    assert "个人直接支付" in html
    sent = form_of(client, address, "reverse_order") | {"reason": "服务未做完"}
    assert client.post("/do/reverse_order/", sent)["Location"] == address
    assert Posting.objects.count() == 2
    assert "重新结算" in client.get(address).content.decode()


def test_a_held_order_is_refused_with_its_sentence(sign_in: SignIn) -> None:
    order, client = make_order("served"), sign_in("finance")
    make_hold(order, cause="finding:7", reason="签到位置严重偏离")
    sent = form_of(client, f"/settlement/orders/{order.pk}/", "settle_order")
    answer = client.post("/do/settle_order/", sent)
    assert answer.status_code == 422
    assert "监管员核查解除" in answer.content.decode()
    for shown in ("/settlement/held/", f"/settlement/orders/{order.pk}/"):
        html = client.get(shown).content.decode()
        assert "签到位置严重偏离" in html
        assert "预警 7" in html
        assert "finding:" not in html
    assert "管制中" in client.get("/settlement/waiting/").content.decode()


def test_lists_show_totals_and_filter_by_day(sign_in: SignIn) -> None:
    order, client = settled(), sign_in("finance")
    html = client.get("/settlement/settled/").content.decode()
    assert order.code in html
    assert "80.00 元" in html
    assert order.code not in client.get("/settlement/settled/?since=2026-06-17").content.decode()
    assert order.code in client.get("/settlement/settled/?until=2026-06-16&since=nonsense").content.decode()
    assert client.get("/settlement/?payer=voucher&state=draft&month=2026-06-01&page=x").status_code == 200


@pytest.mark.parametrize(
    "address", ["/settlement/", "/settlement/waiting/", "/settlement/settled/", "/settlement/held/"]
)
def test_empty_pages_say_why_and_the_wrong_role_is_told_who_may(sign_in: SignIn, address: str) -> None:
    assert 'class="empty"' in sign_in("finance").get(address).content.decode()
    denied = sign_in("seat").get(address)
    assert denied.status_code == 403
    assert "财务人员" in denied.content.decode()


def test_another_area_and_unknown_numbers_do_not_exist(sign_in: SignIn) -> None:
    row, order = statement(), settled()
    client = sign_in(actor("finance", OTHER_DISTRICT))
    for address in (
        f"/settlement/statements/{row.pk}/",
        f"/settlement/orders/{order.pk}/",
        f"/settlement/statements/{row.pk}/excel/",
    ):
        assert client.get(address).status_code == 404


def test_a_provider_sees_its_own_statement_and_may_only_object(sign_in: SignIn) -> None:
    row, other = statement(), statement()
    client = sign_in(actor("provider_manager", organisation=row.provider))
    html = client.get(f"/settlement/statements/{row.pk}/").content.decode()
    assert row.code in html
    assert re.findall('data-action="([^"]+)"', html) == ["object_statement"]
    assert client.get(f"/settlement/statements/{other.pk}/").status_code == 404
    assert client.get(f"/settlement/orders/{row.lines.get().charge.order_id}/").status_code == 200


@pytest.mark.parametrize(
    "address", ["/settlement/", "/settlement/waiting/", "/settlement/settled/", "/settlement/held/"]
)
def test_lists_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn, address: str) -> None:
    client = sign_in("finance")

    def fill() -> None:
        statement()
        make_hold(make_order("served"))

    fill()
    one = queries(client, address)
    fill()
    fill()
    assert queries(client, address) == one <= 8


def test_details_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn) -> None:
    client = sign_in("finance")
    short, long = statement(1), statement(3)
    for suffix in ("", "print/", "excel/"):
        one = queries(client, f"/settlement/statements/{short.pk}/{suffix}")
        assert queries(client, f"/settlement/statements/{long.pk}/{suffix}") == one <= 8
    assert queries(client, f"/settlement/orders/{short.lines.get().charge.order_id}/") <= 8


def ticks(html: str) -> list[str]:
    return re.findall(r'name="chosen" value="([\d.]+)"', html)


def test_several_statements_are_reviewed_and_approved_at_once_but_never_ones_own(sign_in: SignIn) -> None:
    first, second, held = statement(), statement(2), statement()
    make_hold(held.lines.get().charge.order)
    client = sign_in("finance")
    html = client.get("/settlement/?all=1").content.decode()
    assert html.count(" checked>") == 3
    boxes = ticks(html)
    asked = [box for box in boxes if int(box.split(".")[0]) != held.pk]
    sums = client.get(
        "/settlement/", {"chosen": asked}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="ticked"
    ).content.decode()
    assert "已选 2 笔 120.00 元" in sums
    assert "壹佰贰拾元整" in sums
    assert "复核通过" not in sums
    answer = client.post("/settlement/statements/decide/", {"verb": "review", "chosen": boxes}).content.decode()
    assert states(first, second, held) == ["reviewed", "reviewed", "draft"]
    assert re.search(rf'id="refused-{held.pk}".*其中有订单在生成后被管制', answer)
    assert all(f'id="done-{row.pk}"' in answer for row in (first, second))
    # Who reviewed is not offered to approve, and is refused when asking for it all the same.
    assert [box.split(".")[0] for box in ticks(client.get("/settlement/").content.decode())] == [str(held.pk)]
    forced = [f"{row.pk}.{Statement.objects.get(pk=row.pk).version}" for row in (first, second)]
    answer = client.post("/settlement/statements/decide/", {"verb": "approve", "chosen": forced}).content.decode()
    assert states(first, second, held) == ["reviewed", "reviewed", "draft"]
    assert answer.count('id="refused-') == 2
    other = sign_in("finance")
    stale = [f"{first.pk}.0", forced[1]]
    other.post("/settlement/statements/decide/", {"verb": "approve", "chosen": stale})
    assert states(first, second, held) == ["reviewed", "approved", "draft"]
    assert Journal.objects.filter(event="settlement.statement.approve", is_refused=False).count() == 1


def states(*rows: Statement) -> list[str]:
    kept = dict(Statement.objects.values_list("pk", "state"))
    return [str(kept[row.pk]) for row in rows]


def test_only_whoever_may_decide_is_offered_ticks(sign_in: SignIn) -> None:
    row = statement()
    html = sign_in("auditor").get("/settlement/").content.decode()
    assert row.code in html
    assert ticks(html) == []
    sign_in("auditor").post("/settlement/statements/decide/", {"verb": "review", "chosen": [f"{row.pk}.{row.version}"]})
    assert states(row) == ["draft"]
