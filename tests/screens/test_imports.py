"""The pages of an import: who may, what they show, and how they lead from the file to the register."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import COMMUNITY, NOW, STREET, actor, make_elder, system
from tests.people.test_imports import HEADS, PEOPLE, number, work, workbook

from yinling.accounts.models import Journal
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.people.models import Elder, Import, ImportLine, Source
from yinling.people.operations import check_import, save_source, upload_import

SignIn = Callable[..., Client]
MOST_QUERIES = 8
CHANGED = [["王秀英", number(1)[:-2] + "00", "1.38E+10", "不知道", "中山路1号", "奇怪"], *PEOPLE]


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def clerk(sign_in: SignIn) -> Client:
    system()
    return sign_in(actor("street", STREET))


def put(who: Actor, rows: list[list[Any]], *, check: bool = True) -> Import:
    with scope(who):
        source = Source.objects.first() or save_source(actor=who, now=NOW, name="民政名册", department="civil_affairs")
        row = upload_import(actor=who, now=NOW, source_id=source.pk, content=workbook(rows), file_name="名册.xlsx")
        if check:
            check_import(actor=who, now=NOW, import_id=row.pk)
    return work(who, row) if check else row


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(
        query["sql"].startswith("SELECT") and "set_config" not in query["sql"] for query in seen.captured_queries
    )


def test_who_keeps_no_register_is_told_who_does(sign_in: SignIn) -> None:
    client = sign_in("seat")
    for address in (
        "/imports/",
        "/imports/new/",
        "/imports/1/",
        "/imports/1/columns/",
        "/imports/1/doubles/",
        "/imports/1/errors/",
    ):
        answer = client.get(address)
        assert answer.status_code == 403
        assert "街道工作人员" in text_of(answer)


def test_an_import_of_another_area_does_not_exist(clerk: Client, sign_in: SignIn) -> None:
    row = put(clerk.actor, PEOPLE)  # type: ignore[attr-defined]
    other = sign_in(actor("street", "320281100"))
    assert "还没有导入过名册" in text_of(other.get("/imports/"))
    for part in ("", "columns/", "doubles/"):
        assert other.get(f"/imports/{row.pk}/{part}").status_code == 404
    assert other.post(f"/imports/{row.pk}/errors/").status_code == 404


def test_from_the_file_to_the_register(clerk: Client) -> None:
    assert "还没有导入过名册" in text_of(clerk.get("/imports/"))
    file = SimpleUploadedFile("名册.xlsx", base64.b64decode(workbook(PEOPLE)))
    answer = clerk.post("/imports/new/", {"content": file, "name": "街道民政", "department": "civil_affairs"})
    row = Import.objects.get()
    assert answer.headers["Location"] == f"/imports/{row.pk}/columns/"
    html = text_of(clerk.get(f"/imports/{row.pk}/columns/"))
    assert all(word in html for word in ("王秀英", "没有发现错误", "开始试算（2 行）", "991*"))
    assert number(1) not in html
    assert clerk.post(f"/imports/{row.pk}/columns/", form_of(html, then="check")).status_code == 302
    html = text_of(clerk.get(f"/imports/{row.pk}/"))
    assert "正在试算" in html
    assert "0 / 2" in html
    work(clerk.actor, row)  # type: ignore[attr-defined]
    html = text_of(clerk.get(f"/imports/{row.pk}/"))
    assert re.findall(r'id="line-(\d+)"', html) == ["2", "3"]
    assert clerk.post("/do/start_import/", {"import_id": row.pk}).status_code == 302
    work(clerk.actor, row)  # type: ignore[attr-defined]
    assert Elder.objects.count() == 2
    assert "撤销导入" in text_of(clerk.get(f"/imports/{row.pk}/"))


def form_of(html: str, **values: str) -> dict[str, str]:
    """Return what a browser would send of the columns' form."""
    found = {
        name: (re.search(r'<option value="([^"]*)" selected', body) or re.search(r"()", body))[1]  # type: ignore[index]
        for name, body in re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', html, re.DOTALL)
    }
    found |= dict(re.findall(r'<input[^>]* name="(header|since|body)"[^>]* value="([^"]*)"', html))
    return found | values


def test_a_new_source_that_was_typed_counts_whatever_the_list_was_left_at(clerk: Client) -> None:
    for name in ("街道民政", "街道残联"):
        file = SimpleUploadedFile("名册.xlsx", base64.b64decode(workbook(PEOPLE)))
        old = Import.objects.values_list("source_id", flat=True).first() or ""
        clerk.post("/imports/new/", {"content": file, "source": old, "name": name, "department": "civil_affairs"})
    assert list(Import.objects.order_by("pk").values_list("source__name", flat=True)) == ["街道民政", "街道残联"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "请选择要导入的文件"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "这不是表格文件"),
        (b"\xff\x80\x81" * 50, "文字编码"),
        (b"<html><table></table>", "网页格式"),
        (b"PK\x03\x04", "打不开"),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_to_do(clerk: Client, content: bytes, sentence: str) -> None:
    files = {"content": SimpleUploadedFile("x.xlsx", content)} if content else {}
    answer = clerk.post("/imports/new/", {**files, "name": "新来源", "department": "health"})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert Import.objects.count() == 0


