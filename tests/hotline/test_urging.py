"""Tickets that take too long: reminders, escalation, orders from above; and the deadlines behind them."""

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    make_area_tree,
    make_elder,
    make_organisation,
    make_ticket,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.ground.models import CalendarDay
from yinling.ground.scope import scope
from yinling.hotline.jobs import send_exchanges, urge_tickets
from yinling.hotline.loops import urge_area
from yinling.hotline.models import Callback, Reminder, Supervision, Ticket
from yinling.hotline.operations import (
    answer_supervision,
    close_ticket,
    dial_call,
    escalate_ticket,
    finish_callback,
    lodge_ticket,
    open_ticket,
    remind_ticket,
    reopen_ticket,
    supervise_ticket,
    take_ticket,
    transfer_ticket,
)
from yinling.hotline.queries import queue, supervisions
from yinling.hotline.rules import escalation_of, working_days_before, working_days_overdue
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.kernel.workdays import WorkingCalendar

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 2, 13)
SATURDAY = date(2026, 2, 14)
CALENDAR = WorkingCalendar.from_rows([(SATURDAY, "makeup_workday"), (date(2026, 2, 16), "holiday")])


def contents() -> dict[str, list[dict[str, Any]]]:
    models = (Ticket, Reminder, Supervision, Notice, Callback)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def told(user_id: int | None) -> list[str]:
    return list(Notice.objects.filter(user_id=user_id).order_by("pk").values_list("title", flat=True))


# Days


@pytest.mark.req("X-CAL-03", "X-CALL-05")
def test_a_make_up_saturday_counts_and_a_holiday_does_not(wide: Any) -> None:
    """Received on Thursday: Friday, the make-up Saturday and, after the holiday on Monday, Tuesday."""
    CalendarDay.objects.bulk_create(
        [CalendarDay(day=SATURDAY, kind="makeup_workday"), CalendarDay(day=date(2026, 2, 16), kind="holiday")]
    )
    seat = actor("seat")
    with scope(seat):
        row = open_ticket(
            actor=seat, now=datetime(2026, 2, 12, 15, 0, tzinfo=UTC), kind="request", title="扶手松动", div=COMMUNITY
        )
    assert (row.due_on, row.is_due_provisional) == (date(2026, 2, 17), False)


@pytest.mark.req("X-CAL-03")
def test_next_year_without_a_list_is_provisional_and_counts_monday_to_friday(wide: Any) -> None:
    CalendarDay.objects.create(day=SATURDAY, kind="makeup_workday")
    seat = actor("seat")
    with scope(seat):
        row = open_ticket(
            actor=seat, now=datetime(2026, 12, 31, 2, 0, tzinfo=UTC), kind="request", title="扶手松动", div=COMMUNITY
        )
    assert (row.due_on, row.is_due_provisional) == (date(2027, 1, 5), True)


@pytest.mark.req("X-TIME-01", "X-TIME-03")
def test_the_day_of_receipt_is_not_counted_and_the_last_day_ends_at_midnight(wide: Any) -> None:
    """Received on Thursday one minute before midnight; an enquiry is due on Tuesday 24:00, the week-end between does not count."""
    seat, late = actor("seat"), datetime(2026, 6, 11, 15, 59, tzinfo=UTC)
    with scope(seat):
        row = open_ticket(actor=seat, now=late, kind="enquiry", title="问补贴", div=COMMUNITY)
        end = datetime(2026, 6, 16, 16, 0, tzinfo=UTC)
        assert (row.due_on, row.due_at) == (date(2026, 6, 16), end)
        overdue = [queue(seat, now=at, tab="overdue").count() for at in (end - timedelta(microseconds=1), end)]
    assert overdue == [0, 1]


def test_days_overdue_and_days_before_are_working_days() -> None:
    assert [working_days_overdue(CALENDAR, FRIDAY, FRIDAY + timedelta(days=days)) for days in range(6)] == [
        0,
        1,
        1,
        1,
        2,
        3,
    ]
    assert working_days_before(CALENDAR, date(2026, 2, 17), 1) == SATURDAY
    assert working_days_before(CALENDAR, FRIDAY, 0) == FRIDAY
    assert [escalation_of(days, [1, 3, 5]) for days in (0, 1, 2, 3, 5, 9)] == [0, 1, 1, 2, 3, 3]


