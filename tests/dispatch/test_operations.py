"""Sending carers: the best three, the manual choice, the answer, silence, and the race for one carer."""

import threading
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    LONG_AGO,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    WIDE,
    actor,
    make_area_tree,
    make_elder,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_qualification,
    make_staff,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal, Notice
from yinling.directory.models import Qualification, Staff, Suspension
from yinling.dispatch.jobs import expire_offers, expire_offers_of
from yinling.dispatch.models import Assignment
from yinling.dispatch.operations import (
    accept_assignment,
    assign_order,
    expire_assignment,
    finish_assignment,
    reassign_order,
    refuse_assignment,
    withdraw_orphan,
)
from yinling.dispatch.ports import Point, travel_time
from yinling.dispatch.queries import (
    BEST,
    Proposal,
    assignments_of,
    at_home,
    live_assignments,
    ranking,
    waiting,
    why_not,
)
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order
from yinling.people.models import Elder

START = NOW + timedelta(days=1)


class Situation:
    """A provider of four carers with a waiting order of nursing."""

    def __init__(self) -> None:
        self.item = make_item(needs_qualification="nurse", family="nursing")
        self.body = make_organisation()
        self.price = make_price(self.item, self.body)
        self.carers = [self.carer() for _ in range(4)]
        self.order = self.wanted()
        self.dispatcher = actor("dispatcher")

    def carer(self, **values: Any) -> Staff:
        return make_staff(self.body, qualified=("induction", "nurse"), kind="nurse", **values)

    def wanted(self, starts_at: Any = START, **values: Any) -> Order:
        return make_order("placed", price=self.price, starts_at=starts_at, **values)

    def assign(self, staff: Staff, order: Order | None = None, **values: Any) -> Assignment:
        chosen = {"actor": self.dispatcher, "now": NOW, **values}
        return assign_order(order_id=(order or self.order).pk, staff_id=staff.pk, **chosen)

    def best(self, order: Order | None = None) -> list[int]:
        return [one.staff_id for one in self.ranked(order)[:BEST]]

    def ranked(self, order: Order | None = None) -> tuple[Proposal, ...]:
        return ranking(actor=self.dispatcher, order=order or self.order, now=NOW).proposals

    def state(self) -> str:
        self.order.refresh_from_db()
        return self.order.state


@pytest.fixture
def at(wide: Any) -> Situation:
    return Situation()


def contents() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Order, Assignment, Notice)]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


def as_carer(staff: Staff) -> Actor:
    return actor("nurse", staff=staff)


def test_the_three_best_are_proposed_with_their_reasons(at: Situation) -> None:
    far, known, busy, plain = at.carers
    Staff.objects.filter(pk=known.pk).update(dialects="无锡话、普通话")
    Order.objects.filter(pk=at.order.pk).update(dialect="无锡话")
    at.order.refresh_from_db()
    earlier = make_order("placed", elder=at.order.elder, price=at.price, starts_at=NOW + timedelta(hours=1))
    row = at.assign(known, earlier)
    accept_assignment(actor=as_carer(known), now=NOW, assignment_id=row.pk)
    row.refresh_from_db()
    finish_assignment(actor=system(), now=NOW, assignment=row)
    at.assign(busy, at.wanted(START + timedelta(hours=4)))
    Suspension.objects.create(
        div=far.div, staff=far, provider=at.body, reason="照片重复", cause="finding:1", from_at=NOW
    )
    proposals = at.ranked()
    assert [one.staff_id for one in proposals] == [known.pk, plain.pk, busy.pk]
    assert [one.rank for one in proposals] == [1, 2, 3]
    assert [one.cost for one in proposals] == sorted(one.cost for one in proposals)
    assert proposals[0].reasons[1:] == ("服务过这位老人 1 次", "会说无锡话", "当天还没有订单")
    assert proposals[2].reasons[3] == "当天已排 1 单 60 分钟"
    assert why_not(actor=at.dispatcher, order=at.order, staff_id=far.pk, now=NOW) == ["已暂停派单：照片重复"]
    assert why_not(actor=at.dispatcher, order=at.order, staff_id=plain.pk, now=NOW)[0] == "可以派，排在第 2 位"


