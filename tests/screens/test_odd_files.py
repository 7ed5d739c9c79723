"""Files no bank would send, and forms nobody typed: each is read or refused in words, and none breaks a page."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from xlsxwriter import Workbook

from yinling.settlement.models import FileLayout, Transfer

SignIn = Callable[..., Client]
pytestmark = pytest.mark.usefixtures("wide")
NEW = "/settlement/arrivals/new/"
HEADS = "交易时间,流水号,对方单位,收入金额,支出金额"
FILE = f"{HEADS}\n2026-06-30,7001,江城市财政局,40.00,".encode()


def sent(client: Client, content: bytes, name: str = "明细.csv", **values: str) -> tuple[int, str]:
    answer = client.post(NEW, {"file": SimpleUploadedFile(name, content), **values})
    return answer.status_code, answer.content.decode()


def workbook(number: str) -> bytes:
    """A workbook of a bank in which the number of the receipt is a cell as given in its XML."""
    target = io.BytesIO()
    book = Workbook(target)
    sheet = book.add_worksheet("明细")
    for place, row in enumerate([HEADS.split(","), ["2026-06-30", 424242, "江城市财政局", 40, None]]):
        sheet.write_row(place, 0, row)
    book.close()
    packed, changed = zipfile.ZipFile(target), io.BytesIO()
    with zipfile.ZipFile(changed, "w") as written:
        for one in packed.namelist():
            written.writestr(one, packed.read(one).replace(b"424242", number.encode()))
    return changed.getvalue()


LAYOUT = {"header": 0, "columns": {"交易时间": "on", "流水号": "note", "对方单位": "payer", "收入金额": "amount_fen"}}


@pytest.mark.parametrize("number", ["NaN", "inf", "-7", "1.5", "1e300"])
def test_a_number_that_is_none_is_a_fault_of_its_line(sign_in: SignIn, number: str) -> None:
    words = {"payer": {"江城市财政局": "government/general"}}
    said = {"then": "map", "header": "1", "layout": json.dumps(LAYOUT | {"words": words})}
    said |= {f"column.{place}": code for place, code in enumerate(["on", "note", "payer", "amount_fen", ""])}
    status, html = sent(sign_in("finance"), workbook(number), "明细.xlsx", **said)
    assert status == 200
    assert "试读结果" in html


@pytest.mark.parametrize(
    "values",
    [
        {"header": "9" * 5000}, {"header": "x"}, {"header": "-1"}, {"sheet": "没有"}, {"column.1": "没有"},
        {"layout": "[" * 100_000}, {"layout": "[]"}, {"layout": "1"}, {"layout": '{"columns": [], "words": 1, "sheet": 3, "header": true}'},
        {"layout": '{"words": {"payer": {"a\\u0000": "x"}}}'}, {"layout": '{"words": {"payer": {"a\\ud800": "x"}}}'},
        {"layout": '{"columns": {"a\\ud800": "on"}}'}, {"layout": '{"sheet": "\\ud800"}'},
        {"word.field": "payer", "word.text": "谁", "word.meaning": "\x00"},
        {"word.field": "没有", "word.text": "谁", "word.meaning": "x"},
        {"content": "%%%"}, {"content": "\x00"},
    ],
)  # fmt: skip
def test_a_form_that_nobody_typed_is_answered(sign_in: SignIn, values: dict[str, str]) -> None:
    client = sign_in("finance")
    for then in ("map", "load", "change", ""):
        columns = {f"column.{place}": code for place, code in enumerate(["on", "note", "payer", "amount_fen", "out"])}
        kept = {} if "content" in values else {"file": SimpleUploadedFile("明细.csv", FILE)}
        answer = client.post(NEW, {"then": then, "header": "1", **columns, **kept, **values})
        assert answer.status_code in (200, 422), then
    assert not Transfer.objects.exists()
    assert client.get(NEW).status_code == 200


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("xl/workbook.xml", b"<workbook/>")
        pack.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("空.csv", b""), ("图.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20), ("文.pdf", b"%PDF-1.7\n\x00\x01\x02\x03" * 50),
        ("网页.xls", b"<html><table><tr><td>1</td></tr></table></html>"), ("炸弹.xlsx", bomb()), ("断.xlsx", workbook("1")[:900]),
        ("行.csv", b"\n" * 200_000), ("宽.csv", b"," * 5000), ("长.csv", f"{HEADS}\n".encode() + "长".encode() * 200_000),
        ("引号.csv", f'{HEADS}\n"未完'.encode()), ("旧.xls", b"\xd0\xcf\x11\xe0" + b"\x00" * 600),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused_in_words(sign_in: SignIn, name: str, content: bytes) -> None:
    status, html = sent(sign_in("finance"), content, name)
    assert status in (200, 422)
    assert 'role="alert"' in html or 'id="layout"' in html
    assert not FileLayout.objects.exists()


@pytest.mark.parametrize("year", ["²²²²", "0000", "9999", "", "x"])
def test_a_year_that_cannot_be_meant_is_the_usual_one(sign_in: SignIn, year: str) -> None:
    assert sign_in("finance").get("/subsidies/new/", {"year": year}).status_code == 200


def test_a_table_behind_a_cover_sheet_is_said_once_too(sign_in: SignIn) -> None:
    target = io.BytesIO()
    book = Workbook(target)
    book.add_worksheet("说明").write_row(0, 0, ["本文件由网上银行导出", "仅供对账"])
    sheet = book.add_worksheet("明细")
    for place, row in enumerate([["账户明细"], [], HEADS.split(","), ["2026-06-30", "7001", "江城市财政局", 40, None]]):
        sheet.write_row(place, 0, row)
    book.close()
    client, places = sign_in("finance"), ["on", "note", "payer", "amount_fen", "out"]
    shown, columns = target.getvalue(), {f"column.{place}": code for place, code in enumerate(places)}
    layout = json.dumps(LAYOUT | {"sheet": "明细", "header": 2})
    cover = sent(client, shown, then="map", sheet="说明", header="3", layout=layout)[1]
    assert "本文件由网上银行导出</label>" in cover, "another sheet has its headings elsewhere"
    for html in (
        sent(client, shown)[1],
        sent(client, shown, then="map", sheet="明细", header="1", layout=json.dumps({"sheet": "说明"}))[1],
    ):
        assert all(f'<option value="{code}" selected>' in html for code in places)
    html = sent(client, shown, then="map", header="3", layout=layout, **columns)[1]
    assert "谁付的：江城市财政局" in html
    assert "谁付的：江城市财政局" in sent(client, shown)[1], "read as it was said, no further question of its columns"
