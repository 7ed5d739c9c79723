"""`./run solve FILE [--seconds S] [--seed N] [--out SOLUTION.json] [--json]`: plan a published instance, without a database."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from yinling.cli.account import Unusable
from yinling.dispatch.planner.hhcrsp import BadInstance, Instance, exact_starts, read_instance, write_solution
from yinling.dispatch.planner.problem import Plan, Weights

SECONDS = 10.0
LATE = 8.0
"""Wall seconds beyond the CPU seconds asked for, after which a busy machine gets no more of them."""


@dataclass(frozen=True)
class Published:
    """The published objective in its parts."""

    travel: float
    total_tardiness: float
    max_tardiness: float

    @property
    def cost(self) -> float:
        return (self.travel + self.total_tardiness + self.max_tardiness) / 3


def main(argv: list[str]) -> int:
    options = parse(argv)
    try:
        instance = read_instance(options.file)
    except BadInstance as error:
        raise Unusable(f"无法使用这个文件。 This file cannot be used. {error}") from error
    compiled = warmed_up()
    plan = solved(instance, seconds=options.seconds, seed=options.seed)
    if options.out:
        write(options.out, json.dumps(write_solution(instance, plan)))
    row = figures(instance, plan, best=options.best) | {"seed": options.seed, "compile_seconds": round(compiled, 1)}
    if options.json:
        print(json.dumps(row, ensure_ascii=False, indent=1))
    else:
        show(row)
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run solve", description="求解公开算例 Plan an instance of the published format"
    )
    parser.add_argument("file", type=Path, help="算例 instance: .json / .json.gz")
    parser.add_argument("--seconds", type=positive, default=SECONDS, metavar="S", help="CPU 秒 CPU seconds (10)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="随机种子 same seed, same path of search (1)")
    parser.add_argument("--out", type=Path, metavar="SOLUTION.json", help="写出解 write the published solution format")
    parser.add_argument("--best", type=positive, metavar="COST", help="已知最好值 best known cost, to print the gap")
    parser.add_argument("--json", action="store_true", help="供程序读取 for machines")
    options = parser.parse_args(argv)
    if options.out and not options.out.parent.is_dir():
        parser.error(f"没有文件夹 there is no folder {options.out.parent}")
    return options


def positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("必须大于 0 must be greater than 0")
    return number


def warmed_up() -> float:
    """Compile the search, or load what was compiled before; return the seconds it took."""
    say("准备 Preparing …")
    began = time.monotonic()
    from yinling.dispatch.planner.search import warm_up  # noqa: PLC0415 - the compiler is loaded here, inside the clock

    warm_up()
    took = time.monotonic() - began
    say(f"准备 compile {took:.1f} s")
    return took


def solved(instance: Instance, *, seconds: float, seed: int) -> Plan:
    """Return the best plan found; the wall clock ends it on a machine that is too busy."""
    from yinling.dispatch.planner.search import solve  # noqa: PLC0415 - as above

    return solve(
        instance.problem,
        Weights.published(),
        seconds=seconds,
        seed=seed,
        report=progress(time.monotonic() + seconds + LATE),
    )


def progress(end: float) -> Callable[[float, float], bool]:
    """Return what the search calls twice a second: prints how far it is on a screen, and says whether to go on."""
    is_screen = sys.stderr.isatty()

    def report(share: float, best: float) -> bool:
        if is_screen:
            print(f"\r{share:4.0%}  {best:.3f} ", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
        return time.monotonic() < end

    return report


def figures(instance: Instance, plan: Plan, *, best: float | None) -> dict[str, object]:
    """Return what is printed; the objective is that of the solution file, with its unrounded distances."""
    published = objective(instance, plan)
    row: dict[str, object] = {
        "instance": instance.name,
        "cost": round(published.cost, 4),
        "travel": round(published.travel, 4),
        "total_tardiness": round(published.total_tardiness, 4),
        "max_tardiness": round(published.max_tardiness, 4),
        "cpu_seconds": round(plan.cpu_seconds, 2),
        "moves": plan.moves,
        "left": {instance.visits[one.visit]: one.code for one in plan.left},
    }
    return row | ({} if best is None else {"gap_percent": round(100 * (published.cost / best - 1), 4)})


def objective(instance: Instance, plan: Plan) -> Published:
    starts, visits = exact_starts(instance, plan), instance.problem.visits
    late = [max(0.0, start - visits[visit].closes) for (visit, _), start in starts.items()]
    rounds = [[0, *(visits[stop.visit].place for stop in route), 0] for route in plan.routes if route]
    travel = sum(float(instance.distances[here, there]) for places in rounds for here, there in pairwise(places))
    return Published(travel, sum(late), max(late, default=0.0))


def show(row: dict[str, object]) -> None:
    names = {
        "cost": "目标值 cost",
        "travel": "行程 travel",
        "total_tardiness": "迟到合计 total tardiness",
        "max_tardiness": "最大迟到 max tardiness",
        "gap_percent": "差距 gap %",
        "moves": "步数 moves",
        "cpu_seconds": "CPU 秒 CPU s",
        "compile_seconds": "准备 compile s",
    }
    for key, label in names.items():
        if key in row:
            print(f"{label}: {row[key]}")
    left = row["left"]
    if isinstance(left, dict) and left:
        print("未安排 left out: " + ", ".join(f"{name} ({code})" for name, code in left.items()))


def write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise Unusable(f"无法写入 {path}。 Cannot write {path}.") from error


def say(text: str) -> None:
    """Progress goes beside the figures, never into them."""
    print(text, file=sys.stderr, flush=True)
