"""`./run load-registry FILE.csv`: the whole register of a city at once, as the owner, before people work with it."""

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from yinling.cli.account import Unusable
from yinling.cli.environment import connected

PROCESSES = 2


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./run load-registry",
        description="一次载入全市老年人底册（CSV） load a city's register from a CSV; columns: docs/howto/production.md",
    )
    parser.add_argument("file", type=Path, metavar="FILE.csv")
    parser.add_argument(
        "--skip-wrong",
        action="store_true",
        help="有错的行不载入，其余照常 leave out wrong rows; otherwise nothing is loaded",
    )
    parser.add_argument("--check", action="store_true", help="只核对，不写入 check only")
    parser.add_argument("--processes", type=int, default=PROCESSES, metavar="N", help=f"进程数 ({PROCESSES})")
    parser.add_argument("--data", metavar="DIR", help="数据目录 data folder (var/data)")
    options = parser.parse_args(argv)
    if not options.file.is_file():
        raise Unusable(f"没有这个文件：{options.file} There is no file {options.file}.")
    began = time.monotonic()
    with connected(as_owner=True, data=options.data):
        registry = import_module("yinling.cli.registry_file")  # its tables need Django to be set up
        wrong = options.file.with_suffix(".wrong.csv")
        done = registry.load(
            options.file, wrong=wrong, processes=options.processes, skip_wrong=options.skip_wrong, only_check=options.check, say=say
        )  # fmt: skip
    say(f"用时 took {time.monotonic() - began:.0f} s")
    if done.faults:
        print(f"有错误 {done.faults:,} 处，见 {wrong} {done.faults:,} faults, listed in {wrong}", file=sys.stderr)
    print(f"已载入 {done.count:,} 人。 {done.count:,} files opened.")
    return 1 if done.faults and not options.skip_wrong else 0


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"  {text}", file=sys.stderr, flush=True)
