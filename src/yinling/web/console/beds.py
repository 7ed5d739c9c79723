"""Home sickbeds, stays paid by the day, and beside one elder the bed, the contract and the insurance grade (R-LTC-09)."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.assessment.queries import assessments_of
from yinling.catalogue.models import ServiceItem
from yinling.entitlements.queries import entitlements_of
from yinling.ground.models import in_force
from yinling.ground.scope import scope
from yinling.kernel.masks import mask_name
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.words import N_
from yinling.people.models import Circumstance, Elder
from yinling.people.queries.consents import consent_text
from yinling.people.queries.names import reader
from yinling.people.rules import elder_code
from yinling.programmes.family_doctor.queries import contracts, usage
from yinling.programmes.family_doctor.states import CONTRACT
from yinling.programmes.home_beds.models import BedStay, HomeSickbed
from yinling.programmes.home_beds.queries import (
    Sheet,
    beds,
    bills_of,
    elders_of,
    groups_for,
    present,
    sheet_of,
    stays,
)
from yinling.programmes.home_beds.queries.beds import names_of as names_at
from yinling.programmes.home_beds.rules import CONSENTS, PIECES
from yinling.programmes.home_beds.states import SICKBED
from yinling.web.actions import action_form
from yinling.web.console.people import area_filter
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render, sorting
from yinling.web.sheets import Column, excel
from yinling.web.show import day, tr

VIEW = "home_beds.bed.view"
STAYS = "home_beds.stay.view"
INSURED = ("ltci_insured", "accident_insured")
LTC_SCALE = "ltc_2021_37"
EXPORTED = 5000


@named("bed_day_items")
def bed_day_items(request: Any) -> list[tuple[str, str]]:  # noqa: ARG001 - one signature for all lists
    """Items that are paid by the day."""
    rows = ServiceItem.objects.filter(kind="bed_day", is_active=True).order_by("code")
    return [(code, f"{code} {name}") for code, name in rows.values_list("code", "name")]


def _tabs(here: str) -> list[tuple[str, str, None, bool]]:
    return [
        (_("家庭病床"), "/beds/", None, here == "beds"), (_("按床日付费"), "/beds/stays/", None, here == "stays"),
    ]  # fmt: skip


def _listing(request: Any) -> Listing:
    area, _names = area_filter(request)
    by_name = (
        [Filter("q", _("老年人"), lambda found, text: found.filter(elder__name__startswith=text))]
        if request.actor.div
        else []
    )
    return Listing(
        request, beds(request.actor), *by_name,
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", SICKBED.choices),
        Filter("kind", _("种类"), lambda found, value: found.filter(kind=value), "choice", HomeSickbed.KINDS), area,
        sorting(
            _("最新在前"), ("oldest", _("申请由早到晚"), ("applied_at", "id")),
            ("opened", _("建床由近到远"), (F("approved_on").desc(nulls_last=True), "-id")),
            ("body", _("机构"), ("provider__short_name", "-id")),
        ),
    )  # fmt: skip


@page(VIEW)
def bed_list(request: Any) -> HttpResponse:
    """Applications and beds, those that wait for a decision first to be found by their state."""
    listing = _listing(request)
    counts = beds(request.actor).counted({state: Q(state=state) for state, _label in SICKBED.choices})
    return render(
        request, "console/beds.html", tabs=_tabs("beds"), listing=listing, machine=SICKBED, names=names_at(listing.rows), counts=counts,
        excel=listing.address(page=None).replace("/beds/", "/beds/excel/", 1),
    )  # fmt: skip


@page(VIEW)
def beds_excel(request: Any) -> HttpResponse:
    """The list as a workbook, names masked; what is wrong with the person stands in no list."""
    rows = list(_listing(request).every[:EXPORTED])
    names = names_at(rows)
    columns = [
        Column(_("编号")), Column(_("老年人"), width=10), Column(_("种类"), width=12), Column(_("机构"), width=24), Column(_("责任医生"), width=10),
        Column(_("责任护士"), width=10), Column(_("申请"), width=12), Column(_("建床"), width=12), Column(_("撤床"), width=12),
        Column(_("状态"), width=10),
    ]  # fmt: skip
    lines = [
        (
            row.code, mask_name(names[row.pk].elder), tr(row.get_kind_display()), row.provider.short_name, names[row.pk].doctor, names[row.pk].nurse,
            day(row.applied_at), day(row.approved_on) if row.approved_on else "", day(row.withdrawn_on) if row.withdrawn_on else "",
            tr(row.get_state_display()),
        )
        for row in rows
    ]  # fmt: skip
    return excel(_("家庭病床"), columns, lines)


def _elder(request: Any) -> Elder | None:
    number = request.GET.get("elder", "")
    rows = Elder.objects.visible_to(request.actor)
    return rows.filter(pk=number).first() if number.isascii() and number.isdigit() else None


@page("home_beds.bed.apply")
def bed_new(request: Any) -> HttpResponse:
    """Apply for a home sickbed of one elder, with what the city's list says of the person today."""
    elder, form, fits = _elder(request), None, None
    if elder is not None and not elder.died_on:
        fits = groups_for(elder, request.day)
        form = action_form(
            request, "apply_for_bed", {"elder_id": elder.pk, "signed_by": elder.name}, next="/beds/{id}/", hidden=("elder_id",),
            fields={"provider_id": {"options": "providers", "widget": "choice"}}, done=N_("已申请"),
        )  # fmt: skip
    return render(
        request, "console/bed_new.html", elder=elder, code=elder_code(elder.pk) if elder else "", form=form, fits=fits
    )


