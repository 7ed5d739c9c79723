"""From finished visits to proposals: what counts as a way, what as a service, and the weekly job."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_assignment,
    make_check_in,
    make_elder,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    make_visit,
    system,
)

from yinling.directory.models import Staff
from yinling.dispatch.models import Correction
from yinling.dispatch.operations import confirm_correction, reject_correction
from yinling.dispatch.ports import Point
from yinling.dispatch.queries.learned import service_minutes, travel_factor
from yinling.interop.travel.great_circle import GreatCircle
from yinling.visits.jobs import learn, learn_of
from yinling.visits.measures import measured
from yinling.visits.models import Visit

pytestmark = pytest.mark.usefixtures("wide")

HOMES = [Point(120.300, 31.570), Point(120.330, 31.570)]
FEW = {"learned.samples_least": 3, "learned.samples_most": 5}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three visits are enough here; everything else is as the product has it."""
    from yinling.ground.parameters import parameter  # noqa: PLC0415 - the real one, before it is replaced

    def shortened(key: str, area: str, on: Any) -> Any:
        return FEW.get(key, parameter(key, area, on))

    monkeypatch.setattr("yinling.visits.measures.parameter", shortened)


class Round:
    """One carer who goes from one home to the other, day after day; the way takes ``factor`` times the estimate."""

    def __init__(self) -> None:
        make_area_tree()
        system(CITY)
        self.body, self.item = make_organisation(), make_item()
        self.price = make_price(self.item, self.body)
        self.staff = make_staff(self.body)
        self.elders = [make_elder(household=make_household(lon=home.lon, lat=home.lat)) for home in HOMES]
        self.estimate = GreatCircle().matrix(HOMES[:1], "ebike", NOW, to=HOMES[1:])[0][0]

    def visit(self, elder: int, starts: datetime, minutes: float, **values: Any) -> Visit:
        order = make_order(
            "assigned", elder=self.elders[elder], price=self.price, starts_at=values.pop("booked", starts)
        )
        assignment = make_assignment(order, values.pop("staff", self.staff), state="done")
        visit = make_visit(assignment, state="done", **values)
        Visit.objects.filter(pk=visit.pk).update(
            started_at=starts, ended_at=starts + timedelta(minutes=minutes), **values
        )
        return visit

    def day(
        self, number: int, *, factor: float = 1.5, minutes: float = 45, idle: float = 10, staff: Staff | None = None
    ) -> list[Visit]:
        """The carer rests ``idle`` minutes before pressing "on the way", so that only the press tells the way."""
        begin, who = NOW - timedelta(days=number), staff or self.staff
        first = self.visit(0, begin, minutes, staff=who)
        left = begin + timedelta(minutes=minutes + idle)
        second = self.visit(1, left + timedelta(seconds=self.estimate * factor), minutes, departed_at=left, staff=who)
        return [first, second]

    def ways(self) -> dict[tuple[Any, ...], float]:
        return {
            (one.key[1], one.key[5], one.key[6]): one.summary.value
            for one in measured(CITY, NOW)
            if one.key[0] == "travel"
        }

    def minutes(self) -> dict[str, float]:
        return {one.key[8]: one.summary.value for one in measured(CITY, NOW) if one.key[0] == "minutes"}


@pytest.fixture
def at(wide: Any) -> Round:
    return Round()


def test_ways_are_learned_for_street_and_district_by_hour_and_day(at: Round) -> None:
    for number in (1, 2, 3):
        at.day(number)
    found = at.ways()
    assert set(found) == {(div, *hours) for div in (STREET, DISTRICT) for hours in ((9, 11), (0, 24))}
    assert list(found.values()) == pytest.approx([1.5] * 4, abs=0.01)


def test_two_visits_are_too_few(at: Round) -> None:
    for number in (1, 2):
        at.day(number)
    assert at.ways() == {}


def test_without_a_press_only_a_late_arrival_tells_the_way(at: Round) -> None:
    for number in (1, 2, 3):
        begin = NOW - timedelta(days=number)
        at.visit(0, begin, 45)
        arrives = begin + timedelta(minutes=45, seconds=at.estimate * 2)
        at.visit(1, arrives, 45, booked=arrives + timedelta(minutes=5))
    assert at.ways() == {}
    for number in (4, 5, 6):
        begin = NOW - timedelta(days=number)
        at.visit(0, begin, 45)
        arrives = begin + timedelta(minutes=45, seconds=at.estimate * 2)
        at.visit(1, arrives, 45, booked=arrives - timedelta(minutes=5))
    assert at.ways()[STREET, 0, 24] == pytest.approx(2, abs=0.01)