def test_the_preview_marks_the_cell_and_the_sentence(clerk: Client) -> None:
    row = put(clerk.actor, CHANGED, check=False)  # type: ignore[attr-defined]
    html = text_of(clerk.get(f"/imports/{row.pk}/columns/"))
    assert html.count('<td class="error">') == 4
    assert all(
        word in html
        for word in ("校验不通过", "末尾几位已经丢失", "没有这个社区", "1 行有错误", "人群类别（文字）：奇怪")
    )
    sent = form_of(html, then="preview", **{"word.circumstance.奇怪": "hardship"})
    html = text_of(clerk.post(f"/imports/{row.pk}/columns/", sent))
    assert html.count('<td class="error">') == 3
    assert Source.objects.get().mapping["words"] == {"circumstance": {"奇怪": "hardship"}}


def test_a_mapping_that_makes_no_sense_is_refused_in_place(clerk: Client) -> None:
    row = put(clerk.actor, PEOPLE, check=False)  # type: ignore[attr-defined]
    sent = {"header": "1", "column.0": "phone", "column.1": "id_number", "then": "check"}
    answer = clerk.post(f"/imports/{row.pk}/columns/", sent)
    assert answer.status_code == 422
    assert "请指定哪一列是姓名" in text_of(answer)
    row.refresh_from_db()
    assert row.state == "uploaded"


def test_the_errors_come_back_as_a_sheet_that_can_be_corrected(clerk: Client) -> None:
    row = put(clerk.actor, [["=1+1", "123", "", "公园社区", "路1号", ""], *PEOPLE])  # type: ignore[attr-defined]
    answer = clerk.post(f"/imports/{row.pk}/errors/")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows[2] == ["原行号", *HEADS, "要改正的地方"]
    assert rows[3][:5] == ["2", "0", "123", "", "公园社区"] or rows[3][1] == "=1+1"
    assert "身份证号：身份证号码应为18位" in rows[3][-1]
    assert len(rows) == 4
    assert Journal.objects.filter(event="people.import.export", user_id=clerk.actor.user_id).count() == 1  # type: ignore[attr-defined]


def test_doubles_stand_side_by_side_and_are_decided(clerk: Client) -> None:
    known = make_elder(COMMUNITY, name="王秀英", phone="19900000001", id_type="none")
    row = put(clerk.actor, PEOPLE)  # type: ignore[attr-defined]
    html = text_of(clerk.get(f"/imports/{row.pk}/doubles/"))
    assert all(
        word in html for word in ("姓名、出生日期、电话相同", f"E-{known.pk:06d}", "是另一人，新建档案", "199****0001")
    )
    line = ImportLine.objects.get(outcome="double")
    assert (
        clerk.post("/do/decide_line/", {"line_id": line.pk, "decision": "same", "elder_id": known.pk}).status_code
        == 302
    )
    assert "更新已有档案" in text_of(clerk.get(f"/imports/{row.pk}/doubles/"))
    assert "没有要处理的重复" in text_of(clerk.get(f"/imports/{row.pk}/doubles/?open=1"))


def test_no_page_asks_more_for_more_rows(clerk: Client) -> None:
    for phone in ("19900000001", "19900000002", "19900000003"):
        make_elder(COMMUNITY, name="王秀英", phone=phone, id_type="none")
    few = put(clerk.actor, [PEOPLE[0]])  # type: ignore[attr-defined]
    asked = {part: queries_of(clerk, f"/imports/{few.pk}/{part}") for part in ("", "columns/", "doubles/")}
    listed = queries_of(clerk, "/imports/")
    rows = [
        ["王秀英", number(index), f"1990000000{index}", "公园社区", f"中山路{index}号", "低保"] for index in (1, 2, 3)
    ]
    many = put(clerk.actor, rows)  # type: ignore[attr-defined]
    put(clerk.actor, PEOPLE)  # type: ignore[attr-defined]
    assert {part: queries_of(clerk, f"/imports/{many.pk}/{part}") for part in asked} == asked
    assert queries_of(clerk, "/imports/") == listed
    assert max(*asked.values(), listed, queries_of(clerk, "/imports/new/")) <= MOST_QUERIES


def test_a_page_at_rest_is_not_swapped_under_an_open_form(clerk: Client) -> None:
    """While nothing is at work, the news of another import must not close the form that somebody fills in."""
    row = put(clerk.actor, PEOPLE)  # type: ignore[attr-defined]
    html = text_of(clerk.get(f"/imports/{row.pk}/"))
    assert 'id="import-body"' in html
    assert "live:imports" not in html
    Import.objects.filter(pk=row.pk).update(state="running")
    assert "live:imports" in text_of(clerk.get(f"/imports/{row.pk}/"))
