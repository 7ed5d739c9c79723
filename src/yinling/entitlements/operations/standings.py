"""Reckoning the lists of standings: who fits a scheme, who holds it, anew for a whole area at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection

from yinling.entitlements.models import Entitlement, Standing
from yinling.entitlements.queries.sets import active_schemes, statement
from yinling.entitlements.queries.standings import counted

_WRITE = """
    WITH run AS MATERIALIZED ({select}),
    fits AS (SELECT run.elder_id, run.div, s.id AS scheme_id, s.place FROM run, unnest(run.places, %s::bigint[]) AS s(place, id)
             WHERE s.place IS NOT NULL),
    holds AS (SELECT elder_id, div, scheme_id FROM {entitlements} WHERE valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
              AND recorded_to IS NULL AND scheme_id = ANY(%s::bigint[]) AND div >= %s AND div < %s),
    found AS MATERIALIZED (SELECT coalesce(f.elder_id, h.elder_id) AS elder_id, coalesce(f.div, h.div) AS div,
                           coalesce(f.scheme_id, h.scheme_id) AS scheme_id, f.place AS grade, h.elder_id IS NOT NULL AS is_held
                           FROM fits f FULL JOIN holds h ON h.elder_id = f.elder_id AND h.scheme_id = f.scheme_id),
    gone AS (DELETE FROM {standings} s WHERE s.scheme_id = ANY(%s::bigint[]) AND s.div >= %s AND s.div < %s
             AND NOT EXISTS (SELECT FROM found n WHERE n.elder_id = s.elder_id AND n.scheme_id = s.scheme_id))
    INSERT INTO {standings} AS s (elder_id, div, scheme_id, grade, is_held) SELECT elder_id, div, scheme_id, grade, is_held FROM found
    ON CONFLICT (elder_id, scheme_id) DO UPDATE SET div = excluded.div, grade = excluded.grade, is_held = excluded.is_held
    WHERE (s.div, s.grade, s.is_held) IS DISTINCT FROM (excluded.div, excluded.grade, excluded.is_held)
"""


def reckon_standings(div: str, on: date) -> int:
    """Bring the lists of an area to a day: one statement for all its schemes, writing only what changed. Return how many rows changed.

    What comes out follows from facts that are journalled themselves, so it is not journalled again.
    """
    schemes = active_schemes(div)
    if not schemes:
        return 0
    select, values = statement(schemes, div, on)
    ids = [scheme.pk for scheme in schemes]
    area = [div, f"{div}:"]
    tables = {"entitlements": _table(Entitlement), "standings": _table(Standing)}
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(select=select, **tables), [*values, ids, on, on, ids, *area, ids, *area])
        changed: int = cursor.rowcount
    for scheme in schemes:
        kept = {street: counts for street, counts in scheme.reckoned_counts.items() if not street.startswith(div)}
        scheme.reckoned_on, scheme.reckoned_counts = on, kept | counted(scheme, div)
        scheme.save(update_fields=["reckoned_on", "reckoned_counts"])
    return changed


def _table(model: type[Any]) -> str:
    return f'"{model._meta.db_table}"'  # noqa: SLF001 - Django's own name
