"""Two carers at one door: each checks in and out, the order goes by both, and it is charged once."""

from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    NOW,
    actor,
    make_assignment,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    system,
)
from tests.visits.test_operations import HERE, WORK, refused

from yinling.accounts.models import Journal, Notice
from yinling.directory.models import Staff
from yinling.dispatch.models import Assignment
from yinling.dispatch.operations import refuse_assignment
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refused
from yinling.orders.models import Hold, Order
from yinling.settlement.models import Charge
from yinling.settlement.operations import settle_order
from yinling.visits.models import Evaluation, Visit
from yinling.visits.operations import abort_visit, evaluate_visit, finish_visit, review_visit, start_visit
from yinling.visits.queries import made_by, partners_of, parts_of, stops_of
from yinling.visits.rules import Outcome, outcome

LATER = NOW + timedelta(minutes=60)


class Two:
    """An order for two that begins now, with both carers on their way."""

    def __init__(self) -> None:
        self.body = make_organisation()
        self.staff = [make_staff(self.body, name=name) for name in ("张三", "李四")]
        self.carers = [actor("carer", staff=one) for one in self.staff]
        item = make_item(carers_needed=2)
        self.order = make_order("assigned", elder=make_elder(), price=make_price(item, self.body), starts_at=NOW)
        self.rows = [
            make_assignment(self.order, one, state="accepted", slot=slot) for slot, one in enumerate(self.staff, 1)
        ]

    def start(self, number: int, now: Any = NOW) -> Visit:
        """One of them checks in."""
        row, who = self.rows[number], self.carers[number]
        with scope(who):
            return start_visit(actor=who, now=now, assignment_id=row.pk, key=f"in-{row.pk}", **HERE)

    def finish(self, number: int, now: Any = LATER) -> Visit:
        """One of them checks out."""
        row, who = self.rows[number], self.carers[number]
        visit = Visit.objects.get(assignment=row)
        with scope(who):
            return finish_visit(actor=who, now=now, visit_id=visit.pk, key=f"out-{visit.pk}", **HERE, **WORK)

    def abort(self, number: int) -> Visit:
        """One of them cannot give the service."""
        row, who = self.rows[number], self.carers[number]
        with scope(who):
            return abort_visit(actor=who, now=LATER, assignment_id=row.pk, reason="无人应门")

    def state(self) -> str:
        """The state of the order."""
        self.order.refresh_from_db()
        return self.order.state

    def held(self) -> list[str]:
        """What stops its settlement."""
        return list(Hold.objects.filter(order=self.order, to_at=None).values_list("cause", flat=True))

    def answers(self) -> list[str]:
        """The states of the assignments."""
        return list(Assignment.objects.filter(order=self.order).order_by("slot").values_list("state", flat=True))


@pytest.fixture
def two(wide: Any) -> Two:
    return Two()


@pytest.mark.parametrize(
    ("parts", "is_begun", "answer"),
    [
        (["done"], True, Outcome.REVIEW),
        (["done", "done"], True, Outcome.SERVED),
        (["done", "on_site"], True, Outcome.WAIT),
        (["aborted", "on_site"], True, Outcome.WAIT),
        (["done", "planned"], True, Outcome.REVIEW),
        (["done", "aborted"], True, Outcome.REVIEW),
        (["aborted", "planned"], False, Outcome.WAIT),
        (["aborted", "en_route"], False, Outcome.WAIT),
        (["aborted", "planned"], True, Outcome.FAILED),
        (["aborted", "aborted"], False, Outcome.FAILED),
        (["aborted"], False, Outcome.FAILED),
    ],
)
def test_what_becomes_of_an_order_for_two(parts: list[str], is_begun: bool, answer: Outcome) -> None:  # noqa: FBT001
    assert outcome(parts, carers_needed=2, is_begun=is_begun) == answer


def test_one_carer_alone_serves_an_order_for_one() -> None:
    assert outcome(["done"], carers_needed=1, is_begun=True) == Outcome.SERVED
    assert outcome(["aborted"], carers_needed=1, is_begun=False) == Outcome.FAILED


def test_the_service_begins_with_the_first_and_ends_with_the_last(two: Two) -> None:
    two.start(0)
    assert two.state() == "in_service"
    two.start(1, NOW + timedelta(minutes=3))
    assert two.state() == "in_service"
    two.finish(0)
    assert (two.state(), two.answers()) == ("in_service", ["done", "accepted"])
    two.finish(1, LATER + timedelta(minutes=2))
    assert (two.state(), two.answers(), two.held()) == ("served", ["done", "done"], [])
    assert two.order.served_at == LATER + timedelta(minutes=2)
    assert Journal.objects.filter(event="orders.order.mark_started").count() == 1
    assert Journal.objects.filter(event="orders.order.mark_served").count() == 1