@page(VIEW)
def bed_page(request: Any, pk: int) -> HttpResponse:
    """One bed: what is there and what is missing, the decision, and beside it the insurance grade."""
    row = beds(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    sheet = sheet_of(row, request.day)
    there = present(row, sheet.basis) if sheet.basis else set()
    return render(
        request, "console/bed.html", row=row, names=sheet.names, machine=SICKBED, pieces=[(PIECES[one], one in there) for one in PIECES],
        basis=sheet.basis, insurance=sheet.insurance, text=consent_text(CONSENTS[row.kind], row.div, request.day),
        forms=_forms(request, row, sheet), code=elder_code(row.elder_id), sees_elder=request.actor.covers(row.div), one_day=ONE_DAY,
    )  # fmt: skip


def _forms(request: Any, row: HomeSickbed, sheet: Sheet) -> dict[str, Any]:
    """What can be done with a bed now."""
    here, one = f"/beds/{row.pk}/", {"bed_id": row.pk, "seen": row.version}
    found = (
        {"reveal": action_form(request, "reveal_diagnosis", {"bed_id": row.pk}, tone="")} if row.diagnosis_enc else {}
    )
    people = {f"{kind}_id": {"options": sheet.staff.get(kind, []), "widget": "choice"} for kind in ("doctor", "nurse")}
    if row.state in ("applied", "approved"):
        named_now = {"doctor_id": row.doctor_id, "nurse_id": row.nurse_id}
        found["assign"] = action_form(request, "assign_bed", one | named_now, next=here, fields=people, tone="")
    if row.state == "applied":
        checkers = [*sheet.staff.get("doctor", []), *sheet.staff.get("nurse", [])]
        found["check"] = action_form(
            request, "check_home", one | {"checked_on": request.day}, next=here, tone="",
            fields={"staff_id": {"options": checkers, "widget": "choice", "required": False}},
        )  # fmt: skip
        found["approve"] = action_form(request, "approve_bed", one, next=here)
        found["refuse"] = action_form(request, "refuse_bed", one, next=here, tone="danger")
        found["cancel"] = action_form(request, "cancel_bed", one, next=here, tone="")
        if request.actor.covers(row.div):
            consent = {"elder_id": row.elder_id, "purpose": CONSENTS[row.kind]}
            found["consent"] = action_form(
                request,
                "record_consent",
                consent,
                next=here,
                hidden=("elder_id", "purpose"),
                only=("given_by",),
                tone="",
            )
    if row.state == "approved":
        found["withdraw"] = action_form(
            request,
            "withdraw_bed",
            one | {"last_day": min(request.day, row.approved_to or request.day)},
            next=here,
            tone="danger",
        )
    return found


@page(STAYS)
def stay_list(request: Any) -> HttpResponse:
    """Stays paid by the day, with the months that are billed and those that can be."""
    area, _names = area_filter(request)
    listing = Listing(
        request, stays(request.actor), Filter("kind", _("种类"), lambda rows, value: rows.filter(kind=value), "choice", BedStay.KINDS),
        Filter("open", _("只看在院"), lambda rows, _yes: rows.filter(discharged_on=None), "check"), area,
    )  # fmt: skip
    elders = elders_of(listing.rows)
    today = local_date(request.now)
    forms = {
        row.pk: action_form(request, "discharge_stay", {"stay_id": row.pk, "seen": row.version, "discharged_on": today}, next="/beds/stays/", tone="")
        for row in listing
        if row.discharged_on is None
    }  # fmt: skip
    bills = bills_of(listing.rows, elders, today)
    due = {
        row.pk: action_form(request, "bill_stay", {"stay_id": row.pk}, next="/beds/stays/", tone="")
        for row in listing
        if any(bill.order_id is None for bill in bills[row.pk])
    }
    return render(
        request,
        "console/stays_by_day.html",
        tabs=_tabs("stays"),
        listing=listing,
        elders=elders,
        bills=bills,
        forms=forms,
        due=due,
    )


@page("home_beds.stay.admit")
def stay_new(request: Any) -> HttpResponse:
    """Admit one elder to a bed that is paid by the day."""
    elder, form = _elder(request), None
    if elder is not None and not elder.died_on:
        form = action_form(
            request, "admit_to_bed", {"elder_id": elder.pk, "admitted_on": request.day}, next="/beds/stays/", hidden=("elder_id",),
            fields={
                "provider_id": {"options": "providers", "widget": "choice"}, "item_code": {"options": "bed_day_items", "widget": "choice"},
            },
        )  # fmt: skip
    return render(request, "console/stay_new.html", elder=elder, code=elder_code(elder.pk) if elder else "", form=form)


@page("entitlements.entitlement.view")
def elder_programmes(request: Any, pk: int) -> HttpResponse:
    """Bed, contract and insurance of one elder on one page; the insurance comes as a part of its own."""
    elder = Elder.objects.visible_to(request.actor).filter(pk=pk).first()
    if elder is None:
        raise Http404
    if request.htmx and request.htmx.target == "insurance":
        return _insurance(request, elder)
    with scope(reader(elder.div)):  # whoever sees the file may read who doctor and nurse are, whose files lie elsewhere
        signed = list(contracts(request.actor).filter(elder=elder).select_related("doctor")[:10])
        own_beds = list(beds(request.actor).filter(elder=elder).select_related("doctor", "nurse")[:10])
    current = next(
        (row for row in signed if row.state == "signed" and row.valid_from <= request.day < row.valid_to), None
    )
    return render(
        request, "console/elder_programmes.html", elder=elder, code=elder_code(pk), tab="programmes", contracts=signed, beds=own_beds,
        machine=CONTRACT, bed_machine=SICKBED, lines=usage(current) if current else (), stays=stays(request.actor).filter(elder=elder)[:10],
    )  # fmt: skip


def _insurance(request: Any, elder: Elder) -> HttpResponse:
    grades = [row for row in assessments_of(request.actor, elder.pk) if row.scale == LTC_SCALE]
    policies = Circumstance.objects.filter(in_force(request.day), elder=elder, kind__in=INSURED).order_by("kind", "pk")
    given = [row for row in entitlements_of(request.actor, elder.pk) if row.scheme.payer == "ltci"]
    return render(
        request, "console/elder_programmes.html", block="insurance", elder=elder, grades=grades, policies=policies, given=given, one_day=ONE_DAY
    )  # fmt: skip


urlpatterns = [
    path("beds/", bed_list),
    path("beds/excel/", beds_excel),
    path("beds/new/", bed_new),
    path("beds/stays/", stay_list),
    path("beds/stays/new/", stay_new),
    path("beds/<int:pk>/", bed_page),
    path("elders/<int:pk>/programmes/", elder_programmes),
]
