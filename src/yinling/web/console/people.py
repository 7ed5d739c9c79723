"""Elders: the list with search and filters, registration, and the file with its timeline (P25)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.assessment.models import Assessment
from yinling.assessment.queries import at_level, levels_of
from yinling.directory.models import Area, Organisation
from yinling.entitlements.models import PAYERS
from yinling.entitlements.queries import schemes
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.inputs import CIRCUMSTANCES
from yinling.people.models import Circumstance, Elder, Representative
from yinling.people.queries import Choice, age, elder_file, elders, find_elders, kinds_of
from yinling.people.rules import elder_code
from yinling.web.actions import ActionForm, action_form
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.benefits import benefits
from yinling.web.queries.timeline import timeline
from yinling.web.show import refusal_text

AGES = [("60-69", N_("60至69岁")), ("70-79", N_("70至79岁")), ("80-89", N_("80至89岁")), ("90-", N_("90岁以上"))]
FOUND = 50
PURPOSES = [("服务与派单", N_("服务与派单")), ("健康信息共享", N_("健康信息共享")), ("家属查看", N_("家属查看"))]


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


@page("people.elder.view")
def elder_page(request: Any, pk: int) -> HttpResponse:
    """The file: who, where, with whom; level and entitlements; and one timeline."""
    today = local_date(request.now)
    file = elder_file(request.actor, pk, today)
    if file is None:
        raise Http404
    here, elder = f"/elders/{pk}/", file.elder
    results, entitlements = benefits(pk, today)
    if not request.actor.has("entitlements.entitlement.view"):
        entitlements = []
    ends = {
        fact.pk: action_form(
            request,
            "end_circumstance",
            {"circumstance_id": fact.pk, "valid_to": today},
            next=here,
            submit=N_("终止"),
            tone="",
        )
        for fact in file.circumstances
        if fact.kind in file.current and fact.kind != "deceased"
    }
    return render(
        request, "console/elder.html", file=file, elder=elder, code=elder_code(pk), today=today, ends=ends,
        lasts={fact.pk: fact.valid_to and fact.valid_to - ONE_DAY for fact in file.circumstances},
        level=next((row for row in results if row.holds(today)), None), results=results, entitlements=entitlements,
        entries=timeline(request.actor, pk), forms=_file_forms(request, elder, here), removals=_removals(request, file, here),
        endings=_endings(request, file, here),
        labels={"level": Assessment.LEVELS, "scale": Assessment.SCALES, "payer": PAYERS, "capacity": Representative.CAPACITIES},
    )  # fmt: skip


def _removals(request: Any, file: Any, here: str) -> dict[int, ActionForm]:
    return {
        line.contact.pk: action_form(
            request, "remove_contact", {"contact_id": line.contact.pk}, next=here, submit=N_("删除"), tone="danger"
        )
        for line in file.contacts
    }


def _endings(request: Any, file: Any, here: str) -> dict[int, ActionForm]:
    return {
        row.pk: action_form(
            request,
            "end_representative",
            {"representative_id": row.pk},
            next=here,
            submit=N_("终止代理"),
            tone="danger",
        )
        for row in file.representatives
    }


def _file_forms(request: Any, elder: Elder, here: str) -> dict[str, ActionForm]:
    """The forms of the file that need no further query."""
    one, tone = {"elder_id": elder.pk}, {"next": here, "tone": ""}
    purpose = {"purpose": {"options": PURPOSES, "widget": "choice"}}
    return {
        "reveal": action_form(request, "reveal_elder", one, tone=""),
        "contact": action_form(request, "add_contact", one, **tone),
        "circumstance": action_form(
            request, "record_circumstance", one | {"valid_from": local_date(request.now)}, **tone
        ),
        "consent": action_form(request, "record_consent", one, fields=purpose, **tone),
    }


@page("people.elder.view")
def elder_change(request: Any, pk: int) -> HttpResponse:
    """Everything rarer that can be done with a file: correct, move, assess, grant, represent, close."""
    elder = Elder.objects.visible_to(request.actor).select_related("household").filter(pk=pk).first()
    if elder is None:
        raise Http404
    one, here = {"elder_id": pk}, f"/elders/{pk}/"
    seen = one | {"seen": elder.version}
    now_on_file = {name: getattr(elder, name) for name in ("name", "sex", "born_on", "id_type", "dialect", "wants_sex")}
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
        "appoint": action_form(request, "appoint_representative", one, next=here),
        "bury": action_form(request, "bury_elder", seen, next=here, tone="danger", confirm=N_("确定登记去世吗？登记错误只能由街道或区县更正。")),
        "correct": action_form(
            request, "correct_death", seen, next=here, tone="danger", confirm=N_("更正后此人恢复为在世，因去世终止的待遇须重新给予。确定吗？"),
        ),
    }  # fmt: skip
    return render(request, "console/elder_change.html", elder=elder, code=elder_code(pk), forms=forms, ends=ends)


urlpatterns = [
    path("elders/", elder_list),
    path("elders/new/", elder_new),
    path("elders/<int:pk>/", elder_page),
    path("elders/<int:pk>/change/", elder_change),
]
