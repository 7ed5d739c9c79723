"""Reading the comma-separated files that payers and banks send back: fixed headings, one fault named per cell."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from yinling.kernel.money import parse_yuan
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

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


def text_of(content: bytes) -> str:
    """Return the text of a file: UTF-8 as we write it, or GB 18030 as banks do."""
    if len(content) > MOST_BYTES:
        raise Refused("file.too_large", N_("文件超过 8 MB，请拆成几个文件"), field="content")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Refused("file.not_text", N_("这不是 CSV 文本文件，请按导出的格式保存后再上传"), field="content")


def rows_of(content: bytes, heads: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Return the rows below the headings with their line numbers; refuse other headings and a file without rows."""
    reader = csv.reader(io.StringIO(text_of(content)))
    try:
        first = [cell.strip() for cell in next(reader, [])]
        if first[: len(heads)] != list(heads):
            raise Refused("file.heads", N_("第一行应依次为：%(heads)s"), field="content", heads="，".join(heads))
        found = [
            (reader.line_num, [cell.strip() for cell in row]) for row in reader if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise Refused(
            "file.not_text", N_("这不是 CSV 文本文件，请按导出的格式保存后再上传"), field="content"
        ) from error
    if not found:
        raise Refused("file.empty", N_("文件里没有数据行"), field="content")
    if len(found) > MOST_ROWS:
        raise Refused("file.too_many", N_("文件超过 10 万行，请拆成几个文件"), field="content")
    return found


def read(
    content: bytes, heads: Sequence[str], parse: Callable[[int, list[str]], T | Problem]
) -> tuple[list[T], list[Problem]]:
    """Return what the rows of a file say, by a function of line number and cells, and the cells that cannot be read."""
    rows = [parse(place, _cells(row, len(heads))) for place, row in rows_of(content, heads)]
    return [one for one in rows if not isinstance(one, Problem)], [one for one in rows if isinstance(one, Problem)]


def _cells(row: Sequence[str], count: int) -> list[str]:
    """Return as many cells as there are headings; missing ones are empty."""
    return [*row[:count], *[""] * (count - len(row))]


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
