"""Import of a department's sheet (P28): upload, columns, dry run, doubles, confirmation, progress, undo."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yinling.directory.models import Area
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.people.inputs import CIRCUMSTANCES, DEPARTMENTS, LINE_OUTCOMES
from yinling.people.mapping import CHOICES, WORD_CHOICES, Reading
from yinling.people.models import Elder, Import
from yinling.people.operations import check_import, export_import, map_import, save_source, upload_import
from yinling.people.operations.imports import possible
from yinling.people.queries.imports import AT_WORK, imports, lines, progress, sheet_names, sources, table_of
from yinling.people.rules import elder_code
from yinling.people.sheets import MOST_BYTES
from yinling.people.states import IMPORT, ImportState
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.import_preview import (
    error_rows,
    key_of_word,
    known_words,
    preview,
    samples,
    shown_lines,
    sides,
    twins,
    unknown_words,
)
from yinling.web.sheets import Column, excel
from yinling.web.shell import area_name
from yinling.web.show import moment, refusal_text, tr

VIEW = "people.import.view"
TONES = {
    "uploaded": "orange", "checking": "blue", "checked": "orange", "running": "blue", "done": "green", "undoing": "blue", "failed": "red",
}  # fmt: skip
OUTCOME_TONES = {"new": "green", "changed": "blue", "error": "red", "double": "orange"}
FAILED = 422
SIZE_AT_A_TIME = 10


@page(VIEW)
def import_list(request: Any) -> HttpResponse:
    """The imports of the actor's area."""
    state = Filter("state", _("状态"), lambda rows, value: rows.filter(state=value), "choice", IMPORT.choices)
    listing = Listing(request, imports(request.actor), state)
    return render(request, "console/imports.html", listing=listing, tones=TONES, outcomes=LINE_OUTCOMES)


@page("people.import.upload")
def import_new(request: Any) -> HttpResponse:
    """Choose a file and where it is from."""
    problem, field, status = "", "", 200
    typed = {name: request.POST.get(name, "")[:60] for name in ("source", "name", "department")}
    if request.method == "POST":
        try:
            row = _upload(request, typed)
        except Refusal as refusal:
            problem, field, status = refusal_text(refusal), refusal.field, refusal.status
        else:
            return HttpResponseRedirect(f"/imports/{row.pk}/columns/")
    values: dict[str, Any] = {
        "sources": list(sources(request.actor)[:200]),
        "departments": DEPARTMENTS,
        "most": MOST_BYTES // 1024 // 1024,
    }
    return render(
        request, "console/import_new.html", problem=problem, field=field, typed=typed, status=status, **values
    )


def _upload(request: Any, typed: dict[str, str]) -> Import:
    common = {"actor": request.actor, "now": request.now}
    file = request.FILES.get("content")
    if file is None:
        raise Refused("sheet.missing", N_("请选择要导入的文件"), field="content")
    if file.size > MOST_BYTES:
        raise Refused(
            "sheet.too_large",
            N_("文件超过 %(most)s MB，请按街道拆成几个文件再上传"),
            field="content",
            most=MOST_BYTES // 1024 // 1024,
        )
    if typed["name"].strip() or not typed["source"]:  # whoever writes a name means it, whatever the list was left at
        made = save_source(**common, name=typed["name"], department=typed["department"])
        typed |= {"source": str(made.pk), "name": ""}
    number = int(typed["source"]) if typed["source"].isascii() and typed["source"].isdigit() else 0
    content = base64.b64encode(file.read()).decode()
    return upload_import(**common, source_id=number, content=content, file_name=file.name[:200])


def _import(request: Any, pk: int) -> Import:
    row = imports(request.actor).select_related("file").filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@page("people.import.map")
def import_columns(request: Any, pk: int) -> HttpResponse:
    """Say what each column is; the first rows show at once how they would be read."""
    row, problem, status = _import(request, pk), "", 200
    if request.method == "POST":
        try:
            _save_columns(request, row)
            if request.POST.get("then") == "check":
                check_import(actor=request.actor, now=request.now, import_id=pk)
                return HttpResponseRedirect(f"/imports/{pk}/")
        except Refusal as refusal:
            problem, status = refusal_text(refusal), refusal.status
        row = _import(request, pk)
    if row.state not in (ImportState.UPLOADED, ImportState.CHECKED):
        return HttpResponseRedirect(f"/imports/{pk}/")
    table = table_of(row)
    rows = preview(row, table, request.now)
    return render(
        request, "console/import_columns.html", status=status, problem=problem, row=row, table=table, rows=rows, samples=samples(table),
        sheets=sheet_names(row), choices=CHOICES, circumstances=CIRCUMSTANCES, words=_words(table), steps=_steps(row), key_of=key_of_word,
        word_choices=WORD_CHOICES, labels=dict(CHOICES), wrong=sum(any(cell.tone == "error" for cell in one.cells) or bool(one.rest) for one in rows),
        today=local_date(request.now), tones=TONES,
    )  # fmt: skip


