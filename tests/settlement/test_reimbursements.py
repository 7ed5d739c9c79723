"""Home modification paid back as spent: after acceptance, item by item, two persons, once for a household."""

import base64
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from PIL import Image
from tests.factories import (
    CITY,
    DISTRICT,
    LONG_AGO,
    NOW,
    OTHER_COMMUNITY,
    OTHER_STREET,
    actor,
    city,
    make_elder,
    make_entitlement,
    make_household,
    make_scheme,
    make_user,
)

from yinling.accounts.models import Journal
from yinling.entitlements.models import Budget, BudgetLine, Commitment, Entitlement
from yinling.entitlements.operations import end_entitlement, follow_elders
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused
from yinling.people.models import Elder, Household
from yinling.programmes.subsidies.operations import register_donation
from yinling.programmes.subsidies.queries.funds import gifts, persons_of, trail, ways
from yinling.settlement.models import LedgerEntry, PayoutLine, Posting, Reimbursement
from yinling.settlement.operations import (
    approve_reimbursement,
    attach_expense,
    draft_reimbursement,
    enter_item,
    return_reimbursement,
    review_reimbursement,
)
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.reimbursements import (
    item_list,
    line_of,
    reimbursable,
    result_of,
    sides_of_reimbursement,
)

pytestmark = pytest.mark.usefixtures("wide")
CAP = 200_000
ACCEPTED = date(2026, 6, 1)
BASE = ["1", "2", "11", "13", "17", "24", "29"]


def move_away(elder: Elder) -> None:
    """The elder and what goes with an elder lie in another district now."""
    Household.objects.filter(pk=elder.household_id).update(div=OTHER_COMMUNITY)
    Elder.objects.filter(pk=elder.pk).update(div=OTHER_COMMUNITY)
    follow_elders(CITY)


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def promised(household: Any = None, scheme: Any = None, **values: Any) -> Entitlement:
    city()
    scheme = scheme or make_scheme(code="home_modification", payer="government", fund="lottery", families=[])
    elder = make_elder(household=household or make_household())
    return make_entitlement(
        elder,
        scheme,
        **{"share_bp": 0, "monthly_cap_fen": None, "once_fen": CAP, "valid_from": date(2026, 3, 1)} | values,
    )


def drafted(entitlement: Entitlement, by: Any = None, **values: Any) -> Reimbursement:
    asked = {
        "contractor": "无锡某装饰公司",
        "accepted_on": ACCEPTED,
        "invoice_number": f"No.{entitlement.pk}",
        "now": NOW,
    } | values
    return draft_reimbursement(actor=by or actor("finance"), entitlement_id=entitlement.pk, **asked)


def entered(row: Reimbursement, *items: tuple[str, str, int], by: Any = None, **values: Any) -> Reimbursement:
    who = by or actor("finance")
    for item, outcome, fen in items:
        row = enter_item(
            actor=who, now=NOW, reimbursement_id=row.pk, item=item, outcome=outcome, amount_fen=fen, **values
        )
    return row


def picture() -> str:
    target = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(target, "JPEG")
    return base64.b64encode(target.getvalue()).decode()


def ready(row: Reimbursement) -> Reimbursement:
    return attach_expense(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, title="发票", content=picture())


def reviewed(row: Reimbursement) -> Reimbursement:
    total = sum(one["amount_fen"] for one in row.lines)
    return review_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=ready(row).pk, invoice_fen=total)


def approved(row: Reimbursement) -> Reimbursement:
    return approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=reviewed(row).pk)


def spent(fen: int, entitlement: Entitlement | None = None) -> Reimbursement:
    row = drafted(entitlement or promised())
    return entered(row, ("1", "done", fen), *((code, "present", 0) for code in BASE[1:]))


