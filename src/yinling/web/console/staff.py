"""The people of a body: one person with certificates, hours and absences; and the papers that end soon."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Absence, Area, Organisation, Policy, Qualification, Staff, Suspension
from yinling.directory.queries import ending_policies, ending_qualifications, organisations
from yinling.directory.rules import may
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tr

WITHIN = [("30", N_("30天内")), ("60", N_("60天内")), ("90", N_("90天内")), ("0", N_("已经过期"))]
MOST_ABSENCES = 20
ON_FILE = (
    "name", "dialects", "most_minutes_a_day", "contract_minutes_a_day", "break_minutes", "mode", "starts_at_home", "home_lon",
    "home_lat", "duty_div",
)  # fmt: skip


def _person(request: Any, body_id: int, pk: int) -> Staff:
    rows = Staff.objects.visible_to(request.actor).select_related("provider", "site")
    person = rows.filter(pk=pk, provider_id=body_id).first()
    if person is None or not may(request.actor, "directory.staff.view", div=person.div, provider_id=body_id):
        raise Http404
    return person


@page("directory.staff.view")
def staff_page(request: Any, pk: int, staff_id: int) -> HttpResponse:
    """One person: certificates with their days, hours and way of travel, absences, and what may be changed."""
    person = _person(request, pk, staff_id)
    today = local_date(request.now)
    here = f"/organisations/{pk}/staff/{staff_id}/"
    held = Qualification.objects.filter(staff=person, recorded_to=None).order_by("kind", "valid_from")
    absences = list(Absence.objects.filter(staff=person).order_by("-from_at")[:MOST_ABSENCES])
    stopped = Suspension.objects.filter(staff=person, to_at=None).order_by("pk")
    return render(
        request, "console/staff.html", person=person, body=person.provider, today=today, one_day=ONE_DAY, held=held,
        kinds=Qualification.KINDS, absence_kinds=Absence.KINDS, absences=[(row, _ending(request, row, here)) for row in absences],
        stopped=list(stopped), forms=_forms(request, person, here),
    )  # fmt: skip


def _ending(request: Any, row: Absence, here: str) -> ActionForm | None:
    if row.to_at is not None and row.to_at <= request.now:
        return None
    return action_form(request, "end_absence", {"absence_id": row.pk, "seen": row.version}, next=here, tone="")


def _forms(request: Any, person: Staff, here: str) -> dict[str, ActionForm]:
    """The forms of a person; each prints nothing for a role without the right."""
    own = {"staff_id": person.pk}
    on_file: dict[str, Any] = {name: getattr(person, name) for name in ON_FILE}
    hours = {
        name: f"{at:%H:%M}" if (at := getattr(person, name)) else ""
        for name in ("day_from", "day_to", "break_from", "break_to")
    }
    on_file |= hours | {
        "employed_to": person.employed_to - ONE_DAY if person.employed_to else None,
        "seen": person.version,
    }
    change = action_form(
        request, "update_staff", own | on_file, next=here, tone="",
        fields={"duty_div": {"options": _duty_areas(person)}, "phone": {"help": N_("不填则保留原来的电话")}},
    )  # fmt: skip
    return {
        "change": change,
        "qualify": action_form(
            request, "qualify_staff", own | {"valid_from": local_date(request.now)}, next=here, tone=""
        ),
        "absence": action_form(request, "report_absence", own | {"from_at": request.now}, next=here, tone=""),
    }


def _duty_areas(person: Staff) -> list[tuple[str, str]]:
    """The streets of the district in which the person works, and the area chosen before."""
    home = person.provider.div
    rows = Area.objects.filter(level="street", div__gte=home, div__lt=home + ":", is_statistical=False).order_by("div")
    found = dict(rows.values_list("div", "name"))
    if person.duty_div and person.duty_div not in found:
        found[person.duty_div] = person.duty_div
    return [("", tr(N_("机构服务的所有地区"))), *found.items()]


@page("directory.organisation.view")
def expiring(request: Any) -> HttpResponse:
    """Policies, and certificates of people, that end soon or are over, the soonest first (R-ORD-13, R-STF-02)."""
    today = local_date(request.now)
    wanted = request.GET.get("days", "")
    days = int(wanted) if wanted in dict(WITHIN) else 30
    shows_people = request.GET.get("what") == "staff" and request.actor.has("directory.staff.view")
    if shows_people:
        rows: Any = ending_qualifications(today, days).filter(staff__in=Staff.objects.visible_to(request.actor))
        kind = Filter("kind", _("证书"), lambda found, one: found.filter(kind=one), "choice", Qualification.KINDS)
    else:
        rows = ending_policies(today, days).filter(organisation__in=organisations(request.actor).order_by())
        kind = Filter("kind", _("险种"), lambda found, one: found.filter(kind=one), "choice", Policy.KINDS)
    listing = Listing(request, rows, kind)
    what = "what=staff&" if shows_people else ""
    spans = [
        (tr(label), f"/organisations/expiring/?{what}days={value}", None, int(value) == days) for value, label in WITHIN
    ]
    tabs = [(_("机构保单"), f"/organisations/expiring/?days={days}", None, not shows_people)]
    if request.actor.has("directory.staff.view"):
        tabs.append((_("人员证书"), f"/organisations/expiring/?what=staff&days={days}", None, shows_people))
    return render(
        request, "console/expiring.html", listing=listing, tabs=tabs, spans=spans, shows_people=shows_people, today=today, one_day=ONE_DAY, days=days,
        kinds=Qualification.KINDS if shows_people else Policy.KINDS,
    )  # fmt: skip


@page("directory.policy.record")
def policy_new(request: Any, pk: int) -> HttpResponse:
    """Enter a policy of a body."""
    body = Organisation.objects.filter(pk=pk).first()
    if body is None or not may(request.actor, "directory.policy.record", div=body.div, provider_id=body.pk):
        raise Http404
    form = action_form(
        request, "record_policy", {"organisation_id": pk, "valid_from": local_date(request.now)}, hidden=("organisation_id",),
        next=f"/organisations/{pk}/", done=N_("保单已登记"), fields={"valid_to": {"required": True}},
    )  # fmt: skip
    return render(request, "console/policy_new.html", body=body, form=form)


urlpatterns = [
    path("organisations/expiring/", expiring),
    path("organisations/<int:pk>/policies/new/", policy_new),
    path("organisations/<int:pk>/staff/<int:staff_id>/", staff_page),
]
