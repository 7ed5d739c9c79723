"""Files as banks and insurers write them: said once what the columns are, read by it ever after, and nothing lost on the way."""

from __future__ import annotations

import base64
import io
from datetime import date, datetime
from typing import Any

import pytest
from tests.factories import DISTRICT, actor, city, make_organisation
from tests.settlement.stated import LATER, approved, claimed, drafted, exported, refused, with_account
from tests.settlement.test_arrivals import owed
from xlsxwriter import Workbook

from yinling.accounts.models import Journal
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied
from yinling.settlement.models import FileLayout, Statement, Transfer
from yinling.settlement.operations import answer_payout, load_remittance, load_transfers, save_file_layout
from yinling.settlement.queries.files import open_file
from yinling.settlement.queries.receipts import Preview, preview_arrivals

pytestmark = pytest.mark.usefixtures("wide")
TODAY = local_date(LATER)
COLUMNS = {
    "记账日期": "on", "交易流水号": "note", "对方户名": "payer", "贷方金额": "amount_fen", "借方金额": "out", "摘要": "purpose", "账户余额": "",
}  # fmt: skip
WORDS = {"payer": {"江城市财政局政府购买服务款": "government/general", "工商银行利息": "-"}}
TITLE = ["江城市民政局 账户明细", "", "账号 1102"]


@pytest.fixture
def finance() -> Actor:
    city()
    return actor("finance")


def stated() -> Statement:
    return approved(drafted(payer="government", count=2, body=make_organisation()))


def line(
    paper: str, got: str = "", spent: str = "", who: str = "江城市财政局", why: str = "2026年6月政府购买服务款"
) -> str:
    return f'{TODAY:%Y%m%d},{paper},{who},"{spent}","{got}",{why},"1,000,000.00"'


def export(*lines: str, tail: tuple[str, ...] = ()) -> bytes:
    heads = "记账日期,交易流水号,对方户名,借方金额,贷方金额,摘要,账户余额"
    return "\r\n".join([*TITLE, heads, *lines, *tail, ""]).encode("gb18030")


def layout(**values: Any) -> dict[str, Any]:
    return {"header": len(TITLE), "columns": COLUMNS, "words": WORDS, **values}


def shown(who: Actor, data: bytes, said: dict[str, Any] | None = None) -> Preview:
    return preview_arrivals(who, open_file(who, "arrival", data, TODAY, said), TODAY)


def load(who: Actor, data: bytes, said: dict[str, Any] | None = None) -> list[Transfer]:
    return load_transfers(actor=who, now=LATER, content=base64.b64encode(data).decode(), layout=said)


@pytest.mark.req("R-PAY-12")
def test_an_export_of_a_bank_is_guessed_said_once_and_read_ever_after(finance: Actor) -> None:
    row = stated()
    data = export(
        line("1001", got="¥ 1,0.00".replace("1,0", "60")), line("1002", spent="5,000.00", who="某服务商", why="付款"),
        line("1003", got="3.21", who="工商银行", why="利息"), "", tail=("合计,,,5000.00,63.21", "共3笔,,,,"),
    )  # fmt: skip
    found = open_file(finance, "arrival", data, TODAY)
    assert (found.way, found.layout.header, dict(found.layout.columns)) == ("guess", 3, COLUMNS)
    with refused("file.heads"):
        load(finance, data)
    preview = shown(finance, data, layout(words={}))
    assert [(one.place, one.column, one.code) for one in preview.problems] == [
        (5, "对方户名", "arrival.unknown_name"), (7, "对方户名", "arrival.unknown_name"),
    ]  # fmt: skip
    save_file_layout(actor=finance, now=LATER, kind="arrival", layout=layout())
    preview = shown(finance, data)
    assert [(one.receipt.paper, one.receipt.fen, one.statements) for one in preview.lines] == [
        ("1001", 6000, {row.code: 6000})
    ]
    assert [(one.place, one.why, one.fen) for one in preview.left] == [
        (9, "total", 0), (10, "total", 0), (6, "out", 500000), (7, "skip", 321),
    ]  # fmt: skip
    assert [one.note for one in load(finance, data)] == ["1001"]
    # Next month the purpose names another month, and the export overlaps: the line known by the bank's number counts once.
    again = export(line("1001", got="60.00"), line("1004", got="20.00", why="2026年7月政府购买服务款"))
    assert [one.note for one in load(finance, again)] == ["1004"]
    assert owed(finance) == {}