# Reminders


@pytest.mark.req("X-CALL-03", "X-CALL-04")
def test_a_reminder_reaches_the_body_and_leaves_the_deadline(wide: Any) -> None:
    body, seat = make_organisation(), actor("seat")
    manager, row = actor("provider_manager", organisation=body), make_ticket(provider=body)
    with scope(seat):
        remind_ticket(actor=seat, now=NOW, ticket_id=row.pk, text="老人又来电话问", by="caller")
    row.refresh_from_db()
    assert (row.reminder_count, row.due_at) == (1, NOW + timedelta(days=3))
    assert told(manager.user_id) == ["工单催办"]
    assert Reminder.objects.get().by == "caller"


def test_without_a_body_the_seat_is_reminded_and_without_a_seat_the_leader(wide: Any) -> None:
    first, second, leader = actor("seat"), actor("seat"), actor("line_leader", div=CITY)
    taken, fresh = make_ticket("handling", seat_id=first.user_id), make_ticket()
    with scope(second):
        for row in (taken, fresh):
            remind_ticket(actor=second, now=NOW, ticket_id=row.pk, text="请快些", by="seat")
    assert (told(first.user_id), told(leader.user_id), told(second.user_id)) == (["工单催办"], ["工单催办"], [])


def test_refusals_of_reminders(wide: Any) -> None:
    seat, done, row = actor("seat"), make_ticket("closed"), make_ticket()
    with refused(seat, NotAllowed, "ticket.finished"):
        remind_ticket(actor=seat, now=NOW, ticket_id=done.pk, text="快")
    with refused(seat, Refused, "text.missing"):
        remind_ticket(actor=seat, now=NOW, ticket_id=row.pk, text=" ")
    with refused(seat, Refused, "choice.unknown"):
        remind_ticket(actor=seat, now=NOW, ticket_id=row.pk, text="快", by="system")
    carer = actor("carer", organisation=make_organisation())
    with refused(carer, NotFound, "row.not_found"):
        remind_ticket(actor=carer, now=NOW, ticket_id=row.pk, text="快")
    elsewhere = actor("seat", div=OTHER_DISTRICT)
    with refused(elsewhere, NotFound, "row.not_found"):
        remind_ticket(actor=elsewhere, now=NOW, ticket_id=row.pk, text="快")


@pytest.mark.req("X-CALL-04")
def test_the_platform_reminds_the_day_before_and_the_day_after_once_each(wide: Any) -> None:
    row = make_ticket(due_at=datetime(2026, 6, 17, 16, 0, tzinfo=UTC))
    at = [datetime(2026, 6, day, 1, 0, tzinfo=UTC) for day in (15, 16, 17, 18, 18)]
    counts = []
    for now in at:
        urge_area(system(CITY), now)
        row.refresh_from_db()
        counts.append((row.reminder_count, row.escalation))
    assert counts == [(0, 0), (1, 0), (1, 0), (2, 1), (2, 1)]
    assert list(Reminder.objects.order_by("pk").values_list("by", flat=True)) == ["system", "system"]


# Escalation


@pytest.mark.req("X-CALL-03")
def test_what_stays_overdue_goes_up_to_leader_district_and_city(wide: Any) -> None:
    leader, district, city, other = (
        actor("line_leader", div=CITY),
        actor("district", div=DISTRICT),
        actor("city", div=CITY),
        actor("district", div=OTHER_DISTRICT),
    )
    row = make_ticket(due_at=datetime(2026, 6, 14, 16, 0, tzinfo=UTC))
    steps = []
    for day in (15, 16, 17, 18, 19):
        urge_area(system(CITY), datetime(2026, 6, day, 8, 0, tzinfo=UTC))
        row.refresh_from_db()
        steps.append(row.escalation)
    assert steps == [1, 1, 2, 2, 3]
    assert [told(one.user_id).count("工单升级") for one in (leader, district, city, other)] == [1, 1, 1, 0]
    assert Journal.objects.filter(event="hotline.ticket.escalate").count() == 3


def test_after_a_stop_every_step_on_the_way_is_told(wide: Any) -> None:
    leader, city = actor("line_leader", div=CITY), actor("city", div=CITY)
    row = make_ticket(due_at=datetime(2026, 6, 1, 16, 0, tzinfo=UTC))
    urge_area(system(CITY), NOW)
    row.refresh_from_db()
    assert (row.escalation, told(leader.user_id).count("工单升级"), told(city.user_id)) == (3, 1, ["工单升级"])


