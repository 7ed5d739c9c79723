"""Who may have what: all elders of an area at once. The same terms as the pure rule, as one statement for all schemes.

Circumstances, results and entitlements are gathered once into bit masks; every scheme is then boolean arithmetic on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from yinling.assessment.models import Assessment
from yinling.assessment.queries.results import deciding
from yinling.entitlements.conditions import Age, Grade, Holds, Kinds, Levels, Resident, Term
from yinling.entitlements.eligibility import MOVED_AWAY
from yinling.entitlements.models import Entitlement, Scheme
from yinling.entitlements.queries.eligibility import terms_of
from yinling.ground.models import in_force
from yinling.kernel.period import born_by
from yinling.people.models import Circumstance, Elder

EPOCH = date(1900, 1, 1)
# A result as one number, so that the last one assessed is the greatest: days since 1900, then the scale (first name wins), then the level.
_PER_DAY, _PER_SCALE = 1_000_000, 1_000
_MOST_SCALES = 999


@dataclass
class Masks:
    """The bits and numbers that the terms of a run have been given; values go to the database as parameters."""

    on: date
    bits: dict[str, int] = field(default_factory=dict)
    levels: dict[tuple[str, str], int] = field(default_factory=dict)
    results: dict[Levels, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    uses_household: bool = False

    def kinds(self, wanted: frozenset[str]) -> int:
        """Return the mask of circumstances."""
        return sum(1 << self.bits.setdefault(kind, len(self.bits)) for kind in sorted(wanted))

    def term(self, term: Term) -> str:
        """Return a term as SQL on the gathered columns. Only numbers and dates that we computed stand in it."""
        if isinstance(term, Age):
            return self.age(term)
        if isinstance(term, Kinds):
            self.uses_household |= term.of_household
            column = "p.others" if term.of_household else "p.kinds"
            return f"{column} & {self.kinds(term.kinds)} <> 0"
        if isinstance(term, Levels):
            for pair in sorted(term.results):
                self.levels.setdefault(pair, len(self.levels) + 1)
            return f"p.results & {1 << self.results.setdefault(term, len(self.results))} <> 0"
        if isinstance(term, Holds):
            return f"p.held & {1 << self.codes.setdefault(term.code, len(self.codes))} <> 0"
        if isinstance(term, Resident):
            return "p.is_resident"
        return _below("p.hukou_div", term.div)

    def age(self, term: Age) -> str:
        """Ages as birthdays, so that nothing is computed per person."""
        parts = []
        if term.least is not None:
            parts.append(f"p.born_on <= '{born_by(term.least, self.on)}'::date")
        if term.most is not None:
            parts.append(f"p.born_on > '{born_by(term.most + 1, self.on)}'::date")
        return f"({' AND '.join(parts)})"

    def grade(self, grade: Grade) -> str:
        """Return whether a grade fits, as SQL."""
        parts = [f"({' OR '.join(map(self.term, group.terms))})" for group in grade.groups]
        parts += [f"NOT ({' OR '.join(map(self.term, group.terms))})" for group in grade.unless]
        return " AND ".join(parts) or "true"


def _below(column: str, div: str) -> str:
    if not div.isalnum() and div:
        raise ValueError(f"{div!r} is no division code")
    return f"({column} >= '{div}' AND {column} < '{div}:')"


def _case(scheme: Scheme, narrower: Sequence[str], grades: Sequence[Grade], masks: Masks) -> str:
    """Return the place of the first grade that fits, as SQL; only in the area of the scheme, less those with one of their own."""
    if not grades:
        return "NULL::smallint"
    area = " AND ".join([_below("p.div", scheme.div), *(f"NOT {_below('p.div', div)}" for div in narrower)])
    whens = " ".join(f"WHEN {masks.grade(grade)} THEN {place}" for place, grade in enumerate(grades))
    return f"CASE WHEN NOT ({area}) THEN NULL {whens} END::smallint"


def _bit_case(column: str, bits: dict[str, int]) -> tuple[str, list[str]]:
    """Return a sum of bits over the rows of a group."""
    if not bits:
        return "0::bigint", []
    whens = " ".join(f"WHEN %s THEN {1 << place}" for place in bits.values())
    return f"coalesce(bit_or(CASE {column} {whens} ELSE 0 END::bigint), 0)", list(bits)


def _result_bits(masks: Masks) -> tuple[str, str, list[str]]:
    """Return the number of one result, and the bits of all terms over the results of a person."""
    scales = sorted({scale for term in masks.results for scale in term.scales})
    ranks = {scale: _MOST_SCALES - place for place, scale in enumerate(scales)}
    values: list[str] = []
    whens = []
    for (scale, level), number in masks.levels.items():
        whens.append(f"WHEN scale = %s AND level = %s THEN {number}")
        values += [scale, level]
    level = f"CASE {' '.join(whens)} ELSE 0 END" if whens else "0"
    rank_whens = " ".join(f"WHEN %s THEN {rank}" for rank in ranks.values())
    rank = f"CASE scale {rank_whens} ELSE 0 END" if ranks else "0"
    as_number = f"(assessed_on - '{EPOCH}'::date)::bigint * {_PER_DAY} + {rank} * {_PER_SCALE} + {level}"
    bits = []
    for term, place in masks.results.items():
        among = ", ".join(str(ranks[scale]) for scale in sorted(term.scales)) or "-1"
        wanted = ", ".join(str(masks.levels[pair]) for pair in sorted(term.results))
        last = f"max(number) FILTER (WHERE number / {_PER_SCALE} %% {_PER_SCALE} IN ({among}))"
        bits.append(f"CASE WHEN {last} %% {_PER_SCALE} IN ({wanted}) THEN {1 << place}::bigint ELSE 0 END")
    return as_number, " + ".join(bits) or "0::bigint", [*scales, *values]


def statement(schemes: Sequence[Scheme], div: str, on: date) -> tuple[str, list[Any]]:
    """Return one SELECT of (elder_id, div, places): for every elder of a division the place of the grade of each scheme, or null."""
    masks = Masks(on)
    masks.kinds(frozenset({MOVED_AWAY}))
    areas = {scheme.code: [other.div for other in schemes if other.code == scheme.code] for scheme in schemes}
    cases = []
    for scheme in schemes:
        terms = terms_of(scheme.code, scheme.div, on)
        narrower = [area for area in areas[scheme.code] if area != scheme.div and area.startswith(scheme.div)]
        cases.append(_case(scheme, narrower, terms.grades if terms else (), masks))
    kinds, kind_values = _bit_case("kind", masks.bits)
    codes, code_values = _bit_case("s.code", masks.codes)
    number, results, result_values = _result_bits(masks)
    in_use = deciding(Assessment.objects.filter(in_force(on)), on).values("elder_id", "scale", "level", "assessed_on")
    deciding_sql, deciding_values = in_use.query.sql_with_params()
    others = (
        "coalesce(bit_or(coalesce(f.kinds, 0)) OVER (PARTITION BY e.household_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED "
        "FOLLOWING EXCLUDE CURRENT ROW), 0)"
        if masks.uses_household
        else "0::bigint"
    )
    holding = "valid_from <= %s AND (valid_to IS NULL OR valid_to > %s) AND recorded_to IS NULL"
    sql = f"""
        WITH f AS (SELECT elder_id, {kinds} AS kinds FROM {_table(Circumstance)} WHERE {holding} GROUP BY elder_id),
        n AS (SELECT elder_id, {number} AS number FROM ({deciding_sql}) a),
        r AS (SELECT elder_id, {results} AS results FROM n GROUP BY elder_id),
        h AS (SELECT t.elder_id, {codes} AS held FROM {_table(Entitlement)} t JOIN {_table(Scheme)} s ON s.id = t.scheme_id
              WHERE {holding} GROUP BY t.elder_id),
        p AS (SELECT e.id, e.div, e.born_on, e.is_resident, e.hukou_div, coalesce(f.kinds, 0) AS kinds, coalesce(r.results, 0) AS results,
                     coalesce(h.held, 0) AS held, {others} AS others
              FROM {_table(Elder)} e LEFT JOIN f ON f.elder_id = e.id LEFT JOIN r ON r.elder_id = e.id LEFT JOIN h ON h.elder_id = e.id
              WHERE e.div >= %s AND e.div < %s AND e.merged_into_id IS NULL AND (e.died_on IS NULL OR e.died_on >= %s))
        SELECT p.id AS elder_id, p.div, ARRAY[{", ".join(cases)}]::smallint[] AS places FROM p
        WHERE p.kinds & {1 << masks.bits[MOVED_AWAY]} = 0
    """  # noqa: S608 - our own table names, computed numbers and dates; texts go as parameters
    days = [on, on]
    return sql, [*kind_values, *days, *result_values, *deciding_values, *code_values, *days, div, f"{div}:", on]


def _table(model: Any) -> str:
    return f'"{model._meta.db_table}"'  # noqa: SLF001 - Django's own name


def active_schemes(div: str, *, code: str = "") -> list[Scheme]:
    """Return the active schemes that concern an area: its own, those below it and those above it."""
    rows = Scheme.objects.filter(is_active=True).order_by("code", "div")
    found = [one for one in rows if one.div.startswith(div) or div.startswith(one.div)]
    return [one for one in found if not code or one.code == code]


def eligible_all(div: str, on: date) -> dict[str, dict[int, int]]:
    """Return for every scheme of an area who may have it on a day: elder to place of the grade."""
    return _eligible(active_schemes(div), div, on)


def eligible(scheme_code: str, div: str, on: date) -> dict[int, int]:
    """Return who in an area may have a scheme on a day: elder to place of the grade."""
    return _eligible(active_schemes(div, code=scheme_code), div, on).get(scheme_code, {})


def _eligible(schemes: Sequence[Scheme], div: str, on: date) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {scheme.code: {} for scheme in schemes}
    if not schemes:
        return found
    sql, values = statement(schemes, div, on)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT elder_id, places FROM ({sql}) run WHERE array_remove(places, NULL) <> '{{}}'", values)  # noqa: S608 - as above
        for elder_id, places in cursor:
            for scheme, place in zip(schemes, places, strict=True):
                if place is not None:
                    found[scheme.code][elder_id] = place
    return found
