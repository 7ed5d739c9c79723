"""`./run trace`: the requirements of the catalogue against the outcome of the last `./run test`."""

import argparse
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from yinling.cli.paths import ROOT, TEST_REPORT
from yinling.cli.requirements import Requirement, accepted, catalogue, unknown_marks

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Trace:
    """An id with the tests that name it; `passing` only if all of them passed, at this commit."""

    requirement: Requirement
    tests: tuple[str, ...]
    passing: bool


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run trace", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--group", metavar="PEO", help="一组 one group: PEO, W, D, X-ID …")
    options = parser.parse_args(argv)
    report = read_report()
    known = catalogue()
    traces = [one for one in traced(known, report, head()) if options.group in (None, one.requirement.group)]
    if not traces:
        print(f"没有这一组：{options.group} There is no group {options.group}.")
        return 1
    unknown = sorted({*unknown_marks(), *named_but_unknown(known, report)})
    if options.json:
        rows = [{"id": one.requirement.id, "tests": list(one.tests), "passing": one.passing} for one in traces]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        print_report(report)
        print_groups(traces, with_ids=options.group is not None)
        for line in unknown:
            print(f"✗ 没有这个编号 unknown id {line}")
    return 1 if unknown else 0


def read_report() -> dict[str, Any]:
    if not TEST_REPORT.exists():
        return {"commit": "", "dirty": False, "finished_at": "", "results": {}}
    return dict(json.loads(TEST_REPORT.read_text("utf-8")))


def head() -> str:
    result = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True, capture_output=True, check=False)  # noqa: S607 - any git
    return result.stdout.strip()


def traced(known: dict[str, Requirement], report: dict[str, Any], commit: str) -> list[Trace]:
    """A group of outside rules named as a whole is listed when a test names it."""
    tests: dict[str, list[str]] = {}
    for test, result in report["results"].items():
        for name in result["req"]:
            tests.setdefault(name, []).append(test)
    groups = sorted((accepted(known) - set(known)) & set(tests))
    wanted = [*known.values(), *(Requirement(name, name, "") for name in groups)]
    is_current = bool(commit) and report["commit"] == commit
    passed = {test for test, result in report["results"].items() if result["outcome"] == "passed"}
    return [
        Trace(one, tuple(mine), is_current and bool(mine) and passed.issuperset(mine))
        for one in wanted
        for mine in [tests.get(one.id, [])]
    ]


def named_but_unknown(known: dict[str, Requirement], report: dict[str, Any]) -> set[str]:
    allowed = accepted(known)
    return {
        f"{name}: {test}" for test, result in report["results"].items() for name in result["req"] if name not in allowed
    }


def print_report(report: dict[str, Any]) -> None:
    if not report["finished_at"]:
        print("还没有测试报告，请先运行 ./run test。 No report yet; run ./run test first.")
        return
    age = ago(datetime.now(UTC) - datetime.fromisoformat(report["finished_at"]))
    note = "，含未提交的改动 with uncommitted changes" if report["dirty"] else ""
    print(f"测试报告 Report: {age}, commit {report['commit'][:10]}{note}, {len(report['results'])} tests")
    if report["commit"] != head():
        print(f"与当前提交 {head()[:10]} 不同，均不算通过。 Not the current commit: nothing counts as passing.")


def ago(age: timedelta) -> str:
    for unit, name in ((DAY, "天 days"), (HOUR, "小时 hours"), (MINUTE, "分钟 minutes")):
        if age >= unit:
            return f"{age // unit} {name} 前 ago"
    return "刚才 just now"


def print_groups(traces: Iterable[Trace], *, with_ids: bool) -> None:
    groups: dict[str, list[Trace]] = {}
    for one in traces:
        groups.setdefault(f"{one.requirement.id[:2]}{one.requirement.group.removeprefix('X-')}", []).append(one)
    print(f"\n{'组 group':10}{'条目 ids':>8}{'通过 passing':>10}{'未通过 failing':>12}{'无测试 none':>10}")
    sums = [0, 0, 0, 0]
    for name, rows in groups.items():
        passing = sum(one.passing for one in rows)
        without = sum(not one.tests for one in rows)
        line = [len(rows), passing, len(rows) - passing - without, without]
        sums = [one + two for one, two in zip(sums, line, strict=True)]
        print(f"{name:11}{line[0]:>9}{line[1]:>13}{line[2]:>15}{line[3]:>13}")
        if with_ids:
            print_ids(rows)
    print(f"{'全部 all':9}{sums[0]:>9}{sums[1]:>13}{sums[2]:>15}{sums[3]:>13}")


def print_ids(rows: Iterable[Trace]) -> None:
    for one in rows:
        sign = "✓" if one.passing else "✗" if one.tests else "·"
        print(f"  {sign} {one.requirement.id:12} {len(one.tests):>3}  {one.requirement.text[:80]}")
