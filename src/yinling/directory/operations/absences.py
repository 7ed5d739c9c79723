"""Writing when a carer does not work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.models import Absence, Staff
from yinling.directory.rules import check_absence, check_own_absence, known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Moment, OptionalReason, Reason, Seen
from yinling.kernel.words import N_

explain_constraint("absence_no_overlap", "absence.overlap", N_("此人在这段时间已登记缺勤，请先结束原来的登记"))

AbsenceKind = Annotated[str, Input(N_("缺勤类型"), choices=Absence.KINDS, widget="choice")]
Until = Annotated[
    datetime | None, Input(N_("到何时"), help=N_("还不知道何时回来，可不填；回来时登记销假"), widget="moment")
]
BackAt = Annotated[datetime | None, Input(N_("到何时"), help=N_("不填即现在"), widget="moment")]


@operation("directory.absence.report", label=N_("登记缺勤"))
def report_absence(
    *, actor: Actor, now: datetime, staff_id: Id, kind: AbsenceKind, from_at: Moment, to_at: Until = None, reason: OptionalReason = "",
) -> Absence:  # fmt: skip
    """Enter that a carer does not work for a time: carers for themselves, or whoever dispatches them. Orders already given stay until re-planned."""
    staff = locked(Staff.objects.all(), staff_id)
    require(actor, "directory.absence.report", div=staff.div, provider_id=staff.provider_id)
    check_own_absence(
        actor_staff_id=actor.staff_id, staff_id=staff.pk, may_for_others=actor.has("directory.absence.end")
    )
    check_absence(from_at=from_at, to_at=to_at, now=now)
    row = Absence.objects.create(
        div=staff.div, staff=staff, provider_id=staff.provider_id, kind=known_choice(kind, Absence.KINDS, "kind"), from_at=from_at,
        to_at=to_at, reason=reason.strip(), created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"from_at": [None, from_at.isoformat()], "to_at": [None, to_at.isoformat() if to_at else None]}
    record(
        actor=actor, now=now, event="directory.absence.report", subject=row, changes={"kind": [None, kind], **changes}
    )
    tell("staff", pk=staff.pk, div=staff.div)
    return row


@operation("directory.absence.end", label=N_("销假"))
def end_absence(
    *, actor: Actor, now: datetime, absence_id: Id, reason: Reason, to_at: BackAt = None, seen: Seen = None
) -> Absence:
    """Let an absence end now or at another time; one that has not begun is taken back."""
    row = locked(Absence.objects.all(), absence_id, seen)
    require(actor, "directory.absence.end", div=row.div, provider_id=row.provider_id)
    why = required_text(reason, "reason", most=500)
    end = max(to_at or now, row.from_at)
    changes = changed(row, now=now, to_at=end)
    record(actor=actor, now=now, event="directory.absence.end", subject=row, changes=changes, reason=why)
    tell("staff", pk=row.staff_id, div=row.div)
    return row
