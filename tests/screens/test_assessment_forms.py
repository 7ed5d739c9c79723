"""The assessor's sheet: list, form, draft, result at the end, submission, and the paper form."""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.finders import find
from django.test import Client
from tests.assessment.arranged import make_assessors, make_body, make_request
from tests.factories import OTHER_DISTRICT, actor
from tests.screens.test_hotline import queries

from yinling.accounts.models import Journal
from yinling.assessment.forms import answers_of, questions
from yinling.assessment.models import Form, Request
from yinling.assessment.queries import content_of
from yinling.assessment.scoring import scale, scales
from yinling.ground.clock import business_now
from yinling.ground.scope import current_scope
from yinling.kernel.period import local_date

SignIn = Callable[..., Client]
GB = "gbt42195_2022"
DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass
class Tablet:
    """An assessor logged in, with an assessment arranged for today and a colleague."""

    client: Client
    row: Request
    people: list[Any]

    @property
    def address(self) -> str:
        return f"/m/assessments/{self.row.pk}/"

    def sent(self, verb: str, key: str = "k1", **body: Any) -> Any:
        path = re.search(rf'data-{verb}="([^"]+)"', self.html()).group(1)  # type: ignore[union-attr]
        return self.client.post(
            path, json.dumps({"request_id": self.row.pk, **body}), "application/json", headers={"Idempotency-Key": key}
        )

    def html(self) -> str:
        return self.client.get(self.address).content.decode()

    def signed(self, **values: Any) -> dict[str, Any]:
        return {
            "answers": complete(), "facts": {"events": [], "notes": ""}, "informant": "李芳（女儿）", "declared": {"no_interest": True},
            "signed": [one.pk for one in self.people], "assessed_on": today().isoformat(), "seen": 0, **values,
        }  # fmt: skip


def today() -> Any:
    return local_date(business_now())


def complete(name: str = GB, **picked: int) -> dict[str, Any]:
    return answers_of(scale(name), {one.code: 0 for one in questions(scale(name))} | picked)


@pytest.fixture
def tablet(sign_in: SignIn) -> Tablet:
    body = make_body()
    people = make_assessors(body, "张三", "李四")
    row = make_request(people, visit_on=today())
    return Tablet(sign_in(actor("assessor", staff=people[0])), row, people)


def test_the_list_shows_ones_own_arranged_assessments_by_day(tablet: Tablet) -> None:
    make_request(make_assessors(make_body(), "外人"), visit_on=today())
    make_request(tablet.people, visit_on=today() + timedelta(days=1))
    make_request([tablet.people[1]], visit_on=today())
    html = tablet.client.get("/m/assessments/").content.decode()
    assert html.count('class="task"') == 2
    assert f'href="{tablet.address}"' in html
    assert "今天" in html


def test_the_list_is_empty_without_an_assignment(sign_in: SignIn) -> None:
    client = sign_in(actor("assessor", staff=make_assessors(make_body(), "张三")[0]))
    assert "没有安排给您的评估" in client.get("/m/assessments/").content.decode()


def test_one_or_three_rows_cost_the_same_queries(tablet: Tablet) -> None:
    one = queries(tablet.client, "/m/assessments/")
    for _number in range(2):
        make_request(tablet.people, visit_on=today())
    assert queries(tablet.client, "/m/assessments/") == one <= 8
    assert queries(tablet.client, tablet.address) <= 8


def test_other_roles_have_no_sheet(sign_in: SignIn, tablet: Tablet) -> None:
    for role in ("seat", "city", "community"):
        assert sign_in(actor(role)).get(tablet.address).status_code == 403, role


def test_somebody_not_named_or_elsewhere_finds_nothing(sign_in: SignIn, tablet: Tablet) -> None:
    colleague = make_assessors(tablet.row.provider, "王五")[0]  # type: ignore[arg-type]
    stranger = make_assessors(make_body(), "外人")[0]
    for staff in (colleague, stranger):
        client = sign_in(actor("assessor", staff=staff))
        assert client.get(tablet.address).status_code == 404
        assert client.get(tablet.address + "latest/").status_code == 404
        assert client.post(tablet.address + "result/", "{}", "application/json").status_code == 404


@pytest.mark.parametrize("name", scales())
def test_every_scale_has_its_sheet_with_every_option(sign_in: SignIn, name: str) -> None:
    people = make_assessors(make_body(), "张三", "李四")
    row = make_request(people, scale=name, visit_on=today())
    html = sign_in(actor("assessor", staff=people[0])).get(f"/m/assessments/{row.pk}/").content.decode()
    asked = questions(scale(name))
    assert html.count("data-code=") == len(asked)
    assert html.count('type="radio"') == sum(len(one.options) for one in asked)
    assert ("题目文字属于其权利人" in html) is (name == "mna_sf")
    assert html.count("data-fact=") == {"gbt42195_2022": 3, "mzt039_2013": 2}.get(name, 0)


