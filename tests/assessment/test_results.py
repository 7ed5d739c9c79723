"""Results of assessments: which are accepted, how long they hold, and which one counts."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import (
    COMMUNITY,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    actor,
    make_area_tree,
    make_elder,
    make_organisation,
    system,
)

from yinling.accounts.models import Journal
from yinling.assessment.jobs import follow
from yinling.assessment.models import Assessment
from yinling.assessment.operations import follow_elders, record_assessment
from yinling.assessment.queries import assessments_of, at_level, current_level, levels_of
from yinling.assessment.rules import check_result, level_by_points, validity
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.people.models import Elder

GBT, MZT = "gbt42195_2022", "mzt039_2013"


@pytest.mark.parametrize(
    ("points", "level"),
    [
        (90, "intact"), (89, "mild"), (66, "mild"), (65, "moderate"), (46, "moderate"), (45, "severe"), (30, "severe"), (29, "total"),
        (0, "total"),
    ],
)  # fmt: skip
def test_bands_of_gbt_42195(points: int, level: str) -> None:
    assert level_by_points(points) == level


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({}, None, ""),
        ({"level": "severe"}, None, ""),
        ({"level": "mild"}, "assessment.level_points", "level"),
        ({"points": None}, "assessment.no_points", "points"),
        ({"points": 91}, "assessment.points", "points"),
        ({"points": -1}, "assessment.points", "points"),
        ({"assessed_on": date(2026, 6, 16)}, "assessment.in_future", "assessed_on"),
        ({"assessed_on": date(2022, 12, 29)}, "assessment.before_standard", "assessed_on"),
        ({"scale": MZT, "points": None, "assessed_on": date(2020, 1, 1)}, None, ""),
        ({"scale": MZT, "points": None, "level": "total"}, "assessment.level", "level"),
    ],
)
def test_which_results_are_accepted(values: dict[str, Any], code: str | None, field: str) -> None:
    chosen = {"scale": GBT, "level": "moderate", "points": 50, "assessed_on": TODAY, "today": TODAY, **values}
    if code is None:
        check_result(**chosen)
        return
    with pytest.raises(Refused) as refused:
        check_result(**chosen)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_result_holds_through_the_corresponding_day() -> None:
    days = validity(date(2025, 2, 28), 12)
    assert (days.from_, days.last_day) == (date(2025, 2, 28), date(2026, 2, 28))
    assert validity(date(2024, 2, 29), 12).last_day == date(2025, 2, 28)


@pytest.fixture
def assessor(wide: object) -> Iterator[Actor]:
    make_area_tree()
    one = actor("district", "320213")
    with scope(one):
        yield one


def entry(elder: Elder, **values: Any) -> dict[str, Any]:
    return {
        "now": NOW, "elder_id": elder.pk, "scale": GBT, "level": "moderate", "points": 50, "assessed_on": TODAY,
        "organisation_id": make_organisation(kind="assessor").pk, "department": "health",
        "document": "卫健函〔2026〕1号", **values,
    }  # fmt: skip


def test_a_later_result_takes_over_and_the_former_stays_on_record(assessor: Actor) -> None:
    elder = make_elder()
    record_assessment(actor=assessor, **entry(elder, assessed_on=date(2026, 1, 10)))
    record_assessment(actor=assessor, **entry(elder, level="severe", points=40))
    before, today = current_level(elder.pk, TODAY - timedelta(days=1)), current_level(elder.pk, TODAY)
    assert before is not None
    assert today is not None
    assert (before.level, today.level, today.valid_to) == ("moderate", "severe", date(2027, 6, 16))
    assert current_level(elder.pk, date(2027, 6, 16)) is None
    assert [row.level for row in assessments_of(assessor, elder.pk)] == ["severe", "moderate"]
    assert Assessment.objects.filter(recorded_to__isnull=False).count() == 1
    row = Journal.objects.filter(event="assessment.assessment.record").latest("id")
    assert (row.elder_id, row.changes["level"]) == (elder.pk, [None, "severe"])


def test_a_correction_of_the_same_day_replaces_the_result(assessor: Actor) -> None:
    elder = make_elder()
    record_assessment(actor=assessor, **entry(elder))
    record_assessment(actor=assessor, **entry(elder, level="total", points=20))
    assert [row.level for row in assessments_of(assessor, elder.pk)] == ["total"]


def test_of_two_scales_the_later_result_counts_and_they_are_never_mixed(assessor: Actor) -> None:
    elder, other = make_elder(), make_elder()
    record_assessment(actor=assessor, **entry(elder, assessed_on=date(2026, 1, 10)))
    record_assessment(
        actor=assessor, **entry(elder, scale=MZT, level="mild", points=None, assessed_on=date(2026, 2, 1))
    )
    found = current_level(elder.pk, TODAY)
    assert found is not None
    assert (found.scale, found.level) == (MZT, "mild")
    assert levels_of([elder.pk, other.pk], TODAY) == {elder.pk: "mild"}
    assert list(at_level("moderate", TODAY).values_list("elder_id", flat=True)) == [elder.pk]


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"level": "mild"}, "assessment.level_points", "level"),
        ({"scale": "mine"}, "choice.unknown", "scale"),
        ({"level": "fine"}, "assessment.level", "level"),
        ({"organisation_id": 10**9}, "organisation.unknown", "organisation_id"),
        ({"assessed_on": date(2026, 1, 1)}, "assessment.older", "assessed_on"),
    ],
)
def test_a_wrong_result_changes_nothing(assessor: Actor, values: dict[str, Any], code: str, field: str) -> None:
    elder = make_elder()
    record_assessment(actor=assessor, **entry(elder, assessed_on=date(2026, 2, 1)))
    with pytest.raises(Refused) as refused:
        record_assessment(actor=assessor, **entry(elder, **values))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Assessment.objects.count() == 1


def test_the_dead_are_not_assessed_and_others_may_not_assess(assessor: Actor) -> None:
    dead, elder = make_elder(died_on=date(2026, 6, 14)), make_elder()
    with pytest.raises(NotAllowed, match="dead"):
        record_assessment(actor=assessor, **entry(dead))
    seat = actor("seat")
    with scope(seat), pytest.raises(Denied, match="missing"):
        record_assessment(actor=seat, **entry(elder))
    assert not Assessment.objects.exists()


@pytest.mark.req("R-PEO-04")
def test_results_follow_the_elder_to_another_area(assessor: Actor) -> None:
    elder = make_elder()
    system()
    record_assessment(actor=assessor, **entry(elder))
    Elder.objects.filter(pk=elder.pk).update(div=NEIGHBOUR)
    here, there = actor("community", COMMUNITY), actor("community", NEIGHBOUR)
    with scope(there):
        assert current_level(elder.pk, TODAY) is None
    follow(0)
    assert follow_elders("3202") == 0
    with scope(there):
        assert current_level(elder.pk, TODAY) is not None
    for role, div in (("community", OTHER_COMMUNITY), ("community", here.div or "")):
        with scope(actor(role, div)):
            assert current_level(elder.pk, TODAY) is None
