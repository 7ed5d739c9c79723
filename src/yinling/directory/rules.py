"""Who may: the one check of rights, and rules of the map."""

from __future__ import annotations

from yinling.directory.roles import EXCLUSIVE, ROLES
from yinling.ground.operation import note_checked
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, Refused
from yinling.kernel.words import N_


def may(
    actor: Actor, right: str, *, div: str | None = None, provider_id: int | None = None, elder_id: int | None = None
) -> bool:
    """Whether the actor has the right and the row is the actor's: in the area, of the organisation, or of a linked elder.

    Without ``div`` the right alone decides (reading a list, a table without area).
    """
    if right not in actor.rights:
        return False
    if div is None:
        return True
    if actor.covers(div):
        return True
    if provider_id is not None and provider_id == actor.organisation_id:
        return True
    return elder_id is not None and elder_id in actor.elder_ids


def require(
    actor: Actor, right: str, *, div: str | None = None, provider_id: int | None = None, elder_id: int | None = None
) -> None:
    """Raise Denied unless ``may``; the sentence names the roles that could."""
    note_checked(right)
    if may(actor, right, div=div, provider_id=provider_id, elder_id=elder_id):
        return
    if right in actor.rights:
        raise Denied("right.outside", N_("这条记录不在您的管辖范围内，请联系所属地区的工作人员"), right=right)
    names = "、".join(role.name for role in ROLES.values() if right in role.rights and role.code != "system")
    raise Denied("right.missing", N_("您当前的角色不能这样做。可以办理的角色：%(roles)s"), right=right, roles=names)


def check_new_grant(
    *, role: str, held: frozenset[str], proposer_id: int, user_id: int, has_area: bool, has_organisation: bool
) -> None:
    """Refuse a grant to oneself, of an unknown role, without its anchor, or that joins two of the three administrators (X-DJ-03)."""
    if role not in ROLES or role == "system":
        raise Refused("grant.role", N_("没有这个角色，请从列表中选择"), field="role")
    if proposer_id == user_id:
        raise Refused("grant.self", N_("不能为自己授权，请由另一位安全管理员办理"), field="user_id")
    if role in EXCLUSIVE and (held & EXCLUSIVE) - {role}:
        raise Refused("grant.exclusive", N_("系统、安全、审计管理员不得由同一人兼任"), field="role")
    anchor = ROLES[role].anchor
    if anchor == "area" and not has_area:
        raise Refused("grant.area", N_("请选择管辖的行政区划"), field="div")
    if anchor == "organisation" and not has_organisation:
        raise Refused("grant.organisation", N_("请选择所属机构"), field="organisation_id")
