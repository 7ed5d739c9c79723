"""What a home needs before it is adapted: a list from a visit by a third party, and nobody's level."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.assessment.conftest import Way
from tests.factories import NOW, TODAY, make_commission, make_organisation, make_service_area, make_staff
from tests.refusals import refused

from yinling.assessment.forms import questions, sections
from yinling.assessment.models import Assessment, Form, Request
from yinling.assessment.operations import arrange_request, record_assessment, request_assessment
from yinling.assessment.queries import (
    content_of,
    current_level,
    current_result,
    deciding,
    deciding_result,
    due_results,
    levels_of,
)
from yinling.assessment.report import report
from yinling.assessment.rules import level_codes
from yinling.assessment.scoring import scale, score
from yinling.kernel.refusals import Refused

HOME = "home_needs_2020"
ASKED: dict[str, Any] = {"scale": HOME, "purpose": "modification", "mode": "home"}
BASE = ["1", "2", "11", "13", "17", "24", "29"]
NEEDED = ["13", "17", "30"]


def answers(*needed: str, **others: str) -> dict[str, Any]:
    """A filled sheet: what is not named is there already."""
    codes = [one.code for one in questions(scale(HOME))]
    return {"scores": ["needed" if code in needed else others.get(f"n{code}", "present") for code in codes]}


@pytest.fixture
def home(way: Way) -> Way:
    make_commission(way.body, scales=[HOME], contract="适老化评估〔2026〕1号")
    return way


def rows() -> list[Any]:
    return [list(model.objects.order_by("pk").values_list("pk", flat=True)) for model in (Request, Form, Assessment)]


@pytest.mark.req("R-ASM-11", "R-MOD-01")
def test_the_list_has_7_categories_and_30_items_7_of_them_base() -> None:
    found = [item for domain in scale(HOME)["domains"] for item in domain["items"]]
    assert len(scale(HOME)["domains"]) == 7
    assert [item["code"] for item in found] == [str(number) for number in range(1, 31)]
    assert [item["code"] for item in found if item["type"] == "base"] == BASE
    assert sum(item["type"] == "optional" for item in found) == 23
    assert {item["kind"] for item in found} == {"construction", "product"}
    assert [item["code"] for item in found if item["zh"] == "安装扶手"] == ["4", "13"]


@pytest.mark.req("R-ASM-11")
def test_every_answer_that_does_not_apply_says_why() -> None:
    answered = {one["score"]: one for one in scale(HOME)["domains"][0]["items"][0]["options"]}
    assert set(answered) == {"needed", "present", "not_needed", "structure", "absent", "common_parts", "no_agreement"}
    excused = [one for one in answered.values() if one.get("not_applicable")]
    assert [one["zh"].partition("：")[2] for one in excused] == [
        "房屋结构或面积不允许", "家中没有该部位或设备", "会占用公共部位或影响邻居", "产权人或本人不同意"
    ]  # fmt: skip
    assert all(option.points is None for one in questions(scale(HOME)) for option in one.options)
    assert [len(section.questions) for section in sections(scale(HOME))] == [4, 5, 3, 5, 2, 4, 7]


@pytest.mark.req("R-ASM-11")
def test_a_report_counts_base_and_optional_and_names_both_rails_apart() -> None:
    shown = report(scale(HOME), score(HOME, answers(*NEEDED)).as_dict())
    assert shown.parts == (("如厕洗浴设备改造", "13 安装扶手、17 配置淋浴椅"), ("老年用品配置", "30 安全监控装置"))
    assert shown.lines == (("需要的基础类项目", "2"), ("需要的可选类项目", "1"))
    assert shown.final == "需要适老化改造"
    assert report(scale(HOME), score(HOME, answers()).as_dict()).final == "目前不需要适老化改造"


@pytest.mark.req("R-ASM-11")
def test_the_way_from_application_to_the_list_of_what_is_needed(home: Way) -> None:
    row = home.arrange(home.verified(**ASKED))
    form = home.submit(row, answers=answers(*NEEDED, n6="structure"))
    assert (form.level, form.outcome["needed"]) == ("", NEEDED)
    assert content_of(form)["answers"]["scores"][5] == "structure"
    home.conclude(row)
    result = Assessment.objects.get()
    assert (result.level, result.points, result.outcome["needed"], result.provider_id) == (
        "", None, NEEDED, home.body.pk
    )  # fmt: skip
    assert (result.scale, result.purpose, result.mode, result.needed_families) == (HOME, "modification", "home", [])


@pytest.mark.req("R-ASM-11")
def test_it_is_nobodys_level_and_decides_nothing(home: Way) -> None:
    assert level_codes(HOME) == {}
    row = home.arrange(home.verified(**ASKED))
    home.submit(row, answers=answers(*NEEDED))
    home.conclude(row)
    assert current_result(home.elder.pk, HOME, TODAY) is not None
    assert current_level(home.elder.pk, TODAY) is None
    assert deciding_result(home.elder.pk, HOME, TODAY) is None
    assert list(deciding(Assessment.objects.all(), TODAY)) == []
    assert levels_of([home.elder.pk], TODAY) == {}
    assert list(due_results(home.centre, date(2027, 6, 10), 30)) == []
    assert home.apply(purpose="modification").state == "applied"


@pytest.mark.req("R-ASM-11")
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"mode": "fixed"}, "request.mode"),
        ({"purpose": "home_care"}, "request.purpose"),
        ({"purpose": "consumption_subsidy"}, "request.purpose"),
    ],
)
def test_it_is_made_in_the_home_and_for_its_adaptation_only(home: Way, values: dict[str, Any], code: str) -> None:
    with refused(home.station, Refused, code, contents=rows):
        home.act(
            request_assessment, home.station,
            elder_id=home.elder.pk, **ASKED | {"reason": "first", "applied_as": "staff"} | values,
        )  # fmt: skip


@pytest.mark.req("R-ASM-11")
def test_only_a_commissioned_third_party_makes_it(home: Way) -> None:
    row = home.verified(**ASKED)
    stranger = make_organisation(kind="assessor", is_provider=False)
    serving = make_organisation()
    make_service_area(serving, div=home.elder.div, valid_from=date(2020, 1, 1))
    make_commission(serving, scales=[HOME], contract="适老化评估〔2026〕2号")
    builder = make_organisation(kind="assessor", is_provider=False)
    make_commission(builder, scales=[HOME], contract="适老化评估〔2026〕3号", delivers_care=True)
    for body, code in (
        (stranger, "commission.missing"),
        (serving, "organisation.serves"),
        (builder, "organisation.serves"),
    ):
        person = make_staff(body, qualified=("nurse",))
        with refused(home.centre, Refused, code, contents=rows):
            home.act(arrange_request, request_id=row.pk, organisation_id=body.pk, visit_on=TODAY, assessors=[person.pk])
    assert home.arrange(row).state == "arranged"


@pytest.mark.req("R-ASM-11")
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"scores": ["present"] * 29}, "scale.missing"),
        ({"scores": ["not_applicable"] + ["present"] * 29}, "scale.illegal"),
        ({"scores": [1] + ["present"] * 29}, "scale.illegal"),
        ({"scores": [True] + ["present"] * 29}, "scale.illegal"),
        ({"scores": [["needed"]] + ["present"] * 29}, "scale.illegal"),
        ({"scores": ["present"] * 31}, "scale.extra"),
        ({"scores": ["present"] * 30, "facts": {}}, "scale.extra"),
    ],
)
def test_an_incomplete_list_is_no_result(home: Way, given: dict[str, Any], code: str) -> None:
    row = home.arrange(home.verified(**ASKED))
    with refused(home.assessor, Refused, code, contents=rows):
        home.submit(row, answers=given)


@pytest.mark.req("R-ASM-11")
def test_no_other_department_delivers_it_as_a_level(home: Way) -> None:
    told = {
        "scale": HOME,
        "level": "lost",
        "assessed_on": TODAY,
        "department": "housing",
        "document": "住建〔2026〕1号",
    }
    with refused(home.centre, Refused, "assessment.level", contents=rows):
        home.act(record_assessment, elder_id=home.elder.pk, organisation_id=home.body.pk, **told)


@pytest.mark.req("R-ASM-11")
def test_a_second_one_needs_a_change_of_the_home(home: Way) -> None:
    row = home.arrange(home.verified(**ASKED))
    home.submit(row, answers=answers())
    home.conclude(row)
    with refused(home.station, Refused, "request.valid_result", contents=rows):
        home.apply(**ASKED)
    again = home.apply(**ASKED, reason="immediate", change_declared="出院后使用轮椅", now=NOW + timedelta(days=1))
    assert again.state == "applied"
