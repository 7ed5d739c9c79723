"""Reading the map: actors, areas, who is responsible where."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q, QuerySet

from yinling.accounts.models import User
from yinling.directory.models import Area, Grant, Organisation, ServiceArea, Staff
from yinling.directory.roles import ROLES
from yinling.directory.states import GrantState
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor


def active_grants(user_id: int, now: datetime) -> QuerySet[Grant]:
    """Grants of a user that hold now, with their organisation."""
    later = Q(to_at=None) | Q(to_at__gt=now)
    rows = Grant.objects.filter(later, user_id=user_id, state=GrantState.ACTIVE, from_at__lte=now)
    return rows.select_related("organisation").order_by("id")


def actor_from(user: User, grant: Grant | None, *, elder_ids: tuple[int, ...] = (), staff_id: int | None = None, request_id: str = "") -> Actor:
    """Return the actor a user is in one grant; without a grant, one with no rights."""
    if grant is None:
        return Actor(user.pk, user.name, "", request_id=request_id)
    role = ROLES[grant.role]
    return Actor(
        user_id=user.pk, name=user.name, role=grant.role, rights=role.rights, div=grant.div or None, organisation_id=grant.organisation_id,
        elder_ids=elder_ids, staff_id=staff_id, grant_id=grant.pk, request_id=request_id, is_system=user.is_system,
    )  # fmt: skip


def staff_id_of(user_id: int) -> int | None:
    """Return the staff row of a login. Needs a scope of the organisation or of the user's own."""
    return Staff.objects.filter(user_id=user_id).values_list("pk", flat=True).first()


def system_actor(area: str) -> Actor:
    """Return the system user as an actor for an area; jobs act as this."""
    user = User.objects.filter(is_system=True).only("pk", "name").first()
    return Actor(user.pk if user else None, "系统", "system", ROLES["system"].rights, div=area, is_system=True)


def ancestors(div: str) -> list[str]:
    """Return a division code and those above it, nearest first (12, 9, 6, 4, 2 characters)."""
    return [div[:size] for size in (12, 9, 6, 4, 2) if len(div) >= size]


def responsible_body(family: str, div: str, on: date) -> Organisation | None:
    """Return the one body that answers for a family of services in a division: the narrowest area wins (R-ORD-04)."""
    rows = ServiceArea.objects.filter(in_force(on), family=family, div__in=ancestors(div)).select_related("organisation")
    best = max(rows, key=lambda row: len(row.div), default=None)
    return best.organisation if best else None


def cities() -> QuerySet[Area]:
    """The loaded cities."""
    return Area.objects.filter(level="city").order_by("div")


def areas_below(div: str) -> QuerySet[Area]:
    """The areas directly below one."""
    return Area.objects.filter(parent_id=div).order_by("div").defer("outline")
