"""Orders for two carers: both or none, one who stays when the other goes, one time, and the window in which it is appointed."""

from datetime import timedelta
from typing import Any

import pytest
from tests.dispatch.test_operations import START, Situation, as_carer, contents, no
from tests.factories import (
    NOW,
    actor,
    make_area_tree,
    make_item,
    make_order,
    make_price,
    make_representative,
    make_user,
    system,
)

from yinling.accounts.models import Journal, Notice
from yinling.directory.models import Staff
from yinling.dispatch.jobs import expire_offers_of
from yinling.dispatch.models import Assignment, DayPlan
from yinling.dispatch.operations import (
    accept_all,
    accept_assignment,
    assign_order,
    expire_assignment,
    inform_carer,
    offer,
    reassign_order,
    refuse_assignment,
    take_back,
    withdraw_orphan,
)
from yinling.dispatch.queries import (
    carers_for,
    carers_of,
    job_of,
    live_assignments,
    orphans,
    ranking,
    waiting,
    why_not,
    with_carer,
)
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed
from yinling.orders.models import Order
from yinling.orders.operations import appoint, cancel_order, hold_order, readdress_order, return_order
from yinling.people.models import Household


class Pairs(Situation):
    """A provider of four nurses with a waiting order that needs two, to begin within an hour."""

    def __init__(self) -> None:
        super().__init__()
        self.item = make_item(needs_qualification="nurse", family="nursing", carers_needed=2)
        self.price = make_price(self.item, self.body)
        self.order = self.wanted(latest_at=START + timedelta(hours=1))

    def assign(self, staff: Staff, order: Order | None = None, **values: Any) -> Assignment:
        return super().assign(staff, order, **values)

    def both(self, **values: Any) -> list[Assignment]:
        """Assign the first two."""
        self.assign(self.carers[0], second_id=self.carers[1].pk, choice_reason="急", **values)
        return self.rows()

    def rows(self) -> list[Assignment]:
        """The assignments of the order, oldest first."""
        return list(Assignment.objects.filter(order=self.order).order_by("slot", "pk"))

    def accept(self, row: Assignment) -> Assignment:
        """Let the provider accept for the carer."""
        boss = actor("provider_manager", organisation=self.body)
        return accept_assignment(actor=boss, now=NOW, assignment_id=row.pk)

    def refuse(self, row: Assignment) -> Assignment:
        """Let the provider refuse for the carer."""
        boss = actor("provider_manager", organisation=self.body)
        return refuse_assignment(actor=boss, now=NOW, assignment_id=row.pk, reason="发烧")

    def states(self) -> list[str]:
        """The states of the assignments, slot by slot."""
        return [row.state for row in self.rows()]


@pytest.fixture
def at(wide: Any) -> Pairs:
    return Pairs()


def test_both_are_offered_or_none(at: Pairs) -> None:
    first, second = at.carers[:2]
    with no(at.dispatcher, "dispatch.second_missing"):
        at.assign(first)
    with no(at.dispatcher, "dispatch.same_person"):
        at.assign(first, second_id=first.pk)
    Staff.objects.filter(pk=second.pk).update(most_minutes_a_day=30)
    with no(at.dispatcher, "dispatch.minutes"):
        at.assign(first, second_id=second.pk, choice_reason="急")
    Staff.objects.filter(pk=second.pk).update(most_minutes_a_day=480)
    as_carer(first)
    as_carer(second)
    rows = at.both()
    assert [(row.slot, row.staff_id, row.state) for row in rows] == [
        (1, first.pk, "offered"),
        (2, second.pk, "offered"),
    ]
    assert all(row.reasons and row.rank for row in rows)
    assert at.state() == "assigned"
    assert carers_of([at.order]) == {at.order.pk: rows}
    assert live_assignments([at.order]) == {at.order.pk: rows[0]}
    assert Notice.objects.count() == 2
    assert Journal.objects.filter(event="dispatch.order.assign", is_refused=False).count() == 2
    with no(at.dispatcher, "dispatch.one_only"):
        at.assign(first, make_order(price=make_price(make_item(), at.body)), second_id=second.pk)


