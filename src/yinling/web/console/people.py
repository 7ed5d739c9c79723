"""Elders: the list with search and filters, registration, and the file with its timeline (P25)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.assessment.models import Assessment
from yinling.assessment.queries import at_level, is_confirmed, levels_of
from yinling.directory.models import Area, Organisation
from yinling.entitlements.models import PAYERS
from yinling.entitlements.queries import schemes
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.inputs import CIRCUMSTANCES
from yinling.people.models import Circumstance, Elder, Representative
from yinling.people.queries import (
    Choice,
    ElderFile,
    age,
    consent_texts,
    elder_file,
    elders,
    find_elders,
    kept_file,
    kinds_of,
    labels_on,
    merges_into,
)
from yinling.people.rules import elder_code
from yinling.web.actions import ActionForm, action_form
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.benefits import benefits
from yinling.web.queries.timeline import timeline
from yinling.web.show import refusal_text

AGES = [("60-69", N_("60至69岁")), ("70-79", N_("70至79岁")), ("80-89", N_("80至89岁")), ("90-", N_("90岁以上"))]
FOUND = 50
ON_FILE = ("name", "sex", "born_on", "id_type", "dialect", "wants_sex", "hukou_div", "is_resident")


@named("schemes")
def scheme_choices(request: Any) -> list[tuple[str, str]]:
    """Policies of the actor's area."""
    return [(row.code, row.name) for row in schemes(request.actor.div or "")]


@named("assessors")
def assessor_choices(request: Any) -> list[tuple[str, str]]:  # noqa: ARG001 - one signature for all lists
    """Bodies that assess."""
    rows = Organisation.objects.filter(kind__in=["assessor", "health_centre", "department"]).order_by("short_name")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "short_name")[:500]]


def area_filter(request: Any) -> tuple[Filter, dict[str, str]]:
    """The areas below the actor's, and below the one chosen; one query, none for a search. Returns the names read too."""
    chosen = request.GET.get("area", "")[:12]
    if request.GET.get("q", "").strip():
        return Filter("area", _("区划"), lambda found, div: found.within(div), "choice"), {}
    wanted = Q(parent_id=request.actor.div) | Q(pk=chosen) | Q(parent_id=chosen or None, parent__isnull=False)
    rows = list(Area.objects.filter(wanted, is_statistical=False).order_by("div").values_list("div", "short_name"))
    choices = [(div, name if len(div) <= len(request.actor.div or "") + 3 else f"　{name}") for div, name in rows]
    return Filter("area", _("区划"), lambda found, div: found.within(div), "choice", choices), dict(rows)


def _of_age(rows: QuerySet[Elder], band: str, choice: Choice, on: Any, actor: Any) -> QuerySet[Elder]:
    least, _sep, most = band.partition("-")
    narrowed = replace(choice, least_age=int(least), most_age=int(most) if most else None, with_dead=True)
    return rows & elders(actor, narrowed, on)


@page("people.elder.view")
def elder_list(request: Any) -> HttpResponse:
    """Elders of the actor's area; with ``q`` those who are found by it."""
    today, actor = local_date(request.now), request.actor
    area, names = area_filter(request)
    everyone = Choice(with_dead=True)
    problem, text = "", request.GET.get("q", "").strip()[:60]
    rows = elders(actor, everyone, today).select_related(
        None
    )  # the list shows no home, and the join would read them all
    listing = Listing(
        request,
        rows.none() if text else rows,
        area,
        Filter(
            "level",
            _("能力等级"),
            lambda found, one: found.filter(pk__in=at_level(one, today).values("elder_id")),
            "choice",
            Assessment.LEVELS,
        ),
        Filter(
            "kind",
            _("人群类别"),
            lambda found, one: found & elders(actor, replace(everyone, circumstance=one), today),
            "choice",
            CIRCUMSTANCES,
        ),
        Filter("age", _("年龄"), lambda found, band: _of_age(found, band, everyone, today, actor), "choice", AGES),
        Filter("living", _("在世"), lambda found, _yes: found.filter(died_on=None), "check"),
    )
    if text:
        try:
            listing.rows = find_elders(actor, text, limit=FOUND)
        except Refused as refusal:
            problem = refusal_text(refusal)
    ids = [row.pk for row in listing]
    names |= dict(
        Area.objects.filter(pk__in={row.div for row in listing} - set(names)).values_list("div", "short_name")
    )
    return render(
        request, "console/elders.html", listing=listing, text=text, problem=problem, levels=levels_of(ids, today),
        kinds=kinds_of(ids, today), names=names, ages={row.pk: age(row, today) for row in listing}, code=elder_code,
        level_choices=Assessment.LEVELS, kind_choices=Circumstance.KINDS,
    )  # fmt: skip


