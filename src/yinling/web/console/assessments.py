"""P16: applications for assessments and their results: the queue, one application, who goes, and one elder's results."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import Journal
from yinling.assessment import inputs
from yinling.assessment.models import Assessor, Request
from yinling.assessment.operations.arranging import CAPABLE
from yinling.assessment.process import Term, process, setting, terms
from yinling.assessment.queries import (
    CONSENT,
    RequestFile,
    assessments_of,
    commissioned,
    confirmation_of,
    due_results,
    gated_part,
    has_consent,
    held_of,
    is_provisional,
    mine,
    people_of,
    policies,
    request_file,
    requests_of,
)
from yinling.assessment.report import report
from yinling.assessment.rules import Person, Process, qualified_by, recognised
from yinling.assessment.scoring import scale as scale_of
from yinling.assessment.states import REQUEST, RequestState
from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Qualification, Site
from yinling.directory.queries import working_calendar
from yinling.directory.rights import RIGHTS
from yinling.entitlements.queries.eligibility import offers
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.workdays import WorkingCalendar
from yinling.people.models import Elder
from yinling.people.rules import elder_code
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import day, moment, refusal_text, tr

VIEW = "assessment.request.view"
TODO, DUE, ALL = "todo", "due", "all"
LONGEST_JOURNAL = 50
MINE = {
    "assessment.request.verify": RequestState.APPLIED,
    "assessment.request.arrange": RequestState.VERIFIED,
    "assessment.request.review": RequestState.SUBMITTED,
    "assessment.request.conclude": RequestState.NOTICED,
}
ONE_BUTTON = ("verify", "notice", "conclude")


def qualification_label(text: str) -> str:
    """Return a certificate as people read it: its kind, and the level of skill of a care worker."""
    kind, _colon, level = text.partition(":")
    label = tr(dict(Qualification.KINDS).get(kind, kind))
    return _("%(kind)s %(level)s级") % {"kind": label, "level": level} if level.isdigit() else label


def _todo(request: Any) -> QuerySet[Request]:
    """Applications on which the person's role has the next step."""
    wanted = [state for right, state in MINE.items() if request.actor.has(right)]
    rows = requests_of(request.actor).filter(state__in=wanted)
    if request.actor.staff_id and request.actor.has("assessment.form.save"):
        rows = rows | mine(request.actor)
    if request.actor.has("assessment.request.assign") and request.actor.organisation_id:
        bare = ~Q(pk__in=Assessor.objects.values("request_id"))
        rows = rows | requests_of(request.actor).filter(bare, state=RequestState.ARRANGED)
    return rows.order_by("id")


def _tabs(request: Any, here: str) -> list[tuple[str, str, int | None, bool]]:
    counts = dict(requests_of(request.actor).order_by().values_list("state").annotate(Count("pk")))
    tabs: list[tuple[str, str, int | None, bool]] = [(_("要我办的"), "/assessments/", None, here == TODO)]
    for state, label in REQUEST.choices:
        if counts.get(state) or here == state:
            tabs.append((tr(label), f"/assessments/?tab={state}", counts.get(state, 0), here == state))
    if request.actor.has("assessment.assessment.view"):
        tabs.append((_("到期复评"), "/assessments/?tab=due", None, here == DUE))
    return [*tabs, (_("全部"), "/assessments/?tab=all", None, here == ALL)]


@page(VIEW)
def request_list(request: Any) -> HttpResponse:
    """Applications by state, what waits for oneself first; and results that soon end."""
    here = request.GET.get("tab", TODO)
    if here == DUE and request.actor.has("assessment.assessment.view"):
        return _due(request)
    rows = requests_of(request.actor)
    if here in {state for state, _label in REQUEST.choices}:
        rows = rows.filter(state=here)
    elif here != ALL:
        here, rows = TODO, _todo(request)
    listing = Listing(
        request, rows, Filter("scale", _("标准"), lambda found, one: found.filter(scale=one), "choice", inputs.SCALES),
        Filter("reason", _("原因"), lambda found, one: found.filter(reason=one), "choice", inputs.REASONS),
        Filter("mode", _("方式"), lambda found, one: found.filter(mode=one), "choice", inputs.MODES),
    )  # fmt: skip
    calendar = working_calendar()
    return render(
        request, "console/assessments.html", listing=listing, tabs=_tabs(request, here), here=here, machine=REQUEST,
        due={row.pk: [one for one in _terms(row, calendar) if one.is_open] for row in listing}, today=local_date(request.now),
    )  # fmt: skip


