"""Bringing a department's sheet into the register: upload, mapping, dry run, decisions on doubles, confirmation, cancelling, undoing.

Each of these only says what is to happen; the work on the rows is done in slices by a job (``import_slices``).
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.files import store
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.inputs import CIRCUMSTANCES, DEPARTMENTS
from yinling.people.mapping import Reading, data_rows, header_row, headings, problems_of, propose
from yinling.people.models import Elder, Import, ImportLine, Source
from yinling.people.queries.imports import lines, remember, sheet_rows, waiting_lines, written_lines
from yinling.people.sheets import MOST_BYTES, MOST_ROWS, Sheet, open_book
from yinling.people.states import IMPORT, ImportState

explain_constraint("source_once", "source.exists", N_("已有同名的来源，请直接选用"))
KEPT = timedelta(days=730)
DECISIONS = [("same", N_("是同一人，更新档案")), ("other", N_("是另一人，新建档案")), ("skip", N_("跳过，不导入"))]
CONTENT = Annotated[
    str, Input(N_("文件"), help=N_(".xlsx、.xls、.ods 或 .csv，最大30 MB"), max_length=MOST_BYTES * 2, widget="area")
]
SourceName = Annotated[str, Input(N_("来源名称"), help=N_("例如：梁溪区残联持证残疾人"), max_length=60)]
Department = Annotated[str, Input(N_("部门"), choices=DEPARTMENTS, widget="choice")]
SheetName = Annotated[str, Input(N_("工作表"), max_length=100, widget="choice")]
Decision = Annotated[str, Input(N_("处理方式"), choices=DECISIONS, widget="radio")]


def home_of(actor: Actor) -> str:
    """Return the area for which an actor imports; somebody without an area cannot."""
    if not actor.div:
        raise Denied("right.outside", N_("请切换到街道、区县或市的身份再导入"), right="people.import.upload")
    return actor.div


@operation("people.source.save", label=N_("新建来源"))
def save_source(*, actor: Actor, now: datetime, name: SourceName, department: Department) -> Source:
    """Name a department whose sheets come again; how its columns are read is kept with it."""
    require(actor, "people.source.save", div=home_of(actor))
    known_choice(department, Source.DEPARTMENTS, "department")
    title = required_text(name, "name", most=60)
    row = Source.objects.create(div=home_of(actor), name=title, department=department, created_at=now, changed_at=now)
    record(actor=actor, now=now, event="people.source.save", subject=row, changes={"department": [None, department]})
    return row


@operation("people.import.upload", label=N_("上传"))
def upload_import(
    *, actor: Actor, now: datetime, source_id: Annotated[int, Input(N_("来源"), least=1, widget="choice")], content: CONTENT,
    file_name: Annotated[str, Input(N_("文件名"), max_length=200, widget="hidden")] = "",
) -> Import:  # fmt: skip
    """Keep a file, encrypted, and propose how it is read. Nothing of the register is touched."""
    source = locked(Source.objects.all(), source_id)
    require(actor, "people.import.upload", div=source.div)
    require(actor, "people.import.upload", div=home_of(actor))
    try:
        plain = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("sheet.broken", N_("文件没有传完整，请重新上传"), field="content") from error
    book = open_book(plain)
    sheet = book.sheet()
    row = Import(
        div=home_of(actor), source=source, file_name=required_text(file_name or "CSV", "file_name"), sheet=sheet.name[:100],
        started_by_id=actor.user_id or 0, created_at=now, changed_at=now, mapping=proposal(source, sheet, actor).as_json(),
    )  # fmt: skip
    row.row_count = len(data_rows(sheet.rows, row.mapping["header"]))
    row.file = store(
        plain, kind="sheet", purpose="import", content_type=book.kind, owner=row, now=now, keep_until=local_date(now + KEPT)
    )  # fmt: skip
    row.save(force_insert=True)
    remember(row.file_id, book, sheet)
    record(actor=actor, now=now, event="people.import.upload", subject=row, changes={"rows": [None, row.row_count]})
    tell("imports", pk=row.pk, div=row.div)
    return row


def proposal(source: Source, sheet: Sheet, actor: Actor, *, header: int | None = None) -> Reading:
    """Return how a sheet is probably read: as the source's last one, or by its headings."""
    saved = Reading.from_json(source.mapping)
    header = header_row(sheet.rows) if header is None else header
    columns = propose(headings(sheet.rows, header), saved=saved.columns, department=source.department)
    own = actor.div or ""
    return Reading(
        header, columns, saved.words, saved.always, "", saved.body, own if len(own) == len("320213021001") else ""
    )


