"""Figures come from rows and lead back to them."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    actor,
    city,
    make_assessment,
    make_assignment,
    make_call,
    make_elder,
    make_order,
    make_request,
    make_staff,
    make_ticket,
    system,
)

from yinling.accounts.models import Journal
from yinling.ground.scope import scope
from yinling.indicators.definitions import INDICATORS
from yinling.indicators.jobs import compute_indicators
from yinling.indicators.models import Value
from yinling.indicators.operations import compute_values
from yinling.indicators.queries import period_around, rows_behind, shown, span_of, target_of
from yinling.indicators.rules import Figure
from yinling.kernel.refusals import Denied, NotFound, Refused
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.visits.models import Evaluation

pytestmark = pytest.mark.usefixtures("wide")

MONDAY, NEXT_MONDAY = date(2026, 6, 15), date(2026, 6, 22)
SUNDAY = NOW + timedelta(days=6)


def compute(div: str = CITY) -> dict[tuple[str, str], Figure]:
    compute_values(actor=system(), now=SUNDAY, div=div, period_from=MONDAY, period_to=NEXT_MONDAY)
    return {
        (value.code, value.div): Figure(INDICATORS[value.code].unit, value.numerator, value.denominator)
        for value in Value.objects.order_by("id")
    }


def evaluate(order: Order, days: float) -> None:
    Evaluation.objects.create(
        div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, score=5, by="elder",
        user_id=actor("supervisor").user_id, evaluated_at=order.served_at + timedelta(days=days),
    )  # fmt: skip


def test_visits_done_of_visits_planned_and_over() -> None:
    city()
    make_order("served"), make_order("settled"), make_order("failed"), make_order("placed")
    make_order("cancelled"), make_order("placed", starts_at=SUNDAY + timedelta(hours=1))
    make_order("served", starts_at=NOW + timedelta(days=8))
    found = compute()
    assert found["weekly_visit_completion", CITY] == Figure("percent", 2, 4)
    assert found["weekly_visit_completion", DISTRICT] == Figure("percent", 2, 4)
    assert found["weekly_visit_completion", OTHER_DISTRICT] == Figure("percent", 0, 0)


@pytest.mark.req("D-21")
def test_silence_is_not_an_evaluation_and_seven_days_are_the_limit() -> None:
    city()
    for days in (0.5, 7, 7.001):
        evaluate(make_order("settled"), days)
    make_order("served")
    make_order("placed")
    assert compute()["evaluated_share", CITY] == Figure("percent", 2, 4)


def test_the_time_from_ring_to_first_offer() -> None:
    city()
    for minutes in (5, 20, 90):
        elder = make_elder()
        order = make_order("assigned", elder=elder, ticket=make_ticket(elder=elder, call=make_call(elder=elder)))
        make_assignment(order, make_staff(order.provider), offered_at=NOW + timedelta(minutes=minutes))
    make_order("assigned")
    assert compute()["call_to_assignment", CITY] == Figure("minutes", 20 * 60, 3)


def test_answered_calls_of_those_no_longer_ringing() -> None:
    city()
    seats = [actor("seat"), actor("seat")]
    for seat in seats:
        make_call(seat=seat)
    lost = make_call()
    lost.state, lost.ended_at = "abandoned", NOW
    lost.save()
    make_call()
    assert compute()["answered_share", CITY] == Figure("percent", 2, 3)


def test_districts_are_counted_apart_and_streets_below_them() -> None:
    city()
    make_order("served", elder=make_elder(COMMUNITY))
    make_order("failed", elder=make_elder(OTHER_COMMUNITY))
    found = compute()
    assert found["weekly_visit_completion", DISTRICT] == Figure("percent", 1, 1)
    assert found["weekly_visit_completion", OTHER_DISTRICT] == Figure("percent", 0, 1)
    assert compute(DISTRICT)["weekly_visit_completion", "320213021"] == Figure("percent", 1, 1)


def test_a_number_leads_to_its_rows() -> None:
    city()
    done, failed = make_order("served"), make_order("failed")
    viewer, span = actor("city"), span_of(MONDAY, NEXT_MONDAY, SUNDAY)
    rows = {
        which: list(rows_behind(viewer, "weekly_visit_completion", CITY, span, which=which))
        for which in ("all", "hit", "miss")
    }
    assert rows == {"all": [failed, done], "hit": [done], "miss": [failed]}
    assert list(rows_behind(viewer, "weekly_visit_completion", OTHER_DISTRICT, span)) == []
    assert list(rows_behind(viewer, "call_to_assignment", CITY, span)) == []
    with pytest.raises(Denied):
        rows_behind(actor("district", OTHER_DISTRICT), "weekly_visit_completion", CITY, span)


def test_a_page_sees_the_newest_values_with_their_targets() -> None:
    city()
    compute()
    make_order("served")
    compute()
    (first, *_) = shown(actor("city"), CITY, MONDAY, NEXT_MONDAY)
    assert [(one.area.div, one.figure.shown, one.is_reached) for one in first] == [
        (CITY, "100.0", True), (DISTRICT, "100.0", True), (OTHER_DISTRICT, "", None)
    ]  # fmt: skip
    assert first[0].target is not None
    assert (first[0].target.document, first[0].target.clause) == ("无锡市推进“锡心医养”332计划", "二(二)1")
    assert target_of(INDICATORS["evaluated_share"], "99", MONDAY) is None


def test_values_keep_numerator_denominator_version_and_time() -> None:
    city()
    compute()
    row = Value.objects.filter(code="answered_share", div=CITY).get()
    assert (row.numerator, row.denominator, row.version, row.computed_at) == (0, 0, "1", SUNDAY)
    assert Journal.objects.filter(event="indicators.value.compute").count() == 1


@pytest.mark.parametrize(("first", "end"), [(MONDAY, MONDAY), (MONDAY, date(2028, 1, 1))])
def test_an_impossible_period_is_refused(first: date, end: date) -> None:
    with pytest.raises(Refused) as refusal:
        compute_values(actor=system(), now=NOW, div=CITY, period_from=first, period_to=end)
    assert refusal.value.code == "indicator.period"
    assert not Value.objects.exists()


def test_who_may_compute_and_where() -> None:
    city()
    with pytest.raises(Denied):
        compute_values(
            actor=actor("district", OTHER_DISTRICT), now=NOW, div=DISTRICT, period_from=MONDAY, period_to=NEXT_MONDAY
        )
    with pytest.raises(Denied):
        compute_values(actor=actor("seat"), now=NOW, div=CITY, period_from=MONDAY, period_to=NEXT_MONDAY)
    with pytest.raises(NotFound):
        compute_values(actor=system(), now=NOW, div="320299", period_from=MONDAY, period_to=NEXT_MONDAY)
    assert not Value.objects.exists()


def test_weeks_and_months_are_half_open() -> None:
    assert period_around(date(2026, 6, 21), "week") == (MONDAY, NEXT_MONDAY)
    assert period_around(date(2026, 6, 21), "month") == (date(2026, 6, 1), date(2026, 7, 1))


def test_the_nightly_job_computes_city_and_districts() -> None:
    city()
    system()
    assert compute_indicators() == 3
    assert set(Value.objects.values_list("div", flat=True)) >= {CITY, DISTRICT, OTHER_DISTRICT, "320213021"}
    assert set(Value.objects.values_list("code", flat=True)) == set(INDICATORS)


@pytest.mark.req("R-ASM-02")
def test_of_the_very_old_who_asked_those_with_a_result_that_holds() -> None:
    city()
    last = date(2026, 6, 21)

    def asked(**values: Any) -> Elder:
        elder = make_elder(**values)
        make_request(elder)
        return elder

    make_assessment(asked())
    asked()
    make_assessment(asked(), assessed_on=date(2025, 1, 1), valid_to=last)
    make_assessment(asked(), assessed_on=date(2025, 1, 1), valid_to=last + timedelta(days=1))
    make_assessment(asked(), scale="morse", level="2")
    make_assessment(make_elder())
    asked(born_on=date(1946, 6, 21))
    for values in ({"born_on": date(1946, 6, 22)}, {"died_on": last}, {"is_resident": False}):
        asked(**values)
    compute_values(actor=system(), now=SUNDAY, div=CITY, period_from=MONDAY, period_to=NEXT_MONDAY)
    found = Value.objects.get(code="assessed_80", div=CITY)
    assert (found.numerator, found.denominator) == (2, 6)
    who = actor("district", DISTRICT)
    with scope(who):
        span = span_of(MONDAY, NEXT_MONDAY, SUNDAY)
        assert rows_behind(who, "assessed_80", DISTRICT, span, which="hit").count() == 2
        assert rows_behind(who, "assessed_80", DISTRICT, span, which="miss").count() == 4
