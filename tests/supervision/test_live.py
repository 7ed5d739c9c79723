"""Live supervision with real transactions: what is committed is found once, by the role that only reads."""

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from tests.factories import (
    COMMUNITY,
    NOW,
    WIDE,
    actor,
    city,
    fund_order,
    make_assignment,
    make_check_in,
    make_elder,
    make_entitlement,
    make_order,
    make_photo,
    make_price,
    make_scheme,
    make_staff,
    make_visit,
    system,
)
from tests.programmes.home_beds.test_stays import admitted

from yinling.accounts.operations import record
from yinling.accounts.queries import audit_connection
from yinling.catalogue.models import Price
from yinling.directory.models import Suspension
from yinling.entitlements.operations import end_entitlement
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refused
from yinling.orders.models import Hold, Order, OrderLine
from yinling.orders.operations import cancel_order, refuse_order
from yinling.people.models import Elder
from yinling.people.operations import record_circumstance
from yinling.programmes.home_beds.jobs import bill_stays
from yinling.settlement.operations import settle_order
from yinling.supervision.jobs import run_all, run_round, write_all
from yinling.supervision.models import Finding, Round
from yinling.supervision.queries import look
from yinling.visits.models import Visit
from yinling.visits.operations import start_visit

pytestmark = pytest.mark.django_db(transaction=True)
TOMORROW = NOW + timedelta(days=1)
EVENING = NOW + timedelta(hours=12)


@pytest.fixture(autouse=True)
def _city(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "DATA", tmp_path)
    with scope(WIDE):
        city()
        system()
    run_round(NOW)
    return


def found() -> list[tuple[str, int]]:
    with scope(WIDE):
        return sorted(Finding.objects.values_list("rule", "order_id"))


def journalled(visit: Visit) -> Visit:
    record(actor=system(), now=NOW, event="visits.visit.start", subject=visit)
    return visit


def done_visit(**values: object) -> Visit:
    order = make_order("served", **values)
    staff = make_staff(order.provider)
    visit = make_visit(make_assignment(order, staff, state="done", accept_due_at=TOMORROW), state="done")
    return journalled(visit)


@pytest.mark.req("R-ORD-06", "R-ORD-07", "X-SUP")
def test_a_check_in_far_from_home_is_a_finding_within_one_round_and_stops_carer_and_money() -> None:
    with scope(WIDE):
        order = make_order("assigned")
        staff = make_staff(order.provider)
        assignment = make_assignment(order, staff, state="accepted")
        carer = actor("carer", staff=staff)
        start_visit(
            actor=carer,
            now=order.starts_at,
            assignment_id=assignment.pk,
            key="k1",
            lon=120.35,
            lat=31.57,
            accuracy_m=10.0,
        )
    assert run_round(order.starts_at + timedelta(seconds=5)) == 1
    with scope(WIDE):
        finding = Finding.objects.get()
        assert (finding.rule, finding.order_id, finding.staff_id) == ("distant_check_in", order.pk, staff.pk)
        assert finding.facts["distance_m"] > 4000
        assert Hold.objects.filter(order=order, to_at=None).count() == 1
        assert Suspension.objects.filter(staff=staff, to_at=None).count() == 1
    assert Round.objects.get().took_ms < 55_000  # and at most 5 s until the round began: 60 s
    assert run_round(order.starts_at + timedelta(seconds=10)) == 0
    assert len(found()) == 1


def test_a_refused_write_is_not_an_event() -> None:
    assert run_round(NOW) == 0
    assert Round.objects.get().touched == 0


