"""The import of a sheet from upload to undo, under the scope of who does it."""

from __future__ import annotations

import base64
import io
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    STREET,
    actor,
    city,
    make_elder,
    make_entitlement,
    make_household,
    make_order,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.ground.scope import OpenScope, scope
from yinling.kernel.actor import Actor
from yinling.kernel.id_number import made_up
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refused
from yinling.people.models import (
    Circumstance,
    Contact,
    Elder,
    ElderKey,
    HealthFact,
    Household,
    Import,
    ImportLine,
    Source,
)
from yinling.people.operations import (
    cancel_import,
    check_import,
    decide_line,
    decide_lines,
    import_slices,
    map_import,
    save_source,
    start_import,
    undo_import,
    upload_import,
)
from yinling.people.operations.import_slices import work_on

HEADS = ["姓名", "身份证号", "联系电话", "社区", "住址", "人群类别"]


def number(serial: int, born: date = date(1946, 3, 1), sex: str = "female") -> str:
    return made_up(700_000 + serial, born, sex).number  # type: ignore[arg-type]


def workbook(rows: list[list[Any]], heads: list[str] | None = None) -> str:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet("名单")
    for place, row in enumerate([heads or HEADS, *rows]):
        sheet.write_row(place, 0, row)
    book.close()
    return base64.b64encode(target.getvalue()).decode()


@pytest.fixture
def clerk(wide: OpenScope) -> Actor:
    """An officer of the street with two communities."""
    city()
    system()
    return actor("street", STREET)


@pytest.fixture
def source(clerk: Actor) -> Source:
    with scope(clerk):
        return save_source(actor=clerk, now=NOW, name="街道民政名册", department="civil_affairs")


def upload(clerk: Actor, source: Source, rows: list[list[Any]], heads: list[str] | None = None) -> Import:
    with scope(clerk):
        return upload_import(
            actor=clerk, now=NOW, source_id=source.pk, content=workbook(rows, heads), file_name="名册.xlsx"
        )


def work(clerk: Actor, row: Import) -> Import:
    """Do what the job does, to the end."""
    while True:
        with scope(clerk):
            more = work_on(actor=clerk, now=NOW, import_id=row.pk)
        if not more:
            row.refresh_from_db()
            return row


def checked(clerk: Actor, source: Source, rows: list[list[Any]], heads: list[str] | None = None) -> Import:
    row = upload(clerk, source, rows, heads)
    with scope(clerk):
        check_import(actor=clerk, now=NOW, import_id=row.pk)
    return work(clerk, row)


def started(clerk: Actor, row: Import) -> Import:
    with scope(clerk):
        start_import(actor=clerk, now=NOW, import_id=row.pk)
    return work(clerk, row)


def undone(clerk: Actor, row: Import) -> Import:
    with scope(clerk):
        undo_import(actor=clerk, now=NOW, import_id=row.pk, reason="选错了文件")
    return work(clerk, row)


def outcomes(row: Import) -> list[str]:
    return list(ImportLine.objects.filter(sheet_import=row).order_by("number").values_list("outcome", flat=True))


def codes(row: Import) -> list[list[str]]:
    lines = ImportLine.objects.filter(sheet_import=row).order_by("number")
    return [[fault["code"] for fault in line.faults] for line in lines]


def register() -> list[Any]:
    """Everything of the register that an import may touch."""
    return [
        sorted(
            Elder.objects.values_list(
                "pk", "name", "sex", "born_on", "div", "household_id", "phone_last4", "died_on", "hukou_div"
            )
        ),
        sorted(Circumstance.objects.filter(recorded_to=None).values_list("elder_id", "kind", "valid_from", "detail")),
        sorted(Contact.objects.values_list("pk", "elder_id", "name")),
        HealthFact.objects.filter(recorded_to=None).count(),
        sorted(Household.objects.values_list("pk", "address")),
        ElderKey.objects.count(),
    ]


