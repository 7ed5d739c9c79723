"""The assessor's tablet: arranged assessments, the sheet with its offline draft, the result shown at the end; and the paper form."""

from __future__ import annotations

import json
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import find
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yinling.assessment.forms import to_score
from yinling.assessment.process import scoring_settings
from yinling.assessment.queries import confirmation_of, mine, request_file
from yinling.assessment.report import report
from yinling.assessment.scoring import score
from yinling.ground.operation import REGISTRY
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.web.api.verbs import address
from yinling.web.pages import page, public_page, render
from yinling.web.queries.sheet import Sheet
from yinling.web.show import moment, refusal_text, tr

FILL = "assessment.form.save"
MOST_SHOWN = 50
LARGEST_SHEET = 400_000


@page(FILL)
def task_list(request: Any) -> HttpResponse:
    """The assessments arranged for oneself, by day."""
    rows = mine(request.actor).select_related("site")[:MOST_SHOWN]
    days = [(day, list(group)) for day, group in groupby(rows, key=lambda row: row.visit_on)]
    words = {"draft": _("本机有未上传的草稿"), "queued": _("已签名，联网后提交")}
    return render(request, "mobile/assessments.html", days=days, today=local_date(request.now), words=words)


def _sheet(request: Any, pk: int) -> Sheet:
    """Return the sheet of an assessment that waits for its form and on which the person is named."""
    file = request_file(request.actor, pk)
    if file is None or file.request.state != "arranged":
        raise Http404
    if request.actor.staff_id not in {person.staff_id for person in file.on_site}:
        raise Http404
    return Sheet(file)


@page(FILL)
def sheet_page(request: Any, pk: int) -> HttpResponse:
    """The form: one question a screen on a tablet, with keys on a PC."""
    sheet, today = _sheet(request, pk), local_date(request.now)
    signers = [(str(one.staff_id), one.staff_name, tr(one.get_capacity_display())) for one in sheet.signers]
    addresses = {
        verb: f"/api/v1{address(REGISTRY[f'{verb}_form'])}".replace("{id}", str(pk)) for verb in ("save", "submit")
    }
    return render(
        request, "mobile/assessment.html", sheet=sheet, row=sheet.file.request, today=today, stored=sheet.stored(today), words=words(),
        assessed_on=sheet.assessed_on(today), declarations=sheet.declarations(today), addresses=addresses,
        signers=[*signers, ("informant", "", _("信息提供者"))],
    )  # fmt: skip


def words() -> dict[str, str]:
    """Return the sentences that the page's script says."""
    return {
        "kept": _("已存在本机，正在等待上传"),
        "offline": _("没有网络，已存在本机，联网后自动上传"),
        "saved": _("已上传 {time}"),
        "ready": _("每一次点选都会存在本机"),
        "queued": _("已签名，联网后自动提交一次"),
        "left": _("还缺 {n} 题"),
        "complete": _("已答完"),
        "computing": _("正在计算…"),
        "later": _("没有网络，联网后显示结果。可以先签名提交。"),
        "old": _("（30 天以前，不计）"),
        "remove": _("删去"),
        "unsigned": _("请评估员和信息提供者都签名后再提交"),
        "informant": _("请填写信息提供者的姓名和与老人的关系"),
        "beside": _("诊断、风险事件和备注"),
        "login": _("登录已过期，请重新登录。填写的内容还在本机。"),
        "trouble": _("没有上传成功，填写的内容还在本机，稍后会再试"),
    }


@page(FILL)
def latest(request: Any, pk: int) -> HttpResponse:
    """What is stored now, for the two versions of a conflict side by side."""
    sheet = _sheet(request, pk)
    stored = sheet.stored(local_date(request.now))
    form = sheet.file.form
    by = _("已上传的一份保存于 %(time)s") % {"time": moment(form.changed_at)} if form else ""
    return JsonResponse(stored | {"by": by}, json_dumps_params={"ensure_ascii": False})


@require_POST
@page(FILL)
def result(request: Any, pk: int) -> HttpResponse:
    """Compute what the answers on the page give. Nothing is stored; the sheet is judged again when it is submitted."""
    sheet = _sheet(request, pk)
    given = _given(request)
    on = meant_day(str(given.get("assessed_on", ""))) or sheet.assessed_on(local_date(request.now))
    outcome, problem = None, ""
    try:
        outcome = outcome_of(sheet, given, on)
    except Refused as refusal:
        problem = refusal_text(refusal)
    shown = report(sheet.form, outcome) if outcome else None
    return render(request, "mobile/outcome.html", report=shown, problem=problem)


def outcome_of(sheet: Sheet, given: dict[str, Any], on: date) -> dict[str, Any]:
    """Score what is on the page with the settings of the area on the day. Raises Refused naming the item."""
    row = sheet.file.request
    confirmed = confirmation_of(row.scale, sheet.form["version"], row.div, on)
    settings = scoring_settings(row.scale, row.div, on, confirmed_by=confirmed.confirmed_by_name if confirmed else "")
    return score(row.scale, to_score(sheet.form, given["answers"], given["facts"], on), settings).as_dict()


def _given(request: Any) -> dict[str, Any]:
    """Return what the page sent. Raises Refused for anything else."""
    try:
        given = json.loads(request.body) if len(request.body) <= LARGEST_SHEET else None
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(given.get(key), dict) for key in ("answers", "facts")):
        raise Refused("request.invalid", field="answers")
    return given


@public_page
def service_worker(request: Any) -> HttpResponse:  # noqa: ARG001 - the script is the same for everybody
    """The script that keeps assessment pages for use without a network. It must stand at the root."""
    content = Path(str(find("yinling/sw.js"))).read_bytes()
    return HttpResponse(content, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


service_worker.own_scope = True  # type: ignore[attr-defined]

urlpatterns = [
    path("m/assessments/", task_list),
    path("m/assessments/<int:pk>/", sheet_page),
    path("m/assessments/<int:pk>/latest/", latest),
    path("m/assessments/<int:pk>/result/", result),
    path("sw.js", service_worker),
]