@operation("people.import.map", label=N_("保存对应关系"))
def map_import(
    *, actor: Actor, now: datetime, import_id: Id, sheet: SheetName = "",
    mapping: Annotated[dict[str, Any], Input(N_("对应关系"), max_length=60_000)], seen: Seen = None,
) -> Import:  # fmt: skip
    """Say what each column means, for this sheet and for the next one of the same source. Another sheet gets a proposal of its own."""
    row = locked(Import.objects.select_related("source", "file"), import_id, seen)
    require(actor, "people.import.map", div=row.div)
    if row.state not in (ImportState.UPLOADED, ImportState.CHECKED):
        raise NotAllowed("import.at_work", N_("导入正在进行或已经结束，不能再改对应关系"))
    name = sheet or row.sheet
    found = Sheet(name, sheet_rows(row, name))
    reading = Reading.from_json(mapping)
    if sheet and sheet != row.sheet:
        reading = proposal(row.source, found, actor)
    elif not reading.columns:
        reading = proposal(row.source, found, actor, header=reading.header)
    _require_sensible(reading, found)
    count = len(data_rows(found.rows, reading.header))
    changed(row, now=now, sheet=found.name[:100], mapping=reading.as_json(), row_count=count)
    if not sheet or sheet == found.name:
        source = locked(Source.objects.all(), row.source_id)
        kept = Reading.from_json(source.mapping)
        both = Reading(
            columns=kept.columns | reading.columns,
            words=_merged(kept.words, reading.words),
            always=reading.always,
            body=reading.body,
        )
        changed(source, now=now, mapping=both.as_json())
    record(
        actor=actor, now=now, event="people.import.map", subject=row, changes={"columns": [None, len(reading.columns)]}
    )
    tell("imports", pk=row.pk, div=row.div)
    return row


