"""P16: the queue of assessments, one application, who goes, one elder's results; scales, contracts and recognition."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.assessment.conftest import SEVERE_LTC, Way, way
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    make_assessment,
    make_elder,
    make_organisation,
    make_request,
)
from tests.screens.test_settlement import form_of, queries

from yinling.assessment.models import Assessment, Commission, Recognition, Request, ScaleConfirmation
from yinling.assessment.operations import record_recognition
from yinling.kernel.masks import mask_name
from yinling.kernel.period import local_date

SignIn = Callable[..., Client]
LATER = NOW + timedelta(days=30)
NOWADAYS = local_date(LATER)
"""When the pages open: some time after what the operations of a test wrote, and while results of then still hold."""
__all__ = ["way"]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.directory.queries.real_now", lambda: LATER)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_the_queue_shows_what_the_role_must_do_next(sign_in: SignIn, way: Way) -> None:
    row = way.apply()
    client = sign_in(way.centre)
    html = text(client, "/assessments/")
    assert row.code in html
    assert mask_name(way.elder.name) in html
    sent = form_of(client, f"/assessments/{row.pk}/", "verify_request")
    assert client.post("/do/verify_request/", sent)["Location"] == f"/assessments/{row.pk}/"
    assert f"/assessments/{row.pk}/arrange/" in text(client, f"/assessments/{row.pk}/")
    assert row.code in text(client, "/assessments/?tab=verified")
    assert row.code not in text(client, "/assessments/?tab=done")
    assert row.code not in text(sign_in(way.station), "/assessments/")
    assert row.code in text(sign_in(way.station), "/assessments/?tab=all")


def test_an_assessment_is_arranged_in_two_steps(sign_in: SignIn, way: Way) -> None:
    row, client = way.verified(), sign_in(way.centre)
    here = f"/assessments/{row.pk}/arrange/"
    assert way.body.name in text(client, here)
    html = text(client, f"{here}?organisation_id={way.body.pk}&visit_on={NOWADAYS}")
    assert f"{way.nurse.name}（护士执业证）" in html
    assert f"{way.worker.name}（养老护理员证书 4级）" in html
    sent = form_of(client, f"{here}?organisation_id={way.body.pk}&visit_on={NOWADAYS}", "arrange_request")
    answer = client.post("/do/arrange_request/", sent | {"assessors": [str(way.nurse.pk), str(way.worker.pk)]})
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"] == f"/assessments/{row.pk}/"
    row.refresh_from_db()
    assert (row.state, row.assessors.count()) == ("arranged", 2)
    assert row.code in text(sign_in(way.assessor), "/assessments/")
    assert f"/m/assessments/{row.pk}/" in text(sign_in(way.assessor), f"/assessments/{row.pk}/")


def test_the_organisation_names_its_people(sign_in: SignIn, way: Way) -> None:
    row = way.verified()
    way.arrange(row, assessors=[])
    client = sign_in(actor("provider_manager", organisation=way.body))
    assert row.code in text(client, "/assessments/")
    sent = form_of(client, f"/assessments/{row.pk}/assign/", "assign_assessors")
    answer = client.post("/do/assign_assessors/", sent | {"assessors": [str(way.nurse.pk)]})
    assert answer["Location"] == f"/assessments/{row.pk}/"
    assert "/elders/" not in text(client, f"/assessments/{row.pk}/").split("<main")[1]


def test_a_result_is_shown_with_its_parts_and_people(sign_in: SignIn, way: Way) -> None:
    row = way.done()
    html = text(sign_in(way.centre), f"/assessments/{row.pk}/")
    for word in ("中度失能", "复核人", "护士执业证", "助浴", "与录像一致", f"/assessments/{row.pk}/print/"):
        assert word in html
    assert "按时间" not in html


@pytest.mark.req("R-ASM-09")
def test_the_page_of_an_elder_shows_each_result_in_its_own_scale(sign_in: SignIn, way: Way) -> None:
    way.done()
    make_assessment(way.elder, scale="morse", level="2", points=60, purpose="")
    old = make_elder()
    make_assessment(old, assessed_on=TODAY - timedelta(days=800), valid_to=TODAY)
    client = sign_in(way.centre)
    html = text(client, f"/elders/{way.elder.pk}/assessments/")
    for word in ("中度失能", "高风险", "不同标准的等级不能互相比较", "助浴", "据此可以申请的待遇"):
        assert word in html
    assert "已到期" in text(client, f"/elders/{old.pk}/assessments/")
    sent = form_of(client, f"/elders/{old.pk}/assessments/", "request_assessment") | {
        "scale": "gbt42195_2022", "purpose": "home_care", "reason": "first", "mode": "home", "applied_as": "staff",
    }  # fmt: skip
    answer = client.post("/do/request_assessment/", sent)
    row = Request.objects.latest("pk")
    assert (answer["Location"], row.elder_id) == (f"/assessments/{row.pk}/", old.pk)


@pytest.mark.req("R-ASM-01")
def test_recognition_is_recorded_from_what_is_known_and_shown_at_the_elder(sign_in: SignIn, way: Way) -> None:
    make_assessment(way.elder)
    client = sign_in("city")
    assert "现有结果没有登记部门互认" in text(client, f"/elders/{way.elder.pk}/assessments/")
    html = text(client, "/recognitions/")
    assert "还没有登记互认" in html
    assert "2025年7月养老服务消费补贴通知" in html
    way.act(
        record_recognition, client.actor, div=CITY, department="civil_affairs", from_scale="gbt42195_2022", from_levels=["moderate"],  # type: ignore[attr-defined]
        purpose="consumption_subsidy", accepted_as="符合条件", legal_basis="2025年7月通知", valid_from=TODAY,
    )  # fmt: skip
    assert "符合条件" in text(client, f"/elders/{way.elder.pk}/assessments/")
    sent = form_of(client, "/recognitions/", "end_recognition") | {"valid_to": "2026-06-14", "reason": "废止"}
    assert client.post("/do/end_recognition/", sent)["Location"] == "/recognitions/"
    assert not Recognition.objects.filter(recorded_to=None).exists()


@pytest.mark.req("R-ASM-03")
def test_scales_show_version_source_and_gate(sign_in: SignIn, way: Way) -> None:
    client = sign_in("city")
    html = text(client, "/scales/")
    assert "未确认，结果为暂定" in html
    for scale in ("gbt42195_2022", "mzt039_2013", "tcm33", "mna_sf"):
        assert "上门评估的最少评估员人数" in text(client, f"/scales/{scale}/")
        assert "assessors_home" not in text(client, f"/scales/{scale}/")
    assert "凭记忆，未核对" in text(client, "/scales/ltc_2021_37/")
    sent = form_of(client, "/scales/ltc_2021_37/", "confirm_scale") | {
        "document": "医保办发〔2021〕37号附件",
        "div": CITY,
    }
    assert client.post("/do/confirm_scale/", sent)["Location"] == "/scales/ltc_2021_37/"
    row = ScaleConfirmation.objects.get()
    assert row.confirmed_by_name in text(client, "/scales/")
    assert "逐格核对并确认" in text(client, "/scales/ltc_2021_37/")
    assert client.get("/scales/none/").status_code == 404
    assert "data-action" not in text(sign_in(way.station), "/scales/ltc_2021_37/").split("<main")[1]


def test_an_unconfirmed_grade_is_marked_on_every_page(sign_in: SignIn, way: Way) -> None:
    row = way.verified(scale="ltc_2021_37", purpose="ltc_benefit")
    way.arrange(row, assessors=[way.worker.pk], expert_id=way.nurse.pk)
    way.submit(row, answers=SEVERE_LTC)
    html = text(sign_in(way.centre), f"/assessments/{row.pk}/")
    assert "暂定" in html
    assert "确认专家" not in html
    make_assessment(way.elder, scale="ltc_2021_37", level="4")
    assert "尚无具名人员确认" in text(sign_in(way.centre), f"/elders/{way.elder.pk}/assessments/")


def test_a_contract_is_recorded_on_its_page(sign_in: SignIn, way: Way) -> None:
    Commission.objects.all().delete()
    client = sign_in(way.centre)
    assert "还没有登记评估机构的委托" in text(client, "/commissions/")
    sent = form_of(client, "/commissions/", "commission_organisation") | {
        "organisation_id": str(way.body.pk), "scales": ["gbt42195_2022"], "contract": "评2026-2", "qualification": "证书",
        "assessor_count": "6", "div": DISTRICT, "valid_from": "2026-06-15",
    }  # fmt: skip
    answer = client.post("/do/commission_organisation/", sent)
    assert answer["Location"] == "/commissions/", answer.content.decode()
    assert "评2026-2" in text(client, "/commissions/")


def test_due_results_are_one_click_from_an_application(sign_in: SignIn, way: Way) -> None:
    row = make_assessment(way.elder, assessed_on=NOWADAYS - timedelta(days=350), valid_to=NOWADAYS + timedelta(days=10))
    client = sign_in(way.centre)
    html = text(client, "/assessments/?tab=due")
    assert "即将到期" in html
    sent = form_of(client, "/assessments/?tab=due", "request_assessment") | {"purpose": "home_care", "mode": "home"}
    client.post("/do/request_assessment/", sent)
    found = Request.objects.get()
    assert (found.reason, found.former_id) == ("routine", row.pk)
    assert "没有需要复评的结果" in text(client, "/assessments/?tab=due")


PAGES = ("/assessments/", "/assessments/?tab=all", "/assessments/?tab=due", "/scales/", "/scales/ltc_2021_37/")


@pytest.mark.parametrize("address", [*PAGES, "/recognitions/", "/commissions/"])
def test_the_wrong_role_is_told_who_may(sign_in: SignIn, address: str) -> None:
    assert sign_in("finance").get(address).status_code == 403


@pytest.mark.parametrize(
    "address", ["/assessments/", "/assessments/?tab=all", "/assessments/?tab=due", "/recognitions/", "/commissions/"]
)
def test_empty_pages_say_why(sign_in: SignIn, address: str) -> None:
    assert 'class="empty"' in text(sign_in("district"), address)


def test_other_areas_do_not_exist(sign_in: SignIn, way: Way) -> None:
    row = way.arranged()
    client = sign_in(actor("district", OTHER_DISTRICT))
    for address in (
        f"/assessments/{row.pk}/",
        f"/assessments/{row.pk}/arrange/",
        f"/elders/{way.elder.pk}/assessments/",
    ):
        assert client.get(address).status_code == 404
    other = sign_in(actor("provider_manager", organisation=make_organisation()))
    assert other.get(f"/assessments/{row.pk}/assign/").status_code == 404


@pytest.mark.parametrize("address", [*PAGES, "/recognitions/", "/commissions/"])
def test_lists_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn, way: Way, address: str) -> None:
    client = sign_in("city")

    def fill() -> None:
        make_request(make_elder())
        make_assessment(
            make_elder(), assessed_on=NOWADAYS - timedelta(days=350), valid_to=NOWADAYS + timedelta(days=10)
        )
        way.act(
            record_recognition, client.actor, div=CITY, department="health", from_scale="morse", from_levels=["2"],  # type: ignore[attr-defined]
            purpose=("health", "admission", "home_care")[Recognition.objects.count() % 3], accepted_as="高风险", legal_basis="x", valid_from=TODAY,
        )  # fmt: skip

    fill()
    one = queries(client, address)
    fill()
    fill()
    assert queries(client, address) == one <= 8


def test_details_stay_within_their_queries(sign_in: SignIn, way: Way) -> None:
    row, client = way.done(), sign_in(way.centre)
    assert queries(client, f"/assessments/{row.pk}/") <= 8
    open_row = way.verified(purpose="admission")
    assert queries(client, f"/assessments/{open_row.pk}/arrange/?organisation_id={way.body.pk}") <= 10
    here = f"/elders/{way.elder.pk}/assessments/"
    one = queries(client, here)
    for scale in ("morse", "barthel"):
        make_assessment(way.elder, scale=scale, level="1")
    assert queries(client, here) == one
    assert Assessment.objects.filter(elder=way.elder).count() == 3


def test_answers_of_htmx_are_the_block_alone(sign_in: SignIn, way: Way) -> None:
    way.apply()
    answer: Any = sign_in(way.centre).get(
        "/assessments/?tab=all", headers={"HX-Request": "true", "HX-Target": "request-list"}
    )
    assert "<html" not in answer.content.decode()
    assert "P-260615" in answer.content.decode()
