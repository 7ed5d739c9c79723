"""The same amounts to the fen on the page, on paper, in the workbook, in the PDF and in the API's answer."""

import io
import json
import re
from collections.abc import Callable

import pytest
from django.test import Client
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from tests.api.conftest import token_of
from tests.factories import actor, make_hold, make_organisation
from tests.screens.equal import equal_everywhere, in_data, in_pdf, on_page
from tests.settlement.stated import JUNE, LATER, approved, drafted, exported, sent, settled, with_account

from yinling.kernel.money import yuan
from yinling.kernel.refusals import Refused
from yinling.settlement import bankfile
from yinling.settlement.models import Statement
from yinling.settlement.operations import answer_payout, deduct_statement
from yinling.settlement.queries.payouts import payouts
from yinling.web import papers
from yinling.web.papers import Field, Paper, paper_pdf
from yinling.web.queries.settlement_papers import payout_paper, purchase_paper, receipt_paper, statement_paper
from yinling.web.sheets import YUAN

SignIn = Callable[..., Client]


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
    api = Client(headers={"Authorization": f"Bearer {token_of(client.actor)}"})  # type: ignore[attr-defined]
    answered = api.get(f"/api/v1/statements/{row.pk}").json()
    assert answered["paper"] == json.loads(json.dumps(statement_paper(row).data()))
    assert (answered["total_fen"], answered["deducted_fen"], answered["payable_fen"]) == (12333, 1235, 11098)


@pytest.mark.req("R-PAY-12")
def test_the_payment_list_is_equal_everywhere(sign_in: SignIn) -> None:
    row, client = odd_statement(), sign_in("finance")
    make_hold(settled(row.provider, "government", 777))
    drafted(payer="government", count=3)
    paper = purchase_paper(client.actor, "government", JUNE)
    expected = sorted(in_data(paper))
    query = "?payer=government&month=2026-06"
    assert sorted(on_page(client, f"/settlement/purchase/{query}")) == expected
    pdf, text = in_pdf(client, f"/settlement/purchase/pdf/{query}")
    assert sorted(pdf) == expected
    assert "政府购买支付清单" in text
    sums = {name: fen for name, _head, fen in paper.sums}
    assert (sums["payable_fen"], sums["frozen_fen"]) == (row.payable_fen + 12000, 777)


def test_a_batch_and_its_receipt_are_equal_everywhere(sign_in: SignIn) -> None:
    row, client = odd_statement(), sign_in("finance")
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    line = made.lines.get()
    answer_payout(
        actor=actor("finance"), now=LATER, payout_id=made.pk,
        content=sent((made.code, line.pk, "110.98", "成功", ""), heads=bankfile.RETURN_HEADS),
    )  # fmt: skip
    shown = payouts(client.actor).get()
    stem = f"/settlement/payouts/{made.pk}/"
    pdf, text = in_pdf(client, stem + "pdf/")
    assert sorted(pdf) == sorted(in_data(payout_paper(shown)))
    assert "6222020200012345678" not in text
    assert {"110.98", "0.00"} <= set(on_page(client, stem))
    line.refresh_from_db()
    address = f"/settlement/receipts/{line.pk}/"
    assert sorted(on_page(client, address)) == sorted(in_data(receipt_paper(line))) == ["110.98", "110.98"]
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


def test_a_month_reconciles_on_the_page_and_in_the_sheet(sign_in: SignIn) -> None:
    row, client = odd_statement(), sign_in("finance")
    make_hold(settled(row.provider, "government", 500))
    settled(row.provider, "ltci", 900)
    html = client.get("/settlement/month/?month=2026-06").content.decode()
    assert "差异为 0" in html
    for fen in (row.total_fen, row.deducted_fen, row.payable_fen, 500, 900, row.total_fen + 500):
        assert yuan(fen) in html
    rows = CalamineWorkbook.from_filelike(
        io.BytesIO(client.get("/settlement/month/excel/?month=2026-06").content)
    ).get_sheet_by_index(0).to_python()  # fmt: skip
    totals = next(row for row in rows if row[0] == "合计")
    assert totals[-1 if len(totals) < 7 else 6] == 0
