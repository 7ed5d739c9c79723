"""The one way into the ledger: once by its key, balanced, with all dimensions, never into a closed month."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.factories import CITY, COMMUNITY, NOW, actor, city, make_order, make_organisation, system

from yinling.ground.scope import scope
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.settlement.jobs import merge_totals, roll_totals
from yinling.settlement.models import AreaTotal, Closing, LedgerEntry, LedgerTotal, Posting
from yinling.settlement.operations import post, settle_order
from yinling.settlement.queries import account_sums, balance
from yinling.settlement.rules import Side

pytestmark = pytest.mark.usefixtures("wide")
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
PAIR = (Side("bank", 500, "eldercare", "general"), Side("donation.received", -500, "eldercare", "general"))


def posted(key: str = "x:1", sides: tuple[Side, ...] = PAIR, **values: object) -> Posting:
    chosen = {"kind": "donation", "text": "捐赠", "div": COMMUNITY, **values}
    return post(system(), NOW, key=key, sides=sides, **chosen)


@pytest.mark.req("R-FUN-10")
def test_a_repeat_returns_the_first_and_changes_nothing_and_other_content_is_refused() -> None:
    first = posted()
    assert posted(text="又一次") == first
    for sides, values in (
        ((Side("bank", 600, "eldercare", "general"), Side("donation.received", -600, "eldercare", "general")), {}),
        (PAIR, {"kind": "gift"}),
        (PAIR, {"provider": make_organisation()}),
    ):
        with pytest.raises(NotAllowed) as refusal:
            posted(sides=sides, **values)
        assert refusal.value.code == "ledger.key_reused"
    assert (Posting.objects.count(), LedgerEntry.objects.count()) == (1, 2)


@pytest.mark.req("R-PAY-05")
@pytest.mark.parametrize(
    ("sides", "code"),
    [
        ((Side("bank", 5, "", "general"), Side("donation.received", -5, "", "general")), "ledger.business"),
        ((Side("bank", 5, "eldercare", ""), Side("donation.received", -5, "eldercare", "")), "ledger.fund"),
        ((Side("till", 5, "eldercare", "general"), Side("bank", -5, "eldercare", "general")), "ledger.account"),
        (
            (Side("bank", 5, "eldercare", "general"), Side("donation.received", -4, "eldercare", "general")),
            "ledger.not_balanced",
        ),
        (
            (Side("bank", 5, "eldercare", "general"), Side("bank", -5, "eldercare", "general", unit="minute")),
            "ledger.not_balanced",
        ),
        ((Side("bank", 0, "eldercare", "general"),), "ledger.not_balanced"),
        ((), "ledger.not_balanced"),
    ],
)
def test_a_posting_without_business_fund_account_or_balance_is_refused(sides: tuple[Side, ...], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        posted(sides=sides)
    assert refusal.value.code == code
    assert not Posting.objects.exists()


@pytest.mark.req("X-PAY-05", "R-FUN-10")
@pytest.mark.parametrize("model", [Posting, LedgerEntry])
def test_nothing_deletes_or_changes_what_was_booked(model: type[Posting] | type[LedgerEntry]) -> None:
    posted()
    table = model._meta.db_table
    for text in (f"DELETE FROM {table}", f"UPDATE {table} SET div = div"):  # noqa: S608 - our own table
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(text)
    assert model.objects.exists()


def closed(month: date = JUNE) -> Closing:
    return Closing.objects.create(
        div=CITY, month=month, figures=[], proposed_by_id=actor("finance").user_id, proposed_at=NOW, closed_by_id=actor("finance").user_id,
        closed_at=NOW, created_at=NOW, changed_at=NOW,
    )  # fmt: skip


@pytest.mark.req("R-FUN-10")
def test_a_late_item_goes_into_the_next_open_month_as_a_correction() -> None:
    city()
    order = make_order("served")
    closed()
    closed(JULY)
    settle_order(actor=system(), now=NOW + timedelta(days=3), order_id=order.pk)
    row = LedgerEntry.objects.filter(posting__order=order).first()
    assert row is not None
    assert (row.booked_on, row.period, row.service_day) == (date(2026, 6, 18), date(2026, 8, 1), date(2026, 6, 16))


@pytest.mark.req("R-FUN-10")
def test_the_database_refuses_an_entry_into_a_closed_month() -> None:
    posting = posted()
    closed()
    entry = LedgerEntry.objects.filter(posting=posting).first()
    assert entry is not None
    values = {
        field.attname: getattr(entry, field.attname) for field in entry._meta.concrete_fields if field.attname != "id"
    }
    with pytest.raises(DatabaseError, match="closed"), transaction.atomic():
        LedgerEntry.objects.create(**values)


def test_balances_of_any_day_by_every_dimension_are_the_sums_of_the_entries() -> None:
    body = make_organisation()
    posted("a")
    posted("b", provider=body)
    post(system(), NOW + timedelta(days=40), key="c", kind="donation", text="", div="320281100200", sides=PAIR)
    today, later = date(2026, 6, 15), date(2026, 7, 25)
    assert [balance("bank", day) for day in (date(2026, 6, 14), today, later)] == [0, 1000, 1500]
    assert balance("bank", later, div="320213") == 1000
    assert balance("bank", later, div=CITY) == 1500
    assert balance("bank", later, provider_id=body.pk) == 500
    assert balance("bank", later, fund="lottery") == 0
    assert balance("donation.received", later, fund="general", business="eldercare") == -1500


def test_a_balance_shows_no_more_than_the_own_area_or_organisation() -> None:
    body, other = make_organisation(), make_organisation()
    posted("a", provider=body)
    posted("b", provider=other)
    day = date(2026, 6, 15)
    for who, asked, fen in (
        (actor("finance", "320213"), {}, 1000),
        (actor("finance", "320281"), {}, 0),
        (actor("finance", "320281"), {"div": "320213"}, 0),
        (actor("finance", "320213"), {"div": "32"}, 1000),
        (actor("provider_manager", organisation=body), {}, 500),
        (actor("provider_manager", organisation=body), {"provider_id": other.pk}, 0),
        (actor("family"), {}, 0),
    ):
        with scope(who):
            assert balance("bank", day, **asked) == fen  # type: ignore[arg-type]


def test_rolling_up_and_merging_the_totals_changes_no_balance() -> None:
    for number in range(3):
        posted(f"k{number}")
    before = LedgerTotal.objects.count()
    assert roll_totals() == 2
    assert (before, LedgerTotal.objects.count(), AreaTotal.objects.count()) == (6, 2, 4)
    posted("k3")
    assert balance("bank", date(2026, 6, 15)) == 2000
    assert merge_totals() == 2
    assert (LedgerTotal.objects.count(), AreaTotal.objects.count()) == (2, 4)
    assert (roll_totals(), merge_totals()) == (0, 0)
    assert balance("bank", date(2026, 6, 15)) == 2000
    assert LedgerTotal.objects.aggregate(count=Sum("entry_count"))["count"] == LedgerEntry.objects.count()


def slow_sum(account: str, on: date, *, div: str = "", provider_id: int | None = None, fund: str = "") -> int:
    """The balance as anybody would reckon it: entry by entry."""
    rows = LedgerEntry.objects.filter(account=account, booked_on__lte=on, unit="fen", div__startswith=div)
    rows = rows.filter(provider=provider_id) if provider_id else rows
    return sum(row.amount for row in rows if fund in ("", row.fund))


STEPS = st.one_of(
    st.tuples(st.just("post"), st.integers(-75, 45), st.integers(0, 2), st.integers(0, 2), st.sampled_from(("general", "lottery"))),
    st.tuples(st.sampled_from(("roll", "merge", "close"))),
)  # fmt: skip
DAYS = tuple(date(2026, 6, 15) + timedelta(days=days) for days in (-75, -46, -16, -14, 0, 17, 45))


@pytest.mark.req("R-FUN-10")
@settings(max_examples=10)
@given(st.lists(STEPS, min_size=3, max_size=10))
@example(
    [("post", -75, 0, 1, "general"), ("roll",), ("post", -75, 0, 1, "general"), ("post", -46, 1, 2, "lottery"), ("merge",),
     ("post", 17, 1, 0, "general")]
)  # fmt: skip
@example(
    [
        ("post", -15, 0, 1, "general"),
        ("roll",),
        ("close",),
        ("post", -15, 0, 1, "general"),
        ("roll",),
        ("post", 0, 2, 1, "general"),
    ]
)
def test_balances_of_any_day_are_the_slow_sums_rolled_up_or_not_whoever_asks(steps: list[tuple[Any, ...]]) -> None:
    streets = ("320213100200", "320213101001", "320281100200")
    with transaction.atomic():
        bodies = (None, make_organisation(), make_organisation())
        askers = (
            actor("finance"), actor("finance", "320213"), actor("finance", "320213100"), actor("provider_manager", organisation=bodies[1]),
        )  # fmt: skip
        for number, step in enumerate(steps):
            match step:
                case ("post", days, street, body, fund):
                    sides = (
                        Side("bank", number + 1, "eldercare", fund),
                        Side("donation.received", -number - 1, "eldercare", fund),
                    )
                    moment = NOW + timedelta(days=days)
                    post(
                        system(), moment, key=f"s:{number}", kind="donation", text="", div=streets[street], sides=sides, provider=bodies[body],
                    )  # fmt: skip
                case ("roll",):
                    roll_totals()
                case ("merge",):
                    merge_totals()
                case _ if not Closing.objects.exists():
                    closed()
        for who in askers:
            with scope(who):
                asked = [{}, {"fund": "lottery"}, *({"provider_id": body.pk} for body in bodies if body)]
                asked += [{"div": "320213"}, {"div": "320213100"}, {"div": "320281100"}] if who.div else []
                for on, values in product(DAYS, asked):
                    assert balance("bank", on, **values) == slow_sum("bank", on, **values)
        transaction.set_rollback(True)


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_the_sums_by_account_are_those_of_the_entries_for_every_filter(role: str) -> None:
    body = make_organisation()
    for number, days in enumerate((-75, -45, -14, 0, 0, 17)):
        provider = body if number % 2 else None
        post(
            system(),
            NOW + timedelta(days=days),
            key=f"s:{number}",
            kind="donation",
            text="",
            div=COMMUNITY,
            sides=PAIR,
            provider=provider,
        )
        if number in {1, 3}:
            roll_totals()
    who = actor(role)
    with scope(who):
        for on, values in product(
            DAYS, ({}, {"div": "320281"}, {"div": "320213"}, {"provider_id": body.pk}, {"fund": "general"})
        ):
            found = {row["account"]: row["amount"] for row in account_sums(who, on, **values)}
            assert found.get("bank", 0) == slow_sum("bank", on, **values) == -found.get("donation.received", 0)
        assert sum(row["count"] for row in account_sums(who, date(2026, 8, 1))) == 12
        assert account_sums(who, date(2026, 8, 1), business="medical") == []


def test_the_year_of_the_plan_is_that_of_the_service() -> None:
    sides = tuple(
        Side(side.account, side.amount, side.business, side.fund, service_day=date(2025, 12, 31)) for side in PAIR
    )
    posting = post(
        system(), datetime(2026, 1, 1, 3, tzinfo=UTC), key="late", kind="x", text="", div=COMMUNITY, sides=sides
    )
    assert set(posting.entries.values_list("plan_year", "period", "booked_on")) == {
        (2025, date(2026, 1, 1), date(2026, 1, 1))
    }
