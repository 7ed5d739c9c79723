"""P23 and the pages about lines, subsidies, donations and reimbursements: each number leads to its rows, paper and workbook equal the screen."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import CITY, DISTRICT, NOW, actor, city, make_organisation, make_scheme
from tests.programmes.subsidies.shanwei import (
    AT,
    HAIFENG,
    PROVINCE,
    Money,
    canteen,
    decided,
    drafted,
    make_line,
    make_money,
)
from tests.programmes.subsidies.shanwei import CITY as SHANWEI
from tests.programmes.subsidies.test_funds import fund
from tests.settlement.test_reimbursements import approved, move_away, promised, spent
from tests.settlement.test_reimbursements import line as budget_line

from yinling.accounts.models import User
from yinling.entitlements.models import BudgetLine
from yinling.entitlements.operations import propose_line
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.programmes.subsidies.models import Donation, Subsidy
from yinling.programmes.subsidies.operations import record_spending, register_donation

SignIn = Callable[..., Client]
SCOPE = "set_config('yinling.scope'"


@pytest.fixture
def money(db: None) -> Iterator[Money]:
    with scope(PROVINCE) as opened:
        yield make_money()
        opened.afterwards.clear()


def signed_in(who: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=who.user_id))
    return client


def queries(client: Client, address: str, headers: dict[str, str] | None = None) -> int:
    client.get(address, headers=headers)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address, headers=headers).status_code == 200
    return sum(1 for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"])


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    html = client.get(address).content.decode()
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


@pytest.mark.req("R-FUN-04", "R-FUN-08")
def test_a_line_is_planned_from_the_plan_and_approved_by_another_on_the_pages(money: Money) -> None:
    first, second = signed_in(money.first), signed_in(money.second)
    html = first.get("/funds/lines/?year=2022").content.decode()
    assert "居家养老服务平台建设" in html
    address = "/funds/lines/?year=2022&plan=居家养老服务平台建设"
    html = first.get(address).content.decode()
    assert 'value="4,000,000.00"' in html
    sent = form_of(first, address, "propose_line") | {
        "div": SHANWEI, "year": "2022", "fund": "general", "purpose": "platform", "name": "居家养老服务平台建设", "planned_fen": "4,000,000.00",
        "document": "计划",
    }  # fmt: skip
    answer = first.post("/do/propose_line/", sent)
    row = BudgetLine.objects.get()
    here = f"/funds/{row.pk}/"
    assert answer["Location"] == here
    assert "请由另一位有权限的人员审定" in first.get(here).content.decode()
    second.post("/do/approve_line/", form_of(second, here, "approve_line") | {"approved_fen": "3850000"})
    row.refresh_from_db()
    assert (row.planned_fen, row.approved_fen) == (400_000_000, 385_000_000)
    assert "3,850,000.00 元" in second.get("/funds/").content.decode()


@pytest.mark.req("R-FUN-01", "R-FUN-02")
def test_the_check_of_the_lottery_fund_stands_on_the_page_and_warns_before_approval(money: Money) -> None:
    make_line((money.first, money.second), 5499, purpose="elder_care")
    row = propose_line(
        actor=money.first,
        now=AT,
        div=SHANWEI,
        year=2022,
        fund="lottery",
        purpose="welfare",
        name="其他福利",
        planned_fen=4501,
        document="文",
    )
    client = signed_in(money.second)
    html = client.get("/funds/lines/?year=2022").content.decode()
    assert "未达标" in html
    assert "54.99%" in html
    assert "含未审定" in html
    page = client.get(f"/funds/{row.pk}/").content.decode()
    assert "低于规定，还差 0.01 元" in page
    BudgetLine.objects.filter(pk=row.pk).update(planned_fen=4499)
    html = client.get("/funds/lines/?year=2022").content.decode()
    assert "未达标" not in html
    assert "达标" in html


@pytest.mark.req("R-FUN-03", "R-FUN-09")
def test_each_funds_way_from_its_line_to_the_bodies_and_back_to_the_rows(money: Money) -> None:
    line = make_line((money.first, money.second), 60_000_000)
    county = make_line(money.county[:2], 12_345, div=HAIFENG, fund="general")
    row = decided(money, drafted(money.first, line, canteen()))
    client = signed_in(money.first)
    html = client.get("/funds/").content.decode()
    assert "600,000.00 元" in html
    assert "60,000.00 元" in html
    assert f'href="/funds/{line.pk}/?rows=subsidies"' in html
    assert "按地区" in html
    assert "按地区" not in client.get(f"/funds/?area={HAIFENG}").content.decode()
    for query, shown in (
        ("year=2023", set()),
        ("level=county", {county.pk}),
        ("fund=lottery", {line.pk}),
        (f"area={HAIFENG}", {county.pk}),
    ):
        found = client.get(f"/funds/?{query}").content.decode()
        assert {pk for pk in (line.pk, county.pk) if f'id="fund-{pk}"' in found} == shown, query
    detail = client.get(f"/funds/{line.pk}/?rows=subsidies").content.decode()
    assert row.code in detail
    for kind in ("budgets", "charges", "reimbursements", "persons", "luck"):
        assert client.get(f"/funds/{line.pk}/?rows={kind}").status_code == 200
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/funds/excel/?fund=lottery").content))
    lines = book.get_sheet_by_index(0).to_python()
    assert lines[-1][1] == "合计"
    assert [float(one) for one in lines[-1][6:]] == [600000.0, 600000.0, 60000.0, 60000.0, 0.0, 0.0, 540000.0, 0, 1]
    assert lines[1][6:] == lines[-1][6:]
    assert signed_in(money.county[0]).get(f"/funds/{line.pk}/").status_code == 404


@pytest.mark.req("R-FUN-07", "R-FUN-05")
def test_a_subsidy_is_entered_from_facts_without_an_amount_and_decided_on_its_page(money: Money) -> None:
    line, body = make_line((money.first, money.second), 60_000_000), canteen()
    client = signed_in(money.first)
    html = client.get("/subsidies/new/?kind=canteen&year=2022").content.decode()
    assert 'name="meal_months"' in html
    assert 'name="amount_fen"' not in html
    assert "在 2023 年度列支" in client.get("/subsidies/new/?kind=award_township&year=2022").content.decode()
    assert "没有这项补助的标准" in client.get("/subsidies/new/?kind=building&year=2022").content.decode()
    sent = form_of(client, "/subsidies/new/?kind=canteen&year=2022", "draft_subsidy") | {
        "line_id": str(line.pk), "provider_id": str(body.pk), "result_year": "2022", "opened_on": "2022-01-01", "evidence": "核查表",
        "meal_months": [str(month) for month in range(1, 13)],
    }  # fmt: skip
    answer = client.post("/do/draft_subsidy/", sent)
    row = Subsidy.objects.get()
    here = f"/subsidies/{row.pk}/"
    assert answer["Location"] == here
    assert "标准 60,000.00 元 × 1 个食堂" in client.get(here).content.decode()
    second, third = signed_in(money.second), signed_in(money.third)
    second.post("/do/review_subsidy/", form_of(second, here, "review_subsidy"))
    assert "请由另一位有权限的人员复核" in second.get(here).content.decode()
    third.post("/do/approve_subsidy/", form_of(third, here, "approve_subsidy"))
    row.refresh_from_db()
    assert (row.state, row.amount_fen) == ("approved", 6_000_000)
    assert row.code in client.get("/subsidies/?kind=canteen&year=2022").content.decode()
    book = (
        CalamineWorkbook.from_filelike(io.BytesIO(client.get("/subsidies/excel/").content))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert (book[1][0], book[1][7], book[-1][7]) == (row.code, 60000.0, 60000.0)


@pytest.mark.req("R-FUN-06")
def test_a_body_sees_its_own_subsidy_and_wrong_use_is_marked(money: Money) -> None:
    line = make_line((money.first, money.second), 10**9, year=2023, fund="general")
    body = make_organisation(div=HAIFENG)
    asked = {"kind": "award_village", "opened_on": None, "meal_months": None, "evidence": "评定文件"}
    row = decided(money, drafted(money.first, line, body, **asked))
    record_spending(
        actor=money.first,
        now=AT,
        subsidy_id=row.pk,
        category="wages",
        amount_fen=100,
        spent_on=date(2023, 1, 5),
        text="工资",
        voucher="1",
    )
    for who in (money.first, money.county[0], actor("provider_manager", organisation=body)):
        with scope(who):
            client = signed_in(who)
        assert "用途不符" in client.get("/subsidies/").content.decode()
        assert "用途不符" in client.get(f"/subsidies/{row.pk}/").content.decode()
    assert "上级资金" in signed_in(money.county[0]).get(f"/subsidies/{row.pk}/").content.decode()
    assert signed_in(actor("provider_manager")).get(f"/subsidies/{row.pk}/").status_code == 404


@pytest.mark.req("R-FUN-09")
def test_a_receipt_is_printed_in_figures_and_capital_characters(money: Money) -> None:
    line = make_line((money.first, money.second), 0, fund="donation")
    client = signed_in(money.first)
    sent = form_of(client, "/donations/", "register_donation") | {
        "donor": "某公司",
        "amount_fen": "1234.50",
        "line_id": str(line.pk),
        "received_on": "2022-03-01",
    }
    answer = client.post("/do/register_donation/", sent)
    row = Donation.objects.get()
    assert answer["Location"] == f"/donations/{row.pk}/print/"
    paper = client.get(answer["Location"]).content.decode()
    for text in (row.receipt_number, "1,234.50 元", "壹仟贰佰叁拾肆元伍角整", "某公司"):
        assert text in paper
    assert "1,234.50 元" in client.get("/donations/?year=2022").content.decode()
    assert row.receipt_number in client.get(f"/funds/{line.pk}/?rows=donations").content.decode()
    assert client.get(f"/funds/{line.pk}/?rows=gifts").status_code == 200


@pytest.mark.req("R-FUN-09")
def test_a_donation_is_taken_back_on_its_page_and_who_wants_no_name_has_none_on_that_of_the_fund(money: Money) -> None:
    line = make_line((money.first, money.second), 0, fund="donation")
    row = register_donation(
        actor=money.first,
        now=AT,
        donor="李先生",
        amount_fen=500,
        line_id=line.pk,
        received_on=date(2022, 1, 1),
        is_anonymous=True,
    )
    first, second, here = signed_in(money.first), signed_in(money.second), f"/donations/{row.pk}/"
    fund = first.get(f"/funds/{line.pk}/?rows=donations").content.decode()
    assert "李先生" not in fund
    assert "不公开" in fund
    assert "登记人以外的另一位" in first.get(here).content.decode()
    assert 'data-action="withdraw_donation"' not in first.get(here).content.decode()
    sent = form_of(second, here, "withdraw_donation") | {"reason": "退还捐赠人"}
    assert second.post("/do/withdraw_donation/", sent)["Location"] == "/donations/"
    html = second.get("/donations/").content.decode()
    assert "已撤销" in html
    assert "0.00 元" in html
    (shown,) = second.get("/api/v1/donations").json()["items"]
    assert (shown["donor"], shown["amount_fen"], shown["back_at"] is None) == ("", 500, False)
    assert "（已撤销）" in second.get(f"{here}print/").content.decode()
    assert "已撤销" in second.get(f"/funds/{line.pk}/?rows=donations").content.decode()


@pytest.mark.req("R-FUN-03", "R-MOD-20")
def test_all_rows_behind_a_fund_are_shown_though_people_have_moved(sign_in: SignIn) -> None:
    """The district sees every person and household that its money reached; whose file is elsewhere now has no link."""
    given = promised()
    row = approved(spent(150_000, given))
    who = actor("district", DISTRICT)
    line = budget_line("donation", 10**7, "慈善")
    BudgetLine.objects.filter(pk=line.pk).update(div=DISTRICT)
    fund(given.scheme, line, div=DISTRICT)
    register_donation(
        actor=actor("finance"),
        now=NOW,
        donor="甲公司",
        amount_fen=200_000,
        line_id=line.pk,
        received_on=date(2026, 6, 1),
    )
    client, here = signed_in(who), f"/funds/{line.pk}/"
    assert f'href="/elders/{row.elder_id}/"' in client.get(f"{here}?rows=persons").content.decode()
    move_away(row.elder)
    html = client.get(f"{here}?rows=persons").content.decode()
    assert f'id="person-{row.elder_id}"' in html
    assert f'href="/elders/{row.elder_id}/"' not in html
    assert "已迁出" in html
    for kind in ("reimbursements", "gifts"):
        shown = client.get(f"{here}?rows={kind}").content.decode()
        assert row.code in shown, kind
        assert "1,500.00 元" in shown, kind
    assert row.code in client.get("/reimbursements/").content.decode()
    trail = client.get(f"/reimbursements/{row.pk}/").content.decode()
    assert "甲公司" in trail
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/reimbursements/excel/").content))
    assert book.get_sheet_by_index(0).to_python()[1][7] == 1500.0


def test_who_does_not_see_the_citys_line_reads_that_the_money_came_from_above(sign_in: SignIn) -> None:
    given = promised()
    line = budget_line("lottery", 10**7, "适老化")
    fund(given.scheme, line)
    here = f"/reimbursements/{approved(spent(150_000, given)).pk}/"
    for who, shown in ((actor("finance"), True), (actor("district", DISTRICT), False)):
        html = signed_in(who).get(here).content.decode()
        assert (f'href="/funds/{line.pk}/"' in html, "上级资金" in html) == (shown, not shown)


def test_the_budget_of_a_scheme_that_another_department_grants_can_be_set(sign_in: SignIn) -> None:
    city()
    make_scheme(code="state_care", name="特困人员供养")
    client = sign_in("city")
    assert "特困人员供养" in client.get("/budgets/").content.decode()
    sent = form_of(client, "/budgets/", "set_budget") | {
        "scheme_code": "state_care", "div": CITY, "year": "2026", "amount_fen": "1000000", "document": "文"
    }  # fmt: skip
    assert client.post("/do/set_budget/", sent)["Location"].startswith("/budgets/")


@pytest.mark.req("R-MOD-05", "R-PAY-14")
def test_a_reimbursement_is_entered_item_by_item_and_shows_its_trail(sign_in: SignIn) -> None:
    client = sign_in("finance")
    entitlement = promised()
    assert "每户一次" in client.get("/reimbursements/new/").content.decode()
    sent = form_of(client, "/reimbursements/new/", "draft_reimbursement") | {
        "entitlement_id": str(entitlement.pk),
        "contractor": "某装饰公司",
        "accepted_on": "2026-06-01",
        "invoice_number": "0001",
    }
    here = client.post("/do/draft_reimbursement/", sent)["Location"]
    sent = form_of(client, here, "enter_item") | {"item": "1", "outcome": "done", "amount_fen": "2000.01"}
    assert client.post("/do/enter_item/", sent)["Location"] == here
    html = client.get(here).content.decode()
    for text in ("2,000.01 元", "2,000.00 元", "0.01 元", "平台不收取", "还没有办结的基础类项目"):
        assert text in html
    row = approved(spent(200_001, promised(scheme=entitlement.scheme)))
    page = client.get(f"/reimbursements/{row.pk}/").content.decode()
    assert row.posting.code in page
    assert row.code in client.get("/reimbursements/?state=approved").content.decode()
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/reimbursements/excel/?state=approved").content))
    assert book.get_sheet_by_index(0).to_python()[1][6:9] == [2000.01, 2000.0, 0.01]
    paper = re.search(r"/reimbursements/papers/\d+/", page)
    assert paper
    assert client.get(paper[0])["Content-Type"] == "image/jpeg"


def test_who_may_not_see_money_does_not(sign_in: SignIn) -> None:
    client = sign_in("carer")
    for address in (
        "/funds/",
        "/funds/lines/",
        "/subsidies/",
        "/donations/",
        "/reimbursements/",
        "/reimbursements/new/",
        "/subsidies/new/",
    ):
        assert client.get(address).status_code == 403, address
    auditor = sign_in("auditor")
    for address in ("/funds/", "/funds/lines/", "/subsidies/", "/donations/", "/reimbursements/"):
        html = auditor.get(address)
        assert html.status_code == 200, address
        assert 'data-action="' not in html.content.decode(), address


def test_the_number_of_queries_does_not_grow_with_the_rows(money: Money) -> None:
    client = signed_in(money.first)
    addresses = ("/funds/", "/funds/lines/", "/subsidies/", "/donations/", "/reimbursements/")
    lines = [make_line((money.first, money.second), 60_000_000 + number, name=f"资金{number}") for number in range(3)]
    given = make_line((money.first, money.second), 0, fund="donation")
    few: dict[str, int] = {}
    for step, line in enumerate(lines):
        decided(money, drafted(money.first, line, canteen()))
        register_donation(
            actor=money.first, now=AT, donor="x", amount_fen=5, line_id=given.pk, received_on=date(2022, 1, 1)
        )
        found = {address: queries(client, address) for address in addresses}
        if step == 0:
            few = found
    assert found == few
    assert {address: count for address, count in found.items() if count > 8} == {}
    for kind in ("subsidies", "budgets", "charges", "reimbursements", "payments", "persons"):
        assert queries(client, f"/funds/{lines[0].pk}/?rows={kind}") <= 8, kind
    assert queries(client, f"/subsidies/{Subsidy.objects.latest('pk').pk}/") <= 8
