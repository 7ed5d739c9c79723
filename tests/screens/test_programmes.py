"""Pages of contracts with family doctors, home sickbeds and stays, and the page of one elder that shows all three beside each other."""

import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import CITY, NOW, STREET, actor, make_assessment, make_elder, make_entitlement, make_scheme, system
from tests.programmes.home_beds.test_stays import admitted
from tests.programmes.making import make_bed_application, make_draft, make_signed, office

from yinling.entitlements.models import Entitlement
from yinling.people.models import Circumstance, Elder
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.home_beds.jobs import bill_stays
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.programmes.home_beds.operations import approve_bed

SignIn = Callable[..., Client]
SCOPE = "set_config('yinling.scope'"
MOST_QUERIES = 8


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.web.middleware.business_now", lambda: NOW, raising=False)
    monkeypatch.setattr("yinling.directory.queries.real_now", lambda: NOW)
    monkeypatch.setattr("yinling.directory.queries.business_now", lambda: NOW)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def queries(client: Client, address: str) -> int:
    page(client, address)
    with CaptureQueriesContext(connection) as caught:
        page(client, address)
    return len([one for one in caught if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"]])


def test_the_list_of_contracts_has_counts_filters_and_a_workbook(sign_in: SignIn) -> None:
    client = sign_in(actor("street", STREET))
    assert "还没有签约" in page(client, "/contracts/")
    draft, signed = make_draft(make_elder(name="赵桂英")), make_signed(make_elder(name="王秀英"))
    shown = page(client, "/contracts/")
    assert all(text in shown for text in (draft.code, signed.code, "李医生", "失能老年人服务包", "240.00"))
    only = page(client, "/contracts/?state=draft&q=赵")
    assert draft.code in only
    assert signed.code not in only
    assert "没有符合条件" in page(client, "/contracts/?ends_by=2026-01-01")
    sheet = (
        CalamineWorkbook.from_filelike(io.BytesIO(client.get("/contracts/sheet/").content))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert {row[0] for row in sheet[1:]} == {draft.code, signed.code}
    assert "赵桂英" not in str(sheet)


@pytest.mark.parametrize(
    ("address", "make"),
    [
        ("/contracts/", make_draft),
        ("/contracts/calls/", None),
        ("/beds/", make_bed_application),
        ("/beds/stays/", admitted),
    ],
)
def test_lists_ask_no_more_for_three_rows_than_for_one(
    sign_in: SignIn, address: str, make: Callable[[], object] | None
) -> None:
    client = sign_in(actor("street", STREET))
    found = []
    for number in range(3):
        if make is None:
            make_assessment(make_elder(), level="severe", points=number)
        else:
            make()
        if number != 1:
            found.append(queries(client, address))
    assert found[0] == found[1] <= MOST_QUERIES


def test_a_contract_is_drafted_signed_and_printed_from_its_pages(sign_in: SignIn) -> None:
    client = sign_in(actor("street", STREET))
    row = make_draft(make_elder(name="赵桂英"))
    new = page(client, f"/contracts/new/?elder={row.elder_id}&provider={row.provider_id}")
    assert all(text in new for text in ("失能老年人服务包", "李医生", 'data-action="draft_contract"'))
    shown = page(client, f"/contracts/{row.pk}/")
    assert all(
        text in shown for text in ("赵桂英", 'data-action="sign_contract"', 'data-action="record_consent"', "待签约")
    )
    paper = page(client, f"/contracts/{row.pk}/?print=1")
    assert all(text in paper for text in ("老年人或代理人", "____________", "贰佰肆拾元整"))
    assert "data-action" not in paper


def test_a_renewal_begins_the_day_after_the_contract_that_runs(sign_in: SignIn) -> None:
    row, client = make_signed(), sign_in(actor("street", STREET))
    shown = page(client, f"/contracts/new/?elder={row.elder_id}&provider={row.provider_id}")
    assert f'value="{row.valid_to.isoformat()}"' in shown


def test_the_form_of_withdrawing_a_bed_proposes_no_day_after_its_last(sign_in: SignIn) -> None:
    row = approve_bed(actor=office(), now=NOW, bed_id=make_bed_application().pk)
    HomeSickbed.objects.filter(pk=row.pk).update(approved_on=date(2026, 5, 1), approved_to=date(2026, 6, 10))
    shown = page(sign_in(office()), f"/beds/{row.pk}/")
    assert 'data-action="withdraw_bed"' in shown
    assert re.findall(r"name=.last_day. [^>]*value=.([0-9-]+)", shown) == ["2026-06-10"]


@pytest.mark.req("R-FAM-03")
def test_the_page_of_a_contract_shows_what_is_used_of_the_package(sign_in: SignIn) -> None:
    row = make_signed()
    shown = page(sign_in(actor("provider_manager", organisation=row.provider)), f"/contracts/{row.pk}/")
    assert all(text in shown for text in ("服务包使用情况", "履约中", 'data-action="end_contract"'))
    assert 'data-action="sign_contract"' not in shown
    assert client_cannot(sign_in, "carer", "/contracts/")


def client_cannot(sign_in: SignIn, role: str, address: str) -> bool:
    return sign_in(actor(role)).get(address).status_code == 403


def test_a_contract_of_another_body_does_not_exist(sign_in: SignIn) -> None:
    row = make_signed()
    assert sign_in(actor("provider_manager")).get(f"/contracts/{row.pk}/").status_code == 404
    assert sign_in(actor("street", "320281100")).get(f"/contracts/{row.pk}/").status_code == 404


@pytest.mark.req("R-FAM-05", "R-FAM-06")
def test_the_call_list_shows_the_need_groups_in_their_order(sign_in: SignIn) -> None:
    alone, disabled = make_elder(name="钱独居", born_on=date(1960, 1, 1)), make_elder(name="孙失能")
    Circumstance.objects.create(
        div=alone.div, elder=alone, kind="lives_alone", body="社区", valid_from=date(2024, 1, 1), recorded_from=NOW
    )
    make_assessment(disabled, level="severe", points=10)
    client = sign_in(actor("street", STREET))
    shown = page(client, "/contracts/calls/")
    assert shown.index("孙失能") < shown.index("钱独居")
    only = page(client, "/contracts/calls/?group=lives_alone")
    assert ("钱独居" in only, "孙失能" in only) == (True, False)
    assert DoctorContract.objects.count() == 0


@pytest.mark.req("R-BED-01")
def test_the_page_of_an_application_says_what_is_missing(sign_in: SignIn) -> None:
    row = make_bed_application(without="diagnosis")
    shown = page(sign_in(office()), f"/beds/{row.pk}/")
    assert shown.count("还缺") == 1
    assert shown.count("已具备") == 5
    assert all(text in shown for text in ("失能老年人", 'data-action="approve_bed"', "张护士"))
    assert row.code in page(sign_in(actor("provider_manager", organisation=row.provider)), "/beds/?state=applied")


def test_the_page_of_a_bed_hides_the_diagnosis_until_somebody_says_why(sign_in: SignIn) -> None:
    row = make_bed_application()
    client = sign_in(actor("doctor", organisation=row.provider))
    shown = page(client, f"/beds/{row.pk}/")
    assert "脑梗" not in shown
    assert 'data-action="reveal_diagnosis"' in shown
    assert "脑梗" not in page(client, "/beds/")


@pytest.mark.req("R-LTC-09", "R-LTC-10", "R-LTC-08")
def test_bed_contract_and_insurance_stand_on_one_page(sign_in: SignIn) -> None:
    bed = make_bed_application()
    elder = Elder.objects.get(pk=bed.elder_id)
    approve_bed(actor=office(), now=NOW, bed_id=bed.pk)
    contract = make_signed(elder)
    client, address = sign_in(actor("street", STREET)), f"/elders/{elder.pk}/programmes/"
    file = page(client, f"/elders/{elder.pk}/")
    assert 'data-action="record_circumstance"' in file
    for kind, detail, body, number in (
        ("ltci_insured", "居民", "市医保中心", "LT001"),
        ("accident_insured", "", "平安保险", "AX-77"),
    ):
        assert f'value="{kind}"' in file
        policy = {"elder_id": elder.pk, "kind": kind, "detail": detail, "body": body, "evidence": number}
        sent = policy | {"valid_from": "2026-01-01", "_key": kind}
        assert client.post("/do/record_circumstance/", sent).status_code == 302
    scheme = make_scheme(code="ltci_here", name="长护险待遇", payer="ltci")
    make_entitlement(elder, scheme, limits=[{"unit": "visit", "per": "week", "most": 5}])
    shown = page(client, address)
    assert all(text in shown for text in (bed.code, contract.code, "李医生", "张护士", "ROUND 剩 12 次"))
    part = client.get(address, headers={"HX-Request": "true", "HX-Target": "insurance"}).content.decode()
    assert all(text in part for text in ("长护险待遇", "每周 5 次", "AX-77", "平安保险", "居民"))
    assert bed.code not in part
    beside = page(sign_in(office()), f"/beds/{bed.pk}/")
    assert "长护险待遇" in beside
    assert f'href="{address}"' in file


@pytest.mark.req("R-BED-06")
def test_the_page_of_stays_shows_the_months_billed_and_to_be_billed(sign_in: SignIn) -> None:
    stay = admitted()
    client = sign_in(office())
    shown = page(client, "/beds/stays/")
    assert all(text in shown for text in ("12 日", "待结算", 'data-action="bill_stay"', 'data-action="discharge_stay"'))
    bill_stays(system(CITY), NOW)
    after = page(client, "/beds/stays/?open=1")
    assert "2,160.00" in after
    assert "待结算" not in after
    assert 'data-action="admit_to_bed"' in page(client, f"/beds/stays/new/?elder={stay.elder_id}")


def test_empty_pages_say_what_to_do(sign_in: SignIn) -> None:
    client, elder = sign_in(actor("street", STREET)), make_elder()
    for address, text in (
        ("/beds/", "还没有家庭病床"), ("/beds/stays/", "没有按床日付费的住院"), ("/contracts/calls/?group=dementia", "都已签约"),
        ("/contracts/new/", "请先选择老年人"), (f"/contracts/new/?elder={elder.pk}", "还没有公布的服务包"),
        ("/beds/new/", "请先查找老年人"), (f"/beds/new/?elder={elder.pk}", "暂不符合条件"), (f"/elders/{elder.pk}/programmes/", "没有家庭医生签约"),
    ):  # fmt: skip
        assert text in page(client, address), address
    assert (HomeSickbed.objects.count(), Entitlement.objects.count()) == (0, 0)