def test_a_choice_beside_the_best_pair_asks_a_reason(at: Pairs) -> None:
    pairs = [
        {one.staff_id, one.second[0]}
        for one in ranking(actor=at.dispatcher, order=at.order, now=NOW).proposals
        if one.second
    ]
    by = {carer.pk: carer for carer in at.carers}
    assert len(pairs) == 6
    first, second = pairs[5]
    with no(at.dispatcher, "dispatch.reason_missing"):
        at.assign(by[first], second_id=second)
    first, second = pairs[2]
    at.assign(by[first], second_id=second)
    assert at.state() == "assigned"


def test_the_order_counts_as_accepted_when_both_said_yes(at: Pairs) -> None:
    rows = at.both()
    at.accept(rows[0])
    at.order.refresh_from_db()
    assert at.order.accepted_at is None
    at.accept(rows[1])
    at.order.refresh_from_db()
    assert (at.order.accepted_at, at.order.state) == (NOW, "assigned")


def test_when_one_refuses_the_other_stays_and_the_order_waits_for_one(at: Pairs) -> None:
    make_area_tree()
    first, second = at.both()
    at.accept(first)
    at.refuse(second)
    assert (at.states(), at.state()) == (["accepted", "refused"], "placed")
    assert at.order.pk in {order.pk for order in waiting(at.dispatcher)}
    (shown,) = with_carer(Order.objects.filter(pk=at.order.pk))
    assert (shown.carer_name, shown.carer_state, shown.carer_count) == (first.staff_name, "accepted", 1)
    assert list(orphans("3202")) == []
    with no(nobody := system(), "assignment.needed"):
        withdraw_orphan(actor=nobody, now=NOW, assignment_id=first.pk)
    expire_offers_of("3202", NOW)
    assert at.states() == ["accepted", "refused"]
    with no(at.dispatcher, "dispatch.one_missing"):
        at.assign(at.carers[2], second_id=at.carers[3].pk)
    with no(at.dispatcher, "dispatch.twice"):
        at.assign(at.carers[0], choice_reason="急")
    assert at.carers[0].pk not in at.best()
    assert why_not(actor=at.dispatcher, order=at.order, staff_id=at.carers[0].pk, now=NOW) == ["已派给这张订单"]
    at.assign(at.carers[2], choice_reason="急")
    assert [(row.slot, row.state) for row in at.rows()] == [(1, "accepted"), (2, "refused"), (2, "offered")]
    assert at.state() == "assigned"


def test_one_who_waits_for_the_second_is_busy(at: Pairs) -> None:
    first, second = at.both()
    at.refuse(second)
    other = at.wanted(START + timedelta(minutes=30))
    (carer,) = carers_for(job_of(other), Staff.objects.filter(pk=first.staff_id))
    assert [one.order_id for one in carer.booked] == [at.order.pk]
    with no(at.dispatcher, "dispatch.overlap"):
        at.assign(at.carers[0], other, second_id=at.carers[2].pk, choice_reason="急")


def test_who_is_offered_may_accept_while_the_second_is_missing(at: Pairs) -> None:
    first, second = at.both()
    at.refuse(second)
    assert at.accept(first).state == "accepted"
    at.order.refresh_from_db()
    assert at.order.accepted_at is None


def test_silence_of_one_leaves_the_other(at: Pairs) -> None:
    make_area_tree()
    rows = at.both()
    at.accept(rows[0])
    due = NOW + timedelta(minutes=30)
    with no(nobody := system(), "assignment.in_time"):
        expire_assignment(actor=nobody, now=due - timedelta(seconds=1), assignment_id=rows[1].pk)
    expire_offers_of("3202", due)
    assert (at.states(), at.state()) == (["accepted", "expired"], "placed")
    assert expire_offers_of("3202", due + timedelta(minutes=5)) == 0


def test_silence_of_both_leaves_nobody(at: Pairs) -> None:
    make_area_tree()
    at.both()
    assert expire_offers_of("3202", NOW + timedelta(minutes=30)) == 2
    assert (at.states(), at.state()) == (["expired", "expired"], "placed")


def test_a_cancelled_order_frees_both(at: Pairs) -> None:
    make_area_tree()
    at.both()
    cancel_order(actor=actor("seat"), now=NOW, order_id=at.order.pk, reason="改期")
    assert expire_offers_of("3202", NOW) == 2
    assert at.states() == ["withdrawn", "withdrawn"]