def test_a_transaction_that_began_earlier_and_ends_later_is_neither_missed_nor_in_the_way() -> None:
    address = make_conninfo(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"])
    with scope(WIDE):
        slow, quick = done_visit(), done_visit()
    assert run_round(EVENING) == 0
    copied = "subject_type, subject_id, div, business_at, user_name, role, event, changes, reason, request_id, is_refused, code, digest"
    again = (
        f"INSERT INTO accounts_journal ({copied}) SELECT {copied} FROM accounts_journal WHERE subject_id = %s LIMIT 1"  # noqa: S608
    )
    with psycopg.connect(address) as other:
        other.execute(again, [slow.pk])
        with scope(WIDE):
            make_check_in(slow, distance_m=500)
            make_check_in(quick, distance_m=500)
            journalled(quick)
        assert run_round(EVENING) == 1
        assert found() == [("far_check_in", quick.order_id)]
        other.commit()
    assert run_round(EVENING) == 1
    assert found() == [("far_check_in", slow.order_id), ("far_check_in", quick.order_id)]


def test_silence_becomes_a_finding_when_its_time_has_come() -> None:
    with scope(WIDE):
        order = make_order("assigned", starts_at=NOW)
        make_assignment(order, make_staff(order.provider), state="accepted")
        late = make_order("placed", accept_due_at=NOW + timedelta(minutes=20))
    assert run_round(NOW + timedelta(minutes=19)) == 0
    assert run_round(NOW + timedelta(minutes=21)) == 1
    assert found() == [("late_acceptance", late.pk)]
    assert run_round(NOW + timedelta(minutes=30)) == 0
    assert run_round(NOW + timedelta(minutes=30, seconds=5)) == 1
    assert found() == [("late_acceptance", late.pk), ("no_check_in", order.pk)]
    assert run_round(NOW + timedelta(minutes=31)) == 0


def test_a_death_entered_later_finds_the_services_after_it() -> None:
    with scope(WIDE):
        elder = make_elder()
        visit = done_visit(elder=elder)
        near_miss = done_visit(elder=elder, starts_at=NOW)
    assert run_round(EVENING) == 0
    with scope(WIDE):
        Elder.objects.filter(pk=elder.pk).update(died_on=date(2026, 6, 15))
        record(actor=system(), now=EVENING, event="people.elder.bury", subject=Elder.objects.get(pk=elder.pk))
    assert run_round(EVENING) == 1
    assert found() == [("deceased", visit.order_id)]
    assert near_miss.order_id not in [order for _, order in found()]


def test_a_carer_in_two_homes_is_found_from_the_visit_before() -> None:
    with scope(WIDE):
        first = done_visit()
    assert run_round(EVENING) == 0
    with scope(WIDE):
        order = make_order("served", starts_at=first.started_at + timedelta(minutes=30))
        assignment = make_assignment(order, make_staff(order.provider), state="done", accept_due_at=TOMORROW)
        second = make_visit(assignment, state="done")
        Visit.objects.filter(pk=second.pk).update(staff=first.staff_id)
        assignment.__class__.objects.filter(pk=assignment.pk).update(staff=first.staff_id, state="done")
        journalled(Visit.objects.get(pk=second.pk))
    assert run_round(EVENING) == 1
    assert found() == [("overlap", order.pk)]


def test_a_photo_seen_before_is_found_however_long_ago() -> None:
    with scope(WIDE):
        old = done_visit(starts_at=NOW - timedelta(days=300))
        make_photo(old, b"the same photo", received_at=NOW - timedelta(days=300))
    run_round(EVENING)
    with scope(WIDE):
        new = done_visit()
        make_photo(new, b"the same photo")
    assert run_round(EVENING) == 1
    with scope(WIDE):
        finding = Finding.objects.get()
        assert (finding.rule, finding.visit_id, finding.facts["earlier_visit_id"]) == ("same_photo", new.pk, old.pk)


@pytest.mark.req("R-ORD-06")
def test_a_hospital_stay_entered_later_finds_the_services_in_it() -> None:
    with scope(WIDE):
        elder = make_elder()
        visit, admitted = done_visit(elder=elder), done_visit(elder=elder, starts_at=NOW)
        done_visit()
    assert run_round(EVENING) == 0
    with scope(WIDE):
        street = actor("street", COMMUNITY[:9])
        with scope(street):
            record_circumstance(
                actor=street,
                now=EVENING,
                elder_id=elder.pk,
                kind="in_hospital",
                valid_from=date(2026, 6, 15),
                body="第一医院",
            )
    assert run_round(EVENING) == 1
    assert found() == [("in_hospital", visit.order_id)]
    assert admitted.order_id not in [order for _, order in found()]
    with scope(WIDE):
        assert Finding.objects.get().severity == "block"


@pytest.mark.req("R-ORD-06", "R-ORD-16")
def test_more_than_the_list_of_the_day_allows_is_found_and_a_later_list_does_not_matter() -> None:
    with scope(WIDE):
        price = make_price(amount_fen=8000)
        exact, above = done_visit(price=price), done_visit(price=price)
        OrderLine.objects.filter(order_id=above.order_id).update(amount_fen=8001)
        Price.objects.filter(pk=price.pk).update(recorded_to=NOW + timedelta(hours=1))
        make_price(price.item, price.organisation, 9000, recorded_from=NOW + timedelta(hours=1))
    assert run_round(EVENING) == 1
    assert found() == [("above_list", above.order_id)]
    with scope(WIDE):
        finding = Finding.objects.get()
        assert (finding.facts, finding.staff_id) == ({"charged_fen": 8001, "allowed_fen": 8000}, None)
        assert Hold.objects.filter(order_id=above.order_id).exists()
        assert not Hold.objects.filter(order_id=exact.order_id).exists()


@pytest.mark.req("R-BED-06", "R-LTC-04")
def test_bed_days_at_the_price_and_cost_of_their_own_day_are_no_finding() -> None:
    with scope(WIDE):
        stay = admitted()
        Price.objects.filter(item=stay.item).update(valid_to=date(2026, 5, 26))
        make_price(stay.item, stay.provider, amount_fen=20000, valid_from=date(2026, 5, 26), unit="日")
        scheme = make_scheme(payer="state_care", families=["nursing"], code="state_care")
        make_entitlement(stay.elder, scheme, share_bp=10000, monthly_cap_fen=None, valid_from=date(2026, 5, 26))
        bill_stays(system(), NOW)
        (order,) = Order.objects.filter(needs_visit=False)
        assert order.self_fen == 6 * 18000
    run_round(EVENING)
    assert found() == []


@pytest.mark.req("X-SUP-03")
def test_a_visit_as_long_as_its_items_together_is_not_short_however_many_there_are_of_one() -> None:
    with scope(WIDE):
        visit = done_visit(ends_at=TOMORROW + timedelta(hours=2))
        OrderLine.objects.filter(order_id=visit.order_id).update(quantity=2, minutes=120, amount_fen=16000)
    run_round(EVENING)
    assert found() == []


@pytest.mark.req("R-ORD-06")
def test_an_entitlement_ended_later_finds_what_it_paid_after_its_end() -> None:
    with scope(WIDE):
        elder = make_elder()
        entitlement = make_entitlement(elder)
        before, after = done_visit(elder=elder, starts_at=NOW), done_visit(elder=elder)
        for visit in (before, after):
            fund_order(visit.order, entitlement, 4000)
    assert run_round(EVENING) == 0
    with scope(WIDE):
        street = actor("street", COMMUNITY[:9])
        end_entitlement(
            actor=street, now=EVENING, entitlement_id=entitlement.pk, valid_to=date(2026, 6, 15), reason="不再符合条件"
        )
    assert run_round(EVENING) == 1
    assert found() == [("no_entitlement", after.order_id)]


@pytest.mark.req("R-ORD-06")
def test_a_scheme_granted_anew_still_pays() -> None:
    with scope(WIDE):
        elder = make_elder()
        scheme = make_scheme()
        old = make_entitlement(elder, scheme, valid_to=date(2026, 6, 16))
        make_entitlement(elder, scheme, valid_from=date(2026, 6, 16))
        visit = done_visit(elder=elder)
        fund_order(visit.order, old, 4000)
    assert run_round(EVENING) == 0


@pytest.mark.req("R-ORD-06")
def test_cancelling_again_and_again_is_found_with_what_was_cancelled_before() -> None:
    with scope(WIDE):
        elder, seat = make_elder(), actor("seat")
        orders = [make_order(elder=elder, starts_at=NOW + timedelta(days=number)) for number in range(1, 4)]
    days = (0, 3, 6)
    for order, day in zip(orders, days, strict=True):
        assert found() == []
        when = NOW + timedelta(days=day)
        with scope(WIDE):
            cancel_order(actor=seat, now=when, order_id=order.pk, reason="临时有事")
        run_round(when)
    assert found() == [("repeated_cancel", orders[-1].pk)]
    assert run_all(date(2026, 6, 18), date(2026, 6, 18)) == 0
    with scope(WIDE):
        assert Finding.objects.get().follow_up.elder_id == elder.pk


@pytest.mark.req("R-ORD-06")
def test_an_order_the_provider_refused_does_not_count_against_the_elder() -> None:
    with scope(WIDE):
        elder, seat = make_elder(), actor("seat")
        orders = [make_order(elder=elder, starts_at=NOW + timedelta(days=number)) for number in range(1, 4)]
        manager = actor("provider_manager", organisation=orders[0].provider)
        with scope(manager):
            refuse_order(actor=manager, now=NOW, order_id=orders[0].pk, reason="人手不够")
        for order in orders[1:]:
            cancel_order(actor=seat, now=NOW, order_id=order.pk, reason="临时有事")
    assert run_round(NOW + timedelta(minutes=1)) == 0


@pytest.mark.req("R-ORD-06")
def test_a_provider_that_refuses_again_and_again_is_found_once() -> None:
    with scope(WIDE):
        price = make_price()
        orders = [make_order(price=price) for _ in range(11)]
        manager = actor("provider_manager", organisation=price.organisation)
    for number, order in enumerate(orders, start=1):
        with scope(manager):
            refuse_order(actor=manager, now=NOW + timedelta(minutes=number), order_id=order.pk, reason="人手不够")
        run_round(NOW + timedelta(minutes=number))
        assert len(found()) == (number >= 10)
    assert found() == [("repeated_cancel", orders[9].pk)]
    with scope(WIDE):
        assert Finding.objects.get().facts == {"cancel_count": 10, "cancel_days": 7}


@pytest.mark.req("R-PAY-04")
def test_a_provider_whose_services_are_charged_twice_again_and_again_is_found_once() -> None:
    with scope(WIDE):
        price = make_price()
        pairs = [
            [make_order("served", elder=elder, price=price) for _ in range(2)]
            for elder in (make_elder() for _ in range(5))
        ]
    for number, (first, second) in enumerate(pairs, 1):
        with scope(who := system()):
            settle_order(actor=who, now=EVENING, order_id=first.pk)
        with pytest.raises(Refused, match=r"settlement\.repeated"), scope(who):
            settle_order(actor=who, now=EVENING + timedelta(minutes=number), order_id=second.pk)
        run_round(EVENING + timedelta(minutes=number))
        assert ("repeated_claim" in dict(found())) == (number >= 4)
    with scope(WIDE):
        row = Finding.objects.get(rule="repeated_claim")
    assert (row.order_id, row.facts) == (pairs[3][1].pk, {"claimed_again_count": 4})


def test_the_full_check_finds_what_the_live_one_would_and_writes_nothing_twice() -> None:
    with scope(WIDE):
        visit = done_visit()
        make_check_in(visit, distance_m=500)
        make_check_in(done_visit(starts_at=NOW + timedelta(days=5)), distance_m=500)
    assert run_all(date(2026, 6, 16), date(2026, 6, 16)) == 1
    assert found() == [("far_check_in", visit.order_id)]
    assert run_round(EVENING) == 1
    assert run_all(date(2026, 6, 1), date(2026, 6, 30)) == 0


def test_the_reader_is_a_role_of_its_own_that_cannot_write() -> None:
    with audit_connection() as audit:
        assert audit.execute("SELECT current_user AS name").fetchone() == {"name": "yl_audit"}
        with pytest.raises(psycopg.Error, match=r"read-only|permission denied"):
            audit.execute("UPDATE orders_order SET note = 'x'")


def test_hits_of_another_place_are_left_alone() -> None:
    with scope(WIDE):
        visit = done_visit()
        make_check_in(visit, distance_m=500)
        hits = look(EVENING, Round.objects.get()).hits
        Order.objects.filter(pk=visit.order_id).update(div="320500000000")
    assert write_all(hits, now=EVENING) == 0
    assert write_all([], now=EVENING) == 0


def test_after_a_restore_the_journal_is_read_anew() -> None:
    with scope(WIDE):
        make_check_in(done_visit(), distance_m=500)
    Round.objects.update(snapshot="999999999999:999999999999:")
    assert run_round(EVENING) == 1