def test_far_check_ins_rests_and_other_people_do_not_count(at: Round) -> None:
    for number in (1, 2):
        at.day(number)
    far = at.day(3)[1]
    make_check_in(far, distance_m=900)
    at.day(4, factor=9)
    at.visit(0, NOW - timedelta(days=5), 45)
    at.visit(1, NOW - timedelta(days=5, hours=-1), 45, staff=make_staff(at.body))
    assert at.ways() == {}
    at.day(6)
    assert at.ways()[STREET, 0, 24] == pytest.approx(1.5, abs=0.01)


def test_homes_without_a_position_tell_no_way(at: Round) -> None:
    at.elders[1].household.__class__.objects.filter(pk=at.elders[1].household_id).update(lon=None, lat=None)
    at.elders[1].household.refresh_from_db()
    for number in (1, 2, 3):
        at.day(number)
    assert at.ways() == {}


def test_who_walks_has_a_factor_of_his_own(at: Round) -> None:
    walker = make_staff(at.body, mode="walk")
    slow = GreatCircle().matrix(HOMES[:1], "walk", NOW, to=HOMES[1:])[0][0] / at.estimate
    for number in (1, 2, 3):
        at.day(number, factor=slow * 0.8, staff=walker)
    found = {one.key[3]: one.summary.value for one in measured(CITY, NOW) if one.key[0] == "travel"}
    assert found == {"walk": pytest.approx(0.8, abs=0.01)}


def test_only_the_newest_visits_of_the_last_weeks_count(at: Round) -> None:
    for number in (60, 61, 62):
        at.day(number, factor=3)
    assert at.ways() == {}
    for number in (9, 8, 7, 6, 5, 4):
        at.day(number, factor=1.2)
    for number in (3, 2, 1):
        at.day(number, factor=2)
    assert at.ways()[STREET, 0, 24] == pytest.approx(2, abs=0.01)


def test_minutes_are_the_median_of_real_visits(at: Round) -> None:
    for number, minutes in ((1, 40), (2, 44), (3, 90)):
        at.visit(0, NOW - timedelta(days=number), minutes)
    at.visit(0, NOW - timedelta(days=4), 2)
    at.visit(0, NOW - timedelta(days=5), 60 * 9)
    assert at.minutes() == {"": 44}


def test_what_the_straight_line_stood_in_for_tells_nothing(at: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        at.day(number)

    class Silent(GreatCircle):
        filled = frozenset((place, place) for place in range(10))

    monkeypatch.setattr("yinling.visits.measures.travel_time", Silent)
    assert at.ways() == {}


def test_the_weekly_job_proposes_what_a_dispatcher_confirms(at: Round) -> None:
    for number in (1, 2, 3):
        at.day(number)
    assert learn_of(CITY, NOW) == 5
    rows = Correction.objects.order_by("pk")
    assert {(row.kind, row.div, row.state, row.before) for row in rows} == {
        ("travel", STREET, "proposed", 1.0), ("travel", DISTRICT, "proposed", 1.0), ("minutes", DISTRICT, "proposed", 60),
    }  # fmt: skip
    assert (travel_factor(STREET, "ebike"), service_minutes(at.item.pk, at.body.pk)) == (1.0, None)
    assert learn_of(CITY, NOW) == 0
    who = actor("dispatcher")
    for row in rows:
        confirm_correction(actor=who, now=NOW, correction_id=row.pk)
    assert travel_factor(STREET, "ebike") == pytest.approx(1.5, abs=0.01)
    assert service_minutes(at.item.pk, at.body.pk) == 45
    assert learn_of(CITY, NOW) == 0


def test_a_rejected_result_is_not_asked_again_and_an_overtaken_one_goes(at: Round) -> None:
    for number in (6, 5, 4):
        at.day(number)
    learn_of(CITY, NOW)
    who = actor("dispatcher")
    whole_day = Correction.objects.get(kind="travel", div=STREET, hour_to=24)
    reject_correction(actor=who, now=NOW, correction_id=whole_day.pk, reason="修路")
    assert learn_of(CITY, NOW) == 0
    for number in (3, 2, 1):
        at.day(number, factor=1.0, minutes=58, idle=1)
    learn_of(CITY, NOW)
    assert set(Correction.objects.values_list("state", flat=True)) == {"rejected", "replaced"}


def test_the_job_runs_in_every_city(at: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("yinling.visits.jobs.learn_of", lambda div, _now: asked.append(div))
    learn(0)
    assert asked == [CITY]


def test_the_samples_say_since_when(at: Round) -> None:
    for number in (1, 2, 3):
        at.day(number)
    assert {one.since for one in measured(CITY, NOW)} == {TODAY - timedelta(days=56)}
