"""The steps of all that two persons decide: reviewed by one, approved by another, or given back with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import QuerySet

from yinling.accounts.operations import record
from yinling.directory.rules import person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.settlement.models import Decided

D = TypeVar("D", bound=Decided)

TWO_PERSONS = N_("登记人和初审人不能复核，请由另一位有权限的人员复核")
SIGNED = {"review": "reviewed", "approve": "approved"}

for _noun in ("statement", "recovery", "payout", "reimbursement"):
    explain_constraint(f"{_noun}_two_persons", f"{_noun}.two_persons", TWO_PERSONS)


def taken_up(actor: Actor, rows: QuerySet[D], pk: int, seen: int | None, verb: str) -> D:
    """Return the row, locked, for an actor who may make the step now; whoever drew it up or reviewed it does not approve it."""
    row = locked(rows, pk, seen)
    require(actor, _event(row, verb), div=row.decided_in)
    row.MACHINE.target(verb, row.state)
    if verb == "approve" and actor.user_id in row.hands:
        raise Refused(f"{row._meta.model_name}.two_persons", TWO_PERSONS)  # noqa: SLF001 - Django's own name
    return row


def move(
    actor: Actor, now: datetime, row: D, verb: str, *, reason: str | None = None, event: str = "", cause: str = "", **values: Any
) -> D:  # fmt: skip
    """Make one step of a locked row: who made it when, or why not; journalled (as ``event`` if it has a name of its own), told to open pages."""
    values["state"] = row.MACHINE.target(verb, row.state)
    if step := SIGNED.get(verb):
        values |= {f"{step}_by_id": person_of(actor), f"{step}_at": now}
    if reason is not None:
        values["return_reason"] = required_text(reason, "reason", most=500)
    changes = changed(row, now=now, **values) | ({"cause": cause} if cause else {})
    why = str(values.get("return_reason", ""))
    record(actor=actor, now=now, event=_event(row, event or verb), subject=row, changes=changes, reason=why)
    tell(row.TOPIC, pk=row.pk, div=row.div)
    return row


def _event(row: Decided, verb: str) -> str:
    return f"{row._meta.app_label}.{row._meta.model_name}.{verb}"  # noqa: SLF001