PEOPLE = [
    ["王秀英", number(1), "19900000001", "公园社区", "中山路1号", "低保"],
    ["李建国", number(2, date(1940, 1, 2), "male"), "", "学前社区", "学前街2号", "独居、残疾"],
]


def test_nothing_is_written_before_the_confirmation_and_everything_after(clerk: Actor, source: Source) -> None:
    before = register()
    row = checked(clerk, source, PEOPLE)
    assert (row.state, row.row_count, row.done_count, outcomes(row)) == ("checked", 2, 2, ["new", "new"])
    assert register() == before
    row = started(clerk, row)
    assert (row.state, row.outcome_counts) == ("done", {"new": 2, "to_write": 2, "written": 2})
    wang, li = Elder.objects.order_by("pk")
    assert (wang.name, wang.sex, wang.born_on, wang.div, wang.household.address) == (
        "王秀英",
        "2",
        date(1946, 3, 1),
        COMMUNITY,
        "中山路1号",
    )
    assert (wang.unseal_field("id_number"), wang.unseal_field("phone")) == (number(1), "19900000001")
    assert (li.div, li.sex) == (NEIGHBOUR, "1")
    kinds = sorted(Circumstance.objects.values_list("elder_id", "kind", "valid_from", "body"))
    today = date(2026, 6, 15)
    assert kinds == sorted(
        [
            (wang.pk, "dibao", today, "民政部门"),
            (li.pk, "lives_alone", today, "民政部门"),
            (li.pk, "disability", today, "民政部门"),
        ]
    )
    assert (
        Journal.objects.filter(
            elder_id=wang.pk, event="people.elder.register", reason=f"导入 #{row.pk} 街道民政名册"
        ).count()
        == 1
    )


def test_the_same_file_again_changes_nothing(clerk: Actor, source: Source) -> None:
    rows = [*PEOPLE, ["周无证", "", "", "公园社区", "中山路9号", ""]]
    heads = [*HEADS, "出生日期"]
    rows = [[*one, "1946-03-01" if index != 1 else ""] for index, one in enumerate(rows)]
    started(clerk, checked(clerk, source, rows, heads))
    before = register()
    row = checked(clerk, source, rows, heads)
    assert outcomes(row) == ["same", "same", "same"]
    with refused(clerk, NotAllowed, "import.nothing", contents=register):
        start_import(actor=clerk, now=NOW, import_id=row.pk)
    assert register() == before


def test_undo_gives_back_the_register_as_it_was(clerk: Actor, source: Source) -> None:
    known = make_elder(
        COMMUNITY, name="王秀英", phone="19900000009", household=make_household(COMMUNITY, address="老街3号")
    )
    dibao = Circumstance.objects.create(
        elder=known,
        div=COMMUNITY,
        kind="disability",
        detail="肢体三级",
        body="残联",
        valid_from=date(2020, 1, 1),
        recorded_from=NOW,
    )
    before = register()
    heads = [*HEADS, "残疾类别", "残疾等级", "联系人", "联系人电话", "过敏史"]
    rows = [
        [
            "王秀英",
            known.unseal_field("id_number"),
            "19900000001",
            "学前社区",
            "学前街5号",
            "低保",
            "肢体",
            "二级",
            "王芳",
            "19900000033",
            "青霉素",
        ],
        [*PEOPLE[1], "", "", "", "", ""],
    ]
    row = checked(clerk, source, rows, heads)
    assert outcomes(row) == ["changed", "new"]
    started(clerk, row)
    known.refresh_from_db()
    assert (known.div, known.household.address, known.unseal_field("phone")) == (NEIGHBOUR, "学前街5号", "19900000001")
    held = dict(Circumstance.objects.filter(elder=known, recorded_to=None, valid_to=None).values_list("kind", "detail"))
    assert held == {"dibao": "", "disability": "肢体二级", "severe_disability": "肢体二级"}
    assert HealthFact.objects.get().unseal_field("content") == "青霉素"
    row = undone(clerk, row)
    known.refresh_from_db()
    assert row.state == "undone"
    after = register()
    assert after[:4] == before[:4]
    assert known.unseal_field("phone") == "19900000009"
    dibao.refresh_from_db()
    assert (dibao.valid_to, dibao.recorded_to) == (None, None)
    assert outcomes(checked(clerk, source, rows, heads)) == ["changed", "new"]


