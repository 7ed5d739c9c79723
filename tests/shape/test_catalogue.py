"""Tests name requirements that exist, and the catalogue is whole."""

import re
from collections import Counter
from pathlib import Path

from tests.shape.houses import tracked_files

from yinling.cli.requirements import CATALOGUE, Requirement, accepted, catalogue, marks, unknown_marks
from yinling.cli.trace import named_but_unknown, traced

ID = re.compile(r"[RKDX]-[A-Z]+(-\d\d[a-z]?)?|D-\d\d")
REPORT = {
    "commit": "a1",
    "dirty": False,
    "finished_at": "2026-01-05T00:00:00+00:00",
    "results": {
        "one": {"outcome": "passed", "req": ["R-PEO-01", "X-ID"]},
        "two": {"outcome": "failed", "req": ["R-PEO-02", "X-NO-01"]},
        "three": {"outcome": "passed", "req": ["R-PEO-02"]},
    },
}


def test_tests_name_known_requirements() -> None:
    assert unknown_marks() == []


def test_the_catalogue_holds_every_id_once() -> None:
    known = catalogue()
    assert [name for name in known if not ID.fullmatch(name)] == []
    assert Counter(name[0] for name in known) == {"R": 334, "K": 80, "D": 22, "X": 108}


def test_a_group_without_numbered_entries_stands_by_its_name() -> None:
    known = catalogue()
    assert {name for name in known if name == known[name].group} == {"X-ASM", "X-STD", "X-MOD", "X-LAW"}


def test_a_group_of_outside_rules_may_be_named_as_a_whole() -> None:
    assert {"X-ID", "X-ID-01a", "R-PEO-01"} <= accepted(catalogue())
    assert not {"R-PEO", "X-NO"} & accepted(catalogue())


def test_an_unknown_id_is_named_with_its_file(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    mark = "@pytest.mark.req"
    (tests / "test_one.py").write_text(f'{mark}("R-PEO-01", "R-PEO-99")\ndef test_one(): ...\n')
    assert marks(tests) == {"R-PEO-01": {"tests/test_one.py"}, "R-PEO-99": {"tests/test_one.py"}}
    assert unknown_marks(tests) == ["R-PEO-99: tests/test_one.py"]


def test_an_id_passes_when_all_its_tests_passed_at_this_commit() -> None:
    known = {name: Requirement(name, "PEO", "") for name in ("R-PEO-01", "R-PEO-02", "R-PEO-03")}
    known["X-ID-01"] = Requirement("X-ID-01", "X-ID", "")
    now = {one.requirement.id: (one.tests, one.passing) for one in traced(known, REPORT, "a1")}
    assert now == {
        "R-PEO-01": (("one",), True),
        "R-PEO-02": (("two", "three"), False),
        "R-PEO-03": ((), False),
        "X-ID-01": ((), False),
        "X-ID": (("one",), True),
    }
    assert [one.requirement.id for one in traced(known, REPORT, "b2") if one.passing] == []
    assert named_but_unknown(known, REPORT) == {"X-NO-01: two"}


def test_the_catalogue_speaks_of_plans_and_clauses_only() -> None:
    words = re.compile(r"https?:|github|\bgist\b|issue #|\.md\b|\.py\b|/work|/home|CSDN", re.IGNORECASE)
    found = [
        f"{path.name}: {line}"
        for path in tracked_files()
        if path.is_relative_to(CATALOGUE) and path.suffix == ".yaml"
        for line in path.read_text("utf-8").splitlines()
        if words.search(line)
    ]
    assert found == []
