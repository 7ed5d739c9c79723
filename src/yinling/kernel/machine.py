"""State machines as tables: declared once, read by fields, triggers, screens, drawings and tests (style.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_

if TYPE_CHECKING:
    from collections.abc import Iterable


class State(StrEnum):
    """A state: ``PLACED = "placed", "已下单"``. The member is its value (a str) and carries the Chinese ``label``."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        """Make a member that equals its stored value. ValueError without a label."""
        if not label:
            raise ValueError(f"state {value} needs a label for people")
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Transition(Generic[S]):
    """One row of the table. Without a label only a later step makes it, and no screen offers it."""

    verb: str
    sources: frozenset[S]
    target: S
    label: str | None


Row = tuple[str, set[S], S, str | None]


class Machine(Generic[S]):
    """The legal changes of one kind of row. A wrong table is a ``ValueError`` when the module is imported."""

    def __init__(self, name: str, states: type[S], start: S, rows: Iterable[Row[S]]) -> None:
        self.name = name
        self.states = states
        self.start = start
        self.transitions = tuple(
            Transition(verb, frozenset(sources), target, label) for verb, sources, target, label in rows
        )
        self._targets: dict[tuple[str, S], S] = {}
        self._labels: dict[str, str | None] = {}
        for transition in self.transitions:
            self._add(transition)
        self._require_reachable()

    def _add(self, transition: Transition[S]) -> None:
        verb = transition.verb
        if not verb.isidentifier() or not transition.sources:
            raise ValueError(f"{self.name}: {verb!r} needs a name and at least one source")
        for state in (transition.target, *transition.sources):
            if not isinstance(state, self.states):
                raise ValueError(f"{self.name}: {verb} speaks of the foreign state {state!r}")  # noqa: TRY004 - as all here
        for source in transition.sources:
            if (verb, source) in self._targets:
                raise ValueError(f"{self.name}: {verb} leaves {source} twice")
            self._targets[verb, source] = transition.target
        known = self._labels.get(verb)
        if known and transition.label and known != transition.label:
            raise ValueError(f"{self.name}: {verb} has two labels, {known} and {transition.label}")
        self._labels[verb] = known or transition.label

    def _require_reachable(self) -> None:
        reached: set[S] = set()
        found = {self.start}
        while found:
            reached |= found
            found = {target for (_, source), target in self._targets.items() if source in reached} - reached
        lost = [str(state) for state in self.states if state not in reached]
        if lost:
            raise ValueError(f"{self.name}: no way leads from {self.start} to {', '.join(lost)}")

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(value, label) of every state, in the order of declaration, as plain strings."""
        return [(str(state.value), state.label) for state in self.states]

    def target(self, verb: str, state: str) -> S:
        """Return the state after the verb.

        Raises NotAllowed ``state.not_allowed``; ValueError for a verb or state that the table does not know.
        """
        now = self.states(state)
        label = self.verb_label(verb)
        try:
            return self._targets[verb, now]
        except KeyError:
            detail = N_("当前状态是“%(state_label)s”，不能“%(verb_label)s”。请刷新页面，查看现在可以做的操作。")
            raise NotAllowed(
                "state.not_allowed",
                detail,
                verb=verb,
                verb_label=label,
                state=str(now),
                state_label=now.label,
                machine=self.name,
            ) from None

    def allows(self, verb: str, state: str) -> bool:
        """Whether the verb leads on from this state."""
        return (verb, self.states(state)) in self._targets

    def verbs(self, state: str) -> tuple[Transition[S], ...]:
        """Return what a person may be offered in this state, in the order of the table."""
        now = self.states(state)
        return tuple(transition for transition in self.transitions if transition.label and now in transition.sources)

    def pairs(self) -> frozenset[tuple[S, S]]:
        """Every legal change (from, to); a verb that keeps the state is no change."""
        return frozenset((source, target) for (_, source), target in self._targets.items() if source != target)

    def verb_label(self, verb: str) -> str:
        """Chinese word for the verb; a verb without a label answers with its own name. ValueError if unknown."""
        if verb not in self._labels:
            raise ValueError(f"{self.name}: there is no verb {verb!r}")
        return self._labels[verb] or verb

    def mermaid(self) -> str:
        """Draw the table as a Mermaid ``stateDiagram-v2``; a final state points to the end."""
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{state.label}" as {state}' for state in self.states]
        lines.append(f"    [*] --> {self.start}")
        for transition in self.transitions:
            word = transition.label or transition.verb
            lines += [
                f"    {state} --> {transition.target}: {word}" for state in self.states if state in transition.sources
            ]
        going_on = {source for source, _ in self.pairs()}
        lines += [f"    {state} --> [*]" for state in self.states if state not in going_on]
        return "\n".join(lines) + "\n"
