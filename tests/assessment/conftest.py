"""The people of an assessment, and its way step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    NOW,
    TODAY,
    actor,
    make_area_tree,
    make_commission,
    make_elder,
    make_organisation,
    make_staff,
    make_user,
    system,
)

from yinling.assessment.models import Form, Request
from yinling.assessment.operations import (
    arrange_request,
    conclude_request,
    confirm_request,
    notice_request,
    request_assessment,
    review_request,
    submit_form,
    verify_request,
)
from yinling.directory.models import Organisation, Staff
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.people.models import Elder

FULL = {"scores": [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 4, 4, 4, 4, 4, 4, 1, 1, 2, 2, 2, 4, 3, 4]}
MODERATE = {"scores": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 4, 1, 1, 2, 2, 2, 1, 0, 1]}
SEVERE_LTC = {"adl": [5, 0, 0, 5, 5, 0, 5, 5, 5, 0], "cognition": [0, 0, 1, 2], "perception": [2, 2, 1]}
DECLARED = {"no_interest": True, "guardian_present": True, "video": True}


@dataclass
class Way:
    """A county with its centre, an assessor organisation with a nurse and two care workers, and an elder."""

    elder: Elder
    centre: Actor
    station: Actor
    body: Organisation
    nurse: Staff
    worker: Staff
    third: Staff
    assessor: Actor
    told: dict[str, Any] = field(default_factory=dict)

    def act(self, operation: Any, who: Actor | None = None, **values: Any) -> Any:
        acting = who or self.centre
        with scope(acting):
            return operation(actor=acting, now=values.pop("now", NOW), **values)

    def apply(self, **values: Any) -> Request:
        chosen = {
            "elder_id": self.elder.pk,
            "scale": "gbt42195_2022",
            "purpose": "home_care",
            "reason": "first",
            "mode": "home",
            "applied_as": "staff",
        }
        return self.act(request_assessment, values.pop("who", self.station), **chosen | values)

    def verified(self, **values: Any) -> Request:
        return self.act(verify_request, request_id=self.apply(**values).pk)

    def arrange(self, row: Request, **values: Any) -> Request:
        chosen = {"organisation_id": self.body.pk, "visit_on": TODAY, "assessors": [self.nurse.pk, self.worker.pk]}
        return self.act(arrange_request, request_id=row.pk, **chosen | values)

    def arranged(self, **values: Any) -> Request:
        return self.arrange(self.verified(**values))

    def submit(self, row: Request, **values: Any) -> Form:
        chosen = {
            "answers": MODERATE, "facts": {}, "informant": "王芳，女儿", "signed": [self.nurse.pk, self.worker.pk], "declared": DECLARED,
        }  # fmt: skip
        return self.act(submit_form, values.pop("who", self.assessor), request_id=row.pk, **chosen | values)

    def submitted(self, **values: Any) -> Request:
        row = self.arranged(**values)
        self.submit(row)
        return row

    def reviewer(self, **values: Any) -> Actor:
        """Somebody of the centre with a staff row of their own."""
        who = actor("district", DISTRICT)
        staff = make_staff(
            make_organisation(kind="guidance_centre", is_provider=False), qualified=values.pop("qualified", ("doctor",))
        )
        Staff.objects.filter(pk=staff.pk).update(user_id=who.user_id)
        return who

    def review(self, row: Request, who: Actor | None = None) -> Request:
        return self.act(review_request, who or self.reviewer(), request_id=row.pk, opinion="与录像一致")

    def confirm(self, row: Request, who: Actor | None = None) -> Request:
        return self.act(confirm_request, who or self.reviewer(), request_id=row.pk, opinion="同意")

    def notice(self, row: Request, **values: Any) -> Request:
        return self.act(notice_request, request_id=row.pk, **values)

    def conclude(self, row: Request, **values: Any) -> Request:
        return self.act(conclude_request, request_id=row.pk, **values)

    def done(self, **values: Any) -> Request:
        row = self.submitted(**values)
        self.review(row)
        return self.conclude(row)


@pytest.fixture
def way(wide: object) -> Way:
    make_area_tree()
    system()
    body = make_organisation(kind="assessor", is_provider=False)
    make_commission(body)
    nurse = make_staff(body, qualified=("nurse",), kind="nurse", user=make_user())
    worker, third = (make_staff(body, skill_level=4) for _ in range(2))
    return Way(
        elder=make_elder(), centre=actor("district", DISTRICT), station=actor("community", COMMUNITY), body=body, nurse=nurse, worker=worker,
        third=third, assessor=actor("assessor", staff=nurse),
    )  # fmt: skip
