"""Spreadsheets never calculate what somebody typed."""

import csv
import io

from python_calamine import CalamineWorkbook

from yinling.web.sheets import COUNT, YUAN, Column, comma_separated, excel

EVIL = ["=1+1", "+86", "-2", "@SUM(A1)", "\tx", "王秀英"]


def test_a_text_that_looks_like_a_formula_stays_a_text() -> None:
    answer = excel("名单", [Column("说明"), Column("身份证号"), Column("次数", COUNT), Column("金额", YUAN)], [
        (EVIL[0], "320200194603010012", 3, 123450), (None, "0510", None, None),
    ], below=("合计", None, 3, 123450))  # fmt: skip
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows == [
        ["说明", "身份证号", "次数", "金额"],
        ["=1+1", "320200194603010012", 3.0, 1234.5],
        ["", "0510", "", ""],
        ["合计", "", 3.0, 1234.5],
    ]
    assert "filename*=utf-8''" in answer["Content-Disposition"].lower()


def test_a_csv_disarms_what_a_spreadsheet_would_calculate() -> None:
    answer = comma_separated("x", ["文字"], [(text,) for text in EVIL])
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'+86", "'-2", "'@SUM(A1)", "'\tx", "王秀英"]
    assert answer.content.startswith(b"\xef\xbb\xbf")


def test_a_name_with_signs_that_no_sheet_takes_still_makes_a_workbook() -> None:
    for name in ("LTCI: share at the door", "Advances to providers: veterans' benefits", "[a]/b\\c?*", "'"):
        assert CalamineWorkbook.from_filelike(io.BytesIO(excel(name, [Column("a")], []).content)).sheet_names
