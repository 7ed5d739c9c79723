"""Late news of a death or a move makes one recovery list, which two persons decide; a correction gives it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.factories import (
    CITY,
    NOW,
    TODAY,
    actor,
    fund_order,
    make_area_tree,
    make_assignment,
    make_elder,
    make_entitlement,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    make_visit,
    system,
)

from yinling.accounts.models import Journal
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.orders.models import Hold, Order
from yinling.people.models import Circumstance, Elder
from yinling.people.operations import bury_elder, correct_death
from yinling.settlement.jobs import recover_overpaid
from yinling.settlement.models import Charge, Recovery, RecoveryLine
from yinling.settlement.operations import (
    approve_recovery,
    approve_statement,
    draft_recovery,
    draft_statement,
    return_recovery,
    review_recovery,
    review_statement,
    settle_order,
)
from yinling.settlement.queries import due_orders, statement_candidates
from yinling.web.afterwards import run_stops

pytestmark = pytest.mark.django_db
DIED = TODAY - timedelta(days=5)


@pytest.fixture
def finance(wide: object) -> Iterator[Actor]:
    make_area_tree()
    system()
    one = actor("finance", CITY)
    with scope(one):
        yield one


def at(day: date, hour: int = 2, minute: int = 0) -> datetime:
    """A moment of a day, in UTC; 2 is ten o'clock in China."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def served(elder: Elder, day: date, **values: object) -> Order:
    return make_order("served", elder=elder, starts_at=at(day), **values)  # type: ignore[arg-type]


def bury(elder: Elder, *, hour: str = "", on: date = DIED) -> None:
    street = actor("street", "320213021")
    with scope(street):
        bury_elder(actor=street, now=NOW, elder_id=elder.pk, died_on=on, died_at=hour, evidence="火化证 1 号")


def recover(finance: Actor) -> None:
    recover_overpaid(system(CITY), NOW)


@pytest.mark.req("R-PEO-03")
def test_the_day_of_death_is_paid_and_the_next_day_goes_on_one_list(finance: Actor) -> None:
    elder = make_elder()
    before, same_day, next_day, later = (served(elder, DIED + timedelta(days=number)) for number in (-1, 0, 1, 2))
    settle_order(actor=finance, now=NOW, order_id=next_day.pk)
    bury(elder)
    recover(finance)
    row = Recovery.objects.get()
    lines = {line.order_id: line.kind for line in RecoveryLine.objects.all()}
    # The elder's own part of a settled order was paid at the door; nothing of the other was.
    assert lines == {next_day.pk: "recover", later.pk: "reject"}
    assert (row.recover_fen, row.reject_fen, row.line_count) == (next_day.total_fen, later.total_fen, 2)
    assert set(Hold.objects.filter(to_at=None).values_list("order", "cause")) == {
        (order.pk, row.cause_text) for order in (next_day, later)
    }
    assert {order.pk for order in due_orders(CITY, NOW)} == {before.pk, same_day.pk}
    told = Journal.objects.get(event="settlement.recovery.draft", is_refused=False)
    fact = Circumstance.objects.get(kind="deceased")
    assert told.changes["cause"] == f"people.circumstance:{fact.pk}" == row.cause
    recover(finance)
    assert (Recovery.objects.count(), RecoveryLine.objects.count()) == (1, 2)


@pytest.mark.req("R-PEO-03")
def test_a_known_hour_decides_and_the_check_in_is_what_counts(finance: Actor) -> None:
    elder = make_elder()
    provider = make_organisation()
    price = make_price(organisation=provider)
    early, late = (
        make_order("served", elder=elder, price=price, starts_at=at(DIED, 6), served_at=at(DIED, 7)) for _ in range(2)
    )
    for order, began in ((early, at(DIED, 6, 29)), (late, at(DIED, 6, 30))):
        visit = make_visit(make_assignment(order, make_staff(provider), state="done"), state="done")
        type(visit).objects.filter(pk=visit.pk).update(started_at=began)
    bury(elder, hour="14:30")
    recover(finance)
    assert list(RecoveryLine.objects.values_list("order", flat=True)) == [late.pk]
    assert Recovery.objects.get().stopped_at == at(DIED, 6, 30)


