"""Writing what is true of an elder from day to day."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason
from yinling.kernel.period import ONE_DAY
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.inputs import (
    Body,
    CircumstanceKind,
    Day,
    Detail,
    Evidence,
    LastDay,
)
from yinling.people.models import Circumstance
from yinling.people.operations.elders import open_file, require_alive

explain_constraint("circumstance_no_overlap", "circumstance.overlap", N_("这段时间已登记同一类别，请先终止原有登记"))


@operation("people.circumstance.record", label=N_("登记人群类别"))
def record_circumstance(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, kind: CircumstanceKind, detail: Detail = "", valid_from: Day, valid_to: LastDay = None,
    body: Body, evidence: Evidence = "",
) -> Circumstance:  # fmt: skip
    """Record what is true of an elder, from which day, on whose word. A death has its own operation."""
    elder = open_file(elder_id)
    require(actor, "people.circumstance.record", div=elder.div)
    known_choice(kind, Circumstance.KINDS, "kind")
    if kind == "deceased":
        raise Refused("circumstance.death", N_("登记去世请用“登记去世”，以便写明日期和凭证"), field="kind")
    require_alive(elder)
    if valid_from < elder.born_on:
        raise Refused("circumstance.before_birth", N_("开始日期早于出生日期，请核对"), field="valid_from")
    days = period_of(valid_from, valid_to)
    row = Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, detail=detail.strip(), body=required_text(body, "body", most=80), evidence=evidence.strip(),
        valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    changes = {"kind": [None, kind], "detail": [None, detail.strip()], "valid_from": [None, valid_from.isoformat()]}
    record(actor=actor, now=now, event="people.circumstance.record", subject=row, changes=changes)
    tell("elders", pk=elder.pk, div=elder.div)
    return row


@operation("people.circumstance.end", label=N_("终止人群类别"))
def end_circumstance(
    *, actor: Actor, now: datetime, circumstance_id: Id, valid_to: Day, reason: Reason
) -> Circumstance:  # fmt: skip
    """Say which day was the last on which it held; what was on record before is kept."""
    row = locked(Circumstance.objects.filter(recorded_to=None), circumstance_id)
    require(actor, "people.circumstance.end", div=row.div)
    if row.kind == "deceased":
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能这样做"))
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    record(actor=actor, now=now, event="people.circumstance.end", subject=row, changes=changes, reason=why)
    tell("elders", pk=row.elder_id, div=row.div)
    return row
