"""Applications for schemes: the queues of each step, the case file, a new application, public notices to print, and re-checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import Journal
from yinling.accounts.operations import record
from yinling.assessment.rules import level_label
from yinling.directory.models import Area
from yinling.directory.queries import working_calendar
from yinling.directory.rights import RIGHTS
from yinling.directory.rules import require
from yinling.entitlements.models import Application, Entitlement, Paper, Recheck
from yinling.entitlements.operations.decisions import OUTCOMES
from yinling.entitlements.procedure import Procedure, first_day, working_days_left
from yinling.entitlements.queries.applications import (
    application_file,
    applications,
    given_by,
    messages_about,
    nearest_budget,
    objections_of,
    overdue,
    rechecks_due,
)
from yinling.entitlements.queries.eligibility import answer, schemes_for, situation_of, terms_of
from yinling.entitlements.queries.procedures import procedure_of
from yinling.entitlements.states import APPLICATION, OBJECTION, OPEN
from yinling.ground.files import content_of
from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.words import N_
from yinling.people.models import Elder, Representative
from yinling.people.rules import elder_code
from yinling.settlement.queries.cases import settlement_of
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.people import area_filter
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import day, tr

VIEW = "entitlements.application.view"
QUEUES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("applied", N_("待初审"), ("applied",)),
    ("returned", N_("待补正"), ("returned",)),
    ("reviewed", N_("待公示"), ("reviewed",)),
    ("noticed", N_("公示与待审批"), ("noticed",)),
    ("waiting", N_("轮候"), ("waiting",)),
    ("done", N_("已办结"), ("approved", "refused", "withdrawn")),
)
EXPORTED = 5000
SOON = timedelta(days=30)


def _tabs(request: Any, here: str) -> list[tuple[str, str, None, bool]]:
    tabs = [(tr(label), f"/applications/?queue={name}", None, name == here) for name, label, _states in QUEUES]
    rechecks = (_("待复核待遇"), "/applications/rechecks/", None, here == "rechecks")
    return [*tabs, rechecks] if request.actor.has("entitlements.entitlement.recheck") else tabs


def _filters(request: Any, schemes: Sequence[Any]) -> tuple[list[Filter], dict[str, str]]:
    area, names = area_filter(request)
    today = local_date(request.now)
    return [
        area,
        Filter("scheme", _("待遇"), lambda rows, pk: rows.filter(scheme_id=pk), "choice", [(str(row.pk), row.name) for row in schemes]),
        Filter("overdue", _("只看超期"), lambda rows, _yes: overdue(rows, today), "check"),
    ], names  # fmt: skip


@page(VIEW)
def application_list(request: Any) -> HttpResponse:
    """The queue of one step with the time left, and what can be done with several at once."""
    here = request.GET.get("queue", QUEUES[0][0])
    states = next((found for name, _label, found in QUEUES if name == here), QUEUES[0][2])
    schemes = schemes_for(request.actor.div or "")
    filters, names = _filters(request, schemes)
    rows = applications(request.actor).select_related("notice").filter(state__in=states)
    listing = Listing(request, rows, *filters)
    names |= dict(
        Area.objects.filter(pk__in={row.div for row in listing} - set(names)).values_list("div", "short_name")
    )
    calendar, today = working_calendar(), local_date(request.now)
    left = {row.pk: working_days_left(calendar, today, row.due_on) for row in listing if row.due_on}
    return render(
        request, "console/applications.html", tabs=_tabs(request, here), queue=here, listing=listing, machine=APPLICATION, names=names, left=left,
        today=today, batch=_batch(request, here, listing, today),
    )  # fmt: skip


def _batch(request: Any, queue: str, listing: Listing, today: Any) -> ActionForm | None:
    """The form for several rows of the page: publish what is reviewed, approve whose notice is over."""
    if queue == "reviewed":
        chosen = [row for row in listing if row.notice_id is None]
        schemes = {str(row.scheme_id): row.scheme.name for row in chosen}
        fields = {
            "scheme_id": {"options": list(schemes.items())},
            "application_ids": {"options": _labels(chosen), "required": False},
        }
        look = {"next": "/public/notices/{id}/", "fields": fields, "hidden": ("div",)}
        return action_form(request, "publish_notice", {"div": request.actor.div or ""}, **look) if chosen else None
    if queue == "noticed":
        mine = request.actor.user_id
        over = [
            row
            for row in listing
            if row.notice and row.notice.last_day < today and mine not in (row.reviewed_by_id, row.applied_by_id)
        ]
        fields = {"application_ids": {"options": _labels(over)}}
        look = {"next": "/applications/?queue=noticed", "fields": fields, "only": ("application_ids",)}
        return action_form(request, "approve_applications", {"application_ids": []}, **look) if over else None
    return None


def _labels(rows: Sequence[Application]) -> list[tuple[str, str]]:
    return [(str(row.pk), f"{row.code} {mask_name(row.elder.name)} {row.scheme.name}") for row in rows]


@page(VIEW)
def application_excel(request: Any) -> HttpResponse:
    """The queue as a workbook, names masked."""
    here = request.GET.get("queue", QUEUES[0][0])
    states = next((found for name, _label, found in QUEUES if name == here), QUEUES[0][2])
    filters, names = _filters(request, schemes_for(request.actor.div or ""))
    rows = applications(request.actor).filter(state__in=states)
    for entry in filters:
        value = entry.value(request.GET.get(entry.name, ""))
        rows = entry.apply(rows, value) if value is not None else rows
    names |= dict(Area.objects.filter(pk__in=rows.values("div")).values_list("div", "short_name"))
    columns = [
        Column(_("申请编号"), width=18), Column(_("老年人"), width=10), Column(_("社区"), width=16), Column(_("待遇"), width=24),
        Column(_("档次"), width=24), Column(_("月上限（元）"), YUAN, 12), Column(_("状态"), width=12), Column(_("申请日期"), width=12),
        Column(_("办理期限"), width=12), Column(_("轮候次序"), COUNT, 10),
    ]  # fmt: skip
    lines = [
        (
            row.code, mask_name(row.elder.name), names.get(row.div, row.div), row.scheme.name, row.grade, row.monthly_cap_fen,
            tr(row.get_state_display()), day(row.applied_at), day(row.due_on), number if row.state == "waiting" else None,
        )
        for number, row in enumerate(rows[:EXPORTED], 1)
    ]  # fmt: skip
    return excel(_("待遇申请"), columns, lines)


STEPS = (("applied", N_("申请")), ("reviewed", N_("街道初审")), ("noticed", N_("公示")), ("approved", N_("审批")))


REACHED = {"applied": 1, "returned": 1, "reviewed": 2, "noticed": 2, "waiting": 3, "approved": 4}


def _bar(row: Application) -> list[tuple[str, str, str]]:
    """How far an application has come, and by whom."""
    at = REACHED.get(row.state, len(STEPS))
    notes = [
        f"{row.applied_by.name} {day(row.applied_at)}", f"{row.reviewed_by.name} {day(row.reviewed_at)}" if row.reviewed_by else "",
        f"{day(row.notice.from_on)} – {day(row.notice.last_day)}" if row.notice else "",
        f"{row.decided_by.name} {day(row.decided_at)}" if row.decided_by else "",
    ]  # fmt: skip
    is_stopped = row.state in ("refused", "withdrawn")
    return [
        (
            tr(label),
            "todo" if is_stopped and not note else "done" if number < at else "now" if number == at else "todo",
            note,
        )
        for number, ((_name, label), note) in enumerate(zip(STEPS, notes, strict=True))
    ]


@page(VIEW)
def application_page(request: Any, pk: int) -> HttpResponse:
    """The case file: application, process, funds and messages on one page (R-PAY-13)."""
    actor, today = request.actor, local_date(request.now)
    row = application_file(actor, pk, today)
    if row is None:
        raise Http404
    procedure = procedure_of(row.scheme.code, row.div, today) or Procedure()
    objections = list(objections_of(actor, pk)) if row.notice_id else []
    events = list(
        Journal.objects.visible_to(actor)
        .filter(subject_type="application", subject_id=pk, is_refused=False)
        .order_by("pk")
    )
    given = given_by(actor, pk) if row.state == "approved" else None
    sees_budget = row.state in OPEN and actor.has("entitlements.budget.view")
    # In December, and where something is held still, an approval of today often takes from the budget of next year.
    year = first_day(procedure, today, row.held_until).year
    budget = nearest_budget(row.scheme_id, row.div, year) if sees_budget else None
    return render(
        request, "console/application.html", row=row, machine=APPLICATION, bar=_bar(row), procedure=procedure, objections=objections,
        objection_machine=OBJECTION, timeline=[(one, RIGHTS.get(one.event, one.event)) for one in events], given=given,
        last_day=given.valid_to - ONE_DAY if given and given.valid_to else None, budget=budget, year=year, today=today, papers=_papers(events),
        messages=messages_about(actor, pk), forms=_forms(request, row, procedure, today), decide=_decide(request, objections, pk),
        capacities=Representative.CAPACITIES, code=elder_code(row.elder_id),
        assessed=tr(level_label(row.assessment.scale, row.assessment.level)) if row.assessment else "",
        settled=settlement_of(actor, given.pk) if given else [],
    )  # fmt: skip


def _papers(events: Sequence[Journal]) -> list[tuple[int, str, Journal]]:
    """The papers handed in, as their rows in the journal tell."""
    found = (one for one in events if one.event == "entitlements.application.attach")
    return [(one.changes["paper"][1], one.changes["title"][1], one) for one in found]


def _forms(request: Any, row: Application, procedure: Procedure, today: Any) -> dict[str, ActionForm]:
    """What can be done now with an application, by its state."""
    here, one = f"/applications/{row.pk}/", {"application_id": row.pk, "seen": row.version}
    made: dict[str, ActionForm] = {}
    if row.state in OPEN:
        made["attach"] = action_form(request, "attach_paper", one, next=here, tone="")
        made["withdraw"] = action_form(request, "withdraw_application", one, next=here, tone="danger")
    if row.state == "applied":
        checks = (
            {"checks": {"options": [(label, label) for label in procedure.checks], "required": False}}
            if procedure.checks
            else {}
        )
        only = ("outcome", "findings", *(("checks",) if procedure.checks else ()))
        made["review"] = action_form(
            request, "review_application", one, next=here, only=only, fields=checks | {"outcome": {"options": [(v, tr(t)) for v, t in OUTCOMES]}}
        )  # fmt: skip
    if row.state == "returned":
        made["complete"] = action_form(request, "complete_application", one, next=here)
    if row.state == "noticed":
        made["object"] = action_form(request, "raise_objection", one, next=here, tone="")
    over = row.notice is not None and row.notice.last_day < today
    if (row.state == "noticed" and over) or (row.state == "reviewed" and not procedure.notice_days):
        made["approve"] = action_form(request, "approve_application", one, next=here, done=N_("已办理，请看结果"))
    if row.state in ("reviewed", "noticed", "waiting"):
        made["refuse"] = action_form(request, "refuse_application", one, next=here, tone="danger")
    return made


def _decide(request: Any, objections: Sequence[Any], pk: int) -> dict[int, list[ActionForm]]:
    here = f"/applications/{pk}/"
    return {
        row.pk: [
            action_form(request, "reveal_objection", {"objection_id": row.pk}, tone=""),
            action_form(request, "decide_objection", {"objection_id": row.pk, "seen": row.version}, next=here),
        ]
        for row in objections
        if row.state == "open"
    }


@page("entitlements.application.apply")
def application_new(request: Any) -> HttpResponse:
    """Apply for an elder: what the rule says to each scheme, then the signature."""
    wanted, today = request.GET.get("elder", ""), local_date(request.now)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 18):  # noqa: PLR2004 - digits of a row's number
        return render(request, "console/application_new.html", elder=None)
    elder = Elder.objects.visible_to(request.actor).filter(pk=wanted).first()
    if elder is None:
        raise Http404
    situation = situation_of(elder, today)
    held = {fact.kind for fact in situation.holdings if fact.days.contains(today)}
    offered = [
        (scheme, answer(scheme, situation), terms_of(scheme.code, scheme.div, today), scheme.code in held)
        for scheme in schemes_for(elder.div)
        if procedure_of(scheme.code, elder.div, today)
    ]
    code = request.GET.get("scheme", "")
    chosen = next((one for one in offered if one[0].code == code), None)
    form = _application_form(request, elder, chosen) if chosen else None
    return render(
        request,
        "console/application_new.html",
        elder=elder,
        code=elder_code(elder.pk),
        offered=offered,
        chosen=chosen,
        form=form,
    )


def _application_form(request: Any, elder: Elder, chosen: Any) -> ActionForm:
    scheme, said, _terms, _is_held = chosen
    only = ("applied_as", "signed_by", "proof", *(() if said.is_eligible else ("declared",)))
    return action_form(
        request, "apply_for", {"elder_id": elder.pk, "scheme_code": scheme.code, "applied_as": "self"}, next="/applications/{id}/",
        hidden=("scheme_code",), only=only, fields={} if said.is_eligible else {"declared": {"required": True}},
    )  # fmt: skip


@page(VIEW)
def paper_photo(request: Any, pk: int) -> HttpResponse:
    """The picture of a paper. That it was looked at stands in the journal."""
    row = Paper.objects.visible_to(request.actor).select_related("file", "application").filter(pk=pk).first()
    if row is None:
        raise Http404
    require(request.actor, VIEW, div=row.div, elder_id=row.elder_id)
    record(actor=request.actor, now=request.now, event=VIEW, subject=row)
    answer_ = HttpResponse(content_of(row.file), content_type=row.file.content_type)
    answer_["Cache-Control"] = "private, max-age=600"
    return answer_


@page("entitlements.entitlement.recheck")
def recheck_list(request: Any) -> HttpResponse:
    """Holders somebody has to look at again, by the day it is due."""
    today = local_date(request.now)
    area, names = area_filter(request)
    listing = Listing(request, rechecks_due(request.actor, today + SOON), area)
    names |= dict(
        Area.objects.filter(pk__in={row.div for row in listing} - set(names)).values_list("div", "short_name")
    )
    forms = {row.pk: _recheck_form(request, row) for row in listing}
    return render(
        request,
        "console/rechecks.html",
        tabs=_tabs(request, "rechecks"),
        listing=listing,
        today=today,
        names=names,
        forms=forms,
    )


def _recheck_form(request: Any, row: Entitlement) -> ActionForm:
    outcomes = {"outcome": {"options": [(value, tr(label)) for value, label in Recheck.OUTCOMES]}}
    return action_form(
        request, "recheck_entitlement", {"entitlement_id": row.pk, "seen": row.version}, next="/applications/rechecks/", fields=outcomes, tone=""
    )  # fmt: skip


urlpatterns = [
    path("applications/", application_list),
    path("applications/excel/", application_excel),
    path("applications/new/", application_new),
    path("applications/rechecks/", recheck_list),
    path("applications/<int:pk>/", application_page),
    path("applications/papers/<int:pk>/", paper_photo),
]