@pytest.mark.req("R-MOD-05", "R-PAY-14", "R-FUN-12")
@pytest.mark.parametrize(
    ("fen", "subsidy", "own"), [(199_999, 199_999, 0), (200_000, 200_000, 0), (200_001, 200_000, 1)]
)
def test_as_spent_up_to_the_sum_and_the_excess_is_recorded_but_not_collected(fen: int, subsidy: int, own: int) -> None:
    row = approved(spent(fen))
    row.refresh_from_db()
    assert (row.actual_fen, row.subsidy_fen, row.self_fen) == (fen, subsidy, own)
    sides = LedgerEntry.objects.filter(posting=row.posting).order_by("-amount")
    assert [(one.account, one.amount, one.fund, one.scheme.code) for one in sides if one.scheme] == [
        ("expense.reimbursement", subsidy, "lottery", "home_modification"), ("payable.elder", -subsidy, "lottery", "home_modification")
    ]  # fmt: skip
    assert Posting.objects.count() == 1
    assert [(one.key, one.amount_fen, one.elder_id) for one in payables(actor("finance"), CITY)] == [
        (f"reimbursement:{row.pk}", subsidy, row.elder_id)
    ]
    (side,) = sides_of_reimbursement(PayoutLine(key=f"reimbursement:{row.pk}"))
    assert (side.account, side.amount, side.fund, side.plan_year) == ("payable.elder", subsidy, "lottery", 2026)
    with pytest.raises(IntegrityError, match="adds_up"), transaction.atomic():
        Reimbursement.objects.filter(pk=row.pk).update(self_fen=own + 1)


@pytest.mark.req("R-MOD-04")
def test_a_household_gets_it_once_whoever_of_it_asks() -> None:
    home = make_household()
    first = promised(home)
    second = promised(home, first.scheme)
    row = drafted(first)
    assert first.pk not in reimbursable(actor("finance"), ACCEPTED).values_list("pk", flat=True)
    with refused("reimbursement.household"):
        drafted(second)
    with refused("reimbursement.household"):
        drafted(first)
    return_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, reason="户主弄错")
    assert drafted(second).household_id == home.pk
    assert Reimbursement.objects.exclude(state="returned").count() == 1


@pytest.mark.parametrize("day", [None, date(2026, 6, 16), date(2026, 12, 31)])
def test_nothing_is_paid_before_the_work_is_accepted(day: date | None) -> None:
    entitlement = promised()
    with refused("reimbursement.not_accepted"):
        drafted(entitlement, accepted_on=day)
    assert not Reimbursement.objects.exists()
    assert Journal.objects.filter(event="settlement.reimbursement.draft", is_refused=False).count() == 0


@pytest.mark.parametrize(
    ("day", "ends"), [(date(2026, 2, 28), None), (ACCEPTED, ACCEPTED), (ACCEPTED + timedelta(days=1), ACCEPTED)]
)
def test_work_outside_the_days_of_the_entitlement_is_refused(day: date, ends: date | None) -> None:
    with refused("reimbursement.outside"):
        drafted(promised(valid_to=ends), accepted_on=day)


def test_what_is_not_paid_once_by_items_is_not_reimbursed() -> None:
    with refused("reimbursement.not_once"):
        drafted(promised(once_fen=None, monthly_cap_fen=100))
    with refused("reimbursement.not_once"):
        drafted(promised(scheme=make_scheme(code="other")))


@pytest.mark.req("R-MOD-02", "R-MOD-03")
def test_optional_items_are_subsidised_once_every_base_item_has_ended() -> None:
    row = entered(drafted(promised()), ("1", "done", 30_000), ("3", "done", 20_000))
    assert (row.subsidy_fen, row.self_fen) == (30_000, 20_000)
    assert result_of(row).open_base == ("2", "11", "13", "17", "24", "29")
    row = entered(row, *((code, "present", 0) for code in BASE[1:6]))
    assert (row.subsidy_fen, row.self_fen) == (30_000, 20_000)
    row = entered(row, ("29", "not_applicable", 0), reason="无认知障碍", assessor="评估员甲", reviewer="复核员乙")
    assert (row.subsidy_fen, row.self_fen) == (50_000, 0)
    row = entered(row, ("29", "remove", 0))
    assert (row.subsidy_fen, row.self_fen, [one["item"] for one in row.lines]) == (
        30_000,
        20_000,
        ["1", "2", "3", "11", "13", "17", "24"],
    )
    found = item_list("home_modification", CITY, ACCEPTED)
    assert [one.code for one in found.values() if one.is_base] == BASE
    assert (len(found), found["4"].name, found["13"].name) == (30, "安装扶手", "安装扶手")


