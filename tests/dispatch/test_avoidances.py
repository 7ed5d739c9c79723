"""A carer who is not sent to an elder: asked by the elder's side, recorded by the dispatcher, ended again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.factories import (
    NOW,
    TODAY,
    actor,
    make_area_tree,
    make_assignment,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
)

from yinling.directory.models import Staff
from yinling.dispatch.models import Avoidance
from yinling.dispatch.operations import ask_avoidance, assign_order, end_avoidance, record_avoidance
from yinling.dispatch.queries import why_not
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order

pytestmark = pytest.mark.usefixtures("wide")


def situation() -> tuple[Order, Staff]:
    make_area_tree()
    body, elder = make_organisation(), make_elder()
    price = make_price(make_item(), body)
    carer = make_staff(body, qualified=("induction", "care_worker"))
    return make_order("placed", elder=elder, price=price), carer


def why(order: Order, carer: Staff, now: datetime = NOW) -> list[str]:
    return why_not(actor=actor("dispatcher"), order=order, staff_id=carer.pk, now=now)


def test_the_dispatcher_keeps_a_carer_away_and_lets_come_again() -> None:
    order, carer = situation()
    dispatcher = actor("dispatcher")
    asked: dict[str, Any] = {"order_id": order.pk, "staff_id": carer.pk, "asked_by": "carer"}
    with scope(dispatcher):
        row = record_avoidance(actor=dispatcher, now=NOW, reason="曾经争执", **asked)
        assert why(order, carer) == ["已登记回避：曾经争执"]
        with pytest.raises(Refusal) as refused:
            assign_order(actor=dispatcher, now=NOW, order_id=order.pk, staff_id=carer.pk, choice_reason="只有这一位")
        assert refused.value.code == "dispatch.avoid"
        for values, code in [
            ({}, "avoidance.exists"),
            ({"asked_by": "god"}, "choice.unknown"),
            ({"staff_id": 10**9}, "staff.not_found"),
        ]:
            with pytest.raises(Refusal) as refused:
                record_avoidance(actor=dispatcher, now=NOW, reason="再登记", **asked | values)
            assert refused.value.code == code
        end_avoidance(actor=dispatcher, now=NOW, avoidance_id=row.pk, reason="已和好")
        assert why(order, carer)[0].startswith("可以派")
        assign_order(actor=dispatcher, now=NOW, order_id=order.pk, staff_id=carer.pk)


def test_an_avoidance_for_a_time_holds_to_its_last_day() -> None:
    order, carer = situation()
    dispatcher = actor("dispatcher")
    later = make_order(
        "placed", elder=order.elder, price=order.lines.get().price, starts_at=order.starts_at + timedelta(days=1)
    )
    with scope(dispatcher):
        record_avoidance(
            actor=dispatcher, now=NOW, order_id=order.pk, staff_id=carer.pk, asked_by="provider", reason="陪护期", valid_to=TODAY + timedelta(days=1)
        )  # fmt: skip
        assert why(order, carer) == ["已登记回避：陪护期"]
        assert why(later, carer)[0].startswith("可以派")


def test_the_family_asks_not_to_be_sent_this_carer_and_only_for_its_own_elder() -> None:
    order, carer = situation()
    given = make_assignment(order, carer)
    family, stranger = actor("family", elders=(order.elder,)), actor("family", elders=(make_elder(),))
    with scope(family):
        row = ask_avoidance(actor=family, now=NOW, assignment_id=given.pk, reason="老人不习惯")
        assert (row.staff_name, row.asked_by, row.provider_id) == (carer.name, "elder", order.provider_id)
    with scope(stranger):
        assert not Avoidance.objects.exists()
        for operation, values in [
            (ask_avoidance, {"assignment_id": given.pk}),
            (end_avoidance, {"avoidance_id": row.pk}),
        ]:
            with pytest.raises(Refusal) as refused:
                operation(actor=stranger, now=NOW, reason="不是我家的", **values)
            assert refused.value.code == "row.not_found"
    other = make_order(
        "placed", elder=order.elder, price=order.lines.get().price, starts_at=order.starts_at + timedelta(hours=4)
    )
    assert why(other, carer)[0] == "已登记回避：老人不习惯"
    with scope(family):
        end_avoidance(actor=family, now=NOW, avoidance_id=row.pk, reason="可以再来")
    assert why(other, carer)[0].startswith("可以派")
