"""Assessors with a contract, and a few applications for assessments in every state, played through the operations."""

from __future__ import annotations

from datetime import date, datetime

from yinling.accounts.models import User
from yinling.assessment.models import Commission, Request
from yinling.assessment.operations import (
    arrange_request,
    conclude_request,
    request_assessment,
    review_request,
    submit_form,
    verify_request,
)
from yinling.demo.applications import Clerks
from yinling.demo.bodies import EARLIEST, EARLY, LONG_AGO, Bodies
from yinling.demo.elders import People
from yinling.directory.models import Grant, Organisation, Qualification, Staff
from yinling.kernel.period import local_date
from yinling.people.models import Elder

ASSESSORS = [("nurse", None, ""), ("care_worker", 3, "时雨晴"), ("social_worker", None, "毕春和")]
ANSWERS = {"scores": [2, 2, 1, 3, 2, 3, 4, 2, 3, 3, 2, 1, 3, 3, 4, 3, 3, 4, 1, 1, 2, 1, 1, 2, 1, 3]}
"""60 points, moderate."""
WAITING = 5


def _employ(
    body: Organisation, bodies: Bodies, kind: str, level: int | None, name: str, user: User | None = None
) -> Staff:
    row = Staff(
        div=body.div, provider=body, site=bodies.sites[body.pk], user=user, name=name, kind=kind, sex="2", skill_level=level,
        day_from=EARLY[0], day_to=EARLY[1], employed_from=LONG_AGO, created_at=EARLIEST, changed_at=EARLIEST,
    )  # fmt: skip
    row.seal_field("phone", "19900009499")
    row.save(force_insert=True)
    Qualification.objects.create(
        staff=row, div=row.div, provider=body, kind=kind, number=f"PG{row.pk:05d}", issuer="演示发证机关", valid_from=LONG_AGO,
        valid_to=date(2042, 1, 1), recorded_from=EARLIEST,
    )  # fmt: skip
    return row


def load_assessing(bodies: Bodies, people: People, users: dict[str, User], city: str, now: datetime) -> None:
    """Give the assessor's login its organisation and people, a contract with the city, and work in every state."""
    body = bodies.of_kind("assessor")[0]
    Grant.objects.filter(user=users["assessor"]).update(organisation=body)
    Commission.objects.create(
        div=city, provider=body, scales=["gbt42195_2022", "mzt039_2013", "ltc_2021_37", "cq6", "home_needs_2020"], contract="演示评估〔2024〕1号",
        qualification="民办非企业单位登记证书（虚构）", assessor_count=8, valid_from=LONG_AGO, recorded_from=EARLIEST, created_at=EARLIEST,
        changed_at=EARLIEST,
    )  # fmt: skip
    login = users["assessor"]
    team = [
        _employ(body, bodies, kind, level, name or login.name, None if name else login)
        for kind, level, name in ASSESSORS
    ]
    centre = next(one for one in bodies.of_kind("guidance_centre") or [body])
    _employ(centre, bodies, "doctor", None, users["district"].name, users["district"])
    district = people.demo.div[:6] if people.demo else city
    found = [
        one for one in people.elders if one.pk not in people.levels and not one.died_on and one.div.startswith(district)
    ]
    play(Clerks(now), found[:WAITING], body, team, now)


def play(clerks: Clerks, elders: list[Elder], body: Organisation, team: list[Staff], now: datetime) -> None:
    """Bring each application one step further than the one before: applied, verified, arranged, submitted, concluded."""
    two = [team[0].pk, team[1].pk]
    for reached, elder in enumerate(elders):
        row: Request = clerks.act(
            "district", 6, request_assessment, elder_id=elder.pk, scale="gbt42195_2022",
            purpose="home_care", reason="first", mode="home", applied_as="staff",
        )  # fmt: skip
        if reached >= 1:
            clerks.act("district", 5, verify_request, request_id=row.pk)
        if reached >= 2:  # noqa: PLR2004 - the place in the row of states
            clerks.act(
                "district", 3 if reached > 2 else 0, arrange_request, request_id=row.pk, organisation_id=body.pk,  # noqa: PLR2004
                visit_on=local_date(now), assessors=two,
            )  # fmt: skip
        if reached >= 3:  # noqa: PLR2004
            clerks.act(
                "assessor", 0, submit_form, request_id=row.pk, answers=ANSWERS, facts={}, informant="家属（演示）", signed=two,
                declared={"no_interest": True},
            )  # fmt: skip
        if reached >= 4:  # noqa: PLR2004
            clerks.act("district", 0, review_request, request_id=row.pk, opinion="与现场录像一致")
            clerks.act("district", 0, conclude_request, request_id=row.pk)
