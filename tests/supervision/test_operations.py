"""Writing findings and deciding them."""

from dataclasses import replace
from datetime import date

import pytest
from tests.factories import (
    CITY,
    NOW,
    OTHER_DISTRICT,
    actor,
    make_assignment,
    make_finding,
    make_order,
    make_staff,
    make_visit,
    system,
)

from yinling.accounts.models import Journal, Notice
from yinling.directory.models import Staff, Suspension
from yinling.directory.operations import suspend_staff
from yinling.ground.scope import scope
from yinling.hotline.models import Ticket, TicketNote
from yinling.hotline.operations import close_ticket, take_ticket
from yinling.hotline.queries import queue
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.orders.models import Hold, Order
from yinling.orders.operations import hold_order
from yinling.settlement.operations import settle_order
from yinling.supervision.models import Finding
from yinling.supervision.operations import acknowledge_finding, release_finding, uphold_finding, write_finding
from yinling.visits.models import Visit

pytestmark = pytest.mark.usefixtures("wide")


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def served_visit() -> tuple[Order, Visit, Staff]:
    order = make_order("served")
    staff = make_staff(order.provider)
    return order, make_visit(make_assignment(order, staff, state="done"), state="done"), staff


def blocked() -> Finding:
    order, visit, staff = served_visit()
    return write_finding(
        actor=system(), now=NOW, order_id=order.pk, rule="distant_check_in", key=f"distant_check_in:{visit.pk}", visit_id=visit.pk,
        staff_id=staff.pk, happened_at=NOW, facts={"distance_m": 4000, "limit_m": 1000},
    )  # fmt: skip


@pytest.mark.req("R-ORD-07", "X-SUP")
def test_a_block_stops_the_carer_and_freezes_this_order_only() -> None:
    finding = blocked()
    cause = f"finding:{finding.pk}"
    assert (finding.severity, finding.state, finding.title) == ("block", "open", "签到位置严重偏离")
    assert list(Hold.objects.values_list("order", "cause", "to_at")) == [(finding.order_id, cause, None)]
    assert list(Suspension.objects.values_list("staff", "cause", "to_at")) == [(finding.staff_id, cause, None)]
    other = make_order("served")
    with refused("order.held"):
        settle_order(actor=system(), now=NOW, order_id=finding.order_id)
    assert settle_order(actor=system(), now=NOW, order_id=other.pk).state == "settled"


@pytest.mark.req("X-SUP")
def test_a_warning_freezes_nothing_and_asks_for_a_call() -> None:
    order, visit, staff = served_visit()
    finding = write_finding(
        actor=system(),
        now=NOW,
        order_id=order.pk,
        rule="far_check_in",
        key="far_check_in:1",
        visit_id=visit.pk,
        staff_id=staff.pk,
    )
    assert finding.severity == "warning"
    assert not Hold.objects.exists()
    assert not Suspension.objects.exists()
    assert not Notice.objects.exists()
    ticket = Ticket.objects.get()
    assert finding.follow_up == ticket
    assert (ticket.kind, ticket.title, ticket.state, ticket.elder_id, ticket.provider_id, ticket.div) == (
        "request", "预警回访", "open", order.elder_id, None, order.div
    )  # fmt: skip
    assert ticket.due_on == date(2026, 6, 18)
    note = TicketNote.objects.get()
    assert (note.ticket_id, note.is_internal, note.elder_id, note.provider_id) == (ticket.pk, True, None, None)
    assert note.text == f"{order.code} 签到位置偏离 2026-06-15 10:00"
    opened = Journal.objects.get(event="hotline.ticket.open")
    assert (opened.subject_id, opened.role) == (ticket.pk, "system")
    assert settle_order(actor=system(), now=NOW, order_id=order.pk).state == "settled"


@pytest.mark.req("X-SUP")
def test_the_seats_find_the_follow_up_in_their_queue_and_the_provider_does_not() -> None:
    order, visit, _ = served_visit()
    values = {"order_id": order.pk, "rule": "too_short", "key": "too_short:1", "visit_id": visit.pk}
    finding = write_finding(actor=system(), now=NOW, **values)
    again = write_finding(actor=system(), now=NOW, **values)
    assert again.follow_up_id == finding.follow_up_id
    seat, manager = actor("seat"), actor("provider_manager", organisation=order.provider)
    with scope(seat):
        assert [row.pk for row in queue(seat, now=NOW)] == [finding.follow_up_id]
        take_ticket(actor=seat, now=NOW, ticket_id=finding.follow_up_id, seen=0)
        close_ticket(actor=seat, now=NOW, ticket_id=finding.follow_up_id, result="老人说护理员按时到了")
    with scope(manager):
        assert not Ticket.objects.exists()
    with scope(actor("elder", elders=(order.elder,))):
        assert not TicketNote.objects.exists()


