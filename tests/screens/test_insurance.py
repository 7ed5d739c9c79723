"""What the long-term care insurance pays for, for anybody to read; and which part of its money goes to services at home."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import (
    CITY,
    LONG_AGO,
    NOW,
    TODAY,
    actor,
    make_area_tree,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
)
from tests.screens.test_money_audit import queries, sheet, text
from tests.settlement.stated import settled

from yinling.catalogue.models import ServiceItem
from yinling.directory.models import Organisation
from yinling.entitlements.models import Agreement
from yinling.orders.queries.insured import insurances
from yinling.settlement.operations import reverse_order
from yinling.settlement.queries.on_site import Part, on_site

SignIn = Callable[..., Client]
YIXING = "320282"
HERE = "/catalogue/insurance/"
LATER = NOW + timedelta(days=30)


def yixing(*, agreement: dict[str, Any] | None = None) -> Organisation:
    """Yixing's insurance, of which the profile says grades and sums; a body with a nurse's and a carer's item, a drug, and a meal."""
    make_area_tree()
    make_scheme(
        code="ltci", payer="ltci", fund="insurance", name="宜兴长护险", div=YIXING, families=["daily_care", "nursing"]
    )
    body = make_organisation(div=YIXING)
    make_price(
        make_item(code="NU01", family="nursing", name="换药", standard_minutes=40, units=["nurse_visit"]), body, 12000
    )
    make_price(make_item(code="DC01", name="照料", units=["care_worker_visit"]), body, 7500)
    make_price(make_item(code="DR01", family="nursing", kind="drug", name="药", standard_minutes=0), body, 5000)
    make_price(make_item(code="ME01", family="meal", name="午餐", units=["lunch"]), body, 1500)
    if agreement is not None:
        held = {"payer": "ltci", "kind": "designation", "number": "定点1", "valid_from": LONG_AGO, "recorded_from": NOW}
        Agreement.objects.create(organisation=body, **held | agreement)
    return body


@pytest.mark.req("R-LTC-03", "X-LTC-01")
def test_anybody_reads_items_minutes_caps_price_and_parts_of_the_insurance(sign_in: SignIn) -> None:
    yixing(agreement={})
    dear = make_organisation(div=YIXING)
    make_price(ServiceItem.objects.get(code="NU01"), dear, 15000)
    Agreement.objects.create(
        organisation=dear, payer="ltci", kind="designation", number="定点2", valid_from=LONG_AGO, recorded_from=NOW
    )
    (one,) = insurances(CITY, TODAY, LATER)
    nurse = next(shown for shown in one.items if shown.item.code == "NU01")
    assert [shown.item.code for shown in one.items] == ["DC01", "NU01"], "no drug, no meal"
    assert (nurse.bodies, nurse.lowest_fen, nurse.highest_fen) == (2, 12000, 15000)
    parts = [(paid.grade.name, paid.of_lowest_fen, paid.of_highest_fen) for paid in nurse.paid]
    assert parts == [("重度失能", 7500, 7500), ("中度失能", 7500, 7500)]
    for client in (Client(), sign_in("seat")):
        shown = text(client, f"{HERE}?day={TODAY}")
        wanted = ["宜兴长护险", "NU01 换药", "40 分", "每周上门次数 5", "每周上门次数 3", "2 家机构"]
        for words in [*wanted, "120.00 元 – 150.00 元", "45.00 元 – 75.00 元"]:
            assert words in shown, words
    rows = sheet(Client(), f"{HERE}excel/?day={TODAY}")
    assert rows[2][:7] == ["宜兴长护险", "DC01", "照料", "生活照料", 60, "GB/T 43153", "重度失能"]
    severe = next(row for row in rows if row[1] == "NU01" and row[6] == "重度失能")
    assert severe[7:15] == ["每周上门次数 5", 2, 120, 75, 45, 150, 75, 75]
    assert "X-LTC-01" in severe[15]


