"""The scan of all days against the rules asked second by second: the same carers, the same starts, the same costs."""

import itertools
import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from math import ceil, inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinling.dispatch.planner.distance import metres
from yinling.dispatch.planner.enquiry import Enquiry, Fit, Found, Prices
from yinling.dispatch.planner.insertion import best_insertions
from yinling.dispatch.planner.ranking import Weights, cost_parts, total
from yinling.dispatch.planner.roster import Roster, place_of
from yinling.dispatch.planner.scan import roughly, surely
from yinling.dispatch.rules import Away, Booked, Carer, Job, Licence, Trip, compatibility, neighbours
from yinling.kernel.geo import Datum, Position, distance_m
from yinling.kernel.period import SHANGHAI

DAY = date(2026, 6, 16)
MIDNIGHT = datetime.combine(DAY, time(), SHANGHAI)
LONG_AGO = date(2020, 1, 1)
SPEED = {"walk": 4.5, "ebike": 15, "car": 22}
PACES = tuple(1.35 / (kmh * 1000 / 3600) for kmh in SPEED.values())
FACTORS = (1.0, 1.25, 0.9)
WEIGHTS = Weights(1, 15, 10, 4)
BODY, ELDER, ORDER = 7, 3, 999
STREET = "320213021"


def at(seconds: float) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


def way(a: Booked | Carer | Job | None, b: Booked | Carer | Job | None, mode: str) -> int:
    if a is None or b is None or None in (a.lon, b.lon):
        return 0
    straight = distance_m(Position(a.lon, a.lat, Datum.WGS84), Position(b.lon, b.lat, Datum.WGS84))
    number = list(SPEED).index(mode or "ebike")
    return ceil(ceil(straight * PACES[number]) * FACTORS[number])


def trip_of(job: Job, carer: Carer) -> Trip:
    before, after = neighbours(job, carer)
    start = before or carer
    is_known = None not in (job.lon, start.lon, after.lon if after else None)
    saved = way(start, after, carer.mode) if is_known else 0
    return Trip(way(start, job, carer.mode), way(job, after, carer.mode), saved)


def slowly(job: Job, carer: Carer, first: int, last: int, *, wish: int) -> tuple[float, int] | None:
    """The cheapest start of a carer, asking the rules for every second of the window."""
    length, best = job.ends_at - job.starts_at, None
    for second in range(first, last + 1):
        moved = replace(job, starts_at=at(second), ends_at=at(second) + length)
        trip = trip_of(moved, carer)
        if compatibility(moved, carer, trip):
            continue
        cost = total(cost_parts(moved, carer, trip, WEIGHTS))
        key = (cost, abs(second - wish))
        if best is None or key < best[0]:
            best = (key, second)
    return (best[0][0], best[1]) if best else None


def enquiry(job: Job, carers: list[Carer], first: int, last: int, *, wish: int, **values: object) -> Enquiry:
    return Enquiry(
        provider_id=BODY, day=DAY.isoformat(), div=job.div, lon=job.lon, lat=job.lat, earliest=at(first).isoformat(),
        latest=at(last).isoformat(), wish=at(wish).isoformat(), seconds=(job.ends_at - job.starts_at).total_seconds(),
        needs=tuple(kind for kind, _name in job.needs), wants_sex=job.wants_sex, dialect=job.dialect,
        prices=Prices(WEIGHTS.travel_minute, WEIGHTS.new_face, WEIGHTS.other_dialect, WEIGHTS.workload_hour, PACES, FACTORS, "ebike"),
        known=tuple(one.staff_id for one in carers if one.served_count), declined=tuple(one.staff_id for one in carers if one.declined),
        avoided=tuple(one.staff_id for one in carers if one.avoided), **values,
    )  # fmt: skip


def roster(carers: list[Carer]) -> Roster:
    made = Roster(DAY)
    made.put(carers)
    return made


def some_place(dice: random.Random) -> tuple[float | None, float | None]:
    if dice.random() < 0.1:
        return None, None
    return 120.30 + dice.uniform(-0.04, 0.04), 31.57 + dice.uniform(-0.03, 0.03)


