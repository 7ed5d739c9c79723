"""Whose money rests while an elder is in hospital, day by day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.factories import NOW, TODAY, make_area_tree, make_elder, make_entitlement, make_scheme

from yinling.entitlements.queries import funding_for, resting_payers
from yinling.people.models import Circumstance

pytestmark = pytest.mark.django_db


@pytest.mark.req("R-PEO-03")
@pytest.mark.parametrize("kind", ["in_hospital", "in_institution"])
def test_the_voucher_rests_in_hospital_and_state_care_goes_on(wide: object, kind: str) -> None:
    make_area_tree()
    elder = make_elder()
    for payer in ("voucher", "state_care"):
        make_entitlement(elder, make_scheme(payer=payer, fund=payer))
    last = TODAY + timedelta(days=3)
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="市一院", valid_from=TODAY, valid_to=last + timedelta(days=1), recorded_from=NOW
    )  # fmt: skip
    paying = {
        day: {one.payer for one in funding_for(elder.pk, "daily_care", TODAY + timedelta(days=day)) if not one.why_barred("")}
        for day in (-1, 0, 3, 4)
    }  # fmt: skip
    assert paying == {
        -1: {"voucher", "state_care"}, 0: {"state_care"}, 3: {"state_care"}, 4: {"voucher", "state_care"}
    }  # fmt: skip


def test_nothing_rests_at_home(wide: object) -> None:
    assert resting_payers({"lives_alone"}, "3202", TODAY) == set()
