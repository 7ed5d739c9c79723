"""What a person may have, and the lists of each scheme: who sees them, when they are empty, and what they cost."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    COMMUNITY,
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    actor,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_organisation,
)

from yinling.assessment.models import Assessment
from yinling.demo.profile import validate
from yinling.entitlements.models import Scheme
from yinling.entitlements.operations.standings import reckon_standings
from yinling.people.models import Circumstance, Elder

SignIn = Callable[..., Client]
MOST_QUERIES = 8


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def queries_of(client: Client, address: str) -> int:
    """Count the statements of a page: those that set the scope or a savepoint are no questions."""
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(
        query["sql"].startswith("SELECT") and "set_config" not in query["sql"] for query in seen.captured_queries
    )


@pytest.fixture
def schemes(wide: object) -> dict[str, Scheme]:
    make_area_tree()
    for scheme in validate("wuxi-332").schemes:
        Scheme.objects.create(**({"div": "3202"} | scheme))
    return {row.code: row for row in Scheme.objects.all()}


def fact(elder: Elder, kind: str, to: date | None = None) -> None:
    Circumstance.objects.create(
        div=elder.div,
        elder=elder,
        kind=kind,
        body="公园社区居委会",
        valid_from=date(2026, 1, 1),
        valid_to=to,
        recorded_from=NOW,
    )


def level(elder: Elder, code: str) -> None:
    Assessment.objects.create(
        div=elder.div, elder=elder, provider=make_organisation(), scale="gbt42195_2022", level=code, points=40, assessed_on=date(2026, 1, 5),
        valid_from=date(2026, 1, 5), valid_to=date(2027, 1, 6), recorded_from=NOW,
    )  # fmt: skip


def section(html: str, code: str) -> str:
    found = re.search(rf'<section class="panel" id="scheme-{code}">(.*?)</section>', html, re.DOTALL)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group(1)))


def test_the_page_says_what_why_why_not_and_until_when(sign_in: SignIn, schemes: dict[str, Scheme]) -> None:
    elder = make_elder(born_on=date(1946, 7, 1))
    fact(elder, "lives_alone")
    level(elder, "moderate")
    make_entitlement(elder, schemes["state_care"], valid_from=date(2026, 1, 1))
    html = text_of(sign_in("street").get(f"/elders/{elder.pk}/benefits/?on=2026-06-15"))
    voucher, weekly, care = (section(html, code) for code in ("national_voucher", "weekly_visit", "state_care"))
    assert "可以享受" in voucher
    assert "支付服务价格的 50 %，每月最高 800.00 元" in voucher
    assert "GB/T 42195-2022 中度失能，2026-01-05评估，2026-01-05起至2027-01-05" in voucher
    assert "按现有记录至 2027-01-05" in voucher
    assert "依据：补充资料 居家服务抵扣50%" in voucher
    assert "不可以享受" in weekly
    assert "2026-07-01 起可以享受" in weekly
    assert "独居（公园社区居委会），2026-01-01起" in weekly
    assert "无锡市推进“锡心医养”332计划 二(二)1" in weekly
    assert "已享受，不再符合" in care
    later = text_of(sign_in("street").get(f"/elders/{elder.pk}/benefits/?on=2026-07-01"))
    assert "可以享受" in section(later, "weekly_visit")
    assert "不可以享受" not in section(later, "weekly_visit")


def test_the_sheet_to_sign_holds_the_same(sign_in: SignIn, schemes: dict[str, Scheme]) -> None:
    elder = make_elder(born_on=date(1946, 7, 1))
    html = text_of(sign_in("street").get(f"/elders/{elder.pk}/benefits/?print=1"))
    assert "待遇告知单" in html
    assert all(scheme.name in html for scheme in schemes.values() if scheme.div == "3202")
    assert "宜兴" not in html


@pytest.mark.parametrize("role", ["carer", "volunteer", "surveyor"])
def test_without_the_right_nothing_is_shown(sign_in: SignIn, schemes: dict[str, Scheme], role: str) -> None:
    elder = make_elder()
    client = sign_in(actor(role, organisation=make_organisation() if role == "carer" else None))
    for address in (f"/elders/{elder.pk}/benefits/", "/schemes/", "/schemes/state_care/", "/schemes/state_care/sheet/"):
        assert client.get(address).status_code == 403


def test_another_area_is_not_there(sign_in: SignIn, schemes: dict[str, Scheme]) -> None:
    there = make_elder(OTHER_COMMUNITY)
    fact(there, "destitute")
    reckon_standings("3202", TODAY)
    client = sign_in(actor("street", COMMUNITY[:9]))
    assert client.get(f"/elders/{there.pk}/benefits/").status_code == 404
    assert there.name not in text_of(client.get("/schemes/state_care/"))
    assert client.get("/schemes/none/").status_code == 404


def test_pages_without_schemes_say_so(sign_in: SignIn) -> None:
    elder = make_elder()
    client = sign_in("city")
    assert "本地还没有登记任何待遇项目" in text_of(client.get("/schemes/"))
    assert "本地还没有登记任何待遇项目" in text_of(client.get(f"/elders/{elder.pk}/benefits/"))


def test_a_scheme_shows_conditions_counts_and_lists(sign_in: SignIn, schemes: dict[str, Scheme]) -> None:
    care = schemes["state_care"]
    candidate, holder, ends = make_elder(name="候选人"), make_elder(name="不符者"), make_elder(name="到期者")
    fact(candidate, "destitute")
    fact(ends, "destitute")
    make_entitlement(holder, care, valid_from=date(2026, 1, 1))
    client = sign_in("city")
    on = client.get("/schemes/").wsgi_request.day
    make_entitlement(ends, care, valid_from=date(2026, 1, 1), valid_to=on + timedelta(days=30))
    reckon_standings("3202", on)
    html = text_of(client.get("/schemes/state_care/"))
    assert "候选人" in html
    assert "不符者" not in html
    assert "特困（分散供养）" in html
    assert "支付服务价格的 100 %" in html
    assert re.search(
        r'梁溪区</th><td class="right">2</td><td class="right">2</td><td class="right">1</td><td class="right">1</td>',
        html,
    )
    lost = text_of(client.get("/schemes/state_care/?list=lost"))
    assert "不符者" in lost
    assert "没有登记所要求的人群类别" in lost
    expiring = text_of(client.get("/schemes/state_care/?list=expiring"))
    assert "到期者" in expiring
    assert (on + timedelta(days=29)).isoformat() in expiring
    assert "所选区划没有这样的老年人" in text_of(client.get("/schemes/state_care/?area=320281"))


def test_the_sheet_is_masked_and_says_who_took_it(sign_in: SignIn, schemes: dict[str, Scheme]) -> None:
    elder = make_elder(name="候选人")
    fact(elder, "destitute")
    reckon_standings("3202", TODAY)
    client = sign_in("city")
    answer = client.get("/schemes/state_care/sheet/")
    with ZipFile(io.BytesIO(answer.content)) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "候**" in texts or "候*" in texts
    assert "候选人" not in texts
    assert client.actor.name in texts  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address", ["/schemes/", "/schemes/state_care/", "/schemes/state_care/?list=expiring", "/elders/{pk}/benefits/"]
)
def test_one_row_or_three_cost_the_same(sign_in: SignIn, schemes: dict[str, Scheme], address: str) -> None:
    first = make_elder()
    fact(first, "destitute")
    reckon_standings("3202", TODAY)
    client = sign_in("city")
    one = queries_of(client, address.format(pk=first.pk))
    for _ in range(2):
        more = make_elder()
        fact(more, "destitute")
        fact(first, ["dibao", "veteran_care"][_])
    reckon_standings("3202", TODAY)
    assert queries_of(client, address.format(pk=first.pk)) == one <= MOST_QUERIES


def test_the_elder_reads_it_in_plain_words(sign_in: SignIn, schemes: dict[str, Scheme]) -> None:
    elder = make_elder(born_on=date(1940, 7, 1))
    fact(elder, "dibao")
    client = sign_in(actor("elder", elders=(elder,)))
    html = text_of(client.get("/e/benefits/"))
    assert "我能享受什么" in html
    assert "可以申请" in section(html, "government_purchase")
    assert "打电话办" in section(html, "government_purchase")
    assert "还缺：特困（分散供养）" in section(html, "state_care")