@pytest.mark.req("R-LTC-03", "R-LTC-05")
@pytest.mark.parametrize(
    "agreement", [None, {"valid_to": TODAY}, {"items": ["DC01"]}, {"payer": "government", "kind": "purchase"}]
)
def test_only_prices_of_bodies_that_the_fund_pays_are_shown(sign_in: SignIn, agreement: dict[str, Any] | None) -> None:
    yixing(agreement=agreement)
    (one,) = insurances(CITY, TODAY, LATER)
    nurse = next(shown for shown in one.items if shown.item.code == "NU01")
    assert (nurse.bodies, nurse.lowest_fen, nurse.paid[0].of_lowest_fen) == (0, None, None)
    assert "0 家机构" in text(Client(), HERE)


@pytest.mark.req("R-LTC-03")
def test_an_area_without_insurance_or_without_terms_says_so(sign_in: SignIn) -> None:
    make_area_tree()
    assert "这个地区还没有长期护理保险" in text(Client(), f"{HERE}?div=nonsense&day=2026-99-99")
    make_scheme(code="ltci", payer="ltci", name="长护险", families=[])
    assert "还没有规定长护险付哪些项目" in text(sign_in("seat"), HERE)
    assert len(sheet(Client(), f"{HERE}excel/")) == 2


def test_the_list_takes_the_same_few_questions_for_more_items(sign_in: SignIn) -> None:
    body, client = yixing(agreement={}), Client()
    before = queries(client, HERE)
    for number in range(3):
        make_price(make_item(code=f"NU1{number}", family="nursing", units=["nurse_visit"]), body, 9000)
    assert queries(client, HERE) == before <= 8


@pytest.mark.req("R-LTC-06")
def test_the_report_says_which_part_of_the_insurance_goes_to_services_at_home(sign_in: SignIn) -> None:
    june, body, other = date(2026, 6, 1), make_organisation(), make_organisation()
    settled(body, fen=4000)
    settled(body, fen=3000, needs_visit=False)
    settled(other, fen=1000)
    settled(other, "voucher", fen=2000)
    gone = settled(other, fen=900)
    reverse_order(actor=actor("finance"), now=LATER, order_id=gone.pk, reason="核对有误")
    found = on_site(actor("finance"), june)
    assert found.total == Part("", "", 8000, 5000, 3, 2), "what was taken back counts on neither side"
    assert [(one.key, one.fen, one.at_home_fen) for one in found.bodies] == [
        (str(body.pk), 7000, 4000), (str(other.pk), 1000, 1000)
    ]  # fmt: skip
    assert [(one.key, one.fen) for one in found.qualifications] == [("care_worker", 8000)]
    client = sign_in("finance")
    shown = text(client, "/settlement/on-site/?month=2026-06")
    assert "80.00 元 50.00 元 62.5 % 3 2 66.7 %" in shown
    rows = sheet(client, "/settlement/on-site/excel/?month=2026-06")
    assert rows[-1] == ["合计", "", 80, 50, "62.5 %", 3, 2, "66.7 %"]
    assert [row[2:4] for row in rows if row[0] == "机构"] == [[70, 40], [10, 10]]
    assert "还没有支付" in text(client, "/settlement/on-site/?month=2026-05")


@pytest.mark.req("R-LTC-06")
def test_a_body_reads_its_own_share_and_a_seat_none(sign_in: SignIn) -> None:
    body, other = make_organisation(), make_organisation()
    settled(body, fen=4000)
    settled(other, fen=1000)
    client = sign_in(actor("provider_manager", organisation=body))
    assert other.short_name not in text(client, "/settlement/on-site/?month=2026-06")
    assert "40.00 元" in text(client, "/settlement/on-site/?month=2026-06")
    assert sign_in("seat").get("/settlement/on-site/").status_code == 403
    assert queries(sign_in("finance"), "/settlement/on-site/?month=2026-06") <= 8
