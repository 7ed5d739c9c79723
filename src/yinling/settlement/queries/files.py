"""How a file of a bank or payer is read: as said for its headings before, as our own files are, else by headings that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.mapping import headings, plain_head
from yinling.people.sheets import Sheet
from yinling.settlement import arriving, bankfile, remitting, tables
from yinling.settlement.files import check_count, opened
from yinling.settlement.models import FileLayout
from yinling.settlement.tables import Field, Layout, Table, own_heads

FIELDS: dict[str, Sequence[Field]] = {
    "arrival": arriving.FIELDS,
    "return": bankfile.RETURN_FIELDS,
    "remittance": remitting.FIELDS,
}
MOST_SHEETS = 8
"""Of a file about which nobody has said anything, no more sheets are looked at."""
Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Opened:
    """A file as the screen shows it: its sheets, the rows of the one that is read, how it is read and how that came about."""

    kind: str
    sheets: Sequence[str]
    sheet: Sheet
    layout: Layout
    way: str
    """"own", "kept", "said" or "guess"."""
    words: Words
    counts_from_1904: bool

    @property
    def heads(self) -> list[str]:
        """The headings of the file."""
        return headings(self.sheet.rows, self.layout.header)

    def table(self) -> Table:
        """Return its lines. Raises Refused ``file.…``."""
        fields = FIELDS[self.kind]
        tables.check(self.layout, fields)
        found = tables.table(self.sheet.rows, fields, self.layout, self.words, counts_from_1904=self.counts_from_1904)
        check_count(found)
        return found


def open_file(actor: Actor, kind: str, content: bytes, today: date, said: Mapping[str, Any] | None = None) -> Opened:
    """Open a file and find how it is read; ``said`` is what a person says of it now. Without columns these are proposed."""
    book = opened(content)
    fields = FIELDS[kind]
    asked = Layout.from_json(said, fields) if said else None
    area = actor.div or ""
    if asked and asked.columns:
        sheet, layout, way = book.sheet(asked.sheet), asked, "said"
    else:
        names = [asked.sheet] if asked else book.names[:MOST_SHEETS]
        header = asked.header if asked and said and isinstance(said.get("header"), int) else None
        sheet, layout, way = _likeliest(area, kind, [book.sheet(name) for name in names], today, header)
    return Opened(kind, book.names, sheet, layout, way, known_words(area, kind, today), book.counts_from_1904)


def _likeliest(
    area: str, kind: str, sheets: Sequence[Sheet], today: date, header: int | None
) -> tuple[Sheet, Layout, str]:
    """Return the sheet whose headings are known, else the one of whose headings most can be guessed: before it may stand a cover."""
    found = [(sheet, *_proposed(area, kind, sheet, today, header)) for sheet in sheets]
    sheet, layout, way = max(found, key=lambda one: (one[2] != "guess", sum(map(bool, one[1].columns.values()))))
    return sheet, replace(layout, sheet=sheet.name), way


def _proposed(area: str, kind: str, sheet: Sheet, today: date, header: int | None) -> tuple[Layout, str]:
    fields = FIELDS[kind]
    if header is None and (own := tables.own_layout(fields, sheet.rows)):
        return own, "own"
    marks = tables.marks(sheet.rows)
    wanted = [mark for mark, number in marks.items() if header in (None, number)]
    kept = FileLayout.objects.filter(div=area, kind=kind, heads__in=wanted).order_by("-changed_at", "-id").first()
    if kept is not None:
        return Layout.from_json(
            {"header": marks[kept.heads], "columns": kept.columns, "words": kept.words}, fields
        ), "kept"
    known = {
        plain_head(head): code
        for code, heads in parameter("files.headings", area, today)[kind].items()
        for head in heads
    }
    return tables.guess(sheet.rows, known, header), "guess"


def known_words(area: str, kind: str, today: date) -> Words:
    """Return what the usual words of such files mean, by field."""
    found = parameter("files.words", area, today)[kind]
    return {
        name: {plain_head(str(word)): code for code, words in one.items() for word in words}
        for name, one in found.items()
    }


def table_of(actor: Actor, kind: str, content: bytes, today: date, layout: Mapping[str, Any] | None) -> Table:
    """Return the lines of a file. What is only guessed does not count: a person has to say it first."""
    found = open_file(actor, kind, content, today, layout)
    if found.way == "guess":
        heads = "，".join(own_heads(FIELDS[kind]))
        raise Refused(
            "file.heads",
            N_("没有见过这样的表头，请先在页面上说明每一列是什么，或把表头改为：%(heads)s"),
            field="content",
            heads=heads,
        )
    return found.table()