def _words(table: Any) -> list[tuple[str, str, str]]:
    """Return (list, word, code) of the words that need or have an explanation."""
    explained = [
        (name, word, code) for name, words in known_words(table.reading).items() for word, code in words.items()
    ]
    return [(name, word, "") for name, words in unknown_words(table).items() for word in words] + explained


def _save_columns(request: Any, row: Import) -> None:
    """Read the form: the places of columns stand for their headings, which a form cannot name safely."""
    sent = request.POST
    heads = table_of(row).heads
    header = sent.get("header", "1")
    since: date | None = meant_day(sent.get("since", ""))
    words: dict[str, dict[str, str]] = {}
    for name, value in sent.items():
        parts = name.split(".", 2)
        if len(parts) == len(("word", "list", "plain")) and parts[0] == "word" and value:
            words.setdefault(parts[1], {})[parts[2]] = value
    kept = Reading.from_json(row.mapping)
    number = int(header) - 1 if header.isascii() and header.isdigit() and header != "0" else 0
    reading = {
        "header": number, "columns": {head: sent.get(f"column.{place}", "") for place, head in enumerate(heads)}, "words": words,
        "always": sent.get("always", ""), "since": since.isoformat() if since else "", "body": sent.get("body", "").strip()[:80], "div": kept.div,
    }  # fmt: skip
    if number != kept.header:
        reading["columns"] = {}
    sheet = sent.get("sheet", "")
    changes = {"sheet": sheet} if sheet and sheet != row.sheet else {}
    map_import(actor=request.actor, now=request.now, import_id=row.pk, mapping=reading, **changes)


def _steps(row: Import) -> list[tuple[str, str, str]]:
    order = [_("上传"), _("对应关系"), _("试算"), _("确认"), _("完成")]
    at = {"uploaded": 1, "checking": 2, "checked": 3, "running": 4, "done": 5, "undoing": 4, "undone": 5}.get(
        row.state, 2
    )
    return [
        (label, "done" if place < at else "now" if place == at else "todo", "") for place, label in enumerate(order)
    ]


@page(VIEW)
def import_page(request: Any, pk: int) -> HttpResponse:
    """One import: its progress, its result by outcome, and what can be done next."""
    row = _import(request, pk)
    chosen = request.GET.get("outcome", "")
    chosen = chosen if chosen in dict(LINE_OUTCOMES) else ""
    found = lines(row).filter(outcome=chosen) if chosen else lines(row)
    is_at_work = row.state in AT_WORK
    listing = Listing(request, found.none() if is_at_work else found)
    undecided = lines(row).filter(outcome="double", decision="").count() if row.state == "checked" else 0
    reached = progress(row, request.now)
    return render(
        request, "console/import.html", row=row, listing=listing, lines=shown_lines(row, listing.rows), tabs=_tabs(row, chosen),
        chosen=chosen, forms=_forms(request, row), tones=TONES, outcome_tones=OUTCOME_TONES, outcomes=LINE_OUTCOMES, progress=reached,
        left=_left(reached.left), is_at_work=is_at_work, undecided=undecided, code=elder_code, area_name=area_name, steps=_steps(row),
        can_map=row.state in ("uploaded", "checked"), decisions=DECIDED,
    )  # fmt: skip


DECIDED = {"same": N_("更新已有档案"), "other": N_("新建档案"), "skip": N_("跳过")}


