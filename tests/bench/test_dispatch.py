"""The bench of the planner: its instances, its figures and its page."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from yinling.bench import dispatch, dispatch_page
from yinling.bench.catalogue import BENCHES
from yinling.bench.command import main
from yinling.bench.dispatch_runs import Job, Run
from yinling.bench.figures import Figure
from yinling.bench.recipes import home_care, street, vehicle_routes
from yinling.bench.rivals import CpuSeconds, read_json
from yinling.dispatch.planner.hhcrsp import read_instance


def run(name: str, seconds: float, cost: float, best: float | None) -> Run:
    return Run(Job(Path(f"{name}.json.gz"), seconds, best), cost, cost * 3, 0.0, 0.0, 1, seconds)


RUNS = [
    run("A1", 60, 100.0, 100.0),
    run("A3", 60, 102.0, 100.0),
    run("G1", 60, 98.0, 100.0),
    run("G1", 10, 100.2, 100.0),
]


def test_an_instance_belongs_to_the_set_of_its_letters() -> None:
    names = ["A1.json.gz", "K100_20_10_1.2_R_C.json.gz", "IT002.json", "G10.json"]
    jobs = [Job(Path(name), 10, None) for name in names]
    assert [job.set for job in jobs] == ["A", "K", "IT", "G"]
    assert jobs[1].name == "K100_20_10_1.2_R_C"


def test_mean_gaps_are_held_against_the_goals_of_their_limit() -> None:
    figures = {figure.name: figure for figure in dispatch._figures(RUNS)}
    assert {name: (figure.value, figure.most) for name, figure in figures.items()} == {
        "dispatch.A.60s": (1.0, 0.01),
        "dispatch.G.60s": (-2.0, 0.01),
        "dispatch.worst.60s": (2.0, 1.0),
        "dispatch.G.10s": (0.2, 0.3),
        "dispatch.worst.10s": (0.2, None),
    }
    assert [name for name, figure in figures.items() if not figure.holds] == ["dispatch.A.60s", "dispatch.worst.60s"]


def test_without_a_best_known_value_the_cost_is_told() -> None:
    figures = list(dispatch._figures([run("A1", 10, 90.0, None), run("A2", 10, 110.0, None)]))
    assert [(figure.name, figure.value, figure.unit, figure.goal) for figure in figures] == [
        ("dispatch.A.10s", 100.0, "cost", "")
    ]


def test_without_files_the_same_recipe_is_used_and_the_source_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(dispatch.FOLDER, raising=False)
    monkeypatch.setattr(dispatch, "SIZES", {"A": (10, 3), "B": (25, 5)})
    found = dispatch._instances(tmp_path, None)
    assert {name: len(files) for name, files in found.items()} == {"A": 3, "B": 3}
    assert "iolab-uniud/hhcrsp" in capsys.readouterr().err
    assert len(read_instance(found["B"][0]).problem.visits) == 25


def test_files_are_found_in_the_folder_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A10.json", "A9.json.gz", "IT002.json", "best_known.csv"):
        (tmp_path / name).touch()
    monkeypatch.setenv(dispatch.FOLDER, str(tmp_path))
    found = dispatch._instances(tmp_path / "nowhere", None)
    assert {name: [path.name for path in files] for name, files in found.items()} == {
        "A": ["A9.json.gz", "A10.json"],
        "IT": ["IT002.json"],
    }


def test_best_known_values_are_read_by_name(tmp_path: Path) -> None:
    assert dispatch._best_known(tmp_path) == {}
    with (tmp_path / "best_known.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "best_known"), ("A1", "218.199"), ("A2", "")])
    assert dispatch._best_known(tmp_path) == {"A1": 218.199}


def test_the_page_has_every_instance_and_the_mean_of_its_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr(dispatch_page, "PAGE", page)
    dispatch_page.write(RUNS, [Figure("dispatch.vroom.travel", -1.9, "%", "street", most=0)], quick=False)
    text = page.read_text("utf-8")
    assert "| A | 2 | | | +1.000 % | +2.000 % |" in text
    assert "| G1 | 60 | 98.000 | 294.000 | 0.000 | 0.000 | 100.000 | -2.000 % |" in text
    assert "| dispatch.vroom.travel | -1.9 % | <= 0 | street |" in text
    assert "numba" in text


def test_home_care_follows_the_published_recipe() -> None:
    made = home_care(300, 40, 1)
    kinds = [patient.get("synchronization", {}).get("type") for patient in made["patients"]]
    assert 60 < sum(kind is not None for kind in kinds) < 120
    assert {patient["time_window"][1] - patient["time_window"][0] for patient in made["patients"]} == {120}
    assert {len(caregiver["abilities"]) for caregiver in made["caregivers"]} == {1, 2, 3}
    assert made == home_care(300, 40, 1)
    assert made != home_care(300, 40, 2)


def test_a_street_is_the_same_in_seconds_and_minutes() -> None:
    made = street(30, 10, 1)
    problem = made.problem()
    assert problem.travel.shape == (1, 40, 40)
    assert np.array_equal(np.rint(problem.travel[0] * 60), made.seconds)
    assert {(visit.is_hard, len(visit.tasks)) for visit in problem.visits} == {(True, 1)}
    assert problem.may.sum(axis=1).min() > 0


@pytest.mark.parametrize("kind", ["R1", "C1", "RC1", "R2", "C2", "RC2"])
def test_every_customer_can_be_reached_from_the_depot_in_its_window(kind: str) -> None:
    made = vehicle_routes(kind, 200, 1)
    assert len(made.windows) == 201
    horizon = made.windows[0][1]
    for place, (opens, closes) in enumerate(made.windows[1:], 1):
        assert made.tenths[0, place] <= opens <= closes
        assert closes + made.service + made.tenths[place, 0] <= horizon


def test_the_rival_is_stopped_by_cpu_seconds() -> None:
    stop = CpuSeconds(0.02)
    assert not stop(0)
    while not stop(0):
        pass


def test_plain_and_compressed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text('{"patients": []}')
    assert read_json(path) == {"patients": []}


def test_options_of_the_planner_are_for_the_planner(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loop", "--seconds", "3"]) == 2
    assert "--seconds is for dispatch" in capsys.readouterr().err
    assert BENCHES["dispatch"].quick_minutes < 3
