"""Two stories of money in a real browser: a price from its draft to an order beyond the cap, and a claim with its refused line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Site
from tests.browser.test_story import CARE, demo_elder, number_in, press, seen
from tests.factories import WIDE

from yinling.directory.models import Grant
from yinling.ground.scope import scope
from yinling.orders.models import Hold
from yinling.settlement.models import Charge, Statement, StatementLine
from yinling.settlement.queries.claims import claim_payers

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Enter = Callable[..., Page]
FROM = datetime.fromisoformat("2026-07-06T10:00:00+08:00")
"""A day of another month: what it uses up of the cap, and what it costs, is nothing to the other stories."""


def test_a_price_from_its_draft_to_an_order_beyond_the_cap(site: Site, person: Enter) -> None:
    with scope(WIDE):
        body = Grant.objects.get(user__username="provider_manager").organisation
    page = person("provider_manager")
    page.goto("/price-lists/")
    page.locator("body").press("n")
    form = page.locator("form[data-action=draft_price_list]")
    form.get_by_label("定价依据").select_option("market")
    form.get_by_label("生效日期").fill(f"{FROM:%Y-%m-%d}")
    form.get_by_label("价格", exact=True).fill(f"{CARE}, 3000")
    press(form.get_by_role("button", name="起草价目"))
    number_in(page, "/price-lists/")
    expect(page.get_by_role("button", name="公布价目")).to_have_count(0)
    second = person("city")
    second.goto(page.url)
    expect(second.locator("table")).to_contain_text("现行价格")
    seen(second, "price_review")
    press(second.get_by_role("button", name="公布价目"))
    anybody = person("")
    anybody.goto(f"/prices/{body.pk}/?day={FROM:%Y-%m-%d}")
    expect(anybody.locator("main")).to_contain_text("3,000.00 元")
    order_beyond_the_cap(person("seat"), body.pk)


def order_beyond_the_cap(page: Page, provider: int) -> None:
    """The seat hears from the page how much more it is, may not order without consent, and orders with it."""
    elder, _phone = demo_elder()
    page.goto(f"/orders/new/?elder={elder.pk}")
    page.get_by_label("上门时间").fill(f"{FROM:%Y-%m-%dT%H:%M}")
    page.get_by_label("服务项目").select_option(CARE)
    expect(page.locator(f"[name=provider_id] option[value='{provider}']")).to_be_attached()
    page.get_by_label("服务机构").select_option(str(provider))
    expect(page.locator("#quote")).to_contain_text(re.compile(r"比平时多付 [\d,]+\.\d\d 元，须征得同意"))
    seen(page, "quote_consent")
    page.get_by_role("button", name="确认下单").click()
    expect(page.locator("#quote [role=alert]").first).to_be_visible()
    page.locator("[name=self_pay_consent]").fill("女儿王芳")
    press(page.get_by_role("button", name="确认下单"))
    number_in(page, "/orders/")
    expect(page.locator("main")).to_contain_text("女儿王芳")


def test_a_claim_with_a_refused_line(person: Enter) -> None:
    page = person("finance")
    page.goto(f"/settlement/statements/{approved_for_a_claim(person)}/")
    press(page.get_by_role("button", name="申报", exact=True))
    claim = number_in(page, "/settlement/claims/")
    heading = page.locator("h1").inner_text()
    code = heading.split()[-1]
    rows = [row.locator("td").all_inner_texts() for row in page.locator("#lines tbody tr").all()]
    first, *others = [(cells[0], re.sub(r"[^\d.]", "", cells[5])) for cells in rows]
    paid = [f"{code},{number},{amount},," for number, amount in others]
    payer = page.locator("dt", has_text="付费方").locator("+ dd").inner_text()
    read_answer(page, payer, [f"{code},{first[0]},0,106,缺签名", *paid, f"{code},9999,1.00,,"])
    expect(page.locator("#problems")).to_contain_text("没有这个申报编号和行号")
    expect(page.get_by_role("button", name="确认入账")).to_have_count(0)
    seen(page, "remittance_faults")
    read_answer(page, payer, [f"{code},{first[0]},0,106,缺签名", *paid])
    press(page.get_by_role("button", name="确认入账"))
    page.goto("/settlement/claims/refused/")
    expect(page.locator("#refused")).to_contain_text(code)
    seen(page, "claims_refused")
    page.goto(f"/settlement/claims/{claim}/")
    line = page.locator("#lines tbody tr").first
    line.locator("summary", has_text="申诉").click()
    line.get_by_label("申诉理由").fill("签名照片已补交")
    press(line.locator("form[data-action=appeal_claim_line] button[type=submit]"))
    expect(page.locator("#lines tbody tr").first).to_contain_text("申诉中")
    seen(page, "claim")


def read_answer(page: Page, payer: str, lines: list[str]) -> None:
    """Have a payer's file read without anything counting."""
    page.goto("/settlement/remittances/new/")
    page.get_by_label("付费方").select_option(payer)
    text = "\r\n".join(["申报编号,行号,累计支付金额,拒付代码,说明", *lines])
    page.get_by_label("文件").set_input_files(
        {"name": "回盘.csv", "mimeType": "text/csv", "buffer": text.encode("utf-8-sig")}
    )
    press(page.get_by_role("button", name="试读"))


def approved_for_a_claim(person: Enter) -> int:
    """A statement of an insurer, drawn up and reviewed by one person and approved by another."""
    with scope(WIDE):
        payers = claim_payers("3202", FROM.date())
        row = Statement.objects.filter(drafted_by__username="finance", payer__in=payers, state="draft").first()
        stated = StatementLine.objects.filter(is_live=True).values("charge")
        held = Hold.objects.filter(to_at=None).values("order")
        open_charges = (
            Charge.objects.filter(payer__in=payers, amount_fen__gt=0).exclude(pk__in=stated).exclude(order__in=held)
        )
        charge = open_charges.order_by("pk").first()
    page = person("finance")
    if row is None:
        assert charge is not None, "the city has no charge of an insurer"
        page.goto("/settlement/")
        page.locator("body").press("n")
        form = page.locator("form[data-action=draft_statement]")
        form.locator("[name=organisation_id]").select_option(str(charge.provider_id))
        form.locator("[name=payer]").select_option(charge.payer)
        form.locator("[name=month]").fill(f"{charge.service_day:%Y-%m}")
        press(form.get_by_role("button", name="生成对账单"))
        pk = number_in(page, "/settlement/statements/")
    else:
        pk = row.pk
        page.goto(f"/settlement/statements/{pk}/")
    press(page.get_by_role("button", name="初审通过"))
    second = person("finance2")
    second.goto(f"/settlement/statements/{pk}/")
    press(second.get_by_role("button", name="复核通过"))
    return pk
