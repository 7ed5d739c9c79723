"""The homes where grids are drawn: does exactly one body answer for each?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q

from yinling.directory.models import Organisation, ServiceArea
from yinling.directory.queries import duty_of, point_at
from yinling.directory.rules import bodies_at
from yinling.kernel.actor import Actor
from yinling.people.models import Household


@dataclass(frozen=True)
class Homes:
    """How many homes were looked at; by community how many have no body, and how many have several."""

    looked_at: int
    uncovered: dict[str, int]
    doubled: dict[str, int]
    by_body: dict[Organisation, int]


def homes_by_body(actor: Actor, rows: Sequence[ServiceArea]) -> Homes:
    """Look at every home in the divisions with grids, at its own position (R-ORD-04). Without grids there is nothing to look at."""
    divs = {row.div for row in rows if row.outline is not None}
    if not divs:
        return Homes(0, {}, {}, {})
    bodies = {row.organisation_id: row.organisation for row in rows}
    duties = [duty_of(row) for row in rows]
    near = reduce(or_, (Q(div__gte=div, div__lt=div + ":") for div in divs))
    looked_at = 0
    uncovered: Counter[str] = Counter()
    doubled: Counter[str] = Counter()
    by_body: Counter[Organisation] = Counter()
    homes = Household.objects.visible_to(actor).filter(near).values_list("div", "lon", "lat")
    for div, lon, lat in homes.iterator():
        found = bodies_at(div, point_at(lon, lat), duties)
        looked_at += 1
        uncovered[div] += not found
        doubled[div] += len(found) > 1
        for one in found:
            by_body[bodies[one]] += 1
    return Homes(looked_at, dict(+uncovered), dict(+doubled), dict(by_body))
