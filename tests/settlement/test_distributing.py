"""The staff's share, reckoned without a database: legal minimum, parts, points."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.refusals import Refused
from yinling.settlement.distributing import (
    Grading,
    Points,
    Score,
    Weights,
    parts_of,
    points_of,
    pool_of,
    ratio_of,
)

FILE = yaml.safe_load((Path(__file__).parents[1] / "cases" / "distribution.yaml").read_text("utf-8"))
WEIGHTS = Weights(visit=100, minute=1, satisfaction_bp=2000, completeness_bp=1000, excellent_bp=1000)
GRADING = Grading(9000, 9500, 8000, 8000)


def points(of: dict[int, int]) -> list[Points]:
    return [Points(number, value, value, 0, 0, 0, False, "plain") for number, value in of.items()]  # noqa: FBT003


@pytest.mark.req("R-PAY-06", "R-STF-19", "D-07", "D-12")
@pytest.mark.parametrize("case", FILE["pools"], ids=[one["situation"][:40] for one in FILE["pools"]])
def test_pool_and_share(case: dict[str, Any]) -> None:
    found = pool_of(
        income_fen=case["income"],
        cost_fen=case.get("cost", 0),
        drawn_fen=case.get("drawn", 0),
        ratio_bp=ratio_of(case["ratio"]),
    )
    assert (found.pool_fen, found.share_fen) == (case["pool"], case["share"])


@pytest.mark.req("R-PAY-06")
@pytest.mark.parametrize("case", FILE["refused"], ids=[one["ratio"] for one in FILE["refused"]])
def test_a_ratio_outside_the_law_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refusal:
        ratio_of(case["ratio"])
    assert (refusal.value.code, refusal.value.field) == (case["code"], "ratio")


@pytest.mark.req("R-PAY-06")
@pytest.mark.parametrize("ratio_bp", [6999, 0, -1, 10001])
def test_a_parameter_below_the_law_is_refused_too(ratio_bp: int) -> None:
    with pytest.raises(Refused, match=r"distribution\.ratio"):
        pool_of(income_fen=1, cost_fen=0, drawn_fen=0, ratio_bp=ratio_bp)


@pytest.mark.parametrize(("cost", "drawn", "field"), [(-1, 0, "cost_fen"), (0, -1, "drawn_fen")])
def test_negative_cost_and_funds_are_refused(cost: int, drawn: int, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        pool_of(income_fen=1, cost_fen=cost, drawn_fen=drawn, ratio_bp=7000)
    assert (refusal.value.code, refusal.value.field) == ("distribution.negative", field)


@pytest.mark.req("R-PAY-06", "D-12")
@pytest.mark.parametrize("case", FILE["parts"], ids=[one["situation"][:40] for one in FILE["parts"]])
def test_parts_of_the_share(case: dict[str, Any]) -> None:
    numbers = list(case["points"])
    assert dict(zip(numbers, parts_of(case["share"], points(case["points"]), numbers), strict=True)) == case["parts"]


@pytest.mark.req("R-STF-22")
@pytest.mark.parametrize("case", FILE["points"], ids=[one["situation"][:40] for one in FILE["points"]])
def test_points_and_grades(case: dict[str, Any]) -> None:
    scores = [Score(staff_id=one["staff"], **{k: v for k, v in one.items() if k != "staff"}) for one in case["scores"]]
    found = points_of(scores, WEIGHTS, GRADING)
    assert {one.staff_id: one.points for one in found} == case["points"]
    assert {one.staff_id: one.grade for one in found} == case["grades"]


def test_a_share_for_nobody_is_refused_and_nothing_for_nobody_is_nothing() -> None:
    with pytest.raises(Refused, match=r"distribution\.nobody"):
        parts_of(1, [], [])
    with pytest.raises(Refused, match=r"distribution\.nobody"):
        parts_of(1, points({1: 0}), [1])
    assert parts_of(0, points({1: 0}), [1]) == [0]


def test_half_points_go_up() -> None:
    (found,) = points_of([Score(1, visits=1, minutes=45, complete=1)], WEIGHTS, GRADING)
    assert found.points == 160  # 145 x 1.1 = 159.5


money = st.integers(min_value=0, max_value=10**12)


@pytest.mark.req("R-PAY-06", "D-12")
@given(
    income=st.integers(min_value=-(10**12), max_value=10**12), cost=money, drawn=money, ratio_bp=st.integers(7000, 10000),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any), seed=st.randoms(use_true_random=False),
)  # fmt: skip
def test_parts_add_up_never_fall_below_the_law_and_repeat(
    income: int, cost: int, drawn: int, ratio_bp: int, weights: list[int], seed: Any
) -> None:
    pool = pool_of(income_fen=income, cost_fen=cost, drawn_fen=drawn, ratio_bp=ratio_bp)
    assert pool.pool_fen == max(0, income - cost - drawn)
    assert pool.share_fen * 10_000 >= pool.pool_fen * 7_000
    assert (pool.share_fen - 1) * 10_000 < pool.pool_fen * ratio_bp
    assert 0 <= pool.share_fen <= pool.pool_fen
    numbers = list(range(1, len(weights) + 1))
    held = points(dict(zip(numbers, weights, strict=True)))
    parts = parts_of(pool.share_fen, held, numbers)
    assert sum(parts) == pool.share_fen
    assert all(part >= 0 for part in parts)
    mixed = list(zip(held, numbers, parts, strict=True))
    seed.shuffle(mixed)
    again = parts_of(pool.share_fen, [one for one, _n, _p in mixed], [number for _o, number, _p in mixed])
    assert again == [part for _o, _n, part in mixed]


@given(visits=st.integers(0, 500), minutes=st.integers(0, 30_000), data=st.data())
@pytest.mark.req("R-STF-22")
def test_more_content_people_never_mean_fewer_points(visits: int, minutes: int, data: st.DataObject) -> None:
    evaluated = data.draw(st.integers(1, max(1, visits)))
    less = data.draw(st.integers(0, evaluated))
    more = data.draw(st.integers(less, evaluated))
    complete = data.draw(st.integers(0, visits))

    def reckoned(satisfied: int) -> int:
        other = Score(2, visits=5, minutes=100, evaluated=2, satisfied=1, complete=5)
        mine = Score(1, visits, minutes, evaluated=evaluated, satisfied=satisfied, complete=complete)
        return points_of([mine, other], WEIGHTS, GRADING)[0].points

    assert reckoned(less) <= reckoned(more)
