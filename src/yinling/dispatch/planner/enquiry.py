"""What is asked about one order, and what is answered: plain values that can be sent to another process. Nothing names an elder."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Prices:
    """What the drawbacks cost in minutes on the way, and how fast people go: seconds a metre and the learned factor by mode."""

    travel_minute: float
    new_face: float
    other_dialect: float
    workload_hour: float
    pace: tuple[float, ...]
    factor: tuple[float, ...]
    mode: str


@dataclass(frozen=True)
class Enquiry:
    """One order as it is asked about; ISO moments, so that it can be sent. ``known`` served the elder before, ``wish`` is the appointed start.

    ``named`` are carers whose place in the ranking is wanted whatever it is. Who has the order already stands among ``declined``.
    """

    provider_id: int
    day: str
    div: str
    lon: float | None
    lat: float | None
    earliest: str
    latest: str
    wish: str
    seconds: float
    needs: tuple[str, ...]
    wants_sex: str
    dialect: str
    prices: Prices
    known: tuple[int, ...] = ()
    declined: tuple[int, ...] = ()
    avoided: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    limit: int = 10
    carers_needed: int = 1
    step_seconds: float = 1

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is sent."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Enquiry:
        """Return what was sent."""
        return cls(**_with_tuples(values) | {"prices": Prices(**_with_tuples(values["prices"]))})


@dataclass(frozen=True)
class Fit:
    """A carer, or two who start together, when, and at what cost."""

    staff_ids: tuple[int, ...]
    starts_at: datetime
    cost: float


@dataclass(frozen=True)
class Found:
    """The best fits; the place of those who were named; how many carers may go (``free``), and what first keeps the others away."""

    best: tuple[Fit, ...]
    named: dict[int, tuple[int, Fit]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is sent."""
        fits = [_sent(one) for one in self.best]
        return {
            "best": fits,
            "named": {str(pk): [place, _sent(one)] for pk, (place, one) in self.named.items()},
            "counts": self.counts,
        }

    @classmethod
    def of(cls, values: dict[str, Any]) -> Found:
        """Return what was sent."""
        named = {int(pk): (place, _received(one)) for pk, (place, one) in values["named"].items()}
        return cls(tuple(map(_received, values["best"])), named, values["counts"])


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}


def _sent(one: Fit) -> list[Any]:
    return [list(one.staff_ids), one.starts_at.isoformat(), one.cost]


def _received(values: list[Any]) -> Fit:
    staff_ids, starts_at, cost = values
    return Fit(tuple(staff_ids), datetime.fromisoformat(starts_at), cost)
