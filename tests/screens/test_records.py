"""Pages around an elder's file: home, agents and consents, doubles, what is due, reports; and the elder's own page of agreements."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    actor,
    make_contact,
    make_elder,
    make_entitlement,
    make_household,
    make_order,
    make_representative,
    make_scheme,
    make_user,
)
from tests.screens.test_people import MOST_QUERIES, fact, level, queries_of, text_of

from yinling.people.models import Consent, Elder, Household, Merge

SignIn = Callable[..., Client]
PAGES = ("/elders/doubles/", "/elders/due/verify/", "/elders/due/consents/", "/elders/due/representatives/")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is the day of the factories."""
    monkeypatch.setattr("yinling.web.middleware.business_now", lambda: NOW)
    monkeypatch.setattr("yinling.web.middleware.grants_and_time", _grants)


def _grants(user_id: int) -> Any:
    from yinling.directory.queries import grants_and_time  # noqa: PLC0415 - the one not replaced

    return grants_and_time(user_id)[0], NOW


def consent(elder: Elder, purpose: str = "health", version: str = "2026-1", **values: Any) -> Consent:
    chosen = {"given_by": "self", "valid_from": TODAY, "recorded_from": NOW, **values}
    return Consent.objects.create(div=elder.div, elder=elder, purpose=purpose, text_version=version, **chosen)


@pytest.mark.parametrize("address", [*PAGES, "/elders/1/agents/", "/households/1/", "/population/ability/"])
def test_who_may_not_is_told_who_may(sign_in: SignIn, address: str) -> None:
    answer = sign_in("system_admin").get(address)
    assert answer.status_code == 403
    assert "可以办理的角色" in text_of(answer)


@pytest.mark.parametrize("address", PAGES)
def test_an_empty_list_says_so(sign_in: SignIn, address: str) -> None:
    html = text_of(sign_in(actor("district", DISTRICT)).get(address))
    assert "没有" in html


def test_foreign_files_do_not_exist(sign_in: SignIn) -> None:
    elder = make_elder(OTHER_COMMUNITY)
    client = sign_in(actor("community", COMMUNITY))
    for address in (
        f"/elders/{elder.pk}/agents/",
        f"/households/{elder.household_id}/",
        f"/households/{elder.household_id}/print/",
    ):
        assert client.get(address).status_code == 404
    assert client.get("/elders/due/nothing/").status_code == 404


@pytest.mark.req("R-PEO-08")
def test_the_file_of_a_home_shows_members_contacts_benefits_and_what_comes(sign_in: SignIn) -> None:
    home = make_household(address="中山路8号")
    wife, husband = make_elder(household=home, name="王秀英"), make_elder(household=home, name="张建国", sex="1")
    make_contact(wife, name="张小明")
    make_entitlement(husband, make_scheme(name="高龄补贴"))
    order = make_order("accepted", elder=wife)
    client = sign_in(actor("community", COMMUNITY))
    html = text_of(client.get(f"/households/{home.pk}/"))
    for word in (
        "中山路8号",
        "王秀英",
        "张建国",
        "张小明",
        "高龄补贴",
        f"/orders/{order.pk}/",
        "建档",
        "120.30000, 31.57000",
    ):
        assert word in html, word
    form = {
        "household_id": home.pk,
        "address": "中山路8号201",
        "datum": "wgs84",
        "reason": "漏写室号",
        "seen": home.version,
    }
    assert client.post("/do/correct_household/", form).status_code == 302
    assert Household.objects.get(pk=home.pk).address == "中山路8号201"
    html = text_of(client.get(f"/households/{home.pk}/"))
    assert "中山路8号 → 中山路8号201" in html
    paper = text_of(client.get(f"/households/{home.pk}/print/"))
    assert all(word in paper for word in ("一户一档", "王秀英", "高龄补贴", "data-print"))


def test_a_home_takes_as_many_queries_for_three_as_for_one(sign_in: SignIn) -> None:
    client = sign_in(actor("community", COMMUNITY))
    home = make_household()
    one = make_elder(household=home)
    make_contact(one)
    make_entitlement(one)
    make_order(elder=one)
    few = queries_of(client, f"/households/{home.pk}/")
    for _ in range(2):
        other = make_elder(household=home)
        make_contact(other)
        make_entitlement(other)
        make_order(elder=other)
    assert queries_of(client, f"/households/{home.pk}/") == few <= MOST_QUERIES