def test_a_payment_whose_purpose_stands_first_and_begins_like_a_total_is_none(finance: Actor) -> None:
    heads = "摘要,记账日期,交易流水号,对方户名,贷方金额"
    lines = [f"汇总拨付政府购买服务款,{TODAY:%Y%m%d},1005,江城市财政局,60.00", "合计,,1笔,,60.00"]
    data = "\r\n".join([heads, *lines, ""]).encode("gb18030")
    columns = {"记账日期": "on", "交易流水号": "note", "对方户名": "payer", "贷方金额": "amount_fen", "摘要": "purpose"}
    words = {"payer": {"江城市财政局汇总拨付政府购买服务款": "government/general"}}
    preview = shown(finance, data, {"header": 0, "columns": columns, "words": words})
    assert [one.receipt.paper for one in preview.lines] == ["1005"]
    assert [(one.place, one.why) for one in preview.left] == [(3, "total")]


def test_whoever_reads_elsewhere_says_it_anew_and_the_journal_names_nobody(finance: Actor) -> None:
    row = save_file_layout(actor=finance, now=LATER, kind="arrival", layout=layout())
    more = layout(words={"payer": {"江城市残联补贴款": "disability/general"}})
    assert save_file_layout(actor=finance, now=LATER, kind="arrival", layout=more).pk == row.pk
    assert FileLayout.objects.get().words["payer"] == {**WORDS["payer"], "江城市残联补贴款": "disability/general"}
    assert open_file(actor("finance", DISTRICT), "arrival", export(line("1", got="1")), TODAY).way == "guess"
    assert open_file(finance, "return", export(line("1", got="1")), TODAY).way == "guess"
    kept = str([one.changes for one in Journal.objects.filter(event="settlement.file_layout.save")])
    assert "江城市财政局" not in kept
    for columns, code in (
        ({**COLUMNS, "交易流水号": ""}, "file.columns"),
        ({**COLUMNS, "账户余额": "note"}, "file.columns_twice"),
    ):
        with refused(code):
            save_file_layout(actor=finance, now=LATER, kind="arrival", layout=layout(columns=columns))
    with pytest.raises(Denied):
        save_file_layout(actor=actor("auditor"), now=LATER, kind="arrival", layout=layout())


def test_what_the_bank_took_back_is_shown_and_never_registered(finance: Actor) -> None:
    stated()
    data = export(line("1001", got="60.00"), line("1002", got="-60.00"), line("1003", got="20.00"))
    preview = shown(finance, data, layout())
    assert [(one.receipt.paper, one.taken_back, one.is_doubtful) for one in preview.lines] == [
        ("1001", 6, True),
        ("1003", 0, False),
    ]
    assert [(one.place, one.why, one.fen, one.name) for one in preview.left] == [(6, "reversal", -6000, "1002")]


def test_lines_that_cannot_be_meant_are_faults(finance: Actor) -> None:
    stated()
    day = TODAY
    marked = f"记账日期,交易流水号,对方户名,金额,借贷标志\n{day},1,江城市财政局,5.00,贷\n{day},2,江城市财政局,6.00,借\n{day},3,江城市财政局,7.00,？"
    columns = {"记账日期": "on", "交易流水号": "note", "对方户名": "payer", "金额": "amount_fen", "借贷标志": "mark"}
    said = {"header": 0, "columns": columns, "words": {"payer": {"江城市财政局": "government/general"}}}
    preview = shown(finance, marked.encode(), said)
    assert [(one.place, one.column, one.code) for one in preview.problems] == [(4, "借贷标志", "arrival.mark")]
    assert ([one.receipt.fen for one in preview.lines], [one.why for one in preview.left]) == ([500], ["out"])
    both = shown(finance, export(line("1", got="5.00", spent="6.00"), line("2"), line("", got="1.00")), layout())
    assert [(one.place, one.code) for one in both.problems] == [
        (5, "arrival.both"),
        (6, "money.format"),
        (7, "text.missing"),
    ]
    with refused("arrival.wrong"):
        load(finance, marked.encode(), said)
    assert not Transfer.objects.exists()


