"""`./run walk`: play one service from the call to the indicator, and print every row and refusal it leaves behind."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.db import connections

from yinling.cli.environment import connected


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run walk", description=__doc__)
    parser.add_argument("--json", action="store_true", help="逐步输出 JSON steps as JSON")
    parser.add_argument("--data", metavar="DIR", help="数据目录 data folder (var/data)")
    options = parser.parse_args(argv)
    with connected(as_owner=False, data=options.data), closed_afterwards():
        story = import_module("yinling.demo.story")  # its tables need Django to be set up
        played = story.play(silent if options.json else say)
        if options.json:
            print(json.dumps(played.as_json(), ensure_ascii=False, indent=1))
    stopped = played.steps[-1].code
    held = prove_invariants(options.data, quiet=options.json)
    return 1 if stopped else held


def prove_invariants(data: str | None, *, quiet: bool) -> int:
    """Whatever was played, what must never be false is looked at again; its words do not mix with JSON."""
    invariants = import_module("yinling.cli.invariants")
    with contextlib.redirect_stdout(sys.stderr if quiet else sys.stdout):
        return int(invariants.main(["--data", data] if data else []))


@contextlib.contextmanager
def closed_afterwards() -> Iterator[None]:
    """Leave no connection open to a database that may stop now."""
    try:
        yield
    finally:
        connections.close_all()


def silent(_step: Any) -> None:
    """Say nothing: the steps are printed together at the end."""


def say(step: Any) -> None:
    mark = "✓" if step.ok else "✗"
    row = f"{step.row}#{step.id}" if step.id else ""
    code = f" [{step.code}]" if step.code else ""
    print(f"{step.step:>3} {mark} {step.verb:<20}{row:<18}{code} {step.detail}", flush=True)
