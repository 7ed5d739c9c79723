"""Contracts with family doctors: the list, a new one, the sheet to sign, what is used of it, and whom to call."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import Package, ServiceItem
from yinling.catalogue.queries import packages_for
from yinling.entitlements.models import PAYERS
from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY, age_on
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.rules import elder_code
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.family_doctor.queries import (
    call_list,
    contracts,
    doctors_of,
    groups,
    groups_of,
    names_of,
    signed_until,
    usage,
)
from yinling.programmes.family_doctor.rules import GROUP_NAMES
from yinling.programmes.family_doctor.states import CONTRACT
from yinling.web.actions import action_form
from yinling.web.console.people import area_filter
from yinling.web.options import options
from yinling.web.pages import Filter, Listing, page, render, sorting
from yinling.web.sheets import YUAN, Column, excel
from yinling.web.show import day, label_of, tr

VIEW = "family_doctor.contract.view"
DRAFT = "family_doctor.contract.draft"
MOST_EXPORTED = 5000
FUNDS = [("item", N_("项目（上门服务费自付）")), ("visit", N_("整次上门（含上门服务费）"))]


def _filters(request: Any) -> list[Filter]:
    area, _names = area_filter(request)
    found = contracts(request.actor)
    by_name = (
        [Filter("q", _("老年人"), lambda rows, text: rows.filter(elder__name__startswith=text))]
        if request.actor.div
        else []
    )
    return [
        *by_name,
        Filter("state", _("状态"), lambda rows, value: rows.filter(state=value), "choice", CONTRACT.choices),
        Filter(
            "package", _("服务包"), lambda rows, pk: rows.filter(package_id=pk), "choice",
            [(str(pk), name) for pk, name in found.order_by("package_id").values_list("package_id", "package__name").distinct()],
        ),
        Filter("ends_by", _("到期日不晚于"), lambda rows, last: rows.filter(valid_to__lte=last), "date"),
        area,
        sorting(
            _("最新在前"), ("ends", _("到期日由近到远"), ("valid_to", "-id")), ("starts", _("首日由近到远"), ("-valid_from", "-id")),
            ("body", _("机构"), ("provider__short_name", "-id")),
        ),
    ]  # fmt: skip


@page(VIEW)
def contract_list(request: Any) -> HttpResponse:
    """Contracts of the actor's area or body, with how many are in each state."""
    listing = Listing(request, contracts(request.actor), *_filters(request))
    counts = contracts(request.actor).counted({state: Q(state=state) for state, _label in CONTRACT.choices})
    return render(
        request,
        "console/contracts.html",
        listing=listing,
        machine=CONTRACT,
        names=names_of(listing.rows),
        counts=counts,
        today=request.day,
    )


@page(VIEW)
def contract_sheet(request: Any) -> HttpResponse:
    """The list as a workbook, names masked."""
    rows = contracts(request.actor)
    for entry in _filters(request):
        value = entry.value(request.GET.get(entry.name, ""))
        rows = entry.apply(rows, value) if value is not None else rows
    shown = list(rows[:MOST_EXPORTED])
    names = names_of(shown)
    columns = [
        Column(_("编号")), Column(_("老年人"), width=10), Column(_("机构"), width=24), Column(_("家庭医生"), width=10), Column(_("服务包"), width=24),
        Column(_("首日"), width=12), Column(_("最后一天"), width=12),
        Column(_("签约费（元）"), YUAN, 12), Column(_("付费方"), width=12), Column(_("状态"), width=10),
    ]  # fmt: skip
    lines = [
        (
            row.code, mask_name(names[row.pk].elder), row.provider.short_name, names[row.pk].doctor, row.package.name, day(row.valid_from),
            day(row.last_day), row.price_fen, tr(label_of(row.payer, PAYERS)), tr(row.get_state_display()),
        )
        for row in shown
    ]  # fmt: skip
    return excel(_("家庭医生签约"), columns, lines)


def _elder(request: Any) -> Elder | None:
    number = request.GET.get("elder", "")
    rows = Elder.objects.visible_to(request.actor).annotate(signed_until=signed_until(request.day))
    return rows.filter(pk=number).first() if number.isascii() and number.isdigit() else None


