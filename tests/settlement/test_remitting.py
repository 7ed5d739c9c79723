"""A payer's file of answers: every fault by line. No database."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from yinling.kernel.refusals import Refused
from yinling.settlement import bankfile, remitting, tables
from yinling.settlement.bankfile import Paid, Result, Transfer
from yinling.settlement.files import check_count, opened
from yinling.settlement.remitting import HEADS, Answer, Known
from yinling.settlement.tables import Field, Table, own_layout

LINE = Known(1, "ltci", "submitted", 4000, 0, "")
ADDRESS = ("C-2606-0001-1", 1)
REASONS = {"101": "参保资格无效"}


def content(*rows: str, heads: str = ",".join(HEADS)) -> bytes:
    return "\n".join([heads, *rows]).encode()


def table(data: bytes, fields: Sequence[Field] = remitting.FIELDS) -> Table:
    """The lines of a file with our own headings."""
    rows = opened(data).sheet().rows
    layout = own_layout(fields, rows)
    assert layout is not None
    found = tables.table(rows, fields, layout, {})
    check_count(found)
    return found


def codes(*rows: str, known: dict[tuple[str, int], Known] | None = None, payer: str = "ltci") -> list[tuple[int, str]]:
    answers, problems = remitting.read(table(content(*rows)))
    problems += remitting.check(answers, {ADDRESS: LINE} if known is None else known, payer=payer, reasons=REASONS)
    return [(one.place, one.code) for one in sorted(problems, key=lambda one: one.place)]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("C-2606-0001-1,1,40.00,,", ""),
        ("C-2606-0001-1,1,0,101,无资格", ""),
        ("C-2606-0001-1,1,10.00,101,部分", ""),
        ("C-2606-0001-1,1,40.01,,", "remittance.too_much"),
        ("C-2606-0001-1,1,-0.01,,", "remittance.negative"),
        ("C-2606-0001-1,1,0.005,,", "money.decimals"),
        ("C-2606-0001-1,1,abc,,", "money.format"),
        ("C-2606-0001-1,1,99999999999999999999,,", "money.too_large"),
        ("C-2606-0001-1,x,40.00,,", "remittance.number"),
        ("C-2606-0001-1,2,40.00,,", "remittance.unknown"),
        ("C-2606-0002-1,1,40.00,,", "remittance.unknown"),
        ("C-2606-0001-1,1,40.00,101,", "remittance.contradiction"),
        ("C-2606-0001-1,1,0,,", "remittance.no_reason"),
        ("C-2606-0001-1,1,0,777,", "remittance.reason"),
    ],
)
def test_one_answer(row: str, code: str) -> None:
    assert codes(row) == ([(2, code)] if code else [])


def test_a_line_twice_in_a_file_is_named_with_the_first() -> None:
    answers, _ = remitting.read(table(content("C-2606-0001-1,1,40.00,,", "C-2606-0001-1,1,40.00,,")))
    [problem] = remitting.check(answers, {ADDRESS: LINE}, payer="ltci", reasons=REASONS)
    assert (problem.place, problem.code, problem.values) == (3, "remittance.twice", {"first": 2})


@pytest.mark.parametrize(
    ("known", "row", "code"),
    [
        (replace(LINE, state="paid", paid_fen=4000), "40.00,,", ""),
        (replace(LINE, state="paid", paid_fen=4000), "39.99,101,", "remittance.answered"),
        (replace(LINE, state="refused", refusal="101"), "0,101,", ""),
        (replace(LINE, state="resubmitted", refusal="101"), "40.00,,", "remittance.answered"),
        (replace(LINE, state="appealed", paid_fen=1000, refusal="101"), "40.00,,", ""),
        (replace(LINE, state="appealed", paid_fen=1000, refusal="101"), "9.99,101,", "remittance.less"),
        (replace(LINE, payer="commercial"), "40.00,,", "remittance.payer"),
        (replace(LINE, claimed_fen=-4000), "-40.00,,", ""),
        (replace(LINE, claimed_fen=-4000), "0,101,", ""),
        (replace(LINE, claimed_fen=-4000), "-39.00,101,", "remittance.correction"),
    ],
)
def test_an_answer_to_a_line_as_it_stands(known: Known, row: str, code: str) -> None:
    assert codes(f"C-2606-0001-1,1,{row}", known={ADDRESS: known}) == ([(2, code)] if code else [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "file.missing"),
        (content(), "file.empty"),
        (b"\x00\x81\x00\xff\x00\x00", "sheet.kind"),
        (b"a" * (10 * 1024 * 1024 + 1), "file.too_large"),
    ],
)
def test_a_file_that_cannot_be_read(text: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        table(text)
    assert refusal.value.code == code


def test_files_of_banks_in_gb18030_and_with_mark_are_read() -> None:
    row = "C-2606-0001-1,1,40.00,,说明"
    expected = [Answer(2, "C-2606-0001-1", 1, 4000, "", "说明")]
    text = content(row).decode()
    assert [remitting.read(table(text.encode(name)))[0] for name in ("gb18030", "utf-8-sig", "utf-16")] == [
        expected
    ] * 3


def test_the_bank_file_is_the_same_whatever_the_order() -> None:
    one = Transfer(7, "江城护理站", "6222020200012345678", "工商银行", 123450, "P-2606-0001 statement:1")
    two = Transfer(9, "李四", "6222020200012345679", "建设银行", 5, "P-2606-0001 statement:2")
    made = bankfile.write("P-2606-0001", [two, one])
    assert made == bankfile.write("P-2606-0001", [one, two])
    assert made.decode("utf-8-sig").split("\r\n")[1:3] == [
        "P-2606-0001,7,江城护理站,6222020200012345678,工商银行,1234.50,P-2606-0001 statement:1",
        "P-2606-0001,9,李四,6222020200012345679,建设银行,0.05,P-2606-0001 statement:2",
    ]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("P-1,7,40.00,成功,", ""),
        ("P-1,7,40.00,失败,账号不符", ""),
        ("P-1,7,40.00,失败,", "bank.reason"),
        ("P-1,7,40.01,成功,", "bank.amount"),
        ("P-1,7,-40.00,成功,", "bank.amount"),
        ("P-1,7,40.005,成功,", "money.decimals"),
        ("P-1,8,40.00,成功,", "bank.unknown"),
        ("P-1,x,40.00,成功,", "bank.number"),
        ("P-2,7,40.00,成功,", "bank.batch"),
        ("P-1,7,40.00,完成,", "bank.result"),
    ],
)
def test_one_line_of_the_bank(row: str, code: str) -> None:
    heads = ",".join(bankfile.RETURN_HEADS)
    results, problems = bankfile.read(table(content(row, heads=heads), bankfile.RETURN_FIELDS), batch="P-1")
    problems += bankfile.check(results, {7: Paid("pending", 4000)}, batch="P-1")
    assert [(one.place, one.code) for one in problems] == ([(2, code)] if code else [])


def test_what_the_bank_said_already() -> None:
    said = Result(2, "P-1", 7, 4000, "paid", "")
    assert bankfile.check([said], {7: Paid("paid", 4000)}, batch="P-1") == []
    assert [one.code for one in bankfile.check([said], {7: Paid("failed", 4000)}, batch="P-1")] == ["bank.answered"]
    assert [
        one.code for one in bankfile.check([said, replace(said, place=3)], {7: Paid("pending", 4000)}, batch="P-1")
    ] == ["bank.twice"]
