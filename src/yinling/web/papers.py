"""One table, defined once: on the page, as a workbook, on paper (PDF) and in the API it shows the same amounts to the fen."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import typst
from django.http import HttpResponse
from django.utils.translation import gettext as _

from yinling.kernel.money import capital, yuan
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.settlement.models import Decided
from yinling.web.sheets import COUNT, TEXT, YUAN, Column, download, excel

FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Serif CJK SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "SimSun",
)
SHEET = Path(__file__).parent / "typst" / "paper.typ"
WIDE = 100
"""Characters beyond which a table is printed across the page."""


@dataclass(frozen=True)
class Field:
    """One column: its name for machines, its heading, what it shows of a row, and of which kind that is."""

    name: str
    head: str
    value: Callable[[Any], Any]
    kind: str = TEXT
    width: int = 14

    def text(self, row: Any) -> str:
        """What a person reads."""
        return shown(self.value(row), self.kind)


def shown(value: Any, kind: str) -> str:
    """Write a value as page and paper show it."""
    if value is None:
        return ""
    return yuan(value) if kind == YUAN else str(value)


@dataclass(frozen=True)
class Paper:
    """A table with what stands around it. ``sums`` are named amounts; ``total`` of them is written in capital characters, too."""

    code: str
    title: str
    fields: Sequence[Field]
    rows: Iterable[Any]
    facts: Sequence[tuple[str, str]] = ()
    sums: Sequence[tuple[str, str, int]] = ()
    total: str = ""
    signatures: Sequence[str] = field(default_factory=tuple)

    @property
    def total_fen(self) -> int | None:
        """The amount that is written in capital characters."""
        return next((fen for name, _head, fen in self.sums if name == self.total), None)

    @property
    def capital(self) -> str:
        """The total in capital characters."""
        return "" if self.total_fen is None else capital(self.total_fen)

    def data(self) -> dict[str, Any]:
        """What the API answers: amounts in fen."""
        return {
            "code": self.code, "title": self.title, "facts": [{"name": name, "value": value} for name, value in self.facts],
            "columns": [{"name": one.name, "head": one.head, "kind": one.kind} for one in self.fields],
            "rows": [{one.name: one.value(row) for one in self.fields} for row in self.rows],
            "sums": [{"name": name, "head": head, "amount_fen": fen} for name, head, fen in self.sums], "capital": self.capital,
        }  # fmt: skip


def paper_excel(paper: Paper) -> HttpResponse:
    """Return the workbook: amounts as numbers, the sums below the table in the first column of amounts."""
    columns = [Column(one.head, one.kind, one.width) for one in paper.fields]
    above = [f"{paper.title} {paper.code}", *(f"{name}：{value}" for name, value in paper.facts)]
    if paper.capital:
        above.append(f"{_('合计（大写）')}：{paper.capital}")
    rows = [[one.value(row) for one in paper.fields] for row in paper.rows]
    return excel(paper.code, columns, [*rows, *_sum_rows(paper)], above=above)


def _sum_rows(paper: Paper) -> list[list[Any]]:
    place = next((number for number, one in enumerate(paper.fields) if one.kind == YUAN), None)
    if place is None:
        return []
    label = max((number for number, one in enumerate(paper.fields) if one.kind == TEXT and number < place), default=0)
    found = []
    for _name, head, fen in paper.sums:
        row: list[Any] = [None] * len(paper.fields)
        row[label], row[place] = head, fen
        found.append(row)
    return found


def paper_pdf(paper: Paper, now: datetime) -> HttpResponse:
    """Return the paper as PDF. Texts go in as data: nothing in them can be an instruction to the typesetter."""
    fonts = chinese_fonts()
    if not fonts:
        raise Refused(
            "paper.no_font", N_("服务器没有中文字体，不能生成 PDF。请管理员安装 fonts-noto-cjk，或先用 Excel")
        )
    content = {
        "code": paper.code, "title": paper.title, "facts": list(paper.facts), "fonts": fonts, "heads": [one.head for one in paper.fields],
        "widths": [one.width for one in paper.fields], "right": [one.kind != TEXT for one in paper.fields],
        "rows": [[one.text(row) for one in paper.fields] for row in paper.rows], "sums": [[head, yuan(fen)] for _n, head, fen in paper.sums],
        "capital": paper.capital, "capital_head": _("合计（大写）"), "signatures": list(paper.signatures),
        "is_wide": sum(one.width for one in paper.fields) > WIDE,
    }  # fmt: skip
    made = typst.compile(
        SHEET.read_bytes(), sys_inputs={"data": json.dumps(content, ensure_ascii=False)}, timestamp=int(now.timestamp())
    )
    return download(made, "application/pdf", f"{paper.code}.pdf")


@functools.cache
def chinese_fonts() -> list[str]:
    """Return the fonts of this machine that have Chinese characters, the best first."""
    there = set(typst.Fonts().families())
    return [name for name in FONTS if name in there]


def paper_answer(paper: Paper, kind: str, now: datetime) -> HttpResponse:
    """Return the paper as the kind that an address asks for: excel or pdf."""
    return paper_pdf(paper, now) if kind == "pdf" else paper_excel(paper)


@dataclass(frozen=True)
class PageTable:
    """The same columns on a page: headings, and for each row its mark, its address and its cells."""

    heads: list[Any]
    rows: list[tuple[str, str, list[tuple[str, bool]]]]
    link: int


def page_table(
    fields: Sequence[Field], rows: Iterable[Any], *, link: str = "", address: Callable[[Any], str] = lambda _row: "",
    mark: Callable[[Any], str] = lambda _row: "",
) -> PageTable:  # fmt: skip
    """Return rows as a page prints them; the cell of the column ``link`` leads to the row's address."""
    heads = [(one.head, "right") if one.kind in (YUAN, COUNT) else one.head for one in fields]
    cells = [
        (mark(row), address(row), [(one.text(row), one.kind in (YUAN, COUNT)) for one in fields]) for row in rows
    ]  # fmt: skip
    place = next((number for number, one in enumerate(fields) if one.name == link), 0)
    return PageTable(heads, cells, place)


DRAWN_UP = {"drafted_by": N_("起草"), "entered_by": N_("登记"), "": N_("自动生成")}


def signers(row: Decided) -> list[tuple[str, str, datetime | None]]:
    """Return the steps of what two persons decide: each with the person's name (none where the system did it), and when, if it is done."""
    author = getattr(row, row.AUTHOR).name if row.AUTHOR else ""
    later = ((_("初审"), row.reviewed_by, row.reviewed_at), (_("复核"), row.approved_by, row.approved_at))
    return [
        (_(DRAWN_UP[row.AUTHOR]), author, row.created_at),
        *((label, person.name if person else "", at) for label, person, at in later),
    ]