def test_refusals_of_escalation(wide: Any) -> None:
    seat, row, top, done = actor("seat"), make_ticket(escalation=2), make_ticket(escalation=3), make_ticket("closed")
    with refused(seat, NotAllowed, "ticket.escalated"):
        escalate_ticket(actor=seat, now=NOW, ticket_id=row.pk, reason="久", step=2)
    with refused(seat, NotAllowed, "ticket.at_top"):
        escalate_ticket(actor=seat, now=NOW, ticket_id=top.pk, reason="久")
    with refused(seat, NotAllowed, "ticket.finished"):
        escalate_ticket(actor=seat, now=NOW, ticket_id=done.pk, reason="久")
    with refused(seat, Refused, "text.missing"):
        escalate_ticket(actor=seat, now=NOW, ticket_id=row.pk, reason="")
    with refused(seat, Stale, "row.stale"):
        escalate_ticket(actor=seat, now=NOW, ticket_id=row.pk, reason="久", seen=8)


# Orders from above


@pytest.mark.req("X-CALL-03")
def test_an_order_has_a_number_reaches_the_body_and_is_answered(wide: Any) -> None:
    body, district, city = make_organisation(), actor("district", div=DISTRICT), actor("city", div=CITY)
    manager, first, second = actor("provider_manager", organisation=body), make_ticket(provider=body), make_ticket()
    with scope(district):
        order = supervise_ticket(
            actor=district, now=NOW, ticket_id=first.pk, reason="三日内查清", due_on=date(2026, 6, 17)
        )
    with scope(city):
        other = supervise_ticket(actor=city, now=NOW, ticket_id=second.pk, reason="查清", due_on=TODAY)
    assert [order.number, other.number] == ["320213督〔2026〕1号", "320213督〔2026〕2号"]
    assert told(manager.user_id) == ["工单督办"]
    with scope(manager):
        answer_supervision(actor=manager, now=NOW, supervision_id=order.pk, answer="已道歉并退费", seen=0)
    order.refresh_from_db()
    assert (order.answer, order.answered_by_id, told(district.user_id)) == (
        "已道歉并退费",
        manager.user_id,
        ["督办已答复"],
    )
    late = NOW + timedelta(days=1)
    assert [row.pk for row in supervisions(city, tab="overdue", now=late)] == [other.pk]
    assert [supervisions(city, tab=tab, now=late).count() for tab in ("open", "answered", "late", "all")] == [
        1,
        1,
        0,
        2,
    ]


def test_an_order_follows_the_ticket_to_the_next_body(wide: Any) -> None:
    first, second, district, seat = (
        make_organisation(),
        make_organisation(),
        actor("district", div=DISTRICT),
        actor("seat"),
    )
    row, manager = make_ticket(provider=first), actor("provider_manager", organisation=second)
    with scope(district):
        order = supervise_ticket(actor=district, now=NOW, ticket_id=row.pk, reason="查清", due_on=TODAY)
    with scope(seat):
        transfer_ticket(actor=seat, now=NOW, ticket_id=row.pk, organisation_id=second.pk, reason="不归他们管")
    with scope(manager):
        assert (
            answer_supervision(actor=manager, now=NOW, supervision_id=order.pk, answer="已办").provider_id == second.pk
        )


