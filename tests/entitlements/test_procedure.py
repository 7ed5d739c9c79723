"""Deadlines, validity and costs of applications, as officials read them in the table of cases."""

from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
import yaml
from django.conf import settings

from yinling.cli.paths import ROOT
from yinling.entitlements import procedure as p
from yinling.ground.parameters import parameters
from yinling.kernel.refusals import Refused
from yinling.kernel.workdays import WorkingCalendar

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "applications.yaml").read_text("utf-8"))
ONE = timedelta(days=1)


@cache
def calendar() -> WorkingCalendar:
    lines = (settings.CITIES / "calendar_2020_2026.csv").read_text("utf-8").splitlines()[1:]
    return WorkingCalendar.from_rows((date.fromisoformat(line.split(",")[0]), line.split(",")[2]) for line in lines)


def cases(name: str) -> Any:
    return pytest.mark.parametrize("case", CASES[name], ids=lambda case: case["title"])


def end_of(case: dict[str, Any]) -> date | None:
    return case["last"] + ONE if "last" in case else None


@pytest.mark.req("X-TIME-01", "X-TIME-03")
@cases("working_days")
def test_time_to_act_is_counted_in_working_days(case: dict[str, Any]) -> None:
    assert p.act_within(calendar(), case["from"], case["days"]).day == case["expected"]


@pytest.mark.req("X-TIME-03")
@cases("notice")
def test_a_notice_ends_on_no_rest_day(case: dict[str, Any]) -> None:
    assert p.notice_until(calendar(), case["from"], case["days"]).day == case["expected"]


@cases("appeal")
def test_an_appeal_may_wait_for_the_next_working_day(case: dict[str, Any]) -> None:
    assert p.appeal_until(calendar(), case["from"], case["days"]).day == case["expected"]


@pytest.mark.req("X-TIME-02", "X-TIME-03", "D-17")
@cases("validity")
def test_validity_never_moves_over_rest_days(case: dict[str, Any]) -> None:
    end = p.end_of_validity(p.Procedure(valid_months=case["months"]), case["from"])
    assert end == case["last"] + ONE


@pytest.mark.req("X-TIME-02")
@cases("recheck")
def test_a_recheck_is_due_on_the_corresponding_day(case: dict[str, Any]) -> None:
    assert p.recheck_due(calendar(), case["from"], case["months"]) == case["expected"]


@cases("start")
def test_the_first_day(case: dict[str, Any]) -> None:
    assert p.first_day(p.Procedure(starts=case["starts"]), case["from"], case.get("held_until")) == case["expected"]


@cases("cost")
def test_what_a_budget_bears_in_a_year(case: dict[str, Any]) -> None:
    cost = p.Cost(case.get("monthly_fen"), case.get("once_fen"))
    assert cost.in_year(case["year"], case["from"], end_of(case)) == case["expected_fen"]


def test_every_procedure_of_every_city_can_be_read() -> None:
    keys = [key for key in parameters().keys() if key.endswith(".procedure")]  # noqa: SIM118 - a method
    read = [p.Procedure.read(entry.value) for key in keys for entry in parameters().entries(key)]
    assert len(read) >= 10
    assert all(one.valid_months is None or one.remind_days < one.valid_months * 28 for one in read)


@pytest.mark.parametrize(
    "wrong",
    [
        {"review_day": 3}, {"notice_days": -1}, {"decide_days": 1.5}, {"review_days": True}, {"valid_months": 0}, {"once_per": "flat"},
        {"starts": "soon"}, ["a"],
    ],
)  # fmt: skip
def test_a_wrong_procedure_is_refused(wrong: Any) -> None:
    with pytest.raises(p.ProcedureError):
        p.Procedure.read(wrong)


def test_who_goes_first_on_the_waiting_list() -> None:
    asked = p.Procedure(first=("destitute", "dibao"))
    assert p.rank_of(asked, frozenset({"dibao", "lives_alone"})) == 0
    assert p.rank_of(asked, frozenset({"lives_alone"})) == 1
    assert p.rank_of(p.Procedure(), frozenset({"dibao"})) == 1


@pytest.mark.parametrize(
    ("count", "typed", "code"), [(0, None, "batch.empty"), (21, None, "batch.count"), (21, 20, "batch.count")]
)
def test_a_batch_is_confirmed_by_its_number(count: int, typed: int | None, code: str) -> None:
    with pytest.raises(Refused) as refused:
        p.check_batch(count, typed)
    assert refused.value.code == code


@pytest.mark.parametrize(("count", "typed"), [(1, None), (20, None), (21, 21)])
def test_up_to_twenty_need_no_number(count: int, typed: int | None) -> None:
    p.check_batch(count, typed)
