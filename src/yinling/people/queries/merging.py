"""Files that look like one person, and what stands under two files that are to become one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, UniqueConstraint

from yinling.kernel.actor import Actor
from yinling.people.models import Elder, ElderKey, ImportLine, Merge

STAYS = (Elder, ElderKey, ImportLine, Merge)
"""What belongs to the file itself and never to the person."""


def elder_tables() -> Iterator[tuple[type[Model], str]]:
    """Every table with rows of an elder that may be changed, with the column that names the elder. Written once: never."""
    for model in apps.get_models():
        written_once = any(trigger.name == "append_only" for trigger in getattr(model._meta, "triggers", ()))  # noqa: SLF001
        if model in STAYS or written_once or getattr(model, "pgh_tracked_model", None) is not None:
            continue
        for column in model._meta.concrete_fields:  # noqa: SLF001 - Django's own name
            if column.related_model is Elder or column.name == "elder_id":
                yield model, column.name


def _same(model: type[Model], column: str, names: list[str], kept: int) -> QuerySet[Any]:
    """Rows of the kept elder that agree with an outer row in other columns."""
    return model._default_manager.filter(**{column: kept}, **{name: OuterRef(name) for name in names})  # noqa: SLF001


def _meets(model: type[Model], column: str, rule: UniqueConstraint, kept: int) -> Q:
    """Return the condition that a row has the same as one of the kept elder where that may stand once only."""
    names = [name for name in rule.fields if name != column]
    return Q(Exists(_same(model, column, names, kept).filter(rule.condition or Q())))


def _overlaps(model: type[Model], column: str, rule: ExclusionConstraint, kept: int) -> Q:
    """Return the condition that a row overlaps one of the kept elder where an exclusion constraint forbids it."""
    parts: list[tuple[Any, str]] = [
        (part, operator) for part, operator in rule.expressions if getattr(part, "name", "") != column
    ]
    names = [part.name for part, operator in parts if operator == RangeOperators.EQUAL]
    others = _same(model, column, names, kept).filter(rule.condition or Q())
    found = Q()
    for part, operator in parts:
        if operator == RangeOperators.OVERLAPS:
            start, end = (source.name for source in part.get_source_expressions())
            begun = others.filter(Q(**{f"{end}__gt": OuterRef(start)}) | Q(**{end: None}))
            found &= Q(Exists(begun.filter(**{f"{start}__lt": OuterRef(end)}))) | Q(Exists(begun), **{end: None})
    return found


def in_the_way(model: type[Model], column: str, kept: int, gone: int) -> set[int]:
    """Rows of the elder who goes that the tables' own constraints would refuse beside those of the kept one."""
    meta: Any = model._meta  # noqa: SLF001 - Django's own name
    found: set[int] = set()
    own = model._default_manager.filter(**{column: gone})  # noqa: SLF001
    if meta.get_field(column).unique and model._default_manager.filter(**{column: kept}).exists():  # noqa: SLF001
        found |= set(own.values_list("pk", flat=True))
    for rule in meta.constraints:
        if isinstance(rule, UniqueConstraint) and column in rule.fields:
            clash = _meets(model, column, rule, kept)
        elif isinstance(rule, ExclusionConstraint) and column in {
            getattr(part, "name", "") for part, _ in rule.expressions
        }:
            clash = _overlaps(model, column, rule, kept)
        else:
            continue
        found |= set(own.filter(rule.condition or Q()).filter(clash).values_list("pk", flat=True))
    return found


@dataclass(frozen=True)
class Pair:
    """Two files that look like one person, and why."""

    one: Elder
    other: Elder
    reasons: tuple[str, ...]


