"""Placing at the quote shown, caps reserved and given back, and every other step of an order."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from tests.factories import (
    CITY,
    COMMUNITY,
    LONG_AGO,
    NEIGHBOUR,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    WIDE,
    actor,
    city,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import Price
from yinling.entitlements.models import Quota
from yinling.ground.scope import scope
from yinling.hotline.models import Ticket
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.orders.jobs import stop_orders
from yinling.orders.models import Hold, Order, OrderLine, PayerShare
from yinling.orders.operations import (
    accept_order,
    cancel_order,
    close_order,
    hold_order,
    mark_accepted,
    mark_assigned_each,
    mark_failed,
    mark_served,
    mark_settled_each,
    mark_started,
    place_order,
    readdress_order,
    refuse_order,
    release_hold,
    return_order,
    return_silent_order,
)
from yinling.orders.queries import open_holds, quote
from yinling.people.models import Circumstance, Consent, Elder
from yinling.people.operations import relocate_elder

START = NOW + timedelta(days=1)


class Situation:
    """An elder with a voucher, an item with a call-out fee, and its responsible body."""

    def __init__(self) -> None:
        self.elder = make_elder(dialect="无锡话", wants_sex="2", phone="19900001234")
        self.item = make_item(code="N01", charges_callout=True, standard_minutes=45)
        self.body = make_organisation()
        self.price = make_price(self.item, self.body, 8000, callout_fee_fen=3000)
        make_service_area(self.body)
        self.voucher = make_entitlement(self.elder)
        self.seat = actor("seat")

    def place(self, actor: Actor | None = None, **values: Any) -> Order:
        chosen = {
            "elder_id": self.elder.pk, "item_code": "N01", "starts_at": START, "quoted_total_fen": 11000, "quoted_self_fen": 5500,
            "now": NOW, **values,
        }  # fmt: skip
        return place_order(actor=actor or self.seat, **chosen)

    def quota(self) -> tuple[int, int]:
        return Quota.objects.filter(entitlement=self.voucher).values_list("reserved", "used").get()


@pytest.fixture
def at(wide: Any) -> Situation:
    return Situation()


def contents() -> list[Any]:
    """Everything an order keeps."""
    return [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, PayerShare, Hold, Quota)]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


@pytest.mark.req("R-PAY-01")
def test_the_quote_shows_provider_lines_payers_and_reasons(at: Situation) -> None:
    offer = quote(actor=at.seat, elder_id=at.elder.pk, item_code="N01", starts_at=START, now=NOW)
    assert (offer.provider, offer.total_fen, offer.self_fen) == (at.body, 11000, 5500)
    assert [(line.kind, line.amount_fen) for line in offer.lines] == [("item", 8000), ("callout", 3000)]
    assert [share.reason for share in offer.shares][:2] == ["消费补贴券承担 50%", "其余自己付"]
    assert offer.ends_at - offer.starts_at == timedelta(minutes=45)
    assert not Order.objects.exists()


@pytest.mark.req("R-ORD-01", "R-ORD-16")
def test_placing_freezes_price_payers_and_the_way_to_the_door(at: Situation) -> None:
    order = at.place(note="  按门铃 ", is_urgent=False)
    order.refresh_from_db()
    home = at.elder.household
    assert (order.state, order.placed_at, order.accept_due_at) == ("placed", NOW, NOW + timedelta(minutes=30))
    assert (order.div, order.provider, order.total_fen, order.self_fen) == (COMMUNITY, at.body, 11000, 5500)
    assert (order.elder_name, order.elder_sex, order.address, order.lon, order.lat, order.door_code) == (
        at.elder.name, "2", home.address, home.lon, home.lat, home.door_code,
    )  # fmt: skip
    assert (order.wants_sex, order.dialect, order.note, order.unseal_field("phone")) == (
        "2",
        "无锡话",
        "按门铃",
        "19900001234",
    )
    lines = list(
        OrderLine.objects.filter(order=order).order_by("id").values_list("kind", "name", "amount_fen", "price")
    )
    assert lines == [("item", "生活照料", 8000, at.price.pk), ("callout", "上门服务费", 3000, at.price.pk)]
    shares = PayerShare.objects.filter(order=order).order_by("id").values_list("payer", "amount_fen", "entitlement")
    assert list(shares) == [
        ("voucher", 4000, at.voucher.pk), ("self", 4000, None), ("voucher", 1500, at.voucher.pk), ("self", 1500, None),
    ]  # fmt: skip
    row = Journal.objects.get(event="orders.order.place")
    assert (row.subject_id, row.elder_id, row.provider_id) == (order.pk, at.elder.pk, at.body.pk)
    assert row.changes["state"] == ["draft", "placed"]


@pytest.mark.req("R-ORD-16")
def test_a_price_published_after_placing_does_not_touch_the_order(at: Situation) -> None:
    order = at.place()
    Price.objects.filter(pk=at.price.pk).update(recorded_to=NOW + timedelta(minutes=1))
    order.refresh_from_db()
    assert order.total_fen == 11000
    assert list(OrderLine.objects.filter(order=order, kind="item").values_list("price__amount_fen", flat=True)) == [
        8000
    ]


def test_an_urgent_order_is_to_be_accepted_in_five_minutes(at: Situation) -> None:
    assert at.place(is_urgent=True).accept_due_at == NOW + timedelta(minutes=5)


def test_the_cap_is_reserved_in_the_month_of_the_service_day(at: Situation) -> None:
    july = NOW + timedelta(days=20)
    at.place(starts_at=july)
    assert list(Quota.objects.values_list("from_on", "reserved", "used")) == [(july.date().replace(day=1), 5500, 0)]


def test_cancelling_gives_the_cap_back(at: Situation) -> None:
    order = at.place()
    assert at.quota() == (5500, 0)
    cancel_order(actor=at.seat, now=NOW, order_id=order.pk, reason="老人改期", seen=order.version)
    assert at.quota() == (0, 0)
    order.refresh_from_db()
    assert (order.state, order.cancel_reason) == ("cancelled", "老人改期")
    assert at.place(starts_at=START).state == "placed"


def test_orders_already_placed_keep_their_share_and_the_next_gets_what_is_left(at: Situation) -> None:
    at.voucher.delete()
    at.voucher = make_entitlement(at.elder, monthly_cap_fen=7000)
    first = at.place()
    later = {"starts_at": START + timedelta(hours=3), "quoted_self_fen": 9500}
    with no(at.seat, "order.self_pay_consent"):
        at.place(**later)
    offer = quote(actor=at.seat, elder_id=at.elder.pk, item_code="N01", starts_at=later["starts_at"], now=NOW)
    assert offer.beyond_fen == 4000, "what the used-up cap costs the elder"
    second = at.place(**later, self_pay_consent="老人女儿（电话）")
    first.refresh_from_db()
    assert (first.self_fen, second.self_fen, at.quota()) == (5500, 9500, (7000, 0))
    assert (first.self_pay_consent, second.self_pay_consent) == ("", "老人女儿（电话）")


def test_a_quote_that_no_longer_holds_is_refused_and_nothing_is_written(at: Situation) -> None:
    at.voucher.delete()
    at.voucher = make_entitlement(at.elder, monthly_cap_fen=7000)
    at.place()
    with no(at.seat, "quote.changed"):
        at.place(starts_at=START + timedelta(hours=3))
    assert at.quota() == (5500, 0)


@pytest.mark.req("R-PAY-02")
@pytest.mark.parametrize("typed", [0, 1, 10999, 11001])
def test_a_price_typed_by_hand_is_refused(at: Situation, typed: int) -> None:
    with no(at.seat, "quote.changed"):
        at.place(quoted_total_fen=typed)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"starts_at": NOW}, "order.past"),
        ({"starts_at": NOW - timedelta(days=1)}, "order.past"),
        ({"starts_at": NOW + timedelta(days=61)}, "order.too_far"),
        ({"item_code": "ZZZ"}, "order.item_unknown"),
        ({"provider_id": 999999}, "order.provider_unknown"),
        ({"channel": "fax"}, "order.channel"),
    ],
)
def test_wrong_input_is_refused(at: Situation, values: dict[str, Any], code: str) -> None:
    with no(at.seat, code):
        at.place(**values)


def test_a_provider_without_a_price_cannot_be_chosen(at: Situation) -> None:
    with no(at.seat, "price.missing"):
        at.place(provider_id=make_organisation().pk)


def test_another_provider_may_be_chosen_at_its_own_price(at: Situation) -> None:
    other = make_organisation()
    make_price(at.item, other, 6000)
    order = at.place(provider_id=other.pk, quoted_total_fen=6000, quoted_self_fen=3000)
    assert (order.provider, order.total_fen) == (other, 6000)


def test_without_a_responsible_body_a_provider_must_be_chosen(at: Situation) -> None:
    make_item(code="M01", family="meal")
    with no(at.seat, "order.no_provider"):
        at.place(item_code="M01")


@pytest.mark.req("R-PEO-03")
def test_nobody_is_sent_to_the_dead_or_to_who_is_not_at_home(at: Situation) -> None:
    stay = Circumstance.objects.create(
        div=at.elder.div, elder=at.elder, kind="in_hospital", body="医院", valid_from=TODAY, valid_to=TODAY + timedelta(days=3),
        recorded_from=NOW,
    )  # fmt: skip
    with no(at.seat, "order.elder_away"):
        at.place()
    assert at.place(starts_at=NOW + timedelta(days=4)).state == "placed"
    stay.delete()
    Elder.objects.filter(pk=at.elder.pk).update(died_on=LONG_AGO)
    with no(at.seat, "order.elder_died"):
        at.place()


def test_the_same_order_is_not_placed_twice_at_the_same_time(at: Situation) -> None:
    at.place()
    with no(at.seat, "order.same"):
        at.place(starts_at=START + timedelta(minutes=30))
    assert at.place(starts_at=START + timedelta(minutes=45)).state == "placed"


def test_an_order_hangs_on_a_ticket_of_the_same_elder(at: Situation) -> None:
    chosen = {
        "div": COMMUNITY,
        "kind": "request",
        "channel": "phone",
        "title": "换药",
        "opened_at": NOW,
        "due_at": START,
    }
    own = Ticket.objects.create(**chosen, elder=at.elder, created_at=NOW, changed_at=NOW)
    other = Ticket.objects.create(**chosen, elder=make_elder(), created_at=NOW, changed_at=NOW)
    assert at.place(ticket_id=own.pk).ticket == own
    with no(at.seat, "order.ticket_elder"):
        at.place(ticket_id=other.pk, starts_at=START + timedelta(days=1))
    with no(at.seat, "ticket.not_found", NotFound):
        at.place(ticket_id=0, starts_at=START + timedelta(days=1))


def test_only_who_serves_the_area_or_stands_for_the_elder_places(at: Situation) -> None:
    elsewhere, visitor = actor("seat", OTHER_DISTRICT), actor("visitor")
    with no(elsewhere, "elder.not_found", NotFound):
        at.place(elsewhere)
    with no(visitor, "right.missing", Denied):
        at.place(visitor)
    family = actor("family", elders=(at.elder,))
    with scope(family):
        assert at.place(family, channel="app").channel == "app"


@pytest.mark.req("X-PIP-02")
def test_who_took_the_consent_back_is_asked_before_anything_is_ordered(at: Situation) -> None:
    given = {"div": at.elder.div, "elder": at.elder, "purpose": "service", "text_version": "2026-1", "given_by": "self"}
    Consent.objects.create(**given, valid_from=date(2026, 1, 1), valid_to=TODAY, recorded_from=NOW)
    with no(at.seat, "order.consent", NotAllowed):
        at.place()
    Consent.objects.create(**given, valid_from=TODAY, recorded_from=NOW)
    assert at.place().state == "placed"


def test_nothing_is_ordered_in_a_merged_file(at: Situation) -> None:
    Elder.objects.filter(pk=at.elder.pk).update(merged_into=make_elder())
    with no(at.seat, "elder.merged", NotAllowed):
        at.place()


@pytest.mark.req("R-ORD-01")
def test_an_order_goes_from_placed_to_closed(at: Situation) -> None:
    order = at.place()
    boss, nobody = actor("provider_manager", organisation=at.body), system(CITY)
    accept_order(actor=boss, now=NOW, order_id=order.pk, seen=order.version)
    order.refresh_from_db()
    assert (order.state, order.accepted_at) == ("accepted", NOW)
    mark_assigned_each(actor=boss, now=NOW, orders=[order])
    mark_started(actor=nobody, now=START, order=order)
    mark_served(actor=nobody, now=START, order=order)
    mark_settled_each(actor=nobody, now=START, orders=[order])
    close_order(actor=nobody, now=START, order_id=order.pk)
    order.refresh_from_db()
    assert (order.state, order.served_at, order.settled_at) == ("closed", START, START)
    events = (
        Journal.objects.filter(subject_type="order", subject_id=order.pk).order_by("id").values_list("event", flat=True)
    )
    assert [event.rsplit(".", 1)[1] for event in events] == [
        "place", "accept", "assign", "mark_started", "mark_served", "mark_settled", "close",
    ]  # fmt: skip


@pytest.mark.req("R-ORD-01")
def test_what_the_state_does_not_allow_is_refused(at: Situation) -> None:
    order = make_order("in_service", elder=at.elder, price=at.price)
    boss, nobody = actor("provider_manager", organisation=at.body), system()
    for who, call in (
        (at.seat, lambda: cancel_order(actor=at.seat, now=NOW, order_id=order.pk, reason="不要了")),
        (boss, lambda: accept_order(actor=boss, now=NOW, order_id=order.pk)),
        (boss, lambda: refuse_order(actor=boss, now=NOW, order_id=order.pk, reason="没人")),
        (nobody, lambda: close_order(actor=nobody, now=NOW, order_id=order.pk)),
    ):
        with no(who, "state.not_allowed", NotAllowed):
            call()
    with pytest.raises(NotAllowed):
        return_order(actor=nobody, now=NOW, order=order, reason="x")


def test_a_page_out_of_date_changes_nothing(at: Situation) -> None:
    order = at.place()
    with no(at.seat, "row.stale", Stale):
        cancel_order(actor=at.seat, now=NOW, order_id=order.pk, reason="不要了", seen=order.version - 1)


def test_the_provider_refuses_with_a_reason_and_the_cap_comes_back_although_it_sees_no_entitlement(
    at: Situation,
) -> None:
    order = at.place()
    boss = actor("provider_manager", organisation=at.body)
    with no(boss, "reason.missing"):
        refuse_order(actor=boss, now=NOW, order_id=order.pk, reason=" ")
    with scope(boss):
        assert not Quota.objects.exists()
        refuse_order(actor=boss, now=NOW, order_id=order.pk, reason="当天没有护士")
        assert not Quota.objects.exists()
    order.refresh_from_db()
    assert (order.state, order.cancel_reason, at.quota()) == ("cancelled", "当天没有护士", (0, 0))


def test_another_provider_neither_sees_nor_takes_the_order(at: Situation) -> None:
    order = at.place()
    stranger = actor("provider_manager")
    with no(stranger, "row.not_found", NotFound):
        accept_order(actor=stranger, now=NOW, order_id=order.pk)
    with no(at.seat, "right.missing", Denied):
        accept_order(actor=at.seat, now=NOW, order_id=order.pk)


def test_the_elder_side_cancels_its_own_order_only(at: Situation) -> None:
    order = at.place()
    stranger, own = actor("family", elders=(make_elder(),)), actor("elder", elders=(at.elder,))
    with no(stranger, "row.not_found", NotFound):
        cancel_order(actor=stranger, now=NOW, order_id=order.pk, reason="x")
    with no(own, "reason.missing"):
        cancel_order(actor=own, now=NOW, order_id=order.pk, reason="")
    with scope(own):
        cancel_order(actor=own, now=NOW, order_id=order.pk, reason="不舒服")
    assert at.quota() == (0, 0)


def test_a_failed_visit_gives_the_cap_back(at: Situation) -> None:
    order = at.place()
    mark_assigned_each(actor=system(), now=NOW, orders=[order])
    mark_failed(actor=system(), now=START, order=order, reason="敲门无人")
    order.refresh_from_db()
    assert (order.state, order.cancel_reason, at.quota()) == ("failed", "敲门无人", (0, 0))


def test_a_returned_order_waits_anew_with_a_new_time_to_accept(at: Situation) -> None:
    order = at.place()
    mark_assigned_each(actor=system(), now=NOW, orders=[order])
    mark_accepted(actor=system(), now=NOW, order=order)
    mark_accepted(actor=system(), now=START, order=order)
    assert order.accepted_at == NOW
    later = NOW + timedelta(hours=2)
    return_order(actor=system(), now=later, order=order, reason="谢绝")
    order.refresh_from_db()
    assert (order.state, order.accepted_at, order.accept_due_at) == ("placed", None, later + timedelta(minutes=30))


def test_only_a_silent_order_is_returned(at: Situation) -> None:
    order = at.place()
    accept_order(actor=actor("provider_manager", organisation=at.body), now=NOW, order_id=order.pk)
    nobody = system()
    with no(nobody, "order.not_silent"):
        return_silent_order(actor=nobody, now=NOW, order_id=order.pk)
    return_silent_order(actor=nobody, now=START - timedelta(hours=1), order_id=order.pk)
    order.refresh_from_db()
    assert order.state == "placed"
    with no(at.seat, "right.missing", Denied):
        return_silent_order(actor=at.seat, now=START, order_id=order.pk)


@pytest.mark.req("R-ORD-07")
def test_a_hold_stands_once_per_cause_until_it_is_released(at: Situation) -> None:
    order, judge = make_order("served"), actor("supervisor")
    first = hold_order(actor=system(), now=NOW, order=order, cause="finding:1", reason="签到过远")
    assert hold_order(actor=system(), now=START, order=order, cause="finding:1", reason="再次") == first
    hold_order(actor=system(), now=NOW, order=order, cause="finding:2", reason="照片重复")
    assert [hold.cause for hold in open_holds(order)] == ["finding:1", "finding:2"]
    release_hold(actor=judge, now=START, order=order, cause="finding:1", reason="已核实")
    assert [hold.cause for hold in open_holds(order)] == ["finding:2"]
    row = Hold.objects.get(cause="finding:1")
    assert (row.to_at, row.released_by_id, row.release_reason) == (START, judge.user_id, "已核实")
    with pytest.raises(NotFound):
        release_hold(actor=judge, now=START, order=order, cause="finding:1", reason="再次")


@pytest.mark.django_db(transaction=True)
def test_a_cap_taken_between_quote_and_reservation_makes_the_quote_stale() -> None:
    with scope(WIDE):
        at = Situation()
        Quota.objects.create(
            div=COMMUNITY, elder=at.elder, entitlement=at.voucher, from_on=START.date().replace(day=1), cap=80000
        )
    taken, answers = threading.Event(), []

    def take() -> None:
        with scope(WIDE):
            Quota.objects.update(reserved=F("reserved") + 79000)
            taken.set()
            threading.Event().wait(0.5)  # the other reads the cap as it was, then waits for this row
        connection.close()

    def place() -> None:
        taken.wait(60)
        try:
            with scope(WIDE):
                at.place()
        except Refused as refusal:
            answers.append(refusal.code)
        connection.close()

    threads = [threading.Thread(target=take), threading.Thread(target=place)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == ["quote.changed"]
    with scope(WIDE):
        assert (Order.objects.count(), at.quota()) == (0, (79000, 0))


def test_a_scheme_for_other_services_pays_nothing(at: Situation) -> None:
    at.voucher.delete()
    make_entitlement(at.elder, make_scheme(families=["meal"]))
    assert at.place(quoted_self_fen=11000).self_fen == 11000


def test_an_open_order_follows_its_elder_to_the_new_home(wide: Any) -> None:
    city()
    elder = make_elder()
    coming, begun = (
        make_order("assigned", elder=elder),
        make_order("in_service", elder=elder, starts_at=NOW - timedelta(hours=1)),
    )
    before = begun.address
    relocate_elder(
        actor=actor("street"), now=NOW, elder_id=elder.pk, div=NEIGHBOUR, address="学前街8号", lon=120.31, lat=31.58
    )
    assert stop_orders(system("32"), NOW, elder.pk) == 1
    coming.refresh_from_db()
    begun.refresh_from_db()
    home = Elder.objects.select_related("household").get(pk=elder.pk).household
    assert (coming.address, coming.lon, coming.door_code, coming.state) == (
        "学前街8号",
        home.lon,
        home.door_code,
        "assigned",
    )
    assert begun.address == before
    assert Journal.objects.filter(event="orders.order.readdress", subject_id=coming.pk).count() == 1
    assert stop_orders(system("32"), NOW, elder.pk) == 0
    for order, code in ((coming, "order.same_home"), (begun, "order.on_its_way")):
        with pytest.raises(Refusal) as found:
            readdress_order(actor=system("32"), now=NOW, order_id=order.pk)
        assert found.value.code == code
