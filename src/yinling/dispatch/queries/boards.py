"""What the desk is shown of a plan: rounds, stops, what is left out, cost, and what a move or another version changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Place = tuple[float, float]
"""Longitude and latitude in WGS-84."""


@dataclass(frozen=True)
class CostRow:
    """One part of the cost vector: in its own unit, and weighted."""

    code: str
    label: str
    amount: float
    weighted: float


@dataclass(frozen=True)
class StopRow:
    """One carer's part of an order in a round. ``warnings`` are sentences; ``number`` is the place in the round, from 1."""

    order_id: int
    slot: int
    number: int
    code: str
    elder_id: int
    elder_name: str
    address: str
    lon: float | None
    lat: float | None
    starts_at: datetime
    ends_at: datetime
    earliest_at: datetime
    latest_at: datetime
    way_minutes: int
    late_minutes: int
    is_locked: bool
    is_urgent: bool
    carers_needed: int
    item: str
    order_state: str
    assignment_state: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class RouteRow:
    """The round of one carer. ``breaks`` are (from, to); ``start`` and ``end`` the site or the home, where known."""

    staff_id: int
    name: str
    mode: str
    is_locked: bool
    work_minutes: int
    way_minutes: int
    contract_minutes: int
    most_minutes: int
    day_from: datetime
    day_to: datetime
    breaks: tuple[tuple[datetime, datetime], ...]
    away: str
    stops: tuple[StopRow, ...]
    start: Place | None
    end: Place | None


@dataclass(frozen=True)
class LeftRow:
    """A part of an order nobody goes to, and why."""

    order_id: int
    slot: int
    code: str
    elder_id: int
    elder_name: str
    address: str
    lon: float | None
    lat: float | None
    earliest_at: datetime
    latest_at: datetime
    minutes: int
    is_urgent: bool
    carers_needed: int
    item: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Totals:
    """A plan in numbers: minutes are sums over all rounds."""

    visits: int
    left: int
    carers: int
    idle_carers: int
    work_minutes: int
    way_minutes: int
    late_visits: int
    late_minutes: int


@dataclass(frozen=True)
class Board:
    """A version of a day's plan. ``routes`` has every carer of the area, those without a stop too; ``notes`` are sentences."""

    routes: tuple[RouteRow, ...]
    left: tuple[LeftRow, ...]
    cost: tuple[CostRow, ...]
    totals: Totals
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effect:
    """What a move would do. Not ``feasible``: ``reasons`` say why, and the move is refused with the first of them."""

    feasible: bool
    reasons: tuple[str, ...] = ()
    cost_delta: float = 0.0
    way_delta_minutes: int = 0
    late_delta_minutes: int = 0
    starts_at: datetime | None = None
    shifted: tuple[tuple[int, datetime, datetime], ...] = ()
    """Other orders whose time changes: order, time before, time after."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChangedVisit:
    """A part of an order that differs between two versions; an empty name: left out."""

    order_id: int
    slot: int
    code: str
    elder_name: str
    carer_before: str
    carer_after: str
    starts_before: datetime | None
    starts_after: datetime | None


@dataclass(frozen=True)
class Comparison:
    """Two versions side by side. ``cost`` has (code, label, weighted in a, weighted in b)."""

    cost: tuple[tuple[str, str, float, float], ...]
    changed: tuple[ChangedVisit, ...]
    other_carer: int
    """Elders who get another carer."""
    moved: int
    """Visits that move by more than 15 minutes."""
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Visits, left out, minutes on the way and late minutes, in a and in b."""