_AREA = "a.div >= %(low)s AND a.div < %(high)s AND b.div >= %(low)s AND b.div < %(high)s"
_OPEN = "a.merged_into_id IS NULL AND b.merged_into_id IS NULL AND b.id > a.id"
_DIFFER = "a.id_type = b.id_type AND a.id_number_index <> b.id_number_index"
_SHORT = "CASE WHEN length(a.name) < length(b.name) THEN a.name ELSE b.name END"
_LONG = "CASE WHEN length(a.name) < length(b.name) THEN b.name ELSE a.name END"
_REPLACED = "length(a.name) = length(b.name) AND " + " + ".join(
    f"(substr(a.name, {place}, 1) <> substr(b.name, {place}, 1))::int" for place in range(1, 6)
)
_DROPPED = "abs(length(a.name) - length(b.name)) = 1 AND (" + " OR ".join(
    f"overlay({_LONG} placing '' from {place} for 1) = {_SHORT}" for place in range(1, 6)
)
_PAIRS = f"""
    SELECT a.id AS one, b.id AS other, 'birth' AS reason
    FROM people_elder a JOIN people_elder b ON b.born_on = a.born_on AND b.name = a.name
    WHERE {_OPEN} AND {_AREA} AND ({_DIFFER}) IS NOT TRUE
    UNION ALL SELECT a.id, b.id, 'phone'
    FROM people_elder a JOIN people_elder b ON b.phone_index = a.phone_index AND b.name = a.name WHERE {_OPEN} AND {_AREA}
    UNION ALL SELECT a.id, b.id, 'household'
    FROM people_elder a JOIN people_elder b ON b.household_id = a.household_id AND b.name = a.name WHERE {_OPEN} AND {_AREA}
"""  # noqa: S608 - our own constants; the area goes as parameter
_NEAR = f"""
    UNION ALL SELECT a.id, b.id, 'near'
    FROM people_elder a JOIN people_elder b ON b.born_on = a.born_on AND b.sex = a.sex
    WHERE {_OPEN} AND {_AREA} AND ({_DIFFER}) IS NOT TRUE AND a.name <> b.name AND length(a.name) BETWEEN 2 AND 5
    AND length(b.name) BETWEEN 2 AND 5 AND (({_REPLACED} = 1) OR ({_DROPPED})))
"""  # noqa: S608 - as above
_DECIDED = (
    "SELECT FROM people_merge m WHERE m.undone_at IS NOT NULL AND "
    "((m.kept_id = one AND m.gone_id = other) OR (m.kept_id = other AND m.gone_id = one))"
)
_PAGE = "SELECT one, other, array_agg(DISTINCT reason) FROM ({pairs}) p WHERE NOT EXISTS ({decided}) GROUP BY one, other ORDER BY one, other"
_CITY = 4


class Pairs:
    """The pairs of an area by number, read a slice at a time. Nobody decided on them yet.

    Names one character apart are looked for below the city: among all who share a birth date there, they would be too many.
    """

    def __init__(self, actor: Actor, div: str) -> None:
        self.actor, self.div = actor, div

    def __getitem__(self, span: slice) -> list[Pair]:
        """Return the pairs from one place to another. Two queries."""
        low = self.div or self.actor.div or ""
        pairs = _PAIRS + (_NEAR if len(low) > _CITY else "")
        sql = _PAGE.format(pairs=pairs, decided=_DECIDED) + " OFFSET %(start)s LIMIT %(count)s"
        values = {"low": low, "high": low + ":", "start": span.start, "count": span.stop - span.start}
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            found = cursor.fetchall()
        numbers = {number for one, other, _ in found for number in (one, other)}
        elders = Elder.objects.visible_to(self.actor).select_related("household").in_bulk(numbers)
        return [
            Pair(elders[one], elders[other], tuple(reasons))
            for one, other, reasons in found
            if one in elders and other in elders
        ]


def kept_file(elder_id: int) -> int | None:
    """Return the file that a merged one leads to in the end, or nothing if it stands for itself."""
    found = _next_file(elder_id)
    while found is not None and (further := _next_file(found)) is not None:
        found = further
    return found


def _next_file(elder_id: int) -> int | None:
    return Elder.objects.filter(pk=elder_id).values_list("merged_into_id", flat=True).first()


def merged_numbers(elder_id: int) -> QuerySet[Any, int]:
    """Return the number of a file and those of the files merged into it and into these; the journal still stands under them.

    Each step is a part of its own: an OR over them would read all elders.
    """
    direct = Elder.objects.filter(merged_into=elder_id).values_list("pk", flat=True)
    further = Elder.objects.filter(merged_into__in=direct).values_list("pk", flat=True)
    return Elder.objects.filter(pk=elder_id).values_list("pk", flat=True).union(direct, further, all=True)


def merges_into(elder_id: int) -> QuerySet[Merge]:
    """The merges into a file that stand, the newest first."""
    return Merge.objects.filter(kept_id=elder_id, undone_at=None).select_related("gone", "merged_by").order_by("-id")
