"""How a resource of the API is described and shown: rows, fields, filters, masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.period import DayPeriod, day_bounds
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

Rows = QuerySet[Any]
Narrow = Callable[[Rows, str], Rows]
VERSIONED = "version created_at changed_at"
DATED = "valid_from valid_to recorded_from recorded_to"
"""The columns that rows of a kind have in common."""
DIGITS = 18
"""More do not fit a number of a row."""


@dataclass(frozen=True)
class Resource:
    """One noun.

    ``names`` are attributes shown as they are, ``more`` computes others, ``detail`` those of a single row only; ``filters`` narrow the
    list by a value of the address.
    """

    noun: str
    model: type[Model]
    right: str
    rows: Callable[[Actor], Rows]
    names: str
    filters: Mapping[str, Narrow] = field(default_factory=dict)
    more: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    detail: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    order: str = "-pk"
    with_rows: tuple[str, ...] = ()

    @property
    def has_numbers(self) -> bool:
        """Whether its rows are numbered; others go by a code or a day."""
        return "AutoField" in self.model._meta.pk.get_internal_type()  # noqa: SLF001 - Django's own name

    def readable(self, actor: Actor) -> Rows:
        """Return the rows an actor may read: a representative only those of elders whom it represents in this matter."""
        rows = self.rows(actor)
        barred = [elder_id for elder_id, right in actor.withheld if right == self.right]
        return rows.exclude(elder_id__in=barred) if barred else rows

    @property
    def fields(self) -> tuple[str, ...]:
        """The attributes shown as they are."""
        return tuple(self.names.split())


def wrong(name: str) -> Refused:
    """Return the refusal of a filter's value."""
    return Refused("filter.invalid", N_("筛选条件 %(name)s 的值不正确"), field=name, name=name)


def number(name: str, lookup: str) -> Narrow:
    """Narrow by a whole number."""

    def narrow(rows: Rows, text: str) -> Rows:
        if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
            raise wrong(name)
        return rows.filter(**{lookup: int(text)})

    return narrow


def equal(lookup: str) -> Narrow:
    """Narrow by a text; several values are separated by commas."""
    return lambda rows, text: rows.filter(**{f"{lookup}__in": text.split(",")})


def ids(*names: str) -> dict[str, Narrow]:
    """Narrow by the numbers of other rows: ``elder=12``."""
    return {name: number(name, f"{name}_id") for name in names}


def texts(*names: str) -> dict[str, Narrow]:
    """Narrow by texts: ``state=open,handling``."""
    return {name: equal(name) for name in names}


def hidden(last4: str) -> str:
    """Show the last digits of a number only."""
    return f"****{last4}" if last4 else ""


def first_of_month(rows: Rows, text: str) -> Rows:
    """Narrow to a month: ``2026-11`` or its first day."""
    try:
        return rows.filter(month=date.fromisoformat(f"{text[:7]}-01"))
    except ValueError as error:
        raise wrong("month") from error


def within(column: str = "div") -> Narrow:
    """Narrow to a division and all below it."""
    return lambda rows, text: rows.filter(**{f"{column}__gte": text, f"{column}__lt": text + ":"})


def on_day(name: str, column: str) -> Narrow:
    """Narrow to the moments of one local day."""

    def narrow(rows: Rows, text: str) -> Rows:
        try:
            start, end = day_bounds(date.fromisoformat(text))
        except (ValueError, OverflowError) as error:
            raise wrong(name) from error
        return rows.filter(**{f"{column}__gte": start, f"{column}__lt": end})

    return narrow


def in_year(rows: Rows, text: str) -> Rows:
    """Narrow days to those of a year."""
    try:
        return rows.filter(day__gte=date(int(text), 1, 1), day__lte=date(int(text), 12, 31))
    except ValueError as error:
        raise wrong("year") from error


def holding_on(rows: Rows, text: str) -> Rows:
    """Narrow dated facts to those that hold on a day."""
    try:
        return rows.filter(in_force(date.fromisoformat(text)))
    except ValueError as error:
        raise wrong("on") from error


def visible(model: Any, *related: str) -> Callable[[Actor], Rows]:
    """Return the rows an actor may see."""
    return lambda actor: _joined(model.objects.visible_to(actor), related)


def everything(model: Any, *related: str) -> Callable[[Actor], Rows]:
    """Return all rows of a table that belongs to nobody in particular."""
    return lambda actor: _joined(model.objects.all(), related)  # noqa: ARG005 - one signature for all


def _joined(rows: Rows, related: tuple[str, ...]) -> Rows:
    """Read related rows along. Without names Django would join every row referred to, and hide what refers to an unseen one."""
    return rows.select_related(*related) if related else rows


def plain_value(value: Any) -> Any:
    """Return a value as JSON has it: moments with the local offset, days as ISO, decimals as text."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def last_day(row: Any) -> date | None:
    """Return the last day on which a dated row holds: stored half-open, shown inclusive (D-17)."""
    return DayPeriod(row.valid_from, row.valid_to).last_day


def shown(resource: Resource, row: Any, *, in_full: bool = True) -> dict[str, Any]:
    """Return a row as the API shows it; ``in_full`` adds what a list leaves out."""
    found = {name: plain_value(last_day(row) if name == "valid_to" else getattr(row, name)) for name in resource.fields}
    found |= {name: plain_value(make(row)) for name, make in resource.more.items()}
    if in_full:
        found |= {name: plain_value(make(row)) for name, make in resource.detail.items()}
    return {"id": row.pk, **found}