def test_refusals_of_orders(wide: Any) -> None:
    district, row, done = actor("district", div=DISTRICT), make_ticket(), make_ticket("closed")
    values: dict[str, Any] = {"now": NOW, "reason": "查清", "due_on": TODAY}
    with refused(district, Refused, "supervision.day"):
        supervise_ticket(actor=district, ticket_id=row.pk, **{**values, "due_on": TODAY - timedelta(days=1)})
    with refused(district, NotAllowed, "ticket.finished"):
        supervise_ticket(actor=district, ticket_id=done.pk, **values)
    with refused(district, Refused, "text.missing"):
        supervise_ticket(actor=district, ticket_id=row.pk, **{**values, "reason": " "})
    for role in ("seat", "line_leader", "street"):
        below = actor(role, div=DISTRICT)
        with refused(below, Denied, "right.missing"):
            supervise_ticket(actor=below, ticket_id=row.pk, **values)
    elsewhere = actor("district", div=OTHER_DISTRICT)
    with refused(elsewhere, NotFound, "row.not_found"):
        supervise_ticket(actor=elsewhere, ticket_id=row.pk, **values)
    with scope(district):
        order = supervise_ticket(actor=district, ticket_id=row.pk, **values)
    with refused(district, Refused, "supervision.open"):
        supervise_ticket(actor=district, ticket_id=row.pk, **values)
    with refused(district, Refused, "text.missing"):
        answer_supervision(actor=district, now=NOW, supervision_id=order.pk, answer=" ")
    stranger = actor("provider_manager", organisation=make_organisation())
    with refused(stranger, NotFound, "row.not_found"):
        answer_supervision(actor=stranger, now=NOW, supervision_id=order.pk, answer="已办")
    with scope(district):
        answer_supervision(actor=district, now=NOW, supervision_id=order.pk, answer="已办")
    with refused(district, NotAllowed, "supervision.answered"):
        answer_supervision(actor=district, now=NOW, supervision_id=order.pk, answer="再答")


# How it went


@pytest.mark.req("X-CALL-03", "X-CALL-04")
def test_the_day_after_closing_somebody_asks_how_it_went(wide: Any) -> None:
    """Closed on Friday: asked on Monday, and not before."""
    seat, elder, friday = actor("seat"), make_elder(phone="19900009001"), datetime(2026, 6, 12, 2, 0, tzinfo=UTC)
    row = make_ticket("handling", elder=elder, opened_at=friday)
    with scope(seat):
        close_ticket(actor=seat, now=friday, ticket_id=row.pk, result="已修好")
    task = Callback.objects.get()
    assert (task.kind, task.ticket_id, task.elder_id) == ("satisfaction", row.pk, elder.pk)
    assert (task.next_at, task.due_at) == (
        datetime(2026, 6, 14, 16, 0, tzinfo=UTC),
        datetime(2026, 6, 15, 16, 0, tzinfo=UTC),
    )
    with scope(seat):
        finish_callback(actor=seat, now=NOW, callback_id=task.pk, note="还是松的", score=1)
        reopen_ticket(actor=seat, now=NOW, ticket_id=row.pk, reason="回访不满意：还是松的")
    row.refresh_from_db()
    assert (row.state, row.reopen_count, row.closed_at) == ("handling", 1, None)


def test_nobody_is_asked_about_a_part_or_by_nobody_or_while_it_goes_on_again(wide: Any) -> None:
    seat, elder = actor("seat"), make_elder()
    parent = make_ticket("handling", elder=elder)
    rows = [
        make_ticket("handling", elder=make_elder(died_on=TODAY)),
        make_ticket("handling", elder=elder, parent=parent),
        make_ticket("handling"),
        make_ticket("handling", elder=elder, kind="emergency"),
    ]
    with scope(seat):
        for row in (*rows, parent):
            close_ticket(actor=seat, now=NOW, ticket_id=row.pk, result="已办")
        task = Callback.objects.get()
        assert task.ticket_id == parent.pk
        reopen_ticket(actor=seat, now=NOW, ticket_id=parent.pk, reason="没修好")
    task.refresh_from_db()
    assert (task.state, task.note) == ("failed", "工单已重新办理")


def test_who_left_a_number_with_a_complaint_is_rung_under_it(wide: Any) -> None:
    make_area_tree()
    seat = actor("seat")
    with scope(system(CITY)):
        row = lodge_ticket(
            actor=system(CITY),
            now=NOW,
            kind="complaint",
            div=DISTRICT,
            title="态度差",
            text="没礼貌",
            phone="19900009001",
        )
    with scope(seat):
        take_ticket(actor=seat, now=NOW, ticket_id=row.pk)
        close_ticket(actor=seat, now=NOW, ticket_id=row.pk, result="已道歉")
        call = dial_call(actor=seat, now=NOW, callback_id=Callback.objects.get().pk)
    assert call.unseal_field("number") == "19900009001"


def test_the_loops_go_through_every_city(wide: Any) -> None:
    make_area_tree()
    system(CITY)
    make_ticket(due_at=NOW - timedelta(days=30))
    assert urge_tickets(0) == 2
    assert send_exchanges(0) == 0