def test_undo_keeps_what_something_refers_to_and_says_so(clerk: Actor, source: Source) -> None:
    row = started(clerk, checked(clerk, source, PEOPLE))
    used, _unused = Elder.objects.order_by("pk")
    make_entitlement(used)
    row = undone(clerk, row)
    assert list(Elder.objects.values_list("pk", flat=True)) == [used.pk]
    assert (row.state, row.outcome_counts["kept"]) == ("undone", 1)
    assert codes(row) == [["undo.referenced"], []]
    assert not Household.objects.filter(address="学前街2号").exists()


def test_undo_keeps_what_somebody_changed_since(clerk: Actor, source: Source) -> None:
    known = make_elder(COMMUNITY, name="王秀英")
    row = started(
        clerk, checked(clerk, source, [["王秀英", known.unseal_field("id_number"), "19900000001", "公园社区", "", ""]])
    )
    known.refresh_from_db()
    known.set_phone("19900000777")
    known.save()
    row = undone(clerk, row)
    known.refresh_from_db()
    assert known.unseal_field("phone") == "19900000777"
    assert codes(row) == [["undo.changed"]]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({0: ""}, "name.missing"),
        ({1: number(1)[:-1] + ("0" if number(1)[-1] != "0" else "1")}, "id.checksum"),
        ({1: 3.2e17}, "cell.digits_lost"),
        ({2: "1.38E+10"}, "cell.digits_lost"),
        ({2: "12"}, "phone.format"),
        ({3: "不存在社区"}, "place.unknown"),
        ({3: "利城村"}, "place.outside"),
        ({3: ""}, "place.missing"),
        ({4: ""}, "address.missing"),
        ({5: "奇怪"}, "word.unknown"),
        ({1: number(3, date(1990, 1, 1))}, "elder.under_60"),
    ],
)
def test_an_error_stays_in_its_row(clerk: Actor, source: Source, values: dict[int, Any], code: str) -> None:
    wrong = [values.get(place, cell) for place, cell in enumerate(PEOPLE[0])]
    row = checked(clerk, source, [wrong, PEOPLE[1]])
    assert outcomes(row) == ["error", "new"]
    assert codes(row) == [[code], []]
    started(clerk, row)
    assert list(Elder.objects.values_list("name", flat=True)) == ["李建国"]


def test_a_street_cannot_take_over_the_file_of_another_area(clerk: Actor, source: Source) -> None:
    there = make_elder(OTHER_COMMUNITY, name="王秀英")
    row = checked(clerk, source, [["王秀英", there.unseal_field("id_number"), "", "公园社区", "中山路1号", ""]])
    assert (outcomes(row), codes(row)) == (["error"], [["elder.elsewhere"]])


def test_the_sheet_of_another_area_does_not_exist(clerk: Actor, source: Source) -> None:
    row = upload(clerk, source, PEOPLE)
    other = actor("street", "320281100")
    with scope(other):
        assert list(Import.objects.visible_to(other)) == list(Source.objects.visible_to(other)) == []
    with pytest.raises(NotFound), scope(other):
        check_import(actor=other, now=NOW, import_id=row.pk)


def test_who_keeps_no_register_cannot_import(clerk: Actor, source: Source) -> None:
    community = actor("community", COMMUNITY)
    with refused(community, Denied, "right.missing", contents=Source.objects.count):
        save_source(actor=community, now=NOW, name="x", department="health")


# Doubles


