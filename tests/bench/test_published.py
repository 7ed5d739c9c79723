"""The published objective from two files alone, and the refusal of solutions that are none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from yinling.bench.published import Infeasible, published_cost

INSTANCE: dict[str, Any] = {
    "patients": [
        {"id": "p1", "time_window": [100, 110], "required_caregivers": [{"service": "s1", "duration": 10}]},
        {
            "id": "p2",
            "time_window": [50, 80],
            "required_caregivers": [{"service": "s1", "duration": 10}, {"service": "s2", "duration": 20}],
            "synchronization": {"type": "sequential", "distance": [5, 30]},
        },
    ],
    "caregivers": [{"id": "c1", "abilities": ["s1"]}, {"id": "c2", "abilities": ["s1", "s2"]}],
    "distances": [[0, 20, 30], [20, 0, 40], [30, 40, 0]],
}


def stop(patient: str, service: str, start: float, end: float) -> dict[str, Any]:
    return {"patient": patient, "service": service, "arrival_time": start, "departure_time": end}


SOLUTION: dict[str, Any] = {
    "routes": [
        {"caregiver_id": "c1", "locations": [stop("p2", "s1", 75, 85), stop("p1", "s1", 125, 135)]},
        {"caregiver_id": "c2", "locations": [stop("p2", "s2", 90, 110)]},
    ]
}


def test_the_objective_is_a_third_of_its_parts() -> None:
    """Ways 30 + 40 + 20 and 30 + 30; p1 is 15 late, the second service of p2 10."""
    counted = published_cost(INSTANCE, SOLUTION)
    assert (counted.travel, counted.total_tardiness, counted.max_tardiness) == (150, 25, 15)
    assert counted.cost == pytest.approx(190 / 3)


def moved(caregiver: int, place: int, **more: object) -> Callable[[dict[str, Any]], None]:
    return lambda solution: solution["routes"][caregiver]["locations"][place].update(more)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (moved(0, 0, arrival_time=20, departure_time=30), "starts before 50"),
        (moved(0, 1, arrival_time=120, departure_time=130), "cannot be at patient p1"),
        (moved(0, 1, departure_time=131), "leaves patient p1 before"),
        (moved(1, 0, arrival_time=76, departure_time=96), "1 apart|1.000 apart"),
        (moved(1, 0, arrival_time=110, departure_time=130), "35.000 apart"),
        (moved(0, 1, patient="p9"), "does not need"),
        (moved(0, 1, service="s2"), "does not need"),
        (lambda solution: solution["routes"][0].update(caregiver_id="c9"), "no caregiver c9"),
        (lambda solution: solution["routes"][1].update(caregiver_id="c1"), "two routes"),
        (lambda solution: solution["routes"][0]["locations"].pop(), "done 0 times"),
        (lambda solution: solution["routes"][1]["locations"].append(stop("p1", "s1", 150, 160)), "done 2 times"),
    ],
)
def test_a_solution_that_breaks_a_rule_is_refused(change: Callable[[dict[str, Any]], None], says: str) -> None:
    solution = copy.deepcopy(SOLUTION)
    change(solution)
    with pytest.raises(Infeasible, match=says):
        published_cost(INSTANCE, solution)


def test_an_unable_caregiver_and_one_caregiver_for_both_are_refused() -> None:
    unable = copy.deepcopy(INSTANCE)
    unable["caregivers"][1]["abilities"] = ["s1"]
    with pytest.raises(Infeasible, match="not able"):
        published_cost(unable, SOLUTION)
    stops = [stop("p2", "s1", 50, 60), stop("p2", "s2", 60, 80), stop("p1", "s1", 120, 130)]
    both = {"routes": [{"caregiver_id": "c2", "locations": stops}]}
    with pytest.raises(Infeasible, match="One caregiver does both"):
        published_cost(INSTANCE, both)
