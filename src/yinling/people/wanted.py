"""What one row of a sheet wants to be true of a person, and what is wrong with which of its cells. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as made
from datetime import date
from typing import Any

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.cells import day_of, id_text, phone_text, text_of
from yinling.people.mapping import HABITS, YES, Reading, plain_head, says_no
from yinling.people.places import Places
from yinling.people.rules import check_age, check_death, check_document
from yinling.people.sheets import Cell, Row

ERROR, NOTE = "error", "note"
MANY = re.compile(r"[、,;/，；+＋和\n]|\s{1,}")
LONGEST = {"name": 40, "address": 200, "contact_name": 40, "circumstance_detail": 40, "body": 80}
SEVERE = ("1", "2", "一", "二")
_UNKNOWN = {
    "sex": N_("认不出性别，请填“男”或“女”"),
    "id_type": N_("认不出证件类型，请填居民身份证、港澳台居民居住证、护照或无证件"),
    "contact_kind": N_("认不出与本人的关系，已记为“其他”"),
    "circumstance": N_("认不出这个人群类别，请在“对应关系”里说明它是什么，或改用平台的名称"),
    "yes": N_("这里应填“是”或“否”"),
}


@dataclass(frozen=True)
class Fault:
    """Something about one cell: an error keeps the row from being written, a note does not. ``values`` hold no personal data."""

    field: str
    code: str
    text: str
    values: Mapping[str, Any] = made(default_factory=dict)
    level: str = ERROR

    @classmethod
    def of(cls, refusal: Refused, column: str) -> Fault:
        """Return the fault that a refusal of the kernel is."""
        values = {name: value for name, value in refusal.values.items() if isinstance(value, int | str)}
        return cls(column, refusal.code, refusal.template, values)

    def as_json(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "code": self.code,
            "text": self.text,
            "values": dict(self.values),
            "level": self.level,
        }


@dataclass(frozen=True)
class Truth:
    """A circumstance from a day on; ``to`` is the first day on which it no longer holds."""

    kind: str
    from_: str = ""
    to: str = ""
    detail: str = ""


@dataclass
class Wanted:
    """What a row says of a person. Empty means that the row says nothing of it, never that it is to be emptied."""

    name: str = ""
    sex: str = ""
    born_on: str = ""
    id_type: str = ""
    id_number: str = ""
    phone: str = ""
    div: str = ""
    address: str = ""
    hukou_div: str = ""
    contact_name: str = ""
    contact_kind: str = ""
    contact_phone: str = ""
    died_on: str = ""
    moved_on: str = ""
    body: str = ""
    health_on: str = ""
    truths: list[Truth] = made(default_factory=list)
    health: dict[str, str] = made(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Wanted:
        return cls(**{**kept, "truths": [Truth(**one) for one in kept.get("truths", [])]})

    @property
    def born(self) -> date | None:
        """The birth date as a day."""
        return date.fromisoformat(self.born_on) if self.born_on else None


@dataclass(frozen=True)
class Sense:
    """What does not change from row to row: how the sheet is read, the map, the day, the department."""

    reading: Reading
    heads: Sequence[str]
    places: Places
    today: date
    department: str = "other"
    counts_from_1904: bool = False

    @property
    def body(self) -> str:
        """Who is named as having recognised a circumstance where the row does not say."""
        return self.reading.body or HABITS.get(self.department, HABITS["other"]).body


class RowReader:
    """Reads rows one by one. A fault in one cell leaves the other cells readable."""

    def __init__(self, sense: Sense) -> None:
        self.sense = sense
        wanted = {
            code: place for place, head in enumerate(sense.heads) if (code := sense.reading.columns.get(head, ""))
        }
        self.places = wanted
        self.flags = {code.removeprefix("is."): place for code, place in wanted.items() if code.startswith("is.")}
        self.health = {
            code.removeprefix("health."): place for code, place in wanted.items() if code.startswith("health.")
        }

    def read(self, row: Row) -> tuple[Wanted, list[Fault]]:
        """Return what the row wants, as far as it can be read, and what is wrong with it."""
        return _OneRow(self, row).read()


class _OneRow:
    def __init__(self, reader: RowReader, row: Row) -> None:
        self.reader, self.sense, self.row = reader, reader.sense, row
        self.wanted = Wanted()
        self.faults: list[Fault] = []

    def cell(self, code: str) -> Cell:
        place = self.reader.places.get(code)
        return self.row[place] if place is not None and place < len(self.row) else None

    def text(self, code: str) -> str:
        return text_of(self.cell(code))

    def note(self, column: str, code: str, sentence: str, level: str = NOTE, **values: Any) -> None:
        self.faults.append(Fault(column, code, sentence, values, level))

    def read(self) -> tuple[Wanted, list[Fault]]:
        for step in (
            self._texts,
            self._days,
            self._words,
            self._document,
            self._place,
            self._phones,
            self._truths,
            self._health,
        ):
            step()
        self._agree()
        return self.wanted, self.faults

    def _guarded(self, column: str, read: Callable[[], Any], empty: Any = "") -> Any:
        try:
            return read()
        except Refused as refusal:
            self.faults.append(Fault.of(refusal, column))
            return empty

    def _texts(self) -> None:
        for column in ("name", "address", "contact_name", "body"):
            text = self.text(column)
            if len(text) > LONGEST[column]:
                self.note(
                    column,
                    "text.too_long",
                    N_("最多%(most)s个字，现在是%(length)s个"),
                    ERROR,
                    most=LONGEST[column],
                    length=len(text),
                )
                text = ""
            setattr(self.wanted, column, text)
        self.wanted.name = re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", self.wanted.name)
        if not self.wanted.name and not any(fault.field == "name" for fault in self.faults):
            self.note("name", "name.missing", N_("没有姓名，请补填"), ERROR)

    def _days(self) -> None:
        for column in ("born_on", "died_on", "moved_on", "health_on"):
            found = self._guarded(column, lambda column=column: self._day(column), None)  # type: ignore[misc]
            setattr(self.wanted, column, found.isoformat() if found else "")

    def _day(self, column: str) -> date | None:
        return day_of(self.cell(column), counts_from_1904=self.sense.counts_from_1904)

    def _words(self) -> None:
        for column in ("sex", "id_type", "contact_kind"):
            text = self.text(column)
            code = self.sense.reading.word(column, text) if text else ""
            if code is None:
                level = NOTE if column == "contact_kind" else ERROR
                self.note(column, "word.unknown", _UNKNOWN[column], level)
            setattr(self.wanted, column, code or "")
        if self.wanted.contact_name and not self.wanted.contact_kind:
            self.wanted.contact_kind = "other"

    def _document(self) -> None:
        """Read the number; sex and birth date are taken from it only where the row says nothing (X-ID-01b)."""
        number, is_guessed = self._guarded("id_number", lambda: id_text(self.cell("id_number")), ("", False))
        if not number:
            return
        kind = self.wanted.id_type or _kind_of(number)
        said = self.wanted.born or date(1, 1, 1), self.wanted.sex or "9"
        try:
            document = check_document(kind, number, born=said[0], sex=said[1], today=self.sense.today)
        except Refused as refusal:
            self.faults.append(Fault.of(refusal, "id_number"))
            return
        self.wanted.id_number, self.wanted.id_type = document.number, kind
        if is_guessed:
            self.note("id_number", "id.look_alike", N_("号码里有形近字符，已按数字读取并通过校验，请核对"))
        if kind in ("id", "residence_permit"):
            self._from_number(document.number, document.conflicts)

    def _from_number(self, number: str, conflicts: tuple[str, ...]) -> None:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14])).isoformat()
        if not self.wanted.born_on and not self._has_error("born_on"):
            self.wanted.born_on = born
        elif "born_on" in conflicts and self.wanted.born_on:
            self.note("born_on", "id.conflict", N_("出生日期与身份证号不一致，按表中填写的导入，请核对"))
        if not self.wanted.sex and not self._has_error("sex"):
            self.wanted.sex = "1" if int(number[16]) % 2 else "2"
        elif "sex" in conflicts and self.wanted.sex:
            self.note("sex", "id.conflict", N_("性别与身份证号不一致，按表中填写的导入，请核对"))

    def _has_error(self, column: str) -> bool:
        return any(fault.field == column and fault.level == ERROR for fault in self.faults)

    def _place(self) -> None:
        text = self.text("div")
        hints = (self.text("street"), self.text("district"))
        if text:
            self.wanted.div = self._guarded("div", lambda: self.sense.places.find(text, *hints))
        elif self.sense.reading.div:
            self.wanted.div = self._guarded("div", lambda: self.sense.places.find(self.sense.reading.div))
        hukou = re.sub(r"\D", "", self.text("hukou_div"))
        self.wanted.hukou_div = hukou[:12].rstrip("0") if hukou else ""

    def _phones(self) -> None:
        for column in ("phone", "contact_phone"):
            setattr(self.wanted, column, self._guarded(column, lambda column=column: phone_text(self.cell(column))))  # type: ignore[misc]
        if self.wanted.contact_name and not self.wanted.contact_phone and not self._has_error("contact_phone"):
            self.note("contact_name", "contact.no_phone", N_("联系人没有电话，未导入这位联系人"))
            self.wanted.contact_name = ""

    # circumstances

    def _truths(self) -> None:
        kinds = self._kinds()
        since = self._guarded("circumstance_from", lambda: self._day("circumstance_from"), None)
        last = self._guarded("circumstance_to", lambda: self._day("circumstance_to"), None)
        from_ = since.isoformat() if since else self.sense.reading.since
        if since and last and last < since:
            self.note("circumstance_to", "circumstance.order", N_("截止日期早于开始日期，请核对"), ERROR)
            return
        until = date.fromordinal(last.toordinal() + 1).isoformat() if last and last < date.max else ""
        detail = self.text("circumstance_detail")[: LONGEST["circumstance_detail"]]
        self.wanted.truths = [
            Truth(kind, from_, until, own or detail) for kind, own in kinds.items() if kind != "moved_away"
        ]

    def _kinds(self) -> dict[str, str]:
        """Return the circumstances of the row, each with its own words."""
        reading, found = self.sense.reading, {}
        if reading.always:
            found[reading.always] = ""
        for kind, place in self.reader.flags.items():
            if self._is_yes(f"is.{kind}", self.row[place] if place < len(self.row) else None):
                found.setdefault(kind, "")
        whole = self.text("circumstance")
        parts = [whole] if whole and reading.word("circumstance", whole) else MANY.split(whole)
        for part in (part for part in parts if not says_no(part)):
            code = reading.word("circumstance", part)
            if code is None:
                self.note("circumstance", "word.unknown", _UNKNOWN["circumstance"], ERROR)
            else:
                found.setdefault(code, "")
        return found | self._disability(found)

    def _is_yes(self, column: str, cell: Cell) -> bool:
        text = text_of(cell).lower()
        is_yes = text in YES or plain_head(text) in YES
        if not is_yes and not says_no(text):
            self.note(column, "word.unknown", _UNKNOWN["yes"], ERROR)
        return is_yes

    def _disability(self, found: Mapping[str, str]) -> dict[str, str]:
        kind, grade = self.text("disability_kind"), self.text("disability_grade")
        if says_no(kind) and says_no(grade):
            return {}
        kind, grade = ("" if says_no(text) else text for text in (kind, grade))
        words = f"{kind}{grade}{'级' if grade and not grade.endswith('级') else ''}"[: LONGEST["circumstance_detail"]]
        number = re.sub(r"[级等第]", "", grade) or "".join(re.findall(r"[一二三四1-4]", kind)[-1:])
        severe = {"severe_disability": words} if number in SEVERE and "severe_disability" not in found else {}
        return {"disability": words} | severe

    def _health(self) -> None:
        for kind, place in self.reader.health.items():
            text = text_of(self.row[place] if place < len(self.row) else None)
            if not says_no(text):
                self.wanted.health[kind] = text[:1000]

    # the row as a whole

    def _agree(self) -> None:
        wanted, today = self.wanted, self.sense.today
        born, died = wanted.born, date.fromisoformat(wanted.died_on) if wanted.died_on else None
        if born is None:
            if not (self._has_error("born_on") or self._has_error("id_number")):
                self.note("born_on", "born.missing", N_("没有出生日期，也没有可用的身份证号，请补填其中一项"), ERROR)
            return
        self._guarded("born_on", lambda: _old_enough(born, died or today, today))
        if died:
            self._guarded("died_on", lambda: check_death(died, born=born, today=today))
        if wanted.moved_on and wanted.moved_on > today.isoformat():
            self.note("moved_on", "moved.in_future", N_("迁出日期晚于今天，请核对"), ERROR)
        if any(one.from_ and one.from_ < wanted.born_on for one in wanted.truths):
            self.note("circumstance_from", "circumstance.before_birth", N_("开始日期早于出生日期，请核对"), ERROR)


def _kind_of(number: str) -> str:
    if re.fullmatch(r"8[123]\d{15}[\dX]", number, re.ASCII):
        return "residence_permit"
    return "passport" if re.fullmatch(r"[A-Z]{1,2}[A-Z0-9]{6,9}", number, re.ASCII) else "id"


def _old_enough(born: date, on: date, today: date) -> None:
    """Refuse as at registration, without the day on which the person will be old enough."""
    if born > today:
        on = today
    try:
        check_age(born, on)
    except Refused as refusal:
        if refusal.code != "elder.under_60":
            raise
        raise Refused(refusal.code, N_("未满60周岁，不是服务对象，满60周岁后再登记"), field="born_on") from None
