"""Organisations with their places and people (P11)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES
from yinling.directory.models import PRICE_GROUPS, Area, Organisation, Policy, Qualification, Staff
from yinling.directory.queries import ancestors, areas_below, organisation_file, organisations
from yinling.directory.rules import may
from yinling.kernel.inputs import meant_day
from yinling.kernel.period import ONE_DAY, add_months, local_date, month_start
from yinling.kernel.words import N_
from yinling.visits.queries import work_of
from yinling.web.actions import ActionForm, action_form
from yinling.web.console import coverage, staff
from yinling.web.console.people import area_filter
from yinling.web.pages import Filter, Listing, page, render

SOON_MONTHS = 2


@page("directory.organisation.view")
def organisation_list(request: Any) -> HttpResponse:
    """Bodies of the actor's area."""
    area, names = area_filter(request)
    by_text = Filter(
        "text",
        _("名称或信用代码"),
        lambda rows, text: rows.filter(Q(name__contains=text) | Q(credit_code=text.upper())),
    )
    listing = Listing(
        request,
        organisations(request.actor),
        area,
        Filter("kind", _("类型"), lambda rows, kind: rows.filter(kind=kind), "choice", Organisation.KINDS),
        by_text,
        Filter("provider", _("只看上门服务商"), lambda rows, _yes: rows.filter(is_provider=True), "check"),
        Filter("medical", _("居家医疗服务机构"), lambda rows, _yes: rows.filter(does_home_medical=True), "check"),
    )
    return render(request, "console/organisations.html", listing=listing, names=names, today=local_date(request.now))


@page("directory.organisation.register")
def organisation_new(request: Any) -> HttpResponse:
    """Enter a body."""
    form = action_form(
        request, "register_organisation", {"valid_from": local_date(request.now)}, next="/organisations/{id}/", done=N_("机构已登记"),
        fields={"div": {"options": "streets"}},
    )  # fmt: skip
    return render(request, "console/organisation_new.html", form=form)


@page("directory.organisation.view")
def organisation_page(request: Any, pk: int) -> HttpResponse:
    """One body: places, people with their certificates, and what it answers for."""
    today = local_date(request.now)
    file = organisation_file(request.actor, pk, today)
    if file is None:
        raise Http404
    body = file.organisation
    sees_staff = may(request.actor, "directory.staff.view", div=body.div, provider_id=body.pk)
    return render(
        request, "console/organisation.html", file=file, body=body, today=today, soon=add_months(today, SOON_MONTHS), one_day=ONE_DAY,
        policies=_policies(request, file, f"/organisations/{pk}/"), policy_kinds=Policy.KINDS,
        price_group=dict(PRICE_GROUPS).get(body.price_group, ""),
        forms=_body_forms(request, file, f"/organisations/{pk}/"), families=FAMILIES, kinds=Qualification.KINDS,
        sees_staff=sees_staff,
    )  # fmt: skip


def _policies(request: Any, file: Any, here: str) -> list[tuple[Policy, ActionForm | None]]:
    """The policies with the form that ends each, for who may."""
    body, today = file.organisation, local_date(request.now)
    if not may(request.actor, "directory.policy.end", div=body.div, provider_id=body.pk):
        return [(row, None) for row in file.policies]
    return [
        (row, action_form(request, "end_policy", {"policy_id": row.pk, "until": today}, next=here, tone=""))
        if row.valid_to is None or row.valid_to > today
        else (row, None)
        for row in file.policies
    ]


def _body_forms(request: Any, file: Any, here: str) -> dict[str, ActionForm]:
    body, today = file.organisation, local_date(request.now)
    own = {"organisation_id": body.pk}
    on_file = {name: getattr(body, name) for name in ("name", "short_name", "address", "phone")}
    on_file["valid_to"] = body.valid_to - ONE_DAY if body.valid_to else None
    look: dict[str, Any] = {"next": here, "tone": ""}
    sites = [(row.pk, row.name) for row in file.sites]
    people = [(row.pk, f"{row.name} · {dict(Staff.KINDS)[row.kind]}") for row in file.staff]
    current = own | {"seen": body.version}
    forms = {
        "change": action_form(request, "update_organisation", current | on_file, **look),
        "enlist": action_form(request, "enlist_organisation", current | {"filed_on": today}, **look),
        "delist": action_form(request, "delist_organisation", current, **look),
        "classify": action_form(
            request, "classify_organisation", current | {"price_group": body.price_group or "none"}, **look
        ),
    }
    if not may(request.actor, "directory.staff.view", div=body.div, provider_id=body.pk):
        return forms
    if sites:
        fields = {"site_id": {"options": sites}}
        forms["staff"] = action_form(
            request,
            "register_staff",
            own | {"employed_from": today},
            hidden=("organisation_id",),
            fields=fields,
            **look,
        )
    if people:
        person = {"staff_id": {"options": people, "widget": "choice", "label": N_("人员")}}
        forms["qualify"] = action_form(request, "qualify_staff", {"valid_from": today}, fields=person, **look)
    return forms


@page("directory.staff.view")
def organisation_work(request: Any, pk: int) -> HttpResponse:
    """What the people of a body did in a month, as performance pay counts it."""
    body = organisations(request.actor).filter(pk=pk).first()
    if body is None or not may(request.actor, "directory.staff.view", div=body.div, provider_id=body.pk):
        raise Http404
    today = local_date(request.now)
    month = month_start(meant_day(f"{request.GET.get('month', '')}-01") or today)
    around = {"before": add_months(month, -1), "after": add_months(month, 1)}
    return render(
        request,
        "console/organisation_work.html",
        body=body,
        month=month,
        around=around,
        rows=work_of(request.actor, pk, month),
    )


@page("directory.site.register")
def site_new(request: Any, pk: int) -> HttpResponse:
    """Enter a place of a body."""
    body = Organisation.objects.filter(pk=pk).first()
    if body is None:
        raise Http404
    form = action_form(
        request, "register_site", {"organisation_id": pk, "kind": body.kind}, hidden=("organisation_id",), next=f"/organisations/{pk}/",
        fields={"div": {"options": "streets"}},
    )  # fmt: skip
    return render(request, "console/site_new.html", body=body, form=form)


@page("directory.area.view")
def area_page(request: Any) -> HttpResponse:
    """The tree: an area, the way to it, and what lies below it; names can be corrected (P26)."""
    home = request.actor.div or ""
    div = request.GET.get("area", "") or home
    way = list(Area.objects.filter(pk__in=ancestors(div)).defer("outline").order_by("div"))
    here = way[-1] if way and way[-1].div == div else None
    forms = {}
    if here is not None and request.actor.has("directory.area.rename") and request.actor.covers(div):
        on_file = {"div": div, "name": here.name, "short_name": here.short_name}
        forms["rename"] = action_form(request, "rename_area", on_file, next=f"/areas/?area={div}", tone="")
    below = areas_below(div) if here else Area.objects.filter(level="city").defer("outline").order_by("div")
    return render(request, "console/areas.html", way=way, here=here, below=list(below), forms=forms, levels=Area.LEVELS)


urlpatterns = [
    path("areas/", area_page),
    path("organisations/", organisation_list),
    path("organisations/new/", organisation_new),
    path("organisations/<int:pk>/", organisation_page),
    path("organisations/<int:pk>/performance/", organisation_work),
    path("organisations/<int:pk>/sites/new/", site_new),
    *coverage.urlpatterns,
    *staff.urlpatterns,
]
