"""What placing, cancelling and the programmes do with payers: several items, counters, agreements, consent, daily conditions."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.entitlements.test_following import confirm, graded, insure
from tests.factories import (
    LONG_AGO,
    NOW,
    TODAY,
    WIDE,
    actor,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
    system,
)
from tests.refusals import refused

from yinling.entitlements.models import Agreement, AgreementQuota, Entitlement, Quota
from yinling.entitlements.operations import end_for_programme, give_for_programme
from yinling.entitlements.queries import eligibility
from yinling.ground.parameters import parameter, product_files
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.parameters import load
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal, Refused
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.operations import cancel_order, place_for_programme, place_order
from yinling.orders.queries import Quote, in_dispatch_order, quote, quotes, silent_orders
from yinling.people.models import Elder
from yinling.settlement.models import Charge
from yinling.settlement.operations import reverse_order, settle_order

pytestmark = pytest.mark.django_db
START = NOW + timedelta(days=1)
WEEK = date(2026, 6, 15)


class Visit:
    """An elder, a body that answers for home nursing, and its items: a dressing, an injection, a drug, a pack."""

    def __init__(self) -> None:
        make_area_tree()
        self.elder, self.body, self.seat = make_elder(), make_organisation(), actor("seat")
        make_service_area(self.body, "nursing")
        nursing = {"family": "nursing", "needs_qualification": "nurse", "charges_callout": True}
        self.item("N1", 4500, 3000, standard_minutes=45, units=["nurse_visit"], is_insurable=True, **nursing)
        self.item("N2", 2000, 5000, standard_minutes=30, units=["nurse_visit"], is_insurable=True, **nursing)
        self.item("D1", 3500, kind="drug", family="nursing", standard_minutes=0, steps=[], is_insurable=True)
        self.item("C1", 1200, kind="consumable", family="nursing", standard_minutes=0, steps=[])

    def item(self, code: str, fen: int, fee: int = 0, **values: Any) -> None:
        make_price(make_item(code=code, name=code, **values), self.body, fen, callout_fee_fen=fee)

    def quote(self, *more: str, **values: Any) -> Quote:
        asked = {
            "elder_id": self.elder.pk,
            "item_code": "N1",
            "starts_at": START,
            "now": NOW,
            "more_items": more,
            **values,
        }
        return quote(actor=self.seat, **asked)

    def place(self, *more: str, who: Actor | None = None, **values: Any) -> Order:
        """Place what is quoted."""
        asked = {"elder_id": self.elder.pk, "item_code": "N1", "starts_at": START, "more_items": list(more), **values}
        if "quoted_total_fen" not in asked:
            shown = {name: asked[name] for name in ("elder_id", "item_code", "starts_at", "more_items")}
            offer = quote(actor=who or self.seat, now=NOW, **shown)
            asked |= {"quoted_total_fen": offer.total_fen, "quoted_self_fen": offer.self_fen}
        return place_order(actor=who or self.seat, now=NOW, **asked)

    def fund(self, payer: str, **values: Any) -> Entitlement:
        scheme = make_scheme(
            payer=payer,
            fund=payer,
            name=payer,
            families=values.pop("families", ["nursing"]),
            code=values.pop("code", payer),
        )
        return make_entitlement(self.elder, scheme, **({"monthly_cap_fen": None} | values))

    def agree(self, payer: str, **values: Any) -> Agreement:
        held = {"kind": "designation", "number": "定点1", "valid_from": LONG_AGO, "recorded_from": NOW, **values}
        return Agreement.objects.create(organisation=self.body, payer=payer, **held)


@pytest.fixture
def at(wide: Any) -> Visit:
    return Visit()


def contents() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, PayerShare, Quota)]


def no(who: Actor, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


def shares(order: Order) -> list[tuple[str, str, int]]:
    rows = PayerShare.objects.filter(order=order).order_by("line_id", "pk").select_related("line")
    return [(row.line.name, row.payer, row.amount_fen) for row in rows]


def counters(row: Entitlement) -> dict[str, tuple[int, int]]:
    return {quota.unit: (quota.reserved, quota.used) for quota in Quota.objects.filter(entitlement=row)}


@pytest.mark.req("R-PAY-01", "R-PAY-02")
def test_one_visit_of_services_drugs_and_goods_has_one_call_out_fee(at: Visit) -> None:
    order = at.place("N2", "D1*2", "C1")
    rows = list(
        OrderLine.objects.filter(order=order)
        .order_by("pk")
        .values_list("name", "kind", "quantity", "minutes", "amount_fen")
    )
    assert rows == [
        ("N1", "item", 1, 45, 4500), ("N2", "item", 1, 30, 2000), ("D1", "item", 2, 0, 7000), ("C1", "item", 1, 0, 1200),
        ("上门服务费", "callout", 1, 0, 5000),
    ]  # fmt: skip
    assert (order.total_fen, order.self_fen) == (19700, 19700)
    assert order.ends_at - order.starts_at == timedelta(minutes=75), "minutes add up, goods take none"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["ZZ"], "order.item_unknown"),
        (["D1*0"], "order.more_items"),
        (["?"], "order.more_items"),
        (["B1"], "order.more_items"),
    ],
)
def test_wrong_items_are_refused(at: Visit, more: list[str], code: str) -> None:
    at.item("B1", 100, kind="bed_day", family="medical", needs_visit=False)
    with no(at.seat, code):
        at.place(more_items=more, quoted_total_fen=0)


@pytest.mark.parametrize("item_code", ["D1", "B1"])
def test_goods_and_bed_days_are_not_ordered_alone(at: Visit, item_code: str) -> None:
    at.item("B1", 100, kind="bed_day", family="nursing", needs_visit=False)
    with no(at.seat, "order.no_visit"):
        at.place(item_code=item_code, quoted_total_fen=0)


@pytest.mark.req("R-PAY-15", "R-PAY-04")
def test_basic_insurance_is_split_by_line(at: Visit) -> None:
    at.fund("medical_insurance", share_bp=7000)
    at.agree("medical_insurance")
    order = at.place("C1")
    assert shares(order) == [
        ("N1", "medical_insurance", 3150), ("N1", "self", 1350), ("C1", "self", 1200), ("上门服务费", "self", 3000),
    ]  # fmt: skip


LTCI = {"share_bp": 0, "units": {"nurse_visit": 7500}, "limits": [{"unit": "visit", "per": "week", "most": 2}]}


@pytest.mark.req("D-08", "D-19", "X-LTC-01", "X-LTC-04")
def test_the_insurance_pays_its_weekly_visits_without_fee_and_then_no_more(at: Visit) -> None:
    held = at.fund("ltci", **LTCI)
    at.agree("ltci")
    first = at.place()
    assert shares(first) == [("N1", "ltci", 4500), ("上门服务费", "self", 0)]
    at.place(starts_at=START + timedelta(days=1))
    assert counters(held) == {"visit": (2, 0)}
    third = {"starts_at": START + timedelta(days=2)}
    with no(at.seat, "order.self_pay_consent"):
        at.place(**third, quoted_total_fen=7500)
    order = at.place(**third, self_pay_consent="老人本人")
    assert (order.self_fen, order.self_pay_consent) == (7500, "老人本人")
    at.place(starts_at=START + timedelta(days=6))  # Monday of the next week
    assert sorted(Quota.objects.values_list("from_on", "reserved")) == [(WEEK, 2), (WEEK + timedelta(days=7), 1)]
    cancel_order(actor=at.seat, now=NOW, order_id=first.pk, reason="不需要了")
    assert Quota.objects.get(from_on=WEEK).reserved == 1
    assert at.quote(**third).self_fen == 0, "the visit given back can be used again"


@pytest.mark.req("R-LTC-05")
def test_without_an_agreement_on_the_day_the_insurance_does_not_pay_and_the_quote_says_so(at: Visit) -> None:
    at.fund("ltci", **LTCI)
    offer = at.quote()
    assert offer.self_fen == 7500
    assert any("没有有效的协议" in reason for reason in offer.reasons)
    row = at.agree("ltci", valid_to=local_date(START) + timedelta(days=1))
    assert at.quote().self_fen == 0
    assert at.quote(starts_at=START + timedelta(days=1)).self_fen == 7500, "the agreement has ended"
    Agreement.objects.filter(pk=row.pk).update(items=["N2"])
    assert at.quote().self_fen == 7500, "another item only"


@pytest.mark.req("R-LTC-01")
def test_the_conditions_are_looked_at_for_each_service_day(at: Visit) -> None:
    """The grade of an insured elder must hold on the day: here Yixing's, which asks for an assessment by the scale of the insurance."""
    scheme = make_scheme(
        payer="ltci", fund="insurance", name="宜兴长护险", families=["nursing"], code="ltci", div="320282"
    )
    make_entitlement(at.elder, scheme, monthly_cap_fen=None, **LTCI)
    at.agree("ltci")
    offer = at.quote()
    assert offer.self_fen == 7500
    assert any("服务当天不符合宜兴长护险的条件" in reason for reason in offer.reasons)