def _merged(one: dict[str, dict[str, str]], other: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {name: one.get(name, {}) | other.get(name, {}) for name in {*one, *other}}


def _require_sensible(reading: Reading, sheet: Sheet) -> None:
    if reading.header >= max(len(sheet.rows), 1):
        raise Refused("mapping.header", N_("表头行超出了表格，请重新选择"), field="header")
    if reading.always:
        known_choice(reading.always, CIRCUMSTANCES, "always")


@operation("people.import.check", label=N_("试算"))
def check_import(*, actor: Actor, now: datetime, import_id: Id, seen: Seen = None) -> Import:
    """Begin the dry run: every row is read and compared, nothing but the import's own lines is written."""
    row = locked(Import.objects.select_related("source"), import_id, seen)
    require(actor, "people.import.check", div=row.div)
    target = IMPORT.target("check", row.state)
    columns = Reading.from_json(row.mapping).columns
    for code, sentence in problems_of(columns):
        raise Refused(code, sentence, field="mapping")
    if not row.row_count:
        raise Refused("sheet.no_rows", N_("表头下面没有数据，请检查工作表和表头行"), field="sheet")
    if row.row_count > MOST_ROWS:
        raise Refused(
            "sheet.rows", N_("工作表超过 %(most)s 行，请按街道拆成几个文件再上传"), field="sheet", most=MOST_ROWS
        )
    lines(row).delete()
    changes = begin(row, now=now, target=target, counts={})
    changed(row, now=now, started_by_id=actor.user_id)
    record(actor=actor, now=now, event="people.import.check", subject=row, changes=changes)
    tell("imports", pk=row.pk, div=row.div)
    return row


def begin(row: Import, *, now: datetime, target: str, counts: dict[str, Any]) -> dict[str, list[Any]]:
    """Begin a phase of the work."""
    values: dict[str, Any] = {"done_count": 0, "phase_began_at": now, "finished_at": None, "problem": ""}
    changed(row, now=now, outcome_counts=counts, **values)
    return changed(row, now=now, state=target)


@operation("people.import.start", label=N_("确认导入"))
def start_import(*, actor: Actor, now: datetime, import_id: Id, seen: Seen = None) -> Import:
    """Have the rows written as the dry run showed them. Doubles nobody decided on, and rows with errors, stay out."""
    row = locked(Import.objects.select_related("source"), import_id, seen)
    require(actor, "people.import.start", div=row.div)
    target = IMPORT.target("start", row.state)
    count = waiting_lines(row).count()
    if not count:
        raise NotAllowed("import.nothing", N_("没有要写入的行：请先处理疑似重复，或改正表格后重新上传"))
    changes = begin(row, now=now, target=target, counts=row.outcome_counts | {"to_write": count})
    changed(row, now=now, started_by_id=actor.user_id)
    record(actor=actor, now=now, event="people.import.start", subject=row, changes=changes | {"rows": [None, count]})
    tell("imports", pk=row.pk, div=row.div)
    return row


@operation("people.import.cancel", label=N_("取消"))
def cancel_import(*, actor: Actor, now: datetime, import_id: Id) -> Import:
    """Stop it. What was written so far stays until the import is undone."""
    row = locked(Import.objects.select_related("source"), import_id)
    require(actor, "people.import.cancel", div=row.div)
    changes = changed(row, now=now, state=IMPORT.target("cancel", row.state), finished_at=now)
    record(actor=actor, now=now, event="people.import.cancel", subject=row, changes=changes)
    tell("imports", pk=row.pk, div=row.div)
    return row


@operation("people.import.undo", label=N_("撤销导入"))
def undo_import(*, actor: Actor, now: datetime, import_id: Id, reason: Reason) -> Import:
    """Take back everything the import wrote. What somebody changed since, or refers to, stays and is named."""
    row = locked(Import.objects.select_related("source"), import_id)
    require(actor, "people.import.undo", div=row.div)
    target = IMPORT.target("undo", row.state)
    why = required_text(reason, "reason", most=500)
    count = written_lines(row).count()
    if not count:
        raise NotAllowed("import.nothing_written", N_("这次导入没有写入任何内容，不需要撤销"))
    changes = begin(row, now=now, target=target, counts=row.outcome_counts | {"to_undo": count, "kept": 0})
    changed(row, now=now, started_by_id=actor.user_id)
    record(actor=actor, now=now, event="people.import.undo", subject=row, changes=changes, reason=why)
    tell("imports", pk=row.pk, div=row.div)
    return row


@operation("people.line.decide", label=N_("确定"))
def decide_line(
    *, actor: Actor, now: datetime, line_id: Id, decision: Decision,
    elder_id: Annotated[int | None, Input(N_("档案"), least=1, widget="hidden")] = None,
) -> ImportLine:  # fmt: skip
    """Say of one double whether it is the person on file."""
    line = locked(ImportLine.objects.select_related("sheet_import"), line_id)
    require(actor, "people.line.decide", div=line.div)
    _require_checked(line.sheet_import)
    known_choice(decision, DECISIONS, "decision")
    if line.outcome != "double":
        raise NotAllowed("line.no_double", N_("这一行不是疑似重复，不需要处理"))
    _decide(line, decision, elder_id)
    record(
        actor=actor,
        now=now,
        event="people.line.decide",
        subject=line.sheet_import,
        changes={"line": line.number, "decision": decision},
    )
    tell("imports", pk=line.sheet_import_id, div=line.div)
    return line


@operation("people.import.decide", label=N_("全部这样处理"))
def decide_lines(*, actor: Actor, now: datetime, import_id: Id, decision: Decision) -> Import:
    """Decide all doubles that nobody decided yet; those that cannot be decided so stay open."""
    row = locked(Import.objects.all(), import_id)
    require(actor, "people.import.decide", div=row.div)
    _require_checked(row)
    known_choice(decision, DECISIONS, "decision")
    count = 0
    for line in lines(row).filter(outcome="double", decision="").select_for_update(of=("self",)).iterator():
        if decision == "skip" or decision in possible(line):
            _decide(line, decision, None)
            count += 1
    record(
        actor=actor, now=now, event="people.import.decide", subject=row, changes={"lines": count, "decision": decision}
    )
    tell("imports", pk=row.pk, div=row.div)
    return row


def possible(line: ImportLine) -> set[str]:
    """Return what can be decided of a double: a number on file belongs to one person, a row said twice is one person."""
    whys = {one.get("why", "line") for one in line.candidates}
    found = {"skip"}
    if len(line.candidates) == 1:
        found.add("same")
    if not whys & {"id", "line"}:
        found.add("other")
    return found


def _decide(line: ImportLine, decision: str, elder_id: int | None) -> None:
    ids = [one["elder"] for one in line.candidates if "elder" in one]
    if decision == "same" and ids:
        chosen = elder_id or (ids[0] if len(ids) == 1 else None)
        if chosen is None or chosen not in ids:
            raise Refused("line.which", N_("请选择是哪一份档案"), field="elder_id")
        line.elder = Elder.objects.get(pk=chosen)
    elif decision == "other" and "other" not in possible(line):
        raise Refused("line.one_person", N_("证件号相同，不能新建另一份档案"), field="decision")
    else:
        line.elder = None
    line.decision = decision
    line.save(update_fields=["decision", "elder"])


def _require_checked(row: Import) -> None:
    if row.state != ImportState.CHECKED:
        raise NotAllowed("import.not_checked", N_("只有试算完成、尚未导入时可以处理疑似重复"))


@operation("people.import.export", label=N_("下载错误表"))
def export_import(*, actor: Actor, now: datetime, import_id: Id) -> Import:
    """Hand out the rows with errors, in clear, as the department sent them. Who took them is in the journal."""
    row = locked(Import.objects.select_related("source", "file"), import_id)
    require(actor, "people.import.export", div=row.div)
    count = lines(row).filter(outcome="error").count()
    record(actor=actor, now=now, event="people.import.export", subject=row, changes={"rows": count})
    return row
