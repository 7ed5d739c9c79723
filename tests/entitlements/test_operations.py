"""Giving and ending entitlements, what may fund a service, and counters that hold under races."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories import (
    CITY,
    COMMUNITY,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    TODAY,
    WIDE,
    actor,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_organisation,
    make_scheme,
    make_staff,
    system,
)

from yinling.accounts.models import Journal
from yinling.assessment.models import Assessment
from yinling.directory.roles import ROLES
from yinling.entitlements.jobs import follow
from yinling.entitlements.models import Entitlement, Quota, Scheme
from yinling.entitlements.operations import (
    confirm_use_each,
    end_entitlement,
    follow_elders,
    give_back_each,
    grant_entitlement,
    reserve_each,
    stop_after_leaving,
    undo_use_each,
)
from yinling.entitlements.queries import entitlements_of, funding_for, schemes, to_be_stopped
from yinling.entitlements.rules import Use
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refusal, Refused
from yinling.people.models import Circumstance, Elder

JUNE = date(2026, 6, 1)


@pytest.fixture
def street(wide: object) -> Iterator[Actor]:
    make_area_tree()
    one = actor("street", "320213021")
    with scope(one):
        yield one


def voucher() -> Scheme:
    return make_scheme(code="national_voucher", families=["daily_care", "bathing"])


def assessed(elder: Elder, level: str = "severe") -> Elder:
    Assessment.objects.create(
        div=elder.div, elder=elder, provider=make_organisation(), scale="gbt42195_2022", level=level, points=40,
        assessed_on=date(2026, 1, 5), valid_from=date(2026, 1, 5), valid_to=date(2027, 1, 6), recorded_from=NOW,
    )  # fmt: skip
    return elder


def request(elder: Elder, **values: Any) -> dict[str, Any]:
    return {
        "now": NOW, "elder_id": elder.pk, "scheme_code": "national_voucher", "valid_from": TODAY, "basis": "街道审批 12 号", **values
    }  # fmt: skip


@pytest.mark.req("X-PAY-04")
def test_the_voucher_is_half_the_price_up_to_800_yuan_a_month(street: Actor) -> None:
    elder = assessed(make_elder())
    voucher()
    row = grant_entitlement(actor=street, **request(elder, valid_to=date(2026, 12, 31)))
    assert (row.share_bp, row.monthly_cap_fen, row.valid_to) == (5000, 80000, date(2027, 1, 1))
    found = funding_for(elder.pk, "bathing", TODAY)
    assert [(one.payer, one.share_bp, one.limits[0].left, one.entitlement_id) for one in found] == [
        ("voucher", 5000, 80000, row.pk)
    ]
    assert funding_for(elder.pk, "medical", TODAY) == []
    assert funding_for(elder.pk, "bathing", TODAY - timedelta(days=1)) == []
    assert funding_for(elder.pk, "bathing", date(2027, 1, 1)) == []
    journal = Journal.objects.get(event="entitlements.entitlement.grant")
    assert (journal.elder_id, journal.changes["scheme"]) == (elder.pk, [None, "national_voucher"])


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"scheme_code": "none"}, "scheme.unknown", "scheme_code"),
        ({"scheme_code": "elsewhere"}, "scheme.unknown", "scheme_code"),
        ({"scheme_code": "nameless"}, "entitlement.no_conditions", "scheme_code"),
        ({"scheme_code": "state_care"}, "entitlement.circumstance", "scheme_code"),
        ({"valid_to": date(2026, 6, 14)}, "period.empty", "valid_to"),
        ({"basis": " "}, "text.missing", "basis"),
        ({"valid_from": date(2010, 1, 1)}, "entitlement.no_conditions", "scheme_code"),
    ],
)
def test_wrong_requests_change_nothing(street: Actor, values: dict[str, Any], code: str, field: str) -> None:
    elder = assessed(make_elder())
    voucher()
    make_scheme(code="elsewhere", div="3211")
    make_scheme(code="nameless")
    make_scheme(code="state_care", payer="state_care")
    with pytest.raises(Refused) as refused:
        grant_entitlement(actor=street, **request(elder, **values))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Entitlement.objects.exists()


def test_who_does_not_meet_the_conditions_is_told_why(street: Actor) -> None:
    voucher()
    for elder, code in [(make_elder(), "not_assessed"), (assessed(make_elder(), "mild"), "level")]:
        with pytest.raises(Refused) as refused:
            grant_entitlement(actor=street, **request(elder))
        assert refused.value.code == f"entitlement.{code}"
    assert not Entitlement.objects.exists()


def test_the_same_scheme_twice_is_refused(street: Actor) -> None:
    elder = assessed(make_elder())
    voucher()
    grant_entitlement(actor=street, **request(elder))
    with pytest.raises(Refused) as refused:
        grant_entitlement(actor=street, **request(elder, valid_from=date(2026, 8, 1)))
    assert refused.value.code == "entitlement.overlap"
    assert Entitlement.objects.count() == 1


@pytest.mark.req("R-ROL-07")
@pytest.mark.parametrize("role", [code for code in ROLES if code != "system"])
def test_who_may_grant(wide: object, role: str) -> None:
    make_area_tree()
    elder = assessed(make_elder())
    voucher()
    one = actor(role, elders=(elder,) if ROLES[role].anchor == "self" else ())
    done = False
    with scope(one):
        try:
            grant_entitlement(actor=one, **request(elder))
            done = True
        except Refusal as refusal:
            assert isinstance(refusal, Denied) or refusal.status == 404  # noqa: PT017 - both ways of saying no
    assert done == (role in {"street", "district"})


def test_the_end_keeps_the_key_and_what_was_on_record(street: Actor) -> None:
    elder = make_elder()
    row = make_entitlement(elder)
    end_entitlement(actor=street, now=NOW, entitlement_id=row.pk, valid_to=TODAY, reason="不再符合条件")
    kept = Entitlement.objects.get(pk=row.pk)
    assert (kept.valid_to, kept.version) == (TODAY + timedelta(days=1), 1)
    assert len(funding_for(elder.pk, "daily_care", TODAY)) == 1
    assert funding_for(elder.pk, "daily_care", TODAY + timedelta(days=1)) == []
    assert [one.pk for one in entitlements_of(street, elder.pk)] == [row.pk]
    former = Entitlement.objects.get(recorded_to__isnull=False)
    assert former.valid_to is None
    with pytest.raises(Refused) as refused:
        end_entitlement(actor=street, now=NOW, entitlement_id=row.pk, valid_to=TODAY + timedelta(days=9), reason="改迟")
    assert (refused.value.code, refused.value.field) == ("entitlement.already_ends", "valid_to")


@pytest.mark.req("R-PEO-03")
def test_death_and_moving_away_stop_funding_the_same_day(street: Actor) -> None:
    dead, away, here = make_elder(died_on=TODAY), make_elder(), make_elder()
    scheme = make_scheme()
    rows = {elder.pk: make_entitlement(elder, scheme) for elder in (dead, away, here)}
    Circumstance.objects.create(
        div=away.div, elder=away, kind="moved_away", body="派出所", valid_from=TODAY, recorded_from=NOW
    )
    tomorrow = TODAY + timedelta(days=1)
    assert len(funding_for(dead.pk, "daily_care", TODAY)) == 1
    assert funding_for(dead.pk, "daily_care", tomorrow) == []
    assert funding_for(away.pk, "daily_care", TODAY) == []
    assert len(funding_for(here.pk, "daily_care", tomorrow)) == 1
    job = system(CITY)
    later = NOW + timedelta(days=1)
    with scope(job):
        waiting = list(to_be_stopped(CITY, tomorrow))
        assert {row.elder_id for row in waiting} == {dead.pk, away.pk}
        for row in waiting:
            stop_after_leaving(job, later, row)
        assert not list(to_be_stopped(CITY, tomorrow))
        assert stop_after_leaving(job, later, rows[here.pk]) is None
    ends = dict(Entitlement.objects.filter(recorded_to=None).values_list("elder_id", "valid_to"))
    assert ends == {dead.pk: tomorrow, away.pk: TODAY, here.pk: None}


@pytest.mark.req("R-PEO-04")
def test_entitlements_follow_the_elder_and_are_seen_at_each_level(street: Actor) -> None:
    elder = make_elder()
    row = make_entitlement(elder)
    reserve(street, NOW, row, fen(100))
    Elder.objects.filter(pk=elder.pk).update(div=NEIGHBOUR)
    assert follow_elders(CITY) == 1
    assert follow_elders(CITY) == 0
    for role, div, sees in [
        ("community", NEIGHBOUR, 1), ("community", COMMUNITY, 0), ("street", "320213021", 1), ("district", "320213", 1),
        ("district", "320281", 0), ("finance", CITY, 1), ("community", OTHER_COMMUNITY, 0),
    ]:  # fmt: skip
        with scope(actor(role, div)):
            assert (Entitlement.objects.count(), Quota.objects.count()) == (sees, sees)
    with scope(actor("elder", elders=(elder,))):
        assert Entitlement.objects.count() == 1
    with scope(WIDE):
        carer = actor("carer", staff=make_staff())
    with scope(carer):
        assert not Entitlement.objects.exists()


def test_the_job_ends_and_moves_what_it_finds(wide: object) -> None:
    make_area_tree()
    system()
    dead, moved = make_elder(died_on=date(2026, 6, 1)), make_elder()
    ended, followed = make_entitlement(dead), make_entitlement(moved)
    Elder.objects.filter(pk=moved.pk).update(div=NEIGHBOUR)
    follow(0)
    ended.refresh_from_db()
    followed.refresh_from_db()
    assert (ended.valid_to, followed.valid_to, followed.div) == (date(2026, 6, 2), None, NEIGHBOUR)
    follow(0)
    assert Journal.objects.filter(event="entitlements.entitlement.end", is_refused=False).count() == 1


def test_schemes_of_an_area_and_those_above_it(street: Actor) -> None:
    own, above = make_scheme(code="a", div="320213"), make_scheme(code="b", div=CITY)
    make_scheme(code="c", div="3211")
    make_scheme(code="d", is_active=False)
    assert list(schemes(COMMUNITY)) == [own, above]


# Counters


def counter(row: Entitlement) -> tuple[int, int]:
    quota = Quota.objects.get(entitlement=row, from_on=JUNE)
    return quota.reserved, quota.used


def reserve(who: Actor, now: datetime, row: Entitlement, uses: list[Use]) -> bool:
    return not reserve_each(who, now, [(row, use) for use in uses])


def confirm_use(who: Actor, now: datetime, row: Entitlement, uses: list[Use]) -> None:
    confirm_use_each(who, now, [(row.pk, use) for use in uses])


def give_back(who: Actor, now: datetime, row: Entitlement, uses: list[Use]) -> None:
    give_back_each(who, now, [(row.pk, use) for use in uses])


def undo_use(who: Actor, now: datetime, row: Entitlement, uses: list[Use]) -> None:
    undo_use_each(who, now, [(row.pk, use) for use in uses])


def fen(amount: int, month: date = JUNE) -> list[Use]:
    return [Use("fen", "month", month, amount)]


def left(row: Entitlement, on: date = TODAY) -> dict[tuple[str, str], int]:
    (found,) = funding_for(row.elder_id, "daily_care", on)
    return {(one.unit, one.per): one.left for one in found.limits}


@pytest.mark.req("D-19")
def test_a_month_gives_what_is_left_and_no_more(street: Actor) -> None:
    row = make_entitlement(make_elder())
    assert reserve(street, NOW, row, fen(50000))
    assert not reserve(street, NOW, row, fen(50000)), "all or nothing"
    assert reserve(street, NOW, row, fen(30000))
    assert not reserve(street, NOW, row, fen(1))
    assert reserve(street, NOW, row, fen(1, date(2026, 7, 1))), "another month has its own counter"
    assert left(row) == {("fen", "month"): 0}
    confirm_use(street, NOW, row, fen(50000))
    assert counter(row) == (30000, 50000)
    give_back(street, NOW, row, fen(30000))
    assert counter(row) == (0, 50000)
    undo_use(street, NOW, row, fen(50000))
    assert counter(row) == (0, 0)
    assert left(row) == {("fen", "month"): 80000}


@pytest.mark.req("X-LTC-04")
def test_every_limit_has_its_own_counter_and_one_that_is_short_moves_none(street: Actor) -> None:
    limits = [{"unit": "visit", "per": "week", "most": 2}, {"unit": "minute", "per": "week", "most": 180}]
    row = make_entitlement(make_elder(), limits=limits)
    visit = [Use("visit", "week", TODAY, 1), Use("minute", "week", TODAY, 60), *fen(7500)]
    assert reserve(street, NOW, row, visit)
    assert reserve(street, NOW, row, visit)
    assert not reserve(street, NOW, row, visit), "two visits a week"
    assert left(row) == {("fen", "month"): 65000, ("visit", "week"): 0, ("minute", "week"): 60}
    assert left(row, date(2026, 6, 21)) == left(row), "Sunday is of the same week"
    assert left(row, date(2026, 6, 22)) == {("fen", "month"): 65000, ("visit", "week"): 2, ("minute", "week"): 180}, (
        "no carry-over"
    )
    give_back(street, NOW, row, visit)
    assert left(row) == {("fen", "month"): 72500, ("visit", "week"): 1, ("minute", "week"): 120}


@pytest.mark.req("X-LTC-02")
def test_a_pool_opens_with_the_months_held_over_a_renewal(street: Actor) -> None:
    elder, scheme = make_elder(), make_scheme()
    limits = [{"unit": "minute+", "per": "month", "most": 0, "held": [[1, 60], [6, 120]]}]
    first = {"limits": limits, "monthly_cap_fen": None, "valid_from": date(2026, 1, 1), "valid_to": date(2026, 3, 1)}
    make_entitlement(elder, scheme, **first)
    row = make_entitlement(elder, scheme, limits=limits, monthly_cap_fen=None, valid_from=date(2026, 3, 1))
    assert left(row, date(2026, 6, 30)) == {("minute+", "month"): 60}
    assert left(row, date(2026, 7, 1)) == {("minute+", "month"): 120}, "held since January"
    july = date(2026, 7, 1)
    assert reserve(street, NOW, row, [Use("minute+", "month", july, 60, 60)])
    assert reserve(street, NOW, row, [Use("minute+", "month", july, 60, 120)]), "the most rises within the month"
    assert not reserve(street, NOW, row, [Use("minute+", "month", july, 1, 120)])


def test_without_a_cap_nothing_is_counted(street: Actor) -> None:
    row = make_entitlement(make_elder(), monthly_cap_fen=None)
    assert reserve(street, NOW, row, [])
    for move in (confirm_use, give_back, undo_use):
        move(street, NOW, row, [])
    assert not Quota.objects.exists()
    assert left(row) == {}


def test_an_elder_reserves_from_the_own_entitlement(street: Actor) -> None:
    elder = make_elder()
    row = make_entitlement(elder)
    own = actor("elder", elders=(elder,))
    with scope(own):
        assert reserve(own, NOW, row, fen(700))


steps = st.lists(
    st.tuples(st.sampled_from(["reserve", "confirm", "back", "undo"]), st.integers(1, 50000)), min_size=1, max_size=12
)


@given(steps)
@settings(max_examples=25)
def test_the_counter_never_leaves_its_bounds(street: Actor, moves: list[tuple[str, int]]) -> None:
    """Any order of reserving, confirming, giving back and undoing keeps 0 <= reserved + used <= cap and equals a plain sum."""
    row = make_entitlement(make_elder())
    reserved = used = 0
    for step, amount in moves:
        if step == "reserve":
            is_left = reserve(street, NOW, row, fen(amount))
            assert is_left == (reserved + used + amount <= 80000)
            reserved += amount if is_left else 0
        elif step == "confirm" and reserved:
            part = min(amount, reserved)
            confirm_use(street, NOW, row, fen(part))
            reserved, used = reserved - part, used + part
        elif step == "back" and reserved:
            part = min(amount, reserved)
            give_back(street, NOW, row, fen(part))
            reserved -= part
        elif step == "undo" and used:
            part = min(amount, used)
            undo_use(street, NOW, row, fen(part))
            used -= part
    if Quota.objects.filter(entitlement=row).exists():
        assert counter(row) == (reserved, used)


def test_many_entitlements_move_in_few_statements(street: Actor, django_assert_max_num_queries: Any) -> None:
    rows = [make_entitlement(make_elder()) for _ in range(6)]
    wanted = [(row, use) for row in rows for use in (*fen(300), *fen(200))]
    with django_assert_max_num_queries(2):
        assert reserve_each(street, NOW, wanted) == []
    with django_assert_max_num_queries(1):
        confirm_use_each(street, NOW, [(row.pk, use) for row, use in wanted])
    assert [counter(row) for row in rows] == [(0, 500)] * 6
    short = reserve_each(street, NOW, [(rows[0], fen(80000)[0]), (rows[1], fen(10)[0])])
    assert short == [(rows[0].pk, "fen", "month", JUNE)]
    assert counter(rows[1]) == (0, 500), "nothing was set aside"


@pytest.mark.req("D-19", "X-PAY-04")
@pytest.mark.django_db(transaction=True)
def test_twenty_orders_at_once_never_take_more_than_the_cap() -> None:
    """Twenty clients want 150 yuan and one of ten visits each of 800 yuan: five get it, and the counters hold what they took."""
    with scope(WIDE):
        row = make_entitlement(make_elder(), limits=[{"unit": "visit", "per": "week", "most": 10}])

    def place(_: int) -> bool:
        try:
            with scope(WIDE):
                return reserve(WIDE, NOW, row, [Use("visit", "week", TODAY, 1), *fen(15000)])
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        granted = list(pool.map(place, range(20)))
    assert sum(granted) == 5
    with scope(WIDE):
        assert sorted(Quota.objects.values_list("unit", "cap", "reserved")) == [("fen", 80000, 75000), ("visit", 10, 5)]