def some_carer(dice: random.Random, staff_id: int) -> Carer:
    lon, lat = some_place(dice)
    booked, moment = [], 7 * 3600
    for number in range(dice.randint(0, 5)):
        moment += dice.choice([0, 300, 1200, 3600, 7000]) + dice.randint(0, 59)
        length = dice.choice([1200, 1800, 3600])
        where = some_place(dice)
        booked.append(Booked(staff_id * 10 + number, at(moment), at(moment + length), *where))
        moment += length
    dice.shuffle(booked)
    rest = dice.choice([0, 0, 20, 45])
    begin = dice.randint(8 * 3600, 12 * 3600)
    away = [Away(at(begin), at(begin + 1800) if dice.random() < 0.7 else None, "病假")] if dice.random() < 0.2 else []
    kinds = [kind for kind in ("induction", "nurse", "doctor", "filing") if dice.random() < 0.85]
    return Carer(
        staff_id=staff_id, name=f"护{staff_id}", provider_id=BODY if dice.random() < 0.95 else 8, sex=dice.choice("12"),
        day_from=dice.choice([time(7), time(8), time(9, 30)]), day_to=dice.choice([time(11), time(17), time(18, 30)]),
        most_minutes=dice.choice([120, 300, 480]), employed_from=LONG_AGO if dice.random() < 0.97 else date(2027, 1, 1), lon=lon, lat=lat,
        dialects=frozenset(dice.sample(["无锡话", "普通话"], dice.randint(0, 2))),
        licences=tuple(
            Licence(kind, LONG_AGO, None, dice.choice(["", "3202", "320281"]), dice.choice([None, None, DAY]), dice.random() < 0.2)
            for kind in kinds
        ),
        suspension="核查" if dice.random() < 0.03 else "", booked=tuple(booked), served_count=dice.choice([0, 0, 2]),
        declined="已谢绝" if dice.random() < 0.05 else "", kind="doctor" if dice.random() < 0.1 else "nurse",
        mode=dice.choice(["", "walk", "ebike", "car"]), break_from=time(11) if rest else None, break_to=time(13) if rest else None,
        break_minutes=rest, duty_div=dice.choice(["", "", STREET, "320281100"]), away=tuple(away),
        avoided="家属要求" if dice.random() < 0.05 else "",
    )  # fmt: skip


def some_job(dice: random.Random, start: int) -> Job:
    lon, lat = some_place(dice)
    needs = (("induction", "岗前培训"), *([("nurse", "护士执业证")] if dice.random() < 0.5 else []))
    return Job(
        ORDER, ELDER, BODY, at(start), at(start + dice.choice([900, 1800, 3600])), lon, lat, needs,
        dice.choice(["", "", "2"]), dice.choice(["", "无锡话"]), STREET + "001",
    )  # fmt: skip


@pytest.mark.parametrize("width", [0, 240])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_scan_finds_what_asking_every_second_finds(width: int, seed: int) -> None:
    dice = random.Random(seed)
    start = dice.randint(8 * 3600, 15 * 3600)
    job, wish = some_job(dice, start), start + dice.randint(0, width)
    carers = [some_carer(dice, number) for number in range(1, 7)]
    limit = dice.choice([2, 20])
    asked = enquiry(job, carers, start, start + width, wish=wish, limit=limit, named=tuple(range(1, 7)))
    found = best_insertions(roster(carers), asked)
    expected = {one.staff_id: slowly(job, one, start, start + width, wish=wish) for one in carers}
    possible = sorted((cost, pk, second) for pk, best in expected.items() if best for cost, second in [best])
    assert [(one.cost, one.staff_ids[0], one.starts_at) for one in found.best] == [
        (cost, pk, at(second)) for cost, pk, second in possible[:limit]
    ]
    assert {pk: place for pk, (place, _fit) in found.named.items()} == {
        pk: place for place, (_cost, pk, _second) in enumerate(possible, 1)
    }
    assert found.counts["free"] == len(possible)
    assert sum(found.counts.values()) == sum(one.provider_id == BODY for one in carers)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_who_is_kept_away_is_kept_away_by_a_rule_that_says_so(seed: int) -> None:
    dice = random.Random(seed)
    start = dice.randint(8 * 3600, 15 * 3600)
    job, carer = some_job(dice, start), replace(some_carer(dice, 1), provider_id=BODY)
    counts = best_insertions(roster([carer]), enquiry(job, [carer], start, start, wish=start)).counts
    codes = {one.code for one in compatibility(job, carer, trip_of(job, carer))}
    if codes & {"induction", "qualification", "filing", "place", "credits"}:
        codes.add("qualification")
    assert counts["free"] == (not codes)
    assert {code for code in counts if code != "free"} <= codes


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_pairs_are_the_cheapest_two_who_can_start_together(seed: int) -> None:
    dice = random.Random(seed)
    start, width = dice.randint(8 * 3600, 15 * 3600), 180
    job, carers = some_job(dice, start), [some_carer(dice, number) for number in range(1, 6)]
    best: dict[tuple[int, int], float] = {}
    for second in range(start, start + width + 1):
        each = {one.staff_id: found[0] for one in carers if (found := slowly(job, one, second, second, wish=second))}
        for pair in itertools.combinations(sorted(each), 2):
            best[pair] = min(best.get(pair, inf), each[pair[0]] + each[pair[1]])
    asked = enquiry(job, carers, start, start + width, wish=start, limit=4, carers_needed=2)
    found = best_insertions(roster(carers), asked)
    assert [one.cost for one in found.best] == pytest.approx(sorted(best.values())[:4])
    for one in found.best:
        assert best[tuple(sorted(one.staff_ids))] == pytest.approx(one.cost)


