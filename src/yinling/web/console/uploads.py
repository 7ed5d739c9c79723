"""Files that are read first without anything counting, then booked with one button: answers of payers and banks, receipts.

Whoever sends a file with new headings says once what its columns are; what was shown is what is booked.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.people.cells import text_of
from yinling.people.mapping import plain_head
from yinling.settlement.files import MOST_BYTES
from yinling.settlement.operations import save_file_layout
from yinling.settlement.queries.files import FIELDS, Opened, open_file
from yinling.settlement.tables import Field
from yinling.web.api.verbs import check_storable
from yinling.web.show import refusal_text

MOST_FAULTS = 100
MOST_WORDS = 40
SAMPLES = 4
WHYS = {
    "out": N_("支出，不是到账"),
    "reversal": N_("银行冲正"),
    "total": N_("合计行"),
    "skip": N_("说明为不在这里登记"),
}

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Wordy:
    """A column whose words a person explains: its field, what it is called, and what they may mean."""

    name: str
    label: str
    choices: Choices


@dataclass(frozen=True)
class Word:
    """A word of a file and what it means, "" as long as nobody said."""

    of: Wordy
    text: str
    meaning: str = ""


@dataclass
class Upload:
    """What the page shows of a file: its preview or why there is none, and the file itself for the button that books it."""

    kind: str = ""
    shown: Any = None
    problem: str = ""
    status: int = 200
    content: str = ""
    name: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    """Further fields that the button sends."""
    file: Opened | None = None
    words: Sequence[Word] = ()
    """What is asked of words, then what was said of others."""

    @property
    def problems(self) -> list[Any]:
        """The first faults of the file."""
        return list(self.shown.problems[:MOST_FAULTS]) if self.shown else []

    @property
    def layout(self) -> str:
        """How the file is read, for the button that books it as it was shown."""
        return json.dumps(self.file.layout.as_json(), ensure_ascii=False) if self.file else ""

    @property
    def fields(self) -> Sequence[Field]:
        """What a column may hold."""
        return FIELDS[self.kind]

    @property
    def choices(self) -> Choices:
        """What a column may hold, by code."""
        return [(one.code, one.head) for one in self.fields]

    @property
    def asks(self) -> bool:
        """Whether a person has to say what the columns are, before anything else can be shown."""
        return self.file is not None and self.shown is None

    @property
    def open_words(self) -> int:
        """How many words nobody explained yet."""
        return sum(not one.meaning for one in self.words)

    @property
    def samples(self) -> dict[str, list[str]]:
        """The first different texts of each column."""
        found: dict[str, list[str]] = {}
        if self.file:
            rows = self.file.sheet.rows[self.file.layout.header + 1 :][:200]
            for place, head in enumerate(self.file.heads):
                texts = dict.fromkeys(text_of(row[place])[:40] for row in rows)
                found[head] = [text for text in texts if text][:SAMPLES]
        return found

    @property
    def left(self) -> list[tuple[str, list[Any]]]:
        """The lines that register nothing, by why."""
        lines = self.shown.left if self.shown else ()
        return [(label, found) for why, label in WHYS.items() if (found := [one for one in lines if one.why == why])]


def upload(
    request: Any, kind: str, preview: Callable[[Opened], Any], load: Callable[[str, str, Any], object], wordy: Sequence[Wordy] = (), **kept: str
) -> Upload | None:  # fmt: skip
    """Read the file of a form, or book it; nothing is returned when it is booked.

    ``load`` takes its content as base64, its name, and how it is read.
    """
    answer = Upload(kind, kept=kept)
    if request.method != "POST":
        return answer
    try:
        data, answer.name = _uploaded(request)
        answer.content = base64.b64encode(data).decode()
        then = request.POST.get("then")
        said = _json(request.POST.get("layout", "")) if then in ("load", "map", "change") else None
        if then == "load":
            load(answer.content, answer.name, said)
            return None
        today = local_date(request.now)
        answer.file = open_file(request.actor, kind, data, today, said)
        if then == "map":
            answer.file = open_file(request.actor, kind, data, today, _mapped(request.POST, answer.file))
        if then != "change" and answer.file.way != "guess":
            _show(request, answer, preview, wordy, is_said=then == "map")
    except Refusal as refusal:
        answer.problem, answer.status = refusal_text(refusal), refusal.status
    return answer


def _show(
    request: Any, answer: Upload, preview: Callable[[Opened], Any], wordy: Sequence[Wordy], *, is_said: bool
) -> None:
    file = answer.file
    if file is None:
        return
    if is_said and file.way == "said":
        save_file_layout(actor=request.actor, now=request.now, kind=answer.kind, layout=file.layout.as_json())
    answer.shown = preview(file)
    if file.way != "own":
        answer.words = _words(file, answer.shown.table, wordy)


def _words(file: Opened, table: Any, wordy: Sequence[Wordy]) -> list[Word]:
    """Return what is asked of words that mean nothing yet, then what was said of others."""
    asked, said = [], []
    for one in wordy:
        known = {code for code, _label in one.choices}
        valid = known | {code.partition("/")[0] for code in known}
        asked += [Word(one, word) for word in table.unknown(one.name, valid)]
        said += [Word(one, word, code) for word, code in file.layout.words.get(one.name, {}).items()]
    return [*asked[:MOST_WORDS], *said[:MOST_WORDS]]


def _mapped(sent: Any, file: Opened) -> dict[str, Any]:
    """Read the form: the places of columns and words stand for themselves, which a form cannot name safely."""
    layout = file.layout.as_json()
    header = sent.get("header", "1")[:3]
    layout["header"] = number = int(header) - 1 if header.isascii() and header.isdigit() and header != "0" else 0
    sheet = sent.get("sheet", "")[:100]
    if number != file.layout.header or sheet not in ("", file.sheet.name):
        is_same = number == file.layout.header  # a row that was meant for another sheet
        return layout | {"columns": {}, "sheet": sheet, "header": None if is_same else number}
    layout["sheet"] = file.sheet.name
    layout["columns"] = {head: sent.get(f"column.{place}", "") for place, head in enumerate(file.heads)}
    for name, word, meaning in zip(
        *(sent.getlist(f"word.{part}") for part in ("field", "text", "meaning")), strict=False
    ):
        if meaning:
            layout["words"].setdefault(name, {})[plain_head(word)] = meaning
    return layout


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "null")
        check_storable(found)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _uploaded(request: Any) -> tuple[bytes, str]:
    """Return the file of a form, as sent or as shown before."""
    file = request.FILES.get("file")
    if file is None:
        kept = request.POST.get("content", "")
        if not kept:
            raise Refused("file.missing", N_("请选择文件"), field="content")
        try:
            return base64.b64decode(kept, validate=True), request.POST.get("name", "")[:200]
        except ValueError as error:
            raise Refused("file.broken", N_("文件没有传完整，请重新上传"), field="content") from error
    if file.size > MOST_BYTES:
        raise Refused("file.too_large", N_("文件超过 8 MB，请拆成几个文件"), field="content")
    return file.read(), file.name[:200]
