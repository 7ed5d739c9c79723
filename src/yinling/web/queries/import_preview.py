"""What the pages of an import show: rows as they would be read, with the trouble at its cell, and lines with their outcome."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from yinling.kernel.masks import mask_id, mask_phone
from yinling.people.cells import text_of
from yinling.people.mapping import BY_CODE, WORD_CHOICES, Reading, plain_head, says_no
from yinling.people.models import Elder, Import, ImportLine
from yinling.people.queries.imports import Table, forget_map, lines, sense_of
from yinling.people.sheets import Row
from yinling.people.wanted import ERROR, MANY, RowReader, Wanted
from yinling.web.show import tr

SAMPLES, PREVIEWED, LOOKED_AT, MOST_WORDS = 3, 20, 2000, 20
_NUMBER = re.compile(r"\d[\d\-]{5,}[\dXx]", re.ASCII)
_DAY = re.compile(r"(?:19|20)\d\d[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?", re.ASCII)


def shown(text: str) -> str:
    """Return the text of a cell with long numbers masked: a person who maps columns needs their shape only."""
    if _DAY.fullmatch(text):
        return text
    return _NUMBER.sub(lambda hit: mask_id(hit[0]) if len(hit[0]) > 13 else mask_phone(hit[0]), text)  # noqa: PLR2004 - longer than a phone


@dataclass(frozen=True)
class Cell:
    """One cell of the preview."""

    text: str
    faults: list[tuple[str, str]]

    @property
    def tone(self) -> str:
        """How it is marked: error, note or nothing."""
        levels = {level for level, _sentence in self.faults}
        return "error" if ERROR in levels else "note" if levels else ""


@dataclass(frozen=True)
class Previewed:
    """One row of the preview: its number in the sheet, its cells, and what belongs to no cell."""

    number: int
    cells: list[Cell]
    rest: list[tuple[str, str]]


def samples(table: Table) -> dict[str, list[str]]:
    """Return the first different values of each column."""
    found: dict[str, list[str]] = {head: [] for head in table.heads}
    for _number, row in table.rows[:200]:
        for head, cell in zip(table.heads, row, strict=False):
            text = shown(text_of(cell))[:40]
            if text and len(found[head]) < SAMPLES and text not in found[head]:
                found[head].append(text)
    return found


def sentence(fault: dict[str, Any]) -> str:
    """Return what is wrong, in the reader's language."""
    values = fault.get("values") or {}
    text = _(str(fault["text"]))
    return text % values if values else text


def preview(row: Import, table: Table, now: datetime) -> list[Previewed]:
    """Return the first rows as they would be read."""
    forget_map()
    reader = RowReader(sense_of(row, table, now))
    return [_previewed(reader, table, number, cells) for number, cells in table.rows[:PREVIEWED]]


def _previewed(reader: RowReader, table: Table, number: int, cells: Row) -> Previewed:
    _wanted, faults = reader.read(cells)
    by_place: dict[int | None, list[tuple[str, str]]] = defaultdict(list)
    for fault in faults:
        by_place[reader.places.get(fault.field)].append((fault.level, sentence(fault.as_json())))
    texts = [text_of(cell) for cell in cells[: len(table.heads)]]
    found = [Cell(shown(text)[:60], by_place.get(place, [])) for place, text in enumerate(texts)]
    return Previewed(number, found, by_place.get(None, []))


def unknown_words(table: Table) -> dict[str, list[str]]:
    """Return for each list of words those the sheet uses and nobody explained yet."""
    reading = table.reading
    found: dict[str, list[str]] = defaultdict(list)
    for name in WORD_CHOICES:
        head = next((head for head, code in reading.columns.items() if code == name), None)
        if head is None or head not in table.heads:
            continue
        place, seen = table.heads.index(head), set()
        for _number, row in table.rows[:LOOKED_AT]:
            text = text_of(row[place]) if place < len(row) else ""
            parts = MANY.split(text) if name == "circumstance" and reading.word(name, text) is None else [text]
            for part in parts:
                if (
                    part not in seen
                    and not says_no(part)
                    and len(found[name]) < MOST_WORDS
                    and reading.word(name, part) is None
                ):
                    found[name].append(part[:40])
                seen.add(part)
    return {name: words for name, words in found.items() if words}