def test_a_block_opens_no_follow_up() -> None:
    assert blocked().follow_up is None
    assert not Ticket.objects.exists()


def test_the_same_key_writes_once() -> None:
    first = blocked()
    again = write_finding(
        actor=system(), now=NOW, order_id=first.order_id, rule=first.rule, key=first.key, staff_id=first.staff_id
    )
    assert again.pk == first.pk
    assert Finding.objects.count() == Hold.objects.count() == Suspension.objects.count() == 1
    assert Journal.objects.filter(event="supervision.finding.write").count() == 1


def test_an_unknown_rule_is_refused_and_only_the_system_writes() -> None:
    order = make_order("served")
    with refused("finding.rule"):
        write_finding(actor=system(), now=NOW, order_id=order.pk, rule="bad_mood", key="bad_mood:1")
    with refused("right.missing", Denied):
        write_finding(actor=actor("supervisor"), now=NOW, order_id=order.pk, rule="overlap", key="overlap:1")
    assert not Finding.objects.exists()


@pytest.mark.req("R-ORD-07", "X-SUP")
def test_a_supervisor_releases_with_reason_and_only_this_cause() -> None:
    finding = blocked()
    order = Order.objects.get(pk=finding.order_id)
    hold_order(actor=system(), now=NOW, order=order, cause="finding:0", reason="另一预警")
    suspend_staff(actor=system(), now=NOW, staff=finding.staff, cause="finding:0", reason="另一预警")
    supervisor = actor("supervisor")
    with refused("finding.reason"):
        release_finding(actor=supervisor, now=NOW, finding_id=finding.pk, reason="  ")
    released = release_finding(
        actor=supervisor, now=NOW, finding_id=finding.pk, reason="定位漂移，家属证明到场", seen=0
    )
    assert (released.state, released.decided_by_id, released.decision_reason) == (
        "released",
        supervisor.user_id,
        "定位漂移，家属证明到场",
    )
    assert sorted(Hold.objects.values_list("cause", "released_by")) == sorted(
        [("finding:0", None), (f"finding:{finding.pk}", supervisor.user_id)]
    )
    assert list(Suspension.objects.filter(to_at=None).values_list("cause", flat=True)) == ["finding:0"]
    with refused("order.held"):
        settle_order(actor=system(), now=NOW, order_id=order.pk)


@pytest.mark.req("R-ORD-07")
def test_the_provider_never_releases() -> None:
    finding = blocked()
    manager = replace(actor("provider_manager", organisation=finding.provider), div=CITY)
    with refused("right.missing", Denied):
        release_finding(actor=manager, now=NOW, finding_id=finding.pk, reason="我们核实过")
    insider = replace(actor("supervisor"), organisation_id=finding.provider_id)
    with refused("finding.own_provider", Denied):
        release_finding(actor=insider, now=NOW, finding_id=finding.pk, reason="我们核实过")
    assert Finding.objects.get().state == "open"
    assert Hold.objects.filter(to_at=None).exists()
    assert Suspension.objects.filter(to_at=None).exists()


def test_an_upheld_finding_keeps_the_money_frozen_and_the_carer_stopped() -> None:
    finding = blocked()
    supervisor = actor("supervisor")
    assert (
        acknowledge_finding(actor=supervisor, now=NOW, finding_id=finding.pk).acknowledged_by_id == supervisor.user_id
    )
    upheld = uphold_finding(actor=supervisor, now=NOW, finding_id=finding.pk, reason="未到场", seen=1)
    assert upheld.state == "upheld"
    assert Hold.objects.filter(to_at=None).count() == Suspension.objects.filter(to_at=None).count() == 1
    with refused("state.not_allowed", NotAllowed):
        release_finding(actor=supervisor, now=NOW, finding_id=finding.pk, reason="改判")


def test_releasing_a_warning_has_nothing_to_lift() -> None:
    finding = make_finding(make_order("served"))
    assert (
        release_finding(actor=actor("supervisor"), now=NOW, finding_id=finding.pk, reason="属实到场").state
        == "released"
    )


def test_stale_foreign_and_unknown_findings() -> None:
    finding = make_finding(make_order("served"))
    supervisor = actor("supervisor")
    acknowledge_finding(actor=supervisor, now=NOW, finding_id=finding.pk, seen=0)
    with refused("row.stale", Stale):
        uphold_finding(actor=supervisor, now=NOW, finding_id=finding.pk, reason="未到场", seen=0)
    with refused("right.outside", Denied):
        uphold_finding(actor=actor("supervisor", OTHER_DISTRICT), now=NOW, finding_id=finding.pk, reason="未到场")
    with refused("row.not_found", NotFound):
        acknowledge_finding(actor=supervisor, now=NOW, finding_id=finding.pk + 1)
    assert Finding.objects.get().state == "acknowledged"
