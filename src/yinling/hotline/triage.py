"""Who should get a ticket: the rules of ``parameters/triage.yaml`` read and applied. Pure.

A rule with words that are said beats every rule without words; all rules with words that hold are proposed together, so that a ticket
about two matters is split to two bodies at once (R-CALL-05).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ("normal", "high", "urgent")
RESPONSIBLE = "responsible"


@dataclass(frozen=True)
class Body:
    """A kind of body, and a part of its name where there are several of the kind."""

    kind: str
    named: str = ""


@dataclass(frozen=True)
class TriageRule:
    """One line of the table."""

    bodies: tuple[Body, ...]
    reason: str
    kinds: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    level: str = ""

    def fits(self, kind: str, family: str) -> bool:
        """Whether the rule speaks of tickets like this one, whatever they say."""
        return (not self.kinds or kind in self.kinds) and (not self.families or family in self.families)

    def word_in(self, text: str) -> str:
        """Return the first of the rule's words that is said, or nothing."""
        return next((word for word in self.words if word in text), "")


@dataclass(frozen=True)
class Proposed:
    """A body for a ticket, why, and the word that said so."""

    body: Body
    reason: str
    word: str = ""


@dataclass(frozen=True)
class Triage:
    """All that the rules say of a ticket."""

    proposed: tuple[Proposed, ...] = ()
    level: str = ""


def read_rules(rows: Sequence[Mapping[str, Any]]) -> tuple[TriageRule, ...]:
    """Return the rules of a parameter's value. KeyError or ValueError for a line that cannot be right."""
    return tuple(_rule(row) for row in rows)


def _rule(row: Mapping[str, Any]) -> TriageRule:
    level = str(row.get("level", ""))
    unknown = set(row) - {"kinds", "families", "words", "bodies", "level", "reason"}
    if level not in ("", *LEVELS) or unknown or not row["bodies"]:
        raise ValueError(f"triage rule {dict(row)!r}")
    return TriageRule(
        bodies=tuple(_body(str(text)) for text in row["bodies"]),
        reason=str(row["reason"]),
        kinds=frozenset(row.get("kinds", ())),
        families=frozenset(row.get("families", ())),
        words=tuple(map(str, row.get("words", ()))),
        level=level,
    )


def _body(text: str) -> Body:
    kind, _colon, named = text.partition(":")
    return Body(kind, named)


def triage(rules: Iterable[TriageRule], *, kind: str, family: str, text: str) -> Triage:
    """Return which bodies a ticket is proposed to, each once with its first reason, and how urgent the rules make it."""
    fitting = [rule for rule in rules if rule.fits(kind, family)]
    said = [(rule, word) for rule in fitting if (word := rule.word_in(text))]
    chosen = said or [(rule, "") for rule in fitting if not rule.words][:1]
    found: dict[Body, Proposed] = {}
    for rule, word in chosen:
        for body in rule.bodies:
            found.setdefault(body, Proposed(body, rule.reason, word))
    levels = [LEVELS.index(rule.level) for rule, _word in chosen if rule.level]
    return Triage(tuple(found.values()), LEVELS[max(levels)] if levels else "")


def higher_level(present: str, wanted: str) -> str:
    """Return the more urgent of two levels: triage never lowers one."""
    return max(present, wanted or present, key=LEVELS.index)
