"""Who gets a ticket: proposals, several bodies at once, two made one, many at once; and complaints from outside."""

from contextlib import AbstractContextManager
from datetime import timedelta
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
    make_call,
    make_elder,
    make_organisation,
    make_service_area,
    make_ticket,
    system,
)
from tests.refusals import refused as no

from yinling.accounts.models import Notice
from yinling.ground.scope import scope
from yinling.hotline.models import Reporter, Ticket, TicketNote, Transfer
from yinling.hotline.operations import (
    annotate_ticket,
    assign_tickets,
    close_ticket,
    lodge_ticket,
    merge_ticket,
    reopen_ticket,
    resolve_ticket,
    split_ticket,
    take_ticket,
    transfer_tickets,
    triage_ticket,
)
from yinling.hotline.queries import triage_of
from yinling.hotline.rules import MOST_AT_ONCE
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.django_db
PHONE = "19900009001"


def contents() -> dict[str, list[dict[str, Any]]]:
    models = (Ticket, Transfer, Reporter, Notice)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


# Proposals


@pytest.mark.req("R-CALL-05")
def test_the_nearest_body_of_each_kind_is_proposed_and_what_is_not_there_is_said(wide: Any) -> None:
    make_area_tree()
    make_organisation(kind="department", div=CITY, name="市民政局")
    near = make_organisation(kind="department", div=DISTRICT, name="梁溪区民政局")
    make_organisation(kind="department", div=OTHER_DISTRICT, name="江阴市医保局")
    make_organisation(kind="department", div=DISTRICT, name="梁溪区民政局旧", valid_to=TODAY)
    row = make_ticket(kind="complaint", title="有人骗保")
    found = triage_of(row, TODAY)
    assert [(one.organisation.pk, one.word) for one in found.bodies] == [(near.pk, "骗保")]
    assert ([one.body.named for one in found.missing], found.level) == (["医保"], "high")


def test_the_body_that_answers_for_the_service_is_proposed(wide: Any) -> None:
    make_area_tree()
    body = make_organisation()
    make_service_area(body, family="meal", div=COMMUNITY)
    assert [one.organisation.pk for one in triage_of(make_ticket(family="meal"), TODAY).bodies] == [body.pk]
    assert triage_of(make_ticket(), TODAY).bodies == ()


@pytest.mark.req("R-CALL-04", "R-CALL-05")
def test_one_body_is_a_transfer_and_several_are_a_split_at_once_under_the_running_clock(wide: Any) -> None:
    seat, bodies = actor("seat"), [make_organisation() for _ in range(3)]
    one, many = make_ticket(), make_ticket(text="漏水，还骗保")
    with scope(seat):
        triage_ticket(
            actor=seat,
            now=NOW,
            ticket_id=one.pk,
            organisation_ids=[bodies[0].pk],
            reason="承担这项服务",
            level="high",
            seen=0,
        )
        triage_ticket(
            actor=seat, now=NOW, ticket_id=many.pk, organisation_ids=[body.pk for body in bodies], reason="涉及三家"
        )
    one.refresh_from_db()
    many.refresh_from_db()
    children = list(Ticket.objects.filter(parent=many).order_by("pk"))
    assert (one.provider_id, one.level, one.state) == (bodies[0].pk, "high", "open")
    assert (many.state, many.provider_id, many.seat_id) == ("handling", None, seat.user_id)
    assert [(row.provider_id, row.due_at, row.text) for row in children] == [
        (body.pk, many.due_at, many.text) for body in bodies
    ]
    with refused(seat, NotAllowed, "ticket.children_open"):
        close_ticket(actor=seat, now=NOW, ticket_id=many.pk, result="已办")
    with scope(seat):
        for row in children:
            take_ticket(actor=seat, now=NOW, ticket_id=row.pk)
            resolve_ticket(actor=seat, now=NOW, ticket_id=row.pk, result="已修")
            close_ticket(actor=seat, now=NOW, ticket_id=row.pk, result="已修")
        assert close_ticket(actor=seat, now=NOW, ticket_id=many.pk, result="都已办").state == "closed"