def test_the_heaviest_sheet_weighs_less_than_a_mobile_page_may(tablet: Tablet) -> None:
    html = tablet.html()
    files = [found for name in re.findall(r'(?:src|href)="/static/([^"]+\.(?:js|css))"', html) if (found := find(name))]
    assert len(files) >= 7
    parts = [html.encode(), *(Path(name).read_bytes() for name in files)]
    assert sum(len(gzip.compress(part)) for part in parts) <= 40 * 1024


def test_no_result_stands_on_the_page_before_the_end(tablet: Tablet) -> None:
    tablet.sent("save", answers=complete(), facts={}, seen=0)
    html = tablet.html()
    assert "总分" not in html
    assert "初步等级" not in html


def test_a_draft_is_kept_sealed_and_comes_back(tablet: Tablet) -> None:
    answers = answers_of(scale(GB), {"1.1": 2, "3.9": 3})
    events = [{"kind": "fall", "on": today().isoformat()}]
    answer = tablet.sent(
        "save", answers=answers, facts={"dementia": True, "events": events, "notes": "右手骨折"}, seen=0
    )
    assert answer.status_code == 201, answer.content
    form = Form.objects.get()
    assert answer.json()["version"] == form.version
    assert content_of(form)["facts"]["events"] == events
    assert (form.state, form.outcome, form.level) == ("draft", {}, "")
    told = tablet.client.get(tablet.address + "latest/").json()
    assert (told["picked"], told["version"]) == ({"1.1": 2, "3.9": 3}, form.version)
    assert told["facts"]["notes"] == "右手骨折"
    assert "右手骨折" not in json.dumps(list(Journal.objects.values_list("changes", flat=True)), ensure_ascii=False)


def test_an_older_version_is_not_written_over_a_newer_one(tablet: Tablet) -> None:
    first = tablet.sent("save", answers=answers_of(scale(GB), {"1.1": 1}), facts={}, seen=0)
    refused = tablet.sent("save", key="k2", answers=answers_of(scale(GB), {"1.1": 4}), facts={}, seen=0)
    assert (first.status_code, refused.status_code, refused.json()["title"]) == (201, 409, "stale")
    assert content_of(Form.objects.get())["answers"]["scores"][0] == 3


def test_the_result_is_computed_from_the_page_and_nothing_is_stored(tablet: Tablet) -> None:
    events = [{"kind": "fall", "on": (today() - timedelta(days=age)).isoformat()} for age in (0, 30)]
    body = {"answers": complete(**{"3.7": 1}), "facts": {"events": events}, "assessed_on": today().isoformat()}
    html = tablet.client.post(tablet.address + "result/", json.dumps(body), "application/json").content.decode()
    assert "89" in html
    assert "近30天照护风险事件2次及以上" in html
    assert "结果建议：能力中度受损（中度失能）" in html
    older = [{"kind": "fall", "on": (today() - timedelta(days=age)).isoformat()} for age in (0, 31)]
    body["facts"] = {"events": older}
    html = tablet.client.post(tablet.address + "result/", json.dumps(body), "application/json").content.decode()
    assert "结果建议：能力轻度受损（轻度失能）" in html
    assert not Form.objects.exists()


def test_an_incomplete_form_has_no_result_and_the_item_is_named(tablet: Tablet) -> None:
    body = {"answers": answers_of(scale(GB), {"1.1": 0}), "facts": {}}
    html = tablet.client.post(tablet.address + "result/", json.dumps(body), "application/json").content.decode()
    assert "1.2 修饰" in html
    assert "结果建议" not in html


@pytest.mark.parametrize("body", ["", "[]", "{", '{"answers": [], "facts": {}}', '{"answers": {}}', " " * 400_001])
def test_what_no_page_sends_is_refused(tablet: Tablet, body: str) -> None:
    assert tablet.client.post(tablet.address + "result/", body, "application/json").status_code == 422


def test_a_signed_form_is_scored_once_however_often_it_is_sent(tablet: Tablet) -> None:
    facts = {"events": [], "notes": "", "signatures": {str(tablet.people[0].pk): DOT, "informant": DOT}}
    first = tablet.sent("submit", key="once", **tablet.signed(facts=facts))
    again = tablet.client.post(
        "/api/v1/forms/submit", json.dumps({"request_id": tablet.row.pk, **tablet.signed(facts=facts)}), "application/json",
        headers={"Idempotency-Key": "once"},
    )  # fmt: skip
    assert (first.status_code, again.status_code) == (201, 201), first.content
    form = Form.objects.get()
    assert (form.state, form.level, form.outcome["total"]) == ("submitted", "intact", 90)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Journal.objects.filter(event="assessment.form.submit", is_refused=False).count() == 1
    assert tablet.client.get(tablet.address).status_code == 404