def test_starts_other_than_the_wish_lie_on_the_step_where_there_is_room() -> None:
    carer = Carer(
        1, "护", BODY, "2", time(8), time(18), 480, LONG_AGO, lon=120.3, lat=31.57, licences=(Licence("induction", LONG_AGO),),
        booked=(Booked(1, at(9 * 3600), at(10 * 3600 + 7), 120.30, 31.57), Booked(2, at(13 * 3600), at(14 * 3600), 120.30, 31.57)),
    )  # fmt: skip
    job = Job(ORDER, ELDER, BODY, at(9 * 3600), at(10 * 3600), 120.30, 31.57, (("induction", "岗前培训"),), div=STREET)
    for wish, last, expected in (
        (9.5, 12, 10 + 5 / 60),
        (11.123, 12, 11.123),
        (9.5, 10 + 8 / 3600, 10 + 7 / 3600),
        (12.1, 12.5, 12),
    ):
        asked = enquiry(job, [carer], 9 * 3600, round(last * 3600), wish=round(wish * 3600), step_seconds=300)
        assert best_insertions(roster([carer]), asked).best[0].starts_at == at(round(expected * 3600))


def test_a_roster_follows_carers_who_come_change_and_go() -> None:
    dice = random.Random(4)
    carers = [replace(some_carer(dice, number), provider_id=BODY + number % 2) for number in range(1, 30)]
    changed = [replace(one, booked=(), provider_id=BODY) for one in carers[:10]] + [
        replace(carers[11], booked=tuple(Booked(500 + n, at(n * 3600), at(n * 3600 + 60)) for n in range(20)))
    ]
    grown = roster(carers)
    grown.put(changed)
    grown.drop([carers[15].staff_id])
    now = {one.staff_id: one for one in [*carers, *changed]}
    del now[carers[15].staff_id]
    fresh, job = roster(list(now.values())), some_job(dice, 9 * 3600)
    asked = enquiry(job, list(now.values()), 9 * 3600, 12 * 3600, wish=9 * 3600, limit=50)
    assert best_insertions(grown, asked) == best_insertions(fresh, asked)
    assert grown.stop_count >= fresh.stop_count > 0 < grown.byte_count


def test_enquiry_and_answer_survive_being_sent() -> None:
    asked = enquiry(some_job(random.Random(1), 36000), [], 36000, 36000, wish=36000, named=(3,))
    assert Enquiry.of(asked.as_dict()) == asked
    found = Found((Fit((1, 2), at(36000), 1.5),), {3: (4, Fit((3,), at(36001), 2.5))}, {"free": 2})
    assert Found.of(found.as_dict()) == found


@pytest.mark.parametrize("apart", [0.0, 1e-6, 0.01, 0.5, 20.0])
def test_distances_are_those_of_the_kernel(apart: float) -> None:
    here, there = (120.3, 31.57), (120.3 + apart, 31.57 - apart / 3)
    straight = distance_m(Position(*here, Datum.WGS84), Position(*there, Datum.WGS84))
    assert metres(*place_of(*here).values(), *place_of(*there).values()) == pytest.approx(straight, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("apart", [1e-5, 0.01, 5.0])
def test_a_rounded_place_is_never_said_to_be_nearer_or_farther_than_it_can_be(apart: float) -> None:
    dice = random.Random(332)
    for _ in range(500):
        here = dice.uniform(73, 135), dice.uniform(18, 54)
        there = here[0] + dice.uniform(-apart, apart), here[1] + dice.uniform(-apart, apart)
        people = [
            replace(some_carer(dice, number), lon=lon, lat=lat) for number, (lon, lat) in enumerate((here, there))
        ]
        columns = roster(people).columns
        rough = roughly(columns.gates[0], columns.carers[1])
        truth = metres(*place_of(*here).values(), *place_of(*there).values())
        assert surely(rough) <= truth <= rough
