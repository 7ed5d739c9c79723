"""The batch planner on published instances, and against VROOM and PyVRP where those can say the same problem.

Every solution goes through its file and is recomputed by ``published``, which shares no code with the planner. Seconds are CPU seconds of one
thread; as many instances as the machine has processors run side by side, each in a process of its own.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path
from statistics import mean

from yinling.bench import dispatch_page, rivals
from yinling.bench.catalogue import PLANNER_SEED
from yinling.bench.dispatch_runs import Job, Run
from yinling.bench.figures import Figure
from yinling.bench.goals import GAP_PERCENT, WORST_PERCENT
from yinling.bench.published import published_cost
from yinling.bench.recipes import home_care
from yinling.dispatch.planner.hhcrsp import read_instance, write_solution
from yinling.dispatch.planner.problem import Weights
from yinling.dispatch.planner.search import solve, warm_up

FOLDER = "YINLING_HHCRSP"
LIMITS, QUICK_LIMITS = (10.0, 60.0), (10.0,)
SIZES = {"A": (10, 3), "B": (25, 5), "C": (50, 10), "D": (75, 15), "E": (100, 20), "F": (200, 30), "G": (300, 40)}
MADE_OF_A_SET = 3
WHERE = (
    "没有算例，改用自造的同类算例。 No instances in {folder}: made-up ones of the same recipe are used, which have no best known value.\n"
    "算例来源 The published ones: repository iolab-uniud/hhcrsp (folders instances/mankowska, kummer, Italian), one JSON (or .json.gz) a file,\n"
    "with best_known.csv (columns id, best_known); --instances DIR or {variable}."
)


def measure(
    home: Path, *, quick: bool, seconds: float | None = None, instances: Path | None = None, write: bool = False
) -> list[Figure]:
    """Solve all instances (quick: the first of each set) and hold their gaps against the goals."""
    limits = (seconds,) if seconds else QUICK_LIMITS if quick else LIMITS
    found = _instances(home, instances)
    if quick:
        found = {name: files[:1] for name, files in found.items()}
    compiled = _compile_seconds(quick=quick)
    best = _best_known(next(iter(found.values()))[0].parent)
    jobs = [
        Job(path, limit, best.get(path.name.split(".json")[0]))
        for limit in limits
        for files in found.values()
        for path in files
    ]
    runs = _run(jobs)
    compared = rivals.compare(quick=quick)
    figures = [*_figures(runs), *compared, Figure("dispatch.compile", compiled, "s", _compile_note(quick=quick))]
    if write:
        dispatch_page.write(runs, compared, quick=quick)
    return figures


def _instances(home: Path, chosen: Path | None) -> dict[str, list[Path]]:
    """Return the files by set; made-up ones if there are none."""
    folder = chosen or Path(os.environ.get(FOLDER) or home / "hhcrsp")
    found = sorted([*folder.glob("*.json"), *folder.glob("*.json.gz")], key=_order)
    if not found:
        print(WHERE.format(folder=folder, variable=FOLDER), file=sys.stderr, flush=True)
        found = sorted(_made(home / "hhcrsp_made"), key=_order)
    by_set = groupby(found, lambda path: Job(path, 0, None).set)
    return {name: list(files) for name, files in by_set}


def _order(path: Path) -> tuple[str, list[int]]:
    return Job(path, 0, None).set, [int(number) for number in re.findall(r"\d+", path.name)]


def _made(folder: Path) -> Iterator[Path]:
    """Write instances of the published recipe and sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (patients, carers) in SIZES.items():
        for number in range(1, MADE_OF_A_SET + 1):
            path = folder / f"{name}{number}.json"
            path.write_text(json.dumps(home_care(patients, carers, number)), "utf-8")
            yield path


def _best_known(folder: Path) -> dict[str, float]:
    path = folder / "best_known.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["id"]: float(row["best_known"]) for row in csv.DictReader(lines) if row["best_known"]}


def _run(jobs: Sequence[Job]) -> list[Run]:
    """Solve side by side, the largest first, and say how far it is."""
    runs = []
    queue = sorted(jobs, key=lambda job: -job.seconds)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=warm_up) as pool:
        for number, run in enumerate(pool.map(solve_file, queue), 1):
            runs.append(run)
            gap = "" if run.gap is None else f" {run.gap:+.2f} %"
            print(f"{number}/{len(queue)} {run.job.name} {run.job.seconds:g} s: {run.cost:.3f}{gap}", file=sys.stderr)
    return runs


def solve_file(job: Job) -> Run:
    """Solve one instance and recompute the objective from the two files."""
    instance = read_instance(job.path)
    plan = solve(instance.problem, Weights.published(), seconds=job.seconds, seed=PLANNER_SEED)
    solution = json.loads(json.dumps(write_solution(instance, plan)))
    counted = published_cost(rivals.read_json(job.path), solution)
    return Run(
        job,
        counted.cost,
        counted.travel,
        counted.total_tardiness,
        counted.max_tardiness,
        plan.moves,
        plan.cpu_seconds,
    )


def _figures(runs: Sequence[Run]) -> Iterator[Figure]:
    """One figure a set and limit, and the worst instance of each limit."""
    for seconds in sorted({run.job.seconds for run in runs}):
        mine = [run for run in runs if run.job.seconds == seconds]
        for name in sorted({run.job.set for run in mine}):
            yield _of_set(name, seconds, [run for run in mine if run.job.set == name])
        known = [run for run in mine if run.gap is not None]
        if known:
            worst = max(known, key=lambda run: run.gap or 0.0)
            most = WORST_PERCENT if seconds >= LIMITS[-1] else None
            note = f"{worst.job.name}, of {len(known)} instances"
            yield Figure(f"dispatch.worst.{seconds:g}s", round(worst.gap or 0.0, 3), "%", note, most=most)


def _of_set(name: str, seconds: float, runs: Sequence[Run]) -> Figure:
    gaps = [run.gap for run in runs if run.gap is not None]
    label = f"dispatch.{name}.{seconds:g}s"
    if not gaps:
        return Figure(label, round(mean(run.cost for run in runs), 3), "cost", f"mean of {len(runs)}, none known")
    limits = [limit for limit in GAP_PERCENT if limit <= seconds]
    note = f"mean gap to the best known of {len(gaps)}; best {min(gaps):+.2f}, worst {max(gaps):+.2f}"
    return Figure(label, round(mean(gaps), 3), "%", note, most=GAP_PERCENT[max(limits)] if limits else None)


def _compile_seconds(*, quick: bool) -> float:
    """Return the seconds a process needs before it can plan: with an empty cache, or (quick) with the cache as it is."""
    program = "from yinling.dispatch.planner.search import warm_up; warm_up()"
    with tempfile.TemporaryDirectory() as folder:
        cache = {} if quick else {"NUMBA_CACHE_DIR": folder}
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", program], env=os.environ | cache, check=True)
    return round(time.monotonic() - began, 1)


def _compile_note(*, quick: bool) -> str:
    return "start and warm-up, compiled before" if quick else "start and warm-up with nothing compiled, once a machine"
