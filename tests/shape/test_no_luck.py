"""No test asserts that a few letters or digits are missing from a page: ids, tokens and times come to hold them one day."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = re.compile(r"html|page|content|text|shown|body\(|decode\(")
BY_CHANCE = re.compile(r"[0-9]{0,7}|[0-9A-Za-z]{0,4}")
"""What a number or a random token can hold: whole words, Chinese, and what has a bracket, a stroke or a sign is never in one."""


def by_chance(what: ast.expr) -> bool:
    """Whether a literal, or the fixed part around an id or the end of something, is so short."""
    match what:
        case ast.Constant(value=str(text)):
            return BY_CHANCE.fullmatch(text) is not None
        case ast.JoinedStr(values=parts):
            return not any(isinstance(part, ast.Constant) and not by_chance(part) for part in parts)
        case ast.Subscript(slice=ast.Slice()):
            return True
        case ast.Call(func=ast.Name(id="str")):
            return True
    return False


def assertions(tree: ast.AST) -> Iterator[tuple[int, ast.expr, ast.expr]]:
    """Every "X not in Y" with its line; for a loop over literals, one for each of them."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=what, ops=[ast.NotIn()], comparators=[where]):
                yield node.lineno, what, where
            case ast.For(target=ast.Name(id=name), iter=ast.Tuple(elts=whats) | ast.List(elts=whats)):
                for one in ast.walk(node):
                    match one:
                        case ast.Compare(left=ast.Name(id=left), ops=[ast.NotIn()], comparators=[where]) if (
                            left == name
                        ):
                            yield from ((what.lineno, what, where) for what in whats)


def lucky(source: str) -> list[int]:
    """The lines that rest on luck."""
    tree = ast.parse(source)
    told = {
        ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and "content.decode(" in ast.unparse(node.value)
    }
    found = [(line, ast.unparse(where)) for line, what, where in assertions(tree) if by_chance(what)]
    return [line for line, where in found if where in told or PAGE.search(where)]


def test_nothing_short_is_asserted_absent_from_a_page() -> None:
    paths = sorted(TESTS.rglob("test_*.py"))
    found = [f"{path.relative_to(TESTS)}:{line}" for path in paths for line in lucky(path.read_text("utf-8"))]
    assert found == [], "look for more than that: with a sign around it, the whole number, the attribute"


@pytest.mark.parametrize(
    "source",
    [
        'assert "302" not in html', 'assert f"{row.pk}" not in client.get("/").content.decode()', "assert PHONE[-4:] not in page",
        'for one in ("王秀英", "302"):\n    assert one not in html',
        'told = client.get("/").content.decode()\nassert "9001" not in told',
    ],
)  # fmt: skip
def test_it_is_found(source: str) -> None:
    assert lucky(source)


@pytest.mark.parametrize(
    "source",
    [
        'assert "<f>" not in html', 'assert "13912345678" not in html', 'assert f"/orders/{row.pk}/" not in html',
        'assert "lon" not in answer.json()', 'assert "王秀英" not in html', 'assert f"*{PHONE[-4:]}" not in html',
    ],
)  # fmt: skip
def test_what_has_no_need_of_luck_is_left_alone(source: str) -> None:
    assert lucky(source) == []
