"""The decisions of the process, held against the cases that an official can read."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.factories import CITY, COMMUNITY, OTHER_COMMUNITY, TODAY

from yinling.assessment.process import months_valid, process, scoring_settings
from yinling.assessment.rules import (
    Accepts,
    Held,
    Person,
    check_appeal,
    check_declared,
    check_independence,
    check_notice,
    check_people,
    check_reviewers,
    check_second,
    check_six_abilities,
    level_codes,
    level_label,
    needed_families,
    qualified_by,
    recognised,
    scores_of,
    station,
    validity,
)
from yinling.assessment.scoring import score
from yinling.kernel.refusals import Refused

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "assessment_process.yaml").read_text("utf-8"))
GBT, MZT, LTC = "gbt42195_2022", "mzt039_2013", "ltc_2021_37"
FINE = "可以"


def cases(name: str) -> Any:
    return pytest.mark.parametrize("case", CASES[name], ids=[one["situation"] for one in CASES[name]])


def answer(check: Callable[[], Any]) -> str:
    """Return 可以, or the code by which a check refuses."""
    try:
        check()
    except Refused as refusal:
        return refusal.code
    return FINE


def rules(scale: str = GBT, on: date = TODAY) -> Any:
    return process(scale, CITY, on)


@cases("people")
@pytest.mark.req("R-ASM-05", "X-STF-01")
def test_who_may_assess(case: dict[str, Any]) -> None:
    person = Person(1, "甲", "assessor", frozenset(case["certificates"]), case["level"])
    assert answer(lambda: qualified_by(person, rules())) == case["expect"]


@cases("presence")
@pytest.mark.req("R-ASM-06", "R-ASM-07")
def test_how_many_must_be_there(case: dict[str, Any]) -> None:
    def person(pk: int, capacity: str) -> Person:
        held = frozenset({"nurse"} if pk == 1 else {"care_worker"})
        return Person(pk, str(pk), capacity, held, 4)

    people = [person(pk, "assessor") for pk in case["people"]] + [
        person(pk, "expert") for pk in case.get("experts", [])
    ]
    assert answer(lambda: check_people(people, rules(case["scale"]), case["mode"])) == case["expect"]


@cases("second")
@pytest.mark.req("R-ASM-01")
def test_when_somebody_is_assessed_again(case: dict[str, Any]) -> None:
    scale = case.get("scale", GBT)
    held = Held(scale, "moderate", date(2026, 1, 15), validity(date(2026, 1, 15), 12), "home_care")
    check = lambda: check_second(  # noqa: E731 - asked once
        [held],
        scale_id=scale,
        reason=case["reason"],
        change_declared=case.get("change", ""),
        on=case["day"],
        process=rules(scale),
    )
    assert answer(check) == case["expect"]


POLICY = Accepts(
    "civil_affairs",
    GBT,
    frozenset({"moderate", "severe", "total"}),
    "consumption_subsidy",
    "符合条件",
    "2025年7月通知",
    12,
)


@cases("recognition")
@pytest.mark.req("R-ASM-01")
def test_which_result_another_department_takes(case: dict[str, Any]) -> None:
    day = case["assessed_on"]
    held = Held(
        case["scale"],
        case["level"],
        day,
        validity(day, case.get("months", 12)),
        is_provisional=case.get("provisional", False),
    )
    found = recognised(
        held, department=case.get("department", "civil_affairs"), purpose=case.get("purpose", "consumption_subsidy"), on=TODAY,
        policies=[POLICY], has_consent=case["consent"],
    )  # fmt: skip
    if case["expect"] == "认可":
        assert (found.is_recognised, found.accepted_as, found.legal_basis) == (True, "符合条件", "2025年7月通知")
    else:
        assert (found.is_recognised, found.reason, found.accepted_as) == (False, case["expect"], "")


@cases("station")
@pytest.mark.req("R-ASM-08")
def test_where_an_application_goes(case: dict[str, Any]) -> None:
    assert station(case["reason"], COMMUNITY, case.get("hukou", OTHER_COMMUNITY), "hukou") == case["expect"]


def test_a_city_may_send_everything_to_the_station_of_the_home() -> None:
    assert station("immediate", COMMUNITY, OTHER_COMMUNITY, "home") == COMMUNITY


@cases("six_abilities")
@pytest.mark.req("R-ASM-10")
def test_who_is_sent_to_the_six_abilities(case: dict[str, Any]) -> None:
    check = lambda: check_six_abilities(case["kinds"], ["poverty_file"], is_recognised=case["recognised"])  # noqa: E731
    assert answer(check) == case["expect"]


@pytest.mark.req("R-ASM-10")
@pytest.mark.parametrize("achieved", list(product([True, False], repeat=6)))
def test_all_64_outcomes_of_the_six_abilities(achieved: tuple[bool, ...]) -> None:
    lost = achieved.count(False)
    outcome = score("cq6", {"achieved": list(achieved)})
    assert (outcome.not_achieved, outcome.level == "lost") == (lost, lost >= 4)


@pytest.mark.req("R-ASM-09")
def test_answers_speak_for_families_of_service() -> None:
    full = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 4, 4, 4, 4, 4, 4, 1, 1, 2, 2, 2, 4, 3, 4]
    table = [
        {"family": "bathing", "items": ["1.3"], "at_most": 2},
        {"family": "comfort", "items": ["3.8"], "at_most": 0},
    ]
    assert needed_families(scores_of(GBT, {"scores": full}), table) == []
    assert needed_families(scores_of(GBT, {"scores": [4, 4, 2, *full[3:]]}), table) == ["bathing"]
    more = [{"family": "comfort", "items": ["2.3"], "at_least": 1}]
    assert needed_families(scores_of(MZT, {"mental": [0, 0, 1]}), more) == ["comfort"]
    assert needed_families(scores_of(MZT, {"mental": [0, 0, 0]}), more) == []
    assert scores_of("cq6", {"achieved": [True, False]}) == {"1": 1, "2": 0}


def test_levels_have_names_in_their_own_scale_only() -> None:
    assert list(level_codes(GBT)) == ["intact", "mild", "moderate", "severe", "total"]
    assert "total" not in level_codes(MZT)
    assert (level_label(LTC, "3"), level_label("cq6", "lost")) == ("重度失能Ⅰ级", "完全丧失生活自理能力（认定为失能）")
    assert level_codes("tcm33") == {}


def test_who_serves_does_not_judge() -> None:
    assert (
        answer(lambda: check_independence(rules(), "home", serves_area=True, delivers_care=False))
        == "organisation.serves"
    )
    assert answer(lambda: check_independence(rules(), "fixed", serves_area=True, delivers_care=True)) == FINE
    for mode in ("home", "fixed"):
        assert (
            answer(lambda m=mode: check_independence(rules(LTC), m, serves_area=False, delivers_care=True))
            == "organisation.serves"
        )
    assert answer(lambda: check_independence(rules("morse"), "home", serves_area=True, delivers_care=True)) == FINE


@pytest.mark.parametrize("missing", ["no_interest", "guardian_present", "video"])
def test_what_the_insurance_wants_declared(missing: str) -> None:
    told = {"no_interest": True, "guardian_present": True, "video": True}
    check_declared(told, "王芳，女儿", rules(LTC))
    assert answer(lambda: check_declared(told | {missing: False}, "王芳，女儿", rules(LTC))) == f"request.{missing}"
    assert answer(lambda: check_declared(told, " ", rules(LTC))) == "request.no_informant"


def test_others_look_before_a_result_stands() -> None:
    assert answer(lambda: check_reviewers(rules(), 0, 2)) == "request.not_reviewed"
    assert answer(lambda: check_reviewers(rules(LTC), 0, 1)) == "request.not_confirmed"
    check_reviewers(rules(LTC), 0, 2)
    assert answer(lambda: check_notice(rules(LTC), "3", notice_to=None, today=TODAY)) == "request.not_noticed"
    assert (
        answer(lambda: check_notice(rules(LTC), "3", notice_to=date(2026, 6, 16), today=TODAY)) == "request.notice_runs"
    )
    check_notice(rules(LTC), "3", notice_to=TODAY, today=TODAY)
    check_notice(rules(LTC), "2", notice_to=None, today=TODAY)


def test_an_appeal_needs_a_result_and_the_insurance_hears_one() -> None:
    held = Held(LTC, "3", TODAY, validity(TODAY, 24))
    check_appeal(held, scale_id=LTC, was_appeal=False, process=rules(LTC), on=TODAY)
    for former, was in ((None, False), (held, True)):
        with pytest.raises(Refused):
            check_appeal(former, scale_id=LTC, was_appeal=was, process=rules(LTC), on=TODAY)
    check_appeal(Held(GBT, "mild", TODAY, held.valid), scale_id=GBT, was_appeal=True, process=rules(), on=TODAY)


@pytest.mark.parametrize(
    ("scale", "level", "months"),
    [(GBT, "mild", 12), (MZT, "mild", 6), (LTC, "3", 24), (LTC, "2", None), ("morse", "1", 12)],
)
def test_how_long_a_result_holds(scale: str, level: str, months: int | None) -> None:
    with pytest.raises(Refused, match=r"parameter\.missing") if months is None else nullcontext():
        assert months_valid(scale, level, CITY, TODAY) == months


def test_the_settings_of_the_scorer_come_from_the_city() -> None:
    found = scoring_settings(LTC, CITY, TODAY, confirmed_by="薛思远")
    assert (found.stacking, found.matrix_confirmed_by, found.morse_cut_offs) == ("cumulative", "薛思远", None)