def _terms(row: Request, calendar: WorkingCalendar) -> list[Term]:
    verified = local_date(row.verified_at) if row.verified_at else None
    return terms(
        row.scale, row.div, row.state, applied_on=local_date(row.created_at), verified_on=verified, calendar=calendar
    )


def _due(request: Any) -> HttpResponse:
    """Results that soon end or have ended, each one click away from a new application."""
    today = request.day
    days = int(setting("any", "warn_days", request.actor.div or "", today))
    listing = Listing(request, due_results(request.actor, today, days))
    forms = {
        row.pk: action_form(
            request, "request_assessment",
            {"elder_id": row.elder_id, "scale": row.scale, "purpose": row.purpose or "home_care", "reason": "routine", "mode": row.mode or "home",
             "applied_as": "staff", "former_id": row.pk},
            next="/assessments/{id}/", submit=_("申请复评"), tone="", only=("purpose", "mode"),
            hidden=("elder_id", "scale", "reason", "applied_as", "former_id", "change_declared"),
        )
        for row in listing
    }  # fmt: skip
    last = {row.pk: row.valid_to - ONE_DAY for row in listing}
    return render(
        request,
        "console/assessments_due.html",
        listing=listing,
        tabs=_tabs(request, DUE),
        forms=forms,
        today=today,
        days=days,
        last=last,
    )


def _file(request: Any, pk: int) -> RequestFile:
    file = request_file(request.actor, pk)
    if file is None:
        raise Http404
    return file


@page(VIEW)
def request_page(request: Any, pk: int) -> HttpResponse:
    """One application: how far it is, who is on it with what qualification, what may be done, and what came of it."""
    file = _file(request, pk)
    row, form = file.request, file.form
    rules = process(row.scale, row.div, request.day)
    is_signed = form is not None and form.state == "submitted"
    result = file.result
    gate = (
        confirmation_of(row.scale, form.scale_version, row.div, request.day) if form and gated_part(row.scale) else None
    )
    may_fill = row.state == RequestState.ARRANGED and request.actor.staff_id in {one.staff_id for one in file.on_site}
    return render(
        request, "console/assessment.html", file=file, row=row, form=form, machine=REQUEST, bar=_bar(file, rules), forms=_forms(request, file, rules),
        report=report(scale_of(row.scale), form.outcome) if is_signed and form else None, result=result, families=dict(FAMILIES),
        is_gated=bool(gated_part(row.scale)), gate=gate, entries=_journal(row), qualification=qualification_label, capacities=inputs.CAPACITIES,
        last_day=result.valid_to - ONE_DAY if result and result.valid_to else None, may_fill=may_fill, rules=rules,
        applicants=inputs.APPLICANTS, lasts=row.notice_to - ONE_DAY if row.notice_to else None,
        terms=_terms(row, working_calendar()), today=local_date(request.now),
    )  # fmt: skip


def _bar(file: RequestFile, rules: Process) -> list[tuple[str, str, str]]:
    """The steps of the application; notice only where the level asks for it."""
    row, others = file.request, [one for one in file.people if one.capacity not in ("assessor", "expert")]
    steps = [
        (_("申请"), moment(row.created_at)), (_("核实"), moment(row.verified_at)), (_("安排"), moment(row.arranged_at)),
        (_("评估"), moment(row.submitted_at)), (_("复核确认"), "、".join(one.staff_name for one in others)),
    ]  # fmt: skip
    if file.form is not None and file.form.level in rules.notice_levels:
        steps.append((_("公示"), day(row.notice_from) if row.notice_from else ""))
    steps.append((_("认定"), moment(row.concluded_at)))
    reached = {
        "applied": 1,
        "verified": 2,
        "arranged": 3,
        "submitted": 5 if others else 4,
        "noticed": 6,
        "done": len(steps),
    }.get(row.state)
    if reached is None:
        return [(_("申请"), "done", moment(row.created_at)), (tr(row.get_state_display()), "now", row.end_reason)]
    return [
        (label, "done" if place < reached else "now" if place == reached else "todo", note if note != "—" else "")
        for place, (label, note) in enumerate(steps)
    ]


