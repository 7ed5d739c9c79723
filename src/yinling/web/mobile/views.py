"""A carer's phone: today's stops, the check-in at the door, the record, photos, signature and check-out."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from yinling.dispatch.queries import claims_open
from yinling.ground.files import content_of
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.visits.models import Evidence
from yinling.visits.queries import Stop, partners_of, stop_of, stops_of
from yinling.visits.states import VISIT
from yinling.web.actions import ActionForm, action_form
from yinling.web.changes import add_form, changes_of
from yinling.web.mobile.round import round_of
from yinling.web.pages import page, render

DAYS_SHOWN = 3


@page("visits.visit.start")
def today(request: Any) -> HttpResponse:
    """M01: the stops of a day in the order of the clock; today unless a later day is chosen."""
    first = local_date(request.now)
    days = [first + timedelta(days=number) for number in range(DAYS_SHOWN)]
    day = _chosen(request.GET.get("day", ""), days)
    stops = stops_of(request.actor, day=day, now=request.now)
    labels = (_("今天"), _("明天"), _("后天"))
    tabs = [(label, f"/m/?day={one.isoformat()}", None, one == day) for one, label in zip(days, labels, strict=True)]
    around = round_of(request, stops, day)
    every = action_form(
        request, "accept_all", {"day": day}, hidden=("day",), only=("day",), next=f"/m/?day={day.isoformat()}", done=N_("已全部接受"),
        submit=_("接受全部 %(n)s 次") % {"n": around.offered},
    ) if around.offered > 1 else None  # fmt: skip
    return render(
        request, "mobile/today.html", stops=stops, tabs=tabs, day=day, machine=VISIT, around=around, every=every,
        is_open=request.actor.has("dispatch.order.claim") and claims_open(request.grant.organisation.div, request.now),
    )  # fmt: skip


def _chosen(text: str, days: list[date]) -> date:
    return next((day for day in days if day.isoformat() == text), days[0])


@page("visits.visit.start")
def stop(request: Any, pk: int) -> HttpResponse:
    """One stop: M02 before the door opens, M03 and M04 inside, and what was done afterwards."""
    found = stop_of(request.actor, pk, now=request.now)
    if found is None:
        raise Http404
    visit = found.visit
    stage = "offered" if found.assignment.state == "offered" else visit.state if visit else "planned"
    if stage == "on_site":
        return _inside(request, found)
    arrivals = {row.kind: row for row in visit.check_ins.all()} if visit and stage == "done" else {}
    forms = _before(request, found, stage) if found.assignment.state in ("offered", "accepted") else {}
    others = partners_of(found.assignment)
    return render(
        request, "mobile/stop.html", stop=found, order=found.order, visit=visit, stage=stage, forms=forms, arrivals=arrivals,
        others=others, machine=VISIT,
        phone=found.order.unseal_field("phone") if found.assignment.state == "accepted" else "",
    )  # fmt: skip


def _before(request: Any, found: Stop, stage: str) -> dict[str, ActionForm]:
    """Return what a carer may do before the check-in."""
    row = found.assignment
    here, initial = f"/m/{row.pk}/", {"assignment_id": row.pk, "seen": row.version}
    if stage == "offered":
        return {
            "accept": action_form(request, "accept_assignment", initial, next=here),
            "refuse": action_form(request, "refuse_assignment", initial, next="/m/", tone=""),
        }
    checked = initial | {"key": uuid.uuid4().hex}
    forms = {
        "consult": _consult(request, row.pk),
        "start": action_form(request, "start_visit", checked, next=here, done=N_("已签到")),
        "abort": action_form(request, "abort_visit", initial, next="/m/", tone="danger"),
    }
    if row.is_claimed and stage == "planned":
        forms["release"] = action_form(request, "release_assignment", initial, next="/m/", tone="danger")
    if stage == "planned":
        forms["depart"] = action_form(request, "depart_visit", initial, next=here, tone="")
    return forms


def _consult(request: Any, assignment_id: int) -> ActionForm:
    """What the work at this door needs to know of the elder's health, opened with a reason."""
    return action_form(request, "consult_visit", {"assignment_id": assignment_id, "purpose": "service"}, tone="")


def _inside(request: Any, found: Stop) -> HttpResponse:
    visit, here = found.visit, f"/m/{found.assignment.pk}/"
    assert visit is not None  # noqa: S101 - on site there is a visit
    photo, signature = (
        action_form(
            request, "attach_evidence", {"visit_id": visit.pk, "kind": kind}, fields={"content": {"label": label}}, submit=submit,
            tone="", done=done,
        )
        for kind, label, submit, done in (
            ("photo", N_("现场照片"), N_("上传照片"), N_("照片已保存")),
            ("signature", N_("签名"), N_("保存签名"), N_("签名已保存")),
        )
    )  # fmt: skip
    finish = action_form(
        request, "finish_visit", {"visit_id": visit.pk, "seen": visit.version, "key": uuid.uuid4().hex, "signed_as": "self"}, next=here,
        fields={"tasks": {"options": [[step, step] for step in found.steps]}}, done=N_("已签退"),
    )  # fmt: skip
    abort = action_form(request, "abort_visit", {"assignment_id": found.assignment.pk}, next="/m/", tone="danger")
    return render(
        request, "mobile/visit.html", stop=found, order=found.order, visit=visit, changes=changes_of(request, found.order, here),
        photo=photo, signature=signature, finish=finish, abort=abort,
        consult=_consult(request, found.assignment.pk),
        kept=list(visit.evidence.order_by("pk")), others=partners_of(found.assignment), machine=VISIT,
    )  # fmt: skip


@page("orders.line.add")
def add(request: Any, pk: int) -> HttpResponse:
    """Choose what is added at the door beyond the order, at the price it will have (D-18)."""
    found = stop_of(request.actor, pk, now=request.now)
    if found is None or found.visit is None or found.visit.state != "on_site":
        raise Http404
    form = add_form(request, found.order, f"/m/{pk}/")
    return render(request, "mobile/add.html", stop=found, order=found.order, form=form)


@page("visits.visit.inspect")
def evidence(request: Any, pk: int) -> HttpResponse:
    """Show the picture kept of a photo or signature."""
    row = Evidence.objects.visible_to(request.actor).select_related("file").filter(pk=pk).first()
    if row is None:
        raise Http404
    answer = HttpResponse(content_of(row.file), content_type=row.file.content_type)
    answer["Cache-Control"] = "private, max-age=3600"
    return answer