@pytest.mark.req("R-PEO-03")
def test_two_persons_decide_and_what_a_statement_paid_is_deducted(finance: Actor) -> None:
    elder = make_elder()
    voucher = make_entitlement(elder)
    order = served(elder, DIED + timedelta(days=1))
    fund_order(order, voucher, 3000)
    settle_order(actor=finance, now=NOW, order_id=order.pk)
    second = actor("finance", CITY)
    paid = draft_statement(actor=finance, now=NOW, organisation_id=order.provider_id, payer="voucher", month=DIED)
    review_statement(actor=finance, now=NOW, statement_id=paid.pk)
    with scope(second):
        approve_statement(actor=second, now=NOW, statement_id=paid.pk)
    bury(elder)
    recover(finance)
    row = Recovery.objects.get()
    assert (row.recover_fen, row.reject_fen) == (order.total_fen, 0)
    review_recovery(actor=finance, now=NOW, recovery_id=row.pk)
    with pytest.raises(Refused) as refused:
        approve_recovery(actor=finance, now=NOW, recovery_id=row.pk)
    assert refused.value.code == "recovery.two_persons"
    with scope(second):
        approve_recovery(actor=second, now=NOW, recovery_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.approved_by_id) == ("approved", second.user_id)
    assert sum(Charge.objects.filter(order=order).values_list("amount_fen", flat=True)) == 0
    due = statement_candidates(order.provider, "voucher", DIED.replace(month=DIED.month), CITY)
    assert [charge.amount_fen for charge in due] == [-3000]
    assert not Hold.objects.filter(to_at=None).exists()
    with pytest.raises(Refused) as again:
        settle_order(actor=finance, now=NOW, order_id=order.pk)
    assert again.value.code == "settlement.recovered"


def test_a_line_on_an_undecided_statement_is_returned_first(finance: Actor) -> None:
    elder = make_elder()
    order = served(elder, DIED + timedelta(days=1))
    fund_order(order, make_entitlement(elder), 3000)
    settle_order(actor=finance, now=NOW, order_id=order.pk)
    statement = draft_statement(actor=finance, now=NOW, organisation_id=order.provider_id, payer="voucher", month=DIED)
    bury(elder)
    recover(finance)
    with pytest.raises(Refused) as held:
        review_statement(actor=finance, now=NOW, statement_id=statement.pk)
    assert held.value.code == "statement.held"
    row = Recovery.objects.get()
    review_recovery(actor=finance, now=NOW, recovery_id=row.pk)
    second = actor("finance", CITY)
    with scope(second), pytest.raises(Refused) as refused:
        approve_recovery(actor=second, now=NOW, recovery_id=row.pk)
    assert refused.value.code == "settlement.on_statement"
    assert Recovery.objects.get().state == "reviewed"


def test_a_list_given_up_by_a_person_is_not_drawn_up_again(finance: Actor) -> None:
    elder = make_elder()
    order = served(elder, DIED + timedelta(days=1))
    bury(elder)
    recover(finance)
    row = Recovery.objects.get()
    with pytest.raises(Refused) as refused:
        return_recovery(actor=finance, now=NOW, recovery_id=row.pk, reason=" ")
    assert refused.value.code == "text.missing"
    return_recovery(actor=finance, now=NOW, recovery_id=row.pk, reason="服务时间登记有误")
    recover(finance)
    assert Recovery.objects.count() == 1
    assert [one.pk for one in due_orders(CITY, NOW)] == [order.pk]


@pytest.mark.req("R-PEO-03")
def test_a_death_taken_back_gives_the_list_up_and_an_approved_one_is_lifted(finance: Actor) -> None:
    elder = make_elder()
    settled, waiting = served(elder, DIED + timedelta(days=1)), served(elder, DIED + timedelta(days=2))
    settle_order(actor=finance, now=NOW, order_id=settled.pk)
    bury(elder)
    recover(finance)
    row = Recovery.objects.get()
    review_recovery(actor=finance, now=NOW, recovery_id=row.pk)
    second = actor("finance", CITY)
    with scope(second):
        approve_recovery(actor=second, now=NOW, recovery_id=row.pk)
    street = actor("street", "320213021")
    with scope(street):
        correct_death(actor=street, now=NOW, elder_id=elder.pk, reason="登记错人")
    recover(finance)
    row.refresh_from_db()
    assert (row.state, row.return_reason) == ("lifted", "去世或迁出的登记已更正")
    assert [one.pk for one in due_orders(CITY, NOW)] == [waiting.pk]
    settle_order(actor=finance, now=NOW, order_id=settled.pk)  # may be settled anew


def test_after_moving_away_services_are_recovered_from_its_first_day(finance: Actor) -> None:
    elder = make_elder()
    kept, gone = served(elder, DIED - timedelta(days=1)), served(elder, DIED)
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind="moved_away", body="派出所", valid_from=DIED, recorded_from=NOW
    )
    recover(finance)
    assert list(RecoveryLine.objects.values_list("order", flat=True)) == [gone.pk]
    assert kept.pk in {one.pk for one in due_orders(CITY, NOW)}


