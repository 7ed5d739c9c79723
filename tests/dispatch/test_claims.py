"""Carers who take open orders themselves: what they see, who is first, limits, giving back, and the switches."""

import threading
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from tests.dispatch.test_operations import START, Situation, no
from tests.factories import (
    COMMUNITY,
    NOW,
    STREET,
    WIDE,
    actor,
    make_absence,
    make_area_tree,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
)

from yinling.accounts.models import Journal
from yinling.directory.models import Staff
from yinling.dispatch import queries
from yinling.dispatch.models import Assignment, ClaimStop
from yinling.dispatch.operations import (
    accept_assignment,
    allow_claims,
    assign_order,
    claim_order,
    refuse_assignment,
    release_assignment,
    stop_claims,
)
from yinling.dispatch.queries import claims as reading
from yinling.dispatch.queries import open_orders, waiting
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal
from yinling.orders.models import Order

DAY = local_date(START)
OPENED = {"dispatch.claim_allowed": True, "dispatch.claim_most": 2, "dispatch.release_most": 2}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The city has opened it, for two at once."""
    values = dict(OPENED)
    monkeypatch.setattr(
        reading, "parameter", lambda key, area, day: values[key] if key in values else parameter(key, area, day)
    )
    return values


class Street(Situation):
    """A provider of two carers with a login, and an open order of daily care."""

    def __init__(self) -> None:
        self.item = make_item(needs_qualification="care_worker")
        self.body = make_organisation()
        self.price = make_price(self.item, self.body)
        self.carers = [self.carer() for _ in range(2)]
        self.order = self.wanted()
        self.dispatcher = actor("dispatcher")
        self.mine, self.other = (actor("carer", staff=one) for one in self.carers)

    def carer(self, **values: Any) -> Staff:
        return make_staff(self.body, qualified=("induction", "care_worker"), **values)

    def claim(self, order: Order | None = None, **values: Any) -> Assignment:
        """Let the first carer take an order."""
        return claim_order(order_id=(order or self.order).pk, **{"actor": self.mine, "now": NOW, **values})

    def release(self, row: Assignment, **values: Any) -> Assignment:
        """Let the first carer give it back."""
        chosen = {"actor": self.mine, "now": NOW, "reason": "家里有事", **values}
        return release_assignment(assignment_id=row.pk, **chosen)

    def seen(self, who: Any = None) -> list[int]:
        """The orders shown as open."""
        with scope(who or self.mine):
            return [one.order_id for one in open_orders(who or self.mine, DAY, NOW)]


@pytest.fixture
def at(wide: Any, opened: dict[str, Any]) -> Iterator[Street]:
    make_area_tree()
    return Street()


def test_before_an_order_is_taken_it_shows_street_item_and_time_only(at: Street) -> None:
    with scope(at.mine):
        (one,) = open_orders(at.mine, DAY, NOW)
    assert (one.order_id, one.street, one.items) == (at.order.pk, STREET, ("生活照料",))
    assert (one.starts_at, one.ends_at) == (START, START + timedelta(hours=1))
    shown = str(asdict(one))
    for private in (at.order.elder_name, at.order.address, at.order.door_code, COMMUNITY):
        assert private not in shown


def test_only_what_one_may_go_to_is_shown(at: Street) -> None:
    nursing = make_price(make_item(family="nursing", needs_qualification="care_worker"), at.body)
    strict = make_price(make_item(needs_qualification="nurse"), at.body)
    two = make_price(make_item(needs_qualification="care_worker", carers_needed=2), at.body)
    hidden = [make_order(price=price, starts_at=START) for price in (nursing, strict, two)]
    hidden += [
        at.wanted(is_urgent=True),
        at.wanted(NOW + timedelta(days=3)),
        at.wanted(NOW - timedelta(hours=1)),
        make_order(),
    ]
    hidden.append(at.wanted(wants_sex="1"))
    assert at.seen() == [at.order.pk]
    expected = [(0, "claim.not_open"), (1, "claim.not_suitable"), (2, "claim.not_open"), (-1, "claim.not_suitable")]
    for order, code in ((hidden[number], code) for number, code in expected):
        with no(at.mine, code):
            at.claim(order)
    with no(at.mine, "row.not_found", NotFound):
        at.claim(hidden[-2])
    boss = actor("provider_manager", organisation=at.body)
    assert at.seen(boss) == []
    with no(boss, "claim.not_carer", Denied):
        at.claim(actor=boss)
    make_absence(at.carers[0])
    assert at.seen() == []


def test_who_takes_an_order_has_it_at_once(at: Street) -> None:
    with scope(at.mine):
        row = at.claim()
    row.refresh_from_db()
    assert (row.state, row.is_claimed, row.staff, row.accepted_at) == ("accepted", True, at.carers[0], NOW)
    at.order.refresh_from_db()
    assert (at.order.state, at.order.accepted_at) == ("assigned", NOW)
    assert Journal.objects.filter(event="dispatch.order.claim", is_refused=False).count() == 1
    assert at.seen(at.other) == []
    with no(at.other, "claim.taken", NotAllowed):
        at.claim(actor=at.other)


def test_the_second_place_may_be_taken_when_the_desk_named_the_first(at: Street) -> None:
    two = make_price(make_item(needs_qualification="care_worker", carers_needed=2), at.body)
    order = make_order(price=two, starts_at=START + timedelta(hours=3))
    third = at.carer()
    assign_order(
        actor=at.dispatcher, now=NOW, order_id=order.pk, staff_id=at.carers[1].pk, second_id=third.pk, choice_reason="x"
    )
    refuse_assignment(
        actor=actor("provider_manager", organisation=at.body), now=NOW, reason="发烧",
        assignment_id=Assignment.objects.get(order=order, staff=third).pk,
    )  # fmt: skip
    assert at.seen() == [at.order.pk, order.pk]
    assert at.seen(at.other) == [at.order.pk]
    row = at.claim(order)
    assert (row.slot, row.order.state) == (2, "assigned")


def test_a_carer_holds_so_many_and_gives_back_so_often(at: Street) -> None:
    orders = [at.order, *(at.wanted(START + timedelta(hours=2 * number)) for number in (1, 2, 3))]
    first, second = at.claim(orders[0]), at.claim(orders[1])
    with no(at.mine, "claim.too_many"):
        at.claim(orders[2])
    with no(at.mine, "reason.missing"):
        at.release(first, reason=" ")
    assert at.release(first).state == "released"
    orders[0].refresh_from_db()
    assert (orders[0].state, orders[0].accepted_at) == ("placed", None)
    assert orders[0].pk in {order.pk for order in waiting(at.dispatcher)}
    assert orders[0].pk not in at.seen()
    with no(at.mine, "claim.not_suitable"):
        at.claim(orders[0])
    third = at.claim(orders[2])
    at.release(second)
    with no(at.mine, "claim.released_often"):
        at.claim(orders[3])
    with no(at.mine, "claim.released_often"):
        at.release(third)
    later = NOW + timedelta(days=30)
    assert reading.releases_of(at.carers[0], reading.claim_terms(at.order.div, at.body.pk, later), later) == 0


def test_what_the_desk_assigned_or_starts_soon_is_not_given_back(at: Street) -> None:
    row = at.claim()
    with no(at.mine, "release.late"):
        at.release(row, now=START - timedelta(hours=4) + timedelta(seconds=1))
    with no(at.other, "assignment.other", Denied):
        at.release(row, actor=at.other)
    named = at.assign(at.carers[0], at.wanted(START + timedelta(hours=4)), choice_reason="x")
    with no(at.mine, "state.not_allowed", NotAllowed):
        at.release(named)
    accept_assignment(actor=at.mine, now=NOW, assignment_id=named.pk)
    with no(at.mine, "release.assigned"):
        at.release(named)
    assert at.release(row, now=START - timedelta(hours=4)).end_reason == "家里有事"


def test_the_city_or_the_provider_switches_it_off(at: Street, opened: dict[str, Any]) -> None:
    boss, elsewhere = actor("provider_manager", organisation=at.body), actor("provider_manager")
    with no(elsewhere, "right.outside", Denied):
        stop_claims(actor=elsewhere, now=NOW, provider_id=at.body.pk, reason="x")
    with no(boss, "reason.missing"):
        stop_claims(actor=boss, now=NOW, provider_id=at.body.pk, reason=" ")
    with no(boss, "claim.not_stopped", NotAllowed):
        allow_claims(actor=boss, now=NOW, provider_id=at.body.pk)
    with scope(boss):
        stop = stop_claims(actor=boss, now=NOW, provider_id=at.body.pk, reason="统一派单")
        assert stop_claims(actor=boss, now=NOW, provider_id=at.body.pk, reason="再次") == stop
    assert at.seen() == []
    with no(at.mine, "claim.not_allowed", NotAllowed):
        at.claim()
    with scope(boss):
        allow_claims(actor=boss, now=NOW, provider_id=at.body.pk)
    assert ClaimStop.objects.count() == 0
    assert at.seen() == [at.order.pk]
    opened["dispatch.claim_allowed"] = False
    assert at.seen() == []
    with no(at.mine, "claim.not_allowed", NotAllowed):
        at.claim()
    with no(boss, "organisation.not_found", NotFound):
        stop_claims(actor=boss, now=NOW, provider_id=0, reason="x")


def test_only_a_city_that_opened_it_allows_it(wide: Any) -> None:
    body = make_organisation()
    assert queries.claim_terms("320213021", body.pk, NOW).is_allowed, "the demonstration city"
    assert not queries.claim_terms("500101", body.pk, NOW).is_allowed


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_take_the_same_order_at_once_exactly_one_has_it(opened: dict[str, Any]) -> None:
    with scope(WIDE):
        make_area_tree()
        at = Street()
        people = [actor("carer", staff=at.carer()) for _ in range(8)]
    barrier, answers = threading.Barrier(8), []

    def take(who: Any) -> None:
        barrier.wait(60)
        try:
            with scope(who):
                at.claim(actor=who)
            answers.append("taken")
        except Refusal as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["claim.taken"] * 7 + ["taken"]
    with scope(WIDE):
        assert Assignment.objects.filter(order=at.order).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_four_orders_one_carer_takes_at_once_the_limit_holds(opened: dict[str, Any]) -> None:
    with scope(WIDE):
        make_area_tree()
        at = Street()
        orders = [at.order, *(at.wanted(START + timedelta(minutes=70 * number)) for number in range(1, 4))]
    barrier, answers = threading.Barrier(4), []

    def take(order: Order) -> None:
        barrier.wait(60)
        try:
            with scope(at.mine):
                at.claim(order)
            answers.append("taken")
        except Refusal as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["claim.too_many"] * 2 + ["taken"] * 2
