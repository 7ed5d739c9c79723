"""The reader and writer of published instances, on hand-written and made-up files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.dispatch.exact import optimum

from yinling.bench.checker import violations
from yinling.bench.published import published_cost
from yinling.bench.recipes import home_care
from yinling.dispatch.planner.hhcrsp import BadInstance, read_instance, write_solution
from yinling.dispatch.planner.problem import Weights
from yinling.dispatch.planner.search import solve

DATA = Path(__file__).parent / "data"
OPTIMA = {"tiny": 132.0, "tiny_late": 817 / 3}
"""Made by ``bench.recipes.home_care`` with whole distances, proven by CP-SAT below."""


def tiny() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DATA / "tiny.json").read_text("utf-8"))
    return content


def written(folder: Path, content: object) -> Path:
    path = folder / "one.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_patients_carers_and_distances_are_read() -> None:
    instance = read_instance(DATA / "tiny.json")
    problem = instance.problem
    assert (instance.name, instance.visits[0], instance.services[0]) == ("tiny", "p1", ("s1", "s4"))
    assert instance.carers == ("c1", "c2", "c3")
    first = problem.visits[0]
    assert (first.opens, first.closes, first.gap, first.is_hard) == (134, 254, (20, 40), False)
    assert [task.minutes for task in first.tasks] == [13, 13]
    assert problem.visits[3].gap == (0, 0)
    assert problem.travel.shape == (1, 7, 7)
    assert problem.travel[0, 0, 1] == 22
    assert problem.may[0].tolist() == [True, False, True]
    assert {(worker.start, worker.end, worker.day_to) for worker in problem.workers} == {(0, 0, float("inf"))}


def test_plain_and_compressed_files_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "tiny.json.gz"
    path.write_bytes(gzip.compress((DATA / "tiny.json").read_bytes()))
    plain, packed = read_instance(DATA / "tiny.json"), read_instance(path)
    assert packed.name == plain.name
    assert packed.problem.visits == plain.problem.visits
    assert np.array_equal(packed.distances, plain.distances)


@pytest.mark.parametrize("name", OPTIMA)
def test_the_proven_optimum_is_met_and_told_by_the_solution_file(name: str) -> None:
    instance = read_instance(DATA / f"{name}.json")
    plan = solve(instance.problem, Weights.published(), seconds=60.0, seed=1, moves=40_000)
    assert violations(instance.problem, plan) == []
    solution = json.loads(json.dumps(write_solution(instance, plan)))
    counted = published_cost(json.loads((DATA / f"{name}.json").read_text("utf-8")), solution, rounding=1e-5)
    assert counted.cost == pytest.approx(OPTIMA[name], abs=1e-4)
    assert optimum(instance.problem, Weights.published()) == pytest.approx(OPTIMA[name], abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_solution_file_costs_what_the_plan_says(tmp_path: Path, seed: int) -> None:
    """Distances with three decimals, as they are published; the times in the file are worked out without rounding."""
    content = home_care(30, 8, seed)
    instance = read_instance(written(tmp_path, content))
    plan = solve(instance.problem, Weights.published(), seconds=60.0, seed=seed, moves=4_000)
    counted = published_cost(content, json.loads(json.dumps(write_solution(instance, plan))), rounding=1e-5)
    assert counted.cost == pytest.approx(plan.cost.total, abs=5e-3)
    assert counted.travel == pytest.approx(plan.cost.travel, abs=5e-3)


def cut(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """Return a change that takes one entry out."""

    def change(content: dict[str, Any]) -> None:
        holder: Any = content
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]

    return change


def put(value: object, *path: str | int) -> Callable[[dict[str, Any]], None]:
    """Return a change that writes one entry."""

    def change(content: dict[str, Any]) -> None:
        holder: Any = content
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        cut("patients"),
        cut("caregivers"),
        cut("distances"),
        cut("distances", 3),
        cut("distances", 3, 2),
        cut("patients", 0, "time_window"),
        cut("patients", 0, "required_caregivers"),
        cut("patients", 0, "synchronization"),
        cut("patients", 0, "synchronization", "distance"),
        cut("caregivers", 0, "abilities"),
        put([], "patients", 0, "required_caregivers"),
        put([10.0], "patients", 0, "time_window"),
        put(["early", "late"], "patients", 0, "time_window"),
        put("later", "patients", 0, "synchronization", "type"),
        put([40], "patients", 0, "synchronization", "distance"),
        put("long", "patients", 1, "required_caregivers", 0, "duration"),
        put("far", "distances", 1, 1),
        put("c1", "caregivers"),
        put([], "distances"),
    ],
)
def test_a_malformed_file_is_refused_with_a_sentence(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = tiny()
    change(content)
    with pytest.raises(BadInstance) as refused:
        read_instance(written(tmp_path, content))
    assert len(str(refused.value)) > len("one.json")


def test_an_instance_without_patients_gives_empty_routes(tmp_path: Path) -> None:
    content = tiny() | {"patients": [], "distances": [[0.0]]}
    instance = read_instance(written(tmp_path, content))
    plan = solve(instance.problem, Weights.published(), seconds=0.2, seed=1)
    assert published_cost(content, write_solution(instance, plan)).cost == 0