@pytest.mark.req("D-10")
@pytest.mark.parametrize(("item", "outcome", "fen", "values", "code"), [
    ("2", "not_applicable", 0, {"assessor": "甲", "reviewer": "乙"}, "text.missing"),
    ("2", "not_applicable", 0, {"reason": "平房", "reviewer": "乙"}, "text.missing"),
    ("2", "not_applicable", 0, {"reason": "平房", "assessor": "甲"}, "text.missing"),
    ("2", "not_applicable", 0, {"reason": "平房", "assessor": "甲", "reviewer": "甲"}, "reimbursement.same_person"),
    ("2", "not_applicable", 1, {"reason": "平房", "assessor": "甲", "reviewer": "乙"}, "reimbursement.amount"),
    ("2", "present", 1, {}, "reimbursement.amount"), ("2", "done", -1, {}, "reimbursement.amount"),
    ("2", "done", 10**16, {}, "reimbursement.amount"), ("3", "present", 0, {}, "reimbursement.optional"),
    ("31", "done", 1, {}, "reimbursement.item"), ("安装扶手", "done", 1, {}, "reimbursement.item"), ("2", "luck", 0, {}, "reimbursement.outcome"),
])  # fmt: skip
def test_an_end_that_is_none_is_refused(item: str, outcome: str, fen: int, values: dict[str, str], code: str) -> None:
    row = drafted(promised())
    with refused(code):
        entered(row, (item, outcome, fen), **values)
    row.refresh_from_db()
    assert row.lines == []


def test_two_persons_decide_and_the_reviewer_reads_the_total_off_the_invoice() -> None:
    first, second, third = (actor("finance") for _ in range(3))
    row = entered(drafted(promised(), first), ("1", "done", 100), by=first)
    with refused("reimbursement.invoice"):
        review_reimbursement(actor=second, now=NOW, reimbursement_id=row.pk, invoice_fen=101)
    with refused("reimbursement.no_paper"):
        review_reimbursement(actor=second, now=NOW, reimbursement_id=row.pk, invoice_fen=100)
    with pytest.raises(NotAllowed):
        approve_reimbursement(actor=third, now=NOW, reimbursement_id=row.pk)
    review_reimbursement(actor=second, now=NOW, reimbursement_id=ready(row).pk, invoice_fen=100)
    for who in (first, second):
        with refused("reimbursement.two_persons"):
            approve_reimbursement(actor=who, now=NOW, reimbursement_id=row.pk)
    with refused("reimbursement.not_draft", NotAllowed):
        entered(row, ("1", "done", 200))
    with pytest.raises(IntegrityError, match="two_persons"), transaction.atomic():
        Reimbursement.objects.filter(pk=row.pk).update(approved_by=second.user_id)
    approve_reimbursement(actor=third, now=NOW, reimbursement_id=row.pk)
    with pytest.raises(NotAllowed):
        return_reimbursement(actor=third, now=NOW, reimbursement_id=row.pk, reason="x")


def test_nothing_spent_is_not_reimbursed_and_a_street_enters_but_does_not_decide() -> None:
    row = drafted(promised(), actor("street"))
    with refused("reimbursement.nothing"):
        review_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, invoice_fen=0)
    with refused("right.missing", Denied):
        review_reimbursement(actor=actor("street"), now=NOW, reimbursement_id=row.pk, invoice_fen=0)


@pytest.mark.req("R-MOD-20")
def test_an_invoice_serves_one_household_only() -> None:
    row = drafted(promised(), invoice_number="0001")
    other = promised(scheme=row.entitlement.scheme)
    with refused("reimbursement.invoice_used"):
        drafted(other, invoice_number="0001")
    assert drafted(other, invoice_number="0001", contractor="另一家公司").pk


# A second fund for the same invoice, and the trail of the money


def bear(entitlement: Entitlement, line: BudgetLine) -> None:
    """Let a line bear an entitlement by the budget of its scheme."""
    known = {
        "document": "文",
        "is_in_force": True,
        "proposed_by": make_user(),
        "confirmed_by": make_user(),
        "created_at": NOW,
        "changed_at": NOW,
    }
    budget, _ = Budget.objects.get_or_create(
        scheme=entitlement.scheme, div=CITY, year=2026, defaults={"line": line, "amount_fen": 10**7, **known}
    )
    Commitment.objects.create(
        div=entitlement.div, budget=budget, entitlement=entitlement, amount_fen=entitlement.once_fen or 0
    )
    Budget.objects.filter(pk=budget.pk).update(
        committed_fen=F("committed_fen") + (entitlement.once_fen or 0), committed_heads=F("committed_heads") + 1
    )


