"""The makers of rows stand on their own feet: each state of an order is reached on its legal way."""

import pytest
from tests.factories import (
    NOW,
    actor,
    city,
    make_elder,
    make_entitlement,
    make_order,
    make_price,
    make_service_area,
    make_staff,
    system,
)

from yinling.directory.queries import active_grants
from yinling.directory.roles import ROLES
from yinling.orders.states import OrderState

pytestmark = pytest.mark.usefixtures("wide")


@pytest.mark.parametrize("state", [str(one) for one in OrderState])
def test_an_order_in_every_state(state: str) -> None:
    assert make_order(state).state == state


@pytest.mark.parametrize("role", [code for code in ROLES if code != "system"])
def test_an_actor_of_every_role(role: str) -> None:
    one = actor(role)
    assert [grant.role for grant in active_grants(one.user_id, NOW)] == [role]


def test_the_other_makers() -> None:
    assert city().div == "3202"
    staff = make_staff(qualified=("care_worker", "health"))
    assert sorted(row.kind for row in staff.qualifications.all()) == ["care_worker", "health"]
    elder = make_elder()
    assert elder.unseal_field("phone")[-4:] == elder.phone_last4
    assert make_entitlement(elder).share_bp == 5000
    assert make_price().price_list.state == "published"
    assert make_service_area(staff.provider).div == "3202"
    assert actor("family", elders=(elder,)).elder_ids == (elder.pk,)
    assert system().is_system