def test_while_nobody_is_at_home_both_are_freed(at: Pairs) -> None:
    make_area_tree()
    at.both()
    at.order.refresh_from_db()
    return_order(actor=at.dispatcher, now=NOW, order=at.order, reason="住院")
    assert list(orphans("3202")) == []
    hold_order(actor=at.dispatcher, now=NOW, order=at.order, cause="people.in_hospital:1", reason="住院")
    with no(boss := actor("provider_manager", organisation=at.body), "dispatch.order_gone", NotAllowed):
        accept_assignment(actor=boss, now=NOW, assignment_id=at.rows()[0].pk)
    assert expire_offers_of("3202", NOW) == 2


def test_an_order_returned_with_both_still_named_begins_anew(at: Pairs) -> None:
    at.both()
    at.order.refresh_from_db()
    return_order(actor=at.dispatcher, now=NOW, order=at.order, reason="退回")
    at.assign(at.carers[2], second_id=at.carers[3].pk, choice_reason="急")
    assert at.states() == ["withdrawn", "offered", "withdrawn", "offered"]
    assert at.state() == "assigned"


def test_replacing_one_keeps_the_other_and_the_answer(at: Pairs) -> None:
    first, second = at.both()
    at.accept(first)
    change: dict[str, Any] = {"actor": at.dispatcher, "now": NOW, "order_id": at.order.pk, "reason": "请假"}
    with no(at.dispatcher, "dispatch.slot_missing"):
        reassign_order(**change, staff_id=at.carers[2].pk)
    with no(at.dispatcher, "dispatch.twice"):
        reassign_order(**change, staff_id=at.carers[0].pk, slot=2)
    with no(at.dispatcher, "dispatch.time_fixed"):
        reassign_order(**change, staff_id=at.carers[2].pk, slot=2, starts_at=START + timedelta(minutes=30))
    row = reassign_order(**change, staff_id=at.carers[2].pk, slot=2)
    second.refresh_from_db()
    assert (row.slot, row.state, second.state, at.state()) == (2, "offered", "withdrawn", "assigned")
    assert at.rows()[0].state == "accepted"
    at.refuse(row)
    assert at.state() == "placed"
    again = reassign_order(**change, staff_id=at.carers[3].pk, slot=1)
    assert (again.slot, at.state()) == (1, "placed")
    at.assign(at.carers[1], choice_reason="只有她")
    assert at.state() == "assigned"


def test_the_time_is_appointed_within_the_window_and_the_elder_side_is_told_once(at: Pairs) -> None:
    family, order = make_user(), at.order
    make_representative(order.elder, family)
    make_representative(order.elder, make_user(), covers_orders=False)
    for late in (timedelta(hours=1, minutes=1), timedelta(minutes=-1)):
        with no(at.dispatcher, "order.window"):
            at.both(starts_at=START + late)
    later = START + timedelta(hours=1)
    rows = at.both(starts_at=later)
    at.order.refresh_from_db()
    assert (order.starts_at, order.ends_at) == (later, later + timedelta(hours=1))
    assert {(row.starts_at, row.ends_at) for row in rows} == {(later, later + timedelta(hours=1))}
    entry = Journal.objects.get(event="orders.order.appoint")
    assert entry.changes["starts_at"] == [str(START), str(later)]
    told = Notice.objects.filter(title="上门时间已约定")
    assert sorted((row.channel, row.user_id) for row in told) == [("screen", family.pk), ("sms", None)]
    assert "06-16 11:00" in told[0].text
    appoint(actor=at.dispatcher, now=NOW, order=order, starts_at=later)
    assert Journal.objects.filter(event="orders.order.appoint").count() == 1
    appoint(actor=at.dispatcher, now=NOW, order=order, starts_at=START)
    assert told.all().count() == 4
    appoint(actor=at.dispatcher, now=NOW, order=order, starts_at=later)
    assert told.all().count() == 4


def test_the_provider_appoints_though_it_sees_no_family(at: Pairs) -> None:
    family, boss = make_user(), actor("provider_manager", organisation=at.body)
    make_representative(at.order.elder, family)
    with scope(boss):
        at.both(actor=boss, starts_at=START + timedelta(minutes=30))
    assert Notice.objects.filter(user_id=family.pk).count() == 1


def planned(at: Pairs) -> DayPlan:
    return DayPlan.objects.create(
        div=at.order.div, provider=at.body, day=local_date(START), number=1, cause="day", requested_by_id=at.dispatcher.user_id,
        created_at=NOW, changed_at=NOW,
    )  # fmt: skip