def _forms(request: Any, file: RequestFile, rules: Process) -> list[tuple[ActionForm, bool]]:
    """What may be done in this state; whether it is one button."""
    row, here = file.request, f"/assessments/{file.request.pk}/"
    level = file.form.level if file.form else ""
    verbs = ["verify", "reject"] if row.state == "applied" else []
    if row.state == "verified":
        verbs = ["reject"]
    if row.state == "submitted":
        verbs = ["review"] if rules.reviewer or not rules.confirming_experts else []
        verbs += ["confirm"] if rules.confirming_experts else []
        verbs += ["notice"] if level in rules.notice_levels else ["conclude"]
        verbs += ["return"]
    if row.state == "noticed":
        verbs = ["conclude", "return"]
    if REQUEST.allows("withdraw", row.state):
        verbs.append("withdraw")
    danger = ("reject", "withdraw", "return")
    return [
        (
            action_form(
                request, f"{verb}_request", {"request_id": row.pk, "seen": row.version}, next=here,
                tone="danger" if verb in danger else "primary" if verb in ONE_BUTTON else "",
            ),
            verb in ONE_BUTTON,
        )
        for verb in verbs
    ]  # fmt: skip


def _journal(row: Request) -> list[tuple[Journal, str]]:
    """What was done with an application, the newest first, in the words of the rights."""
    rows = Journal.objects.filter(subject_type="request", subject_id=row.pk, event__startswith="assessment.")
    words = RIGHTS | {"assessment.request.submit": RIGHTS["assessment.form.submit"]}
    return [(one, tr(words.get(one.event, one.event))) for one in rows.order_by("-pk")[:LONGEST_JOURNAL]]


