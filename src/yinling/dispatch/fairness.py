"""How evenly the work of a plan is shared, from sums, so that a change of two rounds is priced without the others. Pure.

Agrees with ``planner.evaluate.imbalance``: squared hours above or below a share that goes by the length of each carer's day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from yinling.dispatch.planner.build import day_length
from yinling.dispatch.planner.problem import Worker

HOUR_SQUARE = 3600


@dataclass(frozen=True)
class Fairness:
    """Sums over all carers of work (minutes), of the length of the day, and of their products."""

    work: float = 0.0
    square: float = 0.0
    work_length: float = 0.0
    length: float = 0.0
    length_square: float = 0.0

    @classmethod
    def of(cls, workers: Iterable[Worker], work: Iterable[float]) -> Fairness:
        """Count a whole plan."""
        found = cls()
        for worker, minutes in zip(workers, work, strict=True):
            length = day_length(worker.day_from, worker.day_to)
            found = cls(
                found.work + minutes,
                found.square + minutes * minutes,
                found.work_length + minutes * length,
                found.length + length,
                found.length_square + length * length,
            )
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, float]) -> Fairness:
        """Read what ``as_json`` wrote."""
        return cls(**stored) if stored else cls()

    def as_json(self) -> dict[str, float]:
        """Return the sums as a plan keeps them."""
        return asdict(self)

    @property
    def imbalance(self) -> float:
        """The squared hours above or below the share."""
        share = self.work / max(self.length, 1.0)
        return (self.square - 2 * share * self.work_length + share * share * self.length_square) / HOUR_SQUARE

    def changed(self, worker: Worker, before: float, after: float) -> Fairness:
        """Return the sums when one carer's minutes change."""
        length = day_length(worker.day_from, worker.day_to)
        return Fairness(
            self.work + after - before,
            self.square + after * after - before * before,
            self.work_length + (after - before) * length,
            self.length,
            self.length_square,
        )
