"""Shares of staff, scorecards, agreements, the auditor's lists: pages, sheets, who may open them, and how many questions they ask."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import (
    NOW,
    TODAY,
    actor,
    fund_order,
    make_assignment,
    make_elder,
    make_entitlement,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    make_staff,
    make_visit,
    system,
)
from tests.settlement.test_distributions import AFTER, body_with_two, draft, nursing, visited

from yinling.accounts.models import Journal
from yinling.directory.models import Organisation
from yinling.entitlements.models import Agreement, AgreementQuota, Standing
from yinling.entitlements.operations import sign_agreement
from yinling.ground.scope import current_scope
from yinling.kernel.refusals import Refused
from yinling.orders.models import Order
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.settlement.models import Distribution
from yinling.settlement.operations import approve_distribution, settle_order
from yinling.settlement.queries import described, tries

SignIn = Callable[..., Client]
LATER = NOW + timedelta(days=3)
SCOPE = "set_config('yinling.scope'"


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(1 for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"])


def sheet(client: Client, address: str) -> list[list[Any]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return list(CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python())


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    html = client.get(address).content.decode()
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


@pytest.mark.req("R-PAY-06", "R-STF-19")
def test_a_share_is_the_same_on_screen_paper_and_sheet(sign_in: SignIn) -> None:
    body, nurse, _doctor = body_with_two()
    row = draft(body)
    client = sign_in(actor("provider_manager", organisation=body))
    for address in (f"/settlement/shares/{row.pk}/", f"/settlement/shares/{row.pk}/print/"):
        shown = text(client, address)
        assert "95.61" in shown
        assert "140.00" in shown
        assert "壹佰肆拾元整" in shown
        assert "不计入绩效工资总量" in shown
    rows = sheet(client, f"/settlement/shares/{row.pk}/excel/")
    assert any("不计入绩效工资总量" in line for line in rows)
    assert next(line[-1] for line in rows if line[1] == nurse.name) == 95.61
    assert rows[-1][-1] == 140
    assert sheet(client, "/settlement/shares/excel/")[-1][8] == 140
    assert "140.00" in text(client, "/settlement/shares/")
    assert "不低于70% 发放给上门服务的医务人员" in text(client, "/settlement/shares/")
    assert "不低于70" in text(client, "/settlement/shares/new/")


@pytest.mark.req("R-STF-22")
def test_the_page_says_how_points_came_about(sign_in: SignIn) -> None:
    body, *_people = body_with_two()
    shown = text(sign_in("finance"), f"/settlement/shares/{draft(body).pk}/")
    assert "工作分 320 = 2 次 × 100 + 120 分钟 × 1" in shown
    assert "加成 = 满意 20% + 完整 10% + 优秀 10%" in shown
    assert "分数 448" in shown


def test_the_buttons_of_two_persons(sign_in: SignIn) -> None:
    body, *_people = body_with_two()
    who = actor("provider_manager", organisation=body)
    row = draft(body, who)
    address = f"/settlement/shares/{row.pk}/"
    first, second = sign_in(who), sign_in(actor("provider_manager", organisation=body))
    html = first.get(address).content.decode()
    assert "请由另一位有权限的人员复核" in html
    assert 'data-action="approve_distribution"' not in html
    sent = form_of(second, address, "approve_distribution")
    assert second.post("/do/approve_distribution/", sent)["Location"] == address
    assert Distribution.objects.get().state == "approved"
    assert "已入账" in text(first, address)


def test_a_share_is_drafted_from_the_page(sign_in: SignIn) -> None:
    body, *_people = body_with_two()
    client = sign_in(actor("provider_manager", organisation=body))
    sent = form_of(client, "/settlement/shares/new/", "draft_distribution")
    sent |= {
        "organisation_id": str(body.pk),
        "from_month": "2026-06-01",
        "cost_fen": "90",
        "cost_document": "成本表",
        "drawn_fen": "0",
        "ratio": "69.99",
    }
    assert client.post("/do/draft_distribution/", sent).status_code == 422
    assert not Distribution.objects.exists()


@pytest.mark.req("R-STF-22", "R-STF-21")
def test_the_phone_shows_own_hours_and_income_with_the_formula_and_nobody_elses(sign_in: SignIn) -> None:
    body, nurse, doctor = body_with_two()
    row = draft(body)
    approve_distribution(actor=actor("finance"), now=AFTER, distribution_id=row.pk)
    shown = text(sign_in(actor("nurse", staff=nurse)), "/m/income/")
    assert "95.61" in shown
    assert "工作分 320 = 2 次 × 100 + 120 分钟 × 1" in shown
    assert "44.39" not in shown
    assert doctor.name not in shown
    assert "44.39" in text(sign_in(actor("doctor", staff=doctor)), "/m/income/")
    assert "还没有分配给您的收入" in text(sign_in(actor("carer", staff=make_staff(body))), "/m/income/")
    assert "/m/income/" in sign_in(actor("nurse", staff=nurse)).get("/m/").content.decode()


@pytest.mark.req("R-STF-21")
def test_scorecards_of_people_and_bodies(sign_in: SignIn) -> None:
    _body, nurse, doctor = body_with_two()
    client = sign_in("finance")
    month = "month=2026-06-01"
    shown = text(client, f"/staff/scorecards/?{month}")
    assert "2／2" in shown
    assert "没有评价" in shown
    assert "优秀" in shown
    assert doctor.name not in text(client, f"/staff/scorecards/?{month}&kind=nurse")
    rows = sheet(client, f"/staff/scorecards/excel/?{month}&kind=nurse")
    assert rows[-1][:2] + rows[-1][4:12] == [nurse.pk, nurse.name, 2, 120, 2, 2, "5.0", 2, 0, 0]
    assert doctor.name in text(client, f"/staff/scorecards/?{month}&q={doctor.name}")
    own = sign_in(actor("provider_manager"))
    assert nurse.name not in text(own, f"/staff/scorecards/?{month}")


@pytest.mark.req("R-BED-08")
def test_home_sickbeds_and_beds_are_items_of_the_assessment_of_bodies(sign_in: SignIn) -> None:
    body, nurse, doctor = body_with_two()
    body.sites.update(beds=24)
    client = sign_in("finance")
    common = {
        "provider": body,
        "applied_at": NOW,
        "applied_by_id": client.actor.user_id,
        "created_at": NOW,
        "changed_at": NOW,
    }  # type: ignore[attr-defined]
    for first, last in (
        (date(2026, 6, 3), None),
        (date(2026, 2, 1), date(2026, 6, 2)),
        (date(2026, 2, 1), date(2026, 5, 31)),
    ):
        elder = make_elder()
        bed = HomeSickbed.objects.create(div=elder.div, elder=elder, signed_by="王秀英", need="压疮护理", **common)
        bed.state, bed.doctor, bed.nurse, bed.approved_on, bed.checked_on = "approved", doctor, nurse, first, first
        bed.save()
        if last:
            bed.state, bed.withdrawn_on = "withdrawn", last
            bed.save()
    html = client.get("/staff/scorecards/bodies/?month=2026-06-01").content.decode()
    row = html[html.index(f'id="body-{body.pk}"') :]
    cells = re.findall(r'<td class="right">([^<]*)</td>', row[: row.index("</tr>")])
    assert cells == ["3", "2", "5.0", "2", "1", "24"]


def twice(body: Organisation | None = None) -> tuple[Order, Order]:
    """The same visit placed under two schemes; the second settlement is refused."""
    elder, price = make_elder(), make_price(organisation=body)
    orders = [make_order("served", elder=elder, price=price) for _ in range(2)]
    for order, payer in zip(orders, ("ltci", "voucher"), strict=True):
        scheme = make_scheme(payer=payer, name={"ltci": "长护险", "voucher": "消费券"}[payer])
        fund_order(order, make_entitlement(elder, scheme, monthly_cap_fen=None), 4_000)
    finance = actor("finance")
    settle_order(actor=finance, now=LATER, order_id=orders[0].pk)
    with pytest.raises(Refused, match=r"settlement\.repeated"):
        settle_order(actor=finance, now=LATER, order_id=orders[1].pk)
    around = current_scope()
    assert around is not None
    around.afterwards.pop()()
    return orders[0], orders[1]


@pytest.mark.req("R-PAY-04")
@pytest.mark.parametrize("role", ["auditor", "finance", "city", "supervisor"])
def test_the_refused_second_charge_is_listed_with_both_orders(sign_in: SignIn, role: str) -> None:
    first, second = twice()
    client = sign_in(role)
    (row,) = Journal.objects.filter(code="settlement.repeated")
    (one,) = described(client.actor, tries(client.actor))  # type: ignore[attr-defined]
    assert one.tried is not None
    assert one.before is not None
    assert (one.tried.order.pk, one.before.order.pk) == (second.pk, first.pk)
    for address in ("/settlement/tries/", f"/settlement/tries/{row.pk}/"):
        shown = text(client, address)
        assert first.code in shown
        assert second.code in shown
        assert "王秀英" not in shown
        assert "王*" in shown or "王＊" in shown or "王" in shown
    assert "长护险 40.00 → 个人自付 40.00" in text(client, "/settlement/tries/")
    assert "没有收费" in text(client, f"/settlement/tries/{row.pk}/")
    line = sheet(client, "/settlement/tries/excel/")[-1]
    assert (line[3], line[5]) == (second.code, first.code)
    assert second.code not in text(client, "/settlement/tries/?code=settlement.already")


@pytest.mark.req("R-PAY-04")
def test_the_minutes_of_another_visit_are_listed_with_the_order_that_claimed_them(sign_in: SignIn) -> None:
    elder, body = make_elder(), make_organisation()
    orders = []
    for payer in ("ltci", "voucher"):
        order = make_order("served", elder=elder, price=make_price(organisation=body))
        fund_order(order, make_entitlement(elder, make_scheme(payer=payer), monthly_cap_fen=None), 4_000)
        make_visit(make_assignment(order, make_staff(body), state="done"), state="done")
        orders.append(order)
    finance = actor("finance")
    settle_order(actor=finance, now=LATER, order_id=orders[0].pk)
    with pytest.raises(Refused, match=r"settlement\.time_claimed"):
        settle_order(actor=finance, now=LATER, order_id=orders[1].pk)
    around = current_scope()
    assert around is not None
    around.afterwards.pop()()
    client = sign_in("auditor")
    (one,) = described(client.actor, tries(client.actor))  # type: ignore[attr-defined]
    assert one.tried is not None
    assert one.before is not None
    assert (one.tried.order.pk, one.before.order.pk) == (orders[1].pk, orders[0].pk)
    assert "同一时间重复结算" in text(client, "/settlement/tries/")


def test_who_has_no_business_with_the_audit_is_refused(sign_in: SignIn) -> None:
    assert sign_in("provider_manager").get("/settlement/tries/").status_code == 403
    assert sign_in("seat").get("/settlement/tries/overlaps/").status_code == 403
    assert sign_in("carer").get("/settlement/shares/").status_code == 403
    assert sign_in("seat").get("/agreements/").status_code == 403


@pytest.mark.req("R-LTC-07")
def test_two_live_schemes_for_one_service_are_shown_in_the_order_of_payers(sign_in: SignIn) -> None:
    ltci = make_scheme(payer="ltci", name="长护险", families=["daily_care", "nursing"])
    voucher = make_scheme(payer="voucher", name="消费券", families=["daily_care"])
    meals = make_scheme(payer="meal_subsidy", name="助餐", families=["meal"])
    both, one, apart, ended = make_elder(), make_elder(), make_elder(), make_elder()
    for elder in (both, ended):
        make_entitlement(elder, voucher)
        make_entitlement(elder, ltci, valid_to=date(2026, 1, 1) if elder == ended else None)
    make_entitlement(one, ltci)
    make_entitlement(apart, ltci)
    make_entitlement(apart, meals)
    client = sign_in("auditor")
    html = client.get("/settlement/tries/overlaps/").content.decode()
    assert re.findall(r'id="elder-(\d+)"', html) == [str(both.pk)]
    assert "长期护理保险（长护险） → 消费补贴券（消费券）" in html
    assert (
        re.findall(r'id="elder-(\d+)"', client.get("/settlement/tries/overlaps/?payer=meal_subsidy").content.decode())
        == []
    )
    assert sheet(client, "/settlement/tries/overlaps/excel/")[-1][2] == "生活照料"


@pytest.mark.req("R-LTC-05", "R-PAY-09", "R-PAY-17")
def test_agreements_are_entered_found_and_show_the_purchase_list(sign_in: SignIn) -> None:
    body, partner, client = make_organisation(), make_organisation(kind="health_centre"), sign_in("finance")
    sent = form_of(client, "/agreements/new/", "sign_agreement")
    sent |= {
        "organisation_id": str(body.pk), "kind": "purchase", "payer": "government", "number": "苏采2026-7", "valid_from": "2026-01-01",
        "valid_to": (TODAY + timedelta(days=20)).isoformat(), "monthly_count": "30", "monthly_fen": "5000",
    }  # fmt: skip
    address = client.post("/do/sign_agreement/", sent)["Location"]
    elder, price = make_elder(), make_price(organisation=body)
    order = make_order(elder=elder, price=price)
    fund_order(order, make_entitlement(elder, make_scheme(payer="government"), monthly_cap_fen=None), 4_000)
    signed = Agreement.objects.get(organisation=body)
    for unit, cap, fen in (("time", 30, 1), ("fen", 500_000, 4_000)):
        AgreementQuota.objects.create(agreement=signed, unit=unit, from_on=date(2026, 6, 1), cap=cap, reserved=fen)
    shown = text(client, address + "?month=2026-06-01")
    assert price.item.code in shown
    assert "40.00" in shown
    assert "还可购买次数 29" in shown
    assert "还可购买金额 4,960.00 元" in shown
    sign_agreement(
        actor=actor("finance"), now=NOW, organisation_id=body.pk, kind="cooperation", number="合作1", valid_from=date(2026, 1, 1),
        partner_id=partner.pk, sources=["public_health", "insurance"],
    )  # fmt: skip
    assert "基本公卫补充" in text(client, "/agreements/")
    found = client.get("/agreements/?source=public_health").content.decode()
    assert "合作1" in found
    assert "苏采2026-7" not in found
    rows = sheet(client, "/agreements/excel/?kind=purchase")
    assert rows[-1][0] == "苏采2026-7"
    assert rows[-1][8] == 30


@pytest.mark.req("R-PAY-11")
def test_who_should_have_a_purchase_and_has_none_is_an_exception(sign_in: SignIn) -> None:
    scheme = make_scheme(code="government_purchase", payer="government", name="政府购买服务")
    missing, held, other = make_elder(), make_elder(), make_elder()
    for elder in (missing, held):
        Standing.objects.create(div=elder.div, scheme=scheme, elder=elder, grade=0, is_held=elder == held)
    make_entitlement(held, scheme)
    Standing.objects.create(div=other.div, scheme=make_scheme(), elder=other, grade=0)
    for role in ("district", "auditor"):
        client = sign_in(actor(role))
        html = client.get("/benefits/exceptions/").content.decode()
        assert re.findall(r'id="elder-(\d+)"', html) == [str(missing.pk)]
        assert "还没有申请" in html
    assert sheet(client, "/benefits/exceptions/excel/")[-1][4] == "还没有申请"
    assert re.findall(r'id="elder-(\d+)"', client.get("/benefits/exceptions/?asked=yes").content.decode()) == []


@pytest.mark.parametrize(
    "address",
    ["/settlement/tries/", "/staff/scorecards/", "/staff/scorecards/bodies/", "/agreements/", "/settlement/shares/"],
)
def test_a_list_asks_as_much_for_three_rows_as_for_one(sign_in: SignIn, address: str) -> None:
    client = sign_in("finance")
    body, *_people = body_with_two()
    draft(body)
    twice(body)
    sign_agreement(
        actor=actor("finance"),
        now=NOW,
        organisation_id=body.pk,
        kind="designation",
        payer="ltci",
        number="1",
        valid_from=date(2026, 1, 1),
    )
    few = queries(client, address)
    for number in range(2):
        twice(body)
        visited(make_staff(body, kind="nurse", qualified="nurse"), nursing(body), hour=number)
        sign_agreement(
            actor=actor("finance"), now=NOW, organisation_id=body.pk, kind="designation", payer="ltci", number=f"n{number}",
            valid_from=date(2026, 1, 1),
        )  # fmt: skip
    assert queries(client, address) == few <= 12
    assert system().role == "system"
