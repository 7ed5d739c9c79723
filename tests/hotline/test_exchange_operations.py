"""Tickets shared with another line: taken in once, never back, sent once, tried again."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.factories import CITY, DISTRICT, NOW, OTHER_DISTRICT, actor, make_area_tree, make_elder, make_ticket, system
from tests.hotline.fake_line import FakeLine
from tests.refusals import refused as no

from yinling.ground.clock import real_now
from yinling.ground.scope import scope
from yinling.hotline.exchange import sign
from yinling.hotline.exchange_rows import Incoming
from yinling.hotline.loops import exchange_area
from yinling.hotline.models import Exchange, ExchangeMessage, Reminder, Reporter, Ticket
from yinling.hotline.operations import (
    export_ticket,
    import_ticket,
    load_tickets,
    note_exchange,
    resolve_ticket,
    retry_exchange,
    take_ticket,
)
from yinling.hotline.ports import ExchangeRefused
from yinling.hotline.queries import exchanges, outgoing
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.django_db
SECRET = "shared"
PHONE = "19900009001"
LINE = "tests.hotline.fake_line.FakeLine"


@pytest.fixture(autouse=True)
def _connected(settings: Any) -> None:
    settings.EXCHANGE = settings.EXCHANGE | {"secret": SECRET}
    settings.PORTS = settings.PORTS | {"ticket_exchange": LINE}
    FakeLine.sent, FakeLine.faults = [], []


def contents() -> dict[str, list[dict[str, Any]]]:
    models = (Ticket, Exchange, ExchangeMessage, Reminder, Reporter)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def say(
    who: Actor,
    key: str,
    state: str,
    at: datetime = NOW,
    *,
    secret: str = SECRET,
    signed_at: datetime | None = None,
    **values: Any,
) -> Exchange:
    """Send a message as the other line does."""
    chosen = {"platform": "12345", "foreign_number": "G1", "title": "问补贴", **values}
    message = Incoming(key=key, state=state, happened_at=at, **chosen)
    stamp = signed_at or real_now()
    signature = sign(secret, message.values | {"signed_at": stamp})
    return import_ticket(actor=who, now=NOW, **message.values, signed_at=stamp, signature=signature)


@pytest.fixture
def line(wide: Any) -> Actor:
    make_area_tree()
    return actor("other_line", div=CITY)


# In


@pytest.mark.req("R-CALL-07")
def test_a_matter_of_the_other_line_becomes_a_ticket_of_the_elder_whose_number_it_is(line: Actor) -> None:
    elder = make_elder(phone=PHONE)
    with scope(line):
        row = say(line, "m1", "已派发", kind="投诉", phone=PHONE, name="冯某", text="迟到两小时")
    ticket = row.ticket
    assert (ticket.elder_id, ticket.div, ticket.kind, ticket.title) == (elder.pk, elder.div, "complaint", "问补贴")
    assert (row.direction, row.foreign_state, row.heard_at, row.sent_state) == ("in", "已派发", NOW, "已派发")
    assert Reporter.objects.count() == 0


def test_an_unknown_caller_is_sealed_and_a_division_is_believed_within_the_area(line: Actor) -> None:
    with scope(line):
        known = say(line, "m1", "已派发", phone=PHONE, name="冯某", div=DISTRICT)
        foreign = say(line, "m2", "已派发", foreign_number="G2", div="110101")
    assert (known.ticket.div, foreign.ticket.div, known.ticket.kind) == (DISTRICT, CITY, "request")
    assert Reporter.objects.get().unseal_field("phone") == PHONE


@pytest.mark.req("R-CALL-07")
def test_the_same_message_again_changes_nothing(line: Actor) -> None:
    with scope(line):
        first = say(line, "m1", "已派发")
        again = say(line, "m1", "已派发")
    assert (again.pk, Ticket.objects.count(), ExchangeMessage.objects.count()) == (first.pk, 1, 1)


@pytest.mark.req("R-CALL-07")
def test_late_and_misordered_states_do_not_go_backwards(line: Actor) -> None:
    hours = [NOW + timedelta(hours=count) for count in range(6)]
    with scope(line):
        say(line, "m1", "已派发", hours[0])
        say(line, "m5", "已办结", hours[4])
        say(line, "m2", "办理中", hours[1])
        say(line, "m6", "已答复", hours[5])
        row = Exchange.objects.select_related("ticket").get()
        assert (row.foreign_state, row.heard_at, row.ticket.state) == ("已办结", hours[4], "closed")
        say(line, "m7", "退回重办", hours[5] + timedelta(hours=1), text="来电人不认可")
    row.refresh_from_db()
    assert (row.foreign_state, row.ticket.state, row.ticket.reopen_count) == ("退回重办", "handling", 1)
    outcomes = list(ExchangeMessage.objects.order_by("pk").values_list("outcome", flat=True))
    assert outcomes == ["applied", "applied", "late", "backwards", "applied"]


def test_a_reminder_of_the_other_line_is_a_reminder_here(line: Actor) -> None:
    with scope(line):
        say(line, "m1", "已派发")
        row = say(line, "m2", "催办", NOW + timedelta(hours=1), text="请尽快")
    assert (row.ticket.reminder_count, row.foreign_state, Reminder.objects.get().text) == (1, "已派发", "请尽快")


def test_what_the_other_line_says_of_a_ticket_we_gave_it_moves_ours(line: Actor) -> None:
    ticket = make_ticket()
    Exchange.objects.create(
        div=ticket.div,
        ticket=ticket,
        platform="12345",
        direction="out",
        foreign_number="G1",
        created_at=NOW,
        changed_at=NOW,
    )
    states = []
    with scope(line):
        for count, state in enumerate(("待受理", "办理中", "已答复", "已办结")):
            row = say(line, f"m{count}", state, NOW + timedelta(hours=count), text="已协调")
            states.append(row.ticket.state)
    assert states == ["open", "handling", "resolved", "closed"]
    ticket.refresh_from_db()
    row.refresh_from_db()
    assert (ticket.result, row.sent_state) == ("已协调", "已办结")
    assert outgoing(system(CITY), NOW) == []


def test_an_end_there_waits_for_the_parts_here_and_says_so(line: Actor) -> None:
    with scope(line):
        row = say(line, "m1", "已派发")
        make_ticket(parent=row.ticket, div=CITY)
        say(line, "m2", "已办结", NOW + timedelta(hours=1))
        say(line, "m3", "没听过", NOW + timedelta(hours=2), foreign_number="G2")
    row.refresh_from_db()
    assert (row.ticket.state, row.error) == ("handling", "对方已办结，但分流的工单还没有办结")
    errors = exchanges(system(CITY), only_errors=True)
    assert {one.foreign_number for one in errors} == {"G1", "G2"}
    assert "没听过" in Exchange.objects.get(foreign_number="G2").error


@pytest.mark.req("R-CALL-07")
def test_refusals_of_what_comes_in(line: Actor, settings: Any) -> None:
    with scope(line):
        say(line, "m1", "已派发")
    with refused(line, Denied, "exchange.signature"):
        say(line, "m2", "已办结", secret="guessed")
    with refused(line, Denied, "exchange.old"):
        say(line, "m2", "已办结", signed_at=real_now() - timedelta(minutes=6))
    with refused(line, Refused, "exchange.platform"):
        say(line, "m2", "已办结", platform="other")
    with refused(line, Refused, "exchange.key"):
        say(line, "m1", "已办结")
    with refused(line, Refused, "text.missing"):
        say(line, "m3", "已派发", foreign_number="G3", title=" ")
    with refused(line, Refused, "call.number"):
        say(line, "m3", "已派发", foreign_number="G3", phone="abc")
    seat = actor("seat")
    with refused(seat, Denied, "right.missing"):
        say(seat, "m4", "已派发")
    settings.EXCHANGE = settings.EXCHANGE | {"secret": ""}
    with refused(line, Denied, "exchange.signature"):
        say(line, "m4", "已派发", secret="")


def test_a_signature_of_one_message_is_none_of_another(line: Actor) -> None:
    stamp = real_now()
    message = Incoming("12345", "m1", "G1", "已派发", NOW, title="问补贴")
    signature = sign(SECRET, message.values | {"signed_at": stamp})
    for change in (
        {"state": "已办结"},
        {"foreign_number": "G2"},
        {"key": "m2"},
        {"happened_at": NOW + timedelta(seconds=1)},
    ):
        with refused(line, Denied, "exchange.signature"):
            import_ticket(actor=line, now=NOW, **{**message.values, **change}, signed_at=stamp, signature=signature)


@pytest.mark.req("R-CALL-07")
def test_a_table_is_taken_in_whole_or_not_at_all_and_twice_is_once(wide: Any) -> None:
    make_area_tree()
    seat = actor("seat")
    rows = [
        {"foreign_number": f"G{place}", "state": "已派发", "happened_at": "2026-06-15 10:00", "title": "问补贴", "kind": "咨询"} for place in range(3)
    ]  # fmt: skip
    with scope(seat):
        assert load_tickets(actor=seat, now=NOW, platform="12345", rows=rows) == 3
        assert (
            load_tickets(
                actor=seat,
                now=NOW,
                platform="12345",
                rows=[*rows, {**rows[0], "state": "已办结", "happened_at": "2026-06-15 11:00"}],
            )
            == 1
        )
    assert sorted(Ticket.objects.values_list("state", flat=True)) == ["closed", "open", "open"]
    fresh = {**rows[0], "foreign_number": "G9"}
    with refused(seat, Refused, "exchange.row"):
        load_tickets(actor=seat, now=NOW, platform="12345", rows=[fresh, {**fresh, "title": ""}])
    for wrong in ([], [fresh] * 501):
        with refused(seat, Refused, "exchange.rows"):
            load_tickets(actor=seat, now=NOW, platform="12345", rows=wrong)
    with refused(seat, Refused, "exchange.platform"):
        load_tickets(actor=seat, now=NOW, platform="x", rows=[fresh])


# Out


@pytest.mark.req("R-CALL-07")
def test_a_ticket_goes_out_once_then_each_change_of_its_state(wide: Any) -> None:
    seat, ticket = actor("seat"), make_ticket(title="路灯不亮")
    with scope(seat):
        row = export_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, platform="12345", reason="属于城管")
    assert [exchange_area(system(CITY), NOW) for _ in range(2)] == [1, 0]
    with scope(seat):
        take_ticket(actor=seat, now=NOW, ticket_id=ticket.pk)
        resolve_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, result="已修")
    assert [exchange_area(system(CITY), NOW) for _ in range(2)] == [1, 0]
    row.refresh_from_db()
    assert (row.foreign_number, row.sent_state, row.error) == (f"G{ticket.code[-4:]}", "已答复", "")
    assert [(one["state"], one["number"], one["key"]) for one in FakeLine.sent] == [
        ("已派发", "", f"{row.pk}-0"), ("已答复", row.foreign_number, f"{row.pk}-1"),
    ]  # fmt: skip
    assert not {"name", "phone", "elder"} & set(FakeLine.sent[0])


def test_a_shut_way_is_tried_again_later_under_the_same_key(wide: Any) -> None:
    seat, ticket = actor("seat"), make_ticket()
    with scope(seat):
        row = export_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, platform="12345", reason="属于城管")
    FakeLine.faults = [OSError("HTTP 503"), TimeoutError()]
    at = [NOW + timedelta(seconds=seconds) for seconds in (0, 30, 60, 120, 180)]
    assert [exchange_area(system(CITY), now) for now in at] == [0, 0, 0, 0, 1]
    row.refresh_from_db()
    assert (row.error, row.sent_state, [one["key"] for one in FakeLine.sent]) == ("", "已派发", [f"{row.pk}-0"])
    outcomes = list(ExchangeMessage.objects.order_by("pk").values_list("outcome", "key"))
    assert outcomes == [("failed", f"{row.pk}-0-1"), ("failed", f"{row.pk}-0-2"), ("sent", f"{row.pk}-0")]


def test_what_is_refused_there_waits_for_a_person(wide: Any) -> None:
    seat, ticket = actor("seat"), make_ticket()
    with scope(seat):
        row = export_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, platform="12345", reason="属于城管")
    FakeLine.faults = [ExchangeRefused("HTTP 200 类别不对")]
    assert [exchange_area(system(CITY), NOW + timedelta(hours=hours)) for hours in (0, 1, 9)] == [0, 0, 0]
    row.refresh_from_db()
    assert row.error == "HTTP 200 类别不对"
    with refused(seat, Stale, "row.stale"):
        retry_exchange(actor=seat, now=NOW, exchange_id=row.pk, seen=0)
    with scope(seat):
        retry_exchange(actor=seat, now=NOW, exchange_id=row.pk, seen=row.version)
    assert exchange_area(system(CITY), NOW) == 1
    with refused(seat, NotAllowed, "exchange.fine"):
        retry_exchange(actor=seat, now=NOW, exchange_id=row.pk)


def test_after_many_tries_it_is_given_up_and_listed(wide: Any) -> None:
    seat, ticket = actor("seat"), make_ticket()
    with scope(seat):
        export_ticket(actor=seat, now=NOW, ticket_id=ticket.pk, platform="12345", reason="属于城管")
    FakeLine.faults = [OSError("shut") for _ in range(20)]
    for hours in range(20):
        exchange_area(system(CITY), NOW + timedelta(hours=2 * hours))
    assert len(FakeLine.faults) == 20 - 12
    assert exchanges(seat, only_errors=True).count() == 1


def test_refusals_of_what_goes_out(wide: Any) -> None:
    seat, ticket, done, other = actor("seat"), make_ticket(), make_ticket("closed"), make_ticket()
    values: dict[str, Any] = {"now": NOW, "platform": "12345", "reason": "属于城管"}
    with scope(seat):
        row = export_ticket(actor=seat, ticket_id=ticket.pk, **values)
    for number, change, kind, code in (
        (ticket.pk, {}, Refused, "exchange.twice"), (done.pk, {}, NotAllowed, "ticket.finished"),
        (other.pk, {"platform": "x"}, Refused, "exchange.platform"),
        (other.pk, {"reason": " "}, Refused, "text.missing"), (10**9, {}, NotFound, "row.not_found"),
    ):  # fmt: skip
        with refused(seat, kind, code):
            export_ticket(actor=seat, ticket_id=number, **{**values, **change})
    elsewhere = actor("seat", div=OTHER_DISTRICT)
    with refused(elsewhere, NotFound, "row.not_found"):
        export_ticket(actor=elsewhere, ticket_id=other.pk, **values)
    who = system(CITY)
    with refused(who, Refused, "choice.unknown"):
        note_exchange(actor=who, now=NOW, exchange_id=row.pk, key="k", state="已派发", outcome="perhaps")
    with refused(seat, Denied, "right.missing"):
        note_exchange(actor=seat, now=NOW, exchange_id=row.pk, key="k", state="已派发", outcome="sent")
