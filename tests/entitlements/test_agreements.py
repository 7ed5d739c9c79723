"""Agreements: entered, ended, and what they stop."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from tests.factories import (
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    fund_order,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import Price, ServiceItem
from yinling.directory.models import Organisation
from yinling.entitlements.models import Agreement, AgreementQuota, Entitlement, Quota
from yinling.entitlements.operations import end_agreement, reserve_each, sign_agreement
from yinling.entitlements.queries import agreed, agreements, bought, ending_agreements, purchases
from yinling.entitlements.queries.agreements import NO_AGREEMENT, NOT_COVERED, obstacle
from yinling.entitlements.rules import Use
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refused
from yinling.orders.models import Order, PayerShare
from yinling.orders.operations import cancel_order, place_order
from yinling.orders.queries import Quote, quote
from yinling.people.models import Elder
from yinling.settlement.operations import reverse_order, settle_order

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


def why_not(body: Organisation, payer: str, codes: list[str], day: date = DAY) -> str | None:
    """Why a payer that pays only under an agreement does not pay for one of these items."""
    found = agreed(body.pk, {payer}, day).get(payer, [])
    return next((why for code in codes if (why := obstacle(found, code))), None)


def counters() -> list[tuple[str, str, int, int, int]]:
    rows = AgreementQuota.objects.order_by("from_on", "agreement", "unit")
    return [(f"{one.from_on:%m}", one.unit, one.cap, one.reserved, one.used) for one in rows]


class Buying:
    """A body of which the government buys one item, and elders for whom it bears the whole price of 80 yuan."""

    def __init__(self) -> None:
        make_area_tree()
        self.body, self.item, self.seat = make_organisation(), make_item(), actor("seat")
        self.other = make_item(family=self.item.family)
        for one in (self.item, self.other):
            make_price(one, self.body, 8_000)
        make_service_area(self.body, self.item.family)
        self.scheme = make_scheme(payer="government", fund="civil_affairs", name="政府购买")

    def elder(self, **values: Any) -> Elder:
        elder = make_elder()
        make_entitlement(elder, self.scheme, **{"share_bp": 10_000, "monthly_cap_fen": None} | values)
        return elder

    def quote(self, elder: Elder, days: int = 1, **values: Any) -> Quote:
        asked = {"elder_id": elder.pk, "item_code": self.item.code, "starts_at": NOW + timedelta(days=days), **values}
        return quote(actor=self.seat, now=NOW, **asked)

    def place(self, elder: Elder, days: int = 1, consent: str = "", **values: Any) -> Order:
        offer = self.quote(elder, days, **values)
        return place_order(
            actor=self.seat, now=NOW, elder_id=elder.pk, item_code=self.item.code, starts_at=offer.starts_at,
            quoted_total_fen=offer.total_fen, quoted_self_fen=offer.self_fen, self_pay_consent=consent, **values,
        )  # fmt: skip

    def buys(self, **values: Any) -> Agreement:
        return sign(self.body, kind="purchase", payer="government", **values)


@pytest.fixture
def buying() -> Buying:
    return Buying()


def borne(order: Order) -> dict[str, int]:
    return dict(PayerShare.objects.filter(order=order, amount_fen__gt=0).values_list("payer", "amount_fen"))


@pytest.mark.req("R-LTC-05")
def test_a_service_outside_the_agreement_is_not_paid() -> None:
    body, item = make_organisation(), make_item()
    assert why_not(body, "ltci", [item.code]) == NO_AGREEMENT
    row = sign(body, items=[item.code])
    assert why_not(body, "ltci", [item.code]) is None
    assert why_not(body, "ltci", [item.code, make_item().code]) == NOT_COVERED
    assert why_not(body, "medical_insurance", [item.code]) == NO_AGREEMENT
    for day, free in (
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ):
        assert (why_not(body, "ltci", [item.code], day) is None) is free
    end_agreement(actor=actor("finance"), now=NOW, agreement_id=row.pk, valid_to=DAY - timedelta(days=1), reason="违规")
    assert why_not(body, "ltci", [item.code]) == NO_AGREEMENT
    assert why_not(body, "ltci", [item.code], DAY - timedelta(days=1)) is None


def test_where_none_is_needed_an_agreement_about_other_items_says_nothing(buying: Buying) -> None:
    elder = buying.elder()
    assert buying.quote(elder).self_fen == 0
    buying.buys(items=[buying.other.code], monthly_count=1, monthly_fen=1)
    assert buying.quote(elder).self_fen == 0
    buying.place(elder)
    assert counters() == []


@pytest.mark.req("R-PAY-09")
def test_beyond_the_count_of_the_month_the_quote_says_why_and_the_elder_side_is_asked(buying: Buying) -> None:
    buying.buys(items=[buying.item.code], monthly_count=2)
    first = buying.place(buying.elder())
    buying.place(buying.elder(), 2)
    assert counters() == [("06", "time", 2, 2, 0)]
    third = buying.elder()
    offer = buying.quote(third, 3)
    assert (offer.total_fen, offer.self_fen, offer.beyond_fen) == (8_000, 8_000, 8_000)
    said = "政府购买与这家机构的协议本月次数已用完，可改到下月或另选机构"
    assert list(offer.reasons) == [said]
    with refused(buying.seat, Refused, "order.self_pay_consent", contents=lambda: (Order.objects.count(), counters())):
        buying.place(third, 3)
    order = buying.place(third, 3, "女儿王芳")
    assert (borne(order), order.self_pay_consent) == ({"self": 8_000}, "女儿王芳")
    assert said in PayerShare.objects.get(order=order).reason, "and the receipt says so"
    assert buying.quote(third, 20).self_fen == 0, "next month has a count of its own"
    cancel_order(actor=buying.seat, now=NOW, order_id=first.pk, reason="老人外出")
    assert counters() == [("06", "time", 2, 1, 0)]
    assert buying.quote(third, 4).self_fen == 0, "what was given back can be bought again"
    family = actor("family", elders=(third,))
    with scope(family):
        offer = quote(
            actor=family, now=NOW, elder_id=third.pk, item_code=buying.item.code, starts_at=NOW + timedelta(days=4)
        )
        place_order(
            actor=family, now=NOW, elder_id=third.pk, item_code=buying.item.code, starts_at=NOW + timedelta(days=4),
            quoted_total_fen=offer.total_fen, quoted_self_fen=0,
        )  # fmt: skip
    assert counters() == [("06", "time", 2, 2, 0)], "whoever orders, it is counted over all elders"


@pytest.mark.req("R-PAY-09", "D-12", "D-19")
def test_the_last_order_gets_what_is_left_of_the_money_and_no_fen_more(buying: Buying) -> None:
    buying.buys(items=[buying.item.code], monthly_fen=12_345)
    first, second = buying.place(buying.elder()), buying.elder()
    offer = buying.quote(second, 2)
    assert (offer.self_fen, offer.beyond_fen) == (8_000 - 4_345, 8_000 - 4_345)
    assert offer.shares[0].reason == "政府购买与这家机构的协议本月只剩 43.45 元，这次付 43.45 元"
    with refused(buying.seat, Refused, "order.self_pay_consent", contents=lambda: (Order.objects.count(), counters())):
        buying.place(second, 2)
    last = buying.place(second, 2, "本人")
    assert borne(last) == {"government": 4_345, "self": 3_655}
    assert counters() == [("06", "fen", 12_345, 12_345, 0)]
    assert "本月金额已用完" in buying.quote(buying.elder(), 3).reasons[0]
    cancel_order(actor=buying.seat, now=NOW, order_id=first.pk, reason="老人外出")
    assert counters() == [("06", "fen", 12_345, 4_345, 0)]
    assert borne(last) == {"government": 4_345, "self": 3_655}, "what was placed stays as it was agreed"
    assert buying.quote(buying.elder(), 3).self_fen == 0


@pytest.mark.req("R-PAY-16", "R-LTC-05")
def test_the_index_that_an_insurer_sets_a_body_is_watched_and_holds(buying: Buying) -> None:
    """Total control: 100 yuan of basic insurance a month by the designation; the monitor says what is used and what is left of it."""
    ServiceItem.objects.update(is_insurable=True)
    buying.scheme = make_scheme(payer="medical_insurance", fund="medical_insurance", name="医保")
    row = sign(buying.body, payer="medical_insurance", monthly_fen=10_000)
    first = buying.place(buying.elder(share_bp=7000))
    (seen,) = purchases(actor("finance"), [row], DAY)
    assert (borne(first), seen.fen, seen.left_fen) == ({"medical_insurance": 5_600, "self": 2_400}, 5_600, 4_400)
    last = buying.place(buying.elder(share_bp=7000), 2, "本人")
    (seen,) = purchases(actor("finance"), [row], DAY)
    assert (borne(last), seen.fen, seen.left_fen) == ({"medical_insurance": 4_400, "self": 3_600}, 10_000, 0)


@pytest.mark.req("R-PAY-09")
def test_a_second_agreement_gives_more_and_each_keeps_its_own_count(buying: Buying) -> None:
    first = buying.buys(monthly_count=1)
    second = buying.buys(number="采购2", items=[buying.item.code], monthly_fen=10_000)
    for day in (1, 2, 3):
        buying.place(buying.elder(), day, "本人")
    assert counters() == [("06", "time", 1, 1, 0), ("06", "fen", 10_000, 10_000, 0)]
    shown = {
        one.agreement.pk: (one.times, one.left, one.fen, one.left_fen)
        for one in purchases(actor("finance"), [first, second], DAY)
    }
    assert shown == {first.pk: (1, 0, 18_000, None), second.pk: (3, None, 10_000, 0)}


@pytest.mark.req("R-PAY-09", "D-19")
@pytest.mark.parametrize("last", [TODAY + timedelta(days=1), date(2025, 12, 31)], ids=["ended", "off_the_record"])
def test_an_agreement_signed_anew_does_not_begin_its_month_again(buying: Buying, last: date) -> None:
    first = buying.buys(monthly_count=2, monthly_fen=20_000)
    order = buying.place(buying.elder())
    end_agreement(actor=actor("finance"), now=NOW, agreement_id=first.pk, valid_to=last, reason="改签")
    again = buying.buys(
        number="改签", valid_from=max(last + timedelta(days=1), date(2026, 1, 1)), monthly_count=2, monthly_fen=10_000
    )
    buying.place(buying.elder(), 2, "本人")
    assert borne(Order.objects.latest("pk")) == {"government": 2_000, "self": 6_000}
    assert buying.quote(buying.elder(), 3).self_fen == 8_000
    (seen,) = purchases(actor("finance"), [again], DAY)
    assert (seen.times, seen.left, seen.fen, seen.left_fen) == (2, 0, 10_000, 0)
    wanted = [(Entitlement.objects.latest("pk"), Use("time", "month", date(2026, 6, 1), 1, 2, again.pk))]
    assert reserve_each(buying.seat, NOW, wanted) == [(again.pk, "time", "month", date(2026, 6, 1))], (
        "nor by a stale quote"
    )
    cancel_order(actor=buying.seat, now=NOW, order_id=order.pk, reason="老人外出")
    assert buying.quote(buying.elder(), 3).self_fen == 0


@pytest.mark.req("R-PAY-09", "D-19")
def test_one_bill_under_two_agreements_of_a_month_stays_within_the_limit_of_both(buying: Buying) -> None:
    first = buying.buys(monthly_fen=10_000)
    end_agreement(actor=actor("finance"), now=NOW, agreement_id=first.pk, valid_to=DAY, reason="改签")
    again = buying.buys(number="改签", valid_from=DAY + timedelta(days=1), monthly_fen=10_000)
    uses = [(None, Use("fen", "month", date(2026, 6, 1), 6_000, 10_000, pk)) for pk in (first.pk, again.pk)]
    assert reserve_each(buying.seat, NOW, uses) == [(again.pk, "fen", "month", date(2026, 6, 1))]
    assert [one.reserved for one in AgreementQuota.objects.all()] == [0, 0]
    uses = [(None, Use("fen", "month", date(2026, 6, 1), 5_000, 10_000, pk)) for pk in (first.pk, again.pk)]
    assert reserve_each(buying.seat, NOW, uses) == []


@pytest.mark.req("R-PAY-09")
def test_an_item_of_an_order_counts_once_and_two_items_twice(buying: Buying) -> None:
    buying.buys(monthly_count=3)
    buying.place(buying.elder(), more_items=[f"{buying.other.code}*2"])
    assert counters() == [("06", "time", 3, 2, 0)]


@pytest.mark.req("R-PAY-09", "D-19")
def test_settlement_uses_what_was_set_aside_and_a_reversal_restores_it(buying: Buying) -> None:
    buying.buys(monthly_count=2, monthly_fen=8_000)
    order = buying.place(buying.elder())
    Order.objects.filter(pk=order.pk).update(state="assigned")
    Order.objects.filter(pk=order.pk).update(state="in_service")
    Order.objects.filter(pk=order.pk).update(state="served", served_at=NOW)
    settle_order(actor=system(), now=NOW, order_id=order.pk)
    assert counters() == [("06", "fen", 8_000, 0, 8_000), ("06", "time", 2, 0, 1)]
    reverse_order(actor=actor("finance"), now=NOW, order_id=order.pk, reason="核对有误")
    assert counters() == [("06", "fen", 8_000, 0, 0), ("06", "time", 2, 0, 0)]
    other = buying.place(buying.elder(), 2)
    with refused(system(), Refused, "settlement.quota", contents=counters):
        settle_order(actor=system(), now=NOW, order_id=order.pk)
    cancel_order(actor=buying.seat, now=NOW, order_id=other.pk, reason="不需要了")
    settle_order(actor=system(), now=NOW, order_id=order.pk)
    assert counters() == [("06", "fen", 8_000, 0, 8_000), ("06", "time", 2, 0, 1)]


def test_an_elders_own_cap_and_that_of_the_agreement_hold_together(buying: Buying) -> None:
    """Where the agreement has no room, nothing is taken of the elder's own counter either."""
    buying.buys(monthly_fen=5_000)
    elder = buying.elder(monthly_cap_fen=20_000)
    buying.place(elder, consent="本人")
    assert (counters(), Quota.objects.get().reserved) == ([("06", "fen", 5_000, 5_000, 0)], 5_000)
    order = buying.place(elder, 2, "本人")
    assert borne(order) == {"self": 8_000}
    assert (counters(), Quota.objects.get().reserved) == ([("06", "fen", 5_000, 5_000, 0)], 5_000)


