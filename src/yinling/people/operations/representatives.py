"""Writing who acts for an elder: in which capacity, in which matters, from when to when, on which proof."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db.models import F

from yinling.accounts.models import User
from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.inputs import Capacity, Day, LastDay
from yinling.people.models import Representative
from yinling.people.operations.elders import open_file, require_alive
from yinling.people.rules import MATTERS

explain_constraint("representative_no_overlap", "representative.overlap", N_("此账号在这段时间已是该老年人的代理人"))


def _matter(label: str) -> Input:
    return Input(label, widget="check")


@operation("people.representative.appoint", label=N_("登记代理人"))
def appoint_representative(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, user_id: Annotated[int, Input(N_("账号编号"), least=1, widget="number")],
    capacity: Capacity, valid_from: Day, valid_to: LastDay = None,
    covers_orders: Annotated[bool, _matter(N_("可下单、取消和评价"))] = True,
    covers_signing: Annotated[bool, _matter(N_("可代为签字和同意"))] = True,
    covers_bills: Annotated[bool, _matter(N_("可查看账单"))] = True,
    covers_applications: Annotated[bool, _matter(N_("可申请评估和待遇"))] = True,
    covers_health: Annotated[bool, _matter(N_("可查看健康信息"))] = False,
    proof: Annotated[str, Input(N_("证明材料"), max_length=200)] = "",
) -> Representative:  # fmt: skip
    """Let a login act for an elder, or be the elder's own. Whoever is not the elder needs a proof (R-PEO-10)."""
    elder = open_file(elder_id)
    require(actor, "people.representative.appoint", div=elder.div)
    require_alive(elder)
    known_choice(capacity, Representative.CAPACITIES, "capacity")
    if not User.objects.filter(pk=user_id, is_active=True, is_system=False).exists():
        raise Refused("user.unknown", N_("没有这个账号，请核对账号编号"), field="user_id")
    paper = proof.strip() if capacity == "self" else required_text(proof, "proof")
    days = period_of(valid_from, valid_to)
    row = Representative.objects.create(
        div=elder.div, elder=elder, user_id=user_id, capacity=capacity, covers_orders=covers_orders, covers_signing=covers_signing,
        covers_bills=covers_bills, covers_applications=covers_applications, covers_health=covers_health, proof=paper,
        valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    _refresh(user_id)
    matters = sorted(name for name in MATTERS if getattr(row, name))
    changes = {"capacity": [None, capacity], "user": [None, user_id], "matters": [[], matters]}
    record(actor=actor, now=now, event="people.representative.appoint", subject=row, changes=changes)
    return row


def _refresh(user_id: int) -> None:
    """Let open sessions of a login read anew what it may do."""
    User.objects.filter(pk=user_id).update(rights_version=F("rights_version") + 1)


def end_access(row: Representative, now: datetime) -> int:
    """End a locked representation from today on, within an operation that journals it; return its number."""
    curtail(row, until=min(local_date(now), row.valid_to or date.max), now=now)
    _refresh(row.user_id)
    return row.pk


@operation("people.representative.end", label=N_("终止代理"))
def end_representative(*, actor: Actor, now: datetime, representative_id: Id, reason: Reason) -> Representative:
    """End it at once: from today the login no longer acts for the elder."""
    row = locked(Representative.objects.filter(recorded_to=None), representative_id)
    require(actor, "people.representative.end", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=min(local_date(now), row.valid_to or date.max), now=now)
    _refresh(row.user_id)
    record(actor=actor, now=now, event="people.representative.end", subject=row, changes=changes, reason=why)
    return row