@page(DRAFT)
def contract_new(request: Any) -> HttpResponse:
    """Draft a contract: the elder first, then the body, then its doctor and a package."""
    elder, today = _elder(request), request.day
    known = dict(options("providers", request))
    body = request.GET.get("provider", "")
    form, offered = None, list(packages_for(elder.div, today, request.now)) if elder else []
    groups_here: list[str] = []
    if elder is not None:
        groups_here = groups_of([elder.pk], groups(elder.div, today)).get(elder.pk, [])
        if body in known and not elder.died_on:
            form = _draft_form(request, elder, int(body), offered)
    return render(
        request, "console/contract_new.html", elder=elder, code=elder_code(elder.pk) if elder else "", form=form, packages=offered,
        groups=groups_here, group_names=GROUP_NAMES, providers=list(known.items()), body=body, audiences=dict(Package.AUDIENCES),
        one_day=ONE_DAY,
    )  # fmt: skip


def _draft_form(request: Any, elder: Elder, body: int, offered: list[Package]) -> Any:
    payers = {payer for package in offered for payer in package.payers} | {"self"}
    fields = {
        "doctor_id": {
            "options": [(str(pk), name) for pk, name in doctors_of(body, elder.div, request.day)],
            "widget": "choice",
        },
        "package_id": {"options": [(str(one.pk), one.name) for one in offered], "widget": "choice"},
        "payer": {"options": [(code, tr(label)) for code, label in PAYERS if code in payers], "widget": "choice"},
    }
    first = getattr(elder, "signed_until", None) or request.day  # a renewal follows the contract that runs
    initial = {"elder_id": elder.pk, "provider_id": body, "valid_from": first}
    return action_form(
        request,
        "draft_contract",
        initial,
        next="/contracts/{id}/",
        hidden=("elder_id", "provider_id"),
        fields=fields,
        done=N_("已起草，请签字"),
    )


@page(VIEW)
def contract_page(request: Any, pk: int) -> HttpResponse:
    """One contract: who, what, until when, what is used of it; ``?print=1`` as the sheet to sign."""
    row = contracts(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    names = names_of([row])[pk]
    lines = usage(row)
    items = dict(ServiceItem.objects.filter(code__in=[line.code for line in lines]).values_list("code", "name"))
    is_paper = request.GET.get("print") == "1"
    return render(
        request, "console/contract_print.html" if is_paper else "console/contract.html", row=row, names=names, machine=CONTRACT, lines=lines,
        items=items, funds=FUNDS, payers=PAYERS, code=elder_code(row.elder_id), forms={} if is_paper else _forms(request, row),
        sees_elder=request.actor.covers(row.div),
    )  # fmt: skip


def _forms(request: Any, row: DoctorContract) -> dict[str, Any]:
    """What can be done with a contract now."""
    here = f"/contracts/{row.pk}/"
    initial = {"contract_id": row.pk, "seen": row.version}
    found = {}
    if row.state == "draft":
        found["sign"] = action_form(request, "sign_contract", initial, next=here, key_hint="S")
        found["cancel"] = action_form(request, "cancel_contract", initial, next=here, tone="danger")
        consent = {"elder_id": row.elder_id, "purpose": "family_doctor"}
        if request.actor.covers(row.div):
            found["consent"] = action_form(
                request,
                "record_consent",
                consent,
                next=here,
                hidden=("elder_id", "purpose"),
                only=("given_by",),
                tone="",
            )
    if row.state == "signed" and row.last_day >= request.day:
        found["end"] = action_form(
            request, "end_contract", initial | {"last_day": request.day}, next=here, tone="danger"
        )
    return found


@page(DRAFT)
def calls(request: Any) -> HttpResponse:
    """Who has no contract and should be offered one, those in greatest need first."""
    known = groups(request.actor.div or "", request.day)
    area, _names = area_filter(request)
    group = request.GET.get("group", "")
    choices = [(one, tr(GROUP_NAMES.get(one, one))) for one in known.order]
    chosen = Filter("group", _("重点人群"), lambda rows, _group: rows, "choice", choices)
    rows = call_list(request.actor, request.day, group=group if group in known.order else "")
    listing = Listing(request, rows, chosen, area)
    ages = {row.pk: age_on(row.born_on, request.day) for row in listing if row.born_on <= request.day}
    return render(
        request, "console/contract_calls.html", listing=listing, code=elder_code, ages=ages,
        groups=groups_of([row.pk for row in listing], known), group_names=GROUP_NAMES,
    )  # fmt: skip


urlpatterns = [
    path("contracts/", contract_list),
    path("contracts/sheet/", contract_sheet),
    path("contracts/new/", contract_new),
    path("contracts/calls/", calls),
    path("contracts/<int:pk>/", contract_page),
]
