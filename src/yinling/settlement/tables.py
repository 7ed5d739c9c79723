"""Files of banks and payers as they come: where the headings stand, what each column holds, what its words mean. Pure.

Opening files and reading cells is the register's (``people``): every kind of sheet, GBK, merged cells, days as numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.cells import LARGEST, day_of, digits_of, text_of
from yinling.people.mapping import HEADER_WITHIN, LONGEST_HEADER, data_rows, header_row, headings, plain_head, propose
from yinling.people.sheets import Cell, Row

SKIP = "-"
"""What a word means whose lines are left out."""
MOST_WORDS = 300
TOTALS = re.compile(
    r"(本页|本日|本月|本期|累计)?(合计|总计|小计|汇总|合计数|合计金额|借方合计|贷方合计|共计)[:：]?.*|[共计总]+\d+[笔条].*"
)
MOMENT = re.compile(r"(\d{8})[ T]?\d{2}:?\d{2}:?\d{2}", re.ASCII)


@dataclass(frozen=True)
class Field:
    """What a column may hold: its name in our own files, how it is written, and whether a file must have it."""

    code: str
    head: str
    kind: str = "text"
    is_needed: bool = False
    is_own: bool = True
    has_words: bool = False


@dataclass(frozen=True)
class Layout:
    """How one file is read: its sheet and header row, field by heading, and what its words mean by field."""

    header: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sheet: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept and sent."""
        return {"header": self.header, "columns": dict(self.columns), "words": {one: dict(words) for one, words in self.words.items()},
                "sheet": self.sheet}  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], fields: Sequence[Field]) -> Layout:
        """Return what was stored or sent; anything that is not of this shape is left out."""
        codes = {one.code for one in fields}
        header = kept.get("header")
        columns = {
            str(head)[:LONGEST_HEADER]: str(code)
            for head, code in _pairs(kept.get("columns"))
            if code in codes or code == ""
        }
        words = {
            name: {plain_head(str(word)): str(code)[:40] for word, code in list(_pairs(one))[:MOST_WORDS]}
            for name, one in _pairs(kept.get("words")) if name in codes
        }  # fmt: skip
        return cls(
            header if isinstance(header, int) and 0 <= header < HEADER_WITHIN else 0,
            columns,
            words,
            str(kept.get("sheet") or "")[:100],
        )


def _pairs(value: Any) -> Collection[tuple[Any, Any]]:
    return value.items() if isinstance(value, dict) else ()


@dataclass(frozen=True)
class Left:
    """A line that is not read, and why: money going out, a reversal, a total. ``fen`` where it is known."""

    place: int
    why: str
    text: str
    fen: int = 0
    name: str = ""


@dataclass(frozen=True)
class Table:
    """The lines of a file by what its columns mean, with what is left out. ``is_own``: written as our own files are."""

    fields: Sequence[Field]
    layout: Layout
    rows: Sequence[tuple[int, Mapping[str, str]]]
    left: Sequence[Left] = ()
    is_own: bool = False

    @property
    def codes(self) -> set[str]:
        """What the file has columns for."""
        return set(self.layout.columns.values()) - {""}

    def head(self, own: str) -> str:
        """Return how the file itself calls a column of ours."""
        codes = {one.head: one.code for one in self.fields}
        return next((head for head, code in self.layout.columns.items() if code and code == codes.get(own)), own)

    def unknown(self, name: str, choices: Collection[str]) -> list[str]:
        """Return the words of a column that mean nothing yet, each once, in their order."""
        found = dict.fromkeys(cells.get(name, "") for _place, cells in self.rows)
        return [word for word in found if word and word not in choices]


def own_heads(fields: Sequence[Field]) -> tuple[str, ...]:
    """Return the headings of our own files."""
    return tuple(one.head for one in fields if one.is_own)


def own_layout(fields: Sequence[Field], rows: Sequence[Row]) -> Layout | None:
    """Return how a file with our own headings is read, or nothing if it has others."""
    wanted = own_heads(fields)
    for number, row in enumerate(rows[:HEADER_WITHIN]):
        if tuple(text_of(cell) for cell in row[: len(wanted)]) == wanted:
            return Layout(number, {one.head: one.code for one in fields if one.is_own})
    return None


def mark_of(heads: Sequence[str]) -> str:
    """Return by what a set of headings is known again, in whatever order they stand."""
    return hashlib.sha256("\n".join(sorted(plain_head(head) for head in heads)).encode()).hexdigest()


