"""What the desk reads."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    actor,
    make_call,
    make_contact,
    make_elder,
    make_entitlement,
    make_organisation,
    make_ticket,
)

from yinling.assessment.models import Assessment
from yinling.ground.scope import scope
from yinling.hotline.models import Ticket
from yinling.hotline.queries import Funding, calls_on_the_line, pop, queue, queue_counts, recent_calls, tickets_of
from yinling.people.models import Circumstance

pytestmark = pytest.mark.django_db
PHONE = "19900009001"


def circumstance(elder: Any, kind: str) -> None:
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="社区", valid_from=date(2020, 1, 1), recorded_from=NOW
    )


def test_the_pop_shows_who_calls_without_full_numbers(wide: Any) -> None:
    elder, seat = make_elder(phone=PHONE), actor("seat")
    make_contact(elder, phone="19900005555", name="王芳")
    circumstance(elder, "lives_alone")
    circumstance(elder, "dibao")
    Assessment.objects.create(
        div=elder.div, elder=elder, provider=make_organisation(), scale="gbt42195_2022", level="severe", assessed_on=date(2026, 1, 1),
        valid_from=date(2026, 1, 1), recorded_from=NOW,
    )  # fmt: skip
    entitlement = make_entitlement(elder)
    tickets = [make_ticket(elder=elder, opened_at=NOW - timedelta(days=days)) for days in range(7)]
    call = make_call(number=PHONE, elder=elder)
    with scope(seat):
        shown = pop(seat, call, now=NOW)
    assert (shown.elder, shown.age, shown.level, shown.number, shown.phone) == (
        elder, 80, "重度失能", "199****9001", "199****9001",
    )  # fmt: skip
    assert (shown.alerts, shown.circumstances) == (["独居"], ["低保"])
    assert [(line.name, line.kind, line.phone) for line in shown.contacts] == [("王芳", "子女", "199****5555")]
    assert [row.pk for row in shown.tickets] == [row.pk for row in tickets[:5]]
    assert (shown.entitlements, shown.candidates) == ([Funding(entitlement.scheme.name, 5000, 80000)], [])
    assert (shown.id_number[:2], shown.id_number[3:-4]) == ("99", "*" * 11)


def test_an_unknown_number_shows_its_earlier_tickets_and_who_shares_it(wide: Any) -> None:
    first, second = make_elder(phone=PHONE), make_elder(phone=PHONE)
    seat = actor("seat")
    earlier = make_ticket(call=make_call(number=PHONE))
    call, withheld = make_call(number=PHONE), make_call()
    with scope(seat):
        shown, hidden = pop(seat, call, now=NOW), pop(seat, withheld, now=NOW)
    assert ([row.pk for row in shown.candidates], shown.elder) == ([first.pk, second.pk], None)
    assert [row.pk for row in shown.tickets] == [earlier.pk]
    assert (hidden.number, hidden.candidates, hidden.tickets) == ("", [], [])


def test_the_line_shows_ringing_calls_and_ones_own(wide: Any) -> None:
    seat, other = actor("seat"), actor("seat")
    first = make_call(rang_at=NOW - timedelta(seconds=20))
    mine, ended = make_call(seat=seat), make_call(seat=other)
    ended.state, ended.ended_at = "ended", NOW
    ended.save()
    make_call(seat=other)
    with scope(seat):
        assert [row.pk for row in calls_on_the_line(seat)] == [first.pk, mine.pk]
        assert [row.pk for row in recent_calls(seat)] == [ended.pk]


def rows(who: Any, **values: Any) -> list[int]:
    with scope(who):
        return list(queue(who, now=NOW, **values).values_list("pk", flat=True))


def test_the_queue_sorts_urgent_ones_first_and_counts_its_tabs(wide: Any) -> None:
    seat = actor("seat")
    calm = make_ticket(due_at=NOW + timedelta(days=1))
    over = make_ticket(due_at=NOW - timedelta(days=1))
    urgent = make_ticket(level="urgent", due_at=NOW + timedelta(days=2))
    handling = make_ticket(state="handling", seat_id=seat.user_id, kind="complaint")
    closed = make_ticket(state="closed")
    assert rows(seat) == [urgent.pk, over.pk, calm.pk]
    assert rows(seat, tab="overdue") == [over.pk]
    assert rows(seat, tab="closed") == [closed.pk]
    assert rows(seat, tab="all", mine=True) == [handling.pk]
    assert rows(seat, tab="all", kind="complaint") == [handling.pk]
    assert rows(seat, tab="all", level="urgent") == [urgent.pk]
    with scope(seat):
        counts = queue_counts(seat, now=NOW)
    assert counts == {"open": 3, "handling": 1, "overdue": 1, "resolved": 0}


def test_a_ticket_is_named_by_its_local_day_and_due_to_the_end_of_one(wide: Any) -> None:
    ticket = make_ticket(opened_at=datetime(2026, 6, 14, 17, tzinfo=UTC), due_at=datetime(2026, 6, 18, 16, tzinfo=UTC))
    assert (ticket.code, ticket.due_on) == (f"T-260615-{ticket.pk:04d}", date(2026, 6, 18))


def test_the_queue_is_searched_by_number_of_the_ticket_and_by_elder(wide: Any) -> None:
    seat, elder = actor("seat"), make_elder(name="钱桂兰")
    ticket = make_ticket(elder=elder)
    make_ticket()
    assert rows(seat, text=ticket.code) == [ticket.pk]
    assert rows(seat, text="钱桂兰") == [ticket.pk]
    assert rows(seat, text="没有这人") == []


def test_each_sees_the_tickets_of_the_own_area_body_or_person(wide: Any) -> None:
    body, elder = make_organisation(), make_elder()
    own = make_ticket(elder=elder)
    given = make_ticket(provider=body, div=OTHER_COMMUNITY)
    make_ticket(div=OTHER_COMMUNITY)
    for who, seen in (
        (actor("seat", DISTRICT), [own.pk]),
        (actor("provider_manager", organisation=body), [given.pk]),
        (actor("elder", elders=(elder,)), [own.pk]),
        (actor("community", COMMUNITY), [own.pk]),
    ):
        with scope(who):
            assert list(Ticket.objects.visible_to(who).values_list("pk", flat=True)) == seen
            assert list(Ticket.objects.values_list("pk", flat=True)) == seen
    with scope(actor("seat")) as _:
        assert tickets_of(actor("seat"), elder.pk).count() == 1