def workbook(rows: list[list[Any]], *, merged: str = "") -> bytes:
    target = io.BytesIO()
    book = Workbook(target)
    sheet = book.add_worksheet("明细")
    for number, cells in enumerate(rows, 2):
        for place, cell in enumerate(cells):
            if isinstance(cell, tuple):
                sheet.write_formula(number, place, cell[0], None, cell[1])
            elif isinstance(cell, datetime):
                sheet.write_datetime(number, place, cell, book.add_format({"num_format": "yyyy-mm-dd"}))
            else:
                sheet.write(number, place, cell)
    sheet.merge_range("A1:G1", "账户明细")
    if merged:
        sheet.merge_range(merged, "江城市财政局")
    book.close()
    return target.getvalue()


def test_a_workbook_is_read_as_the_eye_reads_it(finance: Actor) -> None:
    stated()
    heads = ["记账日期", "交易流水号", "对方户名", "借方金额", "贷方金额", "摘要", "账户余额"]
    serial = (TODAY - date(1899, 12, 30)).days
    at = datetime.combine(TODAY, datetime.min.time())
    data = workbook([
        heads, [at, "0001", None, None, ("=0.1+0.2", 0.1 + 0.2), "政府购买服务款"], [serial, 20260605000001, None, 0, 1234.5, "政府购买服务款"],
        [at, 12345678901234567, None, None, 5, "政府购买服务款"], [at, "0004", None, None, ("=1+1", "#REF!"), "政府购买服务款"],
    ], merged="C4:C7")  # fmt: skip
    preview = shown(finance, data, layout(header=2))
    assert [(one.receipt.on, one.receipt.paper, one.receipt.fen) for one in preview.lines] == [
        (TODAY, "0001", 30), (TODAY, "20260605000001", 123450),
    ]  # fmt: skip
    assert [(one.place, one.column, one.code) for one in preview.problems] == [
        (6, "交易流水号", "arrival.rounded"), (7, "贷方金额", "money.format"),
    ]  # fmt: skip


def test_many_lines_of_others_do_not_count_as_receipts(finance: Actor) -> None:
    stated()
    many = [line(f"S{number}", spent="1.00", who="某服务商", why="付款") for number in range(50_000)]
    preview = shown(finance, export(*many, line("1001", got="60.00")), layout())
    assert (len(preview.lines), len(preview.left), preview.problems) == (1, 50_000, [])


def test_a_bank_return_without_our_batch_number_and_with_its_own_words(finance: Actor) -> None:
    row = approved(drafted(payer="government", count=1))
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    paying = made.lines.get()
    columns = {"客户流水号": "number", "交易金额": "amount", "交易状态": "result", "返回信息": "reason"}
    text = "客户流水号,交易金额,交易状态,返回信息\n{},40.00,{},户名不符\n合计,40.00,,"
    said = {"header": 0, "columns": columns}
    content = base64.b64encode(text.format(paying.pk, "待处理").encode()).decode()
    with refused("bank.wrong"):
        answer_payout(actor=finance, now=LATER, payout_id=made.pk, content=content, layout=said)
    waits = {**said, "words": {"result": {"待处理": "-"}}}
    assert answer_payout(actor=finance, now=LATER, payout_id=made.pk, content=content, layout=waits).state == "exported"
    save_file_layout(actor=finance, now=LATER, kind="return", layout=said)
    content = base64.b64encode(text.format(paying.pk, "交易失败").encode("gb18030")).decode()
    answer_payout(actor=finance, now=LATER, payout_id=made.pk, content=content)
    paying.refresh_from_db()
    assert (paying.state, paying.answer) == ("failed", "户名不符")


def test_an_answer_of_an_insurer_with_its_own_codes(finance: Actor) -> None:
    claim = claimed()
    columns = {"申报单号": "claim", "明细序号": "number", "核准金额": "paid", "审核结论": "refusal"}
    text = f"申报单号,明细序号,核准金额,审核结论\n{claim.code},1,40.00,\n{claim.code},2,0.00,超限额"
    content = base64.b64encode(text.encode()).decode()
    said = {"header": 0, "columns": columns, "words": {"refusal": {"超限额": "103"}}}
    row = load_remittance(actor=finance, now=LATER, payer="ltci", name="回盘", content=content, layout=said)
    assert (row.paid_fen, row.refused_count) == (4000, 1)
    assert (
        load_remittance(actor=finance, now=LATER, payer="ltci", name="又一次", content=content, layout=said).pk
        == row.pk
    )
