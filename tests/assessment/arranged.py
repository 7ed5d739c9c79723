"""An arranged assessment with the people named on it, for tests of its form."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.factories import (
    COMMUNITY,
    NOW,
    TODAY,
    make_elder,
    make_organisation,
    make_staff,
)

from yinling.assessment.models import Assessor, Commission, Request
from yinling.assessment.states import RequestState
from yinling.directory.models import Organisation, Staff

WAY = (RequestState.VERIFIED, RequestState.ARRANGED)


def make_assessors(body: Organisation, *names: str) -> list[Staff]:
    """Nurses of an assessing organisation."""
    return [make_staff(body, qualified=("nurse",), name=name) for name in names]


def make_commission(body: Organisation, scale: str, div: str = "3202") -> Commission:
    """The contract by which an organisation may assess."""
    return Commission.objects.create(
        div=div, provider=body, scales=[scale], contract=f"委2026-{scale}", qualification="评估机构资质", assessor_count=5,
        valid_from=date(2020, 1, 1), recorded_from=NOW, created_at=NOW, changed_at=NOW,
    )  # fmt: skip


def make_request(
    staff: list[Staff],
    *,
    scale: str = "gbt42195_2022",
    visit_on: date = TODAY,
    commissioned: bool = True,
    **values: Any,
) -> Request:
    """An application arranged for the day, at the elder's home, with the assessors named."""
    body, elder = staff[0].provider, values.pop("elder", None) or make_elder()
    chosen = {
        "div": COMMUNITY, "home_div": COMMUNITY, "elder": elder, "provider": body, "scale": scale, "purpose": "home_care", "reason": "first",
        "mode": "home", "applied_as": "family", "elder_name": elder.name, "elder_sex": elder.sex, "born_on": elder.born_on,
        "address": "无锡市梁溪区崇安寺街道公园路 8 号 302 室", "visit_on": visit_on, "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    row = Request.objects.create(**chosen)
    for state in WAY:
        row.state = state
        row.save()
    if commissioned and not Commission.objects.filter(provider=body, scales__contains=[scale]).exists():
        make_commission(body, scale)
    for one in staff:
        Assessor.objects.create(
            div=row.div, request=row, elder=elder, provider=body, staff=one, capacity="assessor", staff_name=one.name, qualification="护士",
            assigned_at=NOW,
        )  # fmt: skip
    return row


def make_body() -> Organisation:
    """An organisation that assesses and serves nobody."""
    return make_organisation(kind="assessor", is_provider=False)
