"""The page for people outside: its example runs as printed, without Django."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields

from yinling.cli.paths import ROOT
from yinling.dispatch.planner.problem import Weights

PAGE = (ROOT / "docs" / "howto" / "planner-library.md").read_text("utf-8")
EXAMPLE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_runs_without_django() -> None:
    assert EXAMPLE is not None
    program = EXAMPLE.group(1) + "\nimport sys\nprint('django' in sys.modules)\n"
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "NUMBA_CACHE_DIR") if name in os.environ}
    environment |= {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, text=True, capture_output=True, check=True)
    said = done.stdout
    assert "nurse: zhao medicine" in said
    assert "nurse: rests" in said
    assert {f"{who}: wang" in said for who in ("nurse", "aide")} == {True}
    assert "chen is left out: nobody_may" in said
    assert said.splitlines()[-1] == "False"


def test_the_table_has_every_weight_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \|[^|]+\| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == {one.name: one.default for one in fields(Weights)}
