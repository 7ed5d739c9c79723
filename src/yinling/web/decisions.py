"""What the pages of all that two persons decide show: the bar of steps, the buttons of the next one, and that another person is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from yinling.kernel.machine import Machine
from yinling.settlement.models import Decided
from yinling.web.actions import ActionForm, action_form
from yinling.web.papers import signers
from yinling.web.show import moment

VERBS = ("review", "approve", "return", "lift")
GIVE_UP = ("return", "lift", "object", "contest", "revoke")

Steps = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Deciding:
    """What the macros of ``parts/decision.html`` print."""

    steps: Steps
    forms: dict[str, ActionForm]
    needs_other: bool
    needs_other_to_revoke: bool = False


def deciding(request: Any, row: Decided, here: str) -> Deciding:
    """Return how far a row has come and what the person may do next; the button of an approval is not offered to whoever had it in hand."""
    forms = step_forms(request, row, row.MACHINE, VERBS, here)
    needs_other = "approve" in forms and request.actor.user_id in row.hands
    if needs_other:
        needs_other = forms.pop("approve").allowed
    return Deciding(_steps(row), forms, needs_other)


def step_forms(
    request: Any, row: Any, machine: Machine[Any], verbs: Iterable[str], here: str, *, noun: str = ""
) -> dict[str, ActionForm]:
    """Return the forms of those steps that the state of a row allows; operations are named ``<verb>_<noun>``."""
    noun = noun or row._meta.model_name  # noqa: SLF001 - Django's own name
    return {
        verb: action_form(
            request, f"{verb}_{noun}", {f"{noun}_id": row.pk, "seen": row.version}, next=here, tone="danger" if verb in GIVE_UP else "primary"
        )
        for verb in verbs if machine.allows(verb, row.state)
    }  # fmt: skip


def _steps(row: Decided) -> Steps:
    steps: Steps = []
    is_next = row.state != "returned"
    for label, name, at in signers(row):
        stage = "done" if at else "now" if is_next else "todo"
        is_next = is_next and at is not None
        steps.append((label, stage, f"{name} {moment(at)}".strip() if at else ""))
    return steps
