"""The steps of all that two persons decide: reviewed by one, approved by another, or given back with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from django.db.models import QuerySet

from yinling.accounts.operations import record
from yinling.directory.rules import person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked
from yinling.kernel.actor import Actor
from yinling.kernel.machine import Machine
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

TWO_PERSONS = N_("%(number)s：登记人和初审人不能审批，请由另一位有权限的人员办理")


class Decided(Protocol):
    """A row that persons decide, each step by its verb."""

    MACHINE: ClassVar[Machine[Any]]
    TOPIC: ClassVar[str]
    """The pages that hear of a change."""
    SIGNED: ClassVar[Mapping[str, str]]
    """Which columns keep who made a step and when: ``<name>_by``, ``<name>_at``."""
    WHY: ClassVar[str]
    """The column that keeps why it was given back."""
    pk: Any
    div: str
    state: Any
    _meta: ClassVar[Any]

    @property
    def code(self) -> str:
        """The number people read aloud."""

    @property
    def decided_in(self) -> str:
        """The division whose officers decide it."""

    @property
    def hands(self) -> frozenset[int]:
        """The users who drew it up or reviewed it; none of them may approve it."""


D = TypeVar("D", bound=Any)


def explain_hands(*nouns: str) -> None:
    """Give the constraints ``<noun>_two_persons``, which stand behind ``check_hands``, their sentence."""
    for noun in nouns:
        explain_constraint(
            f"{noun}_two_persons", f"{noun}.two_persons", N_("登记人和初审人不能复核，请由另一位有权限的人员复核")
        )


def taken_up(actor: Actor, rows: QuerySet[D], pk: int, seen: int | None, verb: str) -> D:
    """Return the row, locked, for an actor who may make the step now; whoever drew it up or reviewed it does not approve it."""
    row = locked(rows, pk, seen)
    one: Decided = row
    require(actor, event_of(one, verb), div=one.decided_in)
    one.MACHINE.target(verb, one.state)
    if verb == "approve":
        check_hands(actor, one)
    return row


def check_hands(actor: Actor, row: Decided) -> None:
    """Refuse to let those decide who had the row in hand."""
    if actor.user_id in row.hands:
        raise Refused(f"{row._meta.model_name}.two_persons", TWO_PERSONS, number=row.code)  # noqa: SLF001 - Django's own name


def move(
    actor: Actor, now: datetime, row: D, verb: str, *, reason: str | None = None, why: str = "", event: str = "", cause: str = "", **values: Any
) -> D:  # fmt: skip
    """Make one step of a locked row: who made it when; journalled (as ``event`` if it has a name of its own), told to open pages.

    ``reason`` must be given and stays with the row, ``why`` stands in the journal only.
    """
    one: Decided = row
    values["state"] = one.MACHINE.target(verb, one.state)
    if step := one.SIGNED.get(verb):
        values |= {f"{step}_by_id": person_of(actor), f"{step}_at": now}
    if reason is not None:
        why = required_text(reason, "reason", most=500)
        values[one.WHY] = why
    changes = changed(row, now=now, **values) | ({"cause": cause} if cause else {})
    record(actor=actor, now=now, event=event or event_of(one, verb), subject=row, changes=changes, reason=why)
    tell(one.TOPIC, pk=one.pk, div=one.div)
    return row


def event_of(row: Decided, verb: str) -> str:
    """Return the right, and the event of the journal, of a step."""
    return f"{row._meta.app_label}.{row._meta.model_name}.{verb}"  # noqa: SLF001
