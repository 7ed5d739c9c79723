"""Reading for imports: the sheet of a file, the map, the files a row may speak of, and how far an import is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet

from yinling.directory.models import Area
from yinling.directory.queries import city_of
from yinling.ground.files import content_of
from yinling.ground.models import StoredFile
from yinling.kernel.actor import Actor
from yinling.kernel.names import plain_name
from yinling.kernel.period import local_date
from yinling.people.mapping import Reading, data_rows, headings
from yinling.people.matching import Candidate, Held, Keys, OnFile
from yinling.people.models import Circumstance, Contact, Elder, HealthFact, Household, Import, ImportLine, Source
from yinling.people.places import Place, Places
from yinling.people.sheets import Book, Row, Sheet, open_book
from yinling.people.states import ImportState
from yinling.people.wanted import Sense, Wanted

AT_WORK = (ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING)
WRITTEN_OUTCOMES = ("new", "changed", "double")


@dataclass
class Kept:
    """The file worked on: it stays in memory, so that a slice or the next page need not open it again."""

    file_id: int = 0
    book: Book | None = None
    sheets: dict[str, list[Row]] = field(default_factory=dict)


_kept = [Kept()]


def remember(file_id: int, book: Book, sheet: Sheet) -> None:
    """Keep a file that was just opened for what comes next."""
    _kept[0] = Kept(file_id, book, {sheet.name: sheet.rows})


def forget_sheet() -> None:
    """Let go of the file in memory."""
    _kept[0] = Kept()


def _opened(file_id: int) -> tuple[Book, dict[str, list[Row]]]:
    kept = _kept[0]
    if kept.file_id != file_id or kept.book is None:
        book = open_book(content_of(StoredFile.objects.get(pk=file_id)))
        kept = _kept[0] = Kept(file_id, book)
        return book, kept.sheets
    return kept.book, kept.sheets


def sheet_names(row: Import) -> list[str]:
    """Return the sheets of the file."""
    return _opened(row.file_id)[0].names


def sheet_rows(row: Import, name: str) -> list[Row]:
    """Return the rows of one sheet of the file. Raises Refused ``sheet.…``."""
    book, sheets = _opened(row.file_id)
    if name not in sheets:
        found = book.sheet(name).rows
        sheets.clear()
        sheets[name] = found
    return sheets[name]


@dataclass(frozen=True)
class Table:
    """A sheet as an import reads it: headings, and the numbered rows below them."""

    reading: Reading
    heads: list[str]
    rows: list[tuple[int, Row]]
    counts_from_1904: bool


def table_of(row: Import) -> Table:
    """Return the sheet of an import, read by its mapping. Raises Refused ``sheet.…``."""
    rows = sheet_rows(row, row.sheet)
    reading = Reading.from_json(row.mapping)
    is_1904 = _opened(row.file_id)[0].counts_from_1904
    return Table(reading, headings(rows, reading.header), data_rows(rows, reading.header), is_1904)


def sense_of(row: Import, table: Table, now: datetime) -> Sense:
    """Return what reading a row needs besides the row."""
    return Sense(
        reading=table.reading,
        heads=table.heads,
        places=Places(_map(city_of(row.div) or row.div[:4]), row.div),
        today=local_date(now),
        department=row.source.department,
        counts_from_1904=table.counts_from_1904,
    )


@lru_cache(maxsize=2)
def _map(city: str) -> tuple[Place, ...]:
    rows = Area.objects.filter(div__gte=city, div__lt=city + ":", is_statistical=False)
    return tuple(Place(*values) for values in rows.values_list("div", "name", "short_name", "level"))


def forget_map() -> None:
    """Read the map anew next time: areas may have been renamed."""
    _map.cache_clear()


def imports(actor: Actor) -> QuerySet[Import]:
    """The imports of the actor's area, the latest first."""
    return Import.objects.visible_to(actor).select_related("source", "started_by").order_by("-id")


def sources(actor: Actor) -> QuerySet[Source]:
    """The sources of the actor's own area, which is where their names are given."""
    return Source.objects.visible_to(actor).order_by("department", "name")


def lines(row: Import) -> QuerySet[ImportLine]:
    """The lines of an import in the order of the sheet."""
    return ImportLine.objects.filter(sheet_import=row).order_by("number")


def waiting_lines(row: Import) -> QuerySet[ImportLine]:
    """The lines still to be written: doubles only where somebody decided."""
    open_ = lines(row).filter(before_enc=None)
    return open_.filter(Q(outcome__in=("new", "changed")) | Q(outcome="double", decision__in=("same", "other")))


def written_lines(row: Import) -> QuerySet[ImportLine]:
    """The lines written and not undone, the last first."""
    return lines(row).exclude(before_enc=None).order_by("-number")


@dataclass(frozen=True)
class Progress:
    """How far a phase is: done of total, percent, and the time left by the pace so far."""

    done: int
    total: int
    left: timedelta | None

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 100


