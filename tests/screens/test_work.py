"""What the people of a provider did in a month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.factories import (
    NOW,
    TODAY,
    actor,
    make_assignment,
    make_item,
    make_order,
    make_price,
    make_staff,
    make_visit,
)

from yinling.catalogue.models import ServiceItem
from yinling.visits.queries import work_of

SignIn = Callable[..., Client]


@pytest.mark.req("R-ASM-12")
def test_a_geriatric_assessment_is_a_priced_item_of_its_own_type_and_counts_for_its_carer(sign_in: SignIn) -> None:
    item = make_item(kind="scale_assessment", scales=["barthel", "morse"], family="medical")
    price = make_price(item, amount_fen=6000)
    assert price.amount_fen == 6000
    assert list(ServiceItem.objects.filter(kind="scale_assessment")) == [item]
    staff = make_staff(price.organisation)
    later = timedelta(days=1)
    for chosen, start in (
        (price, NOW),
        (price, NOW + later),
        (make_price(organisation=price.organisation), NOW + 2 * later),
        (price, NOW - 31 * later),
    ):
        order = make_order("served", price=chosen, starts_at=start)
        make_visit(make_assignment(order, staff, state="done"), state="done", started_at=start, ended_at=start)
    (work,) = work_of(actor("city"), price.organisation_id, TODAY)
    assert (work.staff, work.visits, work.scale_assessments) == (staff, 3, 2)
    address = f"/organisations/{price.organisation_id}/performance/"
    page = sign_in("city").get(address, {"month": "2026-06"}).text
    assert staff.name in page
    assert '<td class="number">3</td><td class="number">2</td>' in page
    assert "这个月没有完成" in sign_in("city").get(address, {"month": "2026-01"}).text
    assert sign_in(actor("provider_manager", organisation=make_price().organisation)).get(address).status_code == 404
