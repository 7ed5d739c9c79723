"""`./run prove NAME`: property tests with very many seeds, and the proofs that take long; without a name it lists them."""

import ast
from dataclasses import dataclass
from pathlib import Path

from yinling.cli import test
from yinling.cli.paths import ROOT

TESTS = ROOT / "tests"
PROFILE = ["-p", "tests.profiles", "--hypothesis-profile=prove", "-m", "hypothesis or slow", "-x", "-q"]
EVERYTHING = "all"


@dataclass(frozen=True)
class Proof:
    name: str
    path: Path
    properties: int
    slow: int


def main(argv: list[str]) -> int:
    found = {one.name: one for one in proofs()}
    if not argv:
        for one in found.values():
            print(f"  {one.name:28}{one.properties:>4} 条性质 properties {one.slow:>4} 项长证明 slow")
        print(f"\n./run prove {EVERYTHING} 全部证明 proves everything; 数小时 it takes hours.")
        return 0
    unknown = [name for name in argv if name not in found and name != EVERYTHING]
    if unknown:
        print(f"没有这项证明：{'、'.join(unknown)} There is no such proof; ./run prove lists them.")
        return 2
    chosen = list(found.values()) if EVERYTHING in argv else [found[name] for name in argv]
    return test.main([*PROFILE, *(str(one.path.relative_to(ROOT)) for one in chosen)])


def proofs() -> list[Proof]:
    """Files of tests with a property or a slow proof; `tests/kernel/test_money.py` is called `kernel.money`."""
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        properties, slow = counted(ast.parse(path.read_text("utf-8")))
        if properties or slow:
            name = ".".join([*path.parent.relative_to(TESTS).parts, path.stem.removeprefix("test_")])
            found.append(Proof(name, path, properties, slow))
    return found


def counted(tree: ast.Module) -> tuple[int, int]:
    """Return how many tests are properties, and how many are marked slow; a mark on the file counts for all."""
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    marks = {node.name: [ast.unparse(one) for one in node.decorator_list] for node in tests}
    on_file = [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    properties = sum(any(one.startswith(("given(", "rule(")) for one in mine) for mine in marks.values())
    slow = sum(any("mark.slow" in one for one in [*mine, *on_file]) for mine in marks.values())
    return properties, slow