def test_agents_and_consents_stand_on_one_page_and_are_changed_there(sign_in: SignIn) -> None:
    elder = make_elder()
    make_representative(elder, make_user(name="王芳"), capacity="guardian", covers_bills=False, proof="法院指定")
    make_representative(elder, make_user(name="张三"), capacity="agent", valid_to=TODAY)
    consent(elder, "health", "2024-1")
    client = sign_in(actor("community", COMMUNITY))
    here = f"/elders/{elder.pk}/agents/"
    html = text_of(client.get(here))
    for word in (
        "王芳",
        "监护人",
        "法院指定",
        "张三",
        "已不在有效期",
        "文本已更新，须重新同意",
        "敏感",
        "法定职责",
        "设备定位",
    ):
        assert word in html, word
    assert len(re.findall(r'data-action="end_representative"', html)) == 1
    give = {"elder_id": elder.pk, "purpose": "health", "given_by": "self"}
    assert client.post("/do/record_consent/", give).status_code == 302
    row = Consent.objects.get(text_version="2026-1")
    assert "已同意" in text_of(client.get(here))
    assert client.post("/do/withdraw_consent/", {"consent_id": row.pk}).status_code == 302
    assert not Consent.objects.filter(recorded_to=None, valid_to=None).exists()
    wrong = client.post("/do/record_consent/", give | {"given_by": "agent"})
    assert wrong.status_code == 422
    assert "没有在有效期内" in text_of(wrong)


def test_agents_page_takes_eight_queries_however_long(sign_in: SignIn) -> None:
    client = sign_in(actor("community", COMMUNITY))
    elder = make_elder()
    make_representative(elder, make_user())
    few = queries_of(client, f"/elders/{elder.pk}/agents/")
    for _ in range(2):
        make_representative(elder, make_user())
    assert queries_of(client, f"/elders/{elder.pk}/agents/") == few <= MOST_QUERIES


def unnumbered(**values: Any) -> Elder:
    return make_elder(id_type="none", **values)


def test_doubles_stand_side_by_side_and_are_decided(sign_in: SignIn) -> None:
    born = date(1940, 1, 1)
    one, other = (
        make_elder(name="王秀英", born_on=born, phone="19900001111"),
        unnumbered(name="王秀英", born_on=born, phone="19900002222"),
    )
    near = unnumbered(name="王秀瑛", born_on=born)
    client = sign_in(actor("district", DISTRICT))
    html = text_of(client.get("/elders/doubles/"))
    assert html.count('class="card spaced"') == 3
    assert all(
        word in html
        for word in ("姓名和出生日期相同", "姓名差一个字", "1111", "2222", f"保留 E-{one.pk:06d}", "不是同一人")
    )
    assert 'class="differs"' in html
    form = {"kept_id": one.pk, "gone_id": other.pk, "reason": "同一人"}
    assert client.post("/do/merge_elders/", form).status_code == 302
    apart = {"kept_id": one.pk, "gone_id": near.pk, "reason": "姐妹"}
    assert client.post("/do/separate_elders/", apart).status_code == 302
    assert "没有疑似重复的档案" in text_of(client.get("/elders/doubles/"))
    answer = client.get(f"/elders/{other.pk}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/elders/{one.pk}/")
    html = text_of(client.get(f"/elders/{one.pk}/"))
    assert f"E-{other.pk:06d} 已并入 E-{one.pk:06d}" in html
    assert "合并重复档案" in html, "on the timeline"
    html = text_of(client.get(f"/elders/{one.pk}/change/"))
    assert "同一人" in html
    merge = Merge.objects.get(undone_at=None)
    assert client.post("/do/unmerge_elders/", {"merge_id": merge.pk, "reason": "错了"}).status_code == 302
    assert client.get(f"/elders/{other.pk}/").status_code == 200


def test_a_refused_merge_says_why(sign_in: SignIn) -> None:
    one, other = make_elder(), make_elder()
    answer = sign_in("city").post("/do/merge_elders/", {"kept_id": one.pk, "gone_id": other.pk, "reason": "同一人"})
    assert answer.status_code == 409
    assert "登记了不同的证件号" in text_of(answer)


def test_a_city_chooses_where_to_look(sign_in: SignIn) -> None:
    unnumbered(name="赵子龙"), unnumbered(name="赵子龙")
    client = sign_in("city")
    assert "请先选择区县或街道" in text_of(client.get("/elders/doubles/"))
    assert "赵子龙" in text_of(client.get("/elders/doubles/?area=320213"))
    assert "赵子龙" in text_of(client.get("/elders/doubles/?area=3202"))


