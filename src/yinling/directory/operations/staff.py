"""Writing who works for an organisation, with which certificates, and who is stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory import inputs as ask
from yinling.directory.models import (
    Organisation,
    Qualification,
    Site,
    Staff,
    Suspension,
)
from yinling.directory.operations.bodies import own_phone
from yinling.directory.rules import (
    at_field,
    clock_time,
    known_choice,
    period_of,
    require,
    required_text,
)
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

explain_constraint(
    "qualification_no_overlap", "qualification.overlap", N_("此人在这段时间已有同类证书，请核对起止日期")
)


@operation("directory.staff.register", label=N_("登记工作人员"))
def register_staff(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, site_id: Annotated[int, Input(N_("站点"), least=1, widget="choice")],
    name: ask.PersonName, kind: Annotated[str, Input(N_("岗位"), choices=Staff.KINDS, widget="choice")], sex: ask.Sex, phone: ask.Phone = "",
    day_from: ask.Hour = "08:00", day_to: ask.Hour = "18:00", dialects: Annotated[str, Input(N_("方言"), max_length=60)] = "",
    employed_from: ask.FirstDay,
) -> Staff:  # fmt: skip
    """Enter a person who works for a body at one of its sites."""
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "directory.staff.register", div=body.div, provider_id=body.pk)
    site = Site.objects.filter(pk=site_id, organisation=body).first()
    if site is None:
        raise Refused("site.unknown", N_("该机构没有这个站点，请从列表中选择"), field="site_id")
    hours = (clock_time(day_from, "day_from"), clock_time(day_to, "day_to"))
    if hours[0] >= hours[1]:
        raise Refused("staff.hours", N_("下班时刻应晚于上班时刻"), field="day_to")
    row = Staff(
        div=site.div, provider=body, site=site, name=required_text(name, "name", most=40), kind=known_choice(kind, Staff.KINDS, "kind"),
        sex=known_choice(sex, [("1", ""), ("2", "")], "sex"), day_from=hours[0], day_to=hours[1], dialects=dialects,
        employed_from=employed_from, created_at=now, changed_at=now,
    )  # fmt: skip
    with at_field("phone"):
        row.seal_field("phone", own_phone(phone))
    row.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="directory.staff.register",
        subject=row,
        changes={"kind": [None, kind]},
        staff_id=row.pk,
    )
    return row


@operation("directory.staff.qualify", label=N_("登记资格证书"))
def qualify_staff(
    *, actor: Actor, now: datetime, staff_id: Id, kind: Annotated[str, Input(N_("证书"), choices=Qualification.KINDS, widget="choice")],
    number: Annotated[str, Input(N_("证书编号"), max_length=40)], issuer: Annotated[str, Input(N_("发证机关"), max_length=80)],
    valid_from: ask.FirstDay, valid_to: ask.LastDay = None,
) -> Qualification:  # fmt: skip
    """Enter a certificate with the days on which it holds."""
    staff = locked(Staff.objects.all(), staff_id)
    require(actor, "directory.staff.qualify", div=staff.div, provider_id=staff.provider_id)
    days = period_of(valid_from, valid_to)
    row = Qualification.objects.create(
        div=staff.div, staff=staff, provider_id=staff.provider_id, kind=known_choice(kind, Qualification.KINDS, "kind"),
        number=required_text(number, "number", most=40), issuer=required_text(issuer, "issuer", most=80), valid_from=days.from_,
        valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    changes = {"kind": [None, kind], "valid_to": [None, days.to.isoformat() if days.to else None]}
    record(actor=actor, now=now, event="directory.staff.qualify", subject=row, changes=changes, staff_id=staff.pk)
    return row


def suspend_staff(actor: Actor, now: datetime, staff: Staff, cause: str, reason: str) -> Suspension:
    """Give a carer no new orders until released; the same cause suspends once."""
    row, is_new = Suspension.objects.get_or_create(
        staff=staff,
        cause=cause,
        defaults={"div": staff.div, "provider_id": staff.provider_id, "reason": reason, "from_at": now},
    )
    if is_new:
        record(actor=actor, now=now, event="directory.staff.suspend", subject=row, reason=reason, staff_id=staff.pk)
        tell("staff", pk=staff.pk, div=staff.div)
    return row


def release_suspension(actor: Actor, now: datetime, staff: Staff, cause: str, reason: str) -> Suspension | None:
    """Lift the suspension of one cause; others of the same carer stay. Returns nothing if there is none open."""
    row = Suspension.objects.select_for_update(of=("self",)).filter(staff=staff, cause=cause, to_at=None).first()
    if row is None:
        return None
    changes = changed(row, now=now, to_at=max(now, row.from_at), released_by_id=actor.user_id, release_reason=reason)
    record(
        actor=actor,
        now=now,
        event="directory.staff.release",
        subject=row,
        changes=changes,
        reason=reason,
        staff_id=staff.pk,
    )
    tell("staff", pk=staff.pk, div=staff.div)
    return row
