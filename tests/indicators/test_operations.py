"""Figures come from rows and lead back to them."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    LONG_AGO,
    NOW,
    OTHER_COMMUNITY,
    OTHER_DISTRICT,
    actor,
    city,
    make_area_tree,
    make_assessment,
    make_assignment,
    make_call,
    make_elder,
    make_entitlement,
    make_order,
    make_request,
    make_scheme,
    make_staff,
    make_ticket,
    system,
)

from yinling.accounts.models import Journal
from yinling.directory.models import Area, OldArea
from yinling.directory.queries import present_codes
from yinling.ground.scope import scope
from yinling.indicators.definitions import INDICATORS
from yinling.indicators.jobs import compute_indicators
from yinling.indicators.models import Value
from yinling.indicators.operations import compute_values
from yinling.indicators.queries import groups_behind, period_around, rows_behind, shown, span_of, target_of
from yinling.indicators.rules import Figure, reaches
from yinling.kernel.refusals import Denied, NotFound, Refused
from yinling.orders.models import Order
from yinling.people.models import Circumstance, Elder
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


def fact(elder: Elder, kind: str, first: date, end: date | None) -> None:
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="民政局", valid_from=first, valid_to=end, recorded_from=NOW
    )


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


def purchase_share(code: str = "purchase_share", first: date = MONDAY, end: date = NEXT_MONDAY) -> Figure:
    compute_values(actor=system(), now=SUNDAY, div=CITY, period_from=first, period_to=end)
    value = Value.objects.filter(code=code, div=CITY).latest("id")
    return Figure("percent", value.numerator, value.denominator or 0)


@pytest.mark.req("R-PAY-10", "D-22")
def test_elders_with_a_purchase_of_the_government_of_all_who_live_here_at_the_end() -> None:
    city()
    last, scheme = date(2026, 6, 21), make_scheme(code="government_purchase", payer="government")
    day = timedelta(days=1)
    ends = [make_entitlement(make_elder(), scheme, valid_to=end) for end in (None, last, last + day)]
    assert all(row.elder.is_resident for row in ends)
    make_entitlement(make_elder(), scheme, valid_from=last + day)
    make_entitlement(make_elder(), make_scheme(code="national_voucher"))
    for values in ({"died_on": last}, {"is_resident": False}, {"born_on": date(1966, 6, 22)}):
        make_entitlement(make_elder(**values), scheme)
    make_entitlement(make_elder(born_on=date(1966, 6, 21), hukou_div="340100", died_on=last + day), scheme)
    assert purchase_share() == Figure("percent", 3, 6)
    target = Figure("percent", 1, 10)
    for on, clause in ((date(2020, 12, 31), "四(四)1"), (date(2022, 12, 31), "三(一)")):
        entry = target_of(INDICATORS["purchase_share"], "320681", on)
        assert entry is not None
        assert (entry.clause, reaches(target, entry.value, "up")) == (clause, True)
        assert not reaches(Figure("percent", 999, 10_000), entry.value, "up")
    assert target_of(INDICATORS["purchase_share"], "3202", last) is None


@pytest.mark.req("D-22")
def test_a_year_asks_who_lives_here_on_its_last_day() -> None:
    """Somebody served all year who moves away before the end counts on neither side; who came in December on both."""
    city()
    scheme = make_scheme(code="government_purchase", payer="government")
    stays, gone = make_elder(), make_elder(died_on=date(2025, 12, 30))
    for elder in (stays, gone):
        make_entitlement(elder, scheme, valid_from=date(2025, 1, 1), valid_to=date(2026, 1, 1))
    make_elder(born_on=date(1965, 12, 31)), make_elder(born_on=date(1966, 1, 1))
    assert purchase_share(first=date(2025, 1, 1), end=date(2026, 1, 1)) == Figure("percent", 1, 2)


@pytest.mark.req("D-13")
def test_a_person_counts_once_in_the_figure_and_once_in_each_group() -> None:
    city()
    last, scheme = date(2026, 6, 21), make_scheme(code="government_purchase", payer="government")
    both, one = make_elder(), make_elder()
    for end in (last + timedelta(days=1), None):
        make_entitlement(both, make_scheme(code="x") if end else scheme, valid_to=end)
    periods = [("dibao", LONG_AGO, last), ("dibao", last, None), ("lives_alone", LONG_AGO, None)]
    for kind, first, end in periods:
        fact(both, kind, first, end)
    fact(one, "dibao", LONG_AGO, last + timedelta(days=1))
    fact(one, "lives_alone", LONG_AGO, last)
    assert purchase_share() == Figure("percent", 1, 2)
    who, span = actor("city"), span_of(MONDAY, NEXT_MONDAY, SUNDAY)
    found = {group.kind: group.figure for group in groups_behind(who, "purchase_share", CITY, span)}
    assert found == {"dibao": Figure("percent", 1, 2), "lives_alone": Figure("percent", 1, 1)}
    make_elder(merged_into=one)
    assert purchase_share() == Figure("percent", 1, 2), "two files of one person are one person"


@pytest.mark.req("X-ID-03")
def test_a_report_uses_the_tree_of_its_own_day() -> None:
    city()
    make_area_tree()
    Area.objects.filter(div=OTHER_DISTRICT).update(valid_to=date(2026, 6, 22))
    later = Area.objects.get(div=DISTRICT)
    later.pk, later.code, later.name, later.valid_from = "320214", "320214000000", "新吴区", date(2026, 6, 22)
    later.save(force_insert=True)
    monday = date(2026, 6, 29)
    for first, end, there in ((MONDAY, NEXT_MONDAY, OTHER_DISTRICT), (NEXT_MONDAY, monday, "320214")):
        compute_values(actor=system(), now=SUNDAY, div=CITY, period_from=first, period_to=end)
        divs = set(Value.objects.filter(period_from=first).values_list("div", flat=True))
        assert divs == {CITY, DISTRICT, there}
        (line, *_) = shown(actor("city"), CITY, first, end)
        assert {one.area.div for one in line} == divs


@pytest.mark.req("X-ID-03")
def test_an_old_code_is_led_to_where_its_area_lies_now() -> None:
    for code, name, first, last, now_codes in (
        ("320205", "马山区", 1987, 1999, "320211"), ("320205", "锡山区", 2000, None, "320205"), ("320222", "无锡县", 1983, 1994, "320205;320206"),
    ):  # fmt: skip
        OldArea.objects.create(code=code, name=name, first_year=first, last_year=last, status="", now_codes=now_codes)
    assert [present_codes("320205", year) for year in (1986, 1987, 1999, 2000)] == [
        [],
        ["320211"],
        ["320211"],
        ["320205"],
    ]
    assert present_codes("320222", 1994) == ["320205", "320206"]
    assert present_codes("320222", 1995) == []