def test_doubles_take_as_many_queries_for_three_as_for_one(sign_in: SignIn) -> None:
    client = sign_in(actor("district", DISTRICT))
    for name in ("赵子龙", "赵子龙"):
        unnumbered(name=name)
    few = queries_of(client, "/elders/doubles/")
    for name in ("关云长", "关云长", "张翼德", "张翼德"):
        unnumbered(name=name, born_on=date(1941, 1, 1))
    assert queries_of(client, "/elders/doubles/") == few <= MOST_QUERIES


@pytest.mark.req("R-PEO-03")
def test_files_due_for_verification_are_listed_and_verified_there(sign_in: SignIn) -> None:
    old, new = make_elder(name="王秀英", verified_on=date(2025, 1, 1)), make_elder(name="李建国", verified_on=TODAY)
    client = sign_in(actor("community", COMMUNITY))
    html = text_of(client.get("/elders/due/verify/"))
    assert "王秀英" in html
    assert "李建国" not in html
    assert (
        client.post("/do/verify_elder/", {"elder_id": old.pk, "seen": old.version, "evidence": "上门"}).status_code
        == 302
    )
    assert "王秀英" not in text_of(client.get("/elders/due/verify/"))
    assert Elder.objects.get(pk=new.pk).verified_on == TODAY


def test_consents_and_representations_due_are_listed(sign_in: SignIn) -> None:
    elder, calm = make_elder(name="王秀英"), make_elder(name="李建国")
    consent(elder, "health", "2024-1")
    consent(calm)
    make_representative(elder, make_user(name="王芳"), valid_to=TODAY + timedelta(days=10))
    make_representative(calm, make_user(name="李明"))
    client = sign_in(actor("community", COMMUNITY))
    consents = text_of(client.get("/elders/due/consents/"))
    assert all(word in consents for word in ("王秀英", "健康信息共享", "2024-1"))
    assert "李建国" not in consents
    ending = text_of(client.get("/elders/due/representatives/"))
    assert all(word in ending for word in ("王秀英", "王芳", "2026-06-24"))
    assert "李明" not in ending


@pytest.mark.parametrize("what", ["verify", "consents", "representatives"])
def test_due_lists_take_as_many_queries_for_three_as_for_one(sign_in: SignIn, what: str) -> None:
    client = sign_in(actor("district", DISTRICT))

    def add(div: str) -> None:
        elder = make_elder(div, verified_on=date(2025, 1, 1))
        consent(elder, "health", "2024-1")
        make_representative(elder, make_user(), valid_to=TODAY + timedelta(days=3))

    add(COMMUNITY)
    few = queries_of(client, f"/elders/due/{what}/")
    add(COMMUNITY)
    add(COMMUNITY)
    assert queries_of(client, f"/elders/due/{what}/") == few <= MOST_QUERIES


def figures(html: str, row: str) -> list[int]:
    """The numbers of one line of a report."""
    line = re.search(rf'id="area-{row}".*?</tr>', html, re.DOTALL)
    assert line is not None
    return [int(number) for number in re.findall(r'<td class="right">(\d+)</td>', line[0])]


@pytest.mark.req("R-PEO-09")
def test_the_base_number_of_the_disabled_by_level_band_and_area_with_a_way_down(sign_in: SignIn) -> None:
    for div, code, born, values in (
        (COMMUNITY, "severe", date(1940, 1, 1), {}), (COMMUNITY, "mild", date(1965, 1, 1), {}), (NEIGHBOUR, "total", date(1930, 1, 1), {}),
        (OTHER_COMMUNITY, "moderate", date(1950, 1, 1), {}), (COMMUNITY, "severe", date(1940, 1, 1), {"died_on": TODAY}),
        (COMMUNITY, "severe", date(1940, 1, 1), {"is_resident": False}), (COMMUNITY, "intact", date(1940, 1, 1), {}),
    ):  # fmt: skip
        level(make_elder(div, born_on=born, **values), code)
    make_elder()  # nobody assessed
    client = sign_in("city")
    html = text_of(client.get("/population/ability/"))
    # intact, mild, moderate, severe, total, semi-disabled, disabled
    assert figures(html, "320213") == [1, 1, 0, 1, 1, 1, 2]
    assert figures(html, "320281") == [0, 0, 1, 0, 0, 1, 0]
    html = text_of(client.get("/population/ability/?div=320213021"))
    assert figures(html, COMMUNITY) == [1, 1, 0, 1, 0, 1, 1]
    assert figures(html, NEIGHBOUR) == [0, 0, 0, 0, 1, 0, 1]
    html = text_of(client.get("/population/ability/?div=320213&band=80"))
    assert figures(html, "320213021") == [1, 0, 0, 1, 0, 0, 1]
    village = text_of(sign_in(actor("community", COMMUNITY)).get("/population/ability/?div=3202"))
    assert figures(village, COMMUNITY) == [1, 1, 0, 1, 0, 1, 1], "never outside the own area"
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/population/ability.xlsx?div=3202").content))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[3][:2] == ["320213", "梁溪区"]
    assert rows[3][2:] == [1, 1, 0, 1, 1, 1, 2]
    assert rows[-1][2:] == [1, 1, 1, 1, 1, 2, 2]


