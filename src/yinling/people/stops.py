"""What a death, a move or a stay away from home stops, from which moment, and what becomes of each order and bill (R-PEO-03). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from yinling.kernel.period import ONE_DAY, local_midnight
from yinling.kernel.words import N_

DEATH = "deceased"
ENDING = (DEATH, "moved_away")
"""What ends orders and benefits for good."""
IN_INSTITUTION = "in_institution"
RESTING = ("in_hospital", IN_INSTITUTION)
"""What lets them rest until the elder is home again."""
STOPPING = (*ENDING, *RESTING)
NOT_STARTED = frozenset({"placed", "accepted", "assigned"})
PERFORMED = frozenset({"served", "settled", "closed"})
TOLD = {
    DEATH: N_("老人已去世"),
    "moved_away": N_("老人已迁出"),
    "in_hospital": N_("老人暂时不在家"),
    "in_institution": N_("老人暂时不在家"),
}
"""What providers and carers read: that nobody is at home, never why."""


@dataclass(frozen=True)
class Stop:
    """One reason to stop: its kind, the row on record that caused it, and the moments between which it holds."""

    kind: str
    cause: str
    from_at: datetime
    to_at: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Whether it covers a moment."""
        return self.from_at <= moment and (self.to_at is None or moment < self.to_at)


@dataclass(frozen=True)
class Fate:
    """What becomes of an order: keep, cancel, suspend or recover; why, by which stop, and since when."""

    verb: str
    reason: str
    stop: Stop | None = None

    @property
    def cause(self) -> str:
        """The row on record that caused it."""
        return self.stop.cause if self.stop else ""


KEPT = Fate("keep", "")


def cause_of(circumstance_id: int) -> str:
    """Return how everything stopped by a circumstance names it."""
    return f"people.circumstance:{circumstance_id}"


def end_of_life(died_on: date, died_at: datetime | None) -> datetime:
    """Return the moment from which nothing is payable: the hour of death, or, with only the day known, the end of that day."""
    return died_at or local_midnight(died_on + ONE_DAY)


def stop_of(kind: str, cause: str, days: tuple[date, date | None]) -> Stop:
    """Return the stop of a circumstance that holds from a day up to, not including, another."""
    first, end = days
    return Stop(kind, cause, local_midnight(first), None if end is None else local_midnight(end))


def fate_of(*, state: str, starts_at: datetime, now: datetime, stops: Iterable[Stop]) -> Fate:
    """Say what becomes of an order. Of several stops the first in ``STOPPING`` that touches it decides.

    Not started: cancelled if it lies after the death or the move, suspended while the elder is away and cancelled when its time passes
    meanwhile. Under way: left to its end. Performed: to be recovered if it began after the death or the move.
    """
    for stop in sorted(stops, key=lambda one: STOPPING.index(one.kind)):
        found = _touched(state, starts_at, now, stop)
        if found is not None:
            return found
    return KEPT


def _touched(state: str, starts_at: datetime, now: datetime, stop: Stop) -> Fate | None:
    if state in NOT_STARTED:
        return _not_started(starts_at, now, stop)
    if state == "in_service" and stop.from_at <= now:
        return Fate("keep", N_("服务正在进行，完成后按时间先后结算或列入追回清单"), stop)
    is_late = state in PERFORMED and stop.kind in ENDING and stop.holds_at(starts_at)
    return Fate("recover", N_("服务发生在停止之后"), stop) if is_late else None


def _not_started(starts_at: datetime, now: datetime, stop: Stop) -> Fate | None:
    if stop.holds_at(starts_at):
        waits = stop.kind in RESTING and starts_at > now
        return Fate("suspend" if waits else "cancel", TOLD[stop.kind], stop)
    if stop.kind != DEATH:
        return None
    if starts_at > now:
        return Fate("cancel", TOLD[stop.kind], stop)
    return Fate("keep", N_("预约时间在去世之前，是否服务由服务机构和调度核实"), stop)