def test_name_birth_and_phone_make_a_double_that_people_decide(clerk: Actor, source: Source) -> None:
    known = make_elder(COMMUNITY, name="王秀英", phone="19900000001", id_type="none")
    row = checked(clerk, source, [PEOPLE[0]])
    line = ImportLine.objects.get()
    assert (line.outcome, line.candidates) == ("double", [{"elder": known.pk, "why": "person"}])
    with refused(clerk, NotAllowed, "import.nothing", contents=register):
        start_import(actor=clerk, now=NOW, import_id=row.pk)
    with scope(clerk):
        decide_line(actor=clerk, now=NOW, line_id=line.pk, decision="same", elder_id=known.pk)
    started(clerk, row)
    known.refresh_from_db()
    assert (Elder.objects.count(), known.unseal_field("id_number"), known.id_type) == (1, number(1), "id")
    assert outcomes(checked(clerk, source, [PEOPLE[0]])) == ["same"]


def test_a_namesake_in_the_same_home_may_be_another_person(clerk: Actor, source: Source) -> None:
    make_elder(COMMUNITY, name="王秀英", id_type="none", household=make_household(COMMUNITY, address="中山路1号"))
    row = checked(clerk, source, [PEOPLE[0]])
    with scope(clerk):
        decide_lines(actor=clerk, now=NOW, import_id=row.pk, decision="other")
    started(clerk, row)
    assert list(Elder.objects.values_list("name", flat=True)) == ["王秀英", "王秀英"]
    assert Household.objects.filter(address="中山路1号").count() == 1


def test_the_same_number_under_another_name_is_shown_and_cannot_be_new(clerk: Actor, source: Source) -> None:
    known = make_elder(COMMUNITY, name="王秀兰")
    row = checked(clerk, source, [["赵桂芳", known.unseal_field("id_number"), "", "公园社区", "中山路1号", ""]])
    line = ImportLine.objects.get()
    assert line.candidates == [{"elder": known.pk, "why": "id"}]
    with refused(clerk, Refused, "line.one_person", contents=register):
        decide_line(actor=clerk, now=NOW, line_id=line.pk, decision="other")
    with scope(clerk):
        decide_line(actor=clerk, now=NOW, line_id=line.pk, decision="skip")
    assert row.state == "checked"


def test_a_person_said_twice_in_one_file_is_written_once(clerk: Actor, source: Source) -> None:
    again = ["王秀英", number(1), "19900000001", "公园社区", "中山路1号", "独居"]
    row = checked(clerk, source, [PEOPLE[0], PEOPLE[0], again])
    assert outcomes(row) == ["new", "skipped", "double"]
    with scope(clerk):
        decide_lines(actor=clerk, now=NOW, import_id=row.pk, decision="same")
    row = started(clerk, row)
    assert Elder.objects.count() == 1
    assert sorted(Circumstance.objects.values_list("kind", flat=True)) == ["dibao", "lives_alone"]
    undone(clerk, row)
    assert Elder.objects.count() == Circumstance.objects.count() == 0


def test_everybody_said_again_gets_the_file_of_the_first(clerk: Actor, source: Source) -> None:
    moved = [["王秀英", number(1), "19900000001", "公园社区", f"中山路{house}号", ""] for house in (2, 3)]
    row = checked(clerk, source, [PEOPLE[0], *moved])
    with scope(clerk):
        decide_lines(actor=clerk, now=NOW, import_id=row.pk, decision="same")
    row = started(clerk, row)
    assert Elder.objects.get().household.address == "中山路3号"
    assert "failed" not in row.outcome_counts


def test_a_sheet_that_contradicts_itself_does_not_turn_a_decision_back(clerk: Actor, source: Source) -> None:
    rows = [PEOPLE[0], ["王秀英", number(1), "19900000001", "公园社区", "中山路2号", ""]]
    row = checked(clerk, source, rows)
    assert outcomes(row) == ["new", "double"]
    with scope(clerk):
        decide_lines(actor=clerk, now=NOW, import_id=row.pk, decision="same")
    started(clerk, row)
    before = register()
    row = checked(clerk, source, rows)
    assert outcomes(row) == ["double", "same"]
    assert ["row.twice"] in codes(row)
    assert register() == before
    with scope(clerk):
        decide_lines(actor=clerk, now=NOW, import_id=row.pk, decision="same")
    started(clerk, row)
    assert Elder.objects.get().household.address == PEOPLE[0][4]