def test_assigning_asks_and_writes_each_thing_once(at: Situation) -> None:
    staff = at.best()[0]
    with CaptureQueriesContext(connection) as queries:
        at.assign(Staff.objects.get(pk=staff))
    assert len(queries) <= 22


def test_ranking_takes_as_many_queries_for_three_carers_as_for_many(at: Situation) -> None:
    taken = []
    for count in (4, 12):
        while Staff.objects.filter(provider=at.body).count() < count:
            at.assign(at.carer(), at.wanted(START + timedelta(hours=3)), choice_reason="x")
        with CaptureQueriesContext(connection) as queries:
            at.ranked()
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 16


def test_the_way_counts_from_the_order_before_or_from_the_site(at: Situation) -> None:
    near_home = make_elder(household=make_household(lon=120.3001, lat=31.5701))
    at.assign(at.carers[2], at.wanted(START - timedelta(hours=2), elder=near_home))
    Staff.objects.filter(pk=at.carers[3].pk).update(site=make_organisation().sites.get())
    at.body.sites.update(lon=120.4, lat=31.6)
    cost = {one.staff_id: one.parts[0][1] for one in at.ranked()}
    from_order, from_site, from_afar = (cost[at.carers[number].pk] for number in (2, 3, 0))
    assert from_order < 1 < from_site < 10 < from_afar
    assert set(at.best()[:2]) == {at.carers[2].pk, at.carers[3].pk}


@pytest.mark.req("R-ORD-01")
def test_assigning_offers_the_order_and_tells_the_carer(at: Situation) -> None:
    nurse = as_carer(at.carers[0])
    at.carers[0].refresh_from_db()
    row = at.assign(at.carers[0], seen=at.order.version)
    assert (row.state, row.rank, row.accept_due_at) == ("offered", 1, NOW + timedelta(minutes=30))
    assert (row.div, row.provider, row.staff_name, row.starts_at, row.ends_at) == (
        at.order.div, at.body, at.carers[0].name, at.order.starts_at, at.order.ends_at,
    )  # fmt: skip
    assert (at.state(), row.reasons[0][:3]) == ("assigned", "从站点")
    assert live_assignments([at.order]) == {at.order.pk: row}
    with scope(nurse):
        assert Notice.objects.get().text == "06-16 10:00 上门，请尽快接受或谢绝"
    journal = Journal.objects.get(event="dispatch.order.assign")
    assert (journal.staff_id, journal.elder_id, journal.provider_id) == (at.carers[0].pk, at.order.elder_id, at.body.pk)


def test_the_carer_accepts_and_the_order_counts_as_accepted(at: Situation) -> None:
    row, nurse = at.assign(at.carers[0]), as_carer(at.carers[0])
    with scope(nurse):
        accept_assignment(actor=nurse, now=NOW + timedelta(minutes=3), assignment_id=row.pk, seen=0)
    row.refresh_from_db()
    assert (row.state, row.accepted_at, at.state()) == ("accepted", NOW + timedelta(minutes=3), "assigned")
    assert at.order.accepted_at == NOW + timedelta(minutes=3)


def test_a_carer_answers_only_for_herself_and_the_manager_for_all(at: Situation) -> None:
    row, other, boss = at.assign(at.carers[0]), as_carer(at.carers[1]), actor("provider_manager", organisation=at.body)
    with no(other, "assignment.other", Denied):
        accept_assignment(actor=other, now=NOW, assignment_id=row.pk)
    stranger = actor("nurse", staff=make_staff())
    with no(stranger, "row.not_found", NotFound):
        accept_assignment(actor=stranger, now=NOW, assignment_id=row.pk)
    with scope(boss):
        accept_assignment(actor=boss, now=NOW, assignment_id=row.pk)
    with no(boss, "state.not_allowed", NotAllowed):
        accept_assignment(actor=boss, now=NOW, assignment_id=row.pk)


