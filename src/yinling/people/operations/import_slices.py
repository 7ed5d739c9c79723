"""The work on the rows of an import, a slice of them in each transaction, so that it can be watched, stopped and taken up again.

A slice commits its rows together with how far the import is. One that was killed half way has left nothing and is done again; a second
worker on the same import waits for the row's lock and then goes on from where the first came to.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from yinling.accounts.operations import record, record_each
from yinling.directory.queries import city_of, system_actor
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, translated
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.people.cells import id_text, text_of
from yinling.people.mapping import HABITS, Reading
from yinling.people.matching import Difference, Keys, Verdict, verdict
from yinling.people.models import Elder, Import, ImportLine
from yinling.people.operations.import_undoing import GONE, REFERENCED, remove_files, take_back, take_back_stops
from yinling.people.operations.import_writing import (
    Act,
    Before,
    add_facts,
    apply_fields,
    apply_stops,
    create_files,
    keys_of,
    new_truths,
)
from yinling.people.queries.imports import (
    Table,
    candidates_of,
    files_of,
    forget_map,
    forget_sheet,
    lines,
    namesakes,
    numbers_on_file,
    sense_of,
    table_of,
    waiting_lines,
    written_lines,
)
from yinling.people.sheets import Row
from yinling.people.states import IMPORT, ImportState
from yinling.people.wanted import ERROR, Fault, RowReader, Wanted

SLICE = 500
_UNDO = {
    GONE: N_("这份档案已经不在，未撤销"),
    REFERENCED: N_("导入后已有订单、待遇或其他登记使用这份档案，已保留，未删除"),
    "undo.changed": N_("导入后有人修改过其中的内容，修改过的内容已保留"),
}


def work_on(*, actor: Actor, now: datetime, import_id: int) -> bool:
    """Do one slice of whatever an import is at; return whether there is more to do."""
    row = locked(Import.objects.select_related("source", "file"), import_id)
    steps = {ImportState.CHECKING: _check, ImportState.RUNNING: _write, ImportState.UNDOING: _undo}
    step = steps.get(ImportState(row.state))
    if step is None:
        return False
    right = {"checking": "check", "running": "start", "undoing": "undo"}[row.state]
    require(actor, f"people.import.{right}", div=row.div)
    is_done = step(row, Act(actor, now, _body(row), f"导入 #{row.pk} {row.source.name}"[:200]))
    changes = {"done": row.done_count, "state": row.state}
    record(actor=actor, now=now, event=f"people.import.{right}", subject=row, changes=changes)
    tell("imports", pk=row.pk, div=row.div)
    return not is_done


def fail_import(*, actor: Actor, now: datetime, import_id: int, problem: str) -> None:
    """Give up on an import, saying why."""
    row = locked(Import.objects.select_related("source"), import_id)
    if not IMPORT.allows("fail", row.state):
        return
    changes = changed(row, now=now, state=IMPORT.target("fail", row.state), problem=problem[:300], finished_at=now)
    record(actor=actor, now=now, event="people.import.check", subject=row, changes=changes)
    tell("imports", pk=row.pk, div=row.div)


def _body(row: Import) -> str:
    return (Reading.from_json(row.mapping).body or HABITS[row.source.department].body or row.source.name)[:80]


def _advance(row: Import, now: datetime, *, done: int, counts: dict[str, int]) -> None:
    total = Counter(row.outcome_counts)
    total.update(counts)
    changed(row, now=now, done_count=row.done_count + done, outcome_counts=dict(total))


# Dry run


def _check(row: Import, act: Act) -> bool:
    """Read and compare the next rows; the last slice presents the result."""
    if row.done_count == 0:
        forget_sheet()
        forget_map()
    table = table_of(row)
    part = table.rows[row.done_count : row.done_count + SLICE]
    made = _checked(row, act, table, part)
    ImportLine.objects.bulk_create(made)
    counts = Counter(line.outcome for line in made)
    _advance(row, act.now, done=len(part), counts=dict(counts))
    if row.done_count < len(table.rows):
        return False
    forget_sheet()
    changed(row, now=act.now, state=IMPORT.target("present", row.state), finished_at=act.now, row_count=len(table.rows))
    return True


def _checked(row: Import, act: Act, table: Table, part: Sequence[tuple[int, Row]]) -> list[ImportLine]:
    reader = RowReader(sense_of(row, table, act.now))
    read = [(number, cells, *reader.read(cells)) for number, cells in part]
    clean = [
        (number, wanted, keys_of(wanted))
        for number, _, wanted, faults in read
        if not any(fault.level == ERROR for fault in faults)
    ]
    verdicts = _verdicts(row, clean, act)
    repeats = _repeats(reader, table)
    twins = {number: cells for number, cells in table.rows if number in repeats.values()}
    overtaken = _overtaken(
        row, act, reader, table, {number for number, one in verdicts.items() if one.outcome == "changed"}
    )
    found = []
    for number, cells, wanted, faults in read:
        one = verdicts.get(number) or Verdict("error")
        first = repeats.get(number)
        candidates: list[dict[str, Any]] = [{"elder": each.file.pk, "why": each.why} for each in one.candidates]
        outcome = one.outcome
        if first is not None and outcome in ("new", "changed", "double"):
            outcome, candidates = ("skipped", []) if twins[first] == cells else ("double", [{"line": first}])
        elif first is None and (first := overtaken.get(number)):
            outcome, candidates = "double", [{"line": first}]
        if first is not None and outcome in ("skipped", "double"):
            faults.append(Fault("name", "row.twice", N_("与第%(line)s行是同一个人"), {"line": first}, "note"))
        line = ImportLine(
            div=row.div, sheet_import=row, number=number, outcome=outcome, candidates=candidates,
            faults=[fault.as_json() for fault in [*faults, *one.faults]], elder_id=one.elder,
        )  # fmt: skip
        content = {"cells": [text_of(cell) for cell in cells], "wanted": wanted.as_json(), "touched": one.touched}
        line.seal_field("content", json.dumps(content, ensure_ascii=False))
        found.append(line)
    return found


def _overtaken(row: Import, act: Act, reader: RowReader, table: Table, numbers: set[int]) -> dict[int, int]:
    """Return for rows that would change a file the number of a later row of the same person which says what is on file already.

    Somebody decided for the later row before; the same sheet sent again must not turn that back without being asked.
    """
    later = {first: number for number, first in _repeats(reader, table).items() if first in numbers}
    asked = set(later.values())
    read = [(number, *reader.read(cells)) for number, cells in table.rows if number in asked] if asked else []
    verdicts = _verdicts(row, [(number, wanted, keys_of(wanted)) for number, wanted, _ in read], act) if read else {}
    return {first: number for first, number in later.items() if verdicts[number].outcome == "same"}


def _verdicts(row: Import, clean: Sequence[tuple[int, Wanted, Keys]], act: Act) -> dict[int, Verdict]:
    """Compare rows with what is on file; the numbers also with the rest of the city, where a file may lie that the actor cannot see."""
    numbers = {(wanted.id_type, keys.id_number) for _, wanted, keys in clean if keys.id_number}
    known = numbers_on_file(numbers)
    missing = numbers - set(known)
    with scope(system_actor(city_of(row.div) or row.div[:4])):
        elsewhere = numbers_on_file(missing) if missing else {}
    similar = namesakes(clean)
    ids = {pk for pk, _ in known.values()} | {pk for found in similar.values() for pk, _ in found}
    files = files_of(ids)
    found = {}
    for number, wanted, keys in clean:
        key = (wanted.id_type, keys.id_number)
        if keys.id_number and key in elsewhere:
            away = Fault("id_number", "elder.elsewhere", N_("此人的档案在本市其他地区，请由当地办理迁居后再导入"))
            found[number] = Verdict("error", faults=(away,))
            continue
        by_number = [(known[key][0], "id")] if keys.id_number and key in known else []
        candidates = candidates_of([*by_number, *similar.get(number, [])], files)
        found[number] = verdict(wanted, keys, candidates, local_date(act.now))
    return found


_cached_repeats: dict[tuple[int, int], dict[int, int]] = {}


def _repeats(reader: RowReader, table: Table) -> dict[int, int]:
    """Return for each row that says again who another row above is, the number of that row: same document, else same name, birth and phone."""
    key = (id(table.rows[0][1]) if table.rows else 0, len(table.rows))
    if key not in _cached_repeats:
        _cached_repeats.clear()
        first: dict[tuple[str, ...], int] = {}
        found = {}
        for number, cells in table.rows:
            who = _who(reader, cells)
            if who and first.setdefault(who, number) != number:
                found[number] = first[who]
        _cached_repeats[key] = found
    return _cached_repeats[key]


def _who(reader: RowReader, cells: Row) -> tuple[str, ...]:
    def text(code: str) -> str:
        place = reader.places.get(code)
        return text_of(cells[place]) if place is not None and place < len(cells) else ""

    if number := text("id_number"):
        try:
            return (id_text(number)[0],)
        except Refused:
            return ()
    parts = (text("name"), text("born_on"), text("phone"))
    return parts if all(parts) else ()


# Writing


def _wanted_of(line: ImportLine) -> Wanted:
    return Wanted.from_json(json.loads(line.unseal_field("content"))["wanted"])


def _write(row: Import, act: Act) -> bool:
    """Write the next rows; the last slice finishes the import."""
    part = list(waiting_lines(row)[:SLICE])
    if part:
        _write_part(row, act, part)
    if len(part) == SLICE:
        return False
    changed(row, now=act.now, state=IMPORT.target("finish", row.state), finished_at=act.now)
    return True


def _write_part(row: Import, act: Act, part: list[ImportLine]) -> None:
    wanted = {line.pk: _wanted_of(line) for line in part}
    fresh = [line for line in part if line.outcome == "new" or (line.outcome == "double" and line.decision == "other")]
    failed: dict[int, Refusal] = {}
    made = _create(act, fresh, wanted, failed)
    _settle(act, made, wanted)
    rest = [line for line in part if line not in fresh]
    _follow_repeats(row, rest, {line.number: line.elder_id for line in fresh}, failed)
    updated: list[Written] = []
    while rest:  # a person said twice is written twice, one after the other
        seen: set[int | None] = set()
        wave = [line for line in rest if line.elder_id and not (line.elder_id in seen or seen.add(line.elder_id))]  # type: ignore[func-returns-value]
        rest = [line for line in rest if line.elder_id and line not in wave]
        found = _update(act, wave, wanted, failed)
        _settle(act, found, wanted)
        updated += found
    for line in part:
        if refusal := failed.get(line.pk):
            line.outcome = "error"
            line.faults = [*line.faults, _as_fault(refusal, ERROR)]
    _keep(part)
    _journal(act, made, updated)
    counts = {"written": len(made) + len(updated), "failed": len(failed)}
    _advance(row, act.now, done=len(part), counts={name: count for name, count in counts.items() if count})


_KEEP = """
    UPDATE people_importline l SET outcome = n.outcome, faults = n.faults::jsonb, elder_id = n.elder, before_enc = n.before, enc_suite = n.suite,
        enc_kid = n.kid
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bytea[], %s::text[], %s::text[])
        AS n (id, outcome, faults, elder, before, suite, kid)
    WHERE l.id = n.id"""


def _keep(part: Sequence[ImportLine]) -> None:
    """Save what became of lines, in one statement: with a case for each row, as Django writes it, this took half of an import."""
    rows = [
        (
            line.pk, line.outcome, json.dumps(line.faults, ensure_ascii=False), line.elder_id,
            bytes(line.before_enc) if line.before_enc is not None else None, line.enc_suite, line.enc_kid,
        )
        for line in part
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])


def _as_fault(refusal: Refusal, level: str) -> dict[str, Any]:
    return Fault(refusal.field or "name", refusal.code, refusal.template, dict(refusal.values), level).as_json()


@dataclass
class Written:
    """A line with its file, what was written on it and what has to be taken back."""

    line: ImportLine
    elder: Elder
    change: Difference
    before: Before


def _create(act: Act, fresh: list[ImportLine], wanted: dict[int, Wanted], failed: dict[int, Refusal]) -> list[Written]:
    made: list[Written] = []
    numbers = create_files([wanted[line.pk] for line in fresh], act)
    for line, number in zip(fresh, numbers, strict=True):
        if isinstance(number, Refused):
            failed[line.pk] = number
            continue
        row = wanted[line.pk]
        elder = Elder(pk=number, div=row.div)
        line.elder_id = number
        made.append(Written(line, elder, new_truths(row, act.today), Before(created=True)))
    return made


def _settle(act: Act, rows: list[Written], wanted: dict[int, Wanted]) -> None:
    """Write what rows say besides the file itself, and keep with each line what has to be taken back."""
    by_elder = {one.elder.pk: wanted[one.line.pk] for one in rows}
    add_facts(act, [(one.elder, one.change, one.before) for one in rows], by_elder)
    for one in rows:
        try:
            apply_stops(act, one.elder, wanted[one.line.pk], one.change, one.before)
        except Refusal as refusal:
            one.line.faults = [*one.line.faults, _as_fault(refusal, "note")]
        one.line.seal_field("before", one.before.as_text())


def _follow_repeats(
    row: Import, rest: list[ImportLine], made: dict[int, int | None], failed: dict[int, Refusal]
) -> None:
    """Give a row that says a person again the file of the first one."""
    firsts = [(line.candidates[0]["line"], line) for line in rest if line.candidates and "line" in line.candidates[0]]
    numbers = {number for number, _ in firsts}
    known = dict(lines(row).filter(number__in=numbers).values_list("number", "elder_id")) if numbers else {}
    for number, line in firsts:
        line.elder_id = made.get(number) or known.get(number) or line.elder_id
    for line in rest:
        if line.elder_id is None:
            failed[line.pk] = Refused("line.no_file", N_("与之相同的那一行没有写入，这一行也未写入"), field="name")


def _update(act: Act, rows: list[ImportLine], wanted: dict[int, Wanted], failed: dict[int, Refusal]) -> list[Written]:
    files = files_of(line.elder_id for line in rows if line.elder_id)
    elders = Elder.objects.select_for_update(of=("self",)).in_bulk(list(files))
    found: list[Written] = []
    for line in rows:
        elder = elders.get(line.elder_id)
        if elder is None:
            failed[line.pk] = Refused("line.no_file", N_("档案已不在您的管辖范围内，请重新试算"), field="name")
            continue
        row, before = wanted[line.pk], Before()
        try:
            with transaction.atomic():  # what one row is refused for does not undo the others
                change = apply_fields(act, elder, row, files[elder.pk], keys_of(row), before)
        except (Refusal, DatabaseError) as error:
            failed[line.pk] = error if isinstance(error, Refusal) else translated(error)
            continue
        if change:
            found.append(Written(line, elder, change, before))
        else:
            line.outcome = "same"
    return found


def _journal(act: Act, made: list[Written], updated: list[Written]) -> None:
    """One journal row for each file touched, so that it stands on its timeline."""
    common: dict[str, Any] = {"actor": act.actor, "now": act.now, "reason": act.title}
    news = [(one.elder, {"div": [None, one.elder.div]}) for one in made]
    record_each(event="people.elder.register", subjects=news, **common)
    changes = [(one.elder, {name: ["*", "*"] for name in one.change.names}) for one in updated]
    record_each(event="people.elder.update", subjects=changes, **common)


# Taking back


def _undo(row: Import, act: Act) -> bool:
    """Take back the next rows, the last first."""
    part = list(written_lines(row)[:SLICE])
    found = [(line, Before.from_text(line.unseal_field("before"))) for line in part]
    elders = Elder.objects.select_for_update(of=("self",)).in_bulk([line.elder_id for line in part if line.elder_id])
    kept: dict[int, str] = {}
    for line, before in found:
        elder = elders.get(line.elder_id)
        if elder is None:
            kept[line.pk] = GONE
        elif before.created:
            if before.died or before.stops:
                take_back_stops(act, elder, before)
        elif code := take_back(act, elder, before):
            kept[line.pk] = code
    created = [(line, before) for line, before in found if before.created and line.pk not in kept]
    removed = remove_files(created)
    kept |= {line.pk: REFERENCED for line, _ in created if line.elder_id not in removed}
    for line in part:
        line.before_enc = None
        line.elder_id = None if line.elder_id in removed else line.elder_id
        if stayed := kept.get(line.pk):
            line.faults = [*line.faults, Fault("name", stayed, _UNDO[stayed], level="note").as_json()]
    _keep(part)
    touched: list[tuple[Elder, dict[str, Any]]] = [(elder, {}) for elder in elders.values()]
    record_each(actor=act.actor, now=act.now, event="people.import.undo", subjects=touched, reason=act.title)
    _advance(row, act.now, done=len(part), counts={"kept": len(kept)})
    if len(part) == SLICE:
        return False
    changed(row, now=act.now, state=IMPORT.target("restore", row.state), finished_at=act.now)
    return True