# Work in slices


def test_a_killed_job_goes_on_where_it_stopped(clerk: Actor, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_slices, "SLICE", 2)
    people = [
        [f"王秀{chr(0x82B1 + index)}", number(index), "", "公园社区", f"中山路{index}号", "低保"] for index in range(5)
    ]
    row = upload(clerk, source, people)
    with scope(clerk):
        check_import(actor=clerk, now=NOW, import_id=row.pk)
        assert work_on(actor=clerk, now=NOW, import_id=row.pk)
    with pytest.raises(RuntimeError), scope(clerk):
        work_on(actor=clerk, now=NOW, import_id=row.pk)
        raise RuntimeError
    row.refresh_from_db()
    assert (row.done_count, ImportLine.objects.count()) == (2, 2)
    row = work(clerk, row)
    assert outcomes(row) == ["new"] * 5
    with scope(clerk):
        start_import(actor=clerk, now=NOW, import_id=row.pk)
    with pytest.raises(RuntimeError), scope(clerk):
        work_on(actor=clerk, now=NOW, import_id=row.pk)
        raise RuntimeError
    row = work(clerk, row)
    assert (row.state, row.outcome_counts["written"], Elder.objects.count(), Circumstance.objects.count()) == (
        "done",
        5,
        5,
        5,
    )


def test_cancelling_keeps_what_was_written_until_it_is_undone(
    clerk: Actor, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_slices, "SLICE", 1)
    row = checked(clerk, source, PEOPLE)
    with scope(clerk):
        start_import(actor=clerk, now=NOW, import_id=row.pk)
        work_on(actor=clerk, now=NOW, import_id=row.pk)
        cancel_import(actor=clerk, now=NOW, import_id=row.pk)
        assert not work_on(actor=clerk, now=NOW, import_id=row.pk)
    assert Elder.objects.count() == 1
    assert undone(clerk, row).state == "undone"
    assert Elder.objects.count() == 0


@pytest.mark.req("R-PEO-03")
def test_a_death_in_a_sheet_is_registered_as_by_hand(clerk: Actor, source: Source) -> None:
    known = make_elder(COMMUNITY, name="王秀英")
    order = make_order("placed", elder=known)
    heads = ["姓名", "身份证号", "死亡日期"]
    row = started(clerk, checked(clerk, source, [["王秀英", known.unseal_field("id_number"), "2026-06-01"]], heads))
    known.refresh_from_db()
    assert known.died_on == date(2026, 6, 1)
    assert Circumstance.objects.get(elder=known, kind="deceased").valid_from == date(2026, 6, 2)
    undone(clerk, row)
    known.refresh_from_db()
    assert (known.died_on, order.pk > 0) == (None, True)


def test_a_mapping_without_a_name_is_refused_and_another_mapping_is_kept_for_the_source(
    clerk: Actor, source: Source
) -> None:
    row = upload(clerk, source, [["王秀英", number(1), "公园社区", "中山路1号"]], ["甲", "乙", "丙", "丁"])
    with refused(clerk, Refused, "mapping.name", contents=register):
        check_import(actor=clerk, now=NOW, import_id=row.pk)
    mapping = {
        "header": 0,
        "columns": {"甲": "name", "乙": "id_number", "丙": "div", "丁": "address"},
        "since": "2026-01-01",
        "always": "dibao",
    }
    with scope(clerk):
        map_import(actor=clerk, now=NOW, import_id=row.pk, mapping=mapping)
        check_import(actor=clerk, now=NOW, import_id=row.pk)
    started(clerk, work(clerk, row))
    assert Circumstance.objects.get().valid_from == date(2026, 1, 1)
    again = upload(clerk, source, [], ["丁", "甲", "乙", "丙"])
    assert again.mapping["columns"] == {"丁": "address", "甲": "name", "乙": "id_number", "丙": "div"}
    assert DISTRICT