def _people(
    organisation_id: int, row: Request, on: Any, rules: Process
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """People of an organisation: those who may go, with their certificate, and the others with the reason."""
    fit, unfit = [], []
    for person in people_of(organisation_id, row.div, on):
        try:
            fit.append((str(person.staff_id), f"{person.name}（{qualification_label(_held(person, rules))}）"))
        except Refused as refusal:
            unfit.append((person.name, refusal_text(refusal)))
    return fit, unfit


def _held(person: Person, rules: Process) -> str:
    kind = qualified_by(person, rules)
    return f"{kind}:{person.skill_level}" if kind == "care_worker" else kind


@page("assessment.request.arrange")
def arrange_page(request: Any, pk: int) -> HttpResponse:
    """First the organisation and the day, then its people."""
    file = _file(request, pk)
    row = file.request
    on = meant_day(request.GET.get("visit_on", "")) or row.visit_on or request.day
    bodies = [(str(body.pk), body.name) for body in commissioned(row.scale, row.div, on)]
    chosen = request.GET.get("organisation_id", "") or str(row.provider_id or "")
    form: ActionForm | None = None
    unfit: list[tuple[str, str]] = []
    if chosen in dict(bodies):
        rules = process(row.scale, row.div, on)
        fit, unfit = _people(int(chosen), row, on, rules)
        able = Site.objects.filter(capabilities__contains=[CAPABLE]).order_by("name").values_list("pk", "name")[:500]
        sites = able if row.mode == "fixed" else ()
        fields: dict[str, Any] = {
            "assessors": {"options": fit, "required": False},
            "expert_id": {"options": fit},
            "site_id": {"options": list(sites)},
        }
        named = [str(one.staff_id) for one in file.on_site if one.capacity == "assessor"]
        unasked = [
            name for name, asked in (("site_id", row.mode == "fixed"), ("expert_id", rules.experts)) if not asked
        ]
        hidden = ["organisation_id", "visit_on", *unasked]
        initial = {
            "request_id": pk,
            "seen": row.version,
            "organisation_id": int(chosen),
            "visit_on": on,
            "assessors": named,
            "site_id": row.site_id,
        }
        form = action_form(
            request, "arrange_request", initial, next=f"/assessments/{pk}/", fields=fields, hidden=tuple(hidden)
        )
    return render(
        request,
        "console/assessment_arrange.html",
        row=row,
        bodies=bodies,
        chosen=chosen,
        on=on,
        form=form,
        unfit=unfit,
        machine=REQUEST,
    )


@page("assessment.request.assign")
def assign_page(request: Any, pk: int) -> HttpResponse:
    """The organisation names who goes."""
    file = _file(request, pk)
    row = file.request
    if row.state != RequestState.ARRANGED or row.provider_id is None:
        raise Http404
    on = row.visit_on or request.day
    rules = process(row.scale, row.div, on)
    fit, unfit = _people(row.provider_id, row, on, rules)
    named = [str(one.staff_id) for one in file.on_site if one.capacity == "assessor"]
    form = action_form(
        request, "assign_assessors", {"request_id": pk, "seen": row.version, "assessors": named}, next=f"/assessments/{pk}/",
        fields={"assessors": {"options": fit, "required": False}, "expert_id": {"options": fit}},
        hidden=() if rules.experts else ("expert_id",),
    )  # fmt: skip
    return render(
        request,
        "console/assessment_arrange.html",
        row=row,
        bodies=[],
        chosen="",
        on=on,
        form=form,
        unfit=unfit,
        machine=REQUEST,
    )


@page("assessment.assessment.view")
def elder_assessments(request: Any, pk: int) -> HttpResponse:
    """Every result of an elder in its own scale, what departments take of it, what was applied for, and a new application."""
    actor, today = request.actor, request.day
    elder = Elder.objects.visible_to(actor).filter(pk=pk).first()
    if elder is None:
        raise Http404
    here, results = f"/elders/{pk}/assessments/", list(assessments_of(actor, pk))
    current = [row for row in results if row.valid_from <= today and (row.valid_to is None or row.valid_to > today)]
    accepted, consents = policies(elder.div, today), has_consent(pk, CONSENT, today)
    takes = [
        (row, one, recognised(held_of(row, today), department=one.department, purpose=one.purpose, on=today, policies=[one], has_consent=consents))
        for row in current
        for one in accepted
        if one.from_scale == row.scale
    ]  # fmt: skip
    one: dict[str, Any] = {"elder_id": pk}
    first = {
        "scale": "gbt42195_2022",
        "reason": "routine" if current else "first",
        "mode": "home",
        "applied_as": "staff",
    }
    forms = {
        "apply": action_form(request, "request_assessment", one | first, next="/assessments/{id}/", tone=""),
        "record": action_form(
            request, "record_assessment", one | {"assessed_on": today, "scale": "gbt42195_2022"}, next=here, tone="",
            fields={"organisation_id": {"options": "organisations", "widget": "choice"}},
        ),
    }  # fmt: skip
    appeals = {
        row.pk: action_form(
            request, "request_assessment",
            one | {"scale": row.scale, "purpose": row.purpose or "home_care", "reason": "appeal", "former_id": row.pk, "applied_as": "staff"},
            next="/assessments/{id}/", tone="", submit=_("申请复评"), only=("mode", "change_declared"),
            hidden=("elder_id", "scale", "purpose", "reason", "former_id", "applied_as"),
        )
        for row in current
    }  # fmt: skip
    proposals = (
        [one for one in offers(elder, today) if one.is_candidate]
        if actor.has("entitlements.entitlement.view") and current
        else []
    )
    return render(
        request, "console/elder_assessments.html", elder=elder, code=elder_code(pk), tab="assessments", results=results, current=current, today=today,
        takes=takes, forms=forms, appeals=appeals, requests=list(requests_of(actor).filter(elder_id=pk)), machine=REQUEST, families=dict(FAMILIES),
        provisional={row.pk for row in current if gated_part(row.scale) and is_provisional(row, today)}, proposals=proposals,
        lasts={row.pk: row.valid_to and row.valid_to - ONE_DAY for row in results}, purposes=inputs.PURPOSES, departments=inputs.DEPARTMENTS,
    )  # fmt: skip


urlpatterns = [
    path("assessments/", request_list),
    path("assessments/<int:pk>/", request_page),
    path("assessments/<int:pk>/arrange/", arrange_page),
    path("assessments/<int:pk>/assign/", assign_page),
    path("elders/<int:pk>/assessments/", elder_assessments),
]
