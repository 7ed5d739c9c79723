"""Live supervision with real transactions: what is committed is found once, by the role that only reads."""

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from tests.factories import (
    NOW,
    WIDE,
    actor,
    city,
    make_assignment,
    make_check_in,
    make_elder,
    make_order,
    make_photo,
    make_staff,
    make_visit,
    system,
)

from yinling.accounts.operations import record
from yinling.accounts.queries import audit_connection
from yinling.directory.models import Suspension
from yinling.ground.scope import scope
from yinling.orders.models import Hold, Order
from yinling.people.models import Elder
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