def test_nothing_is_set_aside_where_one_counter_of_many_has_too_little(buying: Buying) -> None:
    row, elder = buying.buys(monthly_fen=5_000), buying.elder(monthly_cap_fen=100)
    held, month = Entitlement.objects.get(elder=elder), date(2026, 6, 1)
    wanted = [
        (held, Use("fen", "month", month, 4_000, 5_000, row.pk)), (held, Use("fen", "month", month, 200, 100)),
    ]  # fmt: skip
    assert reserve_each(buying.seat, NOW, wanted) == [(held.pk, "fen", "month", month)]
    assert counters() == [("06", "fen", 5_000, 0, 0)]
    assert Quota.objects.get().reserved == 0
    with pytest.raises(IntegrityError, match="agreement_quota_cap"):
        AgreementQuota.objects.update(used=5_001)


def test_a_family_orders_under_an_agreement_and_cannot_touch_what_is_left_of_it(buying: Buying) -> None:
    buying.buys(monthly_fen=20_000)
    elder = buying.elder()
    buying.seat = actor("family", elders=(elder,))
    with scope(buying.seat):
        buying.place(elder)
        assert counters() == [("06", "fen", 20_000, 8_000, 0)]
        assert AgreementQuota.objects.update(reserved=0) == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            AgreementQuota.objects.create(
                agreement=Agreement.objects.get(), unit="fen", per="month", from_on=date(2026, 7, 1), cap=1
            )
    assert counters() == [("06", "fen", 20_000, 8_000, 0)]


@pytest.mark.req("R-PAY-09")
def test_the_purchase_list_says_what_is_used_and_left_of_each_item() -> None:
    body, item, other = make_organisation(), make_item(), make_item()
    row = sign(body, kind="purchase", payer="government", items=[item.code], monthly_count=5, monthly_fen=100_000)
    purchased(body, item)
    purchased(body, item)
    purchased(body, other, 1_000)
    assert [
        (one.code, one.times, one.fen) for one in bought([(body.pk, "government")], DAY)[body.pk, "government"]
    ] == sorted([(item.code, 2, 8_000), (other.code, 1, 1_000)])
    (one,) = purchases(actor("finance"), [row], DAY)
    assert [(use.code, use.times, use.fen) for use in one.uses] == [(item.code, 2, 8_000)]
    assert (one.times, one.left, one.left_fen) == (0, 5, 100_000), "what was ordered without it is not bought under it"


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
    assert why_not(body, "ltci", ["x"]) == NO_AGREEMENT


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
