"""`./run check`: everything that can be known without running the platform; all steps run, then it fails."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path

import django

from yinling.cli.catalogues import compile_catalogues
from yinling.cli.paths import ROOT

BIN = Path(sys.executable).parent
# makemigrations looks for applied migrations, and does without where nothing answers.
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://nobody@/nowhere?host=/nonexistent",
    "DJANGO_SETTINGS_MODULE": "yinling.settings",
    "YINLING_DEMO": "1",
    "PYTHONWARNINGS": "ignore",
}
PROGRAMS = {
    "类型 types": [str(BIN / "mypy")],
    "格式 format": [str(BIN / "ruff"), "format", "--check", "--output-format", "concise", "."],
    "风格 lint": [str(BIN / "ruff"), "check", "--quiet", "--output-format", "concise", "."],
    "分层 layers": [str(BIN / "lint-imports"), "--no-cache"],
    "迁移 migrations": [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
}
OWN = {
    "图与参考 docs": "yinling.cli.docs",
    "译文 messages": "yinling.cli.messages",
    "城市 cities": "yinling.demo.profile",
}


def main(_argv: list[str]) -> int:
    compile_catalogues()
    with ThreadPoolExecutor(2) as pool:
        steps = [pool.submit(timed, name, partial(program, argv)) for name, argv in PROGRAMS.items()]
        os.environ.update(ENVIRONMENT)
        django.setup()
        good = [timed(name, partial(own, module)) for name, module in OWN.items()]
    return 0 if all(good + [step.result() for step in steps]) else 1


def timed(name: str, step: Callable[[], str]) -> bool:
    started = time.monotonic()
    complaint = step()
    seconds = time.monotonic() - started
    print(f"{'✗' if complaint else '✓'} {name}  {seconds:.1f} s" + (f"\n{complaint}" if complaint else ""), flush=True)
    return not complaint


def program(argv: list[str]) -> str:
    result = subprocess.run(argv, cwd=ROOT, env=os.environ | ENVIRONMENT, text=True, capture_output=True, check=False)
    return "" if result.returncode == 0 else (result.stdout + result.stderr).strip() or f"exit {result.returncode}"


def own(module: str) -> str:
    """Modules with `check()`, which returns complaints, one a line of a list."""
    return "\n".join(import_module(module).check())
