"""Any file gives rows or a refusal that says what to do, never a crash; every usual way to write a day or a number is read."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from yinling.kernel.refusals import Refused
from yinling.people import sheets
from yinling.people.cells import day_of, id_text, phone_text, text_of
from yinling.people.rules import check_document
from yinling.people.sheets import Row, open_book

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "id_numbers.yaml").read_text(encoding="utf-8"))
HEADS = ["姓名", "身份证号"]


def book(*sheet_rows: list[list[Any]], **options: Any) -> bytes:
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target, {"in_memory": True, **options})
    for rows in sheet_rows:
        sheet = made.add_worksheet()
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
    made.close()
    return target.getvalue()


def rows_of(content: bytes, name: str = "") -> list[Row]:
    return open_book(content).sheet(name).rows


def refusal_of(content: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        open_book(content).sheet()
    assert refusal.value.detail
    return refusal.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_a_csv_is_read_in_every_encoding_and_with_every_separator(encoding: str, mark: str) -> None:
    text = f"姓名{mark}住址\r\n王秀英{mark}中山路1号\r\n李建国{mark}学前街2号\r\n"
    assert rows_of(text.encode(encoding)) == [["姓名", "住址"], ["王秀英", "中山路1号"], ["李建国", "学前街2号"]]


def test_quoted_separators_and_line_ends_stay_in_their_cell() -> None:
    assert rows_of('姓名,住址\n王秀英,"中山路1号,\n二楼"\n'.encode()) == [
        ["姓名", "住址"],
        ["王秀英", "中山路1号,\n二楼"],
    ]


def test_the_first_sheet_with_anything_is_taken_of_ten() -> None:
    content = book(*[[]] * 4, [HEADS, ["王", "1"]], *[[]] * 5)
    assert len(open_book(content).names) == 10
    assert rows_of(content) == [HEADS, ["王", "1"]]
    with pytest.raises(Refused) as refusal:
        open_book(content).sheet("没有")
    assert refusal.value.code == "sheet.unknown"


def test_merged_cells_hold_their_value_in_every_cell() -> None:
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["社区", "姓名"])
    sheet.merge_range(1, 0, 3, 0, "公园社区")
    sheet.write_column(1, 1, ["甲", "乙", "丙"])
    made.close()
    assert rows_of(target.getvalue())[1:] == [["公园社区", "甲"], ["公园社区", "乙"], ["公园社区", "丙"]]


def test_a_formula_gives_its_stored_value_and_days_of_1904_are_days() -> None:
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target, {"in_memory": True, "date_1904": True})
    sheet = made.add_worksheet()
    sheet.write_formula(0, 0, '=CONCAT("王","秀英")', None, "王秀英")
    sheet.write_datetime(0, 1, datetime(1949, 12, 31), made.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001 - a cell has no zone
    made.close()
    opened = open_book(target.getvalue())
    assert opened.counts_from_1904
    assert [text_of(cell) for cell in opened.sheet().rows[0]] == ["王秀英", "1949-12-31"]


def packed(name: str, content: bytes, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO(book([HEADS]))
    with zipfile.ZipFile(target, "a", kind) as pack:
        pack.writestr(name, content)
    return target.getvalue()


FAR_CELL = b'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="%s"><v>1</v></c></row></sheetData></worksheet>'
BAD = {
    "sheet.empty": b"",
    "sheet.web_page": b"<html><table><tr><td>1</td></tr></table></html>",
    "sheet.broken": book([HEADS])[:900],
    "sheet.kind": b"\x01\x02\x03name\x04\x05",
    "sheet.encoding": b"\xff\x80\x81" * 50,
}


@pytest.mark.parametrize("code", BAD)
def test_what_is_no_sheet_is_refused_with_what_to_do(code: str) -> None:
    assert refusal_of(BAD[code]) == code


def test_a_program_named_as_a_sheet_is_no_sheet() -> None:
    assert refusal_of(b"MZ\x90\x00" + b"\xff\x80\x81" * 50) == "sheet.kind"


def test_a_picture_in_a_pack_is_no_sheet() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as pack:
        pack.writestr("word/document.xml", "<w/>")
    assert refusal_of(target.getvalue()) == "sheet.kind"


def test_bombs_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal_of(packed("xl/media/zeros", bytes(sheets.RATIO_FROM + 1))) == "sheet.bomb"
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 10_000)
    assert refusal_of(packed("xl/media/noise", bytes(range(256)) * 80, zipfile.ZIP_STORED)) == "sheet.bomb"


def test_a_directory_that_lies_about_sizes_is_refused() -> None:
    content = bytearray(packed("xl/media/zeros", bytes(50_000)))
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    assert refusal_of(bytes(content)) == "sheet.broken"


@pytest.mark.parametrize(
    ("cell", "code"), [(b"XFD1", "sheet.columns"), (b"A1048576", "sheet.rows"), (b"ZZZZZZ9", "sheet.columns")]
)
def test_a_cell_at_the_far_corner_takes_no_memory(cell: bytes, code: str) -> None:
    assert refusal_of(packed("xl/worksheets/sheet9.xml", FAR_CELL % cell)) == code


def test_too_wide_and_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(rows_of(book([["x"] * 100]))[0]) == 100
    assert refusal_of(book([["x"] * 101])) == refusal_of(",".join(["x"] * 101).encode()) == "sheet.columns"
    monkeypatch.setattr(sheets, "MOST_ROWS", 5)
    monkeypatch.setattr(sheets, "SPARE_ROWS", 0)
    assert refusal_of(book([["x"]] * 6)) == refusal_of(b"x,y\n" * 6) == "sheet.rows"
    monkeypatch.setattr(sheets, "MOST_BYTES", 100)
    assert refusal_of(b"x" * 101) == "sheet.too_large"


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>
 <office:spreadsheet><table:table table:name="名单"><table:table-row>{cells}</table:table-row>
 <table:table-row table:number-rows-repeated="{rows}"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
 </table:table></office:spreadsheet></office:body></office:document-content>"""