@pytest.mark.req("R-LTC-01")
def test_the_insurance_pays_on_the_days_on_which_the_elder_is_insured_and_has_a_paid_grade(at: Visit) -> None:
    scheme = make_scheme(
        payer="ltci", fund="insurance", name="宜兴长护险", families=["nursing"], code="ltci", div="320282"
    )
    make_entitlement(at.elder, scheme, monthly_cap_fen=None, **LTCI)
    at.agree("ltci")
    confirm()
    first = local_date(START)
    insure(at.elder, valid_to=first + timedelta(days=3))
    graded(at.elder, level="3", valid_to=first + timedelta(days=1))
    graded(at.elder, level="1", valid_from=first + timedelta(days=1), valid_to=first + timedelta(days=2))
    graded(at.elder, level="2", valid_from=first + timedelta(days=2))
    own = [at.quote(starts_at=START + timedelta(days=day)).self_fen for day in range(4)]
    assert own == [0, 7500, 0, 7500], "severe; a light grade is not paid; moderate; no longer insured"


@pytest.mark.req("R-LTC-04")
def test_the_standard_of_the_service_day_counts_whenever_it_is_settled(
    at: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A standard raised from 20 to 30 yuan a visit: the visit before the day keeps 20, though it is settled after it."""
    raised = local_date(START) + timedelta(days=1)
    version = (
        "- {{value: [{{name: 失能, groups: [{{label: 60岁, any: [{{age: {{least: 60}}}}]}}], amounts: {{units: {{nurse_visit: {fen}}}}}}}],"
        " from: {span}, document: X-LTC-01, clause: 试验}}"
    )
    versions = [
        version.format(fen=2000, span=f"2020-01-01, to: {raised - timedelta(days=1)}"),
        version.format(fen=3000, span=raised),
    ]
    (tmp_path / "raised.yaml").write_text(
        "\n    ".join(["parameters:\n  scheme.raised.grades:", *versions]), encoding="utf-8"
    )
    known = load([*product_files(), tmp_path / "raised.yaml"])
    monkeypatch.setattr(eligibility, "parameters", lambda: known)
    held = at.fund("ltci", code="raised", share_bp=0, units={"nurse_visit": 1000})
    at.agree("ltci")
    before, after = at.place(), at.place(starts_at=START + timedelta(days=1))
    assert shares(before)[:2] == [("N1", "ltci", 2000), ("N1", "self", 2500)]
    assert shares(after)[:2] == [("N1", "ltci", 3000), ("N1", "self", 1500)]
    for state in ("assigned", "in_service", "served"):
        Order.objects.filter(pk=before.pk).update(state=state, served_at=START if state == "served" else None)
    settle_order(actor=system(), now=START + timedelta(days=9), order_id=before.pk)
    charged = Charge.objects.filter(order=before, entitlement=held).values_list("amount_fen", "service_day")
    assert list(charged) == [(2000, raised - timedelta(days=1))]


@pytest.mark.req("R-LTC-04")
def test_new_amounts_of_a_grade_that_a_job_gave_count_from_their_day_too(
    at: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    raised = local_date(START) + timedelta(days=1)
    grade = (
        "{{name: 重度失能, groups: [{{label: 人人, any: [{{age: {{least: 0}}}}]}}], "
        "amounts: {{units: {{nurse_visit: {}}}, monthly_cap_fen: {}}}}}"
    )
    (tmp_path / "raised.yaml").write_text(
        f"""parameters:
  scheme.raised.grades:
    - {{value: [{grade.format(2000, 6000)}], from: 2015-01-01, to: {raised - timedelta(days=1)}, document: d, clause: c}}
    - {{value: [{grade.format(3000, 7000)}], from: {raised}, document: d, clause: c}}
""",
        encoding="utf-8",
    )
    known = load([*product_files(), tmp_path / "raised.yaml"])
    monkeypatch.setattr(eligibility, "parameters", lambda: known)
    held = at.fund(
        "ltci",
        code="raised",
        share_bp=0,
        units={"nurse_visit": 2000},
        monthly_cap_fen=6000,
        source="assessment.grade:1",
    )
    at.agree("ltci")
    assert shares(at.place())[0] == ("N1", "ltci", 2000)
    assert shares(at.place(starts_at=START + timedelta(days=1)))[0] == ("N1", "ltci", 3000)
    assert shares(at.place(starts_at=START + timedelta(days=2), self_pay_consent="本人"))[0] == ("N1", "ltci", 2000)
    assert counters(held) == {"fen": (7000, 0)}, "the cap of the new amounts holds, less what the month has used"
    Entitlement.objects.filter(pk=held.pk).update(units={"nurse_visit": 500})
    assert at.quote(starts_at=START + timedelta(days=25)).shares[0].amount_fen == 500, "another grade as it was given"


@pytest.mark.req("D-19", "X-PAY-04")
def test_a_month_has_one_cap_however_often_the_benefit_is_ended_and_given_again(at: Visit) -> None:
    first = at.fund("voucher", share_bp=10000, monthly_cap_fen=8000)
    day = local_date(START)
    assert shares(at.place())[0] == ("N1", "voucher", 4500)
    Entitlement.objects.filter(pk=first.pk).update(valid_to=day + timedelta(days=1))
    again = make_entitlement(
        at.elder, first.scheme, share_bp=10000, monthly_cap_fen=8000, valid_from=day + timedelta(days=1)
    )
    order = at.place(starts_at=START + timedelta(days=2), self_pay_consent="本人")
    assert shares(order)[:2] == [("N1", "voucher", 500), ("N1", "self", 4000)]
    assert (counters(first)["fen"], counters(again)["fen"]) == ((7500, 0), (500, 0))
    assert at.quote(starts_at=START + timedelta(days=30)).shares[0].amount_fen == 4500, "a new month"


@pytest.mark.req("R-LTC-04", "R-MEA-06", "X-MEA-02")
def test_the_version_of_the_service_day_decides_not_the_one_granted(at: Visit) -> None:
    """Jurong's lunches: 80 years old, granted by an old rule; the rule of the day gives 5 yuan, and one meal a day."""
    make_service_area(at.body, "meal")
    at.item("M1", 900, family="meal", units=["lunch"], standard_minutes=20)
    scheme = make_scheme(
        payer="meal_subsidy", fund="meal", name="句容助餐", families=["meal"], code="meal_subsidy", div="321183"
    )
    held = make_entitlement(at.elder, scheme, monthly_cap_fen=None, share_bp=0, units={"lunch": 100})
    order = at.place(item_code="M1")
    assert shares(order) == [("M1", "meal_subsidy", 500), ("M1", "self", 400)]
    assert counters(held) == {"lunch": (1, 0)}
    Elder.objects.filter(pk=at.elder.pk).update(born_on=date(1990, 1, 1))
    offer = at.quote(item_code="M1", starts_at=START + timedelta(days=1))
    assert offer.self_fen == 900, "who is not of the groups buys at full price"
    assert any("服务当天不符合句容助餐的条件" in reason for reason in offer.reasons)


@pytest.mark.req("R-MEA-09", "X-MEA-03")
def test_the_second_subsidised_meal_of_the_day_is_sold_at_full_price(at: Visit) -> None:
    make_service_area(at.body, "meal")
    at.item("M1", 900, family="meal", units=["lunch"], standard_minutes=20)
    at.fund("meal_subsidy", families=["meal"], share_bp=0, units={"lunch": 500})
    first = at.place(item_code="M1")
    assert shares(first) == [("M1", "meal_subsidy", 500), ("M1", "self", 400)]
    later = {"item_code": "M1", "starts_at": START + timedelta(hours=2)}
    second = at.place(**later, self_pay_consent="老人本人")
    assert shares(second) == [("M1", "self", 900)]
    assert any("午餐已补贴过一份" in reason for reason in at.quote(**later).reasons)
    receipt = PayerShare.objects.get(order=second)
    assert receipt.reason == "当天的午餐已补贴过一份，这一份按全价，meal_subsidy不再付；自己付"
    cancel_order(actor=at.seat, now=NOW, order_id=first.pk, reason="不吃了")
    assert at.quote(**later).self_fen == 400, "what was cancelled was not eaten"
    assert at.quote(item_code="M1", starts_at=START + timedelta(days=1)).self_fen == 400, "another day"


@pytest.mark.req("R-MEA-09")
def test_an_area_may_refuse_the_second_meal_from_a_day_on(at: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    make_service_area(at.body, "meal")
    at.item("M1", 900, family="meal", units=["lunch"], standard_minutes=20)
    at.item("M2", 900, family="meal", units=["dinner"], standard_minutes=20)
    at.fund("meal_subsidy", families=["meal"], share_bp=0, units={"lunch": 500, "dinner": 500})
    first = at.place(item_code="M1")
    asked = {"item_code": "M1", "starts_at": START + timedelta(hours=2)}
    assert parameter("payers.second_meal", "3202", TODAY) == "sell", "the default sells it"
    sell_until = local_date(START) + timedelta(days=1)
    known = quotes.parameter
    monkeypatch.setattr(
        quotes, "parameter",
        lambda key, div, day: known(key, div, day) if key != "payers.second_meal" else "refuse" if day < sell_until else "sell",
    )  # fmt: skip
    for values in (asked, {"item_code": "M1", "more_items": ["M1"], "starts_at": START + timedelta(hours=2)}):
        with no(at.seat, "order.second_meal"):
            at.place(**values, quoted_total_fen=900, quoted_self_fen=900, self_pay_consent="本人")
    assert at.place(item_code="M2", starts_at=START + timedelta(hours=9)).self_fen == 400, "another meal of the day"
    assert at.place(item_code="M1", starts_at=START + timedelta(days=1)).self_fen == 400, "another day"
    later = {"item_code": "M1", "starts_at": START + timedelta(days=1, hours=2)}
    assert at.place(**later, self_pay_consent="本人").self_fen == 900, "the rule of that day sells"
    cancel_order(actor=at.seat, now=NOW, order_id=first.pk, reason="不吃了")
    assert at.place(**asked).self_fen == 400
    stranger = make_elder()
    assert quote(actor=at.seat, elder_id=stranger.pk, now=NOW, **asked).self_fen == 900, (
        "who has no subsidy buys what he likes"
    )


@pytest.mark.req("R-MEA-09")
def test_two_lunches_in_one_order_have_one_subsidy_and_the_receipt_says_so(at: Visit) -> None:
    make_service_area(at.body, "meal")
    at.item("M1", 900, family="meal", units=["lunch"], standard_minutes=20)
    at.fund("meal_subsidy", families=["meal"], share_bp=0, units={"lunch": 500})
    order = at.place("M1", item_code="M1", self_pay_consent="本人")
    assert shares(order) == [("M1", "meal_subsidy", 500), ("M1", "self", 1300)]
    assert PayerShare.objects.get(order=order, payer="self").reason == "当天的午餐只补贴一份，其余按全价自己付"


@pytest.mark.req("D-08")
def test_a_contract_pays_its_items_and_its_count_comes_back(at: Visit) -> None:
    make_scheme(code="family_doctor", payer="contract", fund="contract", families=[])
    given = {
        "scheme_code": "family_doctor", "valid_from": TODAY, "valid_to": date(2027, 6, 14), "source": "family_doctor.contract:1",
        "items": {"N1": {"funds": "item", "count": 1}},
    }  # fmt: skip
    row = give_for_programme(actor=system(), now=NOW, elder=at.elder, **given)
    assert give_for_programme(actor=system(), now=NOW, elder=at.elder, **given) == row, "once"
    assert (row.valid_to, row.source, row.share_bp) == (date(2027, 6, 15), "family_doctor.contract:1", 10000)
    order = at.place()
    assert shares(order) == [("N1", "contract", 4500), ("上门服务费", "self", 3000)]
    assert counters(row) == {"item:N1": (1, 0)}
    assert at.quote(starts_at=START + timedelta(days=1)).beyond_fen == 4500
    cancel_order(actor=at.seat, now=NOW, order_id=order.pk, reason="改期")
    assert counters(row) == {"item:N1": (0, 0)}
    end_for_programme(actor=system(), now=NOW, entitlement=row, last_day=TODAY, why="解约")
    row.refresh_from_db()
    assert (row.valid_to, row.ended_reason) == (TODAY + timedelta(days=1), "解约")
    assert at.quote().self_fen == 7500


def test_what_needs_no_visit_is_delivered_at_once_and_waits_for_nobody(at: Visit) -> None:
    at.item("B1", 4000, kind="bed_day", family="medical", needs_visit=False, is_insurable=True, units=["bed_day"])
    held = at.fund("medical_insurance", families=[], share_bp=7000, items={"B1": {"funds": "item", "count": 30}})
    at.agree("medical_insurance")
    asked = {
        "elder": at.elder, "item_code": "B1", "quantity": 5, "service_day": TODAY, "provider": at.body, "source": "home_beds.bed:1:2026-06"
    }  # fmt: skip
    order = place_for_programme(actor=system(), now=NOW, **asked)
    assert (order.state, order.needs_visit, order.total_fen, order.self_fen) == ("served", False, 20000, 6000)
    assert local_date(order.starts_at) == TODAY
    assert counters(held) == {"item:B1": (5, 0)}
    assert place_for_programme(actor=system(), now=NOW, **asked) == order, "once for a source"
    assert not in_dispatch_order(Order.objects.within("3202")).exists()
    assert not silent_orders("3202", NOW).exists()
    fee = place_for_programme(actor=system(), now=NOW, **asked | {"source": "x:1", "payer_first": "employer"})
    assert shares(fee) == [("B1", "employer", 20000)]
    for wrong in ({"item_code": "N1"}, {"quantity": 0}):
        with pytest.raises(Refused) as refusal:
            place_for_programme(actor=system(), now=NOW, **asked | {"source": "x:2"} | wrong)
        assert refusal.value.code == "order.item_unknown"


@pytest.mark.req("D-19")
def test_one_scheme_of_a_city_and_its_district_has_one_cap_within_a_bill(at: Visit) -> None:
    city = at.fund("voucher", share_bp=5000, monthly_cap_fen=3000)
    scheme = make_scheme(
        payer="voucher", fund="voucher", name="区里", families=["nursing"], code="voucher", div="320213"
    )
    district = make_entitlement(at.elder, scheme, share_bp=5000, monthly_cap_fen=4000)
    offer = at.quote()
    assert offer.total_fen - offer.self_fen == 4000
    order = at.place(self_pay_consent="本人")
    assert sum(fen for _name, payer, fen in shares(order) if payer == "voucher") == 4000
    assert counters(city)["fen"][0] + counters(district)["fen"][0] == 4000


def test_what_a_payer_bears_by_a_contract_counts_under_its_agreement(at: Visit) -> None:
    at.item("B1", 4000, kind="fee", family="medical", needs_visit=False)
    at.agree("employer", kind="purchase", monthly_fen=5000, monthly_count=9)
    asked = {
        "elder": at.elder, "item_code": "B1", "quantity": 1, "service_day": TODAY, "provider": at.body, "payer_first": "employer"
    }  # fmt: skip
    order = place_for_programme(actor=system(), now=NOW, source="x:1", **asked)
    kept = AgreementQuota.objects.order_by("unit").values_list("unit", "reserved", "used")
    assert list(kept) == [("fen", 4000, 0), ("time", 1, 0)]
    settle_order(actor=system(), now=NOW, order_id=order.pk)
    assert list(kept.all()) == [("fen", 0, 4000), ("time", 0, 1)]
    before = contents()
    with pytest.raises(Refused, match="协议本月") as refusal:
        place_for_programme(actor=system(), now=NOW, source="x:2", **asked)
    assert (refusal.value.code, list(kept.all())) == ("order.agreement_used_up", [("fen", 0, 4000), ("time", 0, 1)])
    Order.objects.filter(source="x:2").delete()
    assert contents() == before
    reverse_order(actor=actor("finance"), now=NOW, order_id=order.pk, reason="核对有误")
    assert list(kept.all()) == [("fen", 0, 0), ("time", 0, 0)]
    settle_order(actor=system(), now=NOW, order_id=order.pk)
    assert list(kept.all()) == [("fen", 0, 4000), ("time", 0, 1)]


@pytest.fixture
def open_city(transactional_db: object) -> Visit:
    with scope(WIDE):
        return Visit()


def place_again_and_again(at: Visit, elder: Elder, at_hour: Any) -> int:
    """Quote and place with consent until nobody took something in between; return the elder's own part."""
    try:
        with scope(WIDE):
            for _again in range(40):
                asked = {"elder_id": elder.pk, "item_code": "N1", "starts_at": at_hour}
                offer = quote(actor=at.seat, now=NOW, **asked)
                shown = {"quoted_total_fen": offer.total_fen, "quoted_self_fen": offer.self_fen}
                try:
                    return place_order(actor=at.seat, now=NOW, self_pay_consent="本人", **asked, **shown).self_fen
                except Refused:  # another took the cap between quote and placing
                    continue
            return -1
    finally:
        connection.close()


@pytest.mark.req("D-19", "X-PAY-04")
@pytest.mark.django_db(transaction=True)
def test_twenty_placements_at_once_never_pass_one_cap(open_city: Visit) -> None:
    """Twenty seats order for the same elder, each at another hour; four visits fit into the cap, and the rest pays with consent."""
    at = open_city
    with scope(WIDE):
        held = at.fund("government", share_bp=10000, monthly_cap_fen=33000)
    hours = [START + timedelta(days=1 + number // 4, hours=number % 4 * 2) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        own = sorted(pool.map(lambda hour: place_again_and_again(at, at.elder, hour), hours))
    assert sum(7500 - fen for fen in own if fen >= 0) <= 33000
    with scope(WIDE):
        quota = Quota.objects.get(entitlement=held)
        paid = sum(PayerShare.objects.filter(entitlement=held).values_list("amount_fen", flat=True))
        assert quota.reserved == paid <= quota.cap == 33000
        assert paid == 33000, "and the cap was used to the fen"


@pytest.mark.req("D-19", "R-PAY-09")
@pytest.mark.django_db(transaction=True)
def test_twenty_elders_at_once_never_pass_what_was_bought_of_the_body(open_city: Visit) -> None:
    """Twenty seats order for twenty elders under one agreement of 330 yuan and 9 items a month: both hold, the money to the fen."""
    at = open_city
    with scope(WIDE):
        at.agree("government", kind="purchase", monthly_fen=33000, monthly_count=9)
        scheme = make_scheme(payer="government", fund="general", families=["nursing"])
        elders = [make_elder() for _ in range(20)]
        for elder in elders:
            make_entitlement(elder, scheme, share_bp=10000, monthly_cap_fen=None)
    with ThreadPoolExecutor(20) as pool:
        own = list(pool.map(lambda elder: place_again_and_again(at, elder, START + timedelta(days=1)), elders))
    assert -1 not in own
    with scope(WIDE):
        quotas = {one.unit: (one.cap, one.reserved, one.used) for one in AgreementQuota.objects.all()}
        funded = PayerShare.objects.filter(payer="government", amount_fen__gt=0)
        assert quotas == {"fen": (33000, 33000, 0), "time": (9, 5, 0)}
        assert sum(funded.values_list("amount_fen", flat=True)) == 33000 == 20 * 7500 - sum(own)
        assert funded.values("order").distinct().count() == 5, "the last of them in part"


@pytest.mark.req("D-19", "R-PAY-09")
@pytest.mark.django_db(transaction=True)
def test_twenty_elders_at_once_never_pass_one_month_of_two_agreements_that_follow_each_other(open_city: Visit) -> None:
    """Half of them order for the last days of the old agreement, half for the first of the new one: one limit of 330 yuan."""
    at, change = open_city, local_date(START) + timedelta(days=2)
    with scope(WIDE):
        at.agree("government", kind="purchase", monthly_fen=33000, valid_to=change)
        at.agree("government", kind="purchase", number="定点2", monthly_fen=33000, valid_from=change)
        scheme = make_scheme(payer="government", fund="general", families=["nursing"])
        elders = [make_elder() for _ in range(20)]
        for elder in elders:
            make_entitlement(elder, scheme, share_bp=10000, monthly_cap_fen=None)
    asked = [(elder, START + timedelta(days=number % 2 * 3)) for number, elder in enumerate(elders)]
    with ThreadPoolExecutor(20) as pool:
        own = list(pool.map(lambda one: place_again_and_again(at, *one), asked))
    with scope(WIDE):
        funded = PayerShare.objects.filter(payer="government", amount_fen__gt=0).values_list("amount_fen", flat=True)
        assert sum(funded) == 33000
        assert sum(AgreementQuota.objects.values_list("reserved", flat=True)) == 33000
    assert sum(7500 - fen for fen in own if fen >= 0) <= 33000
