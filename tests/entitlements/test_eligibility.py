"""Who may have what: the worked examples, what never changes an answer, and what conditions may not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from yinling.demo.profile import Profile, validate
from yinling.entitlements.conditions import KINDS, Age, ConditionError, Grade, Group, Kinds, Words, read_grades
from yinling.entitlements.eligibility import (
    Eligibility,
    Fact,
    Result,
    Situation,
    age_days,
    eligibility,
    first_fitting,
)
from yinling.entitlements.queries.eligibility import Terms, terms_of
from yinling.ground.parameters import parameters, profiles
from yinling.kernel.period import ONE_DAY, DayPeriod, age_on, born_by
from yinling.kernel.refusals import Refused
from yinling.people.rules import check_age

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "cases" / "entitlements.yaml").read_text("utf-8"))
ROWS = [(title, block, case) for title, block in CASES.items() for case in block["cases"]]
MARKED = [
    pytest.param(
        *row, id=f"{row[0][:12]} {row[2]['说明']}", marks=[pytest.mark.req(*row[2]["rows"])] if "rows" in row[2] else []
    )
    for row in ROWS
]
DAY = date(2026, 6, 15)
LONG_AGO = date(2000, 1, 1)


@cache
def profile(code: str) -> Profile:
    return validate(code)


def read_fact(text: str) -> Fact:
    kind, *days = text.split()
    first, last = ([date.fromisoformat(day) for day in days] + [None, None])[:2] if days else (LONG_AGO, None)
    return Fact(kind, DayPeriod.through(first or LONG_AGO, last))


def read_result(text: str) -> Result:
    scale, level, first, *rest = text.split()
    provisional = rest[-1:] == ["暂定"]
    last = date.fromisoformat(rest[0]) if rest and not provisional else None
    day = date.fromisoformat(first)
    return Result(scale, level, DayPeriod.through(day, last), day, provisional)


def situation(case: dict[str, Any]) -> Situation:
    return Situation(
        day=case["日期"],
        born_on=case["出生"],
        facts=tuple(read_fact(str(one)) for one in case.get("人群", ())),
        results=tuple(read_result(str(one)) for one in case.get("评估", ())),
        holdings=tuple(read_fact(str(one)) for one in case.get("享受", ())),
        died_on=case.get("去世"),
    )


def terms(block: dict[str, Any], day: date) -> Terms:
    found = terms_of(block["scheme"], block["area"], day, profile(block["profile"]).parameters)
    assert found is not None
    return found


def missing(answer: Eligibility) -> str:
    """The first group that speaks against the person, in the words of the examples."""
    if answer.code == "has_left":
        return "去世或迁出"
    if answer.code == "excluded":
        return "不能同时享受"
    return next(reason.group.label for reason in answer.reasons if not reason.is_met)


@pytest.mark.parametrize(("title", "block", "case"), MARKED)
def test_worked_examples(title: str, block: dict[str, Any], case: dict[str, Any]) -> None:
    found = terms(block, case["日期"])
    answer = eligibility(found.grades, situation(case), ends_on=found.days.to)
    if "可以" in case:
        assert (answer.code, answer.grade.name if answer.grade else "") == ("eligible", case["可以"]), title
        if "至" in case:
            assert answer.until == case["至"] + ONE_DAY
    else:
        assert not answer.is_eligible
        assert missing(answer) == case["缺"]
        assert answer.until == case.get("自")


def test_every_scheme_of_every_city_has_an_example_with_its_clause() -> None:
    shown = {(block["profile"], block["scheme"]) for block in CASES.values()}
    common = {"state_care", "national_voucher", "family_doctor", "home_bed"}
    made_up = {(city.code, "government_purchase") for city in profiles() if city.code != "qidong-jujia"}
    common |= {
        "disability_care",
        "veteran_care",
        "commercial_care",
        "charity_care",
        "employer_care",
    }  # made up for demonstrations
    for city in profiles():
        for scheme in profile(city.code).schemes:
            known = (city.code, scheme["code"]) in shown | made_up or scheme["code"] in common
            assert known, f"{city.code}: {scheme['code']}"
    assert all(case["依据"] for _title, _block, case in ROWS)


@pytest.mark.req("D-01")
def test_the_other_reading_of_the_weekly_visit_takes_all_of_eighty() -> None:
    """With ``visit.weekly.rule: all_aged`` age alone is enough; without, it is not."""
    known = profile("wuxi-332").parameters
    entry = known.entry("scheme.weekly_visit.grades", "3202", DAY)
    words = Words(
        "3202",
        frozenset({"dibao"}),
        known.value("assessment.level_map", "3202", DAY),
        {"visit.weekly.rule": "all_aged"},
    )
    old = Situation(DAY, date(1946, 6, 15))
    assert first_fitting(read_grades(entry.value, words), old) == 1
    joint = replace(words, choices={"visit.weekly.rule": "joint"})
    assert first_fitting(read_grades(entry.value, joint), old) is None
    assert first_fitting(read_grades(entry.value, words), replace(old, day=DAY - ONE_DAY)) is None


@pytest.mark.req("D-01", "D-02")
@pytest.mark.parametrize("truth", list(product([False, True], repeat=7)))
def test_the_weekly_group_is_head_and_disability_and_dwelling(truth: tuple[bool, ...]) -> None:
    """All 128 rows: (80+ or poor or special family) and (disabled or semi-disabled) and (empty nest or alone)."""
    old, poor, special, severe, mild, nest, alone = truth
    facts = [
        kind
        for kind, yes in (
            ("dibao_marginal", poor),
            ("special_family", special),
            ("empty_nest", nest),
            ("lives_alone", alone),
        )
        if yes
    ]
    level = "severe" if severe else "mild" if mild else "intact"
    person = Situation(
        DAY,
        date(1940, 1, 1) if old else date(1960, 1, 1),
        tuple(Fact(kind, DayPeriod(LONG_AGO)) for kind in facts),
        (Result("gbt42195_2022", level, DayPeriod(LONG_AGO), LONG_AGO),),
    )
    found = terms({"profile": "wuxi-332", "area": "3202", "scheme": "weekly_visit"}, DAY)
    expected = (old or poor or special) and (severe or mild) and (nest or alone)
    assert eligibility(found.grades, person).is_eligible is expected


@pytest.mark.parametrize("truth", list(product([False, True], repeat=5)))
def test_the_modification_group_of_chongqing(truth: tuple[bool, ...]) -> None:
    """All 32 rows: (destitute or on the poverty file) and (80+ or six abilities lost or disability card)."""
    destitute, file, old, lost, card = truth
    facts = [kind for kind, yes in (("destitute", destitute), ("poverty_file", file), ("disability", card)) if yes]
    person = Situation(
        date(2020, 10, 10),
        date(1940, 10, 10) if old else date(1940, 10, 11),
        tuple(Fact(kind, DayPeriod(LONG_AGO)) for kind in facts),
        (Result("cq6", "lost" if lost else "partial", DayPeriod(LONG_AGO), LONG_AGO),),
    )
    found = terms({"profile": "chongqing-shilaohua-2020", "area": "50", "scheme": "home_modification"}, person.day)
    answer = eligibility(found.grades, person)
    assert answer.is_eligible is ((destitute or file) and (old or lost or card))
    if answer.grade:
        assert answer.grade.amounts.once_fen == 200_000


@pytest.mark.req("D-03")
def test_dementia_counts_as_disabled_in_zhenjiang_only() -> None:
    for code, area, expected in (("zhenjiang-yyjh", "3211", True), ("wuxi-332", "3202", False)):
        known = profile(code).parameters
        words = Words(area, frozenset(), known.value("assessment.level_map", area, DAY))
        grades = read_grades(
            [{"name": "失能", "groups": [{"label": "失能", "any": [{"ability": ["disabled"]}]}]}], words
        )
        person = Situation(DAY, date(1940, 1, 1), (Fact("dementia", DayPeriod(LONG_AGO)),))
        assert eligibility(grades, person).is_eligible is expected


@pytest.mark.req("D-03")
@pytest.mark.parametrize(
    ("level", "abilities"),
    [
        ("intact", set()), ("mild", {"semi_disabled"}), ("moderate", {"semi_disabled"}), ("severe", {"disabled"}), ("total", {"disabled"}),
    ],
)  # fmt: skip
def test_one_and_two_are_semi_disabled_three_and_four_disabled(level: str, abilities: set[str]) -> None:
    words = Words("3202", frozenset(), profile("wuxi-332").parameters.value("assessment.level_map", "3202", DAY))
    person = Situation(DAY, date(1940, 1, 1), results=(Result("gbt42195_2022", level, DayPeriod(LONG_AGO), LONG_AGO),))
    found = {
        ability
        for ability in ("semi_disabled", "disabled")
        if eligibility(
            read_grades([{"name": "x", "groups": [{"label": "x", "any": [{"ability": [ability]}]}]}], words), person
        ).is_eligible
    }
    assert found == abilities


@pytest.mark.req("D-04")
@pytest.mark.parametrize("label", ["destitute", "dibao", "dibao_marginal", "poverty_file", "hardship"])
def test_poor_is_any_label_of_the_city_on_its_days(label: str) -> None:
    """Each counts from its first to its last day, both included; ``hardship`` is what a place recognises itself."""
    found = terms({"profile": "qidong-jujia", "area": "320681", "scheme": "government_purchase"}, DAY)
    held = Fact(label, DayPeriod.through(date(2026, 6, 10), date(2026, 6, 20)))
    person = Situation(DAY, date(1950, 1, 1), (Fact("lives_alone", DayPeriod(LONG_AGO)), held))
    for day, is_poor in (("06-09", False), ("06-10", True), ("06-20", True), ("06-21", False)):
        one = replace(person, day=date.fromisoformat(f"2026-{day}"))
        assert eligibility(found.grades, one).is_eligible is is_poor, day


@pytest.mark.req("R-TIM-02")
@pytest.mark.parametrize(
    "label", ["disabled", "semi_disabled", "empty_nest", "lives_alone", "bereaved", "veteran_care", None]
)
@pytest.mark.parametrize("dibao", [True, False])
def test_time_is_given_to_dibao_with_one_of_five_and_to_veterans(label: str | None, dibao: bool) -> None:  # noqa: FBT001 - a table of cases
    levels = {"disabled": "severe", "semi_disabled": "mild"}
    kinds = [kind for kind, holds in (("dibao", dibao), (label, label and label not in levels)) if holds]
    person = Situation(
        DAY,
        date(1956, 1, 1),
        tuple(Fact(str(kind), DayPeriod(LONG_AGO)) for kind in kinds),
        tuple(Result("gbt42195_2022", levels[one], DayPeriod(LONG_AGO), LONG_AGO) for one in [label] if one in levels),
    )
    found = terms({"profile": "generic-2023", "area": "99", "scheme": "time_bank"}, DAY)
    assert eligibility(found.grades, person).is_eligible is (label == "veteran_care" or (dibao and label is not None))


@pytest.mark.req("X-PAY-04")
@pytest.mark.parametrize(
    ("level", "code"),
    [
        ("intact", "level"), ("mild", "level"), ("moderate", "eligible"), ("severe", "eligible"), ("total", "eligible"),
        (None, "not_assessed"),
    ],
)  # fmt: skip
def test_the_voucher_asks_for_moderate_disability_or_worse(level: str | None, code: str) -> None:
    found = terms({"profile": "qidong-jujia", "area": "320681", "scheme": "national_voucher"}, DAY)
    results = (Result("gbt42195_2022", level, DayPeriod(LONG_AGO), LONG_AGO),) if level else ()
    answer = eligibility(found.grades, Situation(DAY, date(1950, 1, 1), results=results))
    assert (answer.is_eligible, answer.code) == (code == "eligible", code)
    assert answer.sentence
    if answer.grade:
        assert (answer.grade.amounts.share_bp, answer.grade.amounts.monthly_cap_fen) == (5000, 80000)


@pytest.mark.req("R-PEO-03")
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"died_on": DAY}, "eligible"),
        ({"died_on": DAY - ONE_DAY}, "has_left"),
        ({"facts": (Fact("moved_away", DayPeriod(DAY)),)}, "has_left"),
        ({"facts": (Fact("moved_away", DayPeriod(DAY + ONE_DAY)),)}, "eligible"),
        ({"facts": (Fact("moved_away", DayPeriod(LONG_AGO, DAY)),)}, "eligible"),
    ],
)
def test_benefits_stop_the_day_after_death_and_on_moving_away(values: dict[str, Any], code: str) -> None:
    everybody = (Grade("x"),)
    assert eligibility(everybody, Situation(DAY, date(1950, 1, 1), **values)).code == code


def test_where_nobody_has_said_conditions_nobody_may_have_it() -> None:
    assert eligibility((), Situation(DAY, date(1950, 1, 1))).code == "no_conditions"


def every_terms() -> list[tuple[str, Terms]]:
    """The terms of every scheme of every profile, of both readings where there are two."""
    found = []
    for city in profiles():
        for scheme in profile(city.code).schemes:
            one = terms_of(scheme["code"], scheme.get("div", city.area), DAY, parameters())
            if one is not None:
                found.append((f"{city.code} {scheme['code']}", one))
    return found


DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))
PERIODS = st.builds(
    lambda first, length: DayPeriod(first, first + timedelta(days=length) if length else None),
    DAYS,
    st.integers(0, 700),
)
FACTS = st.lists(st.builds(Fact, st.sampled_from(sorted(KINDS - {"moved_away"})), PERIODS), max_size=6).map(tuple)
SCALED = st.sampled_from(
    [(scale, level) for scale in ("gbt42195_2022", "mzt039_2013") for level in ("intact", "mild", "moderate", "severe")]
    + [("gbt42195_2022", "total"), ("cq6", "lost"), ("cq6", "partial"), ("ltc_2021_37", "2"), ("ltc_2021_37", "4")]
)  # fmt: skip
UNSURE = st.fixed_dictionaries({"is_provisional": st.booleans()})
RESULTS = st.lists(
    st.builds(
        lambda pair, days, rest: Result(*pair, days, days.from_, **rest),
        SCALED,
        PERIODS,
        st.fixed_dictionaries({"is_provisional": st.booleans()}),
    ),
    max_size=4,
).map(tuple)
PEOPLE = st.builds(
    Situation, DAYS, st.dates(date(1926, 1, 1), date(1966, 12, 31)), FACTS, RESULTS, FACTS,
    st.lists(st.builds(Fact, st.just("state_care"), PERIODS), max_size=1).map(tuple),
    died_on=st.none() | DAYS,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(PEOPLE, st.data())
def test_an_unrelated_fact_never_changes_the_answer(person: Situation, data: st.DataObject) -> None:
    for name, one in every_terms():
        asked = {kind for grade in one.grades for term in grade.terms if isinstance(term, Kinds) for kind in term.kinds}
        scales = {
            scale for grade in one.grades for term in grade.terms for scale in getattr(term, "scales", frozenset())
        }
        unrelated = data.draw(st.sampled_from(sorted(KINDS - asked - {"moved_away"})))
        more = replace(
            person,
            facts=(*person.facts, Fact(unrelated, DayPeriod(LONG_AGO))),
            results=(
                *person.results,
                *([] if "morse" in scales else [Result("morse", "high", DayPeriod(LONG_AGO), person.day)]),
            ),
            holdings=(*person.holdings, Fact("something_else", DayPeriod(LONG_AGO))),
        )
        before, after = eligibility(one.grades, person), eligibility(one.grades, more)
        assert (before.code, before.place, before.until) == (after.code, after.place, after.until), name


@settings(max_examples=60, deadline=None)
@given(PEOPLE)
def test_until_is_the_first_day_on_which_the_answer_is_another(person: Situation) -> None:
    """Day by day, the answer stays until the day named and is another on it."""
    for name, one in every_terms():
        answer = eligibility(one.grades, person)
        last = answer.until or person.day + timedelta(days=900)
        days = [person.day + timedelta(days=step) for step in range(1, min((last - person.day).days, 900))]
        for day in days[::23] + days[-1:]:
            assert first_fitting(one.grades, replace(person, day=day)) == answer.place, name
        if answer.until:
            assert first_fitting(one.grades, replace(person, day=answer.until)) != answer.place, name


@settings(max_examples=100, deadline=None)
@given(PEOPLE)
def test_reasons_name_every_group_and_what_makes_it_hold(person: Situation) -> None:
    for name, one in every_terms():
        answer = eligibility(one.grades, person)
        for verdict in answer.verdicts:
            assert [reason.group for reason in verdict.reasons] == [*verdict.grade.groups, *verdict.grade.unless], name
            assert all(bool(reason.evidence) == reason.holds for reason in verdict.reasons), name
            for evidence in (found for reason in verdict.reasons for found in reason.evidence):
                assert evidence.days is None or evidence.days.contains(person.day), name


def test_a_provisional_result_never_counts() -> None:
    for _name, one in every_terms():
        for scale, level in (("ltc_2021_37", "5"), ("gbt42195_2022", "total"), ("cq6", "lost")):
            sure = Situation(
                DAY, date(1960, 1, 1), results=(Result(scale, level, DayPeriod(LONG_AGO), DAY, is_provisional=True),)
            )
            nothing = replace(sure, results=())
            assert first_fitting(one.grades, sure) == first_fitting(one.grades, nothing)


@pytest.mark.req("D-05", "X-TIME-04")
@settings(max_examples=300)
@given(
    st.dates(date(1920, 1, 1), date(1970, 1, 1)), st.dates(date(2015, 1, 1), date(2030, 12, 31)), st.integers(0, 100)
)
def test_ages_as_days_and_as_birthdays_agree_with_the_age(born: date, day: date, years: int) -> None:
    is_of_age = age_on(born, day) >= years
    days = age_days(Age(least=years), born)
    assert days is not None
    assert days.contains(day) is is_of_age
    assert (born <= born_by(years, day)) is is_of_age
    band = age_days(Age(years, years), born)
    assert band is not None
    assert band.contains(day) is (age_on(born, day) == years)


@pytest.mark.parametrize(
    ("born", "least", "day", "expected"),
    [
        (date(1946, 6, 15), 80, date(2026, 6, 14), False), (date(1946, 6, 15), 80, date(2026, 6, 15), True),
        (date(1944, 2, 29), 81, date(2025, 2, 27), False), (date(1944, 2, 29), 81, date(2025, 2, 28), True),
        (date(1944, 2, 29), 80, date(2024, 2, 28), False), (date(1944, 2, 29), 80, date(2024, 2, 29), True),
    ],
)  # fmt: skip
@pytest.mark.req("D-05", "X-TIME-04")
def test_the_birthday_is_the_boundary(born: date, least: int, day: date, *, expected: bool) -> None:
    grades = (Grade("x", (Group("岁", (Age(least=least),)),)),)
    assert eligibility(grades, Situation(day, born)).is_eligible is expected
    assert (born <= born_by(least, day)) is expected


def test_household_residence_and_hukou() -> None:
    words = Words("3202", frozenset({"dibao"}), {})
    value = [
        {
            "name": "x",
            "groups": [
                {"label": "家中另有残疾人", "any": [{"household": ["disability"]}]},
                {"label": "常住", "any": [{"resident": True}]},
                {"label": "本市户籍", "any": [{"hukou": True}]},
            ],
        }
    ]
    grades = read_grades(value, words)
    person = Situation(DAY, date(1950, 1, 1), household=(Fact("disability", DayPeriod(LONG_AGO)),), hukou_div="320213")
    assert eligibility(grades, person).is_eligible
    for other in (
        replace(person, household=(), facts=person.household),
        replace(person, is_resident=False),
        replace(person, hukou_div="3211"),
        replace(person, hukou_div=""),
        replace(person, is_merged=True),
    ):
        assert not eligibility(grades, other).is_eligible


def grade(**values: Any) -> list[Any]:
    return [{"name": "x", **values}]


def group(*terms_: Any) -> dict[str, Any]:
    return {"groups": [{"label": "x", "any": list(terms_)}]}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({}, "grades"),
        ([{"groups": []}], "grades.0"),
        ([{"name": " "}], "grades.0.name"),
        (grade(group=1), "grades.0"),
        (grade(groups={}), "grades.0.groups"),
        (grade(groups=[{"label": "x", "any": []}]), "grades.0.groups.0"),
        (grade(**group({"born": 1})), "grades.0.groups.0.any.0"),
        (grade(**group({"age": {"least": 80}, "kind": ["dibao"]})), "grades.0.groups.0.any.0"),
        (grade(**group({"age": {}})), "grades.0.groups.0.any.0"),
        (grade(**group({"age": {"least": "80"}})), "grades.0.groups.0.any.0"),
        (grade(**group({"age": {"least": 800}})), "grades.0.groups.0.any.0"),
        (grade(**group({"kind": "dibao"})), "grades.0.groups.0.any.0"),
        (grade(**group({"kind": ["rich"]})), "grades.0.groups.0.any.0"),
        (grade(**group({"hardship": False})), "grades.0.groups.0.any.0"),
        (grade(**group({"ability": ["half"]})), "grades.0.groups.0.any.0"),
        (grade(**group({"level": {"scale": "iq", "any": ["1"]}})), "grades.0.groups.0.any.0"),
        (grade(**group({"level": {"scale": "cq6", "any": []}})), "grades.0.groups.0.any.0"),
        (grade(**group({"level": {"scale": "cq6"}})), "grades.0.groups.0.any.0"),
        (grade(**group({"holds": 1})), "grades.0.groups.0.any.0"),
        (grade(unless=[{"age": {"least": -1}}]), "grades.0.unless.0"),
        (grade(unless={"age": {"least": 1}}), "grades.0.unless"),
        (grade(when={"some.key": 1}), "grades.0.when"),
        (grade(amounts={"share_bp": 10001}), "grades.0.amounts.share_bp"),
        (grade(amounts={"share_bp": 0.5}), "grades.0.amounts.share_bp"),
        (grade(amounts={"monthly_cap_fen": 100}), "grades.0.amounts"),
        (grade(amounts={"units": {"lunch": -1}}), "grades.0.amounts.units.lunch"),
        (grade(amounts=[1]), "grades.0.amounts"),
    ],
)
def test_conditions_that_cannot_be_right_are_refused_with_their_place(value: Any, place: str) -> None:
    words = Words("3202", frozenset({"dibao"}), {"disabled": {"gbt42195_2022": ["severe"]}})
    with pytest.raises(ConditionError) as caught:
        read_grades(value, words)
    assert caught.value.place == place


@pytest.mark.req("X-TIME-05")
def test_the_named_number_belongs_to_from_and_to_but_not_to_below_and_over() -> None:
    """满80周岁 and 以上 include 80, 不满80 does not; 79周岁以下 includes 79. One day decides."""
    born = date(1946, 6, 15)
    eve, day = date(2026, 6, 14), date(2026, 6, 15)
    from_80, to_79 = (age_days(term, born) for term in (Age(least=80), Age(most=79)))
    assert (from_80.contains(eve), from_80.contains(day)) == (False, True)
    assert (to_79.contains(eve), to_79.contains(day)) == (True, False)
    day_60 = date(2006, 6, 15)
    check_age(born, day_60)
    with pytest.raises(Refused) as under:
        check_age(born, day_60 - ONE_DAY)
    assert under.value.code == "elder.under_60"