def line(fund: str, fen: int, name: str) -> BudgetLine:
    return BudgetLine.objects.create(
        div=CITY, level="city", year=2026, fund=fund, purpose="home_care", name=name, planned_fen=fen, approved_fen=fen, document="文",
        proposed_by=make_user(), approved_by=make_user(), approved_at=NOW, created_at=NOW, changed_at=NOW,
    )  # fmt: skip


@pytest.mark.req("R-MOD-32", "R-MOD-20", "R-FUN-03")
def test_a_donation_pays_what_the_subsidy_leaves_and_every_fen_has_its_donor_and_household() -> None:
    lottery, given = line("lottery", 10**7, "适老化"), line("donation", 0, "慈善适老化")
    for donor, fen in (("甲公司", 30_000), ("乙先生", 90_000)):
        register_donation(
            actor=actor("finance"), now=NOW, donor=donor, amount_fen=fen, line_id=given.pk, received_on=ACCEPTED
        )
    first = promised()
    bear(first, lottery)
    row = approved(spent(250_000, first))
    charity = make_scheme(code="home_modification_donation", payer="donation", fund="donation", families=[])
    more = make_entitlement(
        first.elder, charity, share_bp=0, monthly_cap_fen=None, once_fen=80_000, valid_from=LONG_AGO.replace(year=2026)
    )
    bear(more, given)
    again = drafted(more, invoice_number=row.invoice_number)
    again = approved(entered(again, ("1", "done", 250_000), *((code, "present", 0) for code in BASE[1:])))
    assert (row.subsidy_fen, row.self_fen) == (200_000, 50_000)
    assert (again.actual_fen, again.subsidy_fen, again.self_fen) == (50_000, 50_000, 0)
    assert [(one.donation.donor, one.use.household_id, one.fen) for one in gifts(given)] == [
        ("甲公司", row.household_id, 30_000), ("乙先生", row.household_id, 20_000)
    ]  # fmt: skip
    found = trail(again, line_of(again))
    assert found.line == given
    assert [one.fen for one in found.gifts] == [30_000, 20_000]
    assert set(LedgerEntry.objects.filter(posting=again.posting).values_list("fund", flat=True)) == {"donation"}
    of_lottery, of_donation = ways([lottery, given])
    assert (of_lottery.reimbursed_fen, of_lottery.executed_fen, of_lottery.persons) == (
        200_000,
        200_000,
        {row.elder_id},
    )
    assert (of_donation.reimbursed_fen, of_donation.paid_fen) == (50_000, 0)
    assert list(persons_of(lottery).values_list("pk", flat=True)) == [row.elder_id]


def test_another_reimbursement_of_the_same_invoice_meanwhile_is_noticed() -> None:
    first = promised()
    charity = make_scheme(code="home_modification_donation", payer="donation", fund="donation", families=[])
    more = make_entitlement(
        first.elder, charity, share_bp=0, monthly_cap_fen=None, once_fen=CAP, valid_from=date(2026, 3, 1)
    )
    one = spent(150_000, first)
    two = entered(
        drafted(more, invoice_number=one.invoice_number),
        ("1", "done", 150_000),
        *((code, "present", 0) for code in BASE[1:]),
    )
    two = reviewed(two)
    approved(one)
    with refused("reimbursement.changed"):
        approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=two.pk)


def test_another_area_sees_nothing() -> None:
    row = drafted(promised())
    stranger = actor("district", div=OTHER_COMMUNITY[:6])
    with refused("right.outside", Denied):
        enter_item(actor=stranger, now=NOW, reimbursement_id=row.pk, item="1", outcome="done", amount_fen=1)
    assert actor("district", div=DISTRICT).covers(row.div)


def test_an_invoice_used_in_another_district_is_used() -> None:
    first = promised()
    drafted(first, invoice_number="No.88")
    once = {"share_bp": 0, "monthly_cap_fen": None, "once_fen": CAP, "valid_from": date(2026, 3, 1)}
    other = make_entitlement(make_elder(OTHER_COMMUNITY), first.scheme, **once)
    who = actor("street", OTHER_STREET)
    with scope(who), refused("reimbursement.invoice_used"):
        drafted(other, by=who, invoice_number="No.88")