def known_words(reading: Reading) -> dict[str, dict[str, str]]:
    """Return the department's own words that somebody explained."""
    return {name: words for name, words in reading.words.items() if words}


@dataclass(frozen=True)
class Line:
    """One line of the dry run as the pages show it."""

    row: ImportLine
    wanted: Wanted
    faults: list[tuple[str, str, str]]
    touched: list[str]


def shown_lines(row: Import, found: Iterable[ImportLine]) -> list[Line]:
    """Return lines with their sentences; each fault as (level, column, sentence)."""
    heads = heads_by_code(row)
    made = []
    for one in found:
        content = json.loads(one.unseal_field("content"))
        faults = [
            (fault["level"], heads.get(fault["field"]) or label(fault["field"]), sentence(fault))
            for fault in one.faults
        ]
        made.append(
            Line(one, Wanted.from_json(content["wanted"]), faults, [label(name) for name in content["touched"]])
        )
    return made


def heads_by_code(row: Import) -> dict[str, str]:
    """Return the heading under which each meaning stands in the sheet."""
    return {code: head for head, code in Reading.from_json(row.mapping).columns.items() if code}


def label(code: str) -> str:
    """Return the name of a meaning."""
    return tr(BY_CODE[code].label) if code in BY_CODE else code


def error_rows(row: Import, heads: Sequence[str], found: Iterable[ImportLine]) -> Iterable[list[str]]:
    """Return the rows with errors as they were, with their number and what is wrong."""
    for line in shown_lines(row, found):
        cells = json.loads(line.row.unseal_field("content"))["cells"]
        cells = [*cells, *[""] * len(heads)][: len(heads)]
        yield [
            str(line.row.number),
            *cells,
            "；".join(f"{head}：{text}" for level, head, text in line.faults if level == ERROR),
        ]


def _side(line: Line, names: dict[str, str]) -> dict[str, Any]:
    wanted = line.wanted
    return {
        "title": _("表中第 %(number)s 行") % {"number": line.row.number}, "elder": None, "name": wanted.name, "born": wanted.born_on,
        "id": mask_id(wanted.id_number), "phone": mask_phone(wanted.phone), "place": names.get(wanted.div, wanted.div),
        "address": wanted.address,
    }  # fmt: skip


def twins(row: Import, found: Iterable[ImportLine]) -> dict[int, Line]:
    """Return the first lines of persons that the sheet names twice, by number."""
    numbers = [one["line"] for line in found for one in line.candidates if "line" in one]
    return {line.row.number: line for line in shown_lines(row, lines(row).filter(number__in=numbers))}


def sides(line: Line, files: dict[int, Elder], first: dict[int, Line], names: dict[str, str]) -> list[dict[str, Any]]:
    """Return the row and what may be the same person, side by side, numbers masked."""
    found = [_side(line, names)]
    for one in line.row.candidates:
        if one.get("line") in first:
            found.append(_side(first[one["line"]], names))
        if (elder := files.get(one.get("elder", 0))) is not None:
            found.append(_file_side(elder, names))
    return found


def _file_side(elder: Elder, names: dict[str, str]) -> dict[str, Any]:
    return {
        "title": "", "elder": elder, "name": elder.name, "born": elder.born_on.isoformat(), "id": mask_id(elder.unseal_field("id_number")),
        "phone": mask_phone(elder.unseal_field("phone")), "place": names.get(elder.div, elder.div), "address": elder.household.address,
    }  # fmt: skip


def key_of_word(name: str, word: str) -> str:
    """Return the name of the form field in which a word is explained."""
    return f"word.{name}.{plain_head(word)}"