@page("people.elder.register")
def elder_new(request: Any) -> HttpResponse:
    """Open a file."""
    form = action_form(
        request, "register_elder", {"name": request.GET.get("name", "")[:40], "phone": request.GET.get("phone", "")[:30]},
        next="/elders/{id}/", done=N_("档案已建立"), fields={"div": {"options": "communities"}, "id_number": {"help": ""}, "phone": {"help": ""}},
    )  # fmt: skip
    return render(request, "console/elder_new.html", form=form)


def leads_to(request: Any, elder: Elder, tail: str = "") -> HttpResponse:
    """Send the reader of a merged file to the one it was merged into, and say so."""
    number = kept_file(elder.pk) or elder.pk
    words = {"gone": elder_code(elder.pk), "kept": elder_code(number)}
    messages.info(request, _("%(gone)s 已并入 %(kept)s，现在显示的是 %(kept)s") % words)
    return HttpResponseRedirect(f"/elders/{number}/{tail}")


def by_kind(file: ElderFile) -> list[tuple[Circumstance, list[Circumstance]]]:
    """The circumstances of a file by kind: the latest of each, and what was before; those that hold come first."""
    kinds: dict[str, list[Circumstance]] = {}
    for fact in sorted(file.circumstances, key=lambda one: one.valid_from, reverse=True):
        kinds.setdefault(fact.kind, []).append(fact)
    rows = [(facts[0], facts[1:]) for facts in kinds.values()]
    return sorted(rows, key=lambda row: row[0].kind not in file.current)


@page("people.elder.view")
def elder_page(request: Any, pk: int) -> HttpResponse:
    """The file: who, where, with whom; level and entitlements; and one timeline."""
    today = local_date(request.now)
    file = elder_file(request.actor, pk, today)
    if file is None:
        raise Http404
    here, elder = f"/elders/{pk}/", file.elder
    if elder.merged_into_id:
        return leads_to(request, elder)
    results, entitlements = benefits(pk, today)
    provisional = {row.pk for row in results if not is_confirmed(row.by, "", elder.div, today)}
    if not request.actor.has("entitlements.entitlement.view"):
        entitlements = []
    running = [fact for fact in file.circumstances if fact.kind in file.current and fact.kind != "deceased"]
    return render(
        request, "console/elder.html", file=file, elder=elder, code=elder_code(pk), today=today, kinds=by_kind(file),
        ends={fact.pk: _end(request, fact, here) for fact in running}, computed=labels_on(elder, file.current, today),
        lasts={fact.pk: fact.valid_to and fact.valid_to - ONE_DAY for fact in file.circumstances},
        level=next((row for row in results if row.holds(today) and row.pk not in provisional), None),
        results=results, provisional=provisional, entitlements=entitlements,
        entries=timeline(request.actor, pk), forms=_file_forms(request, elder, here), removals=_removals(request, file, here),
        endings=endings(request, file.representatives, here), texts={text.purpose: text for text in consent_texts(elder.div, today)},
        labels={"scale": Assessment.SCALES, "payer": PAYERS, "capacity": Representative.CAPACITIES},
    )  # fmt: skip


def _end(request: Any, fact: Circumstance, here: str) -> ActionForm:
    initial = {"circumstance_id": fact.pk, "valid_to": local_date(request.now)}
    return action_form(request, "end_circumstance", initial, next=here, submit=N_("终止"), tone="")


