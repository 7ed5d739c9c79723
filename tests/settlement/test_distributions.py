"""Sharing a medical body's net income of home care: income of the ledger, points of the visits, two persons, the account outside the total."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    fund_order,
    make_assignment,
    make_entitlement,
    make_evaluation,
    make_item,
    make_order,
    make_organisation,
    make_photo,
    make_price,
    make_scheme,
    make_staff,
    make_visit,
    serial,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import Price
from yinling.directory.models import Organisation, Staff
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refused
from yinling.orders.models import Order, OrderLine
from yinling.settlement.models import Distribution, LedgerEntry, Posting, StaffShare
from yinling.settlement.operations import (
    approve_distribution,
    approve_statement,
    deduct_statement,
    draft_distribution,
    draft_statement,
    return_distribution,
    reverse_order,
    review_statement,
    settle_order,
)
from yinling.settlement.queries import distributions, medical_income, own_months, own_shares, scorecards, scores_of

pytestmark = pytest.mark.usefixtures("wide")

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
LATER = NOW + timedelta(days=3)
AFTER = NOW + timedelta(days=20)


def nursing(body: Organisation, amount_fen: int = 10_000, **values: Any) -> Price:
    return make_price(make_item(is_medical=True, family="nursing", **values), body, amount_fen)


def visited(
    staff: Staff, price: Price, *, score: int = 0, is_complete: bool = True, hour: int = 0, late: int = 0, **values: Any
) -> Order:
    """A served and settled order of an hour with its visit."""
    start = NOW + timedelta(days=1, hours=hour)
    order = make_order("served", price=price, starts_at=start, **values)
    visit = make_visit(make_assignment(order, staff, state="done"), state="on_site")
    visit.started_at = start + timedelta(minutes=late)
    visit.save()
    visit.state, visit.ended_at = "done", order.ends_at
    visit.tasks, visit.signed_by = (price.item.steps if is_complete else price.item.steps[:1]), "王秀英"
    visit.save()
    if is_complete:
        make_photo(visit, f"photo {serial()}".encode())
    if score:
        make_evaluation(order, score=score)
    return settle_order(actor=system(), now=LATER, order_id=order.pk)


def body_with_two() -> tuple[Organisation, Staff, Staff]:
    """A health centre whose nurse did two praised visits and whose doctor did one that nobody judged."""
    body = make_organisation(kind="health_centre")
    nurse, doctor = (
        make_staff(body, kind="nurse", qualified="nurse"),
        make_staff(body, kind="doctor", qualified="doctor"),
    )
    price = nursing(body)
    visited(nurse, price, score=5)
    visited(nurse, price, score=5, hour=3)
    visited(doctor, price, hour=6)
    return body, nurse, doctor


def draft(body: Organisation, who: Actor | None = None, now: datetime = AFTER, **values: Any) -> Distribution:
    chosen: dict[str, Any] = {
        "from_month": date(2026, 6, 10), "cost_fen": 9_000, "cost_document": "成本表2026-06", "drawn_fen": 1_000, "drawn_document": "财〔2026〕6号",
        **values,
    }  # fmt: skip
    who = who or actor("provider_manager", organisation=body)
    return draft_distribution(actor=who, now=now, organisation_id=body.pk, **chosen)


@pytest.mark.req("R-PAY-06", "R-STF-19", "D-07")
def test_the_share_is_of_income_less_cost_and_funds_and_the_parts_add_up() -> None:
    body, nurse, doctor = body_with_two()
    care = make_price(make_item(), body, 5_000)
    visited(make_staff(body), care, hour=5)
    row = draft(body)
    assert (row.income_fen, row.cost_fen, row.drawn_fen, row.ratio_bp) == (30_000, 9_000, 1_000, 7_000)
    assert (row.pool_fen, row.share_fen, row.state) == (20_000, 14_000, "draft")
    assert (row.from_on, row.to_on, row.is_outside_base) == (JUNE, JULY, True)
    parts = dict(StaffShare.objects.filter(distribution=row).values_list("staff_id", "amount_fen"))
    assert set(parts) == {nurse.pk, doctor.pk}
    assert sum(parts.values()) == 14_000
    points = dict(StaffShare.objects.filter(distribution=row).values_list("staff_id", "points"))
    assert points == {
        nurse.pk: 448,
        doctor.pk: 208,
    }  # 320 x 1.4 excellent; 160 x 1.3: silence counts as the others' average
    assert parts[nurse.pk] == 9_561  # 14000 x 448 / 656 = 9560.97...


@pytest.mark.req("R-STF-22")
def test_each_share_keeps_the_inputs_its_points_came_from() -> None:
    body, nurse, _doctor = body_with_two()
    part = StaffShare.objects.get(distribution=draft(body), staff=nurse)
    assert part.score["inputs"] == {
        "staff_id": nurse.pk, "visits": 2, "minutes": 120, "evaluated": 2, "satisfied": 2, "complete": 2, "late": 0, "short": 0, "stars": 10,
    }  # fmt: skip
    assert (part.score["work"], part.score["satisfaction_bp"], part.score["completeness_bp"]) == (320, 2000, 1000)
    assert (part.score["excellent_bp"], part.score["grade"], part.score["is_evaluated"]) == (1000, "excellent", True)
    assert part.distribution.inputs["weights"]["visit"] == 100


@pytest.mark.req("R-PAY-06", "D-07")
def test_what_statements_took_off_is_no_income() -> None:
    body = make_organisation(kind="health_centre")
    care = [nursing(body), nursing(body), make_price(make_item(), body, 8_000)]
    orders = [
        make_order("served", price=price, starts_at=NOW + timedelta(hours=3 * place))
        for place, price in enumerate(care)
    ]
    for order in orders:
        scheme = make_scheme(code=f"g{order.pk}", payer="government", fund="general")
        fund_order(order, make_entitlement(order.elder, scheme), 4_000)
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    row = draft_statement(actor=actor("finance"), now=LATER, organisation_id=body.pk, payer="government", month=JUNE)
    line = row.lines.get(charge__order=orders[0])
    for fen, named in ((1_000, line.pk), (3_000, None)):
        deduct_statement(
            actor=actor("finance"),
            now=LATER,
            statement_id=row.pk,
            reason="01",
            note="少做",
            amount_fen=fen,
            line_id=named,
        )
    assert medical_income(body.pk, JUNE, JULY) == 20_000
    review_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
    approve_statement(actor=actor("finance"), now=LATER, statement_id=row.pk)
    off = 1_000 + 1_909  # of 3000 from the whole, 7/11 fall on the two medical visits
    assert medical_income(body.pk, JUNE, JULY) == 20_000 - off
    reverse_order(actor=actor("finance"), now=LATER, order_id=orders[0].pk, reason="误")
    assert medical_income(body.pk, JUNE, JULY) == 10_000 - (1_909 - 818)


@pytest.mark.req("R-STF-22")
def test_the_database_shows_who_visits_the_own_part_only_and_the_office_all() -> None:
    body, nurse, doctor = body_with_two()
    draft(body)
    everybody = {nurse.pk, doctor.pk}
    for who, seen in (
        (actor("nurse", staff=nurse), {nurse.pk}), (actor("provider_manager", organisation=body), everybody), (actor("finance"), everybody),
        (actor("provider_manager", organisation=make_organisation()), set()),
    ):  # fmt: skip
        with scope(who):
            assert set(StaffShare.objects.values_list("staff_id", flat=True)) == seen


@pytest.mark.req("R-STF-20", "R-PAY-06", "R-STF-19")
def test_a_second_person_books_it_once_outside_the_total_of_performance_pay() -> None:
    body, *_people = body_with_two()
    row = draft(body)
    second = actor("provider_manager", organisation=body)
    booked = approve_distribution(actor=second, now=AFTER, distribution_id=row.pk, seen=row.version)
    assert (booked.state, booked.approved_by_id, booked.is_outside_base) == ("approved", second.user_id, True)
    entries = LedgerEntry.objects.filter(posting=booked.posting).order_by("id")
    assert list(entries.values_list("account", "amount", "business", "fund", "provider_id")) == [
        ("pool.staff", 14_000, "medical", "outside_base", body.pk), ("payable.staff", -14_000, "medical", "outside_base", body.pk)
    ]  # fmt: skip
    assert booked.posting is not None
    assert booked.posting.key == f"distribution:{row.pk}"
    with refused(
        second, NotAllowed, "state.not_allowed", contents=lambda: Posting.objects.filter(kind="distribution").count()
    ):
        approve_distribution(actor=second, now=AFTER, distribution_id=row.pk)
    assert Journal.objects.filter(event="settlement.distribution.approve", is_refused=False).count() == 1


def test_the_drafter_does_not_approve_and_the_database_says_so_too() -> None:
    body, *_people = body_with_two()
    who = actor("provider_manager", organisation=body)
    row = draft(body, who)
    with refused(who, Refused, "distribution.two_persons", contents=lambda: Distribution.objects.get().state):
        approve_distribution(actor=who, now=AFTER, distribution_id=row.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Distribution.objects.filter(pk=row.pk).update(approved_by_id=who.user_id)


@pytest.mark.req("R-PAY-06")
@pytest.mark.parametrize("ratio", ["69.99", "0.7", "101"])
def test_less_than_70_per_cent_is_refused(ratio: str) -> None:
    body, *_people = body_with_two()
    who = actor("provider_manager", organisation=body)
    with refused(who, Refused, "distribution.ratio", contents=Distribution.objects.count):
        draft(body, who, ratio=ratio)
    row = draft(body, who, ratio="80")
    with pytest.raises(IntegrityError), transaction.atomic():
        Distribution.objects.filter(pk=row.pk).update(ratio_bp=6999)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"cost_document": " "}, "text.missing"),
        ({"drawn_document": ""}, "text.missing"),
        ({"from_month": date(2026, 7, 1)}, "distribution.not_over"),
        ({"to_month": date(2026, 5, 1)}, "period.empty"),
    ],
)
def test_what_is_missing_or_too_early_is_refused(values: dict[str, Any], code: str) -> None:
    body, *_people = body_with_two()
    who = actor("provider_manager", organisation=body)
    with refused(who, Refused, code, contents=Distribution.objects.count):
        draft(body, who, **values)


def test_a_period_is_shared_once_until_it_is_returned() -> None:
    body, *_people = body_with_two()
    who = actor("provider_manager", organisation=body)
    row = draft(body, who)
    with refused(who, Refused, "distribution.overlap", contents=Distribution.objects.count):
        draft(body, who, from_month=date(2026, 5, 2), to_month=date(2026, 6, 2))
    return_distribution(actor=who, now=AFTER, distribution_id=row.pk, reason="成本有误")
    assert draft(body, who, cost_fen=8_000).pool_fen == 21_000
    with refused(who, NotAllowed, "state.not_allowed", contents=Distribution.objects.count):
        approve_distribution(actor=who, now=AFTER, distribution_id=row.pk)


@pytest.mark.req("D-07")
def test_a_pool_below_zero_is_nothing_and_books_nothing() -> None:
    body, nurse, _doctor = body_with_two()
    row = draft(body, cost_fen=40_000)
    assert (row.pool_fen, row.share_fen) == (0, 0)
    assert StaffShare.objects.get(distribution=row, staff=nurse).amount_fen == 0
    second = actor("finance")
    assert approve_distribution(actor=second, now=AFTER, distribution_id=row.pk).posting is None
    assert not Posting.objects.filter(kind="distribution").exists()


def test_income_that_changed_after_the_draft_is_noticed() -> None:
    body, *_people = body_with_two()
    row = draft(body)
    order = Order.objects.filter(provider=body).first()
    assert order is not None
    reverse_order(actor=actor("finance"), now=LATER, order_id=order.pk, reason="录错")
    assert medical_income(body.pk, JUNE, JULY) == 20_000
    second = actor("finance")
    with refused(second, Refused, "distribution.income_changed", contents=lambda: Distribution.objects.get().state):
        approve_distribution(actor=second, now=AFTER, distribution_id=row.pk)


def test_a_share_without_anybody_who_visited_is_refused() -> None:
    body = make_organisation(kind="health_centre")
    visited(make_staff(body, kind="care_worker"), nursing(body))
    who = actor("provider_manager", organisation=body)
    with refused(who, Refused, "distribution.nobody", contents=Distribution.objects.count):
        draft(body, who, cost_fen=0, drawn_fen=0)


def test_a_body_without_home_medical_care_has_nothing_to_share() -> None:
    body = make_organisation(does_home_medical=False, home_medical_filed_on=None)
    who = actor("finance")
    with refused(who, Refused, "distribution.not_medical", contents=Distribution.objects.count):
        draft(body, who)


def test_others_see_and_draft_nothing_of_a_body() -> None:
    body, nurse, _doctor = body_with_two()
    row = draft(body)
    stranger = actor("provider_manager")
    with refused(stranger, Denied, "right.outside", contents=Distribution.objects.count):
        draft(body, stranger)
    with refused(stranger, NotFound, "row.not_found", contents=lambda: Distribution.objects.get().state):
        return_distribution(actor=stranger, now=AFTER, distribution_id=row.pk, reason="不认识")
    carer = actor("nurse", staff=nurse)
    with refused(carer, Denied, "right.missing", contents=Distribution.objects.count):
        draft(body, carer)
    with scope(stranger):
        assert not distributions(stranger).exists()
    with scope(far := actor("finance", div=OTHER_DISTRICT)):
        assert not distributions(far).exists()


@pytest.mark.req("R-STF-22")
def test_a_person_sees_own_parts_and_hours_only() -> None:
    body, nurse, doctor = body_with_two()
    row = draft(body)
    who = actor("nurse", staff=nurse)
    with scope(who):
        assert [part.staff_id for part in own_shares(who)] == [nurse.pk]
        (june,) = [month for month in own_months(who, date(2026, 6, 30), 3) if month.score.visits]
    assert (june.month, june.score.visits, june.hours) == (JUNE, 2, "2.0")
    return_distribution(actor=actor("finance"), now=AFTER, distribution_id=row.pk, reason="重算")
    with scope(who):
        assert not own_shares(who)
    assert doctor.pk != nurse.pk


@pytest.mark.req("R-STF-21", "D-21")
def test_a_scorecard_counts_visits_satisfaction_and_completeness() -> None:
    body = make_organisation(kind="health_centre")
    nurse = make_staff(body, kind="nurse", qualified="nurse")
    price = nursing(body)
    visited(nurse, price, score=5)
    visited(nurse, price, score=2, hour=2, is_complete=False)
    visited(nurse, price, hour=4, late=31)
    visited(nurse, make_price(make_item(), body), hour=6, late=10)
    (card,) = scorecards([nurse], JUNE, JULY, area=body.div)
    score = card.score
    assert (score.visits, score.minutes) == (4, 60 + 60 + 29 + 50)
    assert (score.evaluated, score.satisfied, score.average) == (2, 1, 3.5)
    assert (score.complete, score.late, score.short) == (3, 1, 1)
    assert card.grade == "plain"
    medical = scores_of([nurse.pk], JUNE, JULY, area=body.div, medical_only=True)[nurse.pk]
    assert medical.visits == 3
    assert scores_of([nurse.pk], JULY, date(2026, 8, 1), area=body.div)[nurse.pk].visits == 0


@pytest.mark.req("R-STF-21")
def test_two_of_one_item_are_not_reckoned_four_when_a_visit_is_called_short() -> None:
    body = make_organisation(kind="health_centre")
    nurse = make_staff(body, kind="nurse", qualified="nurse")
    order = visited(nurse, nursing(body))
    OrderLine.objects.filter(order=order).update(quantity=2, minutes=60)
    (card,) = scorecards([nurse], JUNE, JULY, area=body.div)
    assert card.score.short == 0
