"""A story told step by step: logins do things at moments of the story's own clock, and each row and refusal is noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models

from yinling.demo.logins import actor_of
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal


@dataclass(frozen=True)
class Step:
    """One step: what was done, the row it left or the refusal. ``ok`` is false for a refusal, wanted or not."""

    step: int
    verb: str
    row: str
    id: int | None
    ok: bool
    code: str
    detail: str


class Stopped(Exception):  # noqa: N818 - the story ends here
    """A step did not end as the story tells."""


@dataclass
class Story:
    """The play: its clock, the steps so far, and where each is told."""

    tell: Callable[[Step], None]
    began: datetime = field(init=False)
    steps: list[Step] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)

    def at(self, minutes: float) -> datetime:
        """Return a moment of the story."""
        return self.began + timedelta(minutes=minutes)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the steps as machines read them."""
        return [asdict(step) for step in self.steps]

    def note(self, verb: str, row: models.Model | None, detail: str, *, code: str = "") -> None:
        """Keep a step and tell it."""
        table = row._meta.model_name if row is not None else ""  # noqa: SLF001 - Django's own name
        step = Step(len(self.steps) + 1, verb, str(table), row.pk if row is not None else None, not code, code, detail)
        self.steps.append(step)
        self.tell(step)

    def act(self, username: str, minutes: float, operation: Callable[..., Any], says: str, **arguments: Any) -> Any:
        """Let a login carry out an operation. Raises Stopped if it is refused."""
        now = self.at(minutes)
        actor = actor_of(username, now)
        try:
            with scope(actor):
                row = operation(actor=actor, now=now, **arguments)
        except Refusal as refusal:
            self.note(operation.__name__, None, f"{actor.name}：{refusal.detail}", code=refusal.code)
            raise Stopped(refusal.code) from refusal
        self.note(operation.__name__, row, f"{actor.name}（{actor.role}）：{says} → {described(row)}")
        return row

    def refused(
        self, username: str, minutes: float, operation: Callable[..., Any], codes: tuple[str, ...], **arguments: Any
    ) -> str:
        """Let a login try what must be refused; return the code. Raises Stopped if it is not."""
        now = self.at(minutes)
        actor = actor_of(username, now)
        try:
            with scope(actor):
                row = operation(actor=actor, now=now, **arguments)
        except Refusal as refusal:
            self.note(
                operation.__name__, None, f"{actor.name}（{actor.role}）被拒绝：{refusal.detail}", code=refusal.code
            )
            if refusal.code not in codes:
                raise Stopped(refusal.code) from refusal
            return refusal.code
        self.note(operation.__name__, row, "应被拒绝而未被拒绝", code="walk.not_refused")
        raise Stopped("walk.not_refused")


def described(row: Any) -> str:
    """Say in a few words what a row is."""
    code = getattr(row, "code", "")
    label = row.get_state_display() if hasattr(row, "state") else ""
    return " ".join(str(part) for part in (code or row._meta.model_name, f"#{row.pk}", label) if part)  # noqa: SLF001