def test_a_carer_refuses_with_a_reason_and_is_not_proposed_again(at: Situation) -> None:
    row, nurse = at.assign(at.carers[0]), as_carer(at.carers[0])
    with no(nurse, "reason.missing"):
        refuse_assignment(actor=nurse, now=NOW, assignment_id=row.pk, reason="")
    with scope(nurse):
        refuse_assignment(actor=nurse, now=NOW, assignment_id=row.pk, reason="发烧")
    row.refresh_from_db()
    assert (row.state, row.end_reason, at.state()) == ("refused", "发烧", "placed")
    assert at.carers[0].pk not in at.best()
    assert why_not(actor=at.dispatcher, order=at.order, staff_id=at.carers[0].pk, now=NOW) == ["已谢绝这张订单"]


def test_silence_returns_the_order(at: Situation) -> None:
    make_area_tree()
    row, due = at.assign(at.carers[0]), NOW + timedelta(minutes=30)
    nobody = system()
    with no(nobody, "assignment.in_time"):
        expire_assignment(actor=nobody, now=due - timedelta(seconds=1), assignment_id=row.pk)
    assert expire_offers_of("3202", due - timedelta(seconds=1)) == 0
    assert expire_offers_of("3202", due) == 1
    row.refresh_from_db()
    assert (row.state, row.end_reason, at.state()) == ("expired", "超时未接受", "placed")
    assert why_not(actor=at.dispatcher, order=at.order, staff_id=at.carers[0].pk, now=NOW) == ["对这张订单超时未接"]
    assert expire_offers_of("3202", due) == 0
    expire_offers(0)


def test_a_choice_beside_the_three_best_asks_a_reason(at: Situation) -> None:
    last = next(carer for carer in at.carers if carer.pk not in at.best())
    with no(at.dispatcher, "dispatch.reason_missing"):
        at.assign(last)
    row = at.assign(last, choice_reason="家属点名")
    assert (row.rank, row.choice_reason) == (4, "家属点名")


def test_a_wish_may_be_overruled_with_a_reason(at: Situation) -> None:
    Order.objects.filter(pk=at.order.pk).update(wants_sex="1")
    at.order.refresh_from_db()
    assert at.best() == []
    with no(at.dispatcher, "dispatch.reason_missing"):
        at.assign(at.carers[0])
    row = at.assign(at.carers[0], choice_reason="老人电话同意")
    assert (row.rank, row.reasons) == (None, ["老人希望由男性服务人员上门"])


@pytest.mark.req("R-STF-02")
def test_an_expired_licence_stops_the_assignment(at: Situation) -> None:
    Qualification.objects.filter(staff=at.carers[0], kind="nurse").update(valid_to=START.date())
    assert at.carers[0].pk not in at.best()
    with no(at.dispatcher, "dispatch.qualification"):
        at.assign(at.carers[0], choice_reason="急")
    Qualification.objects.filter(staff=at.carers[0], kind="nurse").update(valid_to=START.date() + timedelta(days=1))
    assert at.assign(at.carers[0], choice_reason="急").state == "offered"


@pytest.mark.req("R-STF-05")
def test_a_worker_without_induction_training_gets_no_order(at: Situation) -> None:
    newcomer = make_staff(at.body, qualified=("nurse",), kind="nurse")
    with no(at.dispatcher, "dispatch.induction"):
        at.assign(newcomer, choice_reason="急")
    make_qualification(newcomer, "induction")
    assert at.assign(newcomer, choice_reason="急").state == "offered"


@pytest.mark.req("R-ORD-07")
def test_a_suspended_carer_is_neither_assigned_nor_accepts(at: Situation) -> None:
    row, nurse = at.assign(at.carers[0]), as_carer(at.carers[0])
    stop = Suspension.objects.create(
        div=at.carers[0].div, staff=at.carers[0], provider=at.body, reason="核查", cause="finding:1", from_at=NOW
    )
    with no(nurse, "dispatch.suspended"):
        accept_assignment(actor=nurse, now=NOW, assignment_id=row.pk)
    with no(at.dispatcher, "dispatch.suspended"):
        at.assign(at.carers[0], at.wanted(START + timedelta(hours=4)), choice_reason="急")
    Suspension.objects.filter(pk=stop.pk).update(to_at=NOW, released_by=at.dispatcher.user_id)
    assert accept_assignment(actor=nurse, now=NOW, assignment_id=row.pk).state == "accepted"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"employed_to": TODAY}, "dispatch.employment"),
        ({"day_from": time(13)}, "dispatch.hours"),
        ({"most_minutes_a_day": 30}, "dispatch.minutes"),
    ],
)
def test_a_hard_reason_stops_even_a_reasoned_choice(at: Situation, values: dict[str, Any], code: str) -> None:
    carer = at.carer(**values)
    with no(at.dispatcher, code):
        at.assign(carer, choice_reason="急")


