"""Reading the register of a city from a CSV in several processes and loading it as the owner, in one transaction.

The processes read, check, seal and write out the rows; the server takes them by COPY, puts them into place while the tables are bare and
then makes indexes, keys and history. Wrong rows are listed by line, column and sentence.
"""

from __future__ import annotations

import csv
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import TextIOWrapper
from itertools import islice
from multiprocessing.pool import Pool
from pathlib import Path
from threading import Semaphore
from typing import Any

from django.db import connection

from yinling.accounts.operations import record
from yinling.cli.account import Unusable
from yinling.directory.models import Area
from yinling.directory.queries import system_actor
from yinling.directory.rules import at_field, known_choice, position_of, required_text
from yinling.ground.bare import bare
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.names import normalise_phone
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people import bulk
from yinling.people.models import Circumstance, Elder
from yinling.people.rules import check_age, check_document

NEEDED = ("name", "sex", "born_on", "div", "address")
OTHERS = (
    "id_type", "id_number", "phone", "lon", "lat", "datum", "dialect", "wants_sex", "hukou_div", "is_resident", "verified_on",
    "circumstances",
)  # fmt: skip
PART = 2000
AHEAD = 4
"""Parts on their way for each process: enough to keep it busy, few enough not to fill the memory."""
TRACKED = ("people_household", "people_elder")
BARE = ("people_elder", "people_elderkey", "people_circumstance")
YES, NO = "1", "0"
DOUBLES = """
    SELECT n.place, EXISTS (SELECT FROM people_elder e WHERE e.id_type = n.id_type AND e.id_number_index = n.id_number_index
                            AND e.merged_into_id IS NULL)
    FROM (SELECT *, row_number() OVER (PARTITION BY id_type, id_number_index ORDER BY place) AS nth
          FROM (SELECT place, id_type, id_number_index FROM new_elder WHERE id_number_index IS NOT NULL) s) n
    WHERE nth > 1 OR EXISTS (SELECT FROM people_elder e WHERE e.id_type = n.id_type AND e.id_number_index = n.id_number_index
                             AND e.merged_into_id IS NULL)"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Fault:
    """What is wrong in which column of which line (the heading is line 1)."""

    line: int
    column: str
    text: str


@dataclass(frozen=True)
class Part:
    """A part of the file, ready to be sent."""

    lines: bulk.Lines
    faults: tuple[Fault, ...]
    end: int


@dataclass(frozen=True)
class Loaded:
    """What came of a file."""

    count: int
    faults: int


@dataclass(frozen=True)
class Checks:
    """What rows are checked against; each process inherits it."""

    columns: tuple[str, ...]
    communities: frozenset[str]
    now: datetime

    @property
    def today(self) -> date:
        """The day of the load."""
        return local_date(self.now)

    def elder(self, cells: list[str]) -> bulk.NewElder:
        """Read a row. Raises Refused with the column at fault."""
        if len(cells) != len(self.columns):
            raise Refused("row.width", N_("这一行的列数与表头不同，请检查逗号和引号"))
        values = {name: cell.strip() for name, cell in zip(self.columns, cells, strict=True)}
        born, sex, id_type = _day(values["born_on"], "born_on"), values["sex"], values.get("id_type") or "id"
        known_choice(sex, Elder.SEXES, "sex")
        known_choice(id_type, Elder.ID_TYPES, "id_type")
        facts = tuple(_fact(text) for text in values.get("circumstances", "").split(";") if text.strip())
        ends = [fact.valid_from for fact in facts if fact.kind == "deceased"]
        check_age(born, min([self.today, *ends]))
        document = check_document(id_type, values.get("id_number", ""), born=born, sex=sex, today=self.today)
        if values["div"] not in self.communities:
            raise Refused("area.unknown", N_("没有这个社区（村）的区划代码"), field="div")
        lon, lat = (_number(values.get(name, ""), name) for name in ("lon", "lat"))
        datum = values.get("datum") or "wgs84"
        position_of(lon, lat, datum)
        return bulk.NewElder(
            name=required_text(values["name"], "name", most=40), sex=sex, born_on=born, div=values["div"], id_type=id_type,
            address=required_text(values["address"], "address"), id_number=document.number, phone=_phone(values.get("phone", "")),
            lon=lon, lat=lat, datum=datum,
            dialect=values.get("dialect", "")[:20], wants_sex=_choice(values.get("wants_sex", ""), ("", "1", "2"), "wants_sex"),
            hukou_div=values.get("hukou_div", "")[:12], is_resident=_choice(values.get("is_resident") or YES, (YES, NO), "is_resident") == YES,
            verified_on=_day(verified, "verified_on") if (verified := values.get("verified_on", "")) else None,
            is_made_up=document.number.startswith("99"), circumstances=facts,
        )  # fmt: skip


def load(
    path: Path, *, wrong: Path, processes: int, say: Say, skip_wrong: bool = False, only_check: bool = False
) -> Loaded:
    """Load a file in one transaction. With faults nothing is loaded, unless wrong rows are to be left out."""
    now = business_now()
    city = Area.objects.filter(level="city").order_by("div").first()
    if city is None:
        raise Unusable("还没有载入城市，请先运行 ./run --no-demo。 No city is loaded; run ./run --no-demo first.")
    communities = Area.objects.filter(level="community").values_list("div", flat=True)
    checks = Checks(heading(path), frozenset(communities), now)
    actor = system_actor(city.div)
    connection.close()  # the processes must not inherit it
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, inherit, (checks,)) as pool, scope(actor), connection.cursor() as cursor:
        faults = staged(cursor, pool, path, processes=processes, say=say)
        listed(wrong, faults)
        if only_check or (faults and not skip_wrong):
            bulk.clear(cursor)
            return Loaded(0, len(faults))
        with bare(cursor, BARE, tracked=TRACKED, say=say):
            bulk.write(cursor, now=now, say=say)
        count = counted(cursor)
        changes = {"count": [0, count], "faults": [0, len(faults)]}
        record(actor=actor, now=now, event="people.elder.load", subject=city, changes=changes, reason=path.name[:200])
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join({*BARE, *TRACKED})}")
    return Loaded(count, len(faults))


def staged(cursor: Any, pool: Pool, path: Path, *, processes: int, say: Say) -> list[Fault]:
    """Send the whole file to the server; return what is wrong with it. Wrong rows and second ones of a document are not sent on."""
    bulk.stage(cursor)
    faults: list[Fault] = []
    names: set[str] = set()
    waiting, progress = Semaphore(processes * AHEAD), Progress(path.stat().st_size, say)
    for part in pool.imap(read_part, parts(path, waiting)):
        bulk.send(cursor, part.lines)
        names |= part.lines.names
        faults += part.faults
        progress.note(part)
        waiting.release()
    chosen = iter(sorted(names))
    bulk.send_keys(cursor, pool.imap(bulk.key_lines, iter(lambda: list(islice(chosen, PART)), [])))
    say(f"{len(names):,} 个姓名的检索键 keys of {len(names):,} names")
    return sorted([*faults, *doubles(cursor)], key=lambda fault: fault.line)


def doubles(cursor: Any) -> list[Fault]:
    """Take out rows whose document is on file or stands in an earlier row."""
    cursor.execute(DOUBLES)
    found = cursor.fetchall()
    cursor.execute("DELETE FROM new_elder WHERE place = ANY (%s)", [[place for place, _ in found]])
    on_file, earlier = "这个证件号已经登记过", "这个证件号与前面的行重复"
    return [Fault(place, "id_number", on_file if is_on_file else earlier) for place, is_on_file in found]


def counted(cursor: Any) -> int:
    """Return how many files were opened."""
    cursor.execute("SELECT count(*) FROM new_elder")
    return int(cursor.fetchone()[0])


class Progress:
    """Says now and then how far the reading is and how long it will still take."""

    EVERY = 100_000

    def __init__(self, size: int, say: Say) -> None:
        self.size, self.say, self.began, self.rows, self.next = size, say, time.monotonic(), 0, self.EVERY

    def note(self, part: Part) -> None:
        """Count a part."""
        self.rows += part.lines.count
        if self.rows >= self.next:
            self.next += self.EVERY
            left = (time.monotonic() - self.began) * (self.size / max(part.end, 1) - 1)
            self.say(f"{self.rows:>10,} 行已读取，还需约 {left:.0f} 秒 rows read, about {left:.0f} s left")


def heading(path: Path) -> tuple[str, ...]:
    """Return the names of the columns. Raises Unusable with those missing or unknown."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            columns = tuple(name.strip() for name in next(csv.reader(handle), []))
    except UnicodeDecodeError as error:
        raise Unusable("文件不是 UTF-8 编码，请转换后再载入。 The file is not UTF-8.") from error
    missing = [name for name in NEEDED if name not in columns]
    unknown = [name for name in columns if name not in (*NEEDED, *OTHERS)]
    if missing or unknown or len(set(columns)) < len(columns):
        raise Unusable(
            f"表头不对：缺少 {', '.join(missing) or '—'}，不认识 {', '.join(unknown) or '—'}，或有重复。 "
            f"Heading: missing, unknown or repeated columns; known are {', '.join((*NEEDED, *OTHERS))}."
        )
    return columns


