"""Entitlements that follow a grade: pure steps, then as the job of the night does it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import CITY, NOW, TODAY, actor, make_area_tree, make_assessment, make_elder, make_scheme, system

from yinling.assessment.models import ScaleConfirmation
from yinling.directory.models import Area
from yinling.directory.roles import ROLES
from yinling.entitlements.following import End, Give, Held, Wanted, steps
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import follow_grade, follow_grades, grant_entitlement
from yinling.entitlements.queries import eligibility
from yinling.ground.parameters import product_files
from yinling.kernel.parameters import load
from yinling.kernel.period import ONE_DAY, DayPeriod
from yinling.kernel.refusals import Refused
from yinling.people.models import Circumstance, Elder

pytestmark = pytest.mark.req("R-LTC-01")
MONDAY = date(2026, 6, 15)
NEXT_MONDAY = date(2026, 6, 22)
SEVERE: dict[str, Any] = {
    "share_bp": 0,
    "units": {"nurse_visit": 7500},
    "limits": [{"unit": "visit", "per": "week", "most": 5}],
}
MODERATE: dict[str, Any] = SEVERE | {"limits": [{"unit": "visit", "per": "week", "most": 3}]}


def days(first: date, to: date | None = None) -> DayPeriod:
    return DayPeriod(first, to)


START, END = date(2026, 1, 5), date(2027, 1, 6)
CASES: list[tuple[str, Wanted | None, list[Held], list[End | Give]]] = [
    ("nothing wanted, nothing held", None, [], []),
    ("given from its first day", Wanted(SEVERE, days(START, END)), [], [Give(days(START, END))]),
    ("as it should be", Wanted(SEVERE, days(START, END)), [Held(1, SEVERE, days(START, END))], []),
    ("lost", None, [Held(1, SEVERE, days(START, END))], [End(1, MONDAY - ONE_DAY)]),
    (
        "another grade from Monday",
        Wanted(MODERATE, days(date(2026, 6, 10), END)),
        [Held(1, SEVERE, days(START, END))],
        [End(1, NEXT_MONDAY - ONE_DAY), Give(days(NEXT_MONDAY, END))],
    ),
    (
        "another grade, arranged already",
        Wanted(MODERATE, days(date(2026, 6, 10), END)),
        [Held(1, SEVERE, days(START, NEXT_MONDAY)), Held(2, MODERATE, days(NEXT_MONDAY, END))],
        [],
    ),
    (
        "back to the first grade before Monday",
        Wanted(SEVERE, days(date(2026, 6, 12), END)),
        [Held(1, SEVERE, days(START, NEXT_MONDAY)), Held(2, MODERATE, days(NEXT_MONDAY, END))],
        [End(2, NEXT_MONDAY - ONE_DAY), Give(days(NEXT_MONDAY, END))],
    ),
    (
        "a new result prolongs it",
        Wanted(SEVERE, days(date(2026, 6, 10), END)),
        [Held(1, SEVERE, days(START, date(2026, 7, 6)))],
        [Give(days(date(2026, 7, 6), END))],
    ),
    (
        "it ends earlier than thought",
        Wanted(SEVERE, days(START, date(2026, 7, 1))),
        [Held(1, SEVERE, days(START, END))],
        [End(1, date(2026, 6, 30))],
    ),
    (
        "another grade that ends before Monday",
        Wanted(MODERATE, days(START, date(2026, 6, 18))),
        [Held(1, SEVERE, days(START, END))],
        [End(1, NEXT_MONDAY - ONE_DAY)],
    ),
    (
        "after a gap, not back over what was held before",
        Wanted(SEVERE, days(START, END)),
        [Held(1, SEVERE, days(START, date(2026, 6, 1)))],
        [Give(days(date(2026, 6, 1), END))],
    ),
]


@pytest.mark.parametrize(("wanted", "held", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_steps(wanted: Wanted | None, held: list[Held], expected: list[End | Give]) -> None:
    assert steps(wanted, held, MONDAY) == expected


def after(held: list[Held], wanted: Wanted | None, done: list[End | Give]) -> list[Held]:
    """What is held after the steps, as the operations leave it."""
    found = {one.pk: one for one in held}
    for step in done:
        if isinstance(step, End):
            one = found.pop(step.pk)
            if step.last_day >= one.days.from_:
                found[one.pk] = Held(one.pk, one.given, days(one.days.from_, step.last_day + ONE_DAY))
        else:
            assert wanted is not None
            number = max(found, default=0) + 100
            found[number] = Held(number, wanted.given, step.days)
    return list(found.values())


@given(
    looks=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from([None, SEVERE, MODERATE]), st.integers(-300, 0), st.integers(1, 400)), max_size=12
    )
)  # fmt: skip
def test_steps_never_overlap_and_a_second_look_has_nothing_to_do(looks: list[tuple[int, Any, int, int]]) -> None:
    held: list[Held] = []
    today = MONDAY
    for passed, given_now, begun, left in looks:
        today += timedelta(days=passed)
        span = days(today + timedelta(days=begun), today + timedelta(days=left))
        wanted = None if given_now is None else Wanted(given_now, span)
        held = after(held, wanted, steps(wanted, held, today))
        spans = [one.days for one in held]
        assert not any(one.overlaps(two) for place, one in enumerate(spans) for two in spans[:place])
        assert steps(wanted, held, today) == []


YIXING, HERE = "320282", "320282001001"
INSURED_FROM = date(2024, 1, 1)


@pytest.fixture
def elder(wide: object) -> Iterator[Elder]:
    """An insured woman of Yixing, assessed as severe; the matrix is confirmed."""
    make_area_tree()
    Area.objects.get_or_create(
        div=YIXING, defaults={"code": YIXING + "000000", "name": "宜兴市", "short_name": "宜兴", "level": "district", "kind": "县级市",
                              "parent_id": CITY, "source": "test", "valid_from": date(2020, 1, 1)},
    )  # fmt: skip
    make_scheme(code="ltci", payer="ltci", fund="insurance", families=["daily_care"], div=YIXING)
    row = make_elder(div=HERE)
    insure(row)
    return row


def insure(elder: Elder, **values: Any) -> Circumstance:
    chosen = {
        "kind": "ltci_insured", "detail": "职工", "body": "市医保中心", "evidence": "LT001", "valid_from": INSURED_FROM, "recorded_from": NOW,
        **values,
    }  # fmt: skip
    return Circumstance.objects.create(div=elder.div, elder=elder, **chosen)


def confirm(valid_from: date = date(2026, 1, 1)) -> None:
    who = actor("city")
    ScaleConfirmation.objects.create(
        div=CITY, scale="ltc_2021_37", scale_version="1", part="matrix", confirmed_by_id=who.user_id, confirmed_by_name="王主任",
        document="医保办发〔2021〕37号", valid_from=valid_from, recorded_from=NOW, created_at=NOW, changed_at=NOW,
    )  # fmt: skip


def graded(elder: Elder, level: str = "3", on: date = date(2026, 6, 1), **values: Any) -> Any:
    return make_assessment(elder, scale="ltc_2021_37", level=level, points=None, assessed_on=on, **values)


def follow(now: datetime = NOW) -> int:
    return follow_grades(system(CITY), now)


def rows(elder: Elder) -> list[tuple[date, date | None, int]]:
    found = Entitlement.objects.filter(elder=elder, recorded_to=None).order_by("valid_from")
    return [(row.valid_from, row.valid_to, row.limits[0]["most"]) for row in found]


def test_a_confirmed_grade_of_an_insured_person_gives_the_entitlement_for_its_days(elder: Elder) -> None:
    confirm()
    result = graded(elder)
    assert (follow(), follow()) == (1, 0)
    assert rows(elder) == [(date(2026, 6, 1), result.valid_to, 5)]
    row = Entitlement.objects.get(elder=elder)
    assert (row.units["nurse_visit"], row.share_bp, row.scheme.payer) == (7500, 0, "ltci")


def test_an_unconfirmed_matrix_decides_nothing(elder: Elder) -> None:
    graded(elder)
    assert (follow(), rows(elder)) == (0, [])
    confirm(valid_from=TODAY)
    assert follow() == 1
    assert rows(elder)[0][0] == TODAY


@pytest.mark.req("R-LTC-08")
def test_who_is_not_insured_gets_nothing(elder: Elder) -> None:
    confirm()
    Circumstance.objects.filter(elder=elder).update(valid_from=TODAY + ONE_DAY)
    graded(elder)
    assert (follow(), rows(elder)) == (0, [])
    assert follow(NOW + timedelta(days=1)) == 1
    assert rows(elder)[0][0] == TODAY + ONE_DAY


def test_a_light_grade_gives_nothing(elder: Elder) -> None:
    confirm()
    graded(elder, level="1")
    assert follow() == 0


def test_another_grade_counts_from_monday(elder: Elder) -> None:
    confirm()
    former = graded(elder)
    follow()
    former.valid_to = TODAY
    former.save()
    new = graded(elder, level="2", on=TODAY)
    assert (follow(), follow()) == (1, 0)
    assert rows(elder) == [(date(2026, 6, 1), NEXT_MONDAY, 5), (NEXT_MONDAY, new.valid_to, 3)]


def test_the_monthly_cap_of_a_grade_comes_with_it(
    elder: Elder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "capped.yaml").write_text(
        """parameters:
  scheme.capped.grades:
    - value: [{name: 重度, groups: [{label: 参保, any: [{kind: [ltci_insured]}]}], amounts: {share_bp: 9000, monthly_cap_fen: 150000}}]
      from: 2015-01-01
      document: d
      clause: c
