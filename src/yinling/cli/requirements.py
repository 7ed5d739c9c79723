"""The catalogue of requirements, and the ids that tests say they prove."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from yinling.cli.paths import ROOT

CATALOGUE = ROOT / "docs" / "reference" / "requirements"
TESTS = ROOT / "tests"
CASE_ROWS = re.compile(r"\brows: \[([^\]]+)\]")
"""The ids that a worked example of ``tests/cases`` carries; its test takes them over."""


@dataclass(frozen=True)
class Requirement:
    id: str
    group: str
    text: str


def catalogue(folder: Path = CATALOGUE) -> dict[str, Requirement]:
    """Every id in the order of the files. A group without numbered entries is an entry of its own."""
    found: dict[str, Requirement] = {}
    for path in sorted(folder.glob("*.yaml")):
        for row in yaml.safe_load(path.read_text("utf-8"))["rows"]:
            if row["id"] in found:
                raise ValueError(f"{path.name}: {row['id']} stands twice")
            found[row["id"]] = Requirement(row["id"], row["group"], row["text"])
    return found


def accepted(known: dict[str, Requirement]) -> set[str]:
    """What a test may name: every id, and a whole group of outside rules."""
    return {*known, *(one.group for one in known.values() if one.group.startswith("X-"))}


def marks(folder: Path = TESTS) -> dict[str, set[str]]:
    """Ids on tests as written in the source, each with the files that name it; nothing is run or imported."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _is_mark(node.func):
                for argument in (one for one in node.args if not isinstance(one, ast.Starred)):
                    name = argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)
                    found.setdefault(str(name), set()).add(str(path.relative_to(folder.parent)))
    for path in sorted(folder.glob("cases/*.yaml")):
        for listed in CASE_ROWS.findall(path.read_text("utf-8")):
            for name in listed.split(","):
                found.setdefault(name.strip(), set()).add(str(path.relative_to(folder.parent)))
    return found


def unknown_marks(folder: Path = TESTS) -> list[str]:
    allowed = accepted(catalogue())
    return [
        f"{name}: {', '.join(sorted(files))}" for name, files in sorted(marks(folder).items()) if name not in allowed
    ]


def _is_mark(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "req" and ast.unparse(node.value).endswith("mark")
