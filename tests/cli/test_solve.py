"""`./run solve`: published instances on the command line, without a database."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from yinling.bench.published import published_cost
from yinling.bench.recipes import home_care
from yinling.cli.account import Unusable
from yinling.cli.paths import ROOT
from yinling.cli.solve import main

TINY = ROOT / "tests" / "dispatch" / "data" / "tiny.json"


def test_what_is_printed_is_the_objective_of_the_solution_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = home_care(12, 4, 7)
    file, out = tmp_path / "made.json.gz", tmp_path / "solution.json"
    file.write_bytes(gzip.compress(json.dumps(content).encode()))
    assert main([str(file), "--seconds", "0.5", "--seed", "3", "--out", str(out), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    counted = published_cost(content, json.loads(out.read_text()), rounding=1e-5)
    assert row["cost"] == pytest.approx(counted.cost, abs=1e-4)
    assert row["travel"] == pytest.approx(counted.travel, abs=1e-4)
    assert row["total_tardiness"] == pytest.approx(counted.total_tardiness, abs=1e-4)
    assert row["max_tardiness"] == pytest.approx(counted.max_tardiness, abs=1e-4)
    assert (row["seed"], row["left"], "gap_percent" in row) == (3, {}, False)


def test_the_solution_file_has_the_published_form(tmp_path: Path) -> None:
    out = tmp_path / "solution.json"
    assert main([str(TINY), "--seconds", "0.2", "--out", str(out)]) == 0
    solution = json.loads(out.read_text())
    assert set(solution) == {"routes"}
    assert {tuple(sorted(route)) for route in solution["routes"]} == {("caregiver_id", "locations")}
    stops = [stop for route in solution["routes"] for stop in route["locations"]]
    assert {tuple(sorted(stop)) for stop in stops} == {("arrival_time", "departure_time", "patient", "service")}


def test_the_gap_is_printed_when_a_best_value_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(TINY), "--seconds", "0.2", "--best", "1"]) == 0
    printed = capsys.readouterr()
    assert "gap %" in printed.out
    assert "compile" in printed.err


def test_a_patient_nobody_may_serve_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = home_care(8, 3, 1)
    content["patients"][2]["required_caregivers"] = [{"service": "s9", "duration": 10.0}]
    content["patients"][2].pop("synchronization", None)
    file = tmp_path / "one.json"
    file.write_text(json.dumps(content))
    assert main([str(file), "--seconds", "0.2"]) == 0
    assert "left out: p3" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"\x1f\x8b broken", "银龄".encode("gb18030"), b'{"patients": 3, "caregivers": [], "distances": []}'],
)  # fmt: skip
def test_a_file_that_is_none_is_explained(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    with pytest.raises(Unusable, match="This file cannot be used"):
        main([str(file)])


def test_a_missing_file_and_a_missing_folder_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unusable, match=r"none\.json"):
        main([str(tmp_path / "none.json")])
    with pytest.raises(SystemExit):
        main([str(TINY), "--out", str(tmp_path / "no" / "folder.json")])
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-3", "nan", "inf", "soon"])
def test_seconds_must_be_a_time(seconds: str) -> None:
    with pytest.raises(SystemExit):
        main([str(TINY), "--seconds", seconds])


def test_it_runs_without_django_and_database() -> None:
    program = "import sys; from yinling.cli.commands import main; print(main(sys.argv[1:]), 'django' in sys.modules)"
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "NUMBA_CACHE_DIR") if name in os.environ}
    environment["PYTHONPATH"] = str(ROOT / "src")
    command = [sys.executable, "-c", program, "solve", str(TINY), "--seconds", "0.2"]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
