"""Tables as spreadsheets: numbers as numbers, codes and phone numbers as text, and nothing that a cell could calculate."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils.http import content_disposition_header

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
TEXT, COUNT, YUAN = "text", "count", "yuan"
SHAPES = {TEXT: "@", COUNT: "0", YUAN: "#,##0.00"}
LONGEST_NAME = 31
UNNAMEABLE = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
"""What no spreadsheet takes in the name of a sheet; English names have colons."""


@dataclass(frozen=True)
class Column:
    """One column: heading, kind (text, count, or yuan from fen) and width in characters."""

    head: str
    kind: str = TEXT
    width: int = 14


def excel(
    name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, above: Sequence[str] = (), below: Sequence[Any] = ()
) -> HttpResponse:  # fmt: skip
    """Return a workbook of one sheet: lines above the table, the table, and a last row of totals."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    sheet = book.add_worksheet(name.translate(UNNAMEABLE)[:LONGEST_NAME].strip("' "))
    bold = book.add_format({"bold": True})
    formats = {
        TEXT: book.add_format({"num_format": "@"}),
        COUNT: book.add_format({"num_format": "0"}),
        YUAN: book.add_format({"num_format": "#,##0.00"}),
    }
    for number, line in enumerate(above):
        sheet.write_string(number, 0, line, bold)
    start = len(above)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, formats[column.kind])
        sheet.write_string(start, place, column.head, bold)
    for number, row in enumerate([*rows, *([below] if below else [])], start + 1):
        for place, (column, value) in enumerate(zip(columns, row, strict=True)):
            _write(sheet, number, place, column, value, formats[column.kind])
    sheet.freeze_panes(start + 1, 0)
    book.close()
    return download(target.getvalue(), XLSX, f"{name}.xlsx")


def _write(sheet: Any, row: int, place: int, column: Column, value: Any, style: Any) -> None:
    if value is None:
        sheet.write_blank(row, place, None, style)
    elif column.kind == TEXT or isinstance(value, str):
        sheet.write_string(row, place, str(value), style)
    else:
        sheet.write_number(row, place, value / 100 if column.kind == YUAN else value, style)


def comma_separated(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """Return a CSV that opens in Chinese everywhere; a text that a spreadsheet would calculate gets a leading apostrophe."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(heads)
    for row in rows:
        writer.writerow([_harmless(value) for value in row])
    return download(target.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{name}.csv")


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def download(content: bytes, kind: str, name: str) -> HttpResponse:
    """Return a file to be kept under a name."""
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return answer
