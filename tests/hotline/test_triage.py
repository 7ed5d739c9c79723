"""Who should get a ticket: the table of the platform, and how its lines are read."""

from datetime import date

import pytest

from yinling.ground.parameters import parameter
from yinling.hotline.triage import Body, Proposed, higher_level, read_rules, triage

ON = date(2026, 6, 15)
ROWS = [
    {"words": ["漏水"], "bodies": ["responsible", "department:住建"], "level": "high", "reason": "住"},
    {
        "kinds": ["complaint"],
        "words": ["骗保"],
        "bodies": ["department:民政", "department:住建"],
        "level": "urgent",
        "reason": "钱",
    },
    {"kinds": ["request"], "families": ["nursing"], "bodies": ["health_centre"], "reason": "护理"},
    {"kinds": ["request"], "bodies": ["responsible"], "reason": "一般"},
]


@pytest.mark.parametrize(
    ("kind", "family", "text", "bodies", "level"),
    [
        ("request", "", "厨房漏水", ["responsible", "department"], "high"),
        ("request", "nursing", "换药", ["health_centre"], ""),
        ("request", "meal", "想订餐", ["responsible"], ""),
        ("enquiry", "", "想订餐", [], ""),
        ("request", "", "有人骗保", ["responsible"], ""),
    ],
)
def test_rules_with_words_come_before_those_without(
    kind: str, family: str, text: str, bodies: list[str], level: str
) -> None:
    found = triage(read_rules(ROWS), kind=kind, family=family, text=text)
    assert ([one.body.kind for one in found.proposed], found.level) == (bodies, level)


@pytest.mark.req("R-CALL-05")
def test_a_ticket_about_two_matters_is_proposed_to_all_their_bodies_each_once() -> None:
    found = triage(read_rules(ROWS), kind="complaint", family="", text="漏水没人修，还骗保")
    assert found.proposed == (
        Proposed(Body("responsible"), "住", "漏水"), Proposed(Body("department", "住建"), "住", "漏水"),
        Proposed(Body("department", "民政"), "钱", "骗保"),
    )  # fmt: skip
    assert found.level == "urgent"


@pytest.mark.parametrize(
    "row",
    [
        {"bodies": [], "reason": "x"},
        {"bodies": ["responsible"], "reason": "x", "level": "now"},
        {"bodies": ["a"], "reason": "x", "word": []},
    ],
)
def test_a_line_that_cannot_be_right_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="triage rule"):
        read_rules([row])


def test_urgency_rises_and_never_falls() -> None:
    assert [higher_level("normal", "high"), higher_level("urgent", "high"), higher_level("high", "")] == [
        "high",
        "urgent",
        "high",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "body", "level"),
    [
        ("request", "邻居听到老人被打骂", "department", "urgent"), ("complaint", "工作人员假签名骗保", "department", "high"),
        ("enquiry", "消费券怎么领", "department", ""), ("suggestion", "多开几个助餐点", "guidance_centre", ""),
        ("request", "家庭医生什么时候来", "health_centre", ""),
    ],
)  # fmt: skip
def test_the_table_of_the_platform(kind: str, text: str, body: str, level: str) -> None:
    found = triage(read_rules(parameter("ticket.triage", "3202", ON)), kind=kind, family="", text=text)
    assert (found.proposed[0].body.kind, found.level) == (body, level)
