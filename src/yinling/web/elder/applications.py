"""The elder side's applications, in large type: how far each has come, and what could be applied for."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path

from yinling.entitlements.models import Application
from yinling.entitlements.queries.applications import applications
from yinling.entitlements.queries.eligibility import answer, schemes_for, situation_of
from yinling.entitlements.queries.procedures import procedure_of
from yinling.entitlements.states import APPLICATION, OPEN
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Representative
from yinling.web.actions import ActionForm, action_form
from yinling.web.elder.views import Person, _person, _show
from yinling.web.pages import Listing, page
from yinling.web.show import elder_day

SHOWN = 5
SENTENCES = {
    "applied": "街道正在初审，最晚 %(due)s 有结果。", "returned": "还缺材料，请在 %(due)s 前补齐：%(findings)s",
    "reviewed": "街道初审通过，等待公示。", "noticed": "正在公示，到 %(last)s 结束。", "waiting": "符合条件，名额满了，正在排队，有名额会告诉您。",
    "approved": "已经批准。", "refused": "没有批准：%(reason)s。不服可在 %(appeal)s 前申请行政复议。", "withdrawn": "已经撤回。",
}  # fmt: skip
STEPS = (("申请", 1), ("初审", 2), ("公示", 3), ("批准", 4))
REACHED = {
    "applied": 1,
    "returned": 1,
    "reviewed": 2,
    "noticed": 2,
    "waiting": 3,
    "approved": 4,
    "refused": 4,
    "withdrawn": 4,
}


@page("entitlements.application.view")
def own_applications(request: Any) -> HttpResponse:
    """Every application with one plain sentence, and what this person may apply for."""
    person = _person(request)
    rows = applications(request.actor).filter(elder_id=person.elder.pk).select_related("notice")
    listing = Listing(request, rows, size=SHOWN)
    entries = [_entry(request, person, row) for row in listing]
    offered = _offered(request, person, {row.scheme_id for row in listing if row.state in OPEN})
    return _show(
        request, "applications", person, listing=listing, entries=entries, offered=offered, machine=APPLICATION
    )


def _entry(request: Any, person: Person, row: Application) -> dict[str, Any]:
    values = {
        "due": elder_day(row.due_on) if row.due_on else "", "findings": row.findings, "reason": row.reason,
        "last": elder_day(row.notice.last_day) if row.notice else "", "appeal": elder_day(row.appeal_until) if row.appeal_until else "",
    }  # fmt: skip
    at = REACHED[row.state]
    bar = [(label, "done" if number <= at else "now" if number == at + 1 else "todo", "") for label, number in STEPS]
    here, initial = f"/e/applications/?{person.query}", {"application_id": row.pk, "seen": row.version}
    withdraw = (
        action_form(request, "withdraw_application", initial, next=here, tone="danger") if row.state in OPEN else None
    )
    return {"row": row, "sentence": SENTENCES[row.state] % values, "bar": bar, "withdraw": withdraw}


def _offered(request: Any, person: Person, open_schemes: set[int]) -> list[tuple[str, ActionForm]]:
    """Schemes that fit and are neither held nor asked for, each with its one button."""
    today, elder = local_date(request.now), person.elder
    own = Representative.objects.filter(elder_id=elder.pk, user_id=request.actor.user_id, recorded_to=None).first()
    situation = situation_of(elder, today)
    held = {fact.kind for fact in situation.holdings if fact.days.contains(today)}
    if own is None:
        return []
    look: dict[str, Any] = {"next": f"/e/applications/?{person.query}", "submit": N_("我要申请"), "only": ("elder_id",)}
    return [
        (
            scheme.name,
            action_form(
                request, "apply_for", {"elder_id": elder.pk, "scheme_code": scheme.code, "applied_as": own.capacity},
                hidden=("scheme_code", "applied_as"), confirm=N_("确定申请吗？街道工作人员会联系您核实情况。"), **look,
            ),
        )
        for scheme in schemes_for(elder.div)
        if scheme.code not in held and scheme.pk not in open_schemes
        and procedure_of(scheme.code, elder.div, today)
        and answer(scheme, situation).is_eligible
    ]  # fmt: skip


urlpatterns = [path("e/applications/", own_applications)]