def marks(rows: Sequence[Row]) -> dict[str, int]:
    """Return which rows may be the headings, by their mark."""
    return {mark_of(headings(rows, number)): number for number in reversed(range(min(HEADER_WITHIN, len(rows))))}


def guess(rows: Sequence[Row], known: Mapping[str, str], header: int | None = None) -> Layout:
    """Propose how a file is read, by headings that are known."""
    at = header_row(rows, known) if header is None else header
    return Layout(at, propose(headings(rows, at), saved={}, known=known))


def missing(layout: Layout, fields: Sequence[Field]) -> list[Field]:
    """Return the fields that a file must have and this one has no column for."""
    codes = set(layout.columns.values())
    return [one for one in fields if one.is_needed and one.code not in codes]


def check(layout: Layout, fields: Sequence[Field]) -> None:
    """Refuse a layout that leaves out what is needed, or says the same of two columns."""
    if lacking := missing(layout, fields):
        raise Refused("file.columns", N_("请指定哪一列是“%(head)s”"), field="content", head=lacking[0].head)
    codes = [code for code in layout.columns.values() if code]
    if len(set(codes)) < len(codes):
        raise Refused("file.columns_twice", N_("两列指定成了同一个内容，请只留一列"), field="content")


def table(
    rows: Sequence[Row], fields: Sequence[Field], layout: Layout, words: Mapping[str, Mapping[str, str]], *, counts_from_1904: bool = False
) -> Table:  # fmt: skip
    """Return the lines below the headings as text by field; lines of totals, which lack something, are left out. ``words`` are everybody's."""
    heads = headings(rows, layout.header)
    places = {code: heads.index(head) for head, code in layout.columns.items() if code and head in heads}
    kinds = {one.code: one for one in fields}
    own = own_layout(fields, rows)
    is_own = own is not None and (own.header, dict(own.columns)) == (layout.header, dict(layout.columns))
    found, left = [], []
    for number, row in data_rows(rows, layout.header):
        cells = {
            code: _text(row[at], kinds[code].kind, counts_from_1904=counts_from_1904) for code, at in places.items()
        }
        is_whole = all(
            cells.get(one.code) for one in fields if one.is_needed
        )  # a payment whose purpose begins with 汇总 is none
        if not is_own and not is_whole and (total := _total(row)):
            left.append(Left(number, "total", total))
            continue
        found.append((number, cells))
    return with_words(Table(fields, layout, found, left, is_own), words)


def with_words(one: Table, known: Mapping[str, Mapping[str, str]]) -> Table:
    """Put what words mean in their place; lines whose word says so are left out."""
    own = one.layout.words
    meanings = {
        each.code: {**known.get(each.code, {}), **own.get(each.code, {})} for each in one.fields if each.has_words
    }
    rows, left = [], list(one.left)
    for place, cells in one.rows:
        meant = {
            code: words.get(plain_head(cells[code]), cells[code]) for code, words in meanings.items() if cells.get(code)
        }
        if SKIP in meant.values():
            left.append(Left(place, "skip", next(cells[code] for code, word in meant.items() if word == SKIP)))
        else:
            rows.append((place, {**cells, **meant}))
    return replace(one, rows=rows, left=left)


def _total(row: Row) -> str:
    """Return what a line of totals says; its first text tells it."""
    first = next((text for cell in row if (text := text_of(cell))), "")
    return first[:60] if TOTALS.fullmatch(first.replace(" ", "")) else ""


def _text(cell: Cell, kind: str, *, counts_from_1904: bool) -> str:
    if kind == "money":
        return _money(cell)
    try:
        if kind == "code":
            return digits_of(cell, "")
        if kind == "day":
            moment = MOMENT.fullmatch(text_of(cell))
            day = day_of(moment[1] if moment else cell, counts_from_1904=counts_from_1904)
            return day.isoformat() if day else ""
    except Refused:  # said of the line by whoever reads it: a number that lost its end stays in short form
        return f"{cell:.5E}" if isinstance(cell, float) else text_of(cell)
    return text_of(cell)


def _money(cell: Cell) -> str:
    """Return an amount as it is read on: what a formula reckons to the fifteenth digit, brackets and signs as programs set them."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return format(Decimal(f"{cell:.15g}"), "f") if abs(cell) < LARGEST else ""
    plain = re.sub(r"[¥+]|^(CNY|RMB|人民币)", "", text_of(cell).replace(" ", ""))
    if bracketed := re.fullmatch(r"\((.+)\)", plain):
        return f"-{bracketed[1]}"
    return "" if plain in ("-", "--", "—") else plain
