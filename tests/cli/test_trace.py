import json
from pathlib import Path

import pytest

from yinling.cli import trace


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "test-report.json"
    monkeypatch.setattr(trace, "TEST_REPORT", path)
    monkeypatch.setattr(trace, "head", lambda: "a1")
    return path


def write(path: Path, commit: str, req: str = "R-PEO-01") -> None:
    results = {"tests/one": {"outcome": "passed", "req": [req]}}
    content = {"commit": commit, "dirty": True, "finished_at": "2026-01-05T00:00:00+00:00", "results": results}
    path.write_text(json.dumps(content))


def test_a_group_is_printed_with_its_ids(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(report, "a1")
    assert trace.main(["--group", "PEO"]) == 0
    out = capsys.readouterr().out
    assert "✓ R-PEO-01" in out
    assert "· R-PEO-02" in out
    assert "R-ORD" not in out
    assert "uncommitted" in out


def test_nothing_passes_from_another_commit(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(report, "b2")
    assert trace.main(["--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["R-PEO-01"] == {"id": "R-PEO-01", "tests": ["tests/one"], "passing": False}


def test_an_unknown_id_fails_and_is_named(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(report, "a1", "R-PEO-99")
    assert trace.main([]) == 1
    assert "R-PEO-99: tests/one" in capsys.readouterr().out


def test_an_unknown_group_is_said(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(report, "a1")
    assert trace.main(["--group", "NO"]) == 1
    assert "NO" in capsys.readouterr().out


def test_without_a_report_nothing_passes(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not report.exists()
    assert trace.main([]) == 0
    assert "./run test" in capsys.readouterr().out
