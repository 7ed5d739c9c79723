"""What is added at the door: priced as the order was, paid by the same chain, confirmed before it counts (D-18)."""

from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    NOW,
    TODAY,
    actor,
    make_assignment,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    make_staff,
    make_visit,
)  # fmt: skip
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import ServiceItem
from yinling.catalogue.operations import draft_price_list, publish_price_list
from yinling.entitlements.models import Quota
from yinling.ground.operation import REGISTRY
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.operations import add_line, confirm_line, drop_line
from yinling.orders.queries import open_changes
from yinling.visits.operations import abort_visit, finish_visit

pytestmark = pytest.mark.usefixtures("wide")
AT_DOOR = NOW + timedelta(days=1)
OPERATIONS_ON_ORDERS = ("orders", "dispatch", "visits")


class Door:
    """A carer at the door of an elder who has half of the price paid, and what else the body asks a price for."""

    def __init__(self) -> None:
        body = make_organisation()
        self.elder = make_elder()
        first, self.more = (make_item(code=code, name=name) for code, name in (("A01", "助浴"), ("B01", "理发")))
        self.price = make_price(first, body, 8000)
        make_price(self.more, body, 3000)
        self.staff = make_staff(body, qualified=("care_worker", "induction"))
        self.order = make_order("in_service", elder=self.elder, price=self.price)
        assignment = make_assignment(self.order, self.staff, state="accepted")
        self.visit = make_visit(assignment)
        self.carer = actor("carer", staff=self.staff)
        self.family = actor("family", elders=(self.elder,))

    def add(self, code: str = "B01", **values: Any) -> OrderLine:
        with scope(self.carer):
            return add_line(actor=self.carer, now=AT_DOOR, order_id=self.order.pk, item_code=code, **values)

    def confirm(self, row: OrderLine, who: Actor | None = None, **values: Any) -> OrderLine:
        chosen = {"signed_as": "family", "signed_by": "王芳", **values}
        with scope(who or self.carer):
            return confirm_line(actor=who or self.carer, now=AT_DOOR, line_id=row.pk, **chosen)

    def drop(self, row: OrderLine, who: Actor | None = None) -> OrderLine:
        with scope(who or self.carer):
            return drop_line(actor=who or self.carer, now=AT_DOOR, line_id=row.pk)

    def finish(self) -> None:
        with scope(self.carer):
            finish_visit(
                actor=self.carer,
                now=AT_DOOR,
                visit_id=self.visit.pk,
                key="out",
                tasks=["洗漱", "整理"],
                signed_by="王秀英",
                signed_as="self",
            )

    def bill(self) -> tuple[int, int]:
        order = Order.objects.get(pk=self.order.pk)
        return order.total_fen, order.self_fen


@pytest.fixture
def door(wide: Any) -> Door:
    return Door()


def contents() -> list[Any]:
    """Orders, their lines and shares, and the counters."""
    return [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, PayerShare, Quota)]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


def reserved() -> list[int]:
    return list(Quota.objects.order_by("pk").values_list("reserved", flat=True))


@pytest.mark.req("D-18")
def test_what_is_added_counts_once_the_elder_side_confirms_it(door: Door) -> None:
    make_entitlement(door.elder, make_scheme())
    row = door.add(quantity=2)
    assert (row.amount_fen, row.minutes, row.added_by_id) == (6000, 120, door.carer.user_id)
    assert list(row.shares.order_by("pk").values_list("payer", "amount_fen")) == [("voucher", 3000), ("self", 3000)]
    assert (door.bill(), reserved()) == ((8000, 8000), [3000])
    assert [one.pk for one in open_changes(door.order.pk)] == [row.pk]
    door.confirm(row, door.family)
    row.refresh_from_db()
    assert (row.confirmed_at, row.confirmed_as) == (AT_DOOR, "家属 王芳")
    assert (door.bill(), reserved()) == ((14000, 11000), [3000])
    assert Order.objects.get().lines.count() == 2
    events = Journal.objects.filter(event__startswith="orders.line.").order_by("pk").values_list("event", "subject_id")
    assert list(events) == [("orders.line.add", door.order.pk), ("orders.line.confirm", door.order.pk)]