def test_it_is_charged_and_evaluated_once(two: Two) -> None:
    for number in (0, 1):
        two.start(number)
    for number in (0, 1):
        two.finish(number)
    settle_order(actor=system(), now=LATER + timedelta(days=1), order_id=two.order.pk)
    assert Charge.objects.filter(order=two.order).count() == 1
    elder = actor("elder", elders=(two.order.elder,))
    asked = {"actor": elder, "now": LATER, "order_id": two.order.pk, "score": 5, "by": "elder"}
    evaluate_visit(**asked)
    with refused(elder, NotAllowed, "evaluation.twice"):
        evaluate_visit(**asked)
    assert Evaluation.objects.count() == 1
    assert all(made_by(two.order.pk, one.user_id) for one in two.carers)


def test_when_one_aborts_the_other_serves_and_a_person_reviews_it(two: Two) -> None:
    two.start(0)
    two.abort(1)
    assert two.state() == "in_service"
    two.finish(0)
    assert (two.state(), two.held()) == ("served", ["visits.alone"])
    with refused(nobody := system(), Refused, "order.held"):
        settle_order(actor=nobody, now=LATER + timedelta(days=1), order_id=two.order.pk)
    reviewer: Actor = actor("supervisor")
    with refused(reviewer, Refused, "reason.missing"):
        review_visit(actor=reviewer, now=LATER, order_id=two.order.pk, reason=" ")
    boss = actor("provider_manager", organisation=two.body)
    with refused(boss, Denied, "right.missing"):
        review_visit(actor=boss, now=LATER, order_id=two.order.pk, reason="属实")
    review_visit(actor=reviewer, now=LATER, order_id=two.order.pk, reason="家属帮忙，服务完成")
    assert two.held() == []
    with refused(reviewer, NotFound, "hold.not_found"):
        review_visit(actor=reviewer, now=LATER, order_id=two.order.pk, reason="再次")


def test_who_never_came_is_told_off_when_the_other_leaves(two: Two) -> None:
    two.start(0)
    two.finish(0)
    assert (two.state(), two.held(), two.answers()) == ("served", ["visits.alone"], ["done", "withdrawn"])
    assert Notice.objects.get(title="派单已撤回").user_id == two.carers[1].user_id


def test_the_order_fails_only_when_both_give_up(two: Two) -> None:
    two.abort(0)
    assert (two.state(), two.answers()) == ("assigned", ["done", "accepted"])
    two.abort(1)
    assert (two.state(), two.answers(), two.held()) == ("failed", ["done", "done"], [])
    assert two.order.cancel_reason == "无人应门"


def test_when_the_only_one_on_site_gives_up_nobody_need_come(two: Two) -> None:
    two.start(0)
    two.abort(0)
    assert (two.state(), two.answers()) == ("failed", ["done", "withdrawn"])


def test_both_on_site_one_gives_up(two: Two) -> None:
    two.start(0)
    two.start(1)
    two.abort(0)
    assert two.state() == "in_service"
    two.finish(1)
    assert (two.state(), two.held()) == ("served", ["visits.alone"])


def test_nobody_begins_alone_while_the_second_is_missing(two: Two) -> None:
    row = two.rows[1]
    Assignment.objects.filter(pk=row.pk).delete()
    staff = Staff.objects.get(pk=two.staff[1].pk)
    row = make_assignment(two.order, staff, slot=2)
    boss = actor("provider_manager", organisation=two.body)
    refuse_assignment(actor=boss, now=NOW, assignment_id=row.pk, reason="发烧")
    assert two.state() == "placed"
    with refused(two.carers[0], NotAllowed, "visit.alone"):
        two.start(0)
    two.order.refresh_from_db()
    assert [(one.name, one.state) for one in partners_of(two.rows[0])] == [("", "missing")]


def test_the_second_may_come_who_had_not_answered_yet(two: Two) -> None:
    Assignment.objects.filter(pk=two.rows[1].pk).delete()
    offered = make_assignment(two.order, two.staff[1], slot=2)
    two.start(0)
    two.finish(0)
    offered.refresh_from_db()
    assert (offered.state, two.state()) == ("withdrawn", "served")


def test_each_sees_the_other(two: Two) -> None:
    two.start(0)
    with scope(two.carers[1]):
        (stop,) = stops_of(two.carers[1], day=NOW.date(), now=NOW)
        assert [(one.name, one.state) for one in partners_of(stop.assignment)] == [("张三", "on_site")]
    assert [(part.assignment.staff_name, part.state) for part in parts_of(two.order.pk)] == [
        ("张三", "on_site"), ("李四", "planned")
    ]  # fmt: skip
    alone = make_order("assigned")
    row = make_assignment(alone, make_staff(alone.provider))
    assert partners_of(row) == []
    assert Order.objects.get(pk=alone.pk).carers_needed == 1