def parts(path: Path, waiting: Semaphore) -> Iterator[tuple[list[tuple[int, list[str]]], int]]:
    """Yield the rows with their line numbers, as fast as the processes take them."""
    with path.open("rb") as handle:
        reader = csv.reader(TextIOWrapper(handle, encoding="utf-8-sig", newline=""))
        next(reader)
        while rows := [(reader.line_num, row) for row in islice(reader, PART)]:
            waiting.acquire()
            yield [(line, row) for line, row in rows if any(row)], handle.tell()


_CHECKS: list[Checks] = []


def inherit(checks: Checks) -> None:
    """Keep what a process checks against."""
    _CHECKS[:] = [checks]


def read_part(task: tuple[list[tuple[int, list[str]]], int]) -> Part:
    """Check, seal and write out rows, in a process of its own."""
    rows, end = task
    checks, faults, good = _CHECKS[0], [], []
    for line, cells in rows:
        try:
            good.append((line, checks.elder(cells)))
        except Refused as refusal:
            faults.append(Fault(line, refusal.field, refusal.detail))
    return Part(bulk.lines_of(good, now=checks.now), tuple(faults), end)


def listed(path: Path, faults: Iterable[Fault]) -> None:
    """Write the faults beside the file, for a spreadsheet; none, no list."""
    rows = [(fault.line, fault.column, fault.text) for fault in faults]
    path.unlink(missing_ok=True)
    if rows:
        with path.open("w", encoding="utf-8-sig", newline="") as handle:
            csv.writer(handle).writerows([("行 line", "列 column", "问题 fault"), *rows])


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("date.format", N_("日期请写成 1941-02-28 的形式"), field=field) from None


def _number(text: str, field: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise Refused("geo.range", N_("经纬度请写成小数，例如 120.301234"), field=field) from None


def _phone(text: str) -> str:
    with at_field("phone"):
        return normalise_phone(text) if text else ""


def _choice(text: str, known: tuple[str, ...], field: str) -> str:
    known_choice(text, [(one, "") for one in known], field)
    return text


def _fact(text: str) -> bulk.NewCircumstance:
    """Read ``lives_alone/2024-01-01/community office``."""
    kind, _, rest = text.strip().partition("/")
    day, _, body = rest.partition("/")
    with at_field("circumstances"):
        known_choice(kind, Circumstance.KINDS, "circumstances")
        return bulk.NewCircumstance(kind, _day(day, "circumstances"), required_text(body, "circumstances", most=80))