@pytest.mark.req("R-PEO-11")
def test_residents_of_65_are_counted_by_residence_and_not_by_hukou(sign_in: SignIn) -> None:
    make_elder(born_on=date(1961, 6, 15), hukou_div="340100")  # 65 today, hukou elsewhere: counts
    make_elder(born_on=date(1961, 6, 16), hukou_div="3202")  # 65 tomorrow
    make_elder(
        born_on=date(1940, 1, 1), hukou_div="3202", is_resident=False
    )  # hukou here, lives elsewhere: does not count
    make_elder(born_on=date(1940, 1, 1), died_on=TODAY)
    make_elder(born_on=date(1940, 1, 1), died_on=TODAY + timedelta(days=1))
    client = sign_in("city")
    # all, over 65, over 80, hukou elsewhere, away
    assert figures(text_of(client.get("/population/residents/")), "320213") == [3, 2, 1, 1, 1]
    rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(client.get("/population/residents.xlsx").content))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert rows[3][2:] == [3, 2, 1, 1, 1]


@pytest.mark.parametrize("address", ["/population/ability/", "/population/residents/"])
def test_reports_take_as_many_queries_for_three_as_for_one(sign_in: SignIn, address: str) -> None:
    client = sign_in("city")
    level(make_elder())
    few = queries_of(client, address)
    for div in (NEIGHBOUR, OTHER_COMMUNITY):
        level(make_elder(div))
    assert queries_of(client, address) == few <= MOST_QUERIES


@pytest.mark.req("X-PIP-02")
def test_the_elder_reads_the_texts_agrees_and_takes_back(sign_in: SignIn) -> None:
    elder = make_elder()
    client = sign_in(actor("elder", elders=(elder,)))
    html = text_of(client.get("/e/agreements/"))
    assert all(word in html for word in ("我的同意", "健康信息共享", "这是敏感信息", "没有同意", "打电话办"))
    assert "/e/agreements/" in text_of(client.get("/e/"))
    give = {"elder_id": elder.pk, "purpose": "health", "given_by": "self"}
    assert client.post("/do/record_consent/", give).status_code == 302
    html = text_of(client.get("/e/agreements/"))
    assert "已同意" in html
    assert len(re.findall(r'data-action="withdraw_consent"', html)) == 1
    row = Consent.objects.get()
    assert client.post("/do/withdraw_consent/", {"consent_id": row.pk}).status_code == 302
    assert "已同意" not in text_of(client.get("/e/agreements/"))


def test_a_daughter_without_bills_sees_the_service_and_not_the_amount(sign_in: SignIn) -> None:
    elder = make_elder()
    make_order("accepted", elder=elder)
    daughter = actor("family", elders=(elder,))
    client = sign_in(daughter)
    assert "一共" in text_of(client.get("/e/services/"))
    from yinling.people.models import Representative  # noqa: PLC0415 - only here

    Representative.objects.update(covers_bills=False, covers_orders=False)
    html = text_of(client.get("/e/services/"))
    assert "生活照料" in html
    assert "一共" not in html
    assert "取消预约" not in html


def test_circumstances_are_shown_by_kind_with_what_was_before(sign_in: SignIn) -> None:
    elder = make_elder(born_on=date(1940, 1, 1))
    fact(elder, "dibao")
    html = text_of(sign_in(actor("community", COMMUNITY)).get(f"/elders/{elder.pk}/"))
    assert all(word in html for word in ("高龄", "经济困难", "低保", "公园社区"))


def test_the_elder_reads_the_own_file_and_who_looked_at_it(sign_in: SignIn) -> None:
    elder = make_elder(name="王秀英", phone="13912345678")
    make_contact(elder, name="张小明")
    fact(elder, "lives_alone")
    sign_in("seat").post("/do/reveal_elder/", {"elder_id": elder.pk, "reason": "核对地址"})
    stranger = make_elder(name="李建国")
    html = text_of(sign_in(actor("elder", elders=(elder,))).get("/e/file/"))
    assert all(word in html for word in ("王秀英", "139****5678", "张小明", "独居", "核对地址", "高龄"))
    assert "13912345678" not in html
    assert sign_in(actor("elder", elders=(stranger,))).get(f"/e/file/?elder={elder.pk}").status_code == 404
