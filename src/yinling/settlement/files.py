"""Reading the files that payers and banks send back: any headings (``tables``), one fault named per cell."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from yinling.kernel.money import parse_yuan
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.sheets import Book, open_book
from yinling.settlement.tables import Table

MOST_BYTES = 8 * 1024 * 1024
MOST_ROWS = 100_000
T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """One fault of a file: its line, the column, and the sentence that says what to do."""

    place: int
    column: str
    code: str
    sentence: str
    values: dict[str, Any] = field(default_factory=dict)


def bytes_of(content: str) -> bytes:
    """Return what a screen or the API sends as base64."""
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("file.broken", N_("文件没有传完整，请重新上传"), field="content") from error
    if not data:
        raise Refused("file.missing", N_("请选择文件"), field="content")
    return data


def opened(content: bytes) -> Book:
    """Open a file of whatever kind: xlsx, xls, ods, or text in UTF-8 or GB 18030. Raises Refused ``file.…`` and ``sheet.…``."""
    if not content:
        raise Refused("file.missing", N_("请选择文件"), field="content")
    if len(content) > MOST_BYTES:
        raise Refused("file.too_large", N_("文件超过 8 MB，请拆成几个文件"), field="content")
    return open_book(content)


def check_count(table: Table) -> None:
    """Refuse a file without lines, and one with too many."""
    count = len(table.rows) + len(table.left)
    if not count:
        raise Refused("file.empty", N_("文件里没有数据行"), field="content")
    if count > MOST_ROWS:
        raise Refused("file.too_many", N_("文件超过 10 万行，请拆成几个文件"), field="content")


def read(table: Table, parse: Callable[[int, list[str]], T | Problem]) -> tuple[list[T], list[Problem]]:
    """Return what the lines of a file say, by a function of line number and our own columns, and the cells that cannot be read."""
    codes = [one.code for one in table.fields if one.is_own]
    rows = [parse(place, [cells.get(code, "") for code in codes]) for place, cells in table.rows]
    return [one for one in rows if not isinstance(one, Problem)], [one for one in rows if isinstance(one, Problem)]


def named(table: Table, problems: Iterable[Problem]) -> list[Problem]:
    """Return faults by line, their columns called as the file calls them."""
    return sorted((replace(one, column=table.head(one.column)) for one in problems), key=lambda one: one.place)


def amount_of(text: str, place: int, column: str) -> int | Problem:
    """Return an amount in fen, or why it cannot be read."""
    try:
        return parse_yuan(text)
    except Refused as refusal:
        return Problem(place, column, refusal.code, refusal.template, dict(refusal.values))


def number_of(text: str) -> int | None:
    """Return a whole number of plain digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004 - fits a bigint


def explain(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return what a refusal says of a wrong file: how many faults and the first ones by line."""
    lines = sorted({problem.place for problem in problems})
    return {
        "count": len(problems),
        "lines": "、".join(str(line) for line in lines[:20]),
        "codes": sorted({one.code for one in problems}),
    }