def _left(left: timedelta | None) -> str:
    """Write the time left as people say it."""
    if left is None:
        return ""
    seconds = round(left.total_seconds())
    if seconds < 60:  # noqa: PLR2004 - a minute
        return ngettext("约还需 %(count)s 秒", "约还需 %(count)s 秒", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    return ngettext("约还需 %(count)s 分钟", "约还需 %(count)s 分钟", minutes) % {"count": minutes}


def _tabs(row: Import, chosen: str) -> list[tuple[str, str, int | None, bool]]:
    counts = row.outcome_counts
    here = f"/imports/{row.pk}/"
    every = [(_("全部"), here, row.row_count, not chosen)]
    return every + [
        (tr(label), f"{here}?outcome={code}", counts[code], chosen == code) for code, label in LINE_OUTCOMES if counts.get(code)
    ]  # fmt: skip


def _forms(request: Any, row: Import) -> dict[str, ActionForm]:
    here, one = f"/imports/{row.pk}/", {"import_id": row.pk}
    seen = one | {"seen": row.version}
    found = {
        "start": action_form(
            request, "start_import", seen, next=here, done=N_("已开始导入"), confirm=N_("确定写入老年人档案吗？写入后可以整批撤销。")
        ),
        "check": action_form(request, "check_import", seen, next=here, done=N_("已开始试算"), submit=N_("重新试算"), tone=""),
        "cancel": action_form(request, "cancel_import", one, next=here, done=N_("已取消"), tone="danger"),
        "undo": action_form(request, "undo_import", one, next=here, done=N_("已开始撤销"), tone="danger"),
    }  # fmt: skip
    return {verb: form for verb, form in found.items() if IMPORT.allows(verb, row.state)}


@page("people.import.decide")
def import_doubles(request: Any, pk: int) -> HttpResponse:
    """The doubles, each beside the files that may be the same person."""
    row = _import(request, pk)
    found = lines(row).filter(outcome="double")
    undecided = Filter("open", _("只看未处理"), lambda rows, _yes: rows.filter(decision=""), "check")
    listing = Listing(request, found, undecided, size=SIZE_AT_A_TIME)
    shown = shown_lines(row, listing.rows)
    ids = {one["elder"] for line in listing.rows for one in line.candidates if "elder" in one}
    files = {elder.pk: elder for elder in Elder.objects.filter(pk__in=ids).select_related("household")}
    first = twins(row, listing.rows)
    divs = {line.wanted.div for line in [*shown, *first.values()]} | {elder.div for elder in files.values()}
    names = dict(Area.objects.filter(pk__in=divs).values_list("div", "short_name"))
    here = request.get_full_path()
    is_open = row.state == "checked"
    doubles = [
        (line, sides(line, files, first, names), _line_forms(request, line, here) if is_open else []) for line in shown
    ]
    every = [
        action_form(request, "decide_lines", {"import_id": pk, "decision": code}, next=here, hidden=("decision",), submit=label, tone="",
                    confirm=sure)
        for code, label, sure in ALL_AT_ONCE
    ] if is_open else []  # fmt: skip
    return render(
        request, "console/import_doubles.html", row=row, listing=listing, doubles=doubles, every=every, whys=WHYS, decisions=DECIDED,
        code=elder_code, tones=TONES, steps=_steps(row),
    )  # fmt: skip


WHYS = {
    "id": N_("证件号相同，姓名不同"),
    "person": N_("姓名、出生日期、电话相同"),
    "home": N_("同一住址、同名"),
    "line": N_("同一张表里出现两次"),
}
ALL_AT_ONCE = [
    ("same", N_("全部当作同一人"), N_("只有一份候选档案的，都按同一人更新。确定吗？")),
    ("other", N_("全部当作另一人"), N_("证件号不同的，都新建档案。确定吗？")),
    ("skip", N_("全部跳过"), N_("未处理的都不导入。确定吗？")),
]


def _line_forms(request: Any, line: Any, here: str) -> list[ActionForm]:
    allowed, pk = possible(line.row), line.row.pk
    look: dict[str, Any] = {"next": here, "hidden": ("decision",), "done": N_("已处理")}
    ids = [one["elder"] for one in line.row.candidates if "elder" in one]
    found = []
    for elder in ids or ([None] if "same" in allowed else []):
        values = {"line_id": pk, "decision": "same", "elder_id": elder}
        label = N_("是同一人，更新档案") if len(ids) < len(("one", "two")) else elder_code(elder or 0)
        found.append(action_form(request, "decide_line", values, submit=label, **look))
    if "other" in allowed:
        found.append(
            action_form(
                request,
                "decide_line",
                {"line_id": pk, "decision": "other"},
                submit=N_("是另一人，新建档案"),
                tone="",
                **look,
            )
        )
    found.append(
        action_form(request, "decide_line", {"line_id": pk, "decision": "skip"}, submit=N_("跳过"), tone="", **look)
    )
    return found


@page("people.import.export")
def import_errors(request: Any, pk: int) -> HttpResponse:
    """The rows with errors as a sheet to correct and send again; who took it stands in the journal."""
    if request.method != "POST":
        return HttpResponseRedirect(f"/imports/{pk}/?outcome=error")
    row = export_import(actor=request.actor, now=request.now, import_id=pk)
    heads = table_of(row).heads
    columns = [
        Column(_("原行号"), width=8),
        *[Column(head, width=18) for head in heads],
        Column(_("要改正的地方"), width=60),
    ]
    who = _("%(name)s 于 %(at)s 导出，含个人信息，用后删除") % {"name": request.actor.name, "at": moment(request.now)}
    above = [_("%(file)s 未能导入的行") % {"file": row.file_name}, who]
    found = error_rows(row, heads, lines(row).filter(outcome="error"))
    return excel(_("导入错误 %(number)s") % {"number": row.pk}, columns, found, above=above)


urlpatterns = [
    path("imports/", import_list),
    path("imports/new/", import_new),
    path("imports/<int:pk>/", import_page),
    path("imports/<int:pk>/columns/", import_columns),
    path("imports/<int:pk>/doubles/", import_doubles),
    path("imports/<int:pk>/errors/", import_errors),
]
