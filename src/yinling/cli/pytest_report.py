"""pytest plugin: writes the outcome and the requirement ids of every test to the file named by TEST_REPORT_FILE."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from yinling.cli.paths import ROOT

RANK = {"passed": 0, "skipped": 1, "failed": 2}


class Report:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        req = [value for name, value in report.user_properties if name == "req"]
        result = self.results.setdefault(report.nodeid, {"outcome": "passed", "req": req})
        if RANK[report.outcome] > RANK[result["outcome"]]:
            result["outcome"] = report.outcome

    def pytest_sessionfinish(self) -> None:
        content = {
            "commit": _git("rev-parse", "HEAD"),
            "dirty": bool(_git("status", "--porcelain")),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "results": dict(sorted(self.results.items())),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.get("TEST_REPORT_FILE")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(Path(path)), "yinling-report")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the ids travel with the test's report, also between the processes of xdist."""
    for item in items:
        item.user_properties += [("req", str(one)) for mark in item.iter_markers("req") for one in mark.args]


def _git(*words: str) -> str:
    result = subprocess.run(["git", *words], cwd=ROOT, text=True, capture_output=True, check=False)  # noqa: S607 - any git
    return result.stdout.strip()
