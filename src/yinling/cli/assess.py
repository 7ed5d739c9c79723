"""`./run assess FILE.yaml [--json]`: hold the worked examples of a file against the scorer."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import yaml

from yinling.assessment.scoring import Checked, check_case
from yinling.cli.account import Unusable


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run assess", description="量表计分核对 Score worked examples")
    parser.add_argument("file", type=Path, help="cases: [{id, scale, input, expect}]")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    rows = [check_case(case) for case in cases(options.file)]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    else:
        show(rows)
    return 0 if all(row.ok for row in rows) else 1


def cases(path: Path) -> list[dict[str, object]]:
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
        found: list[dict[str, object]] = list(loaded["cases"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise Unusable(f"无法读取 {path}：需要 cases: 列表。 Cannot read {path}: it needs a list `cases:`.") from error
    wanted = {"id", "scale", "input", "expect"}
    for number, case in enumerate(found, 1):
        missing = wanted - set(case if isinstance(case, dict) else {})
        if missing:
            raise Unusable(f"第 {number} 例缺少 {sorted(missing)}。 Case {number} lacks {sorted(missing)}.")
    return found


def show(rows: list[Checked]) -> None:
    for row in rows:
        print(f"{'✓' if row.ok else '✗'} {row.id}" + ("" if row.ok else f"  {row.expected}  !=  {row.obtained}"))
    print(f"{sum(row.ok for row in rows)} / {len(rows)}")
