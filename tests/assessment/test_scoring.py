"""Scales: the worked examples, every combination of levels, and what an illegal form gets."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from yinling.assessment.scoring import Settings, check_case, combined_level, literal_levels, scale, scales, score
from yinling.kernel.refusals import Refused

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "assessment.yaml").read_text("utf-8"))["cases"]
FULL = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 4, 4, 4, 4, 4, 4, 1, 1, 2, 2, 2, 4, 3, 4]
GB = "gbt42195_2022"


@pytest.mark.req("R-ASM-03", "X-ASM")
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_worked_example(case: dict[str, Any]) -> None:
    checked = check_case(case)
    assert checked.ok, checked


def test_a_wrong_expectation_is_found() -> None:
    case = {"id": "x", "scale": GB, "input": {"scores": FULL}, "expect": {"total": 89}}
    assert not check_case(case).ok
    assert not check_case({**case, "expect": {"error": True}}).ok
    assert not check_case({**case, "input": {"scores": FULL[1:]}, "expect": {"total": 90}}).ok


def test_every_scale_names_itself_and_its_version() -> None:
    assert scales() == sorted(scales())
    assert {scale(name)["id"] for name in scales()} == set(scales())
    with pytest.raises(Refused, match=r"scale\.unknown"):
        score("../secrets", {})


@pytest.mark.req("X-ASM")
def test_the_national_scale_has_26_items_and_90_points() -> None:
    domains = scale(GB)["domains"]
    best = [sum(max(option["score"] for option in item["options"]) for item in domain["items"]) for domain in domains]
    assert (sum(len(domain["items"]) for domain in domains), best) == (26, [32, 15, 28, 15])


@pytest.mark.parametrize(
    ("change", "code", "item"),
    [
        ({"scores": FULL[:-1]}, "scale.missing", "4.5"),
        ({"scores": [*FULL, 4]}, "scale.extra", "scores"),
        ({"scores": [None, *FULL[1:]]}, "scale.missing", "1.1"),
        ({"scores": [True, *FULL[1:]]}, "scale.illegal", "1.1"),
        ({"scores": [4.0, *FULL[1:]]}, "scale.illegal", "1.1"),
        ({"scores": ["4", *FULL[1:]]}, "scale.illegal", "1.1"),
        ({"scores": "4" * 26}, "scale.missing", "1.1"),
        ({}, "scale.missing", "1.1"),
        ({"scores": FULL, "age": 80}, "scale.extra", "age"),
        ({"scores": FULL, "keys": {"3.9": "coma"}}, "scale.illegal", "3.9"),
        ({"scores": FULL, "keys": {"9.9": "coma"}}, "scale.illegal", "9.9"),
        ({"scores": FULL, "facts": {"fever": True}}, "scale.fact", "facts"),
        ({"scores": FULL, "facts": {"coma": 1}}, "scale.fact", "facts"),
        ({"scores": FULL, "facts": {"risk_events_30d": {"fall": -1}}}, "scale.events", "facts"),
        ({"scores": FULL, "facts": {"risk_events_30d": 2}}, "scale.events", "facts"),
    ],
)
def test_an_illegal_form_gives_no_level_and_names_the_item(change: dict[str, Any], code: str, item: str) -> None:
    with pytest.raises(Refused) as caught:
        score(GB, change)
    assert (caught.value.code, caught.value.field) == (code, item)


def test_stupor_and_coma_have_one_score_and_two_levels() -> None:
    answers = [*FULL[:20], 0, *FULL[21:]]
    assert score(GB, {"scores": answers, "keys": {"3.9": "stupor"}}).final == 1
    assert score(GB, {"scores": answers, "keys": {"3.9": "coma"}}).final == 4


def test_whether_raises_add_up_is_a_setting() -> None:
    form = {
        "scores": FULL,
        "facts": {"dementia": True, "mental_disorder": True, "risk_events_30d": {"fall": 1, "lost": 1}},
    }
    assert score(GB, form).final == 2
    one = score(GB, form, Settings(stacking="at_most_one"))
    assert (one.final, one.rules) == (1, ["dementia_or_mental"])


def test_the_printed_clauses_of_2013_leave_9_gaps_and_60_doubles() -> None:
    levels = [literal_levels(activities, others) for activities, *others in product(range(4), repeat=4)]
    sizes = [len(found) for found in levels]
    assert (sizes.count(0), sizes.count(2), sizes.count(1)) == (9, 60, 187)
    assert [sorted(found) for found in levels].count([1, 2]) == 30
    assert [sorted(found) for found in levels].count([2, 3]) == 30


def test_the_closure_of_2013_takes_the_more_severe_and_never_falls() -> None:
    for activities, *others in product(range(4), repeat=4):
        level = combined_level(activities, others)
        printed = literal_levels(activities, others)
        assert not printed or level == max(printed)
        for place, value in enumerate((activities, *others)):
            worse = [activities, *others]
            if value < 3:
                worse[place] = value + 1
                assert combined_level(worse[0], worse[1:]) >= level


def test_a_coma_in_a_complete_old_form_is_severe() -> None:
    form = {
        "adl": [10, 5, 5, 10, 10, 10, 10, 15, 15, 10],
        "mental": [0] * 3,
        "perception": [3, 0, 0, 0],
        "social": [0] * 5,
    }
    outcome = score("mzt039_2013", form)
    assert (outcome.initial, outcome.final, outcome.rules) == (1, 3, ["coma"])
    with pytest.raises(Refused, match=r"scale\.missing"):
        score("mzt039_2013", {"perception": [2]})


@pytest.mark.req("R-ASM-10")
def test_six_abilities_all_64_forms() -> None:
    for achieved in product([True, False], repeat=6):
        outcome = score("cq6", {"achieved": list(achieved)})
        missed = achieved.count(False)
        assert (outcome.not_achieved, outcome.level == "lost") == (missed, missed >= 4)
    for wrong in ([1] * 6, [True] * 5, [True] * 5 + [None]):
        with pytest.raises(Refused):
            score("cq6", {"achieved": wrong})


def test_an_insurance_grade_stays_provisional_until_a_person_confirms_the_matrix() -> None:
    form = {"adl": [5, 5, 0, 10, 5, 5, 5, 5, 0, 0], "cognition": [4] * 4, "perception": [4] * 3}
    assert score("ltc_2021_37", form).is_provisional is True
    assert score("ltc_2021_37", form, Settings(matrix_confirmed_by="示例")).is_provisional is False


def test_the_morse_cut_offs_are_a_setting() -> None:
    form = {"scores": [25, 15, 0, 0, 0, 15]}
    assert score("morse", form).level == 2
    assert score("morse", form, Settings(morse_cut_offs=(24, 60))).level == 1
    assert score("morse", {"scores": [0, 0, 0, 0, 10, 0]}, Settings(morse_cut_offs=(5, 9))).level == 2
    assert score("morse", {"scores": [0] * 6}, Settings(morse_cut_offs=(5, 9))).level == 0


def _forms(form: dict[str, Any]) -> st.SearchStrategy[list[int]]:
    items = [item for domain in form["domains"] for item in domain["items"]]
    return st.tuples(*(st.sampled_from([option["score"] for option in item["options"]]) for item in items)).map(list)


@given(scores=_forms(scale(GB)), place=st.integers(0, 25))
def test_a_better_answer_never_makes_a_national_level_worse(scores: list[int], place: int) -> None:
    items = [item for domain in scale(GB)["domains"] for item in domain["items"]]
    better = list(scores)
    better[place] = max(option["score"] for option in items[place]["options"])
    before, after = score(GB, {"scores": scores}), score(GB, {"scores": better})
    assert before.total == sum(scores)
    assert (after.final or 0) <= (before.final or 0)
