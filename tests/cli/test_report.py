import json
import subprocess
import sys
from pathlib import Path

from yinling.cli.paths import ROOT

TESTS = """
import pytest
@pytest.mark.req("R-ORD-06", "K-1")
def test_good(): pass
@pytest.mark.req("R-ORD-07")
def test_bad(): assert False
@pytest.fixture
def broken():
    yield
    raise ValueError
def test_broken_after(broken): pass
@pytest.mark.skip
def test_left_out(): pass
"""


def test_outcomes_and_requirements_arrive_from_parallel_processes(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = req(*ids): requirements\n")
    plugins = ["-p", "no:django", "-p", "yinling.cli.pytest_report", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *plugins, str(tmp_path)]
    report = tmp_path / "report.json"
    environment = {"TEST_REPORT_FILE": str(report), "PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True)
    found = json.loads(report.read_text())
    assert set(found) == {"commit", "dirty", "finished_at", "results"}
    assert {name.split("::")[1]: (one["outcome"], one["req"]) for name, one in found["results"].items()} == {
        "test_good": ("passed", ["R-ORD-06", "K-1"]),
        "test_bad": ("failed", ["R-ORD-07"]),
        "test_broken_after": ("failed", []),
        "test_left_out": ("skipped", []),
    }
