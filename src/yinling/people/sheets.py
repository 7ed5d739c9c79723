"""Reading a spreadsheet from anywhere into rows of cells: every kind of file a department sends, none that could harm. Pure.

Nothing here knows what a column means. Any bytes give rows or a refusal that says what to do.
"""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET  # no entities from outside, and expat limits the inner ones
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineWorkbook, PasswordError, SheetVisibleEnum

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

Cell = str | float | bool | date | datetime | time | timedelta | None
Row = list[Cell]

MOST_BYTES = 30 * 1024 * 1024
MOST_UNPACKED = 400 * 1024 * 1024
MOST_RATIO = 200
RATIO_FROM = 20 * 1024 * 1024
"""A small file of zeros may be packed as tightly as it likes."""
MOST_MEMBERS = 2000
MOST_ROWS = 200_000
MOST_COLUMNS = 100
MOST_SHEETS = 50
SPARE_ROWS = 100
"""Title and blank rows do not count against the limit."""
LONGEST_CELL = 32_767
FIELD = "content"
CHUNK = 1 << 20

_TOO_LARGE = N_("文件超过 %(most)s MB，请按街道拆成几个文件再上传")
_BROKEN = N_("文件打不开，可能没有保存完整。请在表格软件里另存为 .xlsx，再上传")
_BOMB = N_("文件解压后过大，未打开。请在表格软件里另存为 .xlsx，再上传")
_TOO_MANY_ROWS = N_("工作表超过 %(most)s 行，请按街道拆成几个文件再上传")
_TOO_MANY_COLUMNS = N_("工作表超过 %(most)s 列，请删去用不到的列和表格右边的空白列，再上传")


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name and its rows, each as wide as the widest."""

    name: str
    rows: list[Row]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return max((len(row) for row in self.rows), default=0)


@dataclass(frozen=True)
class Book:
    """A file that was opened: its kind, the names of its sheets, and whether its days are counted from 1904."""

    kind: str
    names: list[str]
    content: bytes = field(repr=False)
    counts_from_1904: bool = False
    workbook: CalamineWorkbook | None = field(default=None, repr=False)

    def sheet(self, name: str = "") -> Sheet:
        """Read one sheet by name, else the first that has anything. Raises Refused ``sheet.…``."""
        if name and name not in self.names:
            raise Refused("sheet.unknown", N_("文件里没有工作表“%(name)s”，请重新选择"), field="sheet", name=name[:60])
        if self.kind == "csv":
            return Sheet(self.names[0], _csv_rows(self.content))
        for one in [name] if name else self.names:
            found = Sheet(one, _book_rows(self.workbook or _opened(self.content), one))
            if found.rows or name:
                return found
        return Sheet(self.names[0], [])


def open_book(content: bytes) -> Book:
    """Open a file by what it is, whatever its name says. Raises Refused ``sheet.…`` for what cannot or must not be opened."""
    if not content:
        raise Refused("sheet.empty", N_("文件是空的，请重新选择文件"), field=FIELD)
    if len(content) > MOST_BYTES:
        raise Refused("sheet.too_large", _TOO_LARGE, field=FIELD, most=MOST_BYTES // 1024 // 1024)
    if content.startswith(b"PK"):
        return _open_packed(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        workbook = _opened(content)
        return Book("xls", _sheet_names(workbook), content, workbook=workbook)
    if re.match(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|\?xml|head|meta)", content[:400], re.IGNORECASE):
        raise Refused("sheet.web_page", N_("这是网页格式的表格。请用表格软件打开，另存为 .xlsx，再上传"), field=FIELD)
    return Book("csv", ["CSV"], content)


# Packed books: looked through before they are opened


def _open_packed(content: bytes) -> Book:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            names = _check_members(pack)
            kind = "ods" if "content.xml" in names else "xlsx"
            if kind == "xlsx" and not any(name.lower().startswith("xl/workbook.") for name in names):
                raise Refused("sheet.kind", N_("这不是表格文件。请上传 .xlsx、.xls、.ods 或 .csv"), field=FIELD)
            largest = _look_through(pack, kind)
            is_1904 = "xl/workbook.xml" in names and bool(
                re.search(rb'date1904\s*=\s*"(?:1|true)"', pack.read("xl/workbook.xml"))
            )
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Refused("sheet.broken", _BROKEN, field=FIELD) from error
    _check_size(*largest)
    workbook = _opened(content)
    return Book(kind, _sheet_names(workbook), content, is_1904, workbook)


def _check_members(pack: zipfile.ZipFile) -> set[str]:
    """Refuse a pack whose directory alone shows that it is a bomb."""
    members = pack.infolist()
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members) or 1
    names = {member.filename for member in members}
    if len(members) > MOST_MEMBERS or len(names) < len(members):
        raise Refused("sheet.bomb", _BOMB, field=FIELD)
    if total > MOST_UNPACKED or (total > RATIO_FROM and total / packed > MOST_RATIO):
        raise Refused("sheet.bomb", _BOMB, field=FIELD)
    return names


def _look_through(pack: zipfile.ZipFile, kind: str) -> tuple[int, int]:
    """Unpack everything once, bounded by the sizes the directory promises; return the last row and column with a cell.

    A directory that lies about a size fails on the check sum of the member. The reader lays a sheet out as a full rectangle, so that
    one stray cell at its far corner would take all memory.
    """
    rows = columns = 0
    for member in pack.infolist():
        with pack.open(member) as stream:
            if kind == "xlsx" and re.match(r"xl/worksheets/[^/]+\.xml$", member.filename, re.IGNORECASE):
                last = _last_cell(stream)
            elif kind == "ods" and member.filename == "content.xml":
                last = _last_ods_cell(stream)
            else:
                last = (0, 0)
                while stream.read(CHUNK):
                    pass
        rows, columns = max(rows, last[0]), max(columns, last[1])
    return rows, columns


_PLACE = re.compile(rb'<(?:\w+:)?c\s[^>]{0,200}?\br\s*=\s*["\']([A-Za-z]{1,9})(\d{1,9})["\']')


def _last_cell(stream: Any) -> tuple[int, int]:
    rows, letters, left = 0, b"", b""
    while chunk := stream.read(CHUNK):
        text = left + chunk
        for name, number in _PLACE.findall(text):
            rows = max(rows, int(number))
            letters = max(letters, name.upper(), key=lambda one: (len(one), one))
        left = text[-256:]
    columns = 0
    for letter in letters[:4]:
        columns = columns * 26 + letter - 64
    return rows, columns


_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_VALUE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"


def _repeat(element: ET.Element, what: str) -> int:
    text = element.get(f"{_TABLE}number-{what}-repeated", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1  # noqa: PLR2004 - nine digits


def _last_ods_cell(stream: Any) -> tuple[int, int]:
    """Return the last row and column that hold anything: runs of empty cells to the far edge are usual and harmless."""
    rows = columns = row = 0
    try:
        for _event, element in ET.iterparse(stream):  # noqa: S314 - expat refuses to expand entities without end
            if element.tag == f"{_TABLE}table":
                row = 0
            if element.tag != f"{_TABLE}table-row":
                continue
            last = place = 0
            for cell in element:
                place += _repeat(cell, "columns")
                last = place if cell.get(_VALUE) else last
            row += _repeat(element, "rows")
            if last:
                rows, columns = max(rows, row), max(columns, last)
            element.clear()
    except ET.ParseError as error:
        raise Refused("sheet.broken", _BROKEN, field=FIELD) from error
    return rows, columns


def _check_size(rows: int, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise Refused("sheet.columns", _TOO_MANY_COLUMNS, field=FIELD, most=MOST_COLUMNS)
    if rows > MOST_ROWS + SPARE_ROWS:
        raise Refused("sheet.rows", _TOO_MANY_ROWS, field=FIELD, most=MOST_ROWS)


# Books through calamine


def _opened(content: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(content))
    except PasswordError as error:
        raise Refused("sheet.password", N_("文件有打开密码，请去掉密码后另存，再上传"), field=FIELD) from error
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a fault inside the reader's own language is no Exception
        raise Refused("sheet.broken", _BROKEN, field=FIELD) from error


def _sheet_names(book: CalamineWorkbook) -> list[str]:
    shown = [one.name for one in book.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
    names = shown or list(book.sheet_names)
    if not names:
        raise Refused("sheet.empty", N_("文件里没有工作表，请重新选择文件"), field=FIELD)
    if len(names) > MOST_SHEETS:
        raise Refused("sheet.sheets", N_("文件里超过 %(most)s 个工作表，请只留要导入的"), field=FIELD, most=MOST_SHEETS)
    return names


def _book_rows(workbook: CalamineWorkbook, name: str) -> list[Row]:
    try:
        sheet = workbook.get_sheet_by_name(name)
        rows: list[Row] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
        ranges = sheet.merged_cell_ranges or []
    except (KeyboardInterrupt, SystemExit, MemoryError, Refused):
        raise
    except BaseException as error:  # as above
        raise Refused("sheet.broken", _BROKEN, field=FIELD) from error
    width = max((len(row) for row in rows), default=0)
    _check_size(len(rows), width)
    for row in rows:
        row.extend([None] * (width - len(row)))
    _fill(rows, ranges)
    return _without_tail(rows)


def _fill(rows: list[Row], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Give every cell of a merged range the value of its first, as the eye reads it."""
    for (top, left), (bottom, right) in ranges:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        value = rows[top][left]
        for row in rows[top : bottom + 1]:
            for place in range(left, min(right + 1, len(row))):
                row[place] = value