""",
        encoding="utf-8",
    )
    known = load([*product_files(), tmp_path / "capped.yaml"])
    monkeypatch.setattr(eligibility, "parameters", lambda: known)
    make_scheme(code="capped", payer="ltci", fund="insurance", families=["daily_care"], div=YIXING)
    assert (follow(), follow()) == (1, 0)
    row = Entitlement.objects.get(elder=elder, scheme__code="capped")
    assert (row.share_bp, row.monthly_cap_fen, row.limits) == (9000, 150000, [])


def test_losing_the_insurance_ends_it(elder: Elder) -> None:
    confirm()
    graded(elder)
    follow()
    Circumstance.objects.filter(elder=elder).update(valid_to=TODAY)
    assert (follow(), follow()) == (1, 0)
    assert rows(elder)[0][1] == TODAY


def test_a_stay_in_hospital_lets_it_rest_and_does_not_end_it(elder: Elder) -> None:
    confirm()
    graded(elder)
    follow()
    insure(elder, kind="in_hospital", valid_from=TODAY)
    assert follow() == 0
    assert rows(elder)[0][2] == 5


def test_what_a_person_recorded_is_left_alone(elder: Elder) -> None:
    confirm()
    graded(elder)
    grant_entitlement(
        actor=actor("district", YIXING),
        now=NOW,
        elder_id=elder.pk,
        scheme_code="ltci",
        valid_from=TODAY,
        basis="宜医保〔2026〕1号",
    )
    assert follow() == 0


def test_following_what_follows_already_is_refused(elder: Elder) -> None:
    with pytest.raises(Refused) as refused:
        follow_grade(actor=system(CITY), now=NOW, elder_id=elder.pk, scheme_code="ltci")
    assert refused.value.code == "entitlement.follows"


@pytest.mark.req("R-LTC-02")
def test_who_handles_who_assesses_and_who_cares_have_separate_rights_and_scopes() -> None:
    """Of the three nobody holds a deciding right of another; the office acts in an area, the other two as their own body only."""
    decides = {
        "district": "entitlements.entitlement.end",
        "assessor": "assessment.form.submit",
        "provider_manager": "orders.order.accept",
    }
    for role, right in decides.items():
        assert [other for other in decides if right in ROLES[other].rights] == [role]
    assert [ROLES[role].anchor for role in decides] == ["area", "organisation", "organisation"]
