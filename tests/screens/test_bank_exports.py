"""A bank's own file on the pages: its columns are said once, what was shown is what is booked; and the sum of what is ticked for a batch."""

import html as markup
import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.factories import city, make_organisation
from tests.settlement.stated import LATER, approved, drafted, exported, with_account

from yinling.kernel.period import local_date
from yinling.settlement.models import FileLayout, Payout, Transfer

SignIn = Callable[..., Client]
NEW = "/settlement/arrivals/new/"


def export(*lines: str) -> SimpleUploadedFile:
    text = "\n".join(["江城市民政局账户明细", "交易时间,流水号,对方单位,收入金额,支出金额", *lines])
    return SimpleUploadedFile("明细.csv", text.encode("gb18030"), content_type="text/csv")


def hidden(html: str, form: str = "") -> dict[str, str]:
    start = html.index(form) if form else 0
    part = html[start : html.index("</form>", start)]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part)
    return {name: markup.unescape(value) for name, value in found if not name.startswith("word.")}


@pytest.mark.usefixtures("wide")
def test_the_columns_of_a_bank_are_said_once_on_the_page(sign_in: SignIn) -> None:
    city()
    row = approved(drafted(payer="government", count=1, body=make_organisation()))
    client = sign_in("finance")
    day = local_date(LATER)
    lines = (f"{day} 10:22:33,7001,江城市财政局,40.00,", f"{day} 10:23:00,7002,某服务商,,9.00")
    html = client.post(NEW, {"file": export(*lines)}).content.decode()
    assert 'id="layout"' in html
    assert "试读结果" not in html
    columns = {"column.0": "on", "column.1": "note", "column.2": "payer", "column.3": "amount_fen", "column.4": "out"}
    for name, code in columns.items():
        assert re.search(rf'name="{re.escape(name)}".*?value="{code}" selected', html), name
    sent = hidden(html, 'id="layout"') | columns | {"header": "2"}
    lacking = client.post(NEW, sent | {"column.1": ""})
    assert lacking.status_code == 422
    assert "请指定哪一列是“银行回单号”" in lacking.content.decode()
    assert not FileLayout.objects.exists()
    html = client.post(NEW, sent).content.decode()
    assert "谁付的：江城市财政局" in html
    assert "确认入账" not in html
    said = hidden(html, 'id="layout"') | columns | {
        "header": "2", "word.field": "payer", "word.text": "江城市财政局", "word.meaning": "government/general",
    }  # fmt: skip
    html = client.post(NEW, said).content.decode()
    assert row.code in html
    assert "支出，不是到账：1 行" in html
    assert not Transfer.objects.exists()
    booking = {"then": "load"} | {name: value for name, value in hidden(html, 'id="layout"').items() if name != "then"}
    assert client.post(NEW, booking)["Location"] == "/settlement/arrivals/"
    assert (Transfer.objects.get().note, Transfer.objects.get().amount_fen) == ("7001", 4000)
    # The next file with these headings is read at once.
    html = client.post(NEW, {"file": export(*lines, f"{day},7003,江城市财政局,5.00,")}).content.decode()
    assert "按上次保存的读取" in html
    assert "与 7001 同日同额" not in html
    assert [html.count(f"<td>{number}</td>") for number in ("7001", "7003")] == [1, 1]


@pytest.mark.usefixtures("wide")
def test_a_bank_return_in_other_words_is_read_on_the_page(sign_in: SignIn) -> None:
    row = approved(drafted(payer="government", count=1))
    with_account(row.provider)
    made = exported([f"statement:{row.pk}"])
    page = f"/settlement/payouts/{made.pk}/answer/"
    client = sign_in("finance")
    text = f"企业流水号,付款金额,交易状态\n{made.lines.get().pk},40.00,交易成功"
    html = client.post(page, {"file": SimpleUploadedFile("回单.csv", text.encode())}).content.decode()
    sent = hidden(html, 'id="layout"') | {
        "column.0": "number",
        "column.1": "amount",
        "column.2": "result",
        "header": "1",
    }
    html = client.post(page, sent).content.decode()
    assert "确认入账" in html
    client.post(
        page, {name: value for name, value in hidden(html, 'id="layout"').items() if name != "then"} | {"then": "load"}
    )
    assert Payout.objects.get().state == "completed"


@pytest.mark.usefixtures("wide")
def test_the_sum_of_what_is_ticked_is_told_at_every_tick(sign_in: SignIn) -> None:
    first, second = (
        approved(drafted(payer=payer, count=count)) for payer, count in (("government", 1), ("voucher", 2))
    )
    for row in (first, second):
        with_account(row.provider)
    client = sign_in("finance")
    html = client.get("/settlement/payouts/new/").content.decode()
    assert "已选 2 笔 120.00 元" in html
    htmx = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "ticked"}
    one = client.post("/settlement/payouts/sum/", {"keys": [f"statement:{first.pk}"]}, **htmx).content.decode()
    assert "已选 1 笔 40.00 元" in one
    assert "肆拾元整" in one
    both = client.post(
        "/settlement/payouts/sum/", {"keys": [f"statement:{row.pk}" for row in (first, second)]}, **htmx
    ).content.decode()
    assert "政府购买 1 笔 40.00 元" in both
    assert client.post("/settlement/payouts/sum/", {}, **htmx).content.decode().count("已选 0 笔") == 1
    assert sign_in("auditor").post("/settlement/payouts/sum/", {}, **htmx).status_code == 403
    assert not Payout.objects.exists()
