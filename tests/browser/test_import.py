"""The import wizard in a browser, with the messy sheet that departments send: from the file to the register and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Site
from tests.browser.looking import axe_findings, shoot, sideways
from tests.browser.messy import messy
from tests.factories import WIDE

from yinling.directory.models import Area, Grant
from yinling.ground.scope import scope
from yinling.people.jobs import go_on_in
from yinling.people.models import Elder, Import

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROWS = 300


def look(page: Page, name: str) -> None:
    shoot(page, f"import_{name}")
    assert axe_findings(page) == []
    assert sideways(page) <= 0


def communities_of(username: str) -> list[str]:
    with scope(WIDE):
        div = Grant.objects.get(user__username=username).div
        return list(
            Area.objects.filter(div__startswith=div, level="community")
            .order_by("div")
            .values_list("name", flat=True)[:6]
        )


def work() -> None:
    """Do what the worker process does."""
    with scope(WIDE):
        city = Area.objects.get(level="city").div
    go_on_in(city)


def begin(page: Page, file: Path) -> None:
    """From the list to the dry run."""
    page.goto("/imports/")
    look(page, "list_empty")
    page.get_by_role("link", name="上传名册").first.click()
    look(page, "new")
    page.get_by_label("把文件拖到这里，或点击选择").set_input_files(file)
    page.get_by_label("新来源名称").fill("街道民政救助名册")
    page.get_by_role("button", name="上传并继续").click()
    expect(page.get_by_role("heading", name="每一列是什么", exact=True)).to_be_visible()
    expect(page.get_by_label("救助类别", exact=True)).to_have_value("circumstance")
    look(page, "columns")
    page.get_by_label("人群类别（文字）：一类保障").select_option("hardship")
    page.get_by_role("button", name="保存并预览").click()
    expect(page.get_by_text("1 行有错误")).to_be_visible()
    page.get_by_role("heading", name="前 20 行预览").scroll_into_view_if_needed()
    look(page, "preview")
    page.get_by_role("button", name="开始试算").click()
    expect(page.get_by_text("正在试算，还没有写入任何档案")).to_be_visible()
    look(page, "checking")


def decide(page: Page, address: str) -> None:
    """Errors as a sheet, doubles decided one by one and all at once."""
    page.get_by_role("link", name="有错误").click()
    look(page, "errors")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载错误表").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("link", name="处理疑似重复").click()
    look(page, "doubles")
    page.get_by_role("button", name="是同一人，更新档案").first.click()
    expect(page.get_by_text("更新已有档案")).to_be_visible()
    page.goto(address)


def test_the_wizard_with_a_messy_sheet(person: Callable[..., Page], site: Site, tmp_path: Path) -> None:
    names = communities_of("street")
    file = tmp_path / "救助对象名册（终稿3）.xlsx"
    file.write_bytes(messy(ROWS, names))
    with scope(WIDE):
        before = Elder.objects.count()
    page = person("street")
    page.on("dialog", lambda dialog: dialog.accept())
    begin(page, file)
    work()
    expect(page.get_by_role("button", name="确认导入")).to_be_visible()
    look(page, "checked")
    with scope(WIDE):
        row = Import.objects.latest("pk")
        assert Elder.objects.count() == before
    assert row.outcome_counts == {"new": 285, "error": 12, "skipped": 2, "double": 1}
    decide(page, f"/imports/{row.pk}/")
    page.get_by_role("button", name="确认导入").click()
    expect(page.get_by_text("正在写入档案")).to_be_visible()
    look(page, "running")
    work()
    expect(page.locator("summary", has_text="撤销导入")).to_be_visible()
    look(page, "done")
    with scope(WIDE):
        assert Elder.objects.count() == before + 285
    page.locator("summary", has_text="撤销导入").click()
    page.get_by_label("原因").fill("文件传错了")
    page.get_by_role("button", name="撤销导入").click()
    expect(page.get_by_text("正在撤销")).to_be_visible()
    work()
    expect(page.get_by_text("撤销后保留")).to_be_visible()
    look(page, "undone")
    with scope(WIDE):
        assert Elder.objects.count() == before
