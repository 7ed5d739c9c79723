"""Functions and files stay small enough to be read at once."""

import ast
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from tests.shape.houses import trees

from yinling.cli.paths import SOURCE

MOST_LINES, MOST_FILE_LINES, MOST_ARGUMENTS = 60, 500, 8
MEDIAN_LINES, NINETY_LINES, MEDIAN_FILE, NINETY_FILE = 10, 30, 120, 350
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> list[tuple[str, Function]]:
    return [
        (f"{place(path)}:{node.lineno} {node.name}", node)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, Function)
    ]


def place(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_form(node: Function) -> bool:
    """The arguments of an operation are the fields of its form, as many as the form has."""
    return any(ast.unparse(one).startswith("operation(") for one in node.decorator_list)


def arguments(node: Function) -> int:
    every = node.args
    names = [one.arg for one in [*every.posonlyargs, *every.args, *every.kwonlyargs]]
    return len([name for name in names if name not in ("self", "cls")])


def file_lengths() -> dict[str, int]:
    return {place(path): len(path.read_text("utf-8").splitlines()) for path in trees()}


def test_no_function_is_too_long() -> None:
    assert [name for name, node in functions() if length(node) > MOST_LINES] == []


def test_no_file_is_too_long() -> None:
    assert {name: lines for name, lines in file_lengths().items() if lines > MOST_FILE_LINES} == {}


def test_no_function_asks_for_too_much() -> None:
    assert [name for name, node in functions() if arguments(node) > MOST_ARGUMENTS and not is_form(node)] == []


def test_most_functions_and_files_are_far_below(record_property: Callable[[str, object], None]) -> None:
    lengths = [length(node) for _, node in functions()]
    files = [lines for lines in file_lengths().values() if lines]
    measured = {
        "function, median": (median(lengths), MEDIAN_LINES),
        "function, 90 %": (ninety(lengths), NINETY_LINES),
        "file, median": (median(files), MEDIAN_FILE),
        "file, 90 %": (ninety(files), NINETY_FILE),
    }
    record_property("sizes", measured)
    assert {name: pair for name, pair in measured.items() if pair[0] > pair[1]} == {}


def ninety(numbers: list[int]) -> float:
    return quantiles(numbers, n=10)[-1]
