"""Who acts for an elder, in which matters, and whose time runs out."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.people.models import Representative
from yinling.people.rules import MATTERS, withheld_rights


def representation(user_id: int, now: datetime) -> tuple[tuple[int, ...], frozenset[tuple[int, str]]]:
    """Return the elders a login is or represents today, and the (elder, right) that its representations do not give."""
    rows = Representative.objects.filter(in_force(local_date(now)), user_id=user_id)
    elders, withheld = [], set()
    for row in rows.order_by("elder_id"):
        elders.append(row.elder_id)
        if row.capacity != "self":
            covered = {matter: getattr(row, matter) for matter in MATTERS}
            withheld |= {(row.elder_id, right) for right in withheld_rights(covered)}
    return tuple(elders), frozenset(withheld)


def linked_elder_ids(user_id: int, now: datetime) -> tuple[int, ...]:
    """Return the elders a login is or represents today."""
    return representation(user_id, now)[0]


def may_sign(elder_id: int, capacity: str, on: date) -> bool:
    """Whether a representative of this capacity whose matters include signing is on file on a day."""
    rows = Representative.objects.filter(in_force(on), elder_id=elder_id, capacity=capacity, covers_signing=True)
    return rows.exists()


def capacity_of(user_id: int, elder_id: int, on: date) -> str:
    """Return as what a login stands for an elder on a day; nothing if it does not."""
    rows = Representative.objects.filter(in_force(on), elder_id=elder_id, user_id=user_id)
    return rows.values_list("capacity", flat=True).first() or ""


def representatives_ending(actor: Actor, on: date) -> QuerySet[Representative]:
    """Representations in the actor's area that run out within the days of notice, the soonest first."""
    days = int(parameter("people.representative_notice_days", actor.div or "", on))
    rows = Representative.objects.visible_to(actor).filter(in_force(on), valid_to__lte=on + timedelta(days=days))
    living = rows.filter(elder__died_on=None, elder__merged_into=None)
    return living.select_related("elder", "user").order_by("valid_to", "id")