def _without_tail(rows: list[Row]) -> list[Row]:
    """Leave out the empty rows below the last one that says anything."""
    last = len(rows)
    while last and all(is_blank(cell) for cell in rows[last - 1]):
        last -= 1
    return rows[:last]


def is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


# Text with separators


def _decoded(content: bytes) -> str:
    """Return the text of a CSV in whatever encoding Chinese programs write."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _decoded_as(content, encoding)
    head = content[:4000]
    if head.count(0) > len(head) // 8:  # a mostly Chinese text keeps its separators and line ends in two bytes
        zeros = head[1::2].count(0), head[::2].count(0)
        return _decoded_as(content, "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be")
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    if 0 in head:  # a program or a picture, whatever its name says
        raise Refused("sheet.kind", N_("这不是表格文件。请上传 .xlsx、.xls、.ods 或 .csv"), field=FIELD)
    raise Refused("sheet.encoding", N_("认不出文件的文字编码。请用表格软件打开，另存为 .xlsx，再上传"), field=FIELD)


def _decoded_as(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        sentence = N_("认不出文件的文字编码。请用表格软件打开，另存为 .xlsx，再上传")
        raise Refused("sheet.encoding", sentence, field=FIELD) from error


def _separator(text: str) -> str:
    """Return what separates the columns: whatever is there most evenly in the first lines."""
    lines = [line for line in text[:20_000].splitlines()[:20] if line.strip()]

    def evenness(mark: str) -> tuple[int, int]:
        counts = [line.count(mark) for line in lines]
        return (sum(count == max(counts) for count in counts) if any(counts) else 0, sum(counts))

    return max((",", "\t", ";", "|", "，"), key=evenness) if lines else ","


def _csv_rows(content: bytes) -> list[Row]:
    text = _decoded(content)
    if "\x00" in text or sum(one < " " and one not in "\t\r\n\f\v\x1a" for one in text[:4000]) > len(text[:4000]) // 50:
        raise Refused("sheet.kind", N_("这不是表格文件。请上传 .xlsx、.xls、.ods 或 .csv"), field=FIELD)
    rows: list[Row] = []
    csv.field_size_limit(LONGEST_CELL * 4)
    try:
        for row in _lines(text):
            cells: Row = [cell[:LONGEST_CELL] for cell in row]
            rows.append(cells)
            _check_size(len(rows), len(cells))
    except csv.Error as error:
        raise Refused("sheet.broken", _BROKEN, field=FIELD) from error
    width = max((len(row) for row in rows), default=0)
    for cells in rows:
        cells.extend([None] * (width - len(cells)))
    return _without_tail(rows)


def _lines(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
