"""Names on papers of others: whoever sees a contract or a bed may read who is in it, though neither file nor staff is in the own scope."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Value

from yinling.directory.models import Staff
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.people.models import Elder

PROVINCE = 2


def reader(div: str) -> Actor:
    """Return who reads in the whole province of a division, with no right to do anything."""
    return Actor(None, "", "", div=div[:PROVINCE])


def names_on_paper(div: str, elders: Collection[int], staff: Collection[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the names of elders and of staff by number, in one question."""
    with scope(reader(div)):
        of_elders = Elder.objects.filter(pk__in=elders).order_by().values_list(Value("elder"), "pk", "name")
        of_staff = Staff.objects.filter(pk__in=staff).order_by().values_list(Value("staff"), "pk", "name")
        rows = list(of_elders.union(of_staff, all=True))
    return {pk: name for who, pk, name in rows if who == "elder"}, {
        pk: name for who, pk, name in rows if who == "staff"
    }
