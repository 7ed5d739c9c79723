"""One instance that the batch planner is asked to solve, and what came out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SET = re.compile(r"IT|[A-Z]")


@dataclass(frozen=True)
class Job:
    """One instance, to be solved once."""

    path: Path
    seconds: float
    best_known: float | None

    @property
    def name(self) -> str:
        """Return the name of the file without its ends."""
        return self.path.name.removesuffix(".gz").removesuffix(".json")

    @property
    def set(self) -> str:
        """Return the letters in front: A to G, K (Kummer), IT (Italian cities)."""
        found = SET.match(self.name)
        return found.group() if found else "other"


@dataclass(frozen=True)
class Run:
    """What came out, recomputed from the solution file."""

    job: Job
    cost: float
    travel: float
    total_tardiness: float
    max_tardiness: float
    moves: int
    cpu_seconds: float

    @property
    def gap(self) -> float | None:
        """Return by how many percent the cost is above the best known."""
        best = self.job.best_known
        return None if best is None else 100 * (self.cost / best - 1)