def test_a_carer_of_another_provider_or_out_of_sight_is_refused(at: Situation) -> None:
    other, boss = make_staff(qualified=("induction", "nurse")), actor("provider_manager", organisation=at.body)
    with no(at.dispatcher, "dispatch.provider"):
        at.assign(other, choice_reason="急")
    with no(boss, "staff.not_found", NotFound):
        at.assign(other, actor=boss, choice_reason="急")
    with pytest.raises(NotFound):
        why_not(actor=at.dispatcher, order=at.order, staff_id=0, now=NOW)


def test_the_manager_assigns_in_the_own_house_only(at: Situation) -> None:
    boss, stranger, elsewhere = (
        actor("provider_manager", organisation=at.body), actor("provider_manager"), actor("dispatcher", OTHER_DISTRICT),
    )  # fmt: skip
    for who in (stranger, elsewhere):
        with no(who, "row.not_found", NotFound):
            at.assign(at.carers[0], actor=who)
    with no(seat := actor("seat"), "right.missing", Denied):
        at.assign(at.carers[0], actor=seat)
    with scope(boss):
        assert [order.pk for order in waiting(boss)] == [at.order.pk]
        assert at.assign(at.carers[0], actor=boss).state == "offered"
        assert list(waiting(boss)) == []


def test_an_order_is_assigned_once(at: Situation) -> None:
    at.assign(at.carers[0])
    with no(at.dispatcher, "state.not_allowed", NotAllowed):
        at.assign(at.carers[1])


def test_nobody_is_sent_after_the_hour_or_to_the_dead(at: Situation) -> None:
    with no(at.dispatcher, "dispatch.over"):
        at.assign(at.carers[0], now=at.order.ends_at)
    Elder.objects.filter(pk=at.order.elder_id).update(died_on=LONG_AGO)
    assert at_home([at.order]) == {at.order.pk: (LONG_AGO, False)}
    with no(at.dispatcher, "dispatch.elder_died"):
        at.assign(at.carers[0])


def test_reassigning_withdraws_one_carer_and_offers_to_another(at: Situation) -> None:
    first = at.assign(at.carers[0])
    change = {"actor": at.dispatcher, "now": NOW, "order_id": at.order.pk}
    with no(at.dispatcher, "reason.missing"):
        reassign_order(**change, staff_id=at.carers[1].pk, reason=" ")
    with no(at.dispatcher, "dispatch.same"):
        reassign_order(**change, staff_id=at.carers[0].pk, reason="换人")
    second = reassign_order(**change, staff_id=at.carers[1].pk, reason="护士请假")
    first.refresh_from_db()
    assert (first.state, first.end_reason, second.state, at.state()) == ("withdrawn", "护士请假", "offered", "assigned")
    assert live_assignments([at.order]) == {at.order.pk: second}
    with no(at.dispatcher, "state.not_allowed", NotAllowed):
        reassign_order(actor=at.dispatcher, now=NOW, order_id=at.wanted().pk, staff_id=at.carers[1].pk, reason="换人")
    with no(at.dispatcher, "dispatch.nobody"):
        reassign_order(
            actor=at.dispatcher,
            now=NOW,
            order_id=make_order("assigned", price=at.price).pk,
            staff_id=at.carers[1].pk,
            reason="换人",
        )


