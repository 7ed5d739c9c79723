"""Settling, reversing, and statements of two persons."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    fund_order,
    make_elder,
    make_entitlement,
    make_hold,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    system,
)

from yinling.accounts.models import Journal
from yinling.entitlements.models import Quota
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.orders.models import Order, PayerShare
from yinling.orders.operations import release_hold
from yinling.settlement.models import Charge, LedgerEntry, Posting, Statement, StatementLine
from yinling.settlement.operations import (
    approve_statement,
    draft_statement,
    return_statement,
    reverse_order,
    review_statement,
    settle_each,
    settle_order,
)

pytestmark = pytest.mark.usefixtures("wide")

JUNE = date(2026, 6, 1)
LATER = NOW + timedelta(days=3)


def served(**values: object) -> Order:
    """A served order of 80.00 yuan, half of it borne by the voucher."""
    order = make_order("served", **values)
    fund_order(order, make_entitlement(order.elder, make_scheme(code=f"v{order.pk}")), 4000)
    return order


def settled(**values: object) -> Order:
    order = served(**values)
    return settle_order(actor=system(), now=LATER, order_id=order.pk)


def entries_of(order: Order) -> list[tuple[str, int]]:
    rows = LedgerEntry.objects.filter(posting__order=order).order_by("id")
    return list(rows.values_list("account", "amount"))


def refused(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


def test_settling_one_order_takes_few_statements() -> None:
    order, who = served(), system()
    with CaptureQueriesContext(connection) as queries:
        settle_order(actor=who, now=LATER, order_id=order.pk)
    assert len(queries) <= 20


@pytest.mark.req("D-19")
def test_settling_charges_every_payer_and_uses_up_the_reserved_quota() -> None:
    order = settled()
    order.refresh_from_db()
    assert order.state == "settled"
    assert order.settled_at == LATER
    assert entries_of(order) == [
        ("direct.elder", 4000), ("direct.provider", -4000), ("receivable.voucher", 4000), ("payable.provider", -4000)
    ]  # fmt: skip
    assert sorted(Charge.objects.filter(order=order).values_list("payer", "amount_fen")) == [
        ("self", 4000),
        ("voucher", 4000),
    ]
    quota = Quota.objects.get()
    assert (quota.reserved, quota.used) == (0, 4000)


def test_every_dimension_of_an_entry_is_filled() -> None:
    order = settled()
    row = LedgerEntry.objects.get(posting__order=order, account="receivable.voucher")
    assert (row.div, row.unit, row.business, row.fund, row.plan_year) == (
        order.div,
        "fen",
        "eldercare",
        "voucher",
        2026,
    )
    assert (row.provider_id, row.elder_id, row.service_day) == (order.provider_id, order.elder_id, date(2026, 6, 16))
    assert row.scheme is not None
    assert row.line is not None
    assert row.period == JUNE


@pytest.mark.req("D-18")
def test_a_price_published_after_placing_does_not_touch_the_bill() -> None:
    order = served()
    make_price(order.lines.get().item, amount_fen=99900)
    order.lines.get().price.__class__.objects.filter(pk=order.lines.get().price_id).update(amount_fen=99900)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert Charge.objects.filter(order=order).aggregate(fen=Sum("amount_fen"))["fen"] == order.total_fen == 8000


@pytest.mark.req("R-PAY-05")
def test_medical_and_elder_care_income_stand_apart_in_the_ledger() -> None:
    nursing = settled(price=make_price(make_item(is_medical=True)))
    care = settled()
    sums = (
        LedgerEntry.objects.filter(account="payable.provider")
        .values_list("posting__order", "business")
        .order_by("posting__order")
    )
    assert list(sums) == [(nursing.pk, "medical"), (care.pk, "eldercare")]
    copied = LedgerEntry.objects.filter(posting__order=care).first()
    for business in ("", None, "both"):
        with pytest.raises(DatabaseError), transaction.atomic():
            LedgerEntry.objects.create(**{**values_of(copied), "business": business})


def values_of(row: LedgerEntry) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.attname != "id"}


@pytest.mark.req("X-SUP")
def test_a_held_order_is_not_settled_until_released() -> None:
    order = served()
    make_hold(order)
    with refused("order.held"):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert not Posting.objects.exists()
    assert Order.objects.get(pk=order.pk).state == "served"
    release_hold(actor=actor("supervisor"), now=LATER, order=order, cause="finding:0", reason="属实")
    assert settle_order(actor=system(), now=LATER, order_id=order.pk).state == "settled"


@pytest.mark.parametrize("state", ["placed", "assigned", "in_service", "cancelled", "failed"])
def test_only_a_served_order_is_settled(state: str) -> None:
    order = make_order(state)
    with refused("state.not_allowed", NotAllowed):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert not Posting.objects.exists()


def test_an_order_is_not_settled_twice() -> None:
    order = settled()
    with refused("settlement.already", NotAllowed):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert Posting.objects.count() == 1


@pytest.mark.req("R-PAY-04")
def test_the_same_visit_for_two_schemes_is_charged_once() -> None:
    elder, item = make_elder(), make_item()
    first = served(elder=elder, price=make_price(item))
    second = served(elder=elder, price=make_price(item))
    settle_order(actor=system(), now=LATER, order_id=first.pk)
    with refused("settlement.repeated"):
        settle_order(actor=system(), now=LATER, order_id=second.pk)
    assert list(Charge.objects.values_list("order", flat=True).distinct()) == [first.pk]
    reverse_order(actor=actor("finance"), now=LATER, order_id=first.pk, reason="应由另一待遇支付")
    settle_order(actor=system(), now=LATER, order_id=second.pk)
    with refused("settlement.repeated"):
        settle_order(actor=actor("finance"), now=LATER, order_id=first.pk)


def test_a_covered_line_bills_nothing_to_the_elder() -> None:
    order = make_order("served")
    fund_order(order, make_entitlement(order.elder), 8000)
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert list(Charge.objects.values_list("payer", "amount_fen")) == [("voucher", 8000)]
    assert not LedgerEntry.objects.filter(account__startswith="direct").exists()


def test_shares_that_do_not_add_up_stop_the_settlement() -> None:
    order = served()
    PayerShare.objects.filter(order=order, payer="self").update(amount_fen=3999)
    with refused("settlement.gap"):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert not Posting.objects.exists()


def test_who_may_not_settle_is_denied_and_journalled() -> None:
    order = served()
    with refused("right.missing", Denied):
        settle_order(actor=actor("seat"), now=LATER, order_id=order.pk)
    with refused("right.outside", Denied):
        settle_order(actor=actor("finance", OTHER_DISTRICT), now=LATER, order_id=order.pk)
    assert Order.objects.get(pk=order.pk).state == "served"


def test_an_unbalanced_posting_is_refused_by_the_database_even_from_raw_sql() -> None:
    copied = values_of(LedgerEntry.objects.filter(posting__order=settled()).first())
    columns = ", ".join(copied)
    places = ", ".join(["%s"] * len(copied))
    with pytest.raises(DatabaseError, match="not balanced"), transaction.atomic(), connection.cursor() as cursor:
        statement = f"INSERT INTO settlement_ledgerentry ({columns}) VALUES ({places})"  # noqa: S608 - our own names
        cursor.execute(statement, [*copied.values()])
        cursor.execute("SET CONSTRAINTS ledger_balanced IMMEDIATE")
    assert LedgerEntry.objects.aggregate(sum=Sum("amount"))["sum"] == 0


@pytest.mark.parametrize("table", ["settlement_posting", "settlement_ledgerentry", "settlement_charge"])
@pytest.mark.parametrize("change", ["UPDATE {} SET div = div", "DELETE FROM {}"])
def test_the_app_role_can_neither_change_nor_delete_what_was_booked(table: str, change: str) -> None:
    settled()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("yl_app",)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            cursor.execute(change.format(table))


def test_a_reversal_books_back_and_gives_the_quota_back() -> None:
    order = settled()
    july = NOW + timedelta(days=20)
    reversed_ = reverse_order(actor=actor("finance"), now=july, order_id=order.pk, reason="服务未做完")
    assert reversed_.state == "settled"
    rows = LedgerEntry.objects.filter(posting__order=order)
    assert {row["account"]: row["sum"] for row in rows.values("account").annotate(sum=Sum("amount"))} == dict.fromkeys(
        ["direct.elder", "direct.provider", "receivable.voucher", "payable.provider"], 0
    )
    counter = Posting.objects.get(kind="reversal")
    assert counter.reverses.order_id == order.pk
    assert set(LedgerEntry.objects.filter(posting=counter).values_list("period", flat=True)) == {date(2026, 7, 1)}
    assert list(Quota.objects.values_list("reserved", "used")) == [(0, 0)]


def test_a_reversed_order_is_billed_anew() -> None:
    order = settled()
    finance = actor("finance")
    reverse_order(actor=finance, now=LATER, order_id=order.pk, reason="单据有误")
    settle_order(actor=finance, now=LATER, order_id=order.pk)
    assert [row.key for row in Posting.objects.order_by("id")][::2] == [f"order:{order.pk}", f"order:{order.pk}:2"]
    assert list(Quota.objects.values_list("reserved", "used")) == [(0, 4000)]
    reverse_order(actor=finance, now=LATER, order_id=order.pk, reason="再次有误")
    assert LedgerEntry.objects.filter(account="payable.provider").aggregate(sum=Sum("amount"))["sum"] == 0


def test_billing_anew_is_refused_when_the_quota_is_gone() -> None:
    order = settled()
    finance = actor("finance")
    reverse_order(actor=finance, now=LATER, order_id=order.pk, reason="单据有误")
    Quota.objects.update(reserved=79000)
    with refused("settlement.quota"):
        settle_order(actor=finance, now=LATER, order_id=order.pk)
    assert Quota.objects.get().used == 0
    assert Posting.objects.count() == 2


def test_nothing_to_reverse_and_no_reason_are_refused() -> None:
    finance = actor("finance")
    order = settled()
    with refused("settlement.reason"):
        reverse_order(actor=finance, now=LATER, order_id=order.pk, reason=" ")
    with refused("settlement.nothing", NotAllowed):
        reverse_order(actor=finance, now=LATER, order_id=served().pk, reason="误")
    with refused("right.missing", Denied):
        reverse_order(actor=system(), now=LATER, order_id=order.pk, reason="误")
    assert Posting.objects.count() == 1


@pytest.mark.req("R-PAY-12")
def test_a_statement_holds_settled_unfrozen_unreversed_charges_only() -> None:
    body = make_organisation()
    finance = actor("finance")
    good, frozen, taken_back, waiting, other = (
        served(price=make_price(organisation=body)), served(price=make_price(organisation=body)),
        served(price=make_price(organisation=body)), served(price=make_price(organisation=body)), served(),
    )  # fmt: skip
    for order in (good, frozen, taken_back, other):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    make_hold(frozen)
    reverse_order(actor=finance, now=LATER, order_id=taken_back.pk, reason="误")
    row = draft_statement(actor=finance, now=LATER, organisation_id=body.pk, payer="voucher", month=date(2026, 6, 20))
    assert (row.total_fen, row.line_count, row.month, row.state) == (4000, 1, JUNE, "draft")
    assert [line.charge.order_id for line in row.lines.all()] == [good.pk]
    assert waiting.state == "served"


def test_what_was_frozen_comes_on_the_next_statement() -> None:
    body = make_organisation()
    finance, second = actor("finance"), actor("finance")
    settled(price=make_price(organisation=body))
    frozen = settled(price=make_price(organisation=body))
    make_hold(frozen)
    first = draft_statement(actor=finance, now=LATER, organisation_id=body.pk, payer="voucher", month=JUNE)
    review_statement(actor=finance, now=LATER, statement_id=first.pk)
    approve_statement(actor=second, now=LATER, statement_id=first.pk)
    release_hold(actor=actor("supervisor"), now=LATER, order=frozen, cause="finding:0", reason="属实")
    july = date(2026, 7, 1)
    row = draft_statement(
        actor=finance, now=LATER + timedelta(days=30), organisation_id=body.pk, payer="voucher", month=july
    )
    assert [line.charge.order_id for line in row.lines.all()] == [frozen.pk]


def test_what_an_approved_statement_paid_and_was_reversed_is_deducted_from_the_next() -> None:
    body = make_organisation()
    finance, second = actor("finance"), actor("finance")
    order = settled(price=make_price(organisation=body))
    first = draft_statement(actor=finance, now=LATER, organisation_id=body.pk, payer="voucher", month=JUNE)
    review_statement(actor=finance, now=LATER, statement_id=first.pk)
    with refused("settlement.on_statement"):
        reverse_order(actor=finance, now=LATER, order_id=order.pk, reason="误")
    approve_statement(actor=second, now=LATER, statement_id=first.pk)
    reverse_order(actor=finance, now=LATER, order_id=order.pk, reason="误")
    july = date(2026, 7, 1)
    row = draft_statement(
        actor=finance, now=LATER + timedelta(days=30), organisation_id=body.pk, payer="voucher", month=july
    )
    assert (row.total_fen, row.line_count) == (-4000, 1)


def drafted() -> tuple[Statement, object]:
    body = make_organisation()
    settled(price=make_price(organisation=body))
    finance = actor("finance")
    return draft_statement(actor=finance, now=LATER, organisation_id=body.pk, payer="voucher", month=JUNE), finance


@pytest.mark.req("R-PAY-12")
def test_two_persons_approve_and_neither_approver_drafted() -> None:
    row, drafter = drafted()
    reviewer, approver = actor("finance"), actor("finance")
    review_statement(actor=reviewer, now=LATER, statement_id=row.pk, seen=0)
    for person in (drafter, reviewer):
        with refused("statement.two_persons"):
            approve_statement(actor=person, now=LATER, statement_id=row.pk)
    assert Statement.objects.get(pk=row.pk).state == "reviewed"
    approved = approve_statement(actor=approver, now=LATER, statement_id=row.pk, seen=1)
    assert (approved.state, approved.reviewed_by_id, approved.approved_by_id) == (
        "approved",
        reviewer.user_id,
        approver.user_id,
    )


def test_the_database_refuses_one_person_for_both_approvals() -> None:
    row, _ = drafted()
    person = actor("finance").user_id
    with pytest.raises(DatabaseError, match="statement_two_persons"), transaction.atomic():
        Statement.objects.filter(pk=row.pk).update(reviewed_by_id=person, approved_by_id=person)


def test_a_returned_statement_frees_its_charges_for_a_new_one() -> None:
    row, finance = drafted()
    with refused("statement.empty"):
        draft_statement(actor=finance, now=LATER, organisation_id=row.provider_id, payer="voucher", month=JUNE)
    with refused("text.missing"):
        return_statement(actor=finance, now=LATER, statement_id=row.pk, reason=" ")
    returned = return_statement(actor=finance, now=LATER, statement_id=row.pk, reason="金额待核")
    assert (returned.state, returned.return_reason) == ("returned", "金额待核")
    again = draft_statement(actor=finance, now=LATER, organisation_id=row.provider_id, payer="voucher", month=JUNE)
    assert again.total_fen == row.total_fen
    with refused("state.not_allowed", NotAllowed):
        review_statement(actor=finance, now=LATER, statement_id=row.pk)


def test_a_second_statement_of_the_same_month_is_refused() -> None:
    row, finance = drafted()
    settled(price=make_price(organisation=row.provider))
    with refused("statement.twice"):
        draft_statement(actor=finance, now=LATER, organisation_id=row.provider_id, payer="voucher", month=JUNE)
    assert Statement.objects.count() == 1


def test_an_order_held_after_drafting_stops_the_approval() -> None:
    row, finance = drafted()
    make_hold(row.lines.get().charge.order)
    with refused("statement.held"):
        review_statement(actor=finance, now=LATER, statement_id=row.pk)


def test_a_statement_whose_lines_do_not_add_up_is_not_approved() -> None:
    row, finance = drafted()
    Statement.objects.filter(pk=row.pk).update(total_fen=1)
    with refused("statement.total"):
        review_statement(actor=finance, now=LATER, statement_id=row.pk)


def test_a_stale_page_and_a_foreign_area_are_refused() -> None:
    row, finance = drafted()
    review_statement(actor=finance, now=LATER, statement_id=row.pk)
    with refused("row.stale", Stale):
        return_statement(actor=finance, now=LATER, statement_id=row.pk, reason="误", seen=0)
    with refused("right.outside", Denied):
        return_statement(actor=actor("finance", OTHER_DISTRICT), now=LATER, statement_id=row.pk, reason="误")
    with refused("right.missing", Denied):
        approve_statement(actor=actor("district"), now=LATER, statement_id=row.pk)


@pytest.mark.parametrize(
    ("payer", "month", "code", "field"),
    [
        ("self", JUNE, "statement.self", "payer"),
        ("nobody", JUNE, "statement.payer", "payer"),
        ("voucher", date(2026, 8, 1), "statement.future", "month"),
        ("government", JUNE, "statement.empty", "month"),
    ],
)
def test_what_cannot_be_drafted(payer: str, month: date, code: str, field: str) -> None:
    order = settled()
    with pytest.raises(Refused) as refusal:
        draft_statement(actor=actor("finance"), now=LATER, organisation_id=order.provider_id, payer=payer, month=month)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Statement.objects.exists()
    assert not StatementLine.objects.exists()


def test_an_unknown_organisation_is_refused() -> None:
    with refused("organisation.not_found", NotFound):
        draft_statement(actor=actor("finance"), now=LATER, organisation_id=9, payer="voucher", month=JUNE)


def test_each_step_leaves_one_journal_row() -> None:
    row, _ = drafted()
    review_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
    events = Journal.objects.filter(event__startswith="settlement").order_by("id").values_list("event", flat=True)
    assert list(events) == ["settlement.order.settle", "settlement.statement.draft", "settlement.statement.review"]


def test_a_service_that_costs_nobody_anything_is_settled_taken_back_and_settled_anew() -> None:
    order = make_order("served", price=make_price(amount_fen=0))
    other = make_order("served")
    assert settle_each(system(), LATER, [order, other]) == {}
    assert (Order.objects.get(pk=order.pk).state, entries_of(order)) == ("settled", [])
    with refused("settlement.already", NotAllowed):
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="登记重复")
    settle_order(actor=system(), now=LATER, order_id=order.pk)
    assert Posting.objects.filter(order=order).count() == 3
    assert not Charge.objects.filter(order=order).exists()