def test_refusals_of_triage(wide: Any) -> None:
    seat, body, row, done = actor("seat"), make_organisation(), make_ticket(), make_ticket("resolved")
    gone = make_organisation(valid_to=TODAY)
    for numbers, code in (
        ([], "triage.bodies"),
        (list(range(1, 8)), "triage.bodies"),
        ([10**9], "transfer.organisation"),
        ([body.pk, gone.pk], "transfer.organisation"),
    ):
        with refused(seat, Refused, code):
            triage_ticket(actor=seat, now=NOW, ticket_id=row.pk, organisation_ids=numbers, reason="归他们")
    values: dict[str, Any] = {"now": NOW, "organisation_ids": [body.pk], "reason": "归他们"}
    with refused(seat, Refused, "choice.unknown"):
        triage_ticket(actor=seat, ticket_id=row.pk, **values, level="now")
    with refused(seat, Refused, "text.missing"):
        triage_ticket(actor=seat, ticket_id=row.pk, **{**values, "reason": ""})
    with refused(seat, NotAllowed, "ticket.finished"):
        triage_ticket(actor=seat, ticket_id=done.pk, **values)
    with refused(seat, Stale, "row.stale"):
        triage_ticket(actor=seat, ticket_id=row.pk, **values, seen=4)
    street = actor("street", div=DISTRICT)
    with refused(street, Denied, "right.missing"):
        triage_ticket(actor=street, ticket_id=row.pk, **values)


# Two made one


def test_two_tickets_of_one_elder_become_one_and_two_again(wide: Any) -> None:
    seat, elder = actor("seat"), make_elder()
    first, second = make_ticket(elder=elder), make_ticket(elder=elder, level="high", due_at=NOW + timedelta(days=1))
    with scope(seat):
        merge_ticket(actor=seat, now=NOW, ticket_id=second.pk, into_id=first.pk, reason="同一件事", seen=0)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.state, second.merged_into_id, second.result) == ("closed", first.pk, f"并入 {first.code}")
    assert (first.level, first.due_at, first.version) == ("high", NOW + timedelta(days=1), 1)
    with scope(seat):
        reopen_ticket(actor=seat, now=NOW, ticket_id=second.pk, reason="撤销并案")
    second.refresh_from_db()
    assert (second.state, second.merged_into_id) == ("handling", None)


def test_two_tickets_from_one_number_become_one(wide: Any) -> None:
    seat = actor("seat")
    rows = [make_ticket(call=make_call(number=PHONE)) for _ in range(2)]
    with scope(seat):
        assert (
            merge_ticket(actor=seat, now=NOW, ticket_id=rows[0].pk, into_id=rows[1].pk, reason="同一人").state
            == "closed"
        )


def test_refusals_of_merging(wide: Any) -> None:
    seat, elder = actor("seat"), make_elder()
    row, other, done = make_ticket(elder=elder), make_ticket(elder=make_elder()), make_ticket("closed", elder=elder)
    parent = make_ticket("handling", elder=elder)
    child = make_ticket(elder=elder, parent=parent)
    cases = [
        (row, row, Refused, "merge.same"), (row, other, Refused, "merge.other"), (row, done, Refused, "merge.closed"),
        (child, row, NotAllowed, "merge.child"), (parent, child, NotAllowed, "merge.child"), (parent, row, NotAllowed, "ticket.children_open"),
        (done, row, NotAllowed, "state.not_allowed"),
    ]  # fmt: skip
    for one, into, kind, code in cases:
        with refused(seat, kind, code):
            merge_ticket(actor=seat, now=NOW, ticket_id=one.pk, into_id=into.pk, reason="同一件事")
    withheld = [make_ticket(call=make_call()) for _ in range(2)]
    with refused(seat, Refused, "merge.other"):
        merge_ticket(actor=seat, now=NOW, ticket_id=withheld[0].pk, into_id=withheld[1].pk, reason="都隐藏号码")
    with refused(seat, Refused, "text.missing"):
        merge_ticket(actor=seat, now=NOW, ticket_id=row.pk, into_id=parent.pk, reason=" ")
    with refused(seat, NotFound, "row.not_found"):
        merge_ticket(actor=seat, now=NOW, ticket_id=row.pk, into_id=10**9, reason="x")


# Many at once


def test_many_are_assigned_or_transferred_by_whoever_says_how_many(wide: Any) -> None:
    leader, seat, body = actor("line_leader", div=CITY), actor("seat"), make_organisation()
    rows = [make_ticket() for _ in range(3)]
    numbers = [row.pk for row in rows]
    with scope(leader):
        assign_tickets(actor=leader, now=NOW, ticket_ids=numbers, user_id=seat.user_id or 0, count=3)
        transfer_tickets(
            actor=leader,
            now=NOW,
            ticket_ids=[*numbers[:2], numbers[0]],
            organisation_id=body.pk,
            reason="归他们",
            count=2,
        )
    found = list(Ticket.objects.order_by("pk").values_list("provider_id", "seat_id"))
    assert found == [(body.pk, None), (body.pk, None), (None, seat.user_id)]
    assert Transfer.objects.count() == 2


