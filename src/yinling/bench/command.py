"""`./run bench NAME [--quick] [--json]`: measure one promise; without a name, list them."""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

from yinling.bench.catalogue import BENCHES, DATA_MINUTES, SEED
from yinling.bench.figures import circumstances, report, table
from yinling.bench.goals import with_goal
from yinling.cli.paths import VAR

HOME = VAR / "bench"
ELDERS_A_MINUTE = 200_000
"""Made up, loaded and assessed."""
OWN = sorted({option for bench in BENCHES.values() for option in bench.options})
"""Options that only some benches know, passed on to them by name."""


def main(argv: list[str]) -> int:
    """Return 1 when a goal is missed. With --json only the figures go to the standard output."""
    options = parse(argv)
    if options.name is None:
        print(listing())
        return 0
    if options.name not in BENCHES:
        print(f"没有这项测量：{options.name} There is no bench {options.name}.\n{listing()}", file=sys.stderr)
        return 2
    bench = BENCHES[options.name]
    more = {name: getattr(options, name) for name in OWN if getattr(options, name)}
    strange = sorted(more.keys() - set(bench.options))
    if strange:
        owners = ", ".join(one.name for one in BENCHES.values() if strange[0] in one.options)
        print(f"--{strange[0]} 只用于 {owners}。 --{strange[0]} is for {owners} only.", file=sys.stderr)
        return 2
    say(expected(bench.minutes(quick=options.quick) * (2 if options.elders else 1) + options.elders / ELDERS_A_MINUTE))
    started = time.monotonic()
    module = importlib.import_module(bench.module)
    figures = [with_goal(figure) for figure in module.measure(HOME, quick=options.quick, **more)]
    around = circumstances(seed=SEED, quick=options.quick)
    if options.json:
        print(json.dumps(report(figures, around), ensure_ascii=False, indent=1))
    else:
        print(f"\n{table(figures)}\n\n{around.machine}; seed {around.seed}")
        print(", ".join(f"{name} {version}" for name, version in around.versions.items()))
    missed = [figure.name for figure in figures if not figure.holds]
    say(
        f"用时 took {time.monotonic() - started:.0f} s. "
        + (f"未达标 missed: {', '.join(missed)}" if missed else "全部达标 all goals met")
    )
    return 1 if missed else 0


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="./run bench", description="性能测量 Numbers only")
    parser.add_argument("name", nargs="?", help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="三分钟以内 under three minutes")
    parser.add_argument(
        "--elders", type=int, default=0, metavar="N", help="pages: 大城市规模 at the size of a city, 1000000"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="dispatch: CPU 秒 CPU seconds an instance (10 and 60)"
    )
    parser.add_argument("--instances", type=Path, metavar="DIR", help="dispatch: 算例文件夹 folder of instances")
    parser.add_argument("--write", action="store_true", help="dispatch: 重写 rewrite docs/dispatch-numbers.md")
    parser.add_argument("--json", action="store_true", help="供程序读取 for machines")
    return parser.parse_args(argv)


def expected(minutes: float) -> str:
    """Say beforehand how long it takes."""
    making = "" if (HOME / "ready").exists() else f" (首次另需造数 and {DATA_MINUTES:g} min once to make the data)"
    return f"预计约 {minutes:.2g} 分钟{making}… About {minutes:.2g} min …"


def listing() -> str:
    """Return all benches with their time."""
    lines = [
        f"  {bench.name:13}{bench.purpose} (~{bench.full_minutes:g} min, --quick ~{bench.quick_minutes:g})"
        for bench in BENCHES.values()
    ]
    return "用法 Usage: ./run bench NAME [--quick] [--json]\n\n" + "\n".join(lines)


def say(text: str) -> None:
    """Progress goes beside the figures, never into them."""
    print(text, file=sys.stderr, flush=True)