def test_a_cancelled_order_frees_its_carer_at_once_and_by_the_round(at: Situation) -> None:
    make_area_tree()
    seat, again = actor("seat"), at.wanted()
    row = at.assign(at.carers[0])
    with no(nobody := system(), "assignment.needed"):
        withdraw_orphan(actor=nobody, now=NOW, assignment_id=row.pk)
    cancel_order(actor=seat, now=NOW, order_id=at.order.pk, reason="改期")
    assert at.carers[0].pk in at.best(again)
    second = at.assign(at.carers[0], again)
    row.refresh_from_db()
    assert (row.state, second.state) == ("withdrawn", "offered")
    cancel_order(actor=seat, now=NOW, order_id=again.pk, reason="改期")
    assert expire_offers_of("3202", NOW) == 1
    second.refresh_from_db()
    assert (second.state, second.end_reason) == ("withdrawn", "订单已取消")


def test_a_cancelled_order_is_not_accepted_and_refusing_leaves_it_cancelled(at: Situation) -> None:
    row, nurse = at.assign(at.carers[0]), as_carer(at.carers[0])
    cancel_order(actor=actor("seat"), now=NOW, order_id=at.order.pk, reason="改期")
    with no(nurse, "dispatch.order_gone", NotAllowed):
        accept_assignment(actor=nurse, now=NOW, assignment_id=row.pk)
    refuse_assignment(actor=nurse, now=NOW, assignment_id=row.pk, reason="没空")
    assert at.state() == "cancelled"


def test_the_day_of_the_carers_is_listed_in_its_order(at: Situation) -> None:
    later = at.wanted(START + timedelta(hours=4))
    second, first = at.assign(at.carers[0], later), at.assign(at.carers[0], choice_reason="同一片区")
    other_day = at.assign(at.carers[1], at.wanted(START + timedelta(days=1)))
    assert [row.pk for row in assignments_of(at.dispatcher, TODAY + timedelta(days=1))] == [first.pk, second.pk]
    assert [row.pk for row in assignments_of(at.dispatcher, TODAY + timedelta(days=2))] == [other_day.pk]
    with scope(stranger := actor("provider_manager")):
        assert list(assignments_of(stranger, TODAY + timedelta(days=1))) == []


def test_without_a_position_the_way_counts_nothing(at: Situation) -> None:
    Order.objects.filter(pk=at.order.pk).update(lon=None, lat=None)
    at.order.refresh_from_db()
    assert {one.parts[0][1] for one in at.ranked()} == {0}


def test_managers_of_an_office_are_never_sent(at: Situation) -> None:
    clerk = at.carer()
    Staff.objects.filter(pk=clerk.pk).update(kind="office")
    assert why_not(actor=at.dispatcher, order=at.order, staff_id=clerk.pk, now=NOW) == ["管理人员不上门服务"]


def test_the_straight_line_gives_whole_seconds_with_the_detour() -> None:
    here, there = Point(120.30, 31.57), Point(120.31, 31.57)
    clock = travel_time()
    [[none, way], [back, _]] = clock.matrix([here, there], "ebike", NOW)
    assert (none, way) == (0, back)
    assert way == 308  # 949.7 m x 1.35 at 15 km/h
    assert clock.matrix([here], "car", NOW, to=[there, here])[0][1] == 0
    assert clock.matrix([], "walk", NOW, to=[here]) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_dispatchers_who_want_the_same_carer_exactly_one_wins() -> None:
    with scope(WIDE):
        at = Situation()
        rival = at.wanted()
    inserted, answers = threading.Event(), []

    def try_to(order: Order, *, is_first: bool) -> None:
        try:
            if not is_first:
                inserted.wait(60)
            with scope(WIDE):
                row = assign_order(actor=at.dispatcher, now=NOW, order_id=order.pk, staff_id=at.carers[0].pk)
                inserted.set()
                if is_first:
                    threading.Event().wait(0.5)  # hold the transaction open while the other inserts
            answers.append(row.state)
        except Refused as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=try_to, args=(order,), kwargs={"is_first": order is at.order})
        for order in (at.order, rival)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["dispatch.overlap", "offered"]
    with scope(WIDE):
        assert Assignment.objects.count() == 1
        assert sorted(Order.objects.values_list("state", flat=True)) == ["assigned", "placed"]
