"""The same amounts to the fen on the page, on paper, in the workbook, in the PDF and in the API's answer."""

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from tests.api.conftest import token_of
from tests.factories import CITY, actor, make_area_tree, make_hold, make_organisation
from tests.screens.equal import AMOUNT, equal_everywhere, in_data, in_pdf, on_page
from tests.settlement.stated import JUNE, LATER, approved, drafted, exported, sent, settled, with_account

from yinling.ground.scope import scope
from yinling.kernel.money import yuan
from yinling.kernel.refusals import Refused
from yinling.settlement import bankfile
from yinling.settlement.models import Statement
from yinling.settlement.operations import answer_payout, deduct_statement, propose_closing
from yinling.settlement.queries.payouts import payouts
from yinling.settlement.queries.reconciliation import reconciliation
from yinling.web import papers
from yinling.web.papers import Field, Paper, paper_pdf
from yinling.web.queries.settlement_papers import payout_paper, purchase_paper, receipt_paper, statement_paper
from yinling.web.sheets import YUAN

SignIn = Callable[..., Client]
AFTER = LATER + timedelta(days=30)


def odd_statement() -> Statement:
    """A statement of odd amounts with deductions."""
    body = make_organisation(name="江城第一护理站")
    for fen in (1, 333, 7999):
        settled(body, "government", fen)
    row = drafted(payer="government", count=1, body=body)
    for reason, fen in (("01", 1), ("05", 1234)):
        deduct_statement(
            actor=actor("finance"), now=LATER, statement_id=row.pk, reason=reason, amount_fen=fen, note="核查"
        )
    return approved(row)


