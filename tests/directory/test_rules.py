"""Rules of the map, without a database."""

from datetime import date, time

import pytest

from yinling.directory.roles import EXCLUSIVE, ROLES
from yinling.directory.rules import (
    bodies_by_area,
    calendar_rows,
    check_new_grant,
    clock_time,
    known_choice,
    may,
    period_of,
    person_of,
    position_of,
    require,
    required_text,
)
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refused

HEAD = "date,weekday,kind,name,in_lieu\n"


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"role": "king"}, "grant.role", "role"),
        ({"role": "system"}, "grant.role", "role"),
        ({"proposer_id": 7}, "grant.self", "user_id"),
        ({"role": "audit_admin", "held": frozenset({"system_admin"})}, "grant.exclusive", "role"),
        ({"role": "seat", "has_area": False}, "grant.area", "div"),
        ({"role": "carer", "has_organisation": False}, "grant.organisation", "organisation_id"),
        ({"role": "seat", "held": frozenset({"system_admin"})}, None, ""),
        ({"role": "elder", "has_area": False, "has_organisation": False}, None, ""),
    ],
)
def test_which_grants_may_be_made(values: dict[str, object], code: str | None, field: str) -> None:
    chosen = {
        "role": "seat", "held": frozenset(), "proposer_id": 1, "user_id": 7, "has_area": True, "has_organisation": True, **values
    }  # fmt: skip
    if code is None:
        check_new_grant(**chosen)
        return
    with pytest.raises(Refused) as refused:
        check_new_grant(**chosen)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.req("X-DJ-03", "R-ROL-07")
@pytest.mark.parametrize("one", sorted(EXCLUSIVE))
@pytest.mark.parametrize("other", sorted(EXCLUSIVE))
def test_the_three_administrators_exclude_each_other(one: str, other: str) -> None:
    chosen = {"proposer_id": 1, "user_id": 7, "has_area": True, "has_organisation": False}
    if one == other:
        check_new_grant(role=one, held=frozenset({other}), **chosen)
        return
    with pytest.raises(Refused, match="exclusive"):
        check_new_grant(role=one, held=frozenset({other}), **chosen)
    powers = {"directory.user.register", "directory.grant.confirm", "accounts.journal.view"}
    assert not powers & ROLES[one].rights & ROLES[other].rights


def actor(**values: object) -> Actor:
    return Actor(**{"user_id": 1, "name": "甲", "role": "seat", "rights": frozenset({"a.b.c"}), **values})


@pytest.mark.parametrize(
    ("who", "row", "allowed"),
    [
        ({"div": "3202"}, {"div": "320213021"}, True),
        ({"div": "320213"}, {"div": "320213"}, True),
        ({"div": "320213"}, {"div": "3202"}, False),
        ({"div": "320213"}, {"div": "320281100"}, False),
        ({"organisation_id": 5}, {"div": "3202", "provider_id": 5}, True),
        ({"organisation_id": 5}, {"div": "3202", "provider_id": 6}, False),
        ({"organisation_id": None}, {"div": "3202", "provider_id": None}, False),
        ({"elder_ids": (9,)}, {"div": "3202", "elder_id": 9}, True),
        ({"elder_ids": (9,)}, {"div": "3202", "elder_id": 8}, False),
        ({}, {}, True),
    ],
)
def test_whose_row_it_is(who: dict[str, object], row: dict[str, object], allowed: object) -> None:
    assert may(actor(**who), "a.b.c", **row) is allowed
    assert may(actor(**{"rights": frozenset()} | who), "a.b.c", **row) is False


def test_a_missing_right_names_the_roles_that_have_it() -> None:
    with pytest.raises(Denied) as denied:
        require(actor(), "people.elder.reveal")
    assert (denied.value.code, denied.value.values["roles"]) == ("right.missing", "坐席、热线班长")
    with pytest.raises(Denied, match="outside"):
        require(actor(div="3203"), "a.b.c", div="3202")


def test_texts_choices_and_times() -> None:
    assert required_text("  甲 ", "name") == "甲"
    assert known_choice("a", [("a", "A")], "kind") == "a"
    assert clock_time("08:30", "day_from") == time(8, 30)
    for call, code in [
        (lambda: required_text(" ", "name"), "text.missing"),
        (lambda: required_text("甲乙", "name", most=1), "text.too_long"),
        (lambda: known_choice("b", [("a", "A")], "kind"), "choice.unknown"),
        (lambda: clock_time("八点", "day_from"), "time.format"),
        (lambda: period_of(date(2026, 1, 2), date(2026, 1, 1)), "period.empty"),
        (lambda: position_of(120.0, None, "wgs84"), "geo.half"),
        (lambda: position_of(None, 31.0, "wgs84"), "geo.half"),
        (lambda: position_of(200.0, 31.0, "wgs84"), "geo.range"),
    ]:
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.code == code
        assert refused.value.field
    assert position_of(None, None, "wgs84") is None


def test_the_last_day_is_meant_inclusively() -> None:
    assert period_of(date(2026, 1, 1), date(2026, 12, 31)).to == date(2027, 1, 1)
    assert period_of(date(2026, 1, 1), None).to is None


def test_the_lists_of_the_state_council_are_read() -> None:
    text = "\ufeff" + HEAD + "2026-01-01,四,holiday,元旦,0\n2026-01-04,日,makeup_workday,元旦,0\n"
    assert calendar_rows(text) == [
        (date(2026, 1, 1), "holiday", "元旦"),
        (date(2026, 1, 4), "makeup_workday", "元旦"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "calendar.columns"),
        ("date,kind\n2026-01-01,holiday\n", "calendar.columns"),
        (HEAD, "calendar.empty"),
        (HEAD + "2026-13-01,四,holiday,元旦,0\n", "calendar.date"),
        (HEAD + "2026-01-01,五,holiday,元旦,0\n", "calendar.weekday"),
        (HEAD + "2026-01-01,四,party,元旦,0\n", "calendar.kind"),
        (HEAD + "2026-01-01,四,makeup_workday,元旦,0\n", "calendar.kind"),
        (HEAD + "2026-01-01,四,holiday,元旦,0\n" * 2, "calendar.twice"),
    ],
)
def test_wrong_calendar_lists(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        calendar_rows(text)
    assert (refused.value.code, refused.value.field) == (code, "text")


def test_a_wrong_line_is_named() -> None:
    with pytest.raises(Refused) as refused:
        calendar_rows(HEAD + "2026-01-01,四,holiday,元旦,0\n2026-01-02,六,holiday,元旦,0\n")
    assert refused.value.values["line"] == 3


@pytest.mark.req("R-ORD-04")
def test_the_narrowest_duty_wins_and_gaps_and_overlaps_show() -> None:
    duties = [("3202", 1), ("320213021", 2), ("320213021001", 3), ("320281", 4), ("320281", 5)]
    areas = ["320213021001", "320213021002", "320213022001", "320281100200", "321100000001"]
    assert bodies_by_area(areas, duties) == {
        "320213021001": [3],
        "320213021002": [2],
        "320213022001": [1],
        "320281100200": [4, 5],
        "321100000001": [],
    }


def test_a_step_that_somebody_answers_for_needs_a_login() -> None:
    with pytest.raises(Refused, match=r"login\.needed"):
        person_of(Actor(None, "任务", "system"))
    assert person_of(Actor(7, "王五", "finance")) == 7