def test_only_finance_decides_and_nothing_is_drawn_up_without_late_services(finance: Actor) -> None:
    elder = make_elder()
    served(elder, DIED - timedelta(days=1))
    bury(elder)
    with pytest.raises(Refused) as refused:
        draft_recovery(actor=finance, now=NOW, elder_id=elder.pk)
    assert refused.value.code == "recovery.nothing"
    order = served(elder, DIED + timedelta(days=1))
    recover(finance)
    row = Recovery.objects.get()
    for role in ("auditor", "district", "city"):
        other = actor(role, CITY)
        with scope(other), pytest.raises(Denied):
            review_recovery(actor=other, now=NOW, recovery_id=row.pk)
    with pytest.raises(NotAllowed):
        approve_recovery(actor=finance, now=NOW, recovery_id=row.pk)
    assert Order.objects.get(pk=order.pk).state == "served"


@pytest.mark.req("R-PEO-03")
def test_everything_stops_at_once_and_names_its_cause(finance: Actor) -> None:
    elder = make_elder()
    staff = make_staff()
    price = make_price(organisation=staff.provider)
    entitlement = make_entitlement(elder)
    ahead = make_order("assigned", elder=elder, price=price)
    fund_order(ahead, entitlement, 3000)
    carer = actor("carer", staff=staff)
    offer = make_assignment(ahead, staff, state="accepted")
    late = served(elder, DIED + timedelta(days=1))
    bury(elder)
    run_stops(elder.pk, elder.div, NOW)
    fact = Circumstance.objects.get(kind="deceased")
    for row in (ahead, offer, entitlement):
        row.refresh_from_db()
    assert (ahead.state, offer.state, entitlement.valid_to) == ("cancelled", "withdrawn", DIED + timedelta(days=1))
    assert [row.order_id for row in RecoveryLine.objects.all()] == [late.pk]
    causes = Journal.objects.filter(changes__has_key="cause", is_refused=False).values_list("event", "changes__cause")
    assert set(causes) == {
        (event, f"people.circumstance:{fact.pk}")
        for event in (
            "orders.order.cancel", "dispatch.assignment.withdraw", "entitlements.entitlement.end", "settlement.recovery.draft"
        )
    }  # fmt: skip
    from yinling.accounts.models import Notice  # noqa: PLC0415 - beside its one use
    from yinling.entitlements.models import Quota  # noqa: PLC0415 - as above

    assert Quota.objects.get(entitlement=entitlement).reserved == 0
    assert [notice.title for notice in Notice.objects.filter(user_id=carer.user_id)] == ["派单已撤回"]
    assert run_stops(elder.pk, elder.div, NOW) == 0


@pytest.mark.req("R-PEO-03")
def test_in_hospital_orders_wait_and_go_on_after_the_discharge(finance: Actor) -> None:
    elder = make_elder()
    staff = make_staff()
    order = make_order("assigned", elder=elder, price=make_price(organisation=staff.provider))
    offer = make_assignment(order, staff, state="accepted")
    fact = Circumstance.objects.create(
        div=elder.div, elder=elder, kind="in_hospital", body="市一院", valid_from=TODAY, recorded_from=NOW
    )
    run_stops(elder.pk, elder.div, NOW)
    order.refresh_from_db()
    offer.refresh_from_db()
    hold = Hold.objects.get()
    assert (order.state, offer.state, hold.cause) == ("placed", "withdrawn", f"people.circumstance:{fact.pk}")
    assert "住院" not in hold.reason + order.cancel_reason
    dispatcher = actor("dispatcher", CITY)
    from yinling.dispatch.operations import assign_order  # noqa: PLC0415 - beside its one use
    from yinling.orders.queries import in_dispatch_order  # noqa: PLC0415 - as above

    with scope(dispatcher), pytest.raises(Refused) as refused:
        assign_order(actor=dispatcher, now=NOW, order_id=order.pk, staff_id=staff.pk, choice_reason="急")
    assert refused.value.code == "dispatch.elder_away"
    assert not in_dispatch_order(Order.objects.within(CITY)).exists()
    Circumstance.objects.filter(pk=fact.pk).update(valid_to=TODAY + timedelta(days=1))
    run_stops(elder.pk, elder.div, NOW)
    hold.refresh_from_db()
    assert hold.to_at == NOW
    assert [one.pk for one in in_dispatch_order(Order.objects.within(CITY))] == [order.pk]


def test_an_order_whose_time_passes_in_hospital_is_cancelled(finance: Actor) -> None:
    elder = make_elder()
    order = make_order("placed", elder=elder)
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind="in_institution", body="护理院", valid_from=TODAY, recorded_from=NOW
    )
    run_stops(elder.pk, elder.div, NOW)
    assert Order.objects.get(pk=order.pk).state == "placed"
    run_stops(elder.pk, elder.div, NOW + timedelta(days=2))
    assert Order.objects.get(pk=order.pk).state == "cancelled"
    assert not Hold.objects.filter(to_at=None).exists()