def test_refusals_of_many_at_once_change_none(wide: Any) -> None:
    leader, body, rows = actor("line_leader", div=CITY), make_organisation(), [make_ticket(), make_ticket()]
    done, far = make_ticket("closed"), actor("seat", div=OTHER_DISTRICT)
    numbers = [row.pk for row in rows]
    values: dict[str, Any] = {"now": NOW, "organisation_id": body.pk, "reason": "归他们"}
    for chosen, count, kind, code in (
        ([], 1, Refused, "bulk.none"), (numbers, 1, Refused, "bulk.count"), (list(range(1, MOST_AT_ONCE + 2)), 101, Refused, "bulk.many"),
        ([*numbers, 10**9], 3, NotFound, "row.not_found"), ([*numbers, done.pk], 3, NotAllowed, "state.not_allowed"),
    ):  # fmt: skip
        with refused(leader, kind, code):
            transfer_tickets(actor=leader, ticket_ids=chosen, count=count, **values)
    for user_id in (far.user_id or 0, leader.user_id and 10**9):
        with refused(leader, Refused, "assign.seat"):
            assign_tickets(actor=leader, now=NOW, ticket_ids=numbers, user_id=user_id or 0, count=2)
    seat = actor("seat")
    with refused(leader, NotAllowed, "ticket.finished"):
        assign_tickets(actor=leader, now=NOW, ticket_ids=[done.pk], user_id=seat.user_id or 0, count=1)
    street = actor("street", div=DISTRICT)
    with refused(street, Denied, "right.missing"):
        assign_tickets(actor=street, now=NOW, ticket_ids=numbers, user_id=seat.user_id or 0, count=2)


# From outside


@pytest.mark.req("R-CALL-15")
def test_a_report_may_be_anonymous_and_a_name_is_for_the_line_alone(wide: Any) -> None:
    make_area_tree()
    body, seat = make_organisation(), actor("seat")
    with scope(system(CITY)):
        common: dict[str, Any] = {"actor": system(CITY), "now": NOW, "div": DISTRICT, "text": "没来却签了字"}
        report = lodge_ticket(**common, kind="report", title="虚报服务")
        complaint = lodge_ticket(**common, kind="complaint", title="态度差", name="冯某", phone="199 0000-9001")
    assert [(row.kind, row.div, row.channel, row.elder_id) for row in (report, complaint)] == [
        ("report", DISTRICT, "app", None), ("complaint", DISTRICT, "app", None),
    ]  # fmt: skip
    row = Reporter.objects.get()
    assert (row.ticket_id, row.unseal_field("name"), row.unseal_field("phone"), row.phone_last4) == (
        complaint.pk,
        "冯某",
        PHONE,
        "9001",
    )
    with scope(seat):
        split_ticket(actor=seat, now=NOW, ticket_id=complaint.pk, organisation_id=body.pk, title="请核实")
        transfer_tickets(
            actor=seat, now=NOW, ticket_ids=[complaint.pk], organisation_id=body.pk, reason="请核实", count=1
        )
    manager = actor("provider_manager", organisation=body)
    with scope(manager):
        assert list(Ticket.objects.values_list("title", flat=True).order_by("title")) == ["态度差", "请核实"]
        assert Reporter.objects.count() == 0


def test_the_answer_reaches_who_left_a_number(wide: Any) -> None:
    make_area_tree()
    with scope(system(CITY)):
        row = lodge_ticket(
            actor=system(CITY), now=NOW, kind="suggestion", div=DISTRICT, title="开食堂", text="附近没有", phone=PHONE
        )
    seat = actor("seat")
    with scope(seat):
        annotate_ticket(actor=seat, now=NOW, ticket_id=row.pk, text="下月开业", is_internal=False)
    assert TicketNote.objects.get().is_internal is False
    assert Notice.objects.get(channel="sms").unseal_field("address") == PHONE


def test_refusals_of_what_comes_from_outside(wide: Any) -> None:
    make_area_tree()
    who = system(CITY)
    values: dict[str, Any] = {"now": NOW, "div": DISTRICT, "kind": "report", "title": "虚报", "text": "没来"}
    for change, kind, code in (
        ({"kind": "complaint"}, Refused, "lodge.phone"), ({"kind": "emergency"}, Refused, "choice.unknown"),
        ({"title": " "}, Refused, "text.missing"),
        ({"text": ""}, Refused, "text.missing"), ({"family": "x"}, Refused, "choice.unknown"), ({"phone": "abc"}, Refused, "call.number"),
        ({"div": "11"}, Denied, "right.outside"),
    ):  # fmt: skip
        with refused(who, kind, code):
            lodge_ticket(actor=who, **{**values, **change})
    elder = actor("street", div=DISTRICT)
    with refused(elder, Denied, "right.missing"):
        lodge_ticket(actor=elder, **values)