def test_a_plan_offers_place_by_place_and_until_the_evening(at: Pairs) -> None:
    plan, order = planned(at), at.order
    common: dict[str, Any] = {
        "actor": at.dispatcher,
        "now": NOW,
        "order": order,
        "plan": plan,
        "event": "dispatch.plan.publish",
    }
    later = START + timedelta(minutes=30)
    first = offer(**common, staff=at.carers[0], slot=1, starts_at=later, reasons=["顺路"])
    assert (order.state, order.starts_at) == ("placed", later)
    with pytest.raises(Exception, match="slot_taken"):
        offer(**common, staff=at.carers[1], slot=1)
    with pytest.raises(Exception, match="time_fixed"):
        offer(**common, staff=at.carers[1], slot=2, starts_at=START)
    second = offer(**common, staff=at.carers[1], slot=2, starts_at=later)
    assert order.state == "assigned"
    assert {first.accept_due_at, second.accept_due_at} == {NOW + timedelta(hours=10)}
    assert (first.plan, first.reasons, first.rank) == (plan, ["顺路"], None)
    assert Notice.objects.filter(title="新派单").count() == 0
    as_carer(at.carers[0])
    for row in (first, second):
        row.refresh_from_db()
    take_back(actor=at.dispatcher, now=NOW, order=order, assignments=[first, second], reason="计划变更")
    assert (order.state, at.states()) == ("placed", ["withdrawn", "withdrawn"])
    assert Notice.objects.filter(title="派单已撤回").count() == 1
    again = offer(**common, staff=at.carers[0], accept_due_at=NOW)
    assert again.accept_due_at == NOW


def test_all_offers_of_a_day_are_accepted_at_once(at: Pairs) -> None:
    nurse = as_carer(at.carers[0])
    at.both()
    other_day = at.wanted(START + timedelta(days=1))
    at.assign(at.carers[0], other_day, second_id=at.carers[1].pk, choice_reason="急")
    gone = at.wanted(START + timedelta(hours=4))
    at.assign(at.carers[0], gone, second_id=at.carers[1].pk, choice_reason="急")
    cancel_order(actor=actor("seat"), now=NOW, order_id=gone.pk, reason="改期")
    day = local_date(START)
    with scope(nurse):
        row = accept_all(actor=nurse, now=NOW, day=day)
    assert (row.order_id, row.state) == (at.order.pk, "accepted")
    mine = Assignment.objects.filter(staff=at.carers[0]).order_by("starts_at").values_list("state", flat=True)
    assert list(mine) == ["accepted", "offered", "offered"]
    with no(nurse, "assignment.none", NotAllowed):
        accept_all(actor=nurse, now=NOW, day=day)


def test_the_carer_is_told_of_another_address(at: Pairs) -> None:
    make_area_tree()
    as_carer(at.carers[0])
    rows = at.both()
    nobody = system()
    with no(nobody, "assignment.same_home"):
        inform_carer(actor=nobody, now=NOW, assignment_id=rows[0].pk)
    Household.objects.filter(pk=at.order.elder.household_id).update(address="新街9号")
    readdress_order(actor=nobody, now=NOW + timedelta(minutes=1), order_id=at.order.pk)
    expire_offers_of("3202", NOW + timedelta(minutes=2))
    told = Notice.objects.filter(title="上门地址已更新")
    assert [(row.user_id, row.link) for row in told] == [
        (at.carers[0].user_id or Staff.objects.get(pk=at.carers[0].pk).user_id, f"/m/{rows[0].pk}/")
    ]
    expire_offers_of("3202", NOW + timedelta(minutes=3))
    assert told.all().count() == 1
    with no(nobody, "assignment.same_home"):
        inform_carer(actor=nobody, now=NOW + timedelta(minutes=4), assignment_id=rows[1].pk)


def test_nothing_is_written_when_the_second_is_taken_meanwhile(at: Pairs) -> None:
    other = at.wanted(START + timedelta(minutes=30))
    at.assign(at.carers[1], other, second_id=at.carers[2].pk, choice_reason="急")
    before = contents()
    with no(at.dispatcher, "dispatch.overlap"):
        assign_order(
            actor=at.dispatcher,
            now=NOW,
            order_id=at.order.pk,
            staff_id=at.carers[0].pk,
            second_id=at.carers[1].pk,
            choice_reason="急",
        )
    assert contents() == before