@pytest.mark.req("R-MOD-05")
@pytest.mark.parametrize(("fen", "held"), [(150_000, 150_000), (250_000, CAP)])
def test_the_unused_rest_of_the_sum_is_free_for_others(fen: int, held: int) -> None:
    given = promised()
    bear(given, line("lottery", 10**7, "适老化"))
    kept = Commitment.objects.get(entitlement=given)
    approved(spent(fen, given))
    assert Budget.objects.get(pk=kept.budget_id).committed_fen == held
    end_entitlement(actor=actor("district"), now=NOW, entitlement_id=given.pk, valid_to=date(2026, 6, 2), reason="办结")
    assert Budget.objects.get(pk=kept.budget_id).committed_fen == held, "what was paid stays"


def test_a_sum_that_nobody_used_is_free_at_the_end() -> None:
    given = promised()
    bear(given, line("lottery", 10**7, "适老化"))
    kept = Commitment.objects.get(entitlement=given)
    end_entitlement(actor=actor("district"), now=NOW, entitlement_id=given.pk, valid_to=date(2026, 6, 2), reason="放弃")
    assert Budget.objects.get(pk=kept.budget_id).committed_fen == 0


# Homes change


@pytest.mark.req("R-MOD-04")
def test_a_move_or_a_wrong_address_makes_no_second_sum() -> None:
    """Who was paid back and moves gets no second sum, nor does the home moved into: one home had two files, or it was two homes."""
    first = promised()
    row = approved(spent(150_000, first))
    other = promised(scheme=first.scheme)
    Elder.objects.filter(pk=first.elder_id).update(household_id=other.elder.household_id)
    for again in (first, other):
        with refused("reimbursement.household"):
            drafted(Entitlement.objects.get(pk=again.pk), invoice_number="0002")
        assert again.pk not in reimbursable(actor("finance"), ACCEPTED).values_list("pk", flat=True)
    assert list(Reimbursement.objects.values_list("pk", flat=True)) == [row.pk]


@pytest.mark.req("R-MOD-04")
def test_two_homes_that_turn_out_to_be_one_are_paid_back_once() -> None:
    first = promised()
    other = promised(scheme=first.scheme)
    one, two = reviewed(spent(100_000, first)), reviewed(spent(90_000, other))
    Elder.objects.filter(pk=other.elder_id).update(household_id=first.elder.household_id)
    approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=two.pk)
    with refused("reimbursement.household"):
        approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=one.pk)
    assert LedgerEntry.objects.filter(account="payable.elder").count() == 1


@pytest.mark.req("R-PAY-14")
def test_the_area_that_promised_pays_though_the_elder_has_moved_away() -> None:
    row = spent(150_000)
    move_away(row.elder)
    who = [actor("finance", DISTRICT) for _ in range(3)]
    with scope(who[0]):
        attach_expense(actor=who[0], now=NOW, reimbursement_id=row.pk, title="发票", content=picture())
        review_reimbursement(actor=who[0], now=NOW, reimbursement_id=row.pk, invoice_fen=150_000)
    with scope(who[1]):
        done = approve_reimbursement(actor=who[1], now=NOW, reimbursement_id=row.pk)
    assert (done.state, done.subsidy_fen) == ("approved", 150_000)
    with scope(who[2]):
        assert [one.key for one in payables(who[2], DISTRICT)] == [f"reimbursement:{row.pk}"]


def test_work_accepted_in_time_is_offered_after_the_end() -> None:
    given = promised(valid_to=date(2026, 6, 2))
    for day, offered in ((date(2026, 6, 3), True), (date(2027, 6, 2), True), (date(2027, 6, 4), False)):
        assert (given in reimbursable(actor("finance"), day)) is offered


def test_what_nobody_applied_for_is_borne_by_the_budget_too() -> None:
    given, bearing = promised(), line("lottery", 10**7, "适老化")
    budget = Budget.objects.create(
        scheme=given.scheme, div=CITY, year=2026, line=bearing, amount_fen=99_999, document="文", is_in_force=True, proposed_by=make_user(),
        confirmed_by=make_user(), created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    row = reviewed(spent(100_000, given))
    with refused("budget.exhausted"):
        approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk)
    assert not Posting.objects.exists()
    Budget.objects.filter(pk=budget.pk).update(amount_fen=100_000)
    done = approve_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk)
    budget.refresh_from_db()
    assert (budget.committed_fen, budget.committed_heads, line_of(done)) == (100_000, 1, bearing)
