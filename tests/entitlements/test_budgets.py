"""Money and places of a year: two persons, never more than there is, and the waiting list in its order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from tests.entitlements.applying import (
    CODE,
    DAY,
    DECIDED_AT,
    Office,
    applied,
    approved,
    budget,
    noticed,
    office,
    record,
    reviewed,
)
from tests.factories import CITY, DISTRICT, NOW, OTHER_DISTRICT, STREET, WIDE, actor, make_elder, make_household, system

from yinling.entitlements.jobs import call_up, go_on, stop_entitlements
from yinling.entitlements.models import Application, Budget, Commitment, Entitlement
from yinling.entitlements.operations import (
    approve_application,
    call_up_application,
    confirm_budget,
    end_entitlement,
    free_ended,
    refuse_application,
    reserve_each,
    set_budget,
    withdraw_application,
)
from yinling.entitlements.rules import Use
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.people.models import Elder

HALF_YEAR = 6 * 15000


@pytest.fixture
def here(wide: object) -> Iterator[Office]:
    return office()


def used(row: Budget) -> tuple[int, int]:
    row.refresh_from_db()
    return row.committed_heads, row.committed_fen


def state(row: Application) -> str:
    return str(Application.objects.get(pk=row.pk).state)


def proposed(here: Office, **values: Any) -> Budget:
    asked = {
        "scheme_code": CODE,
        "div": DISTRICT,
        "year": 2026,
        "heads": 10,
        "amount_fen": 1_000_000,
        "document": "区财发 3 号",
    } | values
    return set_budget(actor=here.district, now=NOW, **asked)


# Two persons


def test_a_budget_takes_effect_when_another_person_confirms_it(here: Office) -> None:
    row = proposed(here)
    assert (row.is_in_force, row.heads, row.proposed_heads) == (False, None, 10)
    with pytest.raises(Refused) as refused:
        confirm_budget(actor=here.district, now=NOW, budget_id=row.pk)
    assert refused.value.code == "budget.two_persons"
    row = confirm_budget(actor=actor("finance", CITY), now=NOW, budget_id=row.pk)
    assert (row.is_in_force, row.heads, row.amount_fen) == (True, 10, 1_000_000)
    with pytest.raises(NotAllowed):
        confirm_budget(actor=actor("finance", CITY), now=NOW, budget_id=row.pk)


def test_a_limit_in_force_holds_until_the_new_one_is_confirmed(here: Office) -> None:
    row = confirm_budget(actor=actor("finance", CITY), now=NOW, budget_id=proposed(here).pk)
    row = proposed(here, heads=20)
    assert (row.heads, row.proposed_heads, row.is_in_force) == (10, 20, True)
    assert Budget.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"heads": None, "amount_fen": None}, "budget.empty"), ({"div": "320213999"}, "area.unknown"), ({"scheme_code": "none"}, "scheme.unknown"),
        ({"document": " "}, "text.missing"),
    ],
)  # fmt: skip
def test_a_wrong_budget_is_refused(here: Office, values: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused, transaction.atomic():
        proposed(here, **values)
    assert refused.value.code == code
    assert not Budget.objects.exists()


def test_a_budget_of_another_district_is_out_of_reach(here: Office) -> None:
    with pytest.raises(Denied):
        proposed(here, div=OTHER_DISTRICT)
    row = budget(here, heads=1, div=OTHER_DISTRICT)
    with scope(here.district):
        assert not Budget.objects.filter(pk=row.pk).exists()


# Committing


def test_an_approval_takes_one_place_and_the_months_of_the_year(here: Office) -> None:
    this, following = budget(here, heads=5, fen=1_000_000), budget(here, heads=5, fen=1_000_000, year=2027)
    approved(here)
    assert (used(this), used(following)) == ((1, HALF_YEAR), (1, HALF_YEAR))


def test_without_a_budget_in_force_nothing_is_approved(here: Office) -> None:
    proposed(here)
    row = noticed(here)
    with pytest.raises(Refused) as refused:
        approved(here, row)
    assert (refused.value.code, state(row)) == ("budget.missing", "noticed")


def test_the_nearest_budget_bears_the_elder_and_that_of_the_city_the_rest(here: Office) -> None:
    city, street = budget(here, heads=5, div=CITY), budget(here, heads=5, div=STREET)
    with scope(here.district):
        approved(here)
    assert (used(city)[0], used(street)[0]) == (0, 1)
    Budget.objects.filter(pk=street.pk).update(is_in_force=False)
    with scope(here.district):
        approved(here)
    assert (used(city)[0], used(street)[0]) == (1, 1)


@pytest.mark.parametrize("limit", [{"heads": 0}, {"fen": HALF_YEAR - 1}])
def test_beyond_the_budget_an_application_waits(here: Office, limit: dict[str, int]) -> None:
    row = budget(here, **limit)
    waiting = approved(here)
    assert (waiting.state, waiting.queued_at, waiting.decided_by_id) == ("waiting", DECIDED_AT, here.district.user_id)
    assert used(row) == (0, 0)
    assert not Entitlement.objects.exists()


def test_exactly_the_last_fen_is_enough(here: Office) -> None:
    row = budget(here, fen=HALF_YEAR)
    assert approved(here).state == "approved"
    assert used(row) == (1, HALF_YEAR)


def test_the_database_itself_keeps_the_limit(here: Office) -> None:
    row = budget(here, heads=1, fen=100)
    for values in ({"committed_heads": 2}, {"committed_fen": 101}, {"committed_fen": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Budget.objects.filter(pk=row.pk).update(**values)


def test_a_new_years_budget_bears_what_goes_on(here: Office) -> None:
    budget(here, heads=5)
    for _ in range(2):
        approved(here)
    for heads, fen, code in [
        (1, None, "budget.below_committed"),
        (None, 2 * HALF_YEAR - 1, "budget.below_committed"),
        (2, 2 * HALF_YEAR, ""),
    ]:
        row = proposed(here, year=2027, heads=heads, amount_fen=fen)
        if code:
            with pytest.raises(Refused) as refused, transaction.atomic():
                confirm_budget(actor=actor("finance", CITY), now=NOW, budget_id=row.pk)
            assert refused.value.code == code
            assert not Commitment.objects.filter(budget=row).exists()
        else:
            confirm_budget(actor=actor("finance", CITY), now=NOW, budget_id=row.pk)
    assert used(row) == (2, 2 * HALF_YEAR)


# Giving back


OCTOBER = datetime.fromisoformat("2026-10-15T02:00:00+00:00")


def test_an_ending_gives_back_what_nobody_can_use_any_more(here: Office) -> None:
    """Used 80 of July's 150 yuan; ended on 31 October on the 15th: 80 + October's 150 stay, one place is free in November.

    Counters of visits and minutes are no money.
    """
    row = budget(here, heads=1, fen=HALF_YEAR)
    following = budget(here, heads=1, year=2027)
    given = Entitlement.objects.get(application=approved(here))
    minutes, visits = Use("minute", "month", date(2026, 7, 1), 600), Use("visit", "week", date(2026, 7, 6), 3)
    reserve_each(WIDE, NOW, [(given, use) for use in (Use("fen", "month", date(2026, 7, 1), 8000), minutes, visits)])
    end_entitlement(
        actor=here.street, now=OCTOBER, entitlement_id=given.pk, valid_to=date(2026, 10, 31), reason="入住机构"
    )
    assert used(row) == (1, 8000 + 15000)
    assert used(following) == (1, 0)
    assert free_ended(CITY, date(2026, 10, 31)) == 0
    assert free_ended(CITY, date(2026, 11, 1)) == 2
    assert used(row) == (0, 8000)
    assert used(following) == (0, 0)
    assert free_ended(CITY, date(2026, 11, 1)) == 0


def test_the_end_at_once_frees_the_place_at_once(here: Office) -> None:
    row = budget(here, heads=1, fen=HALF_YEAR)
    given = Entitlement.objects.get(application=approved(here))
    end_entitlement(actor=here.street, now=OCTOBER, entitlement_id=given.pk, valid_to=date(2026, 10, 14), reason="放弃")
    assert used(row) == (0, 0)


@pytest.mark.req("R-PEO-03")
def test_a_death_gives_back_as_well(here: Office) -> None:
    row = budget(here, heads=1)
    given = Entitlement.objects.get(application=approved(here))
    given.elder.died_on = date(2026, 8, 3)
    given.elder.save()
    system()
    assert stop_entitlements(system(), OCTOBER) == 1
    assert used(row) == (0, 0)


# The waiting list


def queue(here: Office, count: int) -> list[Application]:
    """Applications that wait, one a minute."""
    rows = [noticed(here) for _ in range(count)]
    return [approved(here, row, DECIDED_AT + timedelta(minutes=number)) for number, row in enumerate(rows)]


def test_free_places_go_to_who_waits_longest(here: Office) -> None:
    row = budget(here, heads=0)
    first, second, third = queue(here, 3)
    Budget.objects.filter(pk=row.pk).update(heads=2)
    assert call_up(system(), DECIDED_AT + DAY) == 2
    assert [state(one) for one in (first, second, third)] == ["approved", "approved", "waiting"]
    given = Entitlement.objects.get(application=first)
    assert (given.valid_from, Application.objects.get(pk=first.pk).decided_by_id) == (
        date(2026, 7, 1),
        here.district.user_id,
    )


def test_who_goes_first_by_the_scheme_is_called_before_who_came_first(wide: object) -> None:
    """The Wuxi scheme names dibao and destitute; an elder with preferential treatment comes after, however early."""
    here = office()
    veteran = make_elder()
    record(veteran, "veteran_care")
    row = budget(here, heads=0)
    early = approved(here, noticed(here, reviewed(here, applied(here, veteran))))
    later = approved(here, None, DECIDED_AT + DAY)
    assert (early.rank, later.rank) == (1, 0)
    Budget.objects.filter(pk=row.pk).update(heads=1)
    assert call_up(system(), DECIDED_AT + 2 * DAY) == 1
    assert (state(early), state(later)) == ("waiting", "approved")


def test_a_cheaper_one_does_not_overtake(here: Office) -> None:
    """Money for less than the first of the list: nobody is called until it suffices for the first."""
    row = budget(here, fen=0)
    queue(here, 2)
    Budget.objects.filter(pk=row.pk).update(amount_fen=HALF_YEAR - 1)
    assert call_up(system(), DECIDED_AT + DAY) == 0
    Budget.objects.filter(pk=row.pk).update(amount_fen=HALF_YEAR)
    assert call_up(system(), DECIDED_AT + DAY) == 1


def test_who_waits_and_no_longer_fits_stays_and_does_not_stop_the_others(here: Office) -> None:
    row = budget(here, heads=0)
    first, second = queue(here, 2)
    first.elder.circumstances.update(valid_to=date(2026, 6, 20))
    Budget.objects.filter(pk=row.pk).update(heads=2)
    assert call_up(system(), DECIDED_AT + DAY) == 1
    assert (state(first), state(second)) == ("waiting", "approved")
    with pytest.raises(Refused) as refused:
        call_up_application(actor=system(), now=DECIDED_AT + DAY, application_id=first.pk)
    assert refused.value.code == "application.circumstance"
    assert (
        refuse_application(
            actor=here.district, now=DECIDED_AT + DAY, application_id=first.pk, reason="已停发低保"
        ).state
        == "refused"
    )


def test_an_ending_calls_up_the_next_by_the_job(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    budget(here, heads=1)
    given = Entitlement.objects.get(application=approved(here))
    (waiting,) = queue(here, 1)
    end_entitlement(
        actor=here.street, now=OCTOBER, entitlement_id=given.pk, valid_to=date(2026, 10, 31), reason="入住机构"
    )
    system()
    for moment, expected in [("2026-10-31T02:00:00+00:00", "waiting"), ("2026-11-01T02:00:00+00:00", "approved")]:
        monkeypatch.setattr(
            "yinling.entitlements.jobs.business_now", lambda moment=moment: datetime.fromisoformat(moment)
        )
        go_on(0)
        assert state(waiting) == expected
    assert Entitlement.objects.get(application=waiting).valid_from == date(2026, 12, 1)


def test_who_waits_may_withdraw_and_a_person_cannot_pass_the_line(here: Office) -> None:
    budget(here, heads=0)
    (row,) = queue(here, 1)
    with pytest.raises(NotAllowed):
        approve_application(actor=actor("district", DISTRICT), now=DECIDED_AT + DAY, application_id=row.pk)
    with pytest.raises(Denied):
        call_up_application(actor=here.district, now=DECIDED_AT + DAY, application_id=row.pk)
    assert (
        withdraw_application(actor=here.desk, now=DECIDED_AT + DAY, application_id=row.pk, reason="已有子女照顾").state
        == "withdrawn"
    )


# Races


@pytest.mark.django_db(transaction=True)
def test_eight_approvals_at_once_get_the_one_last_place() -> None:
    """Eight officials press 批准 at the same moment; one application is approved, seven wait, and the counter stands at the limit."""
    with scope(WIDE):
        here = office()
        row = budget(here, heads=3, fen=3 * HALF_YEAR)
        Budget.objects.filter(pk=row.pk).update(committed_heads=F("heads") - 1, committed_fen=2 * HALF_YEAR)
        ids = [noticed(here).pk for _ in range(8)]
        deciders = [actor("district", DISTRICT) for _ in range(8)]

    def press(pair: tuple[int, Actor]) -> str:
        pk, one = pair
        try:
            with scope(one):
                return str(approve_application(actor=one, now=DECIDED_AT, application_id=pk).state)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        states = sorted(pool.map(press, zip(ids, deciders, strict=True)))
    assert states == ["approved", *["waiting"] * 7]
    with scope(WIDE):
        assert used(row) == (3, 3 * HALF_YEAR)
        assert Entitlement.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-MOD-04")
def test_two_of_one_home_who_apply_at_once_make_one_application() -> None:
    with scope(WIDE):
        here = office(code="home_modification", name="适老化改造")
        home = make_household()
        people = [make_elder(household=home) for _ in range(4)]
        for one in people:
            record(one, "dibao")

    def press(elder: Elder) -> bool:
        try:
            with scope(here.desk):
                applied(here, elder, declared="另有证明")
        except Refused as refusal:
            return refusal.code != "application.household"
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(press, people))
    with scope(WIDE):
        assert (sum(found), Application.objects.count()) == (1, 1)


def test_the_budget_equals_the_sum_of_its_commitments(here: Office) -> None:
    row = budget(here, heads=5)
    given = [Entitlement.objects.get(application=approved(here)) for _ in range(3)]
    end_entitlement(
        actor=here.street, now=OCTOBER, entitlement_id=given[0].pk, valid_to=date(2026, 10, 14), reason="放弃"
    )
    kept = Commitment.objects.filter(budget=row)
    assert used(row) == (sum(one.heads for one in kept), sum(one.amount_fen for one in kept)) == (2, 2 * HALF_YEAR)