def _removals(request: Any, file: ElderFile, here: str) -> dict[int, tuple[ActionForm, ActionForm]]:
    """Change and removal of each contact."""
    return {
        row.pk: (
            action_form(
                request, "update_contact", {"contact_id": row.pk, "kind": row.kind, "name": row.name, "rank": row.rank, "seen": row.version},
                next=here, submit=N_("修改"), tone="",
            ),
            action_form(request, "remove_contact", {"contact_id": row.pk}, next=here, submit=N_("删除"), tone="danger"),
        )
        for row in (line.contact for line in file.contacts)
    }  # fmt: skip


def endings(request: Any, rows: list[Representative], here: str) -> dict[int, ActionForm]:
    """The end of each representation."""
    look: dict[str, Any] = {"next": here, "submit": N_("终止代理"), "tone": "danger"}
    return {row.pk: action_form(request, "end_representative", {"representative_id": row.pk}, **look) for row in rows}


def _file_forms(request: Any, elder: Elder, here: str) -> dict[str, ActionForm]:
    """The forms of the file that need no further query."""
    one, tone = {"elder_id": elder.pk}, {"next": here, "tone": ""}
    return {
        "reveal": action_form(request, "reveal_elder", one, tone=""),
        "contact": action_form(request, "add_contact", one, **tone),
        "circumstance": action_form(
            request, "record_circumstance", one | {"valid_from": local_date(request.now)}, **tone
        ),
        "verify": action_form(request, "verify_elder", one | {"seen": elder.version}, done=N_("已核验"), **tone),
    }


@page("people.elder.view")
def elder_change(request: Any, pk: int) -> HttpResponse:
    """Everything rarer that can be done with a file: correct, move, assess, grant, represent, close."""
    elder = Elder.objects.visible_to(request.actor).select_related("household").filter(pk=pk).first()
    if elder is None:
        raise Http404
    if elder.merged_into_id:
        return leads_to(request, elder, "change/")
    one, here = {"elder_id": pk}, f"/elders/{pk}/"
    seen = one | {"seen": elder.version}
    now_on_file = {name: getattr(elder, name) for name in ON_FILE}
    today = local_date(request.now)
    ends = []
    if request.actor.has("entitlements.entitlement.end"):
        running = [row for row in benefits(pk, today)[1] if row.holds(today)]
        look: dict[str, Any] = {"next": here, "tone": "danger", "submit": N_("终止")}
        ends = [(row, action_form(request, "end_entitlement", {"entitlement_id": row.pk}, **look)) for row in running]
    forms = {
        "update": action_form(request, "update_elder", seen | now_on_file, next=here),
        "relocate": action_form(request, "relocate_elder", seen, next=here, fields={"div": {"options": "communities"}}),
        "assess": action_form(
            request, "record_assessment", one | {"assessed_on": today, "scale": "gbt42195_2022"}, next=here,
            fields={"organisation_id": {"options": "assessors"}},
        ),
        "grant": action_form(request, "grant_entitlement", one, next=here, fields={"scheme_code": {"options": "schemes", "widget": "choice"}}),
        "appoint": action_form(request, "appoint_representative", one | {"valid_from": today}, next=f"{here}agents/"),
        "bury": action_form(
            request, "bury_elder", seen, next=f"{here}stops/", tone="danger", confirm=N_("确定登记去世吗？登记错误只能由街道或区县更正。"),
        ),
        "correct": action_form(
            request, "correct_death", seen, next=f"{here}stops/", tone="danger",
            confirm=N_("更正后此人恢复为在世，因去世终止的待遇须重新给予。确定吗？"),
        ),
    }  # fmt: skip
    undo: list[tuple[Any, ActionForm]] = []
    if request.actor.has("people.merge.undo"):
        look = {"next": here, "tone": "danger", "submit": N_("撤销合并")}
        undo = [(row, action_form(request, "unmerge_elders", {"merge_id": row.pk}, **look)) for row in merges_into(pk)]
    return render(request, "console/elder_change.html", elder=elder, code=elder_code, forms=forms, ends=ends, undo=undo)


urlpatterns = [
    path("elders/", elder_list),
    path("elders/new/", elder_new),
    path("elders/<int:pk>/", elder_page),
    path("elders/<int:pk>/change/", elder_change),
]
