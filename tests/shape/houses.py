"""What the tests of the house share: the source files, the layers, the models."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

from yinling.cli.paths import ROOT, SOURCE

BIN = Path(sys.executable).parent


def source_files() -> list[Path]:
    """Python of the product; migrations are generated."""
    return [path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts]


def tracked_files() -> list[Path]:
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for name in sorted(set(names)) if (path := ROOT / name).is_file()]


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in source_files()}


def constants(*, outside: set[Path]) -> set[str]:
    """Every text in the code, except in some files."""
    return {
        node.value
        for path, tree in trees().items()
        if path not in outside
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def layer_numbers() -> dict[str, int]:
    """Contexts with their height, as the import linter has it; the ground is 0."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one.get("exhaustive"))
    heights = {name.strip(" ()"): number for number, layer in enumerate(reversed(layers)) for name in layer.split("|")}
    programmes = [name.rpartition(".")[2] for name in settings.CONTEXTS if name.startswith("programmes.")]
    return heights | dict.fromkeys(programmes, heights["programmes"])


def our_models() -> Iterator[Any]:
    """Models of our contexts, with the tables of their history."""
    for name in settings.CONTEXTS:
        yield from apps.get_app_config(name.rpartition(".")[2]).get_models(include_auto_created=True)
