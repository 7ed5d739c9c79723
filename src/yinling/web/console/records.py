"""What stands around an elder's file: the home, who acts and what was agreed to, doubles, and what has to be looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Area
from yinling.entitlements.models import PAYERS
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.words import N_
from yinling.orders.states import ORDER
from yinling.people.models import Elder, Representative
from yinling.people.queries import (
    Pairs,
    age,
    consent_texts,
    consents_due,
    consents_of,
    household_file,
    representatives_ending,
    verification_due,
)
from yinling.people.rules import elder_code
from yinling.web.actions import ActionForm, action_form
from yinling.web.console.people import area_filter, endings, leads_to
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.homes import home_benefits, home_visits
from yinling.web.show import day, tr

MATTERS = {
    "covers_orders": N_("下单"),
    "covers_signing": N_("签字"),
    "covers_bills": N_("账单"),
    "covers_applications": N_("申请"),
    "covers_health": N_("健康"),
}
REASONS = {
    "birth": N_("姓名和出生日期相同"),
    "phone": N_("姓名和电话相同"),
    "household": N_("姓名相同，住同一户"),
    "near": N_("出生日期相同，姓名差一个字"),
}
GROUNDS = {"consent": N_("本人同意"), "duty": N_("法定职责，告知即可")}
CITY = 4


def _elder(request: Any, pk: int) -> Elder:
    elder = Elder.objects.visible_to(request.actor).select_related("household").filter(pk=pk).first()
    if elder is None:
        raise Http404
    return elder


@page("people.elder.view")
def agents(request: Any, pk: int) -> HttpResponse:
    """Who acts for an elder in which matters, now and before; and every purpose with its text and whether the elder agreed."""
    elder, today, here = _elder(request, pk), local_date(request.now), f"/elders/{pk}/agents/"
    if elder.merged_into_id:
        return leads_to(request, elder, "agents/")
    rows = list(
        Representative.objects.filter(elder=elder, recorded_to=None).select_related("user").order_by("-valid_from")
    )
    running = [row for row in rows if row.valid_from <= today and (row.valid_to is None or row.valid_to > today)]
    given = consents_of(pk, today)
    texts = consent_texts(elder.div, today)
    appoint = action_form(request, "appoint_representative", {"elder_id": pk, "valid_from": today}, next=here, tone="")
    return render(
        request, "console/elder_agents.html", elder=elder, code=elder_code(pk), rows=rows, running=running, given=given, texts=texts,
        lasts={row.pk: row.valid_to and row.valid_to - ONE_DAY for row in rows}, endings=endings(request, running, here),
        forms={text.purpose: _consent_form(request, elder, text.purpose, given, here) for text in texts if text.needs_consent},
        appoint=appoint, matters=MATTERS, grounds=GROUNDS, capacities=Representative.CAPACITIES,
    )  # fmt: skip


def _consent_form(request: Any, elder: Elder, purpose: str, given: dict[str, Any], here: str) -> list[ActionForm]:
    """Give, or take back; to an earlier text both."""
    row = given.get(purpose)
    give = action_form(
        request, "record_consent", {"elder_id": elder.pk, "purpose": purpose, "given_by": "self"}, next=here, tone="",
        hidden=("elder_id", "purpose"), only=("given_by",), submit=N_("重新同意") if row else N_("登记同意"),
    )  # fmt: skip
    if row is None:
        return [give]
    withdraw = action_form(request, "withdraw_consent", {"consent_id": row.pk}, next=here, tone="danger")
    return [give, withdraw]


@page("people.elder.view")
def household(request: Any, pk: int) -> HttpResponse:
    """One home, one file (R-PEO-08): who lives and lived there, whom to call, what they have, what comes, and earlier versions."""
    return _household(request, pk, "console/household.html")


@page("people.elder.view")
def household_print(request: Any, pk: int) -> HttpResponse:
    """The same on paper."""
    return _household(request, pk, "console/household_print.html")


def _household(request: Any, pk: int, template: str) -> HttpResponse:
    file, today = household_file(request.actor, pk), local_date(request.now)
    if file is None:
        raise Http404
    home, numbers = file.household, [row.pk for row in file.members]
    correct = action_form(
        request, "correct_household",
        {"household_id": pk, "seen": home.version, "address": home.address, "lon": home.lon, "lat": home.lat},
        next=f"/households/{pk}/", tone="",
    )  # fmt: skip
    benefits = home_benefits(numbers, today) if request.actor.has("entitlements.entitlement.view") else []
    visits = list(home_visits(request.actor, numbers, request.now)) if request.actor.has("orders.order.view") else []
    return render(
        request, template, file=file, home=home, correct=correct, benefits=benefits, visits=visits, code=elder_code, today=today,
        ages={row.pk: age(row, today) for row in file.members}, payers=PAYERS, machine=ORDER, names={row.pk: row.name for row in file.members},
    )  # fmt: skip


def _area_names(rows: Iterable[Any], known: dict[str, str]) -> dict[str, str]:
    """Return the names of the areas of rows, reading those not known yet at once."""
    missing = {row.div for row in rows} - set(known)
    return known | dict(Area.objects.filter(pk__in=missing).values_list("div", "short_name"))


def _facts(elder: Elder, names: dict[str, str]) -> list[tuple[str, str]]:
    """What the two files of a pair are compared by; numbers by their last four digits only."""
    return [
        (_("姓名"), elder.name),
        (_("性别"), tr(elder.get_sex_display())),
        (_("出生日期"), day(elder.born_on)),
        (_("证件"), f"{tr(elder.get_id_type_display())}{' ' + _('已登记号码') if elder.id_number_index else ''}"),
        (_("电话后四位"), elder.phone_last4 or "—"),
        (_("所在区划"), names.get(elder.div, elder.div)),
        (_("住址"), elder.household.address),
        (_("户籍区划"), elder.hukou_div or "—"),
        (_("去世"), day(elder.died_on)),
        (_("登记日期"), day(elder.created_at)),
        (_("最近核验"), day(elder.verified_on)),
    ]


def _choice(request: Any, one: Elder, other: Elder, names: dict[str, str]) -> dict[str, Any]:
    """A pair as the page shows it: lines of both with what differs, and the forms to decide."""
    lines = [
        (label, left, right, left != right)
        for (label, left), (_label, right) in zip(_facts(one, names), _facts(other, names), strict=True)
    ]
    look: dict[str, Any] = {"next": request.get_full_path(), "only": ("reason",), "hidden": ("kept_id", "gone_id")}
    keep = [
        action_form(
            request, "merge_elders", {"kept_id": kept.pk, "gone_id": gone.pk}, submit=_("保留 %(code)s") % {"code": elder_code(kept.pk)},
            tone="", done=N_("已合并，可在保留的档案中撤销"), **look,
        )
        for kept, gone in ((one, other), (other, one))
    ]  # fmt: skip
    apart = action_form(request, "separate_elders", {"kept_id": one.pk, "gone_id": other.pk}, tone="", **look)
    return {"one": one, "other": other, "lines": lines, "keep": keep, "apart": apart}


@page("people.elder.merge")
def doubles(request: Any) -> HttpResponse:
    """Files that look like one person, side by side."""
    own = request.actor.div or ""
    found, known = area_filter(request)
    choices = [(own, _("整个辖区（较慢）")), *found.choices]
    area = Filter("area", found.label, lambda rows, _div: rows, "choice", choices)
    div = area.value(request.GET.get("area", "")) or ""
    is_asked = bool(div) or len(own) > CITY
    found_pairs: Any = Pairs(request.actor, div or own) if is_asked else []
    listing = Listing(request, found_pairs, area, size=10)
    names = _area_names((elder for pair in listing for elder in (pair.one, pair.other)), known)
    pairs = [_choice(request, pair.one, pair.other, names) | {"reasons": pair.reasons} for pair in listing]
    return render(
        request, "console/doubles.html", listing=listing, pairs=pairs, is_asked=is_asked, code=elder_code, reasons=REASONS,
        is_whole_city=len(div or own) <= CITY,
    )  # fmt: skip


DUE = (
    ("verify", N_("待核验档案")),
    ("consents", N_("待重新同意")),
    ("representatives", N_("即将到期的代理")),
)


@page("people.elder.view")
def due(request: Any, what: str) -> HttpResponse:
    """What has to be looked at again: files, consents to earlier texts, representations that run out."""
    today, actor = local_date(request.now), request.actor
    area, names = area_filter(request)
    rows = {"verify": verification_due, "consents": consents_due, "representatives": representatives_ending}[what](
        actor, today
    )
    listing = Listing(request, rows, area)
    names = _area_names(listing, names)
    forms = {}
    if what == "verify":
        forms = {
            row.pk: action_form(
                request, "verify_elder", {"elder_id": row.pk, "seen": row.version}, next=request.get_full_path(), tone="", done=N_("已核验")
            )
            for row in listing
        }  # fmt: skip
    tabs = [(tr(label), f"/elders/due/{code}/", None, code == what) for code, label in DUE]
    titles = {text.purpose: text.title for text in consent_texts(actor.div or "", today)}
    return render(
        request, "console/elders_due.html", what=what, title=tr(dict(DUE)[what]), listing=listing, tabs=tabs, forms=forms, code=elder_code,
        names=names, titles=titles, capacities=Representative.CAPACITIES, one_day=ONE_DAY,
    )  # fmt: skip


urlpatterns = [
    path("elders/doubles/", doubles),
    *(path(f"elders/due/{what}/", due, {"what": what}) for what, _label in DUE),
    path("elders/<int:pk>/agents/", agents),
    path("households/<int:pk>/", household),
    path("households/<int:pk>/print/", household_print),
]