def by_api(client: Client, where: str, **query: str) -> dict[str, Any]:
    """What the same person's program reads."""
    api = Client(headers={"Authorization": f"Bearer {token_of(client.actor)}"})  # type: ignore[attr-defined]
    answer = api.get(f"/api/v1{where.rstrip('/')}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()  # type: ignore[no-any-return]


def sheet(client: Client, address: str) -> list[list[Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(address).content))
    return book.get_sheet_by_index(0).to_python()


def numbers(rows: list[list[Any]]) -> list[str]:
    """Every number of a sheet as an amount that people read."""
    return sorted(yuan(round(cell * 100)) for row in rows for cell in row if isinstance(cell, float))


@pytest.mark.req("R-PAY-12")
def test_a_statement_is_equal_on_page_paper_pdf_sheet_and_api(sign_in: SignIn) -> None:
    row, client = odd_statement(), sign_in("finance")
    stem = f"/settlement/statements/{row.pk}/"
    text = equal_everywhere(client, stem + "print/", stem + "KIND/", statement_paper(row), 6)
    assert "江城第一护理站" in text
    assert row.code in text
    assert yuan(row.payable_fen) == "110.98"
    html = client.get(stem).content.decode()
    for amount in in_data(statement_paper(row)):
        assert amount in html
    assert "壹佰壹拾元玖角捌分" in html
    answered = by_api(client, f"/statements/{row.pk}")
    assert answered["paper"] == json.loads(json.dumps(statement_paper(row).data()))
    assert (answered["total_fen"], answered["deducted_fen"], answered["payable_fen"]) == (12333, 1235, 11098)


@pytest.mark.req("R-PAY-12")
def test_the_payment_list_is_equal_everywhere(sign_in: SignIn) -> None:
    row, client = odd_statement(), sign_in("finance")
    make_hold(settled(row.provider, "government", 777))
    drafted(payer="government", count=3)
    paper = purchase_paper(client.actor, "government", JUNE)
    query, stem = "?payer=government&month=2026-06", "/settlement/purchase/"
    text = equal_everywhere(client, stem + query, f"{stem}KIND/{query}", paper, 10)
    assert "政府购买支付清单" in text
    sums = {name: fen for name, _head, fen in paper.sums}
    assert (sums["payable_fen"], sums["frozen_fen"]) == (row.payable_fen + 12000, 777)
    told = by_api(client, "/statements", payer="government", month="2026-06")["items"]
    for name in ("total_fen", "deducted_fen", "offset_fen", "payable_fen"):
        assert sum(one[name] for one in told) == sums[name], name


@pytest.mark.req("R-PAY-12")
def test_a_batch_and_its_receipt_are_equal_everywhere(sign_in: SignIn) -> None:
    row, other, client = odd_statement(), approved(payer="government", count=1), sign_in("finance")
    for body in (row.provider, other.provider):
        with_account(body)
    made = exported([f"statement:{one.pk}" for one in (row, other)])
    line, back = (made.lines.get(key=f"statement:{one.pk}") for one in (row, other))
    answers = ((made.code, line.pk, "110.98", "成功", ""), (made.code, back.pk, "40.00", "失败", "户名不符"))
    answer_payout(
        actor=actor("finance"), now=LATER, payout_id=made.pk, content=sent(*answers, heads=bankfile.RETURN_HEADS)
    )
    paper = payout_paper(payouts(client.actor).get())
    assert [fen for _name, _head, fen in paper.sums] == [15098, 11098, 4000]
    stem = f"/settlement/payouts/{made.pk}/"
    text = equal_everywhere(client, stem, stem + "KIND/", paper, 9)
    assert "6222020200012345678" not in text
    assert by_api(client, stem.removeprefix("/settlement"))["paper"] == json.loads(json.dumps(paper.data()))
    line.refresh_from_db()
    address = f"/settlement/receipts/{line.pk}/"
    assert sorted(on_page(client, address)) == sorted(in_data(receipt_paper(line))) == ["110.98", "110.98"]
    assert f'href="{address}pdf/"' in client.get(address).content.decode()
    _amounts, text = in_pdf(client, address + "pdf/")
    assert "壹佰壹拾元玖角捌分" in text


def test_a_long_paper_repeats_its_heads_and_no_text_is_an_instruction(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = '#panic("x") $1/0$ *粗* `code` //'
    paper = Paper(
        "T-1", evil, [Field("a", "说明", lambda row: f"{evil}{row}", width=60), Field("b", "金额（元）", lambda row: row, YUAN)], range(200),
        facts=[("甲", evil)], sums=[("sum", "合计", 123)], total="sum", signatures=["制表 ____"],
    )  # fmt: skip
    answer = paper_pdf(paper, LATER)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]
    assert len(pages) > 3
    assert all("金额（元）" in re.sub(r"\s", "", page) for page in pages[:-1])
    assert '#panic("x")' in pages[0]
    assert paper_pdf(paper, LATER).content == answer.content
    monkeypatch.setattr(papers, "chinese_fonts", list)
    with pytest.raises(Refused) as refusal:
        paper_pdf(paper, LATER)
    assert refusal.value.code == "paper.no_font"


@pytest.mark.req("R-PAY-12")
def test_a_month_reconciles_to_the_same_fen_on_the_page_in_the_sheet_and_by_the_api(sign_in: SignIn) -> None:
    row, client = odd_statement(), sign_in("finance")
    make_hold(settled(row.provider, "government", 500))
    settled(row.provider, "ltci", 900)
    html = client.get("/settlement/month/?month=2026-06").content.decode()
    assert "差异为 0" in html
    tables = "".join(re.findall(r'id="month-\d".*?</table>', html, re.DOTALL))
    assert sorted(AMOUNT.findall(tables)) == numbers(sheet(client, "/settlement/month/excel/?month=2026-06"))
    with scope(client.actor):  # type: ignore[attr-defined]
        found = reconciliation(client.actor, JUNE)  # type: ignore[attr-defined]
    told = by_api(client, "/charges", size="100")["items"]
    assert sum(one["amount_fen"] for one in told if one["payer"] != "self") == found.settled_sum.settled_fen
    assert found.settled_sum.settled_fen == row.total_fen + 500 + 900
    stated = by_api(client, "/statements", month="2026-06")["items"]
    assert sum(one["payable_fen"] for one in stated) == found.stated_sum.payable_fen == row.payable_fen


@pytest.mark.req("R-FUN-10")
def test_a_closing_has_the_same_figures_on_the_page_in_the_sheet_and_by_the_api(sign_in: SignIn) -> None:
    make_area_tree()
    odd_statement()
    row = propose_closing(actor=actor("finance"), now=AFTER, month=JUNE, div=CITY)
    client = sign_in("finance")
    here = f"/settlement/closings/{row.pk}/"
    figures = by_api(client, f"/closings/{row.pk}")["figures"]
    assert figures == row.figures
    fen = [one[name] for one in figures for name in ("moved", "balance")]
    assert sum(one["moved"] for one in figures) == 0
    *rows, total = sheet(client, here + "excel/")[1:]
    assert numbers([line[4:] for line in rows]) == sorted(map(yuan, fen))
    assert total[4:] == [0, 0]
    html = client.get(here).content.decode()
    table = re.search(r'id="figures".*?</table>', html, re.DOTALL)
    assert table is not None
    shown = fen + [one["balance"] for one in figures]
    assert sorted(AMOUNT.findall(table[0])) == sorted(map(yuan, shown))
