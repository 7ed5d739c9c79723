"""From the call to the figure: the walk that a newcomer sees, on a small city, and the rows it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from yinling.accounts.models import Journal
from yinling.accounts.queries import audit_connection
from yinling.cli.invariants import QUERIES
from yinling.demo import story as play
from yinling.demo.logins import actor_of
from yinling.demo.story import Step, Story
from yinling.directory.models import Suspension
from yinling.directory.queries import system_actor
from yinling.dispatch.models import Assignment
from yinling.ground.clock import real_now
from yinling.ground.scope import scope
from yinling.kernel.period import local_date, month_start
from yinling.orders.models import Hold, Order, PayerShare
from yinling.orders.rules import Stage
from yinling.settlement.models import Charge, LedgerEntry
from yinling.supervision.models import Finding
from yinling.visits.models import CheckIn, Evaluation
from yinling.visits.queries import stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_city")]

REFUSED = [
    "quote.changed", "dispatch.qualification", "visit.too_early", "settlement.already", "order.held", "dispatch.suspended", "right.missing",
    "statement.two_persons",
]  # fmt: skip


@dataclass
class Watch:
    """Listens to the story and notes the stage of the first order after every step."""

    stages: list[Stage] = field(default_factory=list)
    story: Story | None = None

    def __call__(self, _step: Step) -> None:
        if self.story is None or "order" not in self.story.rows:
            return
        with city():
            order = Order.objects.get(pk=self.story.rows["order"].pk)
            now = stage(order)
        if self.stages[-1:] != [now]:
            self.stages.append(now)


def city() -> Any:
    """The scope of the whole city."""
    return scope(system_actor("3202"))


_played: list[tuple[Story, Watch]] = []


@pytest.fixture
def walked(demo_city: None) -> Iterator[tuple[Story, Watch]]:
    """The story, played once for all tests here."""
    if not _played:
        watch = Watch()
        watch.story = Story(watch)
        play.perform(watch.story)
        _played.append((watch.story, watch))
    return _played[0]


def test_every_step_went_as_told(walked: tuple[Story, Watch]) -> None:
    story, _ = walked
    assert [step.code for step in story.steps if not step.ok] == REFUSED
    assert story.steps[-1].verb == "compute_values"
    assert [step.step for step in story.steps] == list(range(1, len(story.steps) + 1))
    assert {step.row for step in story.steps if step.id} >= {
        "call", "ticket", "order", "assignment", "visit", "evidence", "evaluation", "finding", "statement", "value",
    }  # fmt: skip


def test_steps_are_written_for_machines(walked: tuple[Story, Watch]) -> None:
    first = walked[0].as_json()[0]
    assert {**first, "id": None, "detail": ""} == {
        "step": 1, "verb": "receive_call", "row": "call", "id": None, "ok": True, "code": "", "detail": "",
    }  # fmt: skip


@pytest.mark.req("R-CALL-04")
def test_call_leads_to_ticket_order_and_dispatch(walked: tuple[Story, Watch]) -> None:
    rows = walked[0].rows
    with city():
        assignment = Assignment.objects.select_related("order__ticket__call__elder").get(pk=rows["assignment"].pk)
        assert assignment.order == rows["order"]
        assert assignment.order.ticket == rows["ticket"]
        assert assignment.order.ticket.call == rows["call"]
        assert assignment.order.ticket.call.elder == rows["elder"]
        assert assignment.rank is not None
        assert assignment.reasons


@pytest.mark.req("R-CALL-01")
def test_phone_computer_and_mobile_reach_the_same_table(walked: tuple[Story, Watch]) -> None:
    rows = walked[0].rows
    with city():
        channels = [Order.objects.get(pk=rows[name].pk).channel for name in ("order", "second", "third")]
    assert channels == ["phone", "console", "app"]


@pytest.mark.req("R-ORD-01")
def test_stages_are_read_in_one_query_and_no_leap_is_possible(
    walked: tuple[Story, Watch], django_assert_num_queries: Any
) -> None:
    story, watch = walked
    expected = ["placed", "accepted", "dispatched", "on_site", "confirmed", "settled", "evaluated"]
    assert [str(one) for one in watch.stages] == expected
    with city():
        order = Order.objects.get(pk=story.rows["order"].pk)
        with django_assert_num_queries(1):
            assert stage(order) == Stage.EVALUATED
        assert stage(Order.objects.get(pk=story.rows["third"].pk)) == Stage.CANCELLED
        for state in ("placed", "served", "cancelled", "draft"):
            with pytest.raises(DatabaseError), transaction.atomic():
                Order.objects.filter(pk=order.pk).update(state=state)


@pytest.mark.req("R-ORD-05")
def test_order_is_replayed_from_its_log(walked: tuple[Story, Watch]) -> None:
    story, _ = walked
    with city():
        order = Order.objects.get(pk=story.rows["order"].pk)
        rows = Journal.objects.filter(subject_type="order", subject_id=order.pk, is_refused=False).order_by("id")
        state = "draft"
        for before, after in [row.changes["state"] for row in rows if "state" in row.changes]:
            assert before == state
            state = after
        assert state == order.state == "settled"
        told = set(
            Journal.objects.filter(elder_id=order.elder_id, business_at__gte=story.began).values_list(
                "event", flat=True
            )
        )
        assert told >= {
            "hotline.call.answer", "hotline.ticket.open", "orders.order.place", "dispatch.order.assign", "visits.visit.start",
            "visits.visit.finish", "settlement.order.settle", "visits.visit.evaluate", "supervision.finding.write",
        }  # fmt: skip
        for change in (lambda: rows.update(reason="x"), rows.delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()


def test_refusals_leave_one_row_each(walked: tuple[Story, Watch]) -> None:
    query = "SELECT code FROM accounts_journal WHERE is_refused AND business_at >= %s ORDER BY id"
    with audit_connection() as audit:
        found = [row["code"] for row in audit.execute(query, [walked[0].began])]
    assert found == REFUSED


def test_money_is_split_among_insurance_voucher_and_elder(walked: tuple[Story, Watch]) -> None:
    """The home bed of the demonstration's elder lets basic insurance pay seven tenths of the dressing, and none of the call-out fee."""
    with city():
        order = walked[0].rows["order"]
        frozen = {(row.payer, row.amount_fen) for row in PayerShare.objects.filter(order=order)}
        fee = order.lines.get(kind="callout").amount_fen
        assert frozen == {("medical_insurance", 8400), ("voucher", 3600), ("voucher", fee // 2), ("self", fee // 2)}
        charged = Charge.objects.filter(order=order)
        assert {(row.payer, row.amount_fen) for row in charged} == frozen
        assert sum(LedgerEntry.objects.filter(posting__order=order).values_list("amount", flat=True)) == 0
        assert Evaluation.objects.get(order=order).by == "elder"


@pytest.mark.req("R-ORD-07")
def test_far_check_in_stops_that_order_and_that_carer_until_released(walked: tuple[Story, Watch]) -> None:
    rows = walked[0].rows
    assert {"order.held", "dispatch.suspended", "right.missing"} <= {step.code for step in walked[0].steps}
    with city():
        far = CheckIn.objects.get(visit__order=rows["second"], kind="in")
        assert far.distance_m is not None
        assert 2200 < far.distance_m < 2400
        finding = Finding.objects.get(order=rows["second"])
        assert (finding.rule, finding.severity, finding.state) == ("distant_check_in", "block", "released")
        hold = Hold.objects.get(order=rows["second"])
        assert hold.to_at is not None
        assert hold.release_reason
        assert not Hold.objects.filter(order=rows["order"]).exists()
        nurse = actor_of("nurse", real_now())
        assert not Suspension.objects.filter(staff_id=nurse.staff_id, to_at=None).exists()
        assert Order.objects.get(pk=rows["second"].pk).state == "settled"


def test_second_walk_on_the_same_data_works(walked: tuple[Story, Watch]) -> None:
    again = play.play(lambda _step: None)
    codes = [step.code for step in again.steps if not step.ok]
    same_month = month_start(local_date(again.began)) == month_start(local_date(walked[0].began))
    assert codes == ([*REFUSED[:-1], "statement.twice"] if same_month else REFUSED)
    assert again.began < walked[0].began
    with audit_connection() as audit:
        wrong = {name: audit.execute(query).fetchall() for name, (_, query) in QUERIES.items()}
    assert {name: rows for name, rows in wrong.items() if rows} == {}


def test_application_role_plays_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("yl_app",)
