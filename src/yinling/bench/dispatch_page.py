"""``./run bench dispatch --write``: the page of results, every instance with its limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean

from yinling.bench.catalogue import PLANNER_SEED
from yinling.bench.dispatch_runs import Run
from yinling.bench.figures import Figure, circumstances
from yinling.cli.paths import ROOT

PAGE = ROOT / "docs" / "dispatch-numbers.md"
HEAD = """# Numbers of the batch planner

Made by `./run bench dispatch --write`; do not edit. Gap = 100 x (cost / best known - 1); negative is better than the best value published with
a solution file (multi-neighbourhood simulated annealing, Ceschia et al. 2024). Each solution was written in the published format and the
objective recomputed from the two files by code that shares nothing with the planner. Seconds are CPU seconds of one thread after the warm-up.
The planner has the same parameters for every instance.
"""


def write(runs: Sequence[Run], compared: Sequence[Figure], *, quick: bool) -> None:
    """Rewrite the page."""
    around = circumstances(seed=PLANNER_SEED, quick=quick)
    versions = ", ".join(f"{name} {version}" for name, version in around.versions.items() if name in OF_INTEREST)
    under = f"{around.machine}; {versions}; seed {around.seed}; {'one instance a set' if quick else 'all instances'}."
    parts = [HEAD, under, "\n## Mean gap by set\n", *_sets(runs), "\n## Every instance\n", *_instances(runs)]
    if compared:
        parts += ["\n## Against general tools\n", *_compared(compared)]
    PAGE.write_text("\n".join(parts) + "\n", "utf-8")


OF_INTEREST = ("python", "numba", "numpy")


def _limits(runs: Sequence[Run]) -> list[float]:
    return sorted({run.job.seconds for run in runs})


def _sets(runs: Sequence[Run]) -> Iterator[str]:
    limits = _limits(runs)
    yield "| set | instances |" + "".join(f" mean gap {limit:g} s | worst {limit:g} s |" for limit in limits)
    yield "| --- | ---: |" + " ---: | ---: |" * len(limits)
    for name in sorted({run.job.set for run in runs}):
        mine = [run for run in runs if run.job.set == name]
        cells = ""
        for limit in limits:
            gaps = [run.gap for run in mine if run.job.seconds == limit and run.gap is not None]
            cells += f" {mean(gaps):+.3f} % | {max(gaps):+.3f} % |" if gaps else " | |"
        yield f"| {name} | {len({run.job.name for run in mine})} |{cells}"


def _instances(runs: Sequence[Run]) -> Iterator[str]:
    yield "| instance | seconds | cost | travel | total tardiness | max tardiness | best known | gap |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for run in sorted(runs, key=lambda one: (one.job.set, one.job.path.name, one.job.seconds)):
        best = "" if run.job.best_known is None else f"{run.job.best_known:.3f}"
        gap = "" if run.gap is None else f"{run.gap:+.3f} %"
        yield (
            f"| {run.job.name} | {run.job.seconds:g} | {run.cost:.3f} | {run.travel:.3f} | {run.total_tardiness:.3f} | "
            f"{run.max_tardiness:.3f} | {best} | {gap} |"
        )


def _compared(figures: Sequence[Figure]) -> Iterator[str]:
    yield "| figure | value | goal | how |"
    yield "| --- | ---: | ---: | --- |"
    for figure in figures:
        yield f"| {figure.name} | {figure.value:g} {figure.unit} | {figure.goal} | {figure.yardstick} |"