@pytest.mark.req("R-ASM-06")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"answers": {"scores": [4] * 11}}, "scale.missing"),
        ({"signed": []}, "request.one_assessor"),
        ({"informant": ""}, "request.no_informant"),
        ({"declared": {}}, "request.no_interest"),
        ({"facts": {"notes": "长" * 2001}}, "form.notes"),
        ({"facts": {"signatures": {"informant": "https://example.org/x.png"}}}, "form.signature"),
        ({"facts": {"signatures": {"informant": "data:image/png;base64," + "A" * 80_001}}}, "form.signature"),
        ({"facts": {"signatures": [1]}}, "form.signature"),
        ({"facts": {"events": [{"kind": "burn", "on": "2026-01-01"}]}}, "scale.events"),
    ],
)
def test_what_is_not_complete_or_not_signed_is_not_submitted(tablet: Tablet, change: dict[str, Any], code: str) -> None:
    refused = tablet.sent("submit", **tablet.signed(**change))
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert Request.objects.get().state == "arranged"
    assert not Form.objects.filter(state="submitted").exists()


@pytest.mark.req("R-ASM-06")
def test_one_assessor_signing_twice_is_one(tablet: Tablet) -> None:
    pk = tablet.people[0].pk
    refused = tablet.sent("submit", **tablet.signed(signed=[pk, pk]))
    assert refused.json()["code"] == "request.one_assessor"


def submitted(tablet: Tablet) -> str:
    facts = {"dementia": True, "notes": "备注一", "events": [], "signatures": {str(tablet.people[0].pk): DOT}}
    answer = tablet.sent("submit", **tablet.signed(facts=facts, answers=complete(**{"1.1": 1})))
    assert answer.status_code == 201, answer.content
    return f"/assessments/{tablet.row.pk}/print/"


def test_the_paper_is_masked_and_without_answers_until_a_reason_is_given(sign_in: SignIn, tablet: Tablet) -> None:
    address = submitted(tablet)
    client = sign_in(actor("city"))
    html = client.get(address).content.decode()
    assert "王*" in html
    for hidden in ("王秀英", "302 室", "备注一", "独立进食", DOT, "1946-03-01"):
        assert hidden not in html, hidden
    assert "能力中度受损" in html or "能力轻度受损" in html
    assert queries(client, address) <= 8
    assert not Journal.objects.filter(event="assessment.form.print").exists()

    clear = client.post(address, {"reason": "档案归档"}).content.decode()
    for shown in (
        "王秀英",
        "302 室",
        "备注一",
        "☑ 3 需提示",
        DOT,
        "1946-03-01",
        "☑ 确诊痴呆",
        "李芳（女儿）",
        "确诊痴呆或其他精神和行为障碍",
    ):
        assert shown in clear, shown
    row = Journal.objects.get(event="assessment.form.print")
    assert (row.reason, row.elder_id) == ("档案归档", tablet.row.elder_id)


def test_without_a_reason_nothing_is_shown_and_the_attempt_is_journalled(sign_in: SignIn, tablet: Tablet) -> None:
    address = submitted(tablet)
    answer = sign_in(actor("city")).post(address, {"reason": " "})
    assert answer.status_code == 422
    assert "王秀英" not in answer.content.decode()
    around = current_scope()
    assert around is not None
    around.afterwards.pop()()
    row = Journal.objects.latest("pk")
    assert (row.event, row.is_refused, row.code) == ("assessment.form.print", True, "text.missing")


def test_who_may_not_print_sees_no_field_for_it(sign_in: SignIn, tablet: Tablet) -> None:
    address = submitted(tablet)
    client = sign_in(actor("community", tablet.row.div))
    assert 'name="reason"' not in client.get(address).content.decode()
    assert client.post(address, {"reason": "看看"}).status_code == 403
    assert sign_in(actor("district", OTHER_DISTRICT)).get(address).status_code == 404
    assert sign_in(actor("seat")).get("/assessments/999999/print/").status_code == 404


@pytest.mark.parametrize("name", scales())
def test_every_scale_prints_blank(sign_in: SignIn, name: str) -> None:
    client = sign_in("city")
    html = client.get(f"/assessments/paper/{name}/").content.decode()
    assert "☑" not in html
    assert html.count('<th scope="row">') > len(questions(scale(name)))
    assert client.get("/assessments/paper/nothing/").status_code == 404


def test_the_worker_for_work_without_a_network_stands_at_the_root(client: Client) -> None:
    answer = client.get("/sw.js")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript")
    assert b"m\\/assessments" in answer.content


def test_log_out_wipes_what_a_tablet_kept(tablet: Tablet) -> None:
    assert tablet.client.post("/logout/")["Clear-Site-Data"] == '"storage"'


def test_a_label_pack_stands_on_sheet_and_paper(sign_in: SignIn, settings: Any, tmp_path: Any) -> None:
    from tests.assessment.test_scales import pack_of, write  # noqa: PLC0415 - its makers

    from yinling.assessment import wording  # noqa: PLC0415 - beside its cache

    settings.LABELS = tmp_path
    write(tmp_path, pack_of("mna_sf"))
    wording.packs.cache_clear()
    try:
        html = sign_in("city").get("/assessments/paper/mna_sf/").content.decode()
        assert "第A题" in html
        assert "文字来源 测试" in html
        assert wording.check_packs() == []
        write(tmp_path, "{", "bad.yaml")
        assert [error.id for error in wording.check_packs()] == ["assessment.labels"]
    finally:
        wording.packs.cache_clear()
