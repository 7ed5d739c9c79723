"""Stays paid by the day: billed once a month, split by the payers, and nobody visits at home meanwhile."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.factories import (
    CITY,
    NOW,
    STREET,
    TODAY,
    actor,
    make_elder,
    make_entitlement,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
    system,
)
from tests.programmes.making import office

from yinling.catalogue.models import Price
from yinling.entitlements.models import Agreement, AgreementQuota, Entitlement, Quota
from yinling.entitlements.queries import eligibility, funding
from yinling.ground.parameters import product_files
from yinling.kernel.parameters import load
from yinling.kernel.period import ONE_DAY
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.orders.models import Order, PayerShare
from yinling.orders.operations import place_order
from yinling.orders.queries import quote
from yinling.people.models import Circumstance, Elder
from yinling.people.operations import bury_elder
from yinling.people.queries import circumstances_on
from yinling.programmes.home_beds.jobs import bill_stays
from yinling.programmes.home_beds.models import BedStay
from yinling.programmes.home_beds.operations import admit_to_bed, bill_stay, discharge_stay, follow_stays
from yinling.settlement.jobs import recover_overpaid
from yinling.settlement.models import Charge, ClaimLine, LedgerEntry, Recovery
from yinling.settlement.operations import (
    approve_recovery,
    approve_statement,
    draft_statement,
    reverse_order,
    review_recovery,
    review_statement,
    settle_order,
    submit_claim,
)

pytestmark = [pytest.mark.usefixtures("wide"), pytest.mark.req("R-BED-06")]
MAY_20 = date(2026, 5, 20)
DAILY = 18000


def admitted(day: date = MAY_20, *, now: datetime = NOW, **values: Any) -> BedStay:
    """A stay in a nursing home at 180 yuan a day."""
    elder = values.pop("elder", None) or make_elder()
    body = make_organisation(kind="nursing_home")
    item = make_item(
        kind="bed_day", family="nursing", name="床日", needs_visit=False, units=["bed_day"], standard_minutes=1
    )
    make_price(item, body, amount_fen=DAILY, unit="日")
    chosen = {"provider_id": body.pk, "kind": "nursing", "item_code": item.code, "admitted_on": day, **values}
    return admit_to_bed(actor=actor("street", STREET), now=now, elder_id=elder.pk, **chosen)


def bills(stay: BedStay) -> dict[str, tuple[int, int]]:
    orders = Order.objects.filter(source__startswith=f"home_beds.stay:{stay.pk}:")
    return {row.source.rpartition(":")[2]: (row.lines.get().quantity, row.total_fen) for row in orders}


@pytest.mark.req("X-PAY-03")
def test_each_month_is_billed_once_at_days_times_the_daily_price() -> None:
    stay = admitted()
    assert (bill_stays(system(), NOW), bill_stays(system(), NOW)) == (1, 0)
    assert bills(stay) == {"202605": (12, 12 * DAILY)}
    later = NOW + timedelta(days=30)
    discharge_stay(actor=actor("street", STREET), now=later, stay_id=stay.pk, discharged_on=date(2026, 7, 3))
    bill_stay(actor=office(), now=later, stay_id=stay.pk)
    assert bills(stay) == {"202605": (12, 12 * DAILY), "202606": (30, 30 * DAILY), "202607": (2, 2 * DAILY)}
    assert sum(days for days, _fen in bills(stay).values()) == (date(2026, 7, 3) - MAY_20).days
    assert Order.objects.filter(state="served", needs_visit=False).count() == 3
    with pytest.raises(Refused) as refused:
        bill_stay(actor=office(), now=later, stay_id=stay.pk)
    assert refused.value.code == "stay.nothing_to_bill"


@pytest.mark.req("X-PAY-03")
def test_in_and_out_on_one_day_is_one_day() -> None:
    stay = admitted(TODAY)
    discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=stay.pk, discharged_on=TODAY)
    bill_stays(system(), NOW)
    assert bills(stay) == {"202606": (1, DAILY)}


def test_nothing_is_ordered_at_home_while_the_elder_stays_away() -> None:
    stay = admitted(TODAY)
    price = make_price()
    ask: dict[str, Any] = {
        "actor": actor("seat"), "now": NOW, "elder_id": stay.elder_id, "item_code": price.item.code, "provider_id": price.organisation_id,
        "starts_at": NOW + timedelta(days=1),
    }  # fmt: skip
    with pytest.raises(Refused) as refused:
        quote(**ask)
    assert refused.value.code == "order.elder_away"
    discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=stay.pk, discharged_on=TODAY)
    assert quote(**ask).total_fen == price.amount_fen


@pytest.mark.parametrize(
    ("kind", "shown"), [("nursing", "in_institution"), ("hospice", "in_hospital"), ("rehabilitation", "in_hospital")]
)
def test_the_stay_stands_on_the_file_of_the_elder_from_admission_to_the_day_before_discharge(
    kind: str, shown: str
) -> None:
    stay = admitted(kind=kind)
    assert circumstances_on(stay.elder_id, MAY_20) == {shown}
    discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=stay.pk, discharged_on=TODAY)
    assert (circumstances_on(stay.elder_id, TODAY - ONE_DAY), circumstances_on(stay.elder_id, TODAY)) == (
        {shown},
        set(),
    )


def test_a_hospital_stay_on_file_already_is_left_as_it_is() -> None:
    elder = make_elder()
    known = Circumstance.objects.create(
        div=elder.div, elder=elder, kind="in_institution", body="社区", valid_from=MAY_20 - ONE_DAY, recorded_from=NOW
    )
    stay = admitted(elder=elder)
    discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=stay.pk, discharged_on=TODAY)
    known.refresh_from_db()
    assert (known.valid_to, known.recorded_to, Circumstance.objects.count()) == (None, None, 1)


def test_two_stays_never_count_the_same_day() -> None:
    elder = make_elder()
    first = admitted(TODAY, elder=elder)
    with pytest.raises(Refused) as refused:
        admitted(TODAY, elder=elder)
    assert refused.value.code == "stay.overlap"
    discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=first.pk, discharged_on=TODAY)
    with pytest.raises(Refused):
        admitted(TODAY, elder=elder)
    assert admitted(TODAY + ONE_DAY, elder=elder, now=NOW + timedelta(days=1)).admitted_on == TODAY + ONE_DAY


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"day": TODAY + ONE_DAY}, "stay.in_future"), ({"item_code": "NONE"}, "stay.item"), ({"provider_id": 1}, "stay.provider"),
        ({"kind": "hotel"}, "choice.unknown"),
    ],
)  # fmt: skip
def test_impossible_admissions_are_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        admitted(**change)
    assert (refused.value.code, BedStay.objects.count(), Circumstance.objects.count()) == (code, 0, 0)


def test_a_discharge_into_a_billed_month_is_refused() -> None:
    stay = admitted()
    bill_stays(system(), NOW)
    with pytest.raises(Refused) as refused:
        discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=stay.pk, discharged_on=date(2026, 5, 25))
    assert refused.value.code == "stay.billed"
    discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=stay.pk, discharged_on=TODAY)
    with pytest.raises(NotAllowed):
        discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=stay.pk, discharged_on=TODAY)


def test_the_day_of_death_ends_a_stay_that_nobody_ended() -> None:
    stay = admitted()
    bury_elder(
        actor=actor("street", STREET), now=NOW, elder_id=stay.elder_id, died_on=date(2026, 5, 25), evidence="死亡证明"
    )
    bill_stays(system(), NOW)
    assert bills(stay) == {"202605": (5, 5 * DAILY)}


@pytest.mark.req("R-PEO-03", "X-PAY-03")
def test_bed_days_after_a_death_known_late_are_taken_back_and_the_others_billed_anew() -> None:
    stay = admitted()
    bill_stays(system(), NOW)
    bury_elder(
        actor=actor("street", STREET), now=NOW, elder_id=stay.elder_id, died_on=date(2026, 5, 25), evidence="死亡证明"
    )
    assert recover_overpaid(system(), NOW) == 1
    row = Recovery.objects.get()
    assert (row.reject_fen, row.recover_fen) == (12 * DAILY, 0)
    assert bill_stays(system(), NOW) == 0, "the month is billed until two persons have decided"
    review_recovery(actor=actor("finance"), now=NOW, recovery_id=row.pk)
    approve_recovery(actor=actor("finance"), now=NOW, recovery_id=row.pk)
    assert (bill_stays(system(), NOW), bill_stays(system(), NOW), recover_overpaid(system(), NOW)) == (1, 0, 0)
    assert bills(stay) == {"202605": (12, 12 * DAILY), "again": (5, 5 * DAILY)}


def test_a_stay_goes_where_its_elder_goes() -> None:
    stay = admitted()
    stay.elder.div = "320213021002"
    stay.elder.save()
    assert follow_stays(CITY) == 1
    stay.refresh_from_db()
    assert stay.div == "320213021002"


def billed(stay: BedStay) -> list[list[tuple[int, int]]]:
    """The bills of a stay, each with its lines as (days, fen)."""
    orders = Order.objects.filter(source__startswith=f"home_beds.stay:{stay.pk}:").order_by("pk")
    return [list(row.lines.order_by("pk").values_list("quantity", "amount_fen")) for row in orders]


@pytest.mark.req("R-LTC-04")
def test_a_price_that_changes_within_a_month_counts_from_its_day() -> None:
    stay = admitted()
    Price.objects.filter(item=stay.item).update(valid_to=date(2026, 5, 26))
    make_price(stay.item, stay.provider, amount_fen=20000, valid_from=date(2026, 5, 26), unit="日")
    assert bill_stays(system(), NOW) == 1
    assert billed(stay) == [[(6, 6 * DAILY), (6, 6 * 20000)]]
    assert Order.objects.get().total_fen == 6 * DAILY + 6 * 20000


@pytest.mark.req("R-BED-05", "R-BED-06")
def test_a_benefit_that_ends_within_a_month_pays_its_days_only_and_its_cap_holds_over_all_of_them() -> None:
    elder = make_elder()
    scheme = make_scheme(payer="state_care", families=["nursing"], code="state_care")
    first = make_entitlement(elder, scheme, share_bp=10000, monthly_cap_fen=5 * DAILY, valid_to=date(2026, 5, 23))
    again = make_entitlement(elder, scheme, share_bp=10000, monthly_cap_fen=5 * DAILY, valid_from=date(2026, 5, 25))
    stay = admitted(elder=elder)
    assert bill_stays(system(), NOW) == 1
    assert billed(stay) == [[(3, 3 * DAILY), (2, 2 * DAILY), (7, 7 * DAILY)]]
    shares = PayerShare.objects.order_by("pk").values_list("payer", "entitlement_id", "amount_fen")
    assert list(shares) == [
        ("state_care", first.pk, 3 * DAILY), ("self", None, 2 * DAILY), ("state_care", again.pk, 2 * DAILY), ("self", None, 5 * DAILY),
    ]  # fmt: skip


def test_a_death_within_the_second_part_of_a_bill_takes_the_bill_back() -> None:
    stay = admitted()
    Price.objects.filter(item=stay.item).update(valid_to=date(2026, 5, 22))
    make_price(stay.item, stay.provider, amount_fen=20000, valid_from=date(2026, 5, 22), unit="日")
    bill_stays(system(), NOW)
    bury_elder(
        actor=actor("street", STREET), now=NOW, elder_id=stay.elder_id, died_on=date(2026, 5, 28), evidence="死亡证明"
    )
    assert recover_overpaid(system(), NOW) == 1


def test_a_stay_is_not_entered_over_a_short_one_within_it() -> None:
    elder = make_elder()
    short = admitted(TODAY - ONE_DAY, elder=elder)
    discharge_stay(actor=actor("street", STREET), now=NOW, stay_id=short.pk, discharged_on=TODAY - ONE_DAY)
    with pytest.raises(Refused) as refused:
        admitted(MAY_20, elder=elder)
    assert (refused.value.code, BedStay.objects.count()) == ("stay.overlap", 1)


def test_a_bill_reversed_by_finance_lets_the_discharge_be_put_right_and_is_made_anew_for_the_right_days() -> None:
    stay = admitted()
    bill_stays(system(), NOW)
    first, later = Order.objects.get(), NOW + timedelta(hours=2)
    settle_order(actor=system(), now=later, order_id=first.pk)
    discharge = {"actor": actor("street", STREET), "now": later, "stay_id": stay.pk, "discharged_on": date(2026, 5, 25)}
    with pytest.raises(Refused) as refused:
        discharge_stay(**discharge)
    assert refused.value.code == "stay.billed"
    reverse_order(actor=actor("finance"), now=later, order_id=first.pk, reason="出院日期有误")
    assert bill_stays(system(), later) == 0, "what finance took back is not made anew by itself for the same days"
    discharge_stay(**discharge)
    assert (bill_stays(system(), later), bill_stays(system(), later)) == (1, 0)
    assert billed(stay) == [[(12, 12 * DAILY)], [(5, 5 * DAILY)]]
    again = Order.objects.order_by("-pk")[0]
    settle_order(actor=system(), now=later, order_id=again.pk)
    with pytest.raises(Refused) as repeated:
        settle_order(actor=system(), now=later, order_id=first.pk)
    assert repeated.value.code == "settlement.repeated"


@pytest.mark.req("R-LTC-05")
def test_days_under_an_agreement_that_begins_within_the_month_are_claimed() -> None:
    elder = make_elder()
    scheme = make_scheme(payer="medical_insurance", families=["nursing"], code="insured")
    make_entitlement(elder, scheme, share_bp=10000, monthly_cap_fen=None)
    stay = admitted(elder=elder)
    stay.item.is_insurable = True
    stay.item.save()
    Agreement.objects.create(
        organisation=stay.provider, payer="medical_insurance", kind="designation", number="定点1", valid_from=date(2026, 5, 25), recorded_from=NOW
    )  # fmt: skip
    assert bill_stays(system(), NOW) == 1
    later = NOW + timedelta(days=3)
    order = Order.objects.get()
    settle_order(actor=system(), now=later, order_id=order.pk)
    charged = Charge.objects.filter(payer="medical_insurance").values_list("service_day", "amount_fen")
    assert list(charged) == [(date(2026, 5, 25), 7 * DAILY)]
    days = LedgerEntry.objects.filter(account="receivable.medical_insurance").values_list("service_day", flat=True)
    assert list(days) == [date(2026, 5, 25)]
    row = draft_statement(
        actor=actor("finance"), now=later, organisation_id=stay.provider_id, payer="medical_insurance", month=MAY_20
    )
    review_statement(actor=actor("finance"), now=later, statement_id=row.pk)
    approve_statement(actor=actor("finance"), now=later, statement_id=row.pk)
    submit_claim(actor=actor("finance"), now=later, statement_id=row.pk)
    assert [(str(line.state), line.refusal) for line in ClaimLine.objects.all()] == [("submitted", "")]


@pytest.mark.req("R-PAY-09")
def test_a_month_cut_in_two_is_bought_once_under_the_agreement() -> None:
    elder = make_elder()
    scheme = make_scheme(payer="medical_insurance", families=["nursing"], code="insured")
    limits = [{"unit": "visit", "per": "month", "most": 1}]
    make_entitlement(elder, scheme, share_bp=10000, monthly_cap_fen=None, limits=limits)
    stay = admitted(elder=elder)
    stay.item.is_insurable = True
    stay.item.save()
    Agreement.objects.create(
        organisation=stay.provider, payer="medical_insurance", kind="purchase", number="购买1", valid_from=date(2026, 1, 1), recorded_from=NOW,
        monthly_count=1,
    )  # fmt: skip
    Price.objects.filter(item=stay.item).update(valid_to=date(2026, 5, 26))
    make_price(stay.item, stay.provider, amount_fen=20000, valid_from=date(2026, 5, 26), unit="日")
    assert bill_stays(system(), NOW) == 1
    assert (Order.objects.get().total_fen, Order.objects.get().self_fen) == (6 * DAILY + 6 * 20000, 0)
    assert list(AgreementQuota.objects.filter(unit="time").values_list("reserved", flat=True)) == [1]
    assert list(Quota.objects.filter(unit="visit").values_list("reserved", flat=True)) == [1]


def voucher(elder: Elder, **values: Any) -> Entitlement:
    """The national voucher as the profile of Wuxi gives it: half at home, 40 % in an institution, 800 yuan a month in all."""
    return make_entitlement(elder, make_scheme(code="national_voucher", families=["daily_care"]), **values)


@pytest.mark.req("X-PAY-04")
def test_the_voucher_pays_40_percent_of_a_stay_within_the_800_yuan_of_the_month() -> None:
    elder = make_elder()
    held = voucher(elder)
    stay = admitted(date(2026, 5, 28), elder=elder)
    bill_stays(system(), NOW)
    paid = PayerShare.objects.get(payer="voucher")
    assert (paid.amount_fen, Quota.objects.get(entitlement=held).reserved) == (4 * DAILY * 4 // 10, 28_800)
    assert paid.reason == "消费补贴券按“入住机构”承担 40%"
    later = NOW + timedelta(days=30)
    discharge_stay(actor=actor("street", STREET), now=later, stay_id=stay.pk, discharged_on=date(2026, 7, 1))
    bill_stays(system(), later)
    june = PayerShare.objects.filter(payer="voucher").order_by("pk")[1]
    assert (june.amount_fen, Quota.objects.get(entitlement=held, from_on=date(2026, 6, 1)).reserved) == (80_000, 80_000)
    assert june.reason == "消费补贴券按“入住机构”承担 40%，本月只剩 800.00 元，这次付 800.00 元"


@pytest.mark.req("X-PAY-04")
def test_a_stay_and_care_at_home_share_the_monthly_counter_of_the_voucher() -> None:
    elder = make_elder()
    held = voucher(elder)
    price = make_price(amount_fen=120_000)
    at_home = NOW + timedelta(days=2)
    ask: dict[str, Any] = {
        "actor": actor("seat"), "now": NOW, "elder_id": elder.pk, "item_code": price.item.code, "starts_at": at_home,
        "provider_id": price.organisation_id,
    }  # fmt: skip
    offer = quote(**ask)
    assert (offer.self_fen, offer.shares[0].reason) == (60_000, "消费补贴券按“居家服务”承担 50%")
    place_order(**ask, quoted_total_fen=offer.total_fen, quoted_self_fen=offer.self_fen)
    later = NOW + timedelta(days=20)
    admitted(TODAY + timedelta(days=5), elder=elder, now=later)
    bill_stays(system(), NOW + timedelta(days=30))
    quota = Quota.objects.get(entitlement=held)
    assert (quota.from_on, quota.reserved, quota.cap) == (date(2026, 6, 1), 80_000, 80_000)
    shares = PayerShare.objects.filter(payer="voucher").order_by("pk").values_list("amount_fen", flat=True)
    assert list(shares) == [60_000, 20_000]


@pytest.mark.req("X-PAY-04")
@pytest.mark.parametrize(
    ("kind", "granted"), [("rehabilitation", {}), ("nursing", {"share_bp": 3000, "monthly_cap_fen": 20000})]
)
def test_in_hospital_and_for_a_grade_without_a_share_for_stays_the_voucher_rests(
    kind: str, granted: dict[str, int]
) -> None:
    elder = make_elder()
    voucher(elder, **granted)
    admitted(elder=elder, kind=kind)
    bill_stays(system(), NOW)
    assert set(PayerShare.objects.values_list("payer", flat=True)) == {"self"}


@pytest.mark.req("R-LTC-04")
def test_a_month_is_cut_where_the_terms_of_a_scheme_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Half of the price until 25 May, 70 % from the 26th: each day at the share of its day."""
    grade = "{{name: 失能, groups: [{{label: 六十岁, any: [{{age: {{least: 60}}}}]}}], amounts: {{share_bp: {share}}}}}"
    versions = [
        f"    - {{value: [{grade.format(share=share)}], {days}, document: d, clause: c}}\n"
        for share, days in ((5000, "from: 2015-01-01, to: 2026-05-25"), (7000, "from: 2026-05-26"))
    ]
    (tmp_path / "raised.yaml").write_text(
        "parameters:\n  scheme.raised.grades:\n" + "".join(versions), encoding="utf-8"
    )
    known = load([*product_files(), tmp_path / "raised.yaml"])
    monkeypatch.setattr(eligibility, "parameters", lambda: known)
    monkeypatch.setattr(funding, "parameters", lambda: known)
    elder = make_elder()
    scheme = make_scheme(code="raised", payer="meal_subsidy", families=["nursing"])
    make_entitlement(elder, scheme, monthly_cap_fen=None)
    stay = admitted(elder=elder)
    monkeypatch.setattr(funding, "resting_payers", lambda *_asked: set())
    bill_stays(system(), NOW)
    assert billed(stay) == [[(6, 6 * DAILY), (6, 6 * DAILY)]]
    paid = PayerShare.objects.filter(payer="meal_subsidy").order_by("pk").values_list("amount_fen", flat=True)
    assert list(paid) == [6 * DAILY // 2, 6 * DAILY * 7 // 10]