def progress(row: Import, now: datetime) -> Progress:
    """Return how far an import at work is."""
    name = {ImportState.RUNNING: "to_write", ImportState.UNDOING: "to_undo"}.get(ImportState(row.state))
    total = row.outcome_counts.get(name, 0) if name else row.row_count
    left = None
    if row.done_count and row.phase_began_at and total > row.done_count:
        left = (now - row.phase_began_at) / row.done_count * (total - row.done_count)
    return Progress(row.done_count, total, max(left, timedelta(seconds=1)) if left else None)


def imports_at_work(city: str) -> list[tuple[int, int, str]]:
    """Return (import, who started it, area) of what a job has to go on with."""
    rows = Import.objects.filter(state__in=AT_WORK).within(city).order_by("changed_at", "id")
    return list(rows.values_list("pk", "started_by_id", "div"))


# Which files a row may speak of


def numbers_on_file(keys: Iterable[tuple[str, bytes]]) -> dict[tuple[str, bytes], tuple[int, str]]:
    """Return (file, area) of each identity document (type, fingerprint) in the scope in force; of a merged file the one kept."""
    wanted = set(keys)
    rows = Elder.objects.filter(id_number_index__in=[index for _, index in wanted])
    found: dict[tuple[str, bytes], tuple[int, str]] = {}
    for pk, kind, index, div, kept in rows.values_list("pk", "id_type", "id_number_index", "div", "merged_into_id"):
        key = (kind, bytes(index or b""))
        if key in wanted and not (kept and key in found):
            found[key] = (kept or pk, div)
    return found


def namesakes(rows: Sequence[tuple[int, Wanted, Keys]]) -> dict[int, list[tuple[int, str]]]:
    """Return for each row the files of the same name that share birth date and phone, or the home: (file, why)."""
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    phones = {keys.phone for _, _, keys in rows if keys.phone}
    by_phone = defaultdict(list)
    for pk, name, born, index in Elder.objects.filter(phone_index__in=phones, merged_into=None).values_list(
        "pk", "name", "born_on", "phone_index"
    ):
        by_phone[plain_name(name), born.isoformat(), bytes(index or b"")].append(pk)
    homes = {(wanted.div, wanted.address) for _, wanted, _ in rows if wanted.div and wanted.address}
    kept = Household.objects.filter(div__in={div for div, _ in homes}, address__in={address for _, address in homes})
    at_home = defaultdict(list)
    for pk, name, div, address in Elder.objects.filter(household__in=kept, merged_into=None).values_list(
        "pk", "name", "household__div", "household__address"
    ):
        at_home[plain_name(name), div, address].append(pk)
    for number, wanted, keys in rows:
        name = plain_name(wanted.name)
        persons = by_phone.get((name, wanted.born_on, keys.phone), []) if keys.phone else []
        found[number] += [(pk, "person") for pk in persons]
        found[number] += [
            (pk, "home") for pk in at_home.get((name, wanted.div, wanted.address), []) if pk not in persons
        ]
    return found


def files_of(ids: Iterable[int]) -> dict[int, OnFile]:
    """Return files as far as a row may change them. Reads sealed facts of health only to compare them."""
    wanted = list(ids)
    held, contacts, health = defaultdict(list), defaultdict(list), defaultdict(set)
    for one in Circumstance.objects.filter(elder_id__in=wanted, recorded_to=None):
        to = one.valid_to.isoformat() if one.valid_to else ""
        held[one.elder_id].append(Held(one.pk, one.kind, one.valid_from.isoformat(), to, one.detail))
    for elder, name, index in Contact.objects.filter(elder_id__in=wanted).values_list(
        "elder_id", "name", "phone_index"
    ):
        contacts[elder].append((name, bytes(index or b"")))
    for fact in HealthFact.objects.filter(elder_id__in=wanted, recorded_to=None, valid_to=None):
        health[fact.elder_id].add((fact.kind, fact.unseal_field("content")))
    rows = Elder.objects.filter(pk__in=wanted).select_related("household")
    return {
        row.pk: _on_file(row, tuple(held[row.pk]), tuple(contacts[row.pk]), frozenset(health[row.pk])) for row in rows
    }


def _on_file(row: Elder, held: Any, contacts: Any, health: Any) -> OnFile:
    return OnFile(
        pk=row.pk, div=row.div, name=row.name, sex=row.sex, born_on=row.born_on.isoformat(), id_type=row.id_type, hukou_div=row.hukou_div,
        address=row.household.address, died_on=row.died_on.isoformat() if row.died_on else "",
        keys=Keys(bytes(row.id_number_index or b""), bytes(row.phone_index or b"")), held=held, contacts=contacts, health=health,
    )  # fmt: skip


def candidates_of(found: Sequence[tuple[int, str]], files: dict[int, OnFile]) -> list[Candidate]:
    """Return the candidates of a row; a file that is not visible is none."""
    return [Candidate(files[pk], why) for pk, why in found if pk in files]