ODS_CELL = '<table:table-cell{repeat} office:value-type="string"><text:p>姓名</text:p></table:table-cell>'


def ods(cells: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        pack.writestr("content.xml", ODS.format(cells=cells, rows=1_048_000))
        pack.writestr(
            "META-INF/manifest.xml",
            "<manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>",
        )
    return target.getvalue()


def test_an_open_document_is_read_and_its_endless_empty_edge_is_not() -> None:
    assert rows_of(ods(ODS_CELL.format(repeat="")))[0][0] == "姓名"
    assert refusal_of(ods(ODS_CELL.format(repeat=' table:number-columns-repeated="9000"'))) == "sheet.columns"


DAYS = [
    ("1949-12-31", "1949-12-31"), ("19491231", "1949-12-31"), (19491231.0, "1949-12-31"), ("1949/12/31", "1949-12-31"),
    ("1949.12.31", "1949-12-31"), ("1949年12月31日", "1949-12-31"), (" 1949 年 1 月 3 日 ", "1949-01-03"), ("１９４９－１２－３１", "1949-12-31"),
    ("1949-12-31 00:00:00", "1949-12-31"), (18263.0, "1949-12-31"), ("18263", "1949-12-31"), (date(1949, 12, 31), "1949-12-31"),
    (datetime(1949, 12, 31, 8), "1949-12-31"), ("1948-02-29", "1948-02-29"), ("", None), (None, None), ("-", None), ("/", None),  # noqa: DTZ001 - as above
    ("1949-02-29", "cell.no_such_day"), ("19490229", "cell.no_such_day"), ("1949-13-01", "cell.no_such_day"), ("49-12-31", "cell.day"),
    ("1949", "cell.day"), (1949.0, "cell.day"), ("12/31/1949", "cell.day"), ("不详", "cell.day"), ("1949-12", "cell.day"), (True, "cell.day"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expected"), DAYS)
def test_a_day_is_read_in_every_usual_form(cell: Any, expected: str | None) -> None:
    try:
        found = day_of(cell)
    except Refused as refusal:
        assert refusal.code == expected  # noqa: PT017 - one table for both
    else:
        assert (found.isoformat() if found else None) == expected


def test_serial_numbers_count_from_1904_where_the_book_does() -> None:
    assert day_of(16801.0, counts_from_1904=True) == day_of(18263.0) == date(1949, 12, 31)


PHONES = [
    (19900000001.0, "19900000001"), ("1.9900000001E+10", "19900000001"), ("1.38E+10", "cell.digits_lost"), ("199-0000-0001", "19900000001"),
    ("0510－8123 4567", "051081234567"), ("１９９０００００００１", "19900000001"), ("199O000000l", "19900000001"),
    ("+86 19900000001", "19900000001"),
    ("19900000001/19900000002", "19900000001"), ("19900000001.0", "19900000001"), ("", ""), ("没有", "phone.format"), (1.5, "cell.not_number"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expected"), PHONES)
def test_a_phone_is_read_or_refused_never_guessed(cell: Any, expected: str) -> None:
    try:
        assert phone_text(cell) == expected
    except Refused as refusal:
        assert refusal.code == expected  # noqa: PT017 - one table for both


@pytest.mark.req("X-ID-01", "X-ID-01a", "X-ID-01c")
@pytest.mark.parametrize("case", CASES["案例"], ids=lambda case: case["情况"])
def test_identity_numbers_as_officials_can_read_them(case: dict[str, Any]) -> None:
    written = case["填写"]
    cell = float(written) if isinstance(written, int | float) else str(written)
    try:
        number, is_guessed = id_text(cell)
        document = check_document(case.get("种类", "id"), number, born=date(1, 1, 1), sex="9", today=CASES["今天"])
    except Refused as refusal:
        assert refusal.code == case["结果"]  # noqa: PT017 - one table for both
        assert refusal.detail  # noqa: PT017 - as above
        return
    assert (document.number, is_guessed) == (case["结果"], case.get("形近", False))
    assert document.number[6:14] == case["出生"].strftime("%Y%m%d")
    assert {"男": 1, "女": 0}[case["性别"]] == int(document.number[16]) % 2


START = book([HEADS, ["王秀英", "1"]])


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=3000),
        st.binary(max_size=200).map(lambda tail: b"PK\x03\x04" + tail),
        st.binary(max_size=600).map(lambda tail: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + tail),
        st.text(max_size=400).map(lambda text: text.encode("gb18030", "replace")),
        st.tuples(st.integers(0, len(START) - 1), st.binary(min_size=1, max_size=8)).map(
            lambda change: START[: change[0]] + change[1] + START[change[0] + len(change[1]) :]
        ),
    )
)
def test_any_bytes_give_rows_or_a_refusal(content: bytes) -> None:
    try:
        rows = open_book(content).sheet().rows
    except Refused as refusal:
        assert refusal.code.startswith("sheet.")  # noqa: PT017 - either is right
        return
    for row in rows:
        for cell in row:
            for read in (text_of, day_of, phone_text, lambda one: id_text(one)[0]):
                try:
                    read(cell)
                except Refused as refusal:
                    assert refusal.code  # noqa: PT017 - as above
