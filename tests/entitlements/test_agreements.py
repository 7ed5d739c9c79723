"""Agreements: entered, ended, and what they stop."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import (
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    fund_order,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import Price, ServiceItem
from yinling.directory.models import Organisation
from yinling.entitlements.models import Agreement, Entitlement
from yinling.entitlements.operations import end_agreement, sign_agreement
from yinling.entitlements.queries import agreement_obstacle, agreements, bought, ending_agreements, purchases
from yinling.entitlements.queries.agreements import COUNT_USED, MONEY_USED, NO_AGREEMENT, NOT_COVERED
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refused
from yinling.orders.models import Order, PayerShare
from yinling.orders.operations import place_order
from yinling.orders.queries import quote

pytestmark = pytest.mark.usefixtures("wide")

DAY = date(2026, 6, 16)


def sign(body: Organisation, who: Actor | None = None, **values: Any) -> Agreement:
    chosen: dict[str, Any] = {
        "kind": "designation", "payer": "ltci", "number": "锡护定点2026-001", "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31), **values,
    }  # fmt: skip
    return sign_agreement(actor=who or actor("finance"), now=NOW, organisation_id=body.pk, **chosen)


def purchased(body: Organisation, item: ServiceItem, fen: int = 4_000, **values: Any) -> Order:
    """A placed order of which the government pays a part."""
    elder = make_elder()
    scheme = make_scheme(payer="government", fund="civil_affairs")
    held: Entitlement = make_entitlement(elder, scheme, monthly_cap_fen=None)
    price = Price.objects.filter(item=item, organisation=body).first() or make_price(item, body)
    order = make_order(elder=elder, price=price, **values)
    fund_order(order, held, fen)
    return order


@pytest.mark.req("R-LTC-05")
def test_a_service_outside_the_agreement_is_not_paid() -> None:
    body, item = make_organisation(), make_item()
    assert agreement_obstacle(body.pk, "ltci", [item.code], DAY) == NO_AGREEMENT
    row = sign(body, items=[item.code])
    assert agreement_obstacle(body.pk, "ltci", [item.code], DAY) is None
    assert agreement_obstacle(body.pk, "ltci", [item.code, make_item().code], DAY) == NOT_COVERED
    assert agreement_obstacle(body.pk, "medical_insurance", [item.code], DAY) == NO_AGREEMENT
    for day, free in (
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ):
        assert (agreement_obstacle(body.pk, "ltci", [item.code], day) is None) is free
    end_agreement(actor=actor("finance"), now=NOW, agreement_id=row.pk, valid_to=DAY - timedelta(days=1), reason="违规")
    assert agreement_obstacle(body.pk, "ltci", [item.code], DAY) == NO_AGREEMENT
    assert agreement_obstacle(body.pk, "ltci", [item.code], DAY - timedelta(days=1)) is None


def test_where_none_is_needed_only_limits_count() -> None:
    body, item = make_organisation(), make_item()
    assert agreement_obstacle(body.pk, "government", [item.code], DAY, is_needed=False) is None
    sign(body, kind="purchase", payer="government", items=[make_item().code], monthly_count=1)
    assert agreement_obstacle(body.pk, "government", [item.code], DAY, is_needed=False) is None


@pytest.mark.req("R-PAY-09")
def test_the_count_of_the_month_is_the_limit() -> None:
    body, item = make_organisation(), make_item()
    sign(body, kind="purchase", payer="government", monthly_count=2)
    purchased(body, item)
    purchased(body, item, state="cancelled")
    purchased(make_organisation(), item)
    assert agreement_obstacle(body.pk, "government", [item.code], DAY) is None
    purchased(body, make_item())
    assert agreement_obstacle(body.pk, "government", [item.code], DAY) == COUNT_USED
    assert agreement_obstacle(body.pk, "government", [item.code], date(2026, 7, 1)) is None
    family = actor("family", elders=(make_elder(),))
    with scope(family):
        assert agreement_obstacle(body.pk, "government", [item.code], DAY) == COUNT_USED


@pytest.mark.req("R-PAY-09")
def test_placing_beyond_the_count_is_not_paid_by_the_purchaser() -> None:
    body, item, seat = make_organisation(), make_item(), actor("seat")
    price = make_price(item, body, 8_000)
    make_service_area(body, item.family)
    sign(body, kind="purchase", payer="government", items=[item.code], monthly_count=1)
    scheme = make_scheme(payer="government", fund="civil_affairs")
    wanted: dict[str, Any] = {"item_code": item.code, "starts_at": NOW + timedelta(days=1), "provider_id": body.pk}
    elders = [make_elder(), make_elder()]
    for elder in elders:
        make_entitlement(elder, scheme, share_bp=10_000, monthly_cap_fen=None)
    first = place_order(actor=seat, now=NOW, elder_id=elders[0].pk, quoted_total_fen=price.amount_fen, **wanted)
    assert (first.total_fen, first.self_fen) == (8_000, 0)
    second = quote(actor=seat, elder_id=elders[1].pk, now=NOW, **wanted)
    assert (second.total_fen, second.self_fen) == (8_000, 8_000)
    order = place_order(
        actor=seat, now=NOW, elder_id=elders[1].pk, quoted_total_fen=price.amount_fen, self_pay_consent="王芳", **wanted
    )
    shares = PayerShare.objects.filter(order=order).values_list("payer", "amount_fen")
    assert [share for share in shares if share[1]] == [("self", 8_000)]


@pytest.mark.req("R-PAY-09")
def test_the_money_of_the_month_is_a_limit_too_and_a_second_agreement_gives_more() -> None:
    body, item = make_organisation(), make_item()
    sign(body, kind="purchase", payer="government", monthly_fen=6_000)
    purchased(body, item)
    assert agreement_obstacle(body.pk, "government", [item.code], DAY, wanted_fen=2_000) is None
    assert agreement_obstacle(body.pk, "government", [item.code], DAY, wanted_fen=2_001) == MONEY_USED
    sign(body, kind="purchase", payer="government", number="采购2", items=[item.code])
    assert agreement_obstacle(body.pk, "government", [item.code], DAY, wanted_fen=2_001) is None


@pytest.mark.req("R-PAY-09")
def test_the_purchase_list_says_what_is_used_and_left_of_each_item() -> None:
    body, item, other = make_organisation(), make_item(), make_item()
    row = sign(body, kind="purchase", payer="government", items=[item.code], monthly_count=5, monthly_fen=100_000)
    purchased(body, item)
    purchased(body, item)
    purchased(body, other, 1_000)
    assert [(one.code, one.times, one.fen) for one in bought(body.pk, "government", DAY)] == sorted(
        [(item.code, 2, 8_000), (other.code, 1, 1_000)]
    )
    (one,) = purchases(actor("finance"), [row], DAY)
    assert (one.times, one.fen, one.left) == (2, 8_000, 3)


@pytest.mark.req("R-PAY-17")
def test_a_cooperation_names_the_partner_and_its_sources_of_money() -> None:
    body, partner, who = make_organisation(), make_organisation(kind="health_centre"), actor("city")
    cooperation = {"kind": "cooperation", "payer": "", "partner_id": partner.pk}
    with refused(who, Refused, "agreement.sources", contents=Agreement.objects.count):
        sign(body, who, **cooperation)
    with refused(who, Refused, "choice.unknown", contents=Agreement.objects.count):
        sign(body, who, **cooperation, sources=["lottery"])
    with refused(who, Refused, "agreement.partner", contents=Agreement.objects.count):
        sign(body, who, kind="cooperation", sources=["insurance"], partner_id=body.pk)
    four = [code for code, _name in Agreement.SOURCES]
    assert four == ["civil_affairs", "insurance", "public_health", "purchase"]
    row = sign(body, who, **cooperation, sources=four)
    assert (row.sources, row.payer, row.partner_id) == (four, "", partner.pk)
    assert agreement_obstacle(body.pk, "ltci", ["x"], DAY) == NO_AGREEMENT


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"payer": ""}, "choice.unknown"),
        ({"payer": "self"}, "choice.unknown"),
        ({"kind": "oral"}, "choice.unknown"),
        ({"items": ["NONE"]}, "agreement.items"),
        ({"number": " "}, "text.missing"),
        ({"valid_to": date(2025, 12, 31)}, "period.empty"),
    ],
)
def test_an_agreement_that_says_too_little_is_refused(values: dict[str, Any], code: str) -> None:
    body, who = make_organisation(), actor("finance")
    with refused(who, Refused, code, contents=Agreement.objects.count):
        sign(body, who, **values)


def test_an_agreement_is_entered_once_by_who_may_and_journalled() -> None:
    body, who = make_organisation(), actor("finance")
    row = sign(body, who)
    with refused(who, Refused, "agreement.overlap", contents=Agreement.objects.count):
        sign(body, who)
    far = actor("finance", div=OTHER_DISTRICT)
    with refused(far, Denied, "right.outside", contents=Agreement.objects.count):
        sign(body, far, number="2")
    watcher = actor("auditor")
    with refused(watcher, Denied, "right.missing", contents=Agreement.objects.count):
        sign(body, watcher, number="3")
    with refused(who, Refused, "agreement.already_ends", contents=lambda: Agreement.objects.get().valid_to):
        end_agreement(actor=who, now=NOW, agreement_id=row.pk, valid_to=date(2027, 1, 1), reason="延长")
    noted = Journal.objects.get(event="entitlements.agreement.sign", is_refused=False)
    assert (noted.subject_id, noted.div) == (row.pk, DISTRICT)


@pytest.mark.req("R-LTC-05")
def test_lists_are_of_the_own_area_or_body_and_by_what_ends_soon() -> None:
    body, partner = make_organisation(), make_organisation(kind="health_centre")
    soon = sign(body, valid_to=TODAY + timedelta(days=20))
    over = sign(body, number="2", valid_to=date(2026, 5, 31))
    shared = sign(
        body, number="3", kind="cooperation", payer="", partner_id=partner.pk, sources=["purchase"], valid_to=None
    )
    finance = actor("finance")
    assert [row.pk for row in agreements(finance)] == [over.pk, soon.pk, shared.pk]
    assert [row.pk for row in ending_agreements(agreements(finance), TODAY, 30)] == [soon.pk]
    assert [row.pk for row in ending_agreements(agreements(finance), TODAY, 0)] == [over.pk]
    assert [row.pk for row in agreements(actor("provider_manager", organisation=partner))] == [shared.pk]
    assert not agreements(actor("finance", div=OTHER_DISTRICT)).exists()
