"""What comes from another line, by its interface or as a line of a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from yinling.kernel.period import SHANGHAI
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

COLUMNS = {
    "foreign_number": N_("对方工单号"), "state": N_("对方状态"), "happened_at": N_("时间"), "kind": N_("类别"), "title": N_("标题"),
    "text": N_("内容"), "name": N_("姓名"), "phone": N_("电话"), "div": N_("区划"),
}  # fmt: skip
NEEDED = ("foreign_number", "state", "happened_at", "title")
MOST = {"foreign_number": 64, "state": 40, "kind": 20, "title": 80, "text": 2000, "name": 40, "phone": 20, "div": 12}
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")


@dataclass(frozen=True)
class Incoming:
    """One message: which matter of which line, its state there and since when, and for a new one what it is about."""

    platform: str
    key: str
    foreign_number: str
    state: str
    happened_at: datetime
    kind: str = ""
    title: str = ""
    text: str = ""
    name: str = ""
    phone: str = ""
    div: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """Everything in it, by name: what is signed and fingerprinted."""
        return asdict(self)


def read_row(platform: str, row: Mapping[str, Any], line: int) -> Incoming:
    """Return a line of a table as a message. Raises Refused ``exchange.row`` with the line and what is wrong."""
    texts = {name: _text(row.get(name)) for name in MOST}
    for name in NEEDED:
        if not _text(row.get(name)):
            raise Refused(
                "exchange.row", N_("第 %(line)s 行缺少“%(what)s”"), field="rows", line=line, what=COLUMNS[name]
            )
    for name, text in texts.items():
        if len(text) > MOST[name]:
            detail = N_("第 %(line)s 行的“%(what)s”太长，最多 %(most)s 个字")
            raise Refused("exchange.row", detail, field="rows", line=line, what=COLUMNS[name], most=MOST[name])
    at = read_moment(row.get("happened_at"))
    if at is None:
        raise Refused(
            "exchange.row", N_("第 %(line)s 行的时间看不懂，请写成 2026-06-15 10:00"), field="rows", line=line
        )
    key = f"file:{texts['foreign_number'][:50]}:{texts['state'][:20]}:{at:%Y%m%d%H%M%S}"
    return Incoming(platform=platform, key=key, happened_at=at, **texts)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def read_moment(value: Any) -> datetime | None:
    """Return a moment as tables hold it: a date cell, or a text in local time or with its offset."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=SHANGHAI)
    if isinstance(value, date):
        return datetime.combine(value, time(), SHANGHAI)
    text = _text(value)
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=SHANGHAI)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def by_heads(heads: Sequence[Any], rows: Sequence[Sequence[Any]]) -> list[dict[str, str]]:
    """Return the lines of a table by the names of its columns; moments as text. Raises Refused where a needed column is missing."""
    wanted = {label: name for name, label in COLUMNS.items()}
    places = {wanted[label]: place for place, head in enumerate(heads) if (label := _text(head)) in wanted}
    missing = [COLUMNS[name] for name in NEEDED if name not in places]
    if missing:
        raise Refused("exchange.columns", N_("表格缺少这些列：%(what)s"), field="content", what="、".join(missing))
    found = []
    for row in rows:
        line = {name: _cell(row[place]) if place < len(row) else "" for name, place in places.items()}
        if any(line.values()):
            found.append(line)
    return found


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, date) else _text(value)