@pytest.mark.req("D-18")
def test_nobody_leaves_while_something_added_is_neither_confirmed_nor_dropped(door: Door) -> None:
    row = door.add()
    with no(door.carer, "visit.change_lines"):
        door.finish()
    door.drop(row, door.family)
    door.finish()
    assert (Order.objects.get().state, door.bill()) == ("served", (8000, 8000))


@pytest.mark.req("D-18")
def test_a_confirmed_addition_is_part_of_the_work_and_of_the_bill_at_check_out(door: Door) -> None:
    ServiceItem.objects.filter(code="B01").update(steps=["剪发"])
    door.confirm(door.add())
    with scope(door.carer):
        finish_visit(
            actor=door.carer,
            now=AT_DOOR,
            visit_id=door.visit.pk,
            key="out",
            tasks=["洗漱", "整理", "剪发"],
            signed_by="王秀英",
            signed_as="self",
        )
    assert (Order.objects.get().state, door.bill()) == ("served", (11000, 11000))


@pytest.mark.req("D-18")
def test_what_is_dropped_gives_back_what_it_reserved_also_after_it_was_confirmed(door: Door) -> None:
    make_entitlement(door.elder, make_scheme())
    for is_confirmed in (False, True):
        row = door.add()
        if is_confirmed:
            door.confirm(row)
        assert reserved() == [1500]
        door.drop(row)
        row.refresh_from_db()
        assert (row.dropped_at, row.shares.count(), reserved()) == (AT_DOOR, 0, [0])
        assert row.detail["dropped"][0][:2] == ["voucher", 1500]
        assert door.bill() == (8000, 8000)


@pytest.mark.req("D-18", "R-ORD-16")
def test_an_addition_is_priced_by_the_lists_published_when_the_order_was_placed(door: Door) -> None:
    one, two = (actor("provider_manager", organisation=door.order.provider) for _ in range(2))
    later = NOW + timedelta(hours=1)
    row = draft_price_list(
        actor=one, now=later, organisation_id=door.order.provider_id, basis="market", valid_from=TODAY, prices="B01, 99"
    )
    publish_price_list(actor=two, now=later, price_list_id=row.pk)
    assert door.add().amount_fen == 3000


def test_a_visit_that_was_counted_is_not_counted_again_for_what_is_added(door: Door) -> None:
    entitlement = make_entitlement(
        door.elder,
        make_scheme(),
        share_bp=10000,
        monthly_cap_fen=None,
        limits=[{"unit": "visit", "per": "week", "most": 1}],
    )
    line = door.order.lines.get()
    line.shares.update(payer="voucher", entitlement=entitlement, uses=[])
    row = door.add()
    assert list(row.shares.values_list("payer", "amount_fen")) == [("voucher", 3000)]
    assert not Quota.objects.filter(unit="visit", reserved__gt=0).exists()


