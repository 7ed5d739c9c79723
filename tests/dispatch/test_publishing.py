"""Publishing writes a whole plan in a few statements, and leaves what one offer after another would."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    DISTRICT,
    NOW,
    actor,
    make_area_tree,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_representative,
    make_staff,
    make_user,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal, Notice
from yinling.directory.models import Staff
from yinling.dispatch.models import Assignment, DayPlan, PlannedVisit
from yinling.dispatch.operations import publish_plan
from yinling.kernel.refusals import Refused
from yinling.orders.models import Order

pytestmark = pytest.mark.usefixtures("wide")

TEN = NOW + timedelta(days=1)
LATER = timedelta(minutes=20)
CAN = {"qualified": ("induction", "care_worker")}


class Plans:
    """A provider whose versions of a day are written by hand: who goes to which order, at which time."""

    def __init__(self) -> None:
        make_area_tree()
        system()
        self.body = make_organisation()
        self.price = make_price(make_item(), self.body)
        self.dispatcher = actor("dispatcher")

    def order(self, carers: int = 1) -> Order:
        return make_order(price=self.price, carers_needed=carers, starts_at=TEN, latest_at=TEN + 2 * LATER)

    def carer(self) -> Staff:
        return make_staff(self.body, **CAN)

    def ready(self, who: list[tuple[Order, list[Staff]]], *, base: DayPlan | None = None) -> DayPlan:
        number = DayPlan.objects.count() + 1
        plan = DayPlan.objects.create(
            div=DISTRICT, provider=self.body, day=date(2026, 6, 16), number=number, cause="day", base=base,
            requested_by_id=self.dispatcher.user_id or 0, created_at=NOW, changed_at=NOW,
        )  # fmt: skip
        for state in ("running", "ready"):
            DayPlan.objects.filter(pk=plan.pk).update(state=state)
        for order, carers in who:
            for slot, carer in enumerate(carers, start=1):
                PlannedVisit.objects.create(
                    div=order.div, plan=plan, provider=self.body, order=order, elder_id=order.elder_id, slot=slot, staff=carer,
                    starts_at=TEN + LATER, ends_at=TEN + LATER + timedelta(hours=1),
                )  # fmt: skip
        return plan

    def publish(self, plan: DayPlan) -> DayPlan:
        return publish_plan(
            actor=self.dispatcher, now=NOW, plan_id=plan.pk, count=PlannedVisit.objects.filter(plan=plan).count()
        )


def test_a_plan_is_published_in_the_same_number_of_queries_however_large() -> None:
    at = Plans()
    counts = []
    for size in (2, 25):
        first = at.ready([(at.order(), [at.carer()]) for _ in range(size)])
        with CaptureQueriesContext(connection) as found:
            at.publish(first)
        visits = PlannedVisit.objects.filter(plan=first).select_related("order")
        again = at.ready([(visit.order, [at.carer()]) for visit in visits], base=first)
        with CaptureQueriesContext(connection) as changed:
            at.publish(again)
        counts.append((len(found), len(changed)))
        assert Assignment.objects.filter(plan=first, state="withdrawn").count() == size
        assert Assignment.objects.filter(plan=again, state="offered").count() == size
        DayPlan.objects.filter(pk=again.pk).update(state="superseded")
    assert counts[0] == counts[1]


def test_every_order_and_offer_has_its_own_journal_rows_and_each_elder_side_one_notice() -> None:
    at = Plans()
    double, single = at.order(2), at.order()
    make_representative(double.elder, family := make_user())
    rows = {row.pk for row in Order.objects.all()}
    plan = at.ready([(double, [at.carer(), at.carer()]), (single, [at.carer()])])
    at.publish(plan)
    assert set(Order.objects.values_list("state", "starts_at", "version")) == {("assigned", TEN + LATER, 2)}
    assert sorted(Assignment.objects.values_list("order_id", "slot")) == [
        (double.pk, 1),
        (double.pk, 2),
        (single.pk, 1),
    ]
    for event in ("orders.order.appoint", "orders.order.assign"):
        entries = Journal.objects.filter(event=event)
        assert (entries.count(), {row.subject_id for row in entries}) == (2, rows)
    appointed = Journal.objects.get(event="orders.order.appoint", subject_id=single.pk)
    assert appointed.changes["starts_at"] == [str(TEN), str(TEN + LATER)]
    offered = Journal.objects.filter(event="dispatch.order.assign", subject_type="assignment")
    assert {row.subject_id: row.changes["slot"] for row in offered} == {
        row.pk: [None, row.slot] for row in Assignment.objects.all()
    }
    told = Notice.objects.filter(title="上门时间已约定")
    assert sorted((row.elder_id, row.channel, row.user_id) for row in told) == sorted(
        [(double.elder_id, "screen", family.pk), (double.elder_id, "sms", None), (single.elder_id, "sms", None)],
        key=str,
    )


def test_one_visit_that_cannot_be_offered_stops_the_whole_plan() -> None:
    at = Plans()
    same = at.carer()
    plan = at.ready([(at.order(), [same]), (at.order(), [same]), (at.order(), [at.carer()])])

    def contents() -> list[tuple[object, ...]]:
        return [
            *Order.objects.order_by("pk").values_list("state", "starts_at", "version"),
            *Assignment.objects.values_list("pk"),
            *Notice.objects.values_list("pk"),
            *DayPlan.objects.values_list("state"),
        ]

    with refused(at.dispatcher, Refused, "dispatch.overlap", contents=contents):
        at.publish(plan)
