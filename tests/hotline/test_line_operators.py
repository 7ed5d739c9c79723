"""A company runs the line for the city: contract, its own scope, report and settlement; and how calls are judged."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from tests.factories import (
    CITY,
    NOW,
    actor,
    make_callback,
    make_elder,
    make_organisation,
    make_roster,
    make_shift,
    make_ticket,
    system,
)
from tests.hotline.played import company_line, contract, recorded, talk
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.cli.invariants import QUERIES
from yinling.directory.roles import ROLES
from yinling.ground.models import StoredFile
from yinling.ground.scope import scope
from yinling.hotline.models import (
    Call,
    Callback,
    CallOffer,
    LineContract,
    OperatorStatement,
    QualitySample,
    Recording,
    Roster,
    Seat,
    SeatLeave,
    SeatSpan,
    Shift,
    ShiftSwap,
    Ticket,
)
from yinling.hotline.operations import (
    approve_operator_statement,
    confirm_operator_statement,
    draft_operator_statement,
    draw_samples,
    end_line_contract,
    object_operator_statement,
    object_sample,
    publish_roster,
    score_sample,
    send_operator_statement,
    settle_sample,
    sign_line_contract,
)
from yinling.hotline.queries import (
    line_measures,
    of_days,
    operator_statements,
    rosters,
    seat_leaves,
    shifts_of,
    swaps,
    work_of_seats,
)
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.people.models import Elder

pytestmark = pytest.mark.django_db
JULY = datetime(2026, 7, 3, 2, 0, tzinfo=UTC)
JUNE = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA = tmp_path


def contents() -> list[dict[str, Any]]:
    models = (LineContract, OperatorStatement, QualitySample)
    return [row for model in models for row in model.objects.order_by("pk").values()]


def broken() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["line.statements"][1])
        return list(cursor.fetchall())


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def sign(who: Actor, **values: Any) -> LineContract:
    chosen = {
        "number": "热线〔2026〕1号",
        "valid_from": date(2026, 1, 1),
        "last_on": date(2026, 12, 31),
        "monthly_fen": 100,
        **values,
    }
    with scope(who):
        return sign_line_contract(actor=who, now=NOW, **chosen)


def draft(who: Actor, row: LineContract, month: date = JUNE, now: datetime = JULY) -> OperatorStatement:
    with scope(who):
        return draft_operator_statement(actor=who, now=now, line_contract_id=row.pk, month=month)


# The contract


@pytest.mark.req("R-CALL-12")
def test_a_city_signs_a_contract_and_ends_it(wide: Any) -> None:
    city, company = actor("city"), make_organisation()
    row = sign(city, organisation_id=company.pk)
    assert (row.div, row.provider_id, row.valid_to) == (CITY, company.pk, date(2027, 1, 1))
    chosen: dict[str, Any] = {
        "number": "2号",
        "valid_from": date(2026, 12, 31),
        "last_on": date(2027, 5, 1),
        "monthly_fen": 1,
    }
    with refused(city, Refused, "line_contract.overlap"):
        sign_line_contract(actor=city, now=NOW, organisation_id=company.pk, **chosen)
    with refused(city, Refused, "line_contract.company"):
        sign_line_contract(actor=city, now=NOW, organisation_id=999_999, **chosen)
    with refused(city, Refused, "line_contract.span"):
        sign_line_contract(actor=city, now=NOW, organisation_id=company.pk, **chosen | {"last_on": date(2026, 12, 30)})
    with refused(city, Refused, "line_contract.price"):
        sign_line_contract(actor=city, now=NOW, organisation_id=company.pk, **chosen | {"monthly_fen": 0})
    with refused(city, Refused, "line_contract.number"):
        other = make_organisation()
        sign_line_contract(actor=city, now=NOW, organisation_id=other.pk, **chosen | {"number": row.number})
    with refused(city, Refused, "line_contract.end"):
        end_line_contract(actor=city, now=NOW, line_contract_id=row.pk, last_on=date(2026, 12, 31), reason="提前终止")
    with scope(city):
        end_line_contract(actor=city, now=NOW, line_contract_id=row.pk, last_on=date(2026, 6, 30), reason="提前终止")
    row.refresh_from_db()
    assert row.valid_to == date(2026, 7, 1)
    for role in ("line_leader", "seat", "line_operator"):
        who = actor(role)
        with refused(who, Denied, "right.missing"):
            sign_line_contract(actor=who, now=NOW, organisation_id=company.pk, **chosen)


# Own scope


@pytest.mark.req("R-CALL-12")
def test_a_company_reads_the_rosters_of_its_own_groups_and_writes_none(wide: Any) -> None:
    mine, others = company_line("甲公司"), company_line("乙公司")
    for _company, _person, seat, _manager in (mine, others):
        plan = make_roster(seat.group)
        shift = make_shift(plan, seat, 0, 8)
        times = {"from_at": plan.from_at, "to_at": plan.to_at, "created_at": NOW, "changed_at": NOW}
        SeatLeave.objects.create(div=CITY, seat=seat, kind="annual", reason="休假", **times)
        ShiftSwap.objects.create(div=CITY, shift=shift, to_seat=seat, reason="换班", created_at=NOW, changed_at=NOW)
    _company, _person, seat, manager = mine
    with scope(manager):
        found = rosters(manager).get()
        assert found.group_id == seat.group_id
        assert [row.seat_id for row in shifts_of(found)] == [seat.pk]
        assert [row.seat_id for row in seat_leaves(manager)] == [seat.pk]
        assert [row.shift.seat_id for row in swaps(manager)] == [seat.pk]
        assert {model.objects.count() for model in (Roster, Shift, SeatLeave, ShiftSwap)} == {1}
        assert Shift.objects.update(is_out=True) == 0
    with refused(manager, NotFound, "row.not_found"):
        publish_roster(actor=manager, now=NOW, roster_id=found.pk)


@pytest.mark.req("R-CALL-12")
def test_a_company_sees_its_own_line_and_nothing_of_another(wide: Any) -> None:
    elder = make_elder(phone="19900009001")
    mine, others = company_line("甲公司"), company_line("乙公司")
    for company, person, seat, _manager in (mine, others):
        call = talk(person, provider=company, elder=elder, number="19900009001")
        make_callback(call=call)
        CallOffer.objects.create(
            call=call, div=CITY, seat_id=person.user_id, offered_at=NOW, expires_at=NOW, ended_at=NOW, outcome="answered"
        )  # fmt: skip
        SeatSpan.objects.create(div=CITY, seat=seat, state="ready", from_at=NOW)
        recorded(call)
        QualitySample.objects.create(
            call=call, div=CITY, seat_id=person.user_id, provider=company, drawn_at=NOW, created_at=NOW, changed_at=NOW
        )
        make_ticket(elder=elder, call=call)
        contract(company)
    city = actor("city")
    for row in LineContract.objects.all():
        draft(city, row, now=JULY)
    company, person, seat, manager = mine
    with scope(manager):
        providers = {
            model.__name__: set(model.objects.values_list("provider_id", flat=True))
            for model in (Call, Recording, QualitySample, LineContract, OperatorStatement, Seat, StoredFile)
        }
        assert providers == {name: {company.pk} for name in providers}
        assert [row.seat_id for row in SeatSpan.objects.all()] == [seat.pk]
        assert [row.seat_id for row in CallOffer.objects.all()] == [person.user_id]
        assert [row.call.provider_id for row in Callback.objects.select_related("call")] == [company.pk]
        assert (Elder.objects.count(), Ticket.objects.count()) == (0, 0)
        assert SeatSpan.objects.update(reason="x") == 0
        found, measures = line_measures(manager, of_days(JUNE, date(2026, 6, 30), JULY))
        work = work_of_seats(manager, of_days(JUNE, date(2026, 6, 30), JULY))
        assert list(operator_statements(manager)) == []  # a draft is the city's own matter
    assert (found.total.arrived, [one.seat.pk for one in work]) == (1, [seat.pk])
    assert [one.code for one in measures] == ["answered", "in_time", "abandoned", "callback", "quality"]


@pytest.mark.req("R-CALL-12")
def test_staff_of_a_company_have_no_right_to_files_of_elders() -> None:
    rights = ROLES["line_operator"].rights
    assert {
        right for right in rights if right.split(".")[0] in ("people", "assessment", "entitlements", "orders", "visits")
    } == set()
    assert {right for right in rights if right.startswith("hotline.")} == {
        "hotline.figure.view", "hotline.line_contract.view", "hotline.operator_statement.confirm", "hotline.operator_statement.object",
        "hotline.operator_statement.view", "hotline.roster.view", "hotline.sample.view",
    }  # fmt: skip


# Settlement


@pytest.mark.req("R-CALL-12")
def test_a_month_goes_from_figures_to_approval_by_two_persons(wide: Any) -> None:
    company, person, _seat, manager = company_line()
    row = contract(company)
    for number in range(9):
        talk(person, provider=company, wait_s=5 if number < 7 else 20)
    talk(None, state="abandoned", provider=company)
    talk(actor("seat"))  # another line's call
    city, other = actor("city"), actor("city")
    statement = draft(city, row)
    assert (statement.base_fen, statement.calls_fen) == (1_000_000, 1_800)
    assert [(one["code"], one["points"]) for one in statement.reasons] == [
        ("answered", 5),
        ("in_time", 2),
        ("abandoned", 5),
    ]
    assert (statement.deduction_fen, statement.total_fen) == (50_090, 951_710)
    assert sum(one["fen"] for one in statement.reasons) == 50_090
    now: dict[str, Any] = {"now": JULY, "operator_statement_id": statement.pk}
    with scope(city):
        send_operator_statement(actor=city, **now)
    assert [notice.user_id for notice in Notice.objects.filter(title="热线运营结算单待确认")] == [manager.user_id]
    with refused(other, Denied, "right.missing"):
        confirm_operator_statement(actor=other, **now)
    with refused(city, NotAllowed, "operator_statement.sent"):
        draft_operator_statement(actor=city, now=JULY, line_contract_id=row.pk, month=JUNE)
    with scope(manager):
        object_operator_statement(actor=manager, reason="6 月 3 日线路中断不应计入", **now)
    with scope(other):
        send_operator_statement(actor=other, **now)
    with scope(manager):
        assert [one.pk for one in operator_statements(manager)] == [statement.pk]
        confirm_operator_statement(actor=manager, **now)
    for who in (city, other):
        with refused(who, Denied, "operator_statement.same_person"):
            approve_operator_statement(actor=who, **now)
    third = actor("city")
    with scope(third):
        approve_operator_statement(actor=third, **now)
    statement.refresh_from_db()
    assert (statement.state, statement.approved_by_id, statement.total_fen) == ("approved", third.user_id, 951_710)
    assert broken() == []
    OperatorStatement.objects.filter(pk=statement.pk).update(approved_by_id=city.user_id)
    assert broken() == [(statement.pk,)]
    events = Journal.objects.filter(subject_type="operatorstatement", is_refused=False).order_by("pk")
    assert [one.event.rsplit(".")[-1] for one in events] == ["draft", "send", "object", "send", "confirm", "approve"]


def test_a_draft_is_counted_again_and_a_month_has_its_time(wide: Any) -> None:
    company, person, _seat, _manager = company_line()
    row = contract(company, valid_from=date(2026, 6, 16))
    city = actor("city")
    first = draft(city, row, date(2026, 6, 20))
    talk(person, provider=company, at=NOW + timedelta(days=2))
    talk(person, provider=company, at=NOW - timedelta(days=1))  # before the contract began
    again = draft(city, row)
    assert (first.pk, first.base_fen, again.calls_fen, again.month) == (again.pk, 500_000, 200, JUNE)
    with refused(city, Refused, "operator_statement.month"):
        draft_operator_statement(actor=city, now=NOW, line_contract_id=row.pk, month=JUNE)
    with refused(city, Refused, "operator_statement.outside"):
        draft_operator_statement(actor=city, now=JULY, line_contract_id=row.pk, month=date(2026, 5, 1))


def test_another_company_neither_confirms_nor_sees(wide: Any) -> None:
    company, _person, _seat, manager = company_line()
    stranger = company_line()[3]
    city = actor("city")
    statement = draft(city, contract(company))
    now: dict[str, Any] = {"now": JULY, "operator_statement_id": statement.pk}
    with scope(city):
        send_operator_statement(actor=city, **now)
    with refused(stranger, NotFound, "row.not_found"):
        confirm_operator_statement(actor=stranger, **now)
    with refused(manager, Refused, "text.empty"):
        object_operator_statement(actor=manager, reason=" ", **now)
    robot = system()
    with refused(robot, Denied, "operator_statement.other"):
        confirm_operator_statement(actor=robot, **now)
    with scope(manager):
        confirm_operator_statement(actor=manager, **now)
    with refused(robot, Denied, "operator_statement.same_person"):
        approve_operator_statement(actor=robot, **now)


# Quality

GOOD = {"greeting": 10, "identity": 15, "listening": 15, "solution": 30, "ticket": 15, "attitude": 15}


def test_calls_are_drawn_of_every_seat_and_never_twice(wide: Any) -> None:
    leader, first, second = actor("line_leader"), actor("seat"), actor("seat")
    for number in range(8):
        talk(first if number < 6 else second, at=NOW + timedelta(minutes=number), talk_s=10 * number)
    talk(None, state="abandoned")
    talk(first, at=NOW - timedelta(days=40))
    with scope(leader):
        rows = draw_samples(actor=leader, now=NOW, month=JUNE, per_seat=4)
    assert sorted(row.seat_id for row in rows) == sorted([first.user_id] * 4 + [second.user_id] * 2)
    journal = Journal.objects.filter(event="hotline.sample.draw", is_refused=False)
    assert {row.changes["seed"][1] for row in journal} == {f"{CITY}:2026-06"}
    with refused(leader, NotAllowed, "sample.none"):
        draw_samples(actor=leader, now=NOW, month=JUNE, per_seat=4)
    with scope(leader):
        assert len(draw_samples(actor=leader, now=NOW, month=JUNE, per_seat=5)) == 1
    with refused(leader, Refused, "sample.month"):
        draw_samples(actor=leader, now=NOW, month=date(2026, 7, 1))
    with refused(first, Denied, "right.missing"):
        draw_samples(actor=first, now=NOW, month=JUNE)


def test_a_seat_objects_and_somebody_else_settles(wide: Any) -> None:
    leader, other, seat = actor("line_leader"), actor("line_leader"), actor("seat")
    talk(seat)
    with scope(leader):
        row = draw_samples(actor=leader, now=NOW, month=JUNE)[0]
    values: dict[str, Any] = {"now": NOW, "sample_id": row.pk}
    with refused(leader, Refused, "sample.points"):
        score_sample(actor=leader, points=GOOD | {"solution": 31}, **values)
    with scope(leader):
        score_sample(actor=leader, points=GOOD | {"solution": 10}, comment="未说明补贴条件", **values)
    assert Notice.objects.filter(user_id=seat.user_id, title="质检评分").count() == 1
    stranger = actor("seat")
    with refused(stranger, Denied, "sample.not_own"):
        object_sample(actor=stranger, objection="不是我", **values)
    with refused(seat, Refused, "sample.too_late"):
        object_sample(actor=seat, now=NOW + timedelta(days=8), sample_id=row.pk, objection="迟了")
    with scope(seat):
        object_sample(actor=seat, objection="老人没有问补贴", **values)
    with refused(leader, Denied, "sample.same_person"):
        settle_sample(actor=leader, points=GOOD, answer="同意", **values)
    with refused(other, Refused, "text.empty"):
        settle_sample(actor=other, points=GOOD, answer=" ", **values)
    with scope(other):
        settle_sample(actor=other, points=GOOD, answer="同意，改分", **values)
    row.refresh_from_db()
    assert (row.state, row.total, row.scored_by_id) == ("settled", 100, leader.user_id)
    with refused(leader, NotAllowed, "state.not_allowed"):
        score_sample(actor=leader, points=GOOD, **values)


def test_nobody_judges_the_own_call(wide: Any) -> None:
    leader = actor("line_leader")
    talk(leader)
    with scope(leader):
        row = draw_samples(actor=leader, now=NOW, month=JUNE)[0]
    with refused(leader, Denied, "sample.own"):
        score_sample(actor=leader, now=NOW, sample_id=row.pk, points=GOOD)