@pytest.mark.req("D-19", "X-LTC-04")
def test_a_visit_stays_counted_while_another_line_of_it_is_paid_by_the_same_source(door: Door) -> None:
    """Two items added, both paid as one visit of the week; the first, which counts it, is dropped: the visit is made all the same."""
    make_price(make_item(code="B02", name="修脚"), door.order.provider, 2000)
    held = make_entitlement(
        door.elder,
        make_scheme(),
        share_bp=10000,
        monthly_cap_fen=None,
        limits=[{"unit": "visit", "per": "week", "most": 1}],
    )
    first, second = door.add("B01"), door.add("B02")
    visits = Quota.objects.get(entitlement=held, unit="visit")
    assert visits.reserved == 1
    door.drop(first)
    visits.refresh_from_db()
    assert visits.reserved == 1
    assert [use[0] for use in second.shares.get().uses] == ["visit"]
    door.drop(second)
    visits.refresh_from_db()
    assert visits.reserved == 0, "and is given back with the last of them, once"


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("ZZ", "order.item_unknown"), ("A01", "line.same"), ("N01", "line.not_qualified"), ("F01", "order.more_items"),
        ("C02", "line.carers"), ("X01", "price.missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_added_is_refused_and_changes_nothing(door: Door, code: str, refusal: str) -> None:
    make_item(code="N01", needs_qualification="nurse")
    make_item(code="F01", kind="fee", needs_visit=False)
    make_item(code="C02", carers_needed=2)
    make_item(code="X01")
    with no(door.carer, refusal):
        door.add(code)


def test_goods_need_nobody_with_a_certificate(door: Door) -> None:
    make_price(make_item(code="G01", kind="consumable", needs_qualification="nurse"), door.order.provider, 500)
    assert door.add("G01").minutes == 0


def test_nothing_is_added_or_confirmed_before_the_visit_or_after_it(door: Door) -> None:
    row = door.add()
    waiting = make_order("assigned", elder=door.elder, price=door.price, starts_at=AT_DOOR + timedelta(days=1))
    with no(door.carer, "line.not_in_service", NotAllowed):
        add_line(actor=door.carer, now=AT_DOOR, order_id=waiting.pk, item_code="B01")
    door.confirm(row)
    door.finish()
    for attempt in (door.add, lambda: door.drop(row)):
        with no(door.carer, "line.not_in_service", NotAllowed):
            attempt()


def test_an_addition_is_decided_once_and_by_those_whom_it_concerns(door: Door) -> None:
    row = door.add()
    for who in (actor("carer", staff=make_staff()), actor("family", elders=(make_elder(),))):
        with no(who, "line.not_found", NotFound):
            door.confirm(row, who)
    with no(door.family, "right.missing", Denied):
        add_line(actor=door.family, now=AT_DOOR, order_id=door.order.pk, item_code="B01")
    with no(door.carer, "text.missing"):
        door.confirm(row, signed_by=" ")
    with no(door.carer, "choice.unknown"):
        door.confirm(row, signed_as="carer")
    door.confirm(row)
    with no(door.carer, "line.decided", NotAllowed):
        door.confirm(row)
    door.drop(row)
    with no(door.carer, "line.decided", NotAllowed):
        door.drop(row)


def test_an_order_that_fails_gives_back_what_was_added(door: Door) -> None:
    make_entitlement(door.elder, make_scheme())
    door.add()
    with scope(door.carer):
        abort_visit(actor=door.carer, now=AT_DOOR, assignment_id=door.visit.assignment_id, reason="老人突然不适")
    assert (Order.objects.get(pk=door.order.pk).state, reserved()) == ("failed", [0])


def test_what_nobody_confirmed_is_dropped_when_the_visit_of_two_ends_otherwise(door: Door) -> None:
    """One of two has checked out; something is offered; the other cannot go on: the order is served without it."""
    other = make_staff(door.order.provider, qualified=("care_worker",), user=None)
    Order.objects.filter(pk=door.order.pk).update(carers_needed=2)
    second = make_visit(make_assignment(door.order, other, state="accepted", slot=2))
    door.finish()
    colleague = actor("carer", staff=other)
    with scope(colleague):
        row = add_line(actor=colleague, now=AT_DOOR, order_id=door.order.pk, item_code="B01")
        abort_visit(actor=colleague, now=AT_DOOR, assignment_id=second.assignment_id, reason="身体不适")
    row.refresh_from_db()
    assert (Order.objects.get(pk=door.order.pk).state, row.dropped_at, door.bill()) == ("served", AT_DOOR, (8000, 8000))


@pytest.mark.req("R-PAY-02", "R-ORD-16")
def test_no_operation_takes_a_price_for_an_order() -> None:
    """The sum shown in the quote is sent back and must be the reckoned one; nothing else about an order is an amount."""
    typed = {
        f"{name}.{argument.name}"
        for name, operation in REGISTRY.items()
        if operation.context in OPERATIONS_ON_ORDERS
        for argument in operation.arguments
        if argument.input.widget == "yuan"
        or argument.name.endswith("_fen")
        or "price" in argument.name
        or "amount" in argument.name
    }
    assert typed == {"place_order.quoted_total_fen", "place_order.quoted_self_fen"}
