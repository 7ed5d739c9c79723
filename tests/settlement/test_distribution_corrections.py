"""A booked distribution is corrected by two persons: the books by reversal, each person by the next share; what a month lacks is carried on."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.test import Client
from tests.factories import NOW, actor, make_assignment, make_order, make_staff, make_visit, system
from tests.screens.test_money_audit import sheet
from tests.settlement.stated import refused
from tests.settlement.test_distributions import AFTER, JULY, body_with_two, draft, nursing

from yinling.accounts.models import User
from yinling.directory.models import Organisation, Staff
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed
from yinling.orders.models import Order
from yinling.settlement.distributing import brought, lacking
from yinling.settlement.models import Distribution, LedgerEntry, Posting, StaffShare
from yinling.settlement.operations import (
    approve_distribution,
    correct_distribution,
    draft_distribution,
    return_distribution,
    reverse_order,
    settle_order,
)
from yinling.settlement.queries import differences, lacking_before, open_differences, own_shares
from yinling.web.api.money_resources import _parts

pytestmark = pytest.mark.usefixtures("wide")
WHY = "六月成本表有误"
IN_AUGUST = AFTER + timedelta(days=40)


def booked(row: Distribution) -> Distribution:
    return approve_distribution(actor=actor("finance"), now=AFTER, distribution_id=row.pk)


def corrected(row: Distribution, who: Actor | None = None, **values: Any) -> Distribution:
    asked: dict[str, Any] = {
        "cost_fen": 9_000,
        "cost_document": "更正表",
        "drawn_fen": 1_000,
        "drawn_document": "财6号",
        **values,
    }
    return correct_distribution(
        actor=who or actor("provider_manager", organisation=row.provider), now=AFTER, distribution_id=row.pk, reason=WHY, **asked
    )  # fmt: skip


def july(body: Organisation, now: datetime = IN_AUGUST, **values: Any) -> Distribution:
    """The next month, of which the only income is what is booked in it."""
    asked: dict[str, Any] = {"cost_fen": 0, "drawn_fen": 0, **values}
    who = actor("provider_manager", organisation=body)
    return draft_distribution(actor=who, now=now, organisation_id=body.pk, from_month=JULY, **asked)


def parts(row: Distribution) -> dict[int, tuple[int, int]]:
    return {one.staff_id: (one.amount_fen, one.brought_fen) for one in StaffShare.objects.filter(distribution=row)}


def owed_to_staff() -> int:
    return -int(LedgerEntry.objects.filter(account="payable.staff").aggregate(fen=Sum("amount"))["fen"] or 0)


def income_in_july(body: Organisation, staff: Staff) -> None:
    """One visit of 100 yuan in July."""
    start = NOW + timedelta(days=30)
    visited_on = visited_in(start, body, staff)
    settle_order(actor=system(), now=start + timedelta(days=2), order_id=visited_on.pk)


def visited_in(start: datetime, body: Organisation, staff: Staff) -> Order:
    order = make_order("served", price=nursing(body), starts_at=start)
    visit = make_visit(make_assignment(order, staff, state="done"), state="on_site")
    visit.started_at = start
    visit.save()
    visit.state, visit.ended_at, visit.signed_by = "done", order.ends_at, "王秀英"
    visit.save()
    return order


@pytest.mark.req("R-PAY-06", "R-STF-19", "R-FUN-10")
def test_a_correction_reverses_and_books_anew_and_the_next_share_brings_the_difference() -> None:
    body, nurse, doctor = body_with_two()
    old = booked(draft(body))
    before = parts(old)
    row = corrected(old, cost_fen=7_000)
    assert (row.state, row.corrects_id, row.share_fen, owed_to_staff()) == ("draft", old.pk, 15_400, 14_000)
    assert open_differences(body.pk) == {}
    row = booked(row)
    old.refresh_from_db()
    assert (row.state, old.state, owed_to_staff()) == ("approved", "corrected", 15_400)
    assert Posting.objects.get(reverses=old.posting).key == f"distribution:{old.pk}:back"
    after = parts(row)
    wanted = {pk: after[pk][0] - before[pk][0] for pk in (nurse.pk, doctor.pk)}
    assert sum(wanted.values()) == 1_400
    assert {one.staff.pk: one.fen for one in differences(row)} == wanted == open_differences(body.pk)
    income_in_july(body, nurse)
    third = july(body)
    assert parts(third) == {nurse.pk: (7_000, wanted[nurse.pk]), doctor.pk: (0, wanted[doctor.pk])}
    assert open_differences(body.pk) == {}
    return_distribution(actor=actor("finance"), now=AFTER, distribution_id=third.pk, reason="重算")
    assert open_differences(body.pk) == wanted
    assert parts(booked(july(body))) == {nurse.pk: (7_000, wanted[nurse.pk]), doctor.pk: (0, wanted[doctor.pk])}


@pytest.mark.req("R-PAY-06")
def test_what_was_too_much_is_set_off_to_zero_and_carried_on() -> None:
    body, nurse, doctor = body_with_two()
    old = booked(draft(body))
    before = {pk: fen for pk, (fen, _brought) in parts(old).items()}
    booked(corrected(old, cost_fen=40_000))
    assert owed_to_staff() == 0
    assert open_differences(body.pk) == {pk: -fen for pk, fen in before.items()}
    income_in_july(body, nurse)
    income_in_july(body, nurse)
    row = booked(july(body))
    assert (row.carried_fen, row.pool_fen) == (11_000, 9_000)
    share = row.share_fen
    assert parts(row) == {nurse.pk: (share, -share)}
    assert open_differences(body.pk) == {nurse.pk: share - before[nurse.pk], doctor.pk: -before[doctor.pk]}
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffShare.objects.filter(distribution=row).update(brought_fen=-share - 1)


def test_a_correction_reads_the_books_as_they_are_and_may_itself_be_corrected() -> None:
    body, nurse, _doctor = body_with_two()
    old = booked(draft(body))
    order = Order.objects.filter(provider=body).order_by("pk").last()
    assert order is not None
    reverse_order(actor=actor("finance"), now=NOW + timedelta(days=4), order_id=order.pk, reason="误")
    first = booked(corrected(old))
    assert (first.income_fen, first.share_fen, owed_to_staff()) == (20_000, 7_000, 7_000)
    second = booked(corrected(first, cost_fen=0, cost_document=""))
    assert (second.share_fen, owed_to_staff()) == (13_300, 13_300)
    total = sum(fen for fen, _brought in parts(second).values()) - sum(fen for fen, _brought in parts(old).values())
    assert sum(open_differences(body.pk).values()) == total == -700
    assert nurse.pk in open_differences(body.pk)


def test_who_corrects_does_not_book_it_and_only_what_is_booked_is_corrected_once_at_a_time() -> None:
    body, *_people = body_with_two()
    who = actor("provider_manager", organisation=body)
    old = draft(body, who)
    with refused("state.not_allowed", NotAllowed), transaction.atomic():
        corrected(old)
    booked(old)
    row = corrected(old, who)
    with refused("distribution.two_persons"), transaction.atomic():
        approve_distribution(actor=who, now=AFTER, distribution_id=row.pk)
    with refused("distribution.correcting", NotAllowed), transaction.atomic():
        corrected(old)
    with refused("right.missing", Denied), transaction.atomic():
        corrected(old, actor("nurse", staff=make_staff(body, kind="nurse", qualified="nurse")))
    return_distribution(actor=who, now=AFTER, distribution_id=row.pk, reason="不更正")
    with refused("text.missing"), transaction.atomic():
        correct_distribution(actor=who, now=AFTER, distribution_id=old.pk, cost_fen=0, drawn_fen=0, reason=" ")
    assert (Distribution.objects.get(pk=old.pk).state, owed_to_staff()) == ("approved", 14_000)
    assert corrected(old).state == "draft"


@pytest.mark.req("D-07", "R-PAY-06")
def test_what_a_month_lacks_is_cost_of_the_next() -> None:
    body, nurse, _doctor = body_with_two()
    june = booked(draft(body, cost_fen=32_000))
    assert (june.pool_fen, june.lacking_fen, lacking_before(body.pk, JULY)) == (0, 3_000, 3_000)
    income_in_july(body, nurse)
    row = july(body, cost_fen=1_000, cost_document="成本表")
    assert (row.carried_fen, row.pool_fen, row.share_fen) == (3_000, 6_000, 4_200)
    assert lacking_before(body.pk, date(2026, 8, 1)) == 0
    booked(corrected(june, cost_fen=31_000))
    with refused("distribution.carried_changed"), transaction.atomic():
        booked(row)
    return_distribution(actor=actor("finance"), now=AFTER, distribution_id=row.pk, reason="重算")
    assert july(body, cost_fen=1_000, cost_document="成本表").carried_fen == 2_000


def test_lacking_goes_on_until_it_is_borne() -> None:
    assert lacking([]) == 0
    assert lacking([(-300, 0), (100, 300)]) == 200
    assert lacking([(-300, 0), (-50, 300), (400, 350)]) == 0
    assert lacking([(-300, 0), (500, 0)]) == 300
    assert lacking([(-300, 0), (500, 0), (250, 300)]) == 50
    assert lacking([(-100, 0), (500, 300)]) == 0
    assert [brought(fen, 100) for fen in (50, 0, -50, -100, -150)] == [50, 0, -50, -100, -100]


@pytest.mark.req("R-STF-22")
def test_the_person_sees_on_the_phone_what_changed_and_why() -> None:
    body, nurse, doctor = body_with_two()
    old = booked(draft(body))
    booked(corrected(old, cost_fen=7_000))
    who = actor("nurse", staff=nurse)
    with scope(who):
        assert [(one.staff_id, one.distribution.state) for one in own_shares(who)] == [
            (nurse.pk, "approved"), (nurse.pk, "corrected"),
        ]  # fmt: skip
    client = Client()
    client.force_login(User.objects.get(pk=who.user_id))
    text = client.get("/m/income/").content.decode()
    before = parts(old)[nurse.pk][0]
    assert f"原来 {before / 100:.2f} 元" in text
    assert WHY in text
    assert "补发" in text
    desk = Client()
    desk.force_login(User.objects.get(pk=actor("finance").user_id))
    row = Distribution.objects.get(corrects=old)
    page = desk.get(f"/settlement/shares/{row.pk}/").content.decode()
    assert WHY in page
    assert "更正的差额" in page
    for address in (
        f"/settlement/shares/{row.pk}/excel/",
        f"/settlement/shares/{row.pk}/print/",
        f"/settlement/shares/{old.pk}/",
    ):
        assert desk.get(address).status_code == 200
    assert doctor.pk != nurse.pk


@pytest.mark.req("R-STF-22", "R-FUN-10")
def test_the_workbook_and_the_api_say_what_is_paid_with_a_distribution_and_that_a_correction_pays_nothing() -> None:
    body, nurse, doctor = body_with_two()
    old = booked(draft(body))
    row = booked(corrected(old, cost_fen=7_000))
    before, after = parts(old), parts(row)
    income_in_july(body, nurse)
    third = july(body)
    desk = Client()
    desk.force_login(User.objects.get(pk=actor("finance").user_id))

    def paid(one: Distribution) -> list[Any]:
        return [line[-1] for line in sheet(desk, f"/settlement/shares/{one.pk}/excel/")[-4:]]

    differences_ = [after[pk][0] - before[pk][0] for pk in (nurse.pk, doctor.pk)]
    assert paid(third) == [
        "实发（元）",
        *(fen / 100 for fen in (7_000 + differences_[0], differences_[1], 7_000 + 1_400)),
    ]
    assert paid(row) == ["实发（元）", "", "", ""]
    assert [one["brought_fen"] for one in _parts(third)] == differences_
