"""Plans of a day: from the database to the planner and back, by hand, published once, planned anew."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    OTHER_STREET,
    STREET,
    actor,
    make_absence,
    make_area_tree,
    make_assignment,
    make_elder,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal, Notice
from yinling.directory.models import Staff, Suspension
from yinling.dispatch.jobs import pull_plans_of, solve_plan
from yinling.dispatch.models import Assignment, Avoidance, DayPlan, PlannedVisit
from yinling.dispatch.operations import (
    accept_assignment,
    balance_plans,
    copy_plan,
    discard_plan,
    lock_staff,
    lock_visit,
    move_visit,
    plan_city,
    publish_plan,
    replan,
    request_plan,
    stop_plan,
)
from yinling.dispatch.operations.runs import SILENT, claim_plan, finish_plan, note_alive, requeue_silent
from yinling.dispatch.operations.solving import day_of, search_day
from yinling.dispatch.planner.search import solve
from yinling.dispatch.queries import compare, effect_of_move, plan_board, plans_of
from yinling.dispatch.queries.days import Frame, load_day
from yinling.ground.clock import real_now
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.orders.models import Order
from yinling.orders.operations import cancel_order

DAY = date(2026, 6, 16)
NINE = NOW + timedelta(hours=23)
"""Nine in the morning of the day that is planned."""
SPOTS = [(120.300 + 0.006 * (number % 5), 31.570 + 0.005 * (number // 5)) for number in range(30)]


def few_moves(*args: Any, seconds: float, **values: Any) -> Any:
    """The planner, for so many moves that a small street is solved."""
    return solve(*args, moves=20_000, **values)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.dispatch.operations.solving.solve", few_moves)
    monkeypatch.setattr("yinling.dispatch.jobs.business_now", lambda: NOW)


class Street:
    """A provider of four carers with eight visits of an hour, each with half an hour of room."""

    def __init__(self, carers: int = 4, visits: int = 8) -> None:
        make_area_tree()
        system()
        self.body = make_organisation()
        self.item = make_item()
        self.price = make_price(self.item, self.body)
        self.carers = [self.carer() for _ in range(carers)]
        self.orders = [self.wanted(number) for number in range(visits)]
        self.dispatcher = actor("dispatcher")

    def carer(self, **values: Any) -> Staff:
        return make_staff(self.body, qualified=("induction", "care_worker"), **values)

    def wanted(
        self, number: int, *, hour: float | None = None, room: int = 30, state: str = "placed", **values: Any
    ) -> Order:
        lon, lat = SPOTS[number % len(SPOTS)]
        start = NINE + timedelta(minutes=60 * hour) if hour is not None else NINE + timedelta(minutes=90 * (number % 4))
        elder = values.pop("elder", None) or make_elder(household=make_household(lon=lon, lat=lat))
        price = values.pop("price", self.price)
        return make_order(
            state, elder=elder, price=price, starts_at=start, latest_at=start + timedelta(minutes=room), **values
        )

    def request(self, **values: Any) -> DayPlan:
        chosen = {
            "actor": self.dispatcher,
            "now": NOW,
            "provider_id": self.body.pk,
            "div": DISTRICT,
            "day": DAY,
            **values,
        }
        return request_plan(**chosen)

    def solved(self, plan: DayPlan | None = None) -> DayPlan:
        plan = plan or self.request()
        assert solve_plan("3202", plan.pk)
        plan.refresh_from_db()
        return plan

    def published(self, plan: DayPlan | None = None) -> DayPlan:
        plan = plan or self.solved()
        return publish_plan(actor=self.dispatcher, now=NOW, plan_id=plan.pk)

    def day(self, **values: Any) -> Any:
        return load_day(Frame(self.body.pk, DISTRICT, DAY, NOW, **values))

    def accept(self, order: Order) -> Assignment:
        row = Assignment.objects.get(order=order, state="offered")
        return accept_assignment(actor=actor("provider_manager", organisation=self.body), now=NOW, assignment_id=row.pk)


@pytest.fixture
def at(wide: Any) -> Street:
    return Street()


def contents() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (DayPlan, PlannedVisit, Assignment, Order, Notice)]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


def places(plan: DayPlan) -> dict[tuple[int, int], tuple[int | None, Any]]:
    return {(row.order_id, row.slot): (row.staff_id, row.starts_at) for row in PlannedVisit.objects.filter(plan=plan)}


def visit_of(plan: DayPlan, order: Order, slot: int = 1) -> PlannedVisit:
    return PlannedVisit.objects.get(plan=plan, order=order, slot=slot)


def test_a_day_is_planned_and_every_visit_is_in_its_window(at: Street) -> None:
    plan = at.solved()
    assert (plan.state, plan.progress, plan.number, plan.cause) == ("ready", 100, 1, "day")
    rows = list(PlannedVisit.objects.filter(plan=plan).select_related("order"))
    assert len(rows) == len(at.orders)
    assert all(row.staff_id and row.order.earliest_at <= row.starts_at <= row.order.latest_at for row in rows)
    assert plan.cost["left_out"] == 0
    assert plan.cost["total"] > 0
    assert [row.event for row in Journal.objects.filter(subject_type="dayplan").order_by("pk")] == [
        "dispatch.plan.request", "dispatch.plan.run", "dispatch.plan.finish",
    ]  # fmt: skip


def test_a_day_is_read_in_the_same_number_of_queries_however_large(at: Street) -> None:
    with CaptureQueriesContext(connection) as few:
        at.day()
    for number in range(8, 20):
        at.wanted(number)
    for _ in range(4):
        at.carer()
    with CaptureQueriesContext(connection) as many:
        at.day()
    assert len(few) == len(many) <= 16


def test_who_may_not_go_is_left_out_of_the_plan_and_the_reasons_are_counted(at: Street) -> None:
    nursing = make_price(make_item(needs_qualification="nurse", family="nursing"), at.body)
    order = at.wanted(9, price=nursing)
    at.day()
    plan = at.solved()
    row = visit_of(plan, order)
    assert row.staff_id is None
    assert row.reasons == [{"code": "against", "values": {"count": 4, "reason": "没有“护士执业证”"}}]
    left = plan_board(at.dispatcher, plan).left
    assert [(one.order_id, one.reasons) for one in left] == [(order.pk, ("4 人：没有“护士执业证”",))]


def test_rules_for_one_order_hold_for_the_day(at: Street) -> None:
    suspended, avoided, other_sex, licensed = at.carers
    Suspension.objects.create(
        div=suspended.div, staff=suspended, provider=at.body, reason="核查", cause="finding:1", from_at=NOW
    )
    order = at.orders[0]
    Avoidance.objects.create(
        div=order.div, elder=order.elder, staff=avoided, staff_name=avoided.name, provider=at.body, asked_by="elder", reason="家属要求",
        valid_from=DAY, recorded_from=NOW,
    )  # fmt: skip
    Staff.objects.filter(pk=other_sex.pk).update(sex="1")
    Order.objects.filter(pk=order.pk).update(wants_sex="2")
    day = at.day()
    row = day.visit_of[order.pk]
    assert [day.carers[column].staff_id for column in range(4) if day.mask.may[row, column]] == [licensed.pk]
    assert [one.code for one in day.mask.against(row, day.number_of[avoided.pk])] == ["avoid"]


def test_known_faces_and_dialects_are_wishes(at: Street) -> None:
    known, plain = at.carers[:2]
    order = at.orders[0]
    Order.objects.filter(pk=order.pk).update(dialect="无锡话")
    Staff.objects.filter(pk=plain.pk).update(dialects="无锡话、普通话")
    earlier = make_order("served", elder=order.elder, price=at.price, starts_at=NOW - timedelta(days=7))
    make_assignment(earlier, known, state="done")
    day = at.day()
    row = day.visit_of[order.pk]
    wishes = {carer.staff_id: float(day.problem.wishes[row, number]) for number, carer in enumerate(day.carers)}
    assert wishes[known.pk] == 7.5 + 10
    assert wishes[plain.pk] == 15
    assert wishes[at.carers[2].pk] == 25


def test_two_who_go_together_start_together_and_are_two_persons(at: Street) -> None:
    order = at.wanted(10, hour=7, carers_needed=2)
    plan = at.solved()
    first, second = visit_of(plan, order, 1), visit_of(plan, order, 2)
    assert first.starts_at == second.starts_at
    assert first.staff_id != second.staff_id


def test_medicine_comes_before_the_meal_and_one_elder_is_not_visited_twice_at_once(at: Street) -> None:
    meal = make_price(make_item(family="meal"), at.body)
    nursing = make_price(make_item(family="nursing"), at.body)
    elder = make_elder(household=make_household(lon=120.31, lat=31.58))
    dinner = at.wanted(0, elder=elder, price=meal, hour=1, room=180)
    medicine = at.wanted(0, elder=elder, price=nursing, hour=1.5, room=60)
    plan = at.solved()
    assert visit_of(plan, medicine).ends_at <= visit_of(plan, dinner).starts_at


def test_unknown_places_are_left_out_with_the_reason(at: Street) -> None:
    for values in ({"lon": None, "lat": None}, {"lon": 0.0, "lat": 0.0}, {"lon": float("nan"), "lat": 31.5}):
        order = at.wanted(3)
        Order.objects.filter(pk=order.pk).update(**values)
    plan = at.solved()
    left = plan_board(at.dispatcher, plan).left
    assert [one.reasons for one in left] == [("地址没有定位，算不出路程，请先补上位置",)] * 3
    assert PlannedVisit.objects.filter(plan=plan, staff__isnull=False).count() == 8


def test_absences_cut_the_day_and_accepted_visits_stay(at: Street) -> None:
    plan = at.published()
    held = at.orders[0]
    accepted = at.accept(held)
    day = at.day()
    visit = day.problem.visits[day.visit_of[held.pk]]
    assert visit.carers == (day.number_of[accepted.staff_id],)
    assert day.frame.moment(visit.start or 0) == accepted.starts_at
    make_absence(accepted.staff, from_at=NINE - timedelta(hours=9), to_at=NINE + timedelta(hours=30))
    day = at.day()
    visit = day.problem.visits[day.visit_of[held.pk]]
    assert visit.carers == ()
    assert visit.usual == visit_of(plan, held).starts_at.hour * 60 + 480 + visit_of(plan, held).starts_at.minute
    assert not day.mask.may[:, day.number_of[accepted.staff_id]].any()


def test_asking_is_refused_while_one_is_computed_or_areas_cross(at: Street) -> None:
    at.request()
    with no(at.dispatcher, "plan.running", NotAllowed):
        at.request()
    with no(at.dispatcher, "plan.overlap", NotAllowed):
        at.request(div=STREET)
    with no(at.dispatcher, "plan.area_unknown", NotFound):
        at.request(div="320299")
    with no(at.dispatcher, "plan.past"):
        at.request(day=date(2026, 6, 14))
    with no(at.dispatcher, "plan.provider_unknown", NotFound):
        at.request(provider_id=10**9)
    seat = actor("seat")
    with no(seat, "right.missing", Denied):
        at.request(actor=seat)


def test_only_one_worker_takes_a_plan_and_a_silent_one_loses_it(at: Street) -> None:
    plan = at.request()
    robot = system()
    first = claim_plan(actor=robot, now=NOW, plan_id=plan.pk)
    assert first
    assert claim_plan(actor=robot, now=NOW, plan_id=plan.pk) == ""
    assert note_alive(plan_id=plan.pk, div=plan.div, token=first, share=0.4)
    plan.refresh_from_db()
    assert plan.progress == 40
    DayPlan.objects.filter(pk=plan.pk).update(alive_at=real_now() - 2 * SILENT)
    assert requeue_silent(actor=robot, now=NOW) == [plan.pk]
    second = claim_plan(actor=robot, now=NOW, plan_id=plan.pk)
    assert not note_alive(plan_id=plan.pk, div=plan.div, token=first, share=0.5)
    plan.refresh_from_db()
    day = day_of(plan, NOW)
    solution = search_day(plan, day)
    finish = {"actor": robot, "now": NOW, "plan_id": plan.pk, "day": day, "solution": solution}
    assert finish_plan(token=first, **finish) is None
    assert PlannedVisit.objects.count() == 0
    assert finish_plan(token=second, **finish) is not None
    assert PlannedVisit.objects.count() == len(at.orders)


def test_the_worker_stops_when_asked(at: Street) -> None:
    plan = at.request()
    token = claim_plan(actor=system(), now=NOW, plan_id=plan.pk)
    stop_plan(actor=at.dispatcher, now=NOW, plan_id=plan.pk)
    assert not note_alive(plan_id=plan.pk, div=plan.div, token=token, share=0.1)


def test_a_plan_that_cannot_be_computed_says_so(at: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = at.request()

    def broken(*_args: Any, **_values: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("yinling.dispatch.operations.solving.solve", broken)
    assert not solve_plan("3202", plan.pk)
    plan.refresh_from_db()
    assert (plan.state, plan.reason) == ("failed", "计算时出错，已停止。请重新排班；再次出错时，请把编号告诉系统管理员")
    discard_plan(actor=at.dispatcher, now=NOW, plan_id=plan.pk)


def test_waiting_plans_are_put_before_the_workers(at: Street) -> None:
    plan = at.request()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE args->>'plan_id' = %s", [str(plan.pk)])
        assert cursor.fetchone() == (1,)
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert pull_plans_of("3202", NOW) == [plan.pk]


def test_a_plan_that_stands_before_the_workers_is_not_offered_to_them_again(at: Street) -> None:
    at.request()
    with CaptureQueriesContext(connection) as queries:
        pull_plans_of("3202", NOW)
    assert not [one for one in queries if "procrastinate_defer" in one["sql"]]


def test_a_visit_is_moved_by_hand_and_the_journal_keeps_where_it_was(at: Street) -> None:
    plan = at.solved()
    order = at.orders[0]
    before = visit_of(plan, order)
    other = next(carer for carer in at.carers if carer.pk != before.staff_id)
    effect = effect_of_move(at.dispatcher, plan, order.pk, 1, other.pk)
    assert effect.feasible, effect.reasons
    moved = move_visit(
        actor=at.dispatcher, now=NOW, plan_id=plan.pk, order_id=order.pk, slot=1, staff_id=other.pk, seen=plan.version
    )
    after = visit_of(plan, order)
    assert (after.staff_id, after.starts_at) == (other.pk, effect.starts_at)
    assert moved.cost["total"] == pytest.approx(plan.cost["total"] + effect.cost_delta, abs=0.02)
    note = Journal.objects.filter(event="dispatch.plan.move").latest("pk")
    assert note.changes["staff"] == [before.staff_id, other.pk]
    whole = load_day(Frame(at.body.pk, DISTRICT, DAY, NOW, moved))
    counted = search_cost(whole)
    assert moved.cost["travel"] == pytest.approx(counted.travel)
    assert moved.cost["imbalance"] == pytest.approx(counted.imbalance, abs=1e-6)


def search_cost(day: Any) -> Any:
    from yinling.dispatch.planner.evaluate import cost_of  # noqa: PLC0415

    return cost_of(day.problem, day.start.routes, (), day.terms.weights)


def test_moves_that_break_a_rule_are_refused_with_the_reason(at: Street) -> None:
    plan = at.solved()
    order = at.orders[0]
    row = visit_of(plan, order)
    nobody = at.carer(day_to=NOW.time().replace(hour=9))
    Staff.objects.filter(pk=nobody.pk).update(day_from="06:00")
    effect = effect_of_move(at.dispatcher, plan, order.pk, 1, nobody.pk)
    assert not effect.feasible
    assert "下班" in effect.reasons[0]
    go = {"actor": at.dispatcher, "now": NOW, "plan_id": plan.pk, "order_id": order.pk, "slot": 1}
    with no(at.dispatcher, "plan.move"):
        move_visit(staff_id=nobody.pk, **go)
    unlearned = make_staff(at.body, qualified=())
    assert any("没有" in reason for reason in effect_of_move(at.dispatcher, plan, order.pk, 1, unlearned.pk).reasons)
    lock_visit(actor=at.dispatcher, now=NOW, plan_id=plan.pk, order_id=order.pk, is_locked=True)
    other = next(carer for carer in at.carers if carer.pk != row.staff_id)
    with no(at.dispatcher, "plan.move"):
        move_visit(staff_id=other.pk, **go)
    with no(at.dispatcher, "plan.no_visit", NotFound):
        move_visit(staff_id=other.pk, **go | {"slot": 2})
    at.published(plan)
    with no(at.dispatcher, "plan.published", NotAllowed):
        move_visit(staff_id=other.pk, **go)


def test_a_visit_is_taken_out_and_put_back_at_a_time(at: Street) -> None:
    plan = at.solved()
    order = at.orders[1]
    row = visit_of(plan, order)
    go = {"actor": at.dispatcher, "now": NOW, "plan_id": plan.pk, "order_id": order.pk, "slot": 1}
    out = move_visit(staff_id=None, **go)
    assert visit_of(plan, order).staff_id is None
    assert out.cost["left_out"] == 1
    back = move_visit(staff_id=row.staff_id, starts_at=row.starts_at, **go)
    assert visit_of(plan, order).starts_at == row.starts_at
    assert back.cost["total"] == pytest.approx(plan.cost["total"], abs=0.01)


def test_locks_hold_when_the_day_is_planned_anew(at: Street) -> None:
    plan = at.solved()
    order = at.orders[0]
    row = visit_of(plan, order)
    busy = next(
        carer
        for carer in at.carers
        if carer.pk != row.staff_id and PlannedVisit.objects.filter(plan=plan, staff=carer).exists()
    )
    lock_visit(actor=at.dispatcher, now=NOW, plan_id=plan.pk, order_id=order.pk, is_locked=True)
    lock_staff(actor=at.dispatcher, now=NOW, plan_id=plan.pk, staff_id=busy.pk, is_locked=True)
    at.wanted(12)
    second = at.solved()
    assert second.locked_staff == [busy.pk]
    assert places(second)[(order.pk, 1)] == (row.staff_id, row.starts_at)
    mine = {key: value for key, value in places(plan).items() if value[0] == busy.pk}
    assert {key: value for key, value in places(second).items() if value[0] == busy.pk} == mine
    assert visit_of(second, order).is_locked


def test_publishing_appoints_times_asks_the_carers_and_tells_each_once(at: Street) -> None:
    for carer in at.carers:
        actor("carer", staff=carer)
    plan = at.published()
    assert plan.state == "published"
    for row in PlannedVisit.objects.filter(plan=plan).select_related("order"):
        assignment = Assignment.objects.get(order=row.order, slot=row.slot)
        assert (assignment.staff_id, assignment.starts_at, assignment.plan_id) == (row.staff_id, row.starts_at, plan.pk)
        assert (row.order.starts_at, row.order.state) == (row.starts_at, "assigned")
    notices = Notice.objects.filter(key__startswith="plan:")
    assert notices.count() == len({row.staff_id for row in PlannedVisit.objects.filter(plan=plan)})
    board = plan_board(at.dispatcher, plan)
    assert {stop.assignment_state for route in board.routes for stop in route.stops} == {"offered"}
    with no(at.dispatcher, "state.not_allowed", NotAllowed):
        publish_plan(actor=at.dispatcher, now=NOW, plan_id=plan.pk)


def test_mass_dispatch_asks_for_the_number(wide: Any) -> None:
    at = Street(carers=8, visits=24)
    plan = at.solved()
    planned = PlannedVisit.objects.filter(plan=plan, staff__isnull=False).count()
    assert planned > 20
    for count in (None, planned - 1):
        with no(at.dispatcher, "plan.count"):
            publish_plan(actor=at.dispatcher, now=NOW, plan_id=plan.pk, count=count)
    publish_plan(actor=at.dispatcher, now=NOW, plan_id=plan.pk, count=planned)
    assert Assignment.objects.count() == planned


def test_a_version_made_without_knowing_the_published_one_is_refused(at: Street) -> None:
    first, second = at.solved(), at.solved()
    DayPlan.objects.filter(pk=second.pk).update(base=None)
    at.published(first)
    with no(at.dispatcher, "plan.outdated", NotAllowed):
        publish_plan(actor=at.dispatcher, now=NOW, plan_id=second.pk)


def test_a_copy_is_changed_and_published_and_only_changes_are_told(at: Street) -> None:
    for carer in at.carers:
        actor("carer", staff=carer)
    first = at.published()
    order = at.orders[0]
    row = visit_of(first, order)
    at.accept(at.orders[1])
    copy = copy_plan(actor=at.dispatcher, now=NOW, plan_id=first.pk)
    assert (copy.number, copy.cause, copy.base_id, copy.state) == (2, "hand", first.pk, "ready")
    assert places(copy) == places(first)
    effects = {
        carer.pk: effect_of_move(at.dispatcher, copy, order.pk, 1, carer.pk)
        for carer in at.carers
        if carer.pk != row.staff_id
    }
    other = next(
        carer for carer in at.carers if (one := effects.get(carer.pk)) and one.feasible and not one.late_delta_minutes
    )
    move_visit(actor=at.dispatcher, now=NOW, plan_id=copy.pk, order_id=order.pk, slot=1, staff_id=other.pk)
    found = compare(at.dispatcher, first, copy)
    assert (found.other_carer, [one.order_id for one in found.changed if one.carer_before != one.carer_after]) == (
        1,
        [order.pk],
    )
    Notice.objects.all().delete()
    at.published(copy)
    first.refresh_from_db()
    assert first.state == "superseded"
    live = Assignment.objects.get(order=order, state="offered")
    assert live.staff_id == other.pk
    assert Assignment.objects.filter(order=at.orders[1]).count() == 1
    assert {notice.user_id for notice in Notice.objects.all()} >= {
        other.user_id for other in Staff.objects.filter(pk=other.pk)
    }


def test_cancelled_orders_and_visits_taken_since_stay_as_they_are(at: Street) -> None:
    plan = at.solved()
    gone, begun = at.orders[:2]
    cancel_order(actor=actor("seat"), now=NOW, order_id=gone.pk, reason="老人取消")
    at.published(plan)
    gone.refresh_from_db()
    assert gone.state == "cancelled"
    assert not Assignment.objects.filter(order=gone).exists()
    assert Assignment.objects.filter(order=begun).exists()


def test_late_visits_and_absent_carers_are_not_published(at: Street) -> None:
    plan = at.solved()
    row = visit_of(plan, at.orders[0])
    late = at.orders[0].latest_at + timedelta(minutes=5)
    PlannedVisit.objects.filter(pk=row.pk).update(starts_at=late, ends_at=late + timedelta(hours=1))
    with no(at.dispatcher, "plan.late"):
        publish_plan(actor=at.dispatcher, now=NOW, plan_id=plan.pk)
    PlannedVisit.objects.filter(pk=row.pk).update(starts_at=row.starts_at, ends_at=row.ends_at)
    assert row.staff is not None
    make_absence(row.staff, from_at=row.starts_at, to_at=row.ends_at)
    with no(at.dispatcher, "plan.carer"):
        publish_plan(actor=at.dispatcher, now=NOW, plan_id=plan.pk)


def test_who_is_ill_is_replaced_and_nobody_else_notices(at: Street) -> None:
    plan = at.published()
    ill = Staff.objects.get(pk=visit_of(plan, at.orders[0]).staff_id)
    with no(at.dispatcher, "plan.not_absent"):
        replan(actor=at.dispatcher, now=NOW, plan_id=plan.pk, staff_id=ill.pk)
    make_absence(ill)
    new = replan(actor=at.dispatcher, now=NOW, plan_id=plan.pk, staff_id=ill.pk)
    assert (new.state, new.cause, new.base_id) == ("ready", "absence", plan.pk)
    before, after = places(plan), places(new)
    assert all(after[key] == value for key, value in before.items() if value[0] != ill.pk)
    assert all(value[0] not in (None, ill.pk) for value in after.values())
    published = publish_plan(actor=at.dispatcher, now=NOW, plan_id=new.pk)
    assert published.state == "published"
    assert not Assignment.objects.filter(staff=ill, state__in=["offered", "accepted"]).exists()


def test_a_stranger_sees_no_plan(at: Street) -> None:
    plan = at.solved()
    assert list(plans_of(at.dispatcher, at.body.pk, DISTRICT, DAY)) == [plan]
    assert not plans_of(actor("dispatcher", div="320281"), None, DISTRICT, DAY).exists()
    stranger = actor("provider_manager")
    with no(stranger, "row.not_found", NotFound):
        discard_plan(actor=stranger, now=NOW, plan_id=plan.pk)


def test_all_streets_of_a_city_are_planned_and_neighbours_help_each_other(wide: Any) -> None:
    at = Street(carers=0, visits=0)
    for number, street in enumerate((COMMUNITY, OTHER_STREET)):
        at.carer(duty_div=street[:9])
        for order in range(2 + number):
            lon, lat = SPOTS[number]
            elder = make_elder(
                street if len(street) == 12 else OTHER_COMMUNITY, household=make_household(lon=lon, lat=lat)
            )
            at.wanted(0, elder=elder, hour=float(3 * order if number == 0 else min(order, 1)), room=5)
    plan_city(actor=at.dispatcher, now=NOW, div="3202", day=DAY)
    plans = list(DayPlan.objects.order_by("div"))
    assert [plan.div for plan in plans] == [STREET, OTHER_STREET]
    for plan in plans:
        at.solved(plan)
    latest = {plan.div: plan for plan in DayPlan.objects.order_by("number")}
    assert {plan.cause for plan in latest.values()} == {"border"}
    assert not PlannedVisit.objects.filter(plan__in=latest.values(), staff=None).exists()
    helper = PlannedVisit.objects.filter(plan=latest[OTHER_STREET]).exclude(staff__duty_div=OTHER_STREET).get()
    assert latest[STREET].locked_staff == [helper.staff_id]
    for plan in latest.values():
        at.published(plan)
    assert Assignment.objects.filter(staff=helper.staff_id).count() == 3
    with no(at.dispatcher, "plan.balanced"):
        balance_plans(actor=at.dispatcher, now=NOW, div="3202", day=DAY)
    with no(at.dispatcher, "plan.nothing"):
        plan_city(actor=at.dispatcher, now=NOW, div="3202", day=DAY + timedelta(days=1))
