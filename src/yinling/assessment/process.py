"""The dated settings of a scale's process in an area: its own value, else the one that holds for every scale."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from yinling.assessment.rules import Process
from yinling.assessment.scoring import Settings
from yinling.assessment.states import OPEN, RequestState
from yinling.ground.parameters import parameter, parameters
from yinling.kernel.parameters import Entry
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.kernel.workdays import WorkingCalendar

ANY = "any"


def entry_of(scale_id: str, name: str, div: str, on: date) -> Entry:
    """Return one setting with its source. Raises Refused ``parameter.missing`` where a city must give it and has not."""
    own = f"assessment.{scale_id}.{name}"
    if own in parameters().keys() and any(  # noqa: SIM118 - not a dict
        entry.valid.contains(on) and div.startswith(entry.area) for entry in parameters().entries(own)
    ):
        return parameters().entry(own, div, on)
    return parameters().entry(f"assessment.{ANY}.{name}", div, on)


def setting(scale_id: str, name: str, div: str, on: date) -> Any:
    """Return the value of one setting: the scale's own, else the one that holds for every scale."""
    return deepcopy(entry_of(scale_id, name, div, on).value)


def process(scale_id: str, div: str, on: date) -> Process:
    """Return everything a scale asks of its process in an area on a day."""
    values: dict[str, Any] = {}
    for field in fields(Process):
        value = setting(scale_id, field.name, div, on)
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return Process(**values)


def months_valid(scale_id: str, level: str, div: str, on: date) -> int:
    """Return how many months a result at a level holds.

    Where severe levels have a term of their own, the others have the one that the city sets and no other: ``parameter.missing`` without it.
    """
    severe = setting(scale_id, "severe_levels", div, on)
    if level in severe:
        return int(setting(scale_id, "valid_months_severe", div, on))
    return int(
        parameter(f"assessment.{scale_id}.valid_months", div, on)
        if severe
        else setting(scale_id, "valid_months", div, on)
    )


@dataclass(frozen=True)
class Term:
    """A term in working days: what for, its last day, and whether that is still to be done."""

    label: str
    last_day: date
    is_open: bool

    def is_over(self, today: date) -> bool:
        """Whether what is still to be done should have been done before today."""
        return self.is_open and self.last_day < today


def terms(
    scale_id: str, div: str, state: str, *, applied_on: date, verified_on: date | None, calendar: WorkingCalendar
) -> list[Term]:
    """Return by when an application is to be answered and, once accepted, by when the result is to be there."""
    found = []
    for name, label, start, is_open in (
        ("verify_workdays", N_("受理期限"), applied_on, state == RequestState.APPLIED),
        ("deliver_workdays", N_("出结果期限"), verified_on, state in OPEN),
    ):
        days = int(setting(scale_id, name, div, start)) if start else 0
        if start and days:
            found.append(Term(label, calendar.add_working_days(start, days).day, is_open))
    return found


def scoring_settings(scale_id: str, div: str, on: date, *, confirmed_by: str = "") -> Settings:
    """Return the choices of a city that the scorer asks for."""
    cut_offs = setting(scale_id, "cut_offs", div, on)
    return Settings(
        stacking=setting(scale_id, "stacking", div, on),
        matrix_confirmed_by=confirmed_by,
        morse_cut_offs=tuple(cut_offs) if cut_offs else None,
    )


def entries(scale_id: str, div: str, on: date) -> list[tuple[str, Entry]]:
    """Return every setting of a scale in force with its source."""
    keys = [key.split(".") for key in parameters().keys()]  # noqa: SIM118 - not a dict
    names = {key[2] for key in keys if key[0] == "assessment" and key[1] in (scale_id, ANY)}
    own = {"valid_months"} if setting(scale_id, "severe_levels", div, on) else set()
    found = []
    for name in sorted(names):
        with suppress(Refused, KeyError):
            key = f"assessment.{scale_id}.{name}"
            found.append((name, parameters().entry(key, div, on) if name in own else entry_of(scale_id, name, div, on)))
    return found
